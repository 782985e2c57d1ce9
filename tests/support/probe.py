"""A small Kafka client for tests: says what terminals, tills and organisers would say, and hears everything."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import RecordMetadata

from shared import envelope
from shared.events.language import Body, Event, Topic
from shared.kafka import partition_for_bytes, producer, reader, topic_name
from shared.settings import Settings

B = TypeVar("B", bound=Body)
Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"
HeaderList: TypeAlias = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """An event with the record that it came in."""

    event: Event
    record: Record

    @property
    def body(self) -> Body:
        return self.event.body


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record of a DLQ; `topic`, `partition` and `offset` say where it could not be used."""

    reason: str
    message: str
    service: str
    topic: str
    partition: int
    offset: int
    record: Record


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """An event for the probe to send."""

    topic: Topic
    body: Body
    id: str


class Probe:
    """Topics are meant without prefix. What was read is kept, so asking again reads only what is new."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer
        # Asks for ends. A consumer that reads gets the answer only when its own fetch is over, half a second later.
        self._ends = reader(settings)
        self._consumers: dict[str, AIOKafkaConsumer] = {}
        self._read: dict[str, list[Record]] = {}

    async def send(
        self,
        topic: Topic,
        body: Body,
        *,
        id: str | None = None,
        source: str = "probe",
        time: datetime | None = None,
        trace: str | None = None,
        actor: str | None = None,
    ) -> RecordMetadata:
        """Send one event to its key's partition and wait until Kafka has it. The id is a new one unless given."""
        headers = envelope.headers(
            id=id or str(uuid4()),
            source=source,
            topic=topic,
            body=body,
            time=time or datetime.now(UTC),
            trace=trace,
            actor=actor,
        )
        return await self.send_raw(
            topic, key=topic.key_of(body).encode(), value=envelope.encode(body), headers=headers
        )

    async def send_all(self, records: Iterable[ProbeRecord]) -> None:
        """Send these events one after the other."""
        for record in records:
            await self.send(record.topic, record.body, id=record.id)

    async def send_raw(
        self,
        topic: Topic | str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: HeaderList = (),
        partition: int | None = None,
    ) -> RecordMetadata:
        """Send a record as it is; without `partition` to the one that its key belongs to."""
        name = self._name(topic)
        if partition is None:
            partitions = await self._producer.partitions_for(name)
            partition = partition_for_bytes(key or b"", len(partitions))
        return await self._producer.send_and_wait(name, value, key, partition, headers=list(headers))

    async def records(self, topic: Topic | str) -> list[Record]:
        """Every record that is in the topic now, in the order in which Kafka took them in."""
        name = self._name(topic)
        consumer = self._consumers.get(name) or await self._open(name)
        read = self._read.setdefault(name, [])
        ends = await self._ends.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                read += batch
        return sorted(read, key=lambda record: (record.timestamp, record.partition, record.offset))

    async def read_all(self, topic: Topic) -> list[Heard]:
        """Every event that is in the topic now. Raises Unusable when a record holds none."""
        return [Heard(envelope.decode(topic, record), record) for record in await self.records(topic)]

    async def bodies(self, topic: Topic, body: type[B]) -> list[B]:
        """The bodies of this class that are in the topic now."""
        return [record.body for record in await self.read_all(topic) if isinstance(record.body, body)]

    async def dlq(self, topic: Topic) -> list[DeadLetter]:
        """Every record that is in the topic's DLQ now."""
        return [_dead_letter(record) for record in await self.records(topic.dlq)]

    async def start(self) -> None:
        await self._ends.start()

    async def close(self) -> None:
        for consumer in (self._ends, *self._consumers.values()):
            await consumer.stop()

    async def _open(self, name: str) -> AIOKafkaConsumer:
        partitions = await self._producer.partitions_for(name)
        consumer = reader(self._settings)
        await consumer.start()
        self._consumers[name] = consumer
        parts = [TopicPartition(name, partition) for partition in partitions]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        # It looks for the leaders of assigned partitions at once, and for others after a refusal.
        every = [*self._ends.assignment(), *parts]
        self._ends.assign(every)
        self._ends.pause(*every)
        return consumer

    def _name(self, topic: Topic | str) -> str:
        return topic_name(self._settings, topic if isinstance(topic, str) else topic.name)


@asynccontextmanager
async def a_probe(settings: Settings) -> AsyncIterator[Probe]:
    """A probe that is connected as long as the block lasts."""
    client = producer(settings)
    await client.start()
    probe = Probe(settings, client)
    try:
        await probe.start()
        yield probe
    finally:
        await probe.close()
        await client.stop()


def _dead_letter(record: Record) -> DeadLetter:
    def header_text(name: str) -> str:
        text = envelope.header(record.headers, f"dlq_{name}")
        assert text is not None, f"a record in {record.topic} has no header dlq_{name}"
        return text

    return DeadLetter(
        reason=header_text("reason"),
        message=header_text("message"),
        service=header_text("service"),
        topic=header_text("topic"),
        partition=int(header_text("partition")),
        offset=int(header_text("offset")),
        record=record,
    )
