"""The floor: a minimal consumer with the same transactions and messages as inventory, without models and rules.

It reads records in batches. Each batch is one transaction: a ledger entry per event, a lot per key, an outbox
document per lane, and a lane document. Then it publishes the messages while it works the next batch, and deletes them
from the outbox. All values are prepared bytes.

Everything else is as in inventory. Lots have the same secondary indexes, and a known lot has the mean number of
reservations, so that documents are as large. Offsets are committed while the next batch is worked, one commit at a
time. Garbage collection is tuned in the same way.

Variants: `reads` also reads ledger and lots, as inventory does. `bare` has only ids in the ledger. `paged` has one
ledger document for each lane and batch, with the ids in an indexed array. `fresh` begins without lots, so that it
inserts what others replace.

`log` is a floor of another form, that of a commit log: the batch's events are one document for each lane, in one
insert without a transaction, and then the messages are published. What would move them on to ledger and lots
later, and empty the log, is not part of it.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.producer.message_accumulator import BatchBuilder
from pymongo import DeleteMany, InsertOne, ReplaceOne

from lab.bench import backlog
from lab.bench.meter import Meter
from lab.bench.runners.job import Job, print_result
from services.inventory.domain.lot import Reservation, ReservationStatus
from services.inventory.store import LOTS
from shared import envelope, gc_tuning
from shared.derivation import named_id
from shared.events.inventory import INVENTORY, RESERVATIONS, StockChanged, StockReserved
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Body, Topic
from shared.kafka import READ_COMMITTED, producer, topic_name
from shared.kafka_connection import connection
from shared.mongo import Database, Mongo, Session
from shared.runtime.storage import FULL_RECORDS
from shared.settings import Settings

READS, BARE, PAGED, FRESH, LOG = "reads", "bare", "paged", "fresh", "log"
NEW_LOT = b"LotRecorded.v1"
# The mean when a lot of the backlog is written: half of its final reservations, and the new one.
RESERVATIONS_EACH = 4
Documents = list[dict[str, Any]]
# Messages with their keys, by lane.
MessagesByLane = dict[int, list[tuple["PreparedRecord", bytes]]]
Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """A prepared message: only its key and partition differ from one to the next."""

    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]


def _message(settings: Settings, topic: Topic, body: Body) -> PreparedRecord:
    id = named_id("floor", topic.name, 0)
    headers = envelope.headers(
        id=id,
        source="karya/inventory",
        topic=topic,
        body=body,
        time=backlog.SAID_AT,
        cause=id,
        trace=f"00-{'1' * 32}-{'2' * 16}-01",
    )
    return PreparedRecord(topic_name(settings, topic.name), envelope.encode(body), headers)


class Floor:
    """Works the backlog as consumer group and database `job.group`."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self._job = job
        self._settings = settings
        self._variant = job.variant
        self._mongo = Mongo(settings)
        self._database: Database = self._mongo.database(job.group)
        self._numbers: dict[int, int] = {}
        self._commits: dict[int, int] = {}
        lot = next(backlog.known_lots(1))
        self._new = LOTS.to_document(lot)
        held = Reservation("R000001", "H01", "H01-Q01", "H01-B001", 5, ReservationStatus.HELD)
        self._lot = LOTS.to_document(replace(lot, reservations=(held,) * RESERVATIONS_EACH))
        changed = StockChanged(
            **{name: getattr(lot, name) for name in StockChanged.model_fields if name != "lot"}, lot=lot.id
        )
        reserved = StockReserved(
            festival="H01", request="H01-Q01", reservation="R00001", lot=lot.id, booth="H01-B001", qty=5
        )
        worked = BatchWorked(
            lane="karya.inventory.lot/001",
            batch=1,
            ranges=(Range(topic="karya.production.v1", first=100_000, next=102_000),),
        )
        self._changed = _message(settings, INVENTORY, changed)
        self._answer = _message(settings, RESERVATIONS, reserved)
        self._worked = _message(settings, journal("inventory"), worked)

    async def work(self) -> None:
        settings = self._settings
        names = sorted({part.topic for part in self._job.by_part})
        consumer = AIOKafkaConsumer(
            *names,
            **connection(settings),
            group_id=topic_name(settings, self._job.group),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=READ_COMMITTED,
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        client = producer(settings)
        await client.start()
        await consumer.start()
        for name in LOTS.indexes:
            await self._database[LOTS.name].create_index(name)
        if self._variant == PAGED:
            await self._database["ledger"].create_index("ids")
        meter = Meter()
        events_done = 0
        publishing: asyncio.Task[None] | None = None
        committing: asyncio.Task[None] | None = None
        while events_done < self._job.events:
            fetched: Fetched = await consumer.getmany(timeout_ms=10, max_records=settings.max_batch)
            if not fetched:
                continue
            messages, outbox = await (self._insert_commits if self._variant == LOG else self._commit)(fetched)
            events_done += sum(len(records) for records in fetched.values())
            if publishing is not None:
                await publishing
            publishing = asyncio.create_task(self._publish(client, messages, outbox))
            if committing is not None:
                await committing
            offsets = {part: records[-1].offset + 1 for part, records in fetched.items()}
            committing = asyncio.create_task(consumer.commit(offsets))
            meter.advance(events_done)
        for last in (publishing, committing):
            if last is not None:
                await last
        result = meter.end()
        await asyncio.gather(consumer.stop(), client.stop(), self._mongo.close())
        print_result(result)

    async def _commit(self, fetched: Fetched) -> tuple[MessagesByLane, dict[int, Documents]]:
        by_lane = _by_lane(fetched)
        all_records = [record for records in by_lane.values() for record in records]
        ledger = list(self._ledger(by_lane))
        messages_by_lane = {lane: self._messages_of(records) for lane, records in by_lane.items()}
        outbox = {lane: list(self._outbox(lane, messages)) for lane, messages in messages_by_lane.items()}
        database = self._database
        async with self._mongo.transaction() as session:
            new = {r.key.decode() for r in all_records if r.headers[3][1] == NEW_LOT}
            changed = {r.key.decode() for r in all_records} - new
            if self._variant == READS:
                await self._read([entry["_id"] for entry in ledger], [*new, *changed], session)
            await database["ledger"].insert_many(ledger, session=session)
            fresh = self._variant == FRESH
            lots = [self._lot_write(key, fresh) for key in new]
            again = [ReplaceOne({"_id": key}, {"_id": key, **self._lot}, upsert=fresh) for key in changed]
            await database[LOTS.name].bulk_write([*lots, *again], ordered=False, session=session)
            await database["outbox"].insert_many(
                [document for lane in outbox.values() for document in lane], session=session
            )
            lanes = [
                ReplaceOne(
                    {"_id": f"lane/{lane:03}"},
                    {"offsets": [{"topic": r.topic, "next": r.offset} for r in records[-1:]], "next_out": 1},
                    upsert=True,
                )
                for lane, records in by_lane.items()
            ]
            await database["lanes"].bulk_write(lanes, ordered=False, session=session)
        return messages_by_lane, outbox

    async def _insert_commits(self, fetched: Fetched) -> tuple[MessagesByLane, dict[int, Documents]]:
        by_lane = _by_lane(fetched)
        messages_by_lane = {lane: self._messages_of(records) for lane, records in by_lane.items()}
        documents = []
        for lane, records in by_lane.items():
            number = self._commits[lane] = self._commits.get(lane, 0) + 1
            keys = {record.key.decode(): record.headers[3][1] == NEW_LOT for record in records}
            documents.append(
                {
                    "_id": f"lane/{lane:03}/{number:012}",
                    "offsets": [{"topic": r.topic, "next": r.offset + 1} for r in records[-1:]],
                    "ledger": [[id, bytes(16)] for id in _ledger_ids(records)],
                    "lots": [{"_id": key, **(self._new if new else self._lot)} for key, new in keys.items()],
                    "outbox": [entry["records"] for entry in self._outbox(lane, messages_by_lane[lane])],
                }
            )
        await self._database["commits"].insert_many(documents, ordered=False)
        return messages_by_lane, {}

    def _lot_write(self, key: str, fresh: bool) -> InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]:
        document = {"_id": key, **self._new}
        # An order about the lot may come first from its own topic, and has inserted the lot then.
        return ReplaceOne({"_id": key}, document, upsert=True) if fresh else InsertOne(document)

    def _ledger(self, by_lane: Mapping[int, Sequence[ConsumerRecord]]) -> Iterator[dict[str, Any]]:
        for lane, records in by_lane.items():
            ids = _ledger_ids(records)
            name = f"{self._job.group}/{lane:03}"
            if self._variant == PAGED:
                first = f"{records[0].topic}/{records[0].offset}"
                yield {"_id": f"{name} {first}", "ids": ids, "digests": [bytes(16) for _ in ids]}
            elif self._variant == BARE:
                yield from ({"_id": id} for id in ids)
            else:
                yield from ({"_id": id, "digest": bytes(16), "lane": name, "batch": 1} for id in ids)

    async def _read(self, ids: list[str], lots: list[str], session: Session) -> None:
        for collection, keys in (("ledger", ids), (LOTS.name, lots)):
            await self._database[collection].find({"_id": {"$in": keys}}, session=session).to_list(None)

    def _messages_of(self, records: Sequence[ConsumerRecord]) -> list[tuple[PreparedRecord, bytes]]:
        messages: list[tuple[PreparedRecord, bytes]] = []
        for record in records:
            messages.append((self._changed, record.key))
            if record.headers[3][1] != NEW_LOT:
                messages.append((self._answer, b"H01"))
        messages.append((self._worked, b"lane"))
        return messages

    def _outbox(self, lane: int, messages: list[tuple[PreparedRecord, bytes]]) -> Iterator[dict[str, Any]]:
        number = self._numbers.get(lane, 0)
        self._numbers[lane] = number + len(messages)
        for first in range(0, len(messages), FULL_RECORDS):
            page = [
                [
                    number + first,
                    message.topic,
                    lane,
                    key,
                    message.value,
                    [part for header in message.headers for part in header],
                ]
                for message, key in messages[first : first + FULL_RECORDS]
            ]
            yield {"_id": f"{lane:03}/{number + first:012}", "records": page}

    async def _publish(
        self, client: AIOKafkaProducer, messages_by_lane: MessagesByLane, outbox: Mapping[int, Documents]
    ) -> None:
        batches: dict[tuple[str, int], list[BatchBuilder]] = {}
        for lane, messages in messages_by_lane.items():
            for message, key in messages:
                filling = batches.setdefault((message.topic, lane), [])
                if not filling or not _append(filling[-1], message, key):
                    filling.append(client.create_batch())
                    _append(filling[-1], message, key)
        futures = [
            await client.send_batch(batch, topic, partition=lane)
            for (topic, lane), filled in batches.items()
            for batch in filled
        ]
        await asyncio.gather(*futures)
        if not outbox:
            return
        ranges = [DeleteMany({"_id": {"$gte": lane[0]["_id"], "$lte": lane[-1]["_id"]}}) for lane in outbox.values()]
        await self._database["outbox"].bulk_write(ranges)


def _by_lane(fetched: Fetched) -> dict[int, list[ConsumerRecord]]:
    by_lane: dict[int, list[ConsumerRecord]] = {}
    for part, records in fetched.items():
        by_lane.setdefault(part.partition, []).extend(records)
    return by_lane


def _ledger_ids(records: Sequence[ConsumerRecord]) -> list[str]:
    return [f"{r.headers[2][1].decode()} {r.headers[1][1].decode()}" for r in records]


def _append(batch: BatchBuilder, message: PreparedRecord, key: bytes) -> bool:
    return batch.append(timestamp=None, key=key, value=message.value, headers=message.headers) is not None


async def main() -> None:
    gc_tuning.relax()
    await Floor(*Job.from_arguments()).work()


if __name__ == "__main__":
    asyncio.run(main())
