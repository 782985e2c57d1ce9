"""Outbox to Kafka, in number order per lane.

R1. What a commit wrote is handed over in memory by the step, in commit order; a lane that is taken over is
    read from the database first, before its first batch.
R2. Publish in that order with an idempotent producer (`acks=all`): a partition never gets n + 1 without n.
R3. Delete exactly what was acknowledged, by range of numbers, a few times a second: nobody waits for it. A crash
    before this publishes it again, with the same ids: the next reader's ledger makes that harmless. The other way
    round an event would be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.errors import NotRelayed
from shared.kafka import partition_for_bytes, stop_producer
from shared.retry import PASSING, attempts
from shared.runtime.storage import OutboxEntry, OutboxRecord, RuntimeStore
from shared.timeouts import hard_timeout

log = structlog.get_logger()

ACKNOWLEDGED_WITHIN = 20.0
MOST_WAITING = 20_000
MOST_BYTES = 64 * 1024 * 1024
# Small pages would spend a good part of their time on it.
DELETED_EVERY = 0.1


class Relay:
    """Publishes what the lanes of one service have to say."""

    def __init__(self, store: RuntimeStore, make_producer: Callable[[], AIOKafkaProducer]) -> None:
        self._store = store
        self._make_producer = make_producer
        self._producer: AIOKafkaProducer | None = None
        self._waiting: dict[str, list[OutboxEntry]] = {}
        # First and last id, both included.
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
        """R1: what a transaction of the owner of these lanes has just committed."""
        for lane, run in groupby(committed, key=attrgetter("lane")):
            self._waiting.setdefault(lane, []).extend(run)
        self._waits(len(committed), _weight(committed))
        if committed:
            self._offered.set()

    async def wait_for_capacity(self) -> None:
        """Wait until what is not yet published fits the bound again."""
        await self._has_capacity.wait()

    @property
    def idle(self) -> bool:
        at_work = self._publishing.locked() or self._deleting.locked()
        return not (self._count or self._acknowledged or at_work)

    @property
    def failure(self) -> str | None:
        """Why it can't go on, in words."""
        return next(iter(self._failures.values()), None)

    async def take_over(self, lane: str) -> None:
        """R1: publish all that the lane's outbox holds. Raises a passing fault when Kafka or MongoDB does."""
        async with self._publishing:
            self._drop(lane)
            # What was acknowledged before would be published again.
            await self._delete_acknowledged()
            while page := await self._store.outbox(lane):
                await self._publish(page)
                await self._delete_acknowledged()

    def forget(self, lanes: Sequence[str]) -> None:
        """These lanes are somebody else's now: what they still have to say is in the database."""
        for lane in lanes:
            self._drop(lane)

    async def run(self) -> None:
        """Publish what is offered and delete what is acknowledged, for ever. A passing fault is retried: nothing is
        lost meanwhile, since all is in the database, and the bound on what waits in memory holds the step back."""
        both = [
            asyncio.create_task(self._again_and_again(self._offered, self._publish_waiting, 0)),
            asyncio.create_task(self._again_and_again(self._to_delete, self._delete_acknowledged, DELETED_EVERY)),
        ]
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
        # Not a group: that takes one that was cancelled from within for done, and the other would go on alone.
        for task in ended:
            task.result()

    async def drain(self) -> None:
        """Publish what is left. Raises a passing fault when Kafka or MongoDB does; the rest stays in the outbox."""
        await self._publish_waiting()
        await self._delete_acknowledged()

    async def close(self) -> None:
        await self._drop_producer()

    async def _again_and_again(self, wanted: asyncio.Event, act: Callable[[], Awaitable[None]], pause: float) -> None:
        while True:
            await wanted.wait()
            await asyncio.sleep(pause)
            async for attempt in attempts():
                try:
                    await act()
                    self._failures.pop(wanted, None)
                    break
                except PASSING as fault:
                    self._failures[wanted] = repr(fault)[:300]
                    log.warning("relay_retry", attempt=attempt, fault=repr(fault))

    async def _publish_waiting(self) -> None:
        async with self._publishing:
            self._offered.clear()
            try:
                page = [numbered for waiting in self._waiting.values() for numbered in waiting]
                await self._publish(page)
            except BaseException:
                self._offered.set()
                raise
            for lane, waiting in groupby(page, key=attrgetter("lane")):
                # What was offered meanwhile stays; a lane forgotten meanwhile has nothing to take away.
                published = len(list(waiting))
                if lane in self._waiting:
                    self._waits(-published, -_weight(self._waiting[lane][:published]))
                    del self._waiting[lane][:published]

    async def _publish(self, page: Sequence[OutboxEntry]) -> None:
        if not page:
            return
        # R2
        try:
            await hard_timeout(ACKNOWLEDGED_WITHIN, self._acknowledge(page))
        except PASSING as fault:
            # A producer that failed may have given up on some of what it holds: a new one starts clean.
            await self._drop_producer()
            raise NotRelayed(f"Kafka did not take {len(page)} records: {fault!r}") from fault
        for _, run in groupby(page, key=attrgetter("lane")):
            together = list(run)
            self._acknowledged.append((together[0].id, together[-1].id))
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
            ranges = self._acknowledged
            if not ranges:
                return
            self._acknowledged = []
            try:
                await self._store.delete_published(ranges)
            except BaseException:
                self._acknowledged = ranges + self._acknowledged
                self._to_delete.set()
                raise

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
        self._waits(-len(dropped), -_weight(dropped))

    def _waits(self, more: int, bytes: int) -> None:
        self._count += more
        self._bytes += bytes
        if self._count < MOST_WAITING and self._bytes < MOST_BYTES:
            self._has_capacity.set()
        else:
            self._has_capacity.clear()


def _weight(records: Sequence[OutboxEntry]) -> int:
    return sum(len(one.record.value or b"") for one in records)


Place = tuple[str, int]


async def _batches(producer: AIOKafkaProducer, page: Sequence[OutboxEntry]) -> list[tuple[Place, BatchBuilder]]:
    """The records of each partition, in order, in as few of Kafka's batches as they fit in: handing them over one by
    one costs more than all else that the relay does. First the first batches of all partitions, then the second
    ones: of one partition only one is on its way at a time."""
    partitions = {topic: len(await producer.partitions_for(topic)) for topic in {one.record.topic for one in page}}
    batches: dict[Place, list[BatchBuilder]] = {}
    for numbered in page:
        record = numbered.record
        partition = record.partition
        if partition is None:
            partition = partition_for_bytes(record.key or b"", partitions[record.topic])
        filling = batches.setdefault((record.topic, partition), [])
        if not filling or not _append(filling[-1], record):
            filling.append(producer.create_batch())
            # A batch takes its first record whatever its size.
            _append(filling[-1], record)
    rounds = [(turn, place, batch) for place, filled in batches.items() for turn, batch in enumerate(filled)]
    return [(place, batch) for _, place, batch in sorted(rounds, key=itemgetter(0))]


def _append(batch: BatchBuilder, record: OutboxRecord) -> bool:
    taken = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    return taken is not None
