"""The floor: the same transactions and messages as inventory's with no models and no rules.

Kafka's records in batches; per batch one transaction with a ledger entry per event, a lot per key, an outbox document
per lane and a lane document; then the messages, published while the next batch is worked, and deleted from the
outbox. All values are bytes that were made before.

What is no model and no rule is as in inventory: lots have the same secondary indexes, and one that was there before
has about as many reservations as such a lot has in the mean, so that documents are as large; offsets are committed
while the next batch is worked, one commit at a time; and Python looks for garbage as seldom.

Variants: `reads` looks up what inventory looks up, too, ledger and lots; `bare` keeps nothing in a ledger entry but
its id; `paged` keeps one ledger document for each lane and batch, its ids in an indexed array; `fresh` has no lots to
begin with, so what would replace one makes it.
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
from lab.bench.runners.job import Job, say
from services.inventory.domain.lot import Reservation, Standing
from services.inventory.store import LOTS
from shared import envelope, gc_tuning
from shared.derivation import derived_id
from shared.events.inventory import INVENTORY, RESERVATIONS, StockChanged, StockReserved
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Body, Topic
from shared.kafka import READ_COMMITTED, producer, topic_name
from shared.mongo import Database, Mongo, Session
from shared.runtime.storage import FULL_RECORDS
from shared.settings import Settings

READS, BARE, PAGED, FRESH = "reads", "bare", "paged", "fresh"
NEW_LOT = b"LotRecorded.v1"
# What a lot of the backlog has in the mean when it is written: half of what it has in the end, and the new one.
RESERVATIONS_EACH = 4
Documents = list[dict[str, Any]]
# Messages with their keys, by lane.
Said = dict[int, list[tuple["Message", bytes]]]
Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]


@dataclass(frozen=True, slots=True)
class Message:
    """From one to the next only key and partition differ."""

    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]


def _message(settings: Settings, topic: Topic, body: Body) -> Message:
    id = derived_id("floor", topic.name, 0)
    headers = envelope.headers(
        id=id,
        source="karya/inventory",
        topic=topic,
        body=body,
        time=backlog.SAID_AT,
        cause=id,
        trace=f"00-{'1' * 32}-{'2' * 16}-01",
    )
    return Message(topic_name(settings, topic.name), envelope.encode(body), headers)


class Floor:
    """Works off what waits, as group and database `job.group`."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self._job = job
        self._settings = settings
        self._variant = job.variant
        self._mongo = Mongo(settings)
        self._database: Database = self._mongo.database(job.group)
        self._numbers: dict[int, int] = {}
        lot = next(backlog.known_lots(1))
        self._new = LOTS.to_document(lot)
        held = Reservation("R000001", "H01", "H01-Q01", "H01-B001", 5, Standing.HELD)
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
            bootstrap_servers=settings.kafka,
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
        done = 0
        publishing: asyncio.Task[None] | None = None
        committing: asyncio.Task[None] | None = None
        while done < self._job.events:
            fetched: Fetched = await consumer.getmany(timeout_ms=10, max_records=settings.max_batch)
            if not fetched:
                continue
            said, outbox = await self._transact(fetched)
            done += sum(len(records) for records in fetched.values())
            if publishing is not None:
                await publishing
            publishing = asyncio.create_task(self._publish(client, said, outbox))
            if committing is not None:
                await committing
            offsets = {part: records[-1].offset + 1 for part, records in fetched.items()}
            committing = asyncio.create_task(consumer.commit(offsets))
            meter.done(done)
        for last in (publishing, committing):
            if last is not None:
                await last
        ran = meter.end()
        await asyncio.gather(consumer.stop(), client.stop(), self._mongo.close())
        say(ran)

    async def _transact(self, fetched: Fetched) -> tuple[Said, dict[int, Documents]]:
        by_lane: dict[int, list[ConsumerRecord]] = {}
        for part, records in fetched.items():
            by_lane.setdefault(part.partition, []).extend(records)
        every = [record for records in by_lane.values() for record in records]
        ledger = list(self._ledger(by_lane))
        said = {lane: self._said(records) for lane, records in by_lane.items()}
        outbox = {lane: list(self._outbox(lane, messages)) for lane, messages in said.items()}
        database = self._database
        async with self._mongo.transaction() as session:
            new = {r.key.decode() for r in every if r.headers[3][1] == NEW_LOT}
            changed = {r.key.decode() for r in every} - new
            if self._variant == READS:
                await self._read([entry["_id"] for entry in ledger], [*new, *changed], session)
            await database["ledger"].insert_many(ledger, session=session)
            fresh = self._variant == FRESH
            lots = [self._made(key, fresh) for key in new]
            again = [ReplaceOne({"_id": key}, {"_id": key, **self._lot}, fresh) for key in changed]
            await database[LOTS.name].bulk_write([*lots, *again], ordered=False, session=session)
            await database["outbox"].insert_many(
                [document for lane in outbox.values() for document in lane], session=session
            )
            lanes = [
                ReplaceOne(
                    {"_id": f"lane/{lane:03}"},
                    {"offsets": [{"topic": r.topic, "next": r.offset} for r in records[-1:]], "next_out": 1},
                    True,
                )
                for lane, records in by_lane.items()
            ]
            await database["lanes"].bulk_write(lanes, ordered=False, session=session)
        return said, outbox

    def _made(self, key: str, fresh: bool) -> InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]:
        document = {"_id": key, **self._new}
        # An order about the lot may have come from its topic before it, and have made it.
        return ReplaceOne({"_id": key}, document, True) if fresh else InsertOne(document)

    def _ledger(self, by_lane: Mapping[int, Sequence[ConsumerRecord]]) -> Iterator[dict[str, Any]]:
        for lane, records in by_lane.items():
            ids = [f"{r.headers[2][1].decode()} {r.headers[1][1].decode()}" for r in records]
            name = f"{self._job.group}/{lane:03}"
            if self._variant == PAGED:
                first = f"{records[0].topic}/{records[0].offset}"
                yield {"_id": f"{name} {first}", "ids": ids, "digests": [bytes(16) for _ in ids]}
            elif self._variant == BARE:
                yield from ({"_id": id} for id in ids)
            else:
                yield from ({"_id": id, "digest": bytes(16), "lane": name, "batch": 1} for id in ids)

    async def _read(self, ids: list[str], lots: list[str], session: Session) -> None:
        for collection, wanted in (("ledger", ids), (LOTS.name, lots)):
            await self._database[collection].find({"_id": {"$in": wanted}}, session=session).to_list(None)

    def _said(self, records: Sequence[ConsumerRecord]) -> list[tuple[Message, bytes]]:
        said: list[tuple[Message, bytes]] = []
        for record in records:
            said.append((self._changed, record.key))
            if record.headers[3][1] != NEW_LOT:
                said.append((self._answer, b"H01"))
        said.append((self._worked, b"lane"))
        return said

    def _outbox(self, lane: int, said: list[tuple[Message, bytes]]) -> Iterator[dict[str, Any]]:
        number = self._numbers.get(lane, 0)
        self._numbers[lane] = number + len(said)
        for first in range(0, len(said), FULL_RECORDS):
            page = [
                [number + first, one.topic, lane, key, one.value, [part for header in one.headers for part in header]]
                for one, key in said[first : first + FULL_RECORDS]
            ]
            yield {"_id": f"{lane:03}/{number + first:012}", "records": page}

    async def _publish(self, client: AIOKafkaProducer, said: Said, outbox: Mapping[int, Documents]) -> None:
        batches: dict[tuple[str, int], list[BatchBuilder]] = {}
        for lane, messages in said.items():
            for one, key in messages:
                filling = batches.setdefault((one.topic, lane), [])
                if not filling or not _append(filling[-1], one, key):
                    filling.append(client.create_batch())
                    _append(filling[-1], one, key)
        futures = [
            await client.send_batch(batch, topic, partition=lane)
            for (topic, lane), filled in batches.items()
            for batch in filled
        ]
        await asyncio.gather(*futures)
        ranges = [DeleteMany({"_id": {"$gte": lane[0]["_id"], "$lte": lane[-1]["_id"]}}) for lane in outbox.values()]
        await self._database["outbox"].bulk_write(ranges)


def _append(batch: BatchBuilder, one: Message, key: bytes) -> bool:
    return batch.append(timestamp=None, key=key, value=one.value, headers=one.headers) is not None


async def main() -> None:
    gc_tuning.relax()
    await Floor(*Job.given()).work()


if __name__ == "__main__":
    asyncio.run(main())
