"""How an edge agent meets Kafka: it sends what its spool holds, then hears what concerns it.

1. **send** pending records in the order they were made, with an idempotent producer;
2. **acknowledge** in the spool what Kafka acknowledged. A crash between the two sends a record again, with
   the same id, and whoever reads it drops the second;
3. **hear** the agent's own partition of each topic it listens to, from where the spool says; events and
   position are kept in one transaction;
4. **leave** all that is kept in the spool's one file: a copy of it has everything.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from edge.spool import Said, Spool
from shared import envelope
from shared.errors import NotReached, SpoolFailed, Unusable
from shared.events.language import Body, Event, Topic
from shared.kafka import partition_for, producer, reader, stop_producer, stop_reader, topic_name
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout, ignore_result

WINDOW = 500
PATIENCE = 30.0
TOPICS_WITHIN = 3.0


@dataclass(frozen=True, slots=True)
class Ear:
    """Listen on `topic` to events of `key`; the body field `about` names what of ours an event is about. None: its
    events answer nothing of ours."""

    topic: Topic
    key: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """`unreadable`: events on our topics that this version can't read; they were passed over."""

    sent: int
    heard: int
    unreadable: int
    unanswered: int


async def exchange(
    spool: Spool,
    settings: Settings,
    ears: Sequence[Ear],
    *,
    awaited: Sequence[type[Body]],
    wait: float,
    on_sent: Callable[[int], None] = lambda _: None,
) -> Exchanged:
    """Send and hear all there is. Then wait up to `wait` seconds until each record of an `awaited` kind was
    heard about. `on_sent` is told how many were acknowledged since it was last told.

    Raises NotReached when Kafka is not there or does not answer, SpoolFailed as the spool does.
    """
    client = producer(settings)
    consumer = reader(settings)
    sending = _Sending(on_sent)
    try:
        # A server that takes a connection and says nothing more must not hold a device for ever.
        await hard_timeout(PATIENCE, client.start())
        await hard_timeout(PATIENCE, consumer.start())
        names = [topic_name(settings, topic.name) for topic in (spool.topic, *(ear.topic for ear in ears))]
        if missing := await _missing(consumer, names):
            why = f"has no topic {min(missing)} (`karya topics` makes all of them)"
            raise NotReached(_sorry(spool, settings, why))
        await _send(spool, client, names[0], sending)
        places = await _places(client, settings, ears)
        heard, unreadable = await _hear(spool, consumer, places, lambda: spool.unanswered(awaited) == 0, wait)
    except (KafkaError, TimeoutError, OSError) as error:
        why = f"does not answer ({type(error).__name__})"
        raise NotReached(_sorry(spool, settings, why)) from error
    except SpoolFailed as error:
        raise SpoolFailed(f"Kafka has taken {sending.sent} records now. {error}") from error
    finally:
        await asyncio.gather(stop_reader(consumer), stop_producer(client))
    # 4. Whoever copies the file alone, after a power cut too, has all that was synced.
    spool.checkpoint()
    return Exchanged(sending.sent, heard, unreadable, spool.unanswered(awaited))


@dataclass(slots=True)
class _Sending:
    """How many records Kafka has acknowledged in this exchange."""

    tell: Callable[[int], None]
    sent: int = 0

    def count(self, records: int) -> None:
        self.sent += records
        self.tell(records)


async def _missing(consumer: AIOKafkaConsumer, names: Sequence[str]) -> set[str]:
    """Those that the cluster does not have. A client asked for one of them would wait much longer."""
    missing = set(names)
    # Just made topics take a moment until every broker knows them.
    async for _ in attempts(within=TOPICS_WITHIN):
        missing = set(names) - await hard_timeout(PATIENCE, consumer.topics())
        if not missing:
            break
    return missing


