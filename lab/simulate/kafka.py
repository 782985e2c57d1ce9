"""Kafka for the scenario: sends commands, and reads each event of some topics once."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lab.simulate.records import GeneratedRecord
from shared import envelope
from shared.events.language import Event, Topic
from shared.kafka import partition_for, producer, reader, topic_name
from shared.settings import Settings

WINDOW = 1000


class RecordSender:
    """A producer of commands, as festival's HTTP API makes them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer = producer(settings)
        self.sent = 0

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def partitions(self, name: str) -> set[int]:
        """The partitions of a topic, by its full name."""
        partitions: set[int] = await self._producer.partitions_for(name)
        return partitions

    async def send(self, records: Sequence[GeneratedRecord]) -> None:
        """Send the records in order and wait for every acknowledgement."""
        for start in range(0, len(records), WINDOW):
            window = records[start : start + WINDOW]
            futures = []
            for record in window:
                topic = topic_name(self._settings, record.topic.name)
                partition = partition_for(record.key, len(await self.partitions(topic)))
                futures.append(
                    await self._producer.send(
                        topic, record.value, record.key.encode(), partition, headers=record.headers
                    )
                )
            await asyncio.gather(*futures)
        self.sent += len(records)


class TopicReader:
    """Every event of some topics, each once, in the order of its partition."""

    def __init__(self, settings: Settings, topics: Sequence[Topic]) -> None:
        self._consumer: AIOKafkaConsumer = reader(
            settings,
            # It reads only up to the end of the log: a longer wait would delay the next part of the season.
            fetch_max_wait_ms=10,
        )
        self._topics = {topic_name(settings, topic.name): topic for topic in topics}
        self._events: dict[str, dict[str, Event]] = {topic.name: {} for topic in topics}
        self._returned: dict[str, int] = {topic.name: 0 for topic in topics}

    async def start(self, sender: RecordSender) -> None:
        """Start at the beginning of every partition; `sender`, already started, knows the partitions."""
        await self._consumer.start()
        parts = [TopicPartition(name, p) for name in self._topics for p in await sender.partitions(name)]
        self._consumer.assign(parts)
        await self._consumer.seek_to_beginning(*parts)
        self._consumer.pause(*parts)

    async def stop(self) -> None:
        await self._consumer.stop()

    async def all(self, topic: Topic) -> list[Event]:
        """Every event so far."""
        await self._catch_up()
        return list(self._events[topic.name].values())

    async def new(self, topic: Topic) -> list[Event]:
        """Every event since the last call for this topic."""
        events = await self.all(topic)
        start, self._returned[topic.name] = self._returned[topic.name], len(events)
        return events[start:]

    async def _catch_up(self) -> None:
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(self._consumer.assignment()))
        self._consumer.resume(*ends)
        while any([await self._consumer.position(part) < end for part, end in ends.items()]):
            for part, records in (await self._consumer.getmany(timeout_ms=200)).items():
                topic = self._topics[part.topic]
                for record in records:
                    event = envelope.decode(topic, record)
                    self._events[topic.name].setdefault(f"{event.source} {event.id}", event)
        self._consumer.pause(*ends)
