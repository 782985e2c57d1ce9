"""The step: one batch of Kafka records becomes one MongoDB transaction. Every service stands on this one.

A batch is worked over all its lanes at once, in a constant number of round trips. A batch that takes long to decide
is worked in parts, each with that number of round trips.

1. DECODE each record. A record that can't be decoded becomes a dead letter. It is never lost and never blocks.
2. LOAD, all at once, the ledger entries and parked keys of the batch, and the entities that its events read. Only the
   owner of their lanes changes owned entities, so they stay as they were read while the fence of 4 holds.
3. DECIDE, in memory, event by event in order. A duplicate changes nothing. A bug parks its key. Events that are not
   decided after a while wait for a transaction of their own: the event loop stands still meanwhile, even for SIGTERM.
4. WRITE AND COMMIT, in one transaction, lanes, ledger, entities, outbox (dead letters included) and deadlines. A lane
   is the fence: its document must be found as this instance left it, or another instance owns the lane. A conflict
   or a passing fault begins again at 2, for a bounded time.
5. COMMIT THE OFFSETS to Kafka, after the transaction and a few times a second. Only monitoring reads them: the lane
   document says where work continues.
6. RELAY: hand the committed events to the relay, which publishes them in order. The hand-over is at the commit. The
   publishing goes on during 5 and the next batch.

After a crash between any two of these, the next owner of the lane finds either nothing done or all done. With nothing
done it works the batch again. With all done the fence makes it pass over the batch, and the outbox holds the events.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from pymongo.errors import PyMongoError

from shared import envelope
from shared.errors import Unusable
from shared.events.language import Topic
from shared.kafka import partition_for_bytes
from shared.mongo import Database, Document, Mongo
from shared.retry import PASSING, attempts
from shared.runtime.arrival import ARRIVED
from shared.runtime.batch import Batch, Item, Loaded, parked_id, reads_of
from shared.runtime.lanes import Lanes
from shared.runtime.processor import Processor
from shared.runtime.relay import Relay
from shared.runtime.state import KeyRange, Ref
from shared.runtime.storage import ChangeSet, RuntimeStore
from shared.timeouts import hard_timeout

log = structlog.get_logger()

RETRY_WITHIN = 5.0
# Many times what a full batch takes, except for planning: festival may take seconds for a few dozen events.
DECIDED_WITHIN = 1.0
# Far longer than a usual batch, and far shorter than the poll interval after which Kafka drops a consumer. Timers
# wait meanwhile, too.
WORKED_WITHIN = 10.0
OFFSET_COMMIT_WITHIN = 5.0
# Small batches would spend much of their time on commits.
OFFSETS_EVERY = 0.2

Run = list[ConsumerRecord]


class Step:
    """The shell around a processor's pure rules."""

    def __init__(
        self,
        processor: Processor,
        *,
        topics: Mapping[str, Topic],
        partitions: int,
        prefix: str,
        mongo: Mongo,
        database: Database,
        store: RuntimeStore,
        lanes: Lanes,
        relay: Relay,
    ) -> None:
        """`topics`: the processor's topics by full name, of `partitions` each; `prefix` makes a full name."""
        self._processor = processor
        self._topics = topics
        self._partitions = partitions
        self._prefix = prefix
        self._mongo = mongo
        self._database = database
        self._store = store
        self._lanes = lanes
        self._relay = relay
        self._committing: asyncio.Task[None] | None = None
        self._uncommitted = False
        self._ending = asyncio.Event()

    async def work(self, records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer) -> None:
        """Work one polled batch. Returns when it is committed, or left to be fetched again."""
        try:
            await self._relay.wait_for_capacity()
            async with self._lanes.working:
                batch = await self._workable(records, consumer)
                if not batch or not await self._lanes.run_cancellable(self._work(batch), batch):
                    return
        except BaseException:
            # The consumer's position is behind these records: without recovery the next batch would skip them.
            self._lanes.invalidate({record.partition for record in records})
            raise
        # 5. In the background: no batch waits for it. One commit at a time, in order.
        self._uncommitted = True
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._keep_offsets(consumer))

    async def offsets_committed(self) -> None:
        """Wait until the offsets of all worked records are committed. Call it after the last batch."""
        self._ending.set()
        if self._committing is not None:
            await asyncio.wait([self._committing])

    async def _workable(self, records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer) -> dict[int, Run]:
        """The records by lane, without those of lanes that are not running, and without stale ones.

        Stale records were fetched before the consumer was set back: its position is before their end.
        """
        by_part: dict[TopicPartition, Run] = defaultdict(list)
        for record in records:
            by_part[TopicPartition(record.topic, record.partition)].append(record)
        batch: dict[int, Run] = defaultdict(list)
        for part, run in by_part.items():
            expected = self._lanes.expected(part.partition)
            if expected is None:
                continue
            try:
                position = await consumer.position(part)
            except IllegalStateError:
                continue
            if position <= run[-1].offset:
                continue
            if run[0].offset < expected.offsets.get(part.topic, 0):
                # Either they were fetched before the lane recovered at a later offset, or a log that lost its end
                # made the client start over. Recovery tells which.
                self._lanes.invalidate([part.partition])
                batch.pop(part.partition, None)
                continue
            batch[part.partition] += run
        return batch

    async def _work(self, batch: Mapping[int, Run]) -> None:
        # 1.
        items: dict[int, Sequence[Item]] = {
            partition: [decoded(self._topics, self._partitions, record) for record in run]
            for partition, run in batch.items()
        }
        until = time.monotonic() + WORKED_WITHIN
        while items := await self._commit_with_retry(items):
            if self._lanes.draining or time.monotonic() >= until:
                # The consumer's position is behind the rest: recovery seeks back to it.
                self._lanes.invalidate(items)
                return

    async def _commit_with_retry(self, items: Mapping[int, Sequence[Item]]) -> dict[int, Sequence[Item]]:
        """Commit as many items as are decided in time. Returns the rest."""
        fault: PyMongoError | None = None
        async for attempt in attempts(within=RETRY_WITHIN):
            try:
                changes, undecided = await self._attempt(items)
            except PyMongoError as passing:
                log.info("step_retry", group=self._processor.group, attempt=attempt, fault=repr(passing)[:300])
                fault = passing
                continue
            # 6. No await since the commit: no other work on these lanes can come between.
            self._lanes.committed(changes)
            self._relay.offer(changes.outbox)
            return undecided
        assert fault is not None
        raise fault

    async def _attempt(self, items: Mapping[int, Sequence[Item]]) -> tuple[ChangeSet, dict[int, Sequence[Item]]]:
        fence = self._lanes.fence(items)
        lanes = {partition: replace(lane, cluster=self._lanes.cluster) for partition, lane in fence.items()}
        # 2.
        all_items = [item for run in items.values() for item in run]
        loaded = await load(self._processor, self._database, self._store, all_items, self._lanes.may_be_parked)
        # 3.
        batch = Batch(self._processor, self._prefix, lanes, loaded)
        undecided = _decide(batch, items)
        changes = batch.finish()
        # 4.
        async with self._mongo.transaction() as session:
            await self._store.write(changes, session, fence)
        return changes, undecided

    async def _keep_offsets(self, consumer: AIOKafkaConsumer) -> None:
        while self._uncommitted:
            self._uncommitted = False
            await self._commit_offsets(consumer)
            with suppress(TimeoutError):
                await hard_timeout(OFFSETS_EVERY, self._ending.wait())

    async def _commit_offsets(self, consumer: AIOKafkaConsumer) -> None:
        # Only offsets that are committed in the database: a monitor would take later ones for worked.
        offsets = self._lanes.next_offsets()
        if not offsets:
            return
        try:
            await hard_timeout(OFFSET_COMMIT_WITHIN, consumer.commit(offsets))
        except PASSING as fault:
            log.info("offset_commit_failed", group=self._processor.group, fault=repr(fault)[:300])


