"""Synchronises an edge agent's spool with Kafka: sends pending records, then receives the agent's events.

1. **send** pending records in the order they were made, with an idempotent producer. From then on nobody can amend
   them;
2. **acknowledge** in the spool what Kafka acknowledged. A crash between the two sends a record again with the same
   id. Its reader drops the second copy;
3. **receive** the agent's own partition of each subscribed topic, from the spool's position. One transaction keeps
   the events and the new position;
4. **checkpoint** the spool, so that its one file is complete and can be copied.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from edge.spool import Spool, SpooledRecord
from shared import envelope
from shared.causes import cause_of
from shared.errors import NotReached, SpoolFailed, Unusable
from shared.events.language import Body, Event, Topic
from shared.kafka import partition_for, producer, reader, stop_producer, stop_reader, topic_name
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout, ignore_result
from shared.wording import Message, as_message

WINDOW = 500
PATIENCE = 30.0
TOPICS_WITHIN = 3.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription to the events of `key` on `topic`. The body field `about` holds the id of the agent's record
    that an event answers; None for a topic without answers."""

    topic: Topic
    key: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of one synchronisation. `unreadable`: received events that this version can't read and skipped.
    `unanswered`: records whose answer is still to come."""

    sent: int
    received: int
    unreadable: int
    unanswered: int


async def sync(
    spool: Spool,
    settings: Settings,
    subscriptions: Sequence[Subscription],
    *,
    awaited: Sequence[type[Body]],
    wait: float,
    complete: Callable[[], bool] = lambda: True,
    on_sent: Callable[[int], None] = lambda _: None,
    answers_ended: Callable[[], bool] = lambda: False,
) -> SyncReport:
    """Send all pending records and receive all new events. Then wait up to `wait` seconds for the answers to records
    of the `awaited` kinds, and until it is `complete`. `on_sent` gets the number of records acknowledged since its
    last call. `answers_ended`: whether no more answers come, by what was received.

    Raises NotReached when Kafka can't be reached or does not answer, SpoolFailed as the spool does.
    """
    client = producer(settings)
    consumer = reader(settings)
    acknowledgements = _Acknowledgements(on_sent)
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
            raise NotReached(_unreachable(spool, settings, why))
        await _send(spool, client, names[0], acknowledgements)
        assignments = await _assignments(client, settings, subscriptions)
        received, unreadable = await _receive(
            spool,
            consumer,
            assignments,
            lambda: (spool.unanswered(awaited) == 0 or answers_ended()) and complete(),
            wait,
        )
    except (KafkaError, TimeoutError, OSError) as error:
        why = Message("does not answer ({reason})", reason=cause_of(error))
        raise NotReached(_unreachable(spool, settings, why)) from error
    except SpoolFailed as error:
        raise SpoolFailed(
            Message(
                "Kafka has taken {sent} records now. {error}",
                sent=acknowledgements.sent,
                error=as_message(error.message),
            )
        ) from error
    finally:
        await asyncio.gather(stop_reader(consumer), stop_producer(client))
    # 4. A copy of the file alone, made after a power cut too, then holds everything that was synced.
    spool.checkpoint()
    unanswered = 0 if answers_ended() else spool.unanswered(awaited)
    return SyncReport(acknowledgements.sent, received, unreadable, unanswered)


@dataclass(slots=True)
class _Acknowledgements:
    """The number of records that Kafka acknowledged in this synchronisation; reports each change."""

    report: Callable[[int], None]
    sent: int = 0

    def count(self, records: int) -> None:
        self.sent += records
        self.report(records)


async def _missing_topics(consumer: AIOKafkaConsumer, names: Sequence[str]) -> set[str]:
    """The topics of `names` that the cluster lacks. A client that uses a missing topic waits much longer."""
    missing = set(names)
    # Brokers learn of a new topic with a short delay.
    async for _ in attempts(within=TOPICS_WITHIN):
        missing = set(names) - await hard_timeout(PATIENCE, consumer.topics())
        if not missing:
            break
    return missing


async def _send(spool: Spool, client: AIOKafkaProducer, topic: str, acknowledgements: _Acknowledgements) -> None:
    while window := spool.offer(WINDOW):
        futures = await hard_timeout(PATIENCE, _enqueue(window, client, topic))
        for future in futures:
            # Sends that miss the timeout end when the client stops.
            future.add_done_callback(ignore_result)
        try:
            await asyncio.wait(futures, timeout=PATIENCE)
        finally:
            acknowledged = _acknowledged(window, futures)
            acknowledgements.count(len(acknowledged))
            spool.acknowledge([record.number for record in acknowledged])
        for future in futures:
            if future.done() and not future.cancelled() and (fault := future.exception()) is not None:
                raise fault
        if len(acknowledged) < len(futures):
            raise TimeoutError


async def _enqueue(
    window: Sequence[SpooledRecord], client: AIOKafkaProducer, topic: str
) -> list[asyncio.Future[object]]:
    partitions = len(await client.partitions_for(topic))
    # One at a time: the order of the calls is the order in the log.
    return [
        await client.send(
            topic,
            value=record.value,
            key=record.key.encode(),
            partition=partition_for(record.key, partitions),
            headers=record.headers,
        )
        for record in window
    ]


def _acknowledged(window: Sequence[SpooledRecord], futures: Sequence[asyncio.Future[object]]) -> list[SpooledRecord]:
    return [
        record
        for record, future in zip(window, futures, strict=True)
        if future.done() and not future.cancelled() and future.exception() is None
    ]


async def _assignments(
    client: AIOKafkaProducer, settings: Settings, subscriptions: Sequence[Subscription]
) -> dict[TopicPartition, Subscription]:
    assignments = {}
    for subscription in subscriptions:
        name = topic_name(settings, subscription.topic.name)
        partitions = len(await hard_timeout(PATIENCE, client.partitions_for(name)))
        assignments[TopicPartition(name, partition_for(subscription.key, partitions))] = subscription
    return assignments


async def _receive(
    spool: Spool,
    consumer: AIOKafkaConsumer,
    assignments: dict[TopicPartition, Subscription],
    complete: Callable[[], bool],
    wait: float,
) -> tuple[int, int]:
    consumer.assign(list(assignments))
    ends: dict[TopicPartition, int] = await hard_timeout(PATIENCE, consumer.end_offsets(list(assignments)))
    for partition, subscription in assignments.items():
        next = spool.position(subscription.topic, partition.partition)
        # A position beyond the end means a recreated topic. The spool drops events that it receives twice.
        consumer.seek(partition, next if next <= ends[partition] else 0)
    received = unreadable = 0
    clock = asyncio.get_running_loop().time
    quiet_since = clock()
    deadline = quiet_since + wait
    previous_positions: dict[TopicPartition, int] = {}
    while True:
        positions = {partition: await consumer.position(partition) for partition in assignments}
        if positions != previous_positions:
            previous_positions, quiet_since = positions, clock()
        behind = any(positions[partition] < end for partition, end in ends.items())
        if not behind and (complete() or clock() >= deadline):
            return received, unreadable
        if behind and clock() - quiet_since > PATIENCE:
            raise TimeoutError("Kafka delivers no records though the partition has more")
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await hard_timeout(
            PATIENCE, consumer.getmany(timeout_ms=100)
        )
        for partition, records in fetched.items():
            ours, lost = _matching(assignments[partition], records)
            spool.receive(assignments[partition].topic, partition.partition, ours, records[-1].offset + 1)
            received, unreadable = received + len(ours), unreadable + lost


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


def _unreachable(spool: Spool, settings: Settings, why: Message) -> Message:
    return Message(
        "Kafka at {kafka} {why}. {pending:record waits|records wait} in {path}. Nothing is lost; please "
        "sync again when the connection is back.",
        kafka=settings.kafka,
        why=why,
        pending=spool.counts().pending,
        path=str(spool.path),
    )
