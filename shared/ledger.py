"""The shell's own documents: lanes (the fence), ledger, outbox, deadlines and parked keys.

| collection  | `_id`                     | what                                                                 |
|-------------|---------------------------|----------------------------------------------------------------------|
| `lanes`     | `<group>/<p>`             | of each topic the next offset and the mark of the record before it;  |
|             |                           | next outbox number, batches so far                                   |
| `ledger`    | `<source> <event id>`     | every event ever worked: digest, lane, batch (audit and duplicates)  |
| `outbox`    | `<group>/<p>/<number>`    | what a lane said and is not yet known to be in Kafka, some at a time |
| `deadlines` | `<group> <deadline id>`   | what to say when its time has come                                   |
| `parked`    | `<group> <key>`           | a key whose `decide` failed, with the events that wait, in order     |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import bson
from pymongo import ASCENDING, DeleteMany, DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult

from shared.arrival import ARRIVED
from shared.errors import FenceMoved
from shared.family import Family
from shared.mongo import Database, Document, Session

_Writes = list[InsertOne[Document] | ReplaceOne[Document] | DeleteOne | DeleteMany]
# The events that a parked key waits for, in order: `<source> <event id>` and the digest of the body.
Waiting: TypeAlias = tuple[tuple[str, bytes], ...]

PAGE = 2000
# What one document of the outbox holds. With the largest dead letter at its end it is well below 16 MiB, the most
# that MongoDB takes.
FULL_RECORDS = 1000
FULL_BYTES = 1024 * 1024
PAGES = 8
DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Lane:
    """One partition number of one key family. `offsets`: the next offset to work, by full topic name; `marks`: the
    mark of the last record worked, of the same topics."""

    group: str
    partition: int
    offsets: Mapping[str, int] = field(default_factory=dict)
    next_out: int = 0
    batches: int = 0
    cluster: str = ""
    marks: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return lane_id(self.group, self.partition)


class Outgoing(NamedTuple):
    """One record to be published. `topic` is the full name; a None partition follows from the key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Numbered(NamedTuple):
    """An outgoing record at its place in its lane's outbox."""

    lane: str
    number: int
    record: Outgoing

    @property
    def id(self) -> str:
        return outbox_id(self.lane, self.number)


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline as it is kept: which lane will say what about which key."""

    id: str
    lane: str
    key: str
    deadline: str
    due: datetime


@dataclass(slots=True)
class Writes:
    """All that one transaction writes, gathered by the step."""

    lanes: dict[int, Lane] = field(default_factory=dict)
    ledger: list[Document] = field(default_factory=list)
    entities: dict[str, _Writes] = field(default_factory=dict)
    outbox: list[Numbered] = field(default_factory=list)
    deadlines: dict[str, Due] = field(default_factory=dict)
    deadlines_reached: list[str] = field(default_factory=list)
    parked: dict[str, Waiting] = field(default_factory=dict)

    def send(self, partition: int, records: Iterable[Outgoing]) -> None:
        """Give records the next numbers of the lane of `partition`."""
        lane = self.lanes[partition]
        id = lane.id
        numbered = [Numbered(id, number, one) for number, one in enumerate(records, lane.next_out)]
        self.outbox += numbered
        self.lanes[partition] = replace(lane, next_out=lane.next_out + len(numbered))


@lru_cache(maxsize=1024)
def lane_id(group: str, partition: int) -> str:
    return f"{group}/{partition:03d}"


def outbox_id(lane: str, number: int) -> str:
    # Fixed width, so that the order of strings is the order of numbers and one range covers a lane.
    return f"{lane}/{number:012d}"


class Ledger:
    """Reads and writes of one service's shell documents. Every method takes a constant number of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self, families: Iterable[Family]) -> None:
        """Make the indexes that the queries below need, and those of the families' collections."""
        await self._database["deadlines"].create_index([("lane", ASCENDING), ("due", ASCENDING)])
        for collection in (collection for family in families for collection in family.collections):
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
            )
        return found

    async def known(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Which of these events were worked already, with the digest of the body that they had."""
        cursor = self._database["ledger"].find({"_id": {"$in": list(ids)}}, {"digest": 1})
        return {document["_id"]: bytes(document["digest"]) for document in await cursor.to_list(None)}

    async def parked_keys(self, group: str) -> set[str]:
        """Every parked key of a family, as `<group> <key>`."""
        cursor = self._database["parked"].find({"_id": {"$gt": f"{group} ", "$lt": f"{group}!"}}, {"_id": 1})
        return {document["_id"] for document in await cursor.to_list(None)}

    async def parked(self, ids: Iterable[str]) -> dict[str, Waiting]:
        """The parked ones among these `<group> <key>`, with the events that wait."""
        cursor = self._database["parked"].find({"_id": {"$in": list(ids)}})
        return {
            document["_id"]: tuple(zip(document["events"], map(bytes, document["digests"]), strict=True))
            for document in await cursor.to_list(None)
        }

    async def due(self, lanes: Sequence[str], now: datetime, session: Session | None = None) -> list[Due]:
        """Deadlines of these lanes that have passed, the earliest first."""
        cursor = self._database["deadlines"].find(
            {"lane": {"$in": list(lanes)}, "due": {"$lte": now}}, session=session
        )
        found = [
            Due(d["_id"], d["lane"], d["key"], d["deadline"], d["due"])
            for d in await cursor.sort([("due", ASCENDING), ("_id", ASCENDING)]).limit(PAGE).to_list(None)
        ]
        return found

    async def outbox(self, lane: str) -> list[Numbered]:
        """The beginning of what a lane still has to say, in number order, whole documents."""
        cursor = self._database["outbox"].find({"_id": {"$gt": f"{lane}/", "$lt": f"{lane}0"}})
        pages = await cursor.sort("_id", ASCENDING).limit(PAGES).to_list(None)
        return [numbered for page in pages for numbered in _from_outbox(page)]

    async def said(self, ranges: Iterable[tuple[str, str]]) -> None:
        """Delete what Kafka has acknowledged: per lane the first and the last id, both included. What was written
        together must be acknowledged together: it is one document, and has the id of its first."""
        await self._database["outbox"].bulk_write(
            [DeleteMany({"_id": {"$gte": first, "$lte": last}}) for first, last in ranges]
        )

    async def write(self, writes: Writes, session: Session, fence: Mapping[int, Lane] | None) -> None:
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
        operations: _Writes = [
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


async def _bulk(database: Database, collection: str, operations: _Writes, session: Session) -> BulkWriteResult | None:
    if not operations:
        return None
    return await database[collection].bulk_write(operations, ordered=False, session=session)


def _unmoved(lane: Lane) -> Document:
    """What finds the lane's document only if it is still as it was: every transaction of a lane counts something of
    it up. One that has moved is not found, and is there all the same: putting it there anew is refused."""
    return _to_lane(lane)


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
    }


def to_outbox(outbox: Iterable[Numbered]) -> Iterator[Document]:
    """The documents that keep these: one for all that a lane has to say, unless that is very much. A document each
    cost as much as all else that a batch writes."""
    for _, run in groupby(outbox, key=attrgetter("lane")):
        page: list[list[Any]] = []
        first = size = 0
        for lane, number, (topic, partition, key, value, headers) in run:
            if not page:
                first = number
            # Arrays, since the names of the fields would be half of it, in one piece of bytes, since only this module
            # looks into it: a server that took it for arrays spent several times as long on it.
            flat = list(chain.from_iterable(headers))
            page.append([number, topic, partition, key, value, flat])
            # Headers too: those of a dead letter are whatever its sender made of them.
            size += sum(map(len, filter(None, (key, value, *flat))))
            if len(page) == FULL_RECORDS or size >= FULL_BYTES:
                yield _page(lane, first, page)
                page, size = [], 0
        if page:
            yield _page(lane, first, page)


def _page(lane: str, first: int, records: list[list[Any]]) -> Document:
    return {"_id": outbox_id(lane, first), "records": bson.encode({"records": records})}


def _from_outbox(document: Mapping[str, Any]) -> Iterator[Numbered]:
    lane = document["_id"].rsplit("/", 1)[0]
    for number, topic, partition, key, value, flat in bson.decode(document["records"])["records"]:
        headers = list(zip(flat[::2], flat[1::2], strict=True))
        yield Numbered(lane, number, Outgoing(topic, partition, key, value, headers))


def _deadline_writes(writes: Writes) -> _Writes:
    reached: _Writes = [DeleteOne({"_id": id}) for id in writes.deadlines_reached]
    asked: _Writes = [
        ReplaceOne(
            {"_id": due.id},
            {"_id": due.id, "lane": due.lane, "key": due.key, "deadline": due.deadline, "due": due.due},
            True,
        )
        for due in writes.deadlines.values()
    ]
    return [*reached, *asked]


def _parked_writes(parked: Mapping[str, Waiting]) -> _Writes:
    return [
        ReplaceOne({"_id": id}, _to_parked(id, waiting), True) if waiting else DeleteOne({"_id": id})
        for id, waiting in parked.items()
    ]


def _to_parked(id: str, waiting: Waiting) -> Document:
    return {
        "_id": id,
        "events": [event for event, _ in waiting],
        "digests": [digest for _, digest in waiting],
    }
