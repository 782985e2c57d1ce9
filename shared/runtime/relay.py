"""Outbox to Kafka, in number order per lane.

R1. The step hands committed entries over in memory, in commit order. The outbox of a lane that is taken over is read
    from the database first, before its first batch.
R2. Publish in that order with an idempotent producer (`acks=all`): a partition never gets n + 1 without n.
R3. Delete exactly the acknowledged entries, by range of numbers, a few times a second, in the background. A crash
    before R3 publishes them again, with the same ids, and the ledger of each reader makes that harmless. The other
    order would lose an event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.causes import cause_of
from shared.errors import NotRelayed
from shared.kafka import partition_for_bytes, stop_producer
from shared.retry import PASSING, attempts
from shared.runtime.storage import OutboxEntry, OutboxRecord, RuntimeStore
from shared.timeouts import hard_timeout

log = structlog.get_logger()

ACKNOWLEDGED_WITHIN = 20.0
MOST_WAITING = 20_000
MOST_BYTES = 64 * 1024 * 1024
# Small pages would spend much of their time on deletions.
DELETED_EVERY = 0.1


class Relay:
    """Publishes the outbox of the lanes of one service."""

    def __init__(self, store: RuntimeStore, make_producer: Callable[[], AIOKafkaProducer]) -> None:
        self._store = store
        self._make_producer = make_producer
        self._producer: AIOKafkaProducer | None = None
        self._waiting: dict[str, list[OutboxEntry]] = {}
        # First and last id of each range, both included.
        self._acknowledged: list[tuple[str, str]] = []
        self._failures: dict[asyncio.Event, str] = {}
        self._count = 0
        self._bytes = 0
        self._publishing = asyncio.Lock()
        self._deleting = asyncio.Lock()
        self._offered = asyncio.Event()
        self._to_delete = asyncio.Event()
        self._has_capacity = asyncio.Event()
        self._has_capacity.set()

    def offer(self, committed: Sequence[OutboxEntry]) -> None:
        """R1: take the entries of a transaction that was just committed by the owner of these lanes."""
        for lane, run in groupby(committed, key=attrgetter("lane")):
            self._waiting.setdefault(lane, []).extend(run)
        self._count_waiting(len(committed), _weight(committed))
        if committed:
            self._offered.set()

    async def wait_for_capacity(self) -> None:
        """Wait until the unpublished entries fit into the bound again."""
        await self._has_capacity.wait()

    @property
    def idle(self) -> bool:
        """True when nothing is unpublished or undeleted, and neither is going on."""
        busy = self._publishing.locked() or self._deleting.locked()
        return not (self._count or self._acknowledged or busy)

    def holds(self, lane: str, id: str) -> bool:
        """True if the entry with this id, of this lane, is yet to be published or deleted here."""
        waiting = self._waiting.get(lane)
        return bool(waiting and waiting[0].id <= id) or any(first <= id <= last for first, last in self._acknowledged)

    @property
    def failure(self) -> str | None:
        """A sentence on why publishing or deleting fails, or None."""
        return next(iter(self._failures.values()), None)

    async def take_over(self, lane: str) -> None:
        """R1: publish the whole outbox of the lane. Raises a passing fault when Kafka or MongoDB does."""
        async with self._publishing:
            self._drop(lane)
            # Otherwise entries that were acknowledged before would be published again.
            await self._delete_acknowledged()
            while page := await self._store.outbox(lane):
                await self._publish(page)
                await self._delete_acknowledged()

    def forget(self, lanes: Sequence[str]) -> None:
        """Drop the entries of lanes that another instance owns now: the outbox still has them."""
        for lane in lanes:
            self._drop(lane)

    async def run(self) -> None:
        """Publish offered entries and delete acknowledged ones, for ever.

        A passing fault is retried. Nothing is lost meanwhile, because the database has every entry. The bound on
        entries in memory holds the step back.
        """
        loops = [
            asyncio.create_task(self._loop(self._offered, self._publish_waiting, 0)),
            asyncio.create_task(self._loop(self._to_delete, self._delete_acknowledged, DELETED_EVERY)),
        ]
        try:
            ended, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in loops:
                task.cancel()
            await asyncio.wait(loops)
        # No TaskGroup: it takes a task that cancelled itself for done, and the other would run on alone.
        for task in ended:
            task.result()

    async def drain(self) -> None:
        """Publish the remaining entries. Raises a passing fault when Kafka or MongoDB does: the rest stays stored."""
        await self._publish_waiting()
        await self._delete_acknowledged()

    async def close(self) -> None:
        await self._drop_producer()

    async def _loop(self, wakeup: asyncio.Event, act: Callable[[], Awaitable[None]], pause: float) -> None:
        while True:
            await wakeup.wait()
            await asyncio.sleep(pause)
            async for attempt in attempts():
                try:
                    await act()
                    self._failures.pop(wakeup, None)
                    break
                except PASSING as fault:
                    self._failures[wakeup] = str(cause_of(fault))
                    log.warning("relay_retry", attempt=attempt, fault=repr(fault))

    async def _publish_waiting(self) -> None:
        async with self._publishing:
            self._offered.clear()
            try:
                page = [entry for entries in self._waiting.values() for entry in entries]
                await self._publish(page)
            except BaseException:
                self._offered.set()
                raise
            for lane, entries in groupby(page, key=attrgetter("lane")):
                # Entries offered meanwhile stay. A lane that was forgotten meanwhile has none.
                published = len(list(entries))
                if lane in self._waiting:
                    self._count_waiting(-published, -_weight(self._waiting[lane][:published]))
                    del self._waiting[lane][:published]

    async def _publish(self, page: Sequence[OutboxEntry]) -> None:
        if not page:
            return
        # R2
        try:
            await hard_timeout(ACKNOWLEDGED_WITHIN, self._acknowledge(page))
        except PASSING as fault:
            # A failed producer may have given up some of its records: a new one starts clean.
            await self._drop_producer()
            log.warning("records_not_taken", records=len(page), fault=repr(fault)[:300])
            raise NotRelayed(f"Kafka did not take {len(page)} records: {cause_of(fault)}") from fault
        for _, run in groupby(page, key=attrgetter("lane")):
            entries = list(run)
            self._acknowledged.append((entries[0].id, entries[-1].id))
        self._to_delete.set()

    async def _acknowledge(self, page: Sequence[OutboxEntry]) -> None:
        producer = await self._started()
        futures = [
            await producer.send_batch(batch, topic, partition=partition)
            for (topic, partition), batch in await _batches(producer, page)
        ]
        await asyncio.gather(*futures)

    async def _delete_acknowledged(self) -> None:
        # R3
        async with self._deleting:
            self._to_delete.clear()
            ranges = tuple(self._acknowledged)
            if not ranges:
                return
            try:
                await self._store.delete_published(ranges)
            except BaseException:
                self._to_delete.set()
                raise
            del self._acknowledged[: len(ranges)]

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._make_producer()
            try:
                await producer.start()
            except BaseException:
                await stop_producer(producer)
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_producer(producer)

    def _drop(self, lane: str) -> None:
        dropped = self._waiting.pop(lane, [])
        self._count_waiting(-len(dropped), -_weight(dropped))

    def _count_waiting(self, more: int, bytes: int) -> None:
        self._count += more
        self._bytes += bytes
        if self._count < MOST_WAITING and self._bytes < MOST_BYTES:
            self._has_capacity.set()
        else:
            self._has_capacity.clear()


def _weight(entries: Sequence[OutboxEntry]) -> int:
    return sum(len(entry.record.value or b"") for entry in entries)


Place = tuple[str, int]


async def _batches(producer: AIOKafkaProducer, page: Sequence[OutboxEntry]) -> list[tuple[Place, BatchBuilder]]:
    """The records of each partition, in order, in as few of Kafka's batches as possible.

    Handing records over one by one costs more than everything else that the relay does. The first batches of all
    partitions come before the second ones, because only one batch of a partition is in flight at a time.
    """
    topics = {entry.record.topic for entry in page}
    partitions = {topic: len(await producer.partitions_for(topic)) for topic in topics}
    batches: dict[Place, list[BatchBuilder]] = {}
    for entry in page:
        record = entry.record
        partition = record.partition
        if partition is None:
            partition = partition_for_bytes(record.key or b"", partitions[record.topic])
        filling = batches.setdefault((record.topic, partition), [])
        if not filling or not _append(filling[-1], record):
            filling.append(producer.create_batch())
            # A batch takes its first record, whatever the size.
            _append(filling[-1], record)
    rounds = [(turn, place, batch) for place, filled in batches.items() for turn, batch in enumerate(filled)]
    return [(place, batch) for _, place, batch in sorted(rounds, key=itemgetter(0))]


def _append(batch: BatchBuilder, record: OutboxRecord) -> bool:
    metadata = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    return metadata is not None