async def _send(spool: Spool, client: AIOKafkaProducer, topic: str, sending: _Sending) -> None:
    while window := spool.pending(WINDOW):
        waiting = await hard_timeout(PATIENCE, _handed_over(window, client, topic))
        for future in waiting:
            # Those that are not done in time end with the client.
            future.add_done_callback(ignore_result)
        try:
            await asyncio.wait(waiting, timeout=PATIENCE)
        finally:
            done = _done(window, waiting)
            sending.count(len(done))
            spool.acknowledge([said.number for said in done])
        for future in waiting:
            if future.done() and not future.cancelled() and (fault := future.exception()) is not None:
                raise fault
        if len(done) < len(waiting):
            raise TimeoutError


async def _handed_over(window: Sequence[Said], client: AIOKafkaProducer, topic: str) -> list[asyncio.Future[object]]:
    partitions = len(await client.partitions_for(topic))
    # One after the other: the order in which they are handed over is the order in the log.
    return [
        await client.send(
            topic,
            value=said.value,
            key=said.key.encode(),
            partition=partition_for(said.key, partitions),
            headers=said.headers,
        )
        for said in window
    ]


def _done(window: Sequence[Said], waiting: Sequence[asyncio.Future[object]]) -> list[Said]:
    return [
        said
        for said, future in zip(window, waiting, strict=True)
        if future.done() and not future.cancelled() and future.exception() is None
    ]


async def _places(client: AIOKafkaProducer, settings: Settings, ears: Sequence[Ear]) -> dict[TopicPartition, Ear]:
    places = {}
    for ear in ears:
        name = topic_name(settings, ear.topic.name)
        partitions = len(await hard_timeout(PATIENCE, client.partitions_for(name)))
        places[TopicPartition(name, partition_for(ear.key, partitions))] = ear
    return places


async def _hear(
    spool: Spool,
    consumer: AIOKafkaConsumer,
    places: dict[TopicPartition, Ear],
    enough: Callable[[], bool],
    wait: float,
) -> tuple[int, int]:
    consumer.assign(list(places))
    ends: dict[TopicPartition, int] = await hard_timeout(PATIENCE, consumer.end_offsets(list(places)))
    for place, ear in places.items():
        next = spool.position(ear.topic, place.partition)
        # Beyond the end: the topic was made anew. What is heard twice is kept once.
        consumer.seek(place, next if next <= ends[place] else 0)
    heard = unreadable = 0
    clock = asyncio.get_running_loop().time
    until = quiet_since = clock()
    until += wait
    stood: dict[TopicPartition, int] = {}
    while True:
        stand = {place: await consumer.position(place) for place in places}
        if stand != stood:
            stood, quiet_since = stand, clock()
        behind = any(stand[place] < end for place, end in ends.items())
        if not behind and (enough() or clock() >= until):
            return heard, unreadable
        if behind and clock() - quiet_since > PATIENCE:
            raise TimeoutError("Kafka gives no records though it has some")
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await hard_timeout(
            PATIENCE, consumer.getmany(timeout_ms=100)
        )
        for place, records in fetched.items():
            ours, lost = _ours(places[place], records)
            spool.hear(places[place].topic, place.partition, ours, records[-1].offset + 1)
            heard, unreadable = heard + len(ours), unreadable + lost


def _ours(ear: Ear, records: Sequence[ConsumerRecord]) -> tuple[list[tuple[Event, str | None]], int]:
    ours: list[tuple[Event, str | None]] = []
    unreadable = 0
    for record in records:
        if record.key != ear.key.encode():
            continue
        try:
            event = envelope.decode(ear.topic, record)
        except Unusable:
            unreadable += 1
            continue
        ours.append((event, getattr(event.body, ear.about, None) if ear.about else None))
    return ours, unreadable


def _sorry(spool: Spool, settings: Settings, why: str) -> str:
    return (
        f"Kafka at {settings.kafka} {why}. {spool.counts().pending} records wait in {spool.path} and lose "
        "nothing by it; please sync again when the line is back."
    )
