"""Reads and writes of the shell's documents, each a constant number of calls."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DeleteMany, DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult

from shared.derivation import FIRST
from shared.errors import FenceMoved
from shared.mongo import Database, Document, Session
from shared.runtime.arrival import ARRIVED
from shared.runtime.processor import Processor
from shared.runtime.storage.outbox import from_outbox, to_outbox
from shared.runtime.storage.types import ChangeSet, Lane, Operations, OutboxEntry, ParkedEvents, Timer, lane_id

PAGE = 2000
PAGES = 8
DUPLICATE_KEY = 11000


class RuntimeStore:
    """Reads and writes of one service's shell documents. Every method takes a constant number of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self, processors: Iterable[Processor]) -> None:
        """Make the indexes that the queries below need, and those of the processors' collections."""
        await self._database["deadlines"].create_index([("lane", ASCENDING), ("due", ASCENDING)])
        for collection in (collection for processor in processors for collection in processor.collections):
            for field_name in collection.indexes:
                await self._database[collection.name].create_index([(field_name, ASCENDING)])
            for field_name in collection.listed_by:
                fields = dict.fromkeys((field_name, ARRIVED), ASCENDING)
                await self._database[collection.name].create_index(list(fields.items()))

    async def lanes(self, group: str, partitions: Iterable[int], session: Session | None = None) -> dict[int, Lane]:
        """The lanes as they are kept; one that never worked anything is new."""
        wanted = {lane_id(group, p): p for p in partitions}
        found = {p: Lane(group, p) for p in wanted.values()}
        cursor = self._database["lanes"].find({"_id": {"$in": list(wanted)}}, session=session)
        for document in await cursor.to_list(None):
            partition = wanted[document["_id"]]
            found[partition] = Lane(
                group,
                partition,
                {entry["topic"]: entry["next"] for entry in document["offsets"]},
                document["next_out"],
                document["batches"],
                document["cluster"],
                {entry["topic"]: bytes(entry["mark"]) for entry in document["offsets"]},
                document.get("derivation", FIRST),
            )
        return found

    async def processed(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Which of these events were worked already, with the digest of the body that they had."""
        cursor = self._database["ledger"].find({"_id": {"$in": list(ids)}}, {"digest": 1})
        return {document["_id"]: bytes(document["digest"]) for document in await cursor.to_list(None)}

    async def parked_keys(self, group: str) -> set[str]:
        """Every parked key of a processor, as `<group> <key>`."""
        cursor = self._database["parked"].find({"_id": {"$gt": f"{group} ", "$lt": f"{group}!"}}, {"_id": 1})
        return {document["_id"] for document in await cursor.to_list(None)}

    async def parked(self, ids: Iterable[str]) -> dict[str, ParkedEvents]:
        """The parked ones among these `<group> <key>`, with the events that wait."""
        cursor = self._database["parked"].find({"_id": {"$in": list(ids)}})
        return {
            document["_id"]: tuple(zip(document["events"], map(bytes, document["digests"]), strict=True))
            for document in await cursor.to_list(None)
        }

    async def due(self, lanes: Sequence[str], now: datetime, session: Session | None = None) -> list[Timer]:
        """Deadlines of these lanes that have passed, the earliest first."""
        cursor = self._database["deadlines"].find(
            {"lane": {"$in": list(lanes)}, "due": {"$lte": now}}, session=session
        )
        found = [
            Timer(d["_id"], d["lane"], d["key"], d["deadline"], d["due"])
            for d in await cursor.sort([("due", ASCENDING), ("_id", ASCENDING)]).limit(PAGE).to_list(None)
        ]
        return found

    async def outbox(self, lane: str) -> list[OutboxEntry]:
        """The beginning of what a lane still has to say, in number order, whole documents."""
        cursor = self._database["outbox"].find({"_id": {"$gt": f"{lane}/", "$lt": f"{lane}0"}})
        pages = await cursor.sort("_id", ASCENDING).limit(PAGES).to_list(None)
        return [numbered for page in pages for numbered in from_outbox(page)]

    async def delete_published(self, ranges: Iterable[tuple[str, str]]) -> None:
        """Delete what Kafka has acknowledged: per lane the first and the last id, both included. What was written
        together must be acknowledged together: it is one document, and has the id of its first."""
        await self._database["outbox"].bulk_write(
            [DeleteMany({"_id": {"$gte": first, "$lte": last}}) for first, last in ranges]
        )

    async def write(self, writes: ChangeSet, session: Session, fence: Mapping[int, Lane] | None) -> None:
        """Everything, inside the caller's transaction. `fence`: every lane that is written as it must be found; None
        where nobody else can work them. Raises FenceMoved, and the transaction is lost, when one is not as it says.
        """
        database = self._database
        # First: a zombie shall hear of it before it has written all the rest.
        await self._move(writes.lanes, session, fence)
        if writes.ledger:
            await database["ledger"].insert_many(writes.ledger, session=session)
        for collection, operations in writes.entities.items():
            await _bulk(database, collection, operations, session)
        if writes.outbox:
            await database["outbox"].insert_many(to_outbox(writes.outbox), session=session)
        await _bulk(database, "deadlines", _deadline_writes(writes), session)
        await _bulk(database, "parked", _parked_writes(writes.parked), session)

    async def _move(self, lanes: Mapping[int, Lane], session: Session, fence: Mapping[int, Lane] | None) -> None:
        operations: Operations = [
            ReplaceOne({"_id": lane.id} if fence is None else _unmoved(fence[partition]), _to_lane(lane), True)
            for partition, lane in lanes.items()
        ]
        try:
            await _bulk(self._database, "lanes", operations, session)
        except BulkWriteError as refused:
            if all(error["code"] == DUPLICATE_KEY for error in refused.details["writeErrors"]):
                raise FenceMoved(f"one of {sorted(lanes)} is not as {fence} any more") from refused
            raise


def ledger_entry(id: str, digest: bytes, lane: Lane) -> Document:
    """The audit line of one worked event."""
    return {"_id": id, "digest": digest, "lane": lane.id, "batch": lane.batches}


async def _bulk(
    database: Database, collection: str, operations: Operations, session: Session
) -> BulkWriteResult | None:
    if not operations:
        return None
    return await database[collection].bulk_write(operations, ordered=False, session=session)


def _unmoved(lane: Lane) -> Document:
    """What finds the lane's document only if it is still as it was: every transaction of a lane counts something of
    it up. One that has moved is not found, and is there all the same: putting it there anew is refused."""
    unmoved = _to_lane(lane)
    if lane.derivation == FIRST:
        # Documents from before there were several ways do not name one.
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


def _deadline_writes(writes: ChangeSet) -> Operations:
    reached: Operations = [DeleteOne({"_id": id}) for id in writes.deadlines_reached]
    asked: Operations = [
        ReplaceOne(
            {"_id": due.id},
            {"_id": due.id, "lane": due.lane, "key": due.key, "deadline": due.deadline, "due": due.due},
            True,
        )
        for due in writes.deadlines.values()
    ]
    return [*reached, *asked]


def _parked_writes(parked: Mapping[str, ParkedEvents]) -> Operations:
    return [
        ReplaceOne({"_id": id}, _to_parked(id, waiting), True) if waiting else DeleteOne({"_id": id})
        for id, waiting in parked.items()
    ]


def _to_parked(id: str, waiting: ParkedEvents) -> Document:
    return {
        "_id": id,
        "events": [event for event, _ in waiting],
        "digests": [digest for _, digest in waiting],
    }