def _decide(batch: Batch, items: Mapping[int, Sequence[Item]]) -> dict[int, Sequence[Item]]:
    """Part 3, for as long as it may take. Returns the undecided items."""
    until = time.monotonic() + DECIDED_WITHIN
    undecided: dict[int, Sequence[Item]] = {}

    def enough() -> bool:
        return time.monotonic() >= until

    for partition, run in items.items():
        worked = 0 if batch.changes.lanes and enough() else batch.work(partition, run, enough)
        if worked < len(run):
            undecided[partition] = run[worked:]
    return undecided


def decoded(topics: Mapping[str, Topic], partitions: int, record: ConsumerRecord) -> Item:
    """Part 1 for one record. `topics` by full name, of `partitions` each."""
    attributes = envelope.attributes(record.headers)
    try:
        event = envelope.decode(topics[record.topic], record, attributes)
        if partition_for_bytes(record.key, partitions) != record.partition:
            raise Unusable("WRONG_KEY", "The record is not in the partition that its key belongs to.")
    except Unusable as fault:
        return Item(record, None, reason=fault.reason, message=fault.message)
    ledger_id = f"{event.source} {event.id}"
    return Item(record, event, ledger_id, envelope.digest(record.value), attributes=attributes)


async def load(
    processor: Processor,
    database: Database,
    store: RuntimeStore,
    items: Sequence[Item],
    may_be_parked: Callable[[str], bool] = lambda _: True,
) -> Loaded:
    """Part 2: everything that these items read, with their ledger entries and parked keys. Sets each item's `reads`.

    All queries run at once, because none needs the answer of another.
    """
    events = [(item, item.event) for item in items if item.event is not None]
    loaded = Loaded()
    # Of each entity and field, the ids that are found by each value. Those of a Ref are the result of no query.
    found: dict[type[Any], dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(dict))
    ranges: set[KeyRange[Any]] = set()
    for item, event in events:
        item.reads = reads_of(processor, event)
        for read in item.reads:
            if isinstance(read, Ref):
                found[read.entity]["_id"].setdefault(read.id, [])
                loaded.entities[read] = None
            elif isinstance(read, KeyRange):
                ranges.add(read)
            else:
                found[read.entity][read.field][read.value] = loaded.results.setdefault(read, [])
    collections = processor.readable

    async def processed() -> None:
        loaded.processed = await store.processed([item.ledger_id for item, _ in events])

    async def parked() -> None:
        if keys := {id for _, event in events if may_be_parked(id := parked_id(processor, event.key))}:
            loaded.parked = await store.parked(keys)

    async def documents(entity: type[Any], query: Document) -> list[Document]:
        collection = collections[entity]
        documents = await database[collection.name].find(query).to_list(None)
        for document in documents:
            loaded.entities[entity, document["_id"]] = collection.from_document(document)
            if ARRIVED in document:
                loaded.arrived[entity, document["_id"]] = document[ARRIVED]
        return documents

    async def by_value(entity: type[Any], field: str, ids: dict[str, list[str]]) -> None:
        for document in await documents(entity, {field: {"$in": list(ids)}}):
            values = document[field]
            for value in values if isinstance(values, list) else (values,):
                if value in ids:
                    ids[value].append(document["_id"])

    async def by_range(query: KeyRange[Any]) -> None:
        between = {query.field: {"$gt": query.above, "$lt": query.below}}
        loaded.results[query] = [document["_id"] for document in await documents(query.entity, between)]

    of_entities = [by_value(entity, field, ids) for entity, fields in found.items() for field, ids in fields.items()]
    await asyncio.gather(processed(), parked(), *of_entities, *map(by_range, ranges))
    return loaded
