"""A device's own connection to Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from edge.spool import Spool, SpooledRecord
from edge.sync.route import Received, Sent, Subscription, Unreachable
from shared import envelope
from shared.causes import cause_of
from shared.errors import Unusable
from shared.events.language import Event
from shared.kafka import partition_for, producer, reader, stop_producer, stop_reader, topic_name
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout, ignore_result
from shared.wording import Message

WINDOW = 500
PATIENCE = 30.0
TOPICS_WITHIN = 3.0


class KafkaRoute:
    """The route to the Kafka of these settings, with an idempotent producer and a reader of committed records."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def name(self) -> Message:
        return Message("Kafka")

    @property
    def server(self) -> Message:
        return Message("Kafka at {kafka}", kafka=self._settings.kafka)

    @asynccontextmanager
    async def open(self, spool: Spool, subscriptions: Sequence[Subscription]) -> AsyncIterator["KafkaLink"]:
        settings = self._settings
        client, consumer = producer(settings), reader(settings)
        try:
            # A server that accepts a connection and never answers must not block a device for ever.
            await hard_timeout(PATIENCE, client.start())
            await hard_timeout(PATIENCE, consumer.start())
            names = [
                topic_name(settings, topic.name)
                for topic in (spool.topic, *(subscription.topic for subscription in subscriptions))
            ]
            if missing := await _missing_topics(consumer, names):
                why = Message("has no topic {topic} (`karya topics` makes all of them)", topic=min(missing))
                raise Unreachable(why)
            yield KafkaLink(spool, settings, client, consumer, subscriptions)
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unreachable(Message("does not answer ({reason})", reason=cause_of(error))) from error
        finally:
            await asyncio.gather(stop_reader(consumer), stop_producer(client))


class KafkaLink:
    """The clients of one synchronisation."""

    window = WINDOW

    def __init__(
        self,
        spool: Spool,
        settings: Settings,
        client: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        subscriptions: Sequence[Subscription],
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._client = client
        self._consumer = consumer
        self._subscriptions = subscriptions
        self._assignments: dict[TopicPartition, Subscription] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._quiet_since = 0.0

    async def send(self, window: Sequence[SpooledRecord]) -> Sent:
        futures = await hard_timeout(PATIENCE, self._enqueue(window))
        for future in futures:
            # Sends that miss the timeout end when the client stops.
            future.add_done_callback(ignore_result)
        await asyncio.wait(futures, timeout=PATIENCE)
        stored = [record.number for record, future in zip(window, futures, strict=True) if _is_stored(future)]
        return Sent(stored, fault=_fault(futures))

    async def is_behind(self) -> bool:
        if not self._assignments:
            await self._assign()
        clock = asyncio.get_running_loop().time
        positions = {partition: await self._consumer.position(partition) for partition in self._assignments}
        if positions != self._positions:
            self._positions, self._quiet_since = positions, clock()
        behind = any(positions[partition] < end for partition, end in self._ends.items())
        if behind and clock() - self._quiet_since > PATIENCE:
            raise TimeoutError("Kafka delivers no records though the partition has more")
        return behind

    async def receive(self, seconds: float) -> Received:  # noqa: ARG002 - a poll is short, and asked for again
        events = unreadable = 0
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await hard_timeout(
            PATIENCE, self._consumer.getmany(timeout_ms=100)
        )
        for partition, records in fetched.items():
            ours, lost = _matching(self._assignments[partition], records)
            topic = self._assignments[partition].topic
            self._spool.receive(topic, partition.partition, ours, records[-1].offset + 1)
            events, unreadable = events + len(ours), unreadable + lost
        return Received(events, unreadable)

    async def _enqueue(self, window: Sequence[SpooledRecord]) -> list[asyncio.Future[object]]:
        topic = topic_name(self._settings, self._spool.topic.name)
        partitions = len(await self._client.partitions_for(topic))
        # One at a time: the order of the calls is the order in the log.
        return [
            await self._client.send(
                topic,
                value=record.value,
                key=record.key.encode(),
                partition=partition_for(record.key, partitions),
                headers=record.headers,
            )
            for record in window
        ]

    async def _assign(self) -> None:
        for subscription in self._subscriptions:
            name = topic_name(self._settings, subscription.topic.name)
            partitions = len(await hard_timeout(PATIENCE, self._client.partitions_for(name)))
            self._assignments[TopicPartition(name, partition_for(subscription.key, partitions))] = subscription
        self._consumer.assign(list(self._assignments))
        self._ends = await hard_timeout(PATIENCE, self._consumer.end_offsets(list(self._assignments)))
        for partition, subscription in self._assignments.items():
            next = self._spool.position(subscription.topic, partition.partition)
            # A position beyond the end means a recreated topic. The spool drops events that it receives twice.
            self._consumer.seek(partition, next if next <= self._ends[partition] else 0)
        self._quiet_since = asyncio.get_running_loop().time()


async def _missing_topics(consumer: AIOKafkaConsumer, names: Sequence[str]) -> set[str]:
    """The topics of `names` that the cluster lacks. A client that uses a missing topic waits much longer."""
    missing = set(names)
    # Brokers learn of a new topic with a short delay.
    async for _ in attempts(within=TOPICS_WITHIN):
        missing = set(names) - await hard_timeout(PATIENCE, consumer.topics())
        if not missing:
            break
    return missing


def _is_stored(future: asyncio.Future[object]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _fault(futures: Sequence[asyncio.Future[object]]) -> Exception | None:
    """The first fault of these sends, or a timeout if one has no answer."""
    for future in futures:
        if future.done() and not future.cancelled() and isinstance(fault := future.exception(), Exception):
            return fault
    return None if all(map(_is_stored, futures)) else TimeoutError()


def _matching(
    subscription: Subscription, records: Sequence[ConsumerRecord]
) -> tuple[list[tuple[Event, str | None]], int]:
    matching: list[tuple[Event, str | None]] = []
    unreadable = 0
    for record in records:
        if record.key != subscription.key.encode():
            continue
        try:
            event = envelope.decode(subscription.topic, record)
        except Unusable:
            unreadable += 1
            continue
        matching.append((event, getattr(event.body, subscription.about, None) if subscription.about else None))
    return matching, unreadable
