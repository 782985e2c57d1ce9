"""Reads and writes of the runtime's documents, each in a constant number of calls."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DeleteMany, DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult

from shared.derivation import FIRST
from shared.errors import FenceMoved
from shared.events.language import Event
from shared.mongo import Database, Document, Session
from shared.runtime.arrival import ARRIVED
from shared.runtime.audit import GIVEN, given_by
from shared.runtime.processor import Processor
from shared.runtime.storage.outbox import from_outbox, to_outbox
from shared.runtime.storage.types import ChangeSet, Lane, Operations, OutboxEntry, ParkedEvents, Timer, lane_id

PAGE = 2000
PAGES = 8
DUPLICATE_KEY = 11000


class RuntimeStore:
    """One service's runtime documents: lanes, ledger, outbox, timers, parked keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self, processors: Iterable[Processor]) -> None:
        """Create the indexes of the queries below, and those of the processors' collections."""
        await self._database["ledger"].create_index([(GIVEN, ASCENDING)], sparse=True)
        await self._database["deadlines"].create_index([("lane", ASCENDING), ("due", ASCENDING)])
        for collection in (collection for processor in processors for collection in processor.collections):
            for field_name in collection.indexes:
                await self._database[collection.name].create_index([(field_name, ASCENDING)])
            for field_name in collection.sparse:
                # A document without the field costs no entry. The name is another one than that of a full index.
                name = f"{field_name}_sparse"
                await self._database[collection.name].create_index([(field_name, ASCENDING)], name=name, sparse=True)
            for field_name in collection.listed_by:
                fields = dict.fromkeys((field_name, ARRIVED), ASCENDING)
                await self._database[collection.name].create_index(list(fields.items()))

    async def lanes(self, group: str, partitions: Iterable[int], session: Session | None = None) -> dict[int, Lane]:
        """The stored lanes; a lane without a document is new."""
        partition_of = {lane_id(group, p): p for p in partitions}
        lanes = {p: Lane(group, p) for p in partition_of.values()}
        cursor = self._database["lanes"].find({"_id": {"$in": list(partition_of)}}, session=session)
        for document in await cursor.to_list(None):
            partition = partition_of[document["_id"]]
            lanes[partition] = Lane(
                group,
                partition,
                {entry["topic"]: entry["next"] for entry in document["offsets"]},
                document["next_out"],
                document["batches"],
                document["cluster"],
                {entry["topic"]: bytes(entry["mark"]) for entry in document["offsets"]},
                document.get("derivation", FIRST),
            )
        return lanes

    async def processed(self, ids: Iterable[str]) -> dict[str, bytes]:
        """The digests of the bodies of those events that were worked before, by ledger id."""
        cursor = self._database["ledger"].find({"_id": {"$in": list(ids)}}, {"digest": 1})
        return {document["_id"]: bytes(document["digest"]) for document in await cursor.to_list(None)}

    async def parked_keys(self, group: str) -> set[str]:
        """Every parked key of a processor, as `<group> <key>`."""
        cursor = self._database["parked"].find({"_id": {"$gt": f"{group} ", "$lt": f"{group}!"}}, {"_id": 1})
        return {document["_id"] for document in await cursor.to_list(None)}

    async def parked(self, ids: Iterable[str]) -> dict[str, ParkedEvents]:
        """The parked keys among these `<group> <key>`, each with its waiting events."""
        cursor = self._database["parked"].find({"_id": {"$in": list(ids)}})
        return {
            document["_id"]: tuple(zip(document["events"], map(bytes, document["digests"]), strict=True))
            for document in await cursor.to_list(None)
        }

    async def first_parked(self, most: int) -> list[tuple[str, str, int]]:
        """Group, key and number of waiting events of parked keys, so many at most."""
        documents = await self._database["parked"].find({}).sort("_id", ASCENDING).limit(most).to_list(None)
        return [(*document["_id"].split(" ", 1), len(document["events"])) for document in documents]

    async def count_parked(self) -> int:
        """The number of keys that wait."""
        return await self._database["parked"].count_documents({})

    async def outbox_pages(self) -> int:
        """The number of pages of events that are not published yet."""
        return await self._database["outbox"].count_documents({})

    async def due(self, lanes: Sequence[str], now: datetime, session: Session | None = None) -> list[Timer]:
        """The timers of these lanes that are due, the earliest first."""
        cursor = self._database["deadlines"].find(
            {"lane": {"$in": list(lanes)}, "due": {"$lte": now}}, session=session
        )
        return [
            Timer(document["_id"], document["lane"], document["key"], document["deadline"], document["due"])
            for document in await cursor.sort([("due", ASCENDING), ("_id", ASCENDING)]).limit(PAGE).to_list(None)
        ]

    async def outbox(self, lane: str) -> list[OutboxEntry]:
        """The first entries of a lane's outbox, in number order, in whole pages."""
        cursor = self._database["outbox"].find({"_id": {"$gt": f"{lane}/", "$lt": f"{lane}0"}})
        pages = await cursor.sort("_id", ASCENDING).limit(PAGES).to_list(None)
        return [entry for page in pages for entry in from_outbox(page)]

    async def first_pages(self) -> dict[str, str]:
        """The id of the first page of each lane with an outbox, by the lane's id. It reads so many pages at most."""
        cursor = self._database["outbox"].find({}, {"_id": 1}).sort("_id", ASCENDING).limit(PAGE)
        pages = [document["_id"] for document in await cursor.to_list(None)]
        return {page.rsplit("/", 1)[0]: page for page in reversed(pages)}

    async def delete_published(self, ranges: Iterable[tuple[str, str]]) -> None:
        """Delete the entries that Kafka acknowledged, per lane from the first to the last id, both included.

        Entries of one page must be acknowledged together: the page is one document with the id of its first entry.
        """
        await self._database["outbox"].bulk_write(
            [DeleteMany({"_id": {"$gte": first, "$lte": last}}) for first, last in ranges]
        )

    async def write(self, changes: ChangeSet, session: Session, fence: Mapping[int, Lane] | None) -> None:
        """Write a change set inside the caller's transaction.

        `fence` has the state in which the document of each written lane must be found. None: no other instance can
        work these lanes. Raises FenceMoved when a document differs; the transaction is lost then.
        """
        database = self._database
        # First: a zombie must fail before it writes the rest.
        await self._move(changes.lanes, session, fence)
        if changes.ledger:
            await database["ledger"].insert_many(changes.ledger, session=session)
        for collection, operations in changes.entities.items():
            await _bulk(database, collection, operations, session)
        if changes.outbox:
            await database["outbox"].insert_many(to_outbox(changes.outbox), session=session)
        await _bulk(database, "deadlines", _timer_writes(changes), session)
        await _bulk(database, "parked", _parked_writes(changes.parked), session)

    async def _move(self, lanes: Mapping[int, Lane], session: Session, fence: Mapping[int, Lane] | None) -> None:
        operations: Operations = [
            ReplaceOne({"_id": lane.id} if fence is None else _unmoved(fence[partition]), _to_lane(lane), upsert=True)
            for partition, lane in lanes.items()
        ]
        try:
            await _bulk(self._database, "lanes", operations, session)
        except BulkWriteError as failure:
            if all(error["code"] == DUPLICATE_KEY for error in failure.details["writeErrors"]):
                raise FenceMoved(f"one of {sorted(lanes)} is not as {fence} any more") from failure
            raise


def ledger_entry(id: str, digest: bytes, lane: Lane, event: Event) -> Document:
    """The ledger's document of one worked event."""
    return {"_id": id, "digest": digest, "lane": lane.id, "batch": lane.batches, **given_by(event, id)}


async def _bulk(
    database: Database, collection: str, operations: Operations, session: Session
) -> BulkWriteResult | None:
    if not operations:
        return None
    return await database[collection].bulk_write(operations, ordered=False, session=session)


def _unmoved(lane: Lane) -> Document:
    """A filter that finds the lane's document only in this state, which every transaction of the lane changes.

    A document in another state is not found but exists, so that the upsert fails with a duplicate key.
    """
    unmoved = _to_lane(lane)
    if lane.derivation == FIRST:
        # Documents from before derivations had numbers have no such field.
        unmoved["derivation"] = {"$in": [FIRST, None]}
    return unmoved


def _to_lane(lane: Lane) -> Document:
    offsets = [
        {"topic": topic, "next": offset, "mark": lane.marks[topic]} for topic, offset in sorted(lane.offsets.items())
    ]
    return {
        "_id": lane.id,
        "offsets": offsets,
        "next_out": lane.next_out,
        "batches": lane.batches,
        "cluster": lane.cluster,
        "derivation": lane.derivation,
    }


def _timer_writes(changes: ChangeSet) -> Operations:
    reached: Operations = [DeleteOne({"_id": id}) for id in changes.deadlines_reached]
    upserts: Operations = [
        ReplaceOne(
            {"_id": timer.id},
            {"_id": timer.id, "lane": timer.lane, "key": timer.key, "deadline": timer.deadline, "due": timer.due},
            upsert=True,
        )
        for timer in changes.deadlines.values()
    ]
    return [*reached, *upserts]


def _parked_writes(parked: Mapping[str, ParkedEvents]) -> Operations:
    return [
        ReplaceOne({"_id": id}, _to_parked(id, waiting), upsert=True) if waiting else DeleteOne({"_id": id})
        for id, waiting in parked.items()
    ]


def _to_parked(id: str, waiting: ParkedEvents) -> Document:
    return {
        "_id": id,
        "events": [event for event, _ in waiting],
        "digests": [digest for _, digest in waiting],
    }
