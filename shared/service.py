"""One running service: its families' subscribers, relay, lanes and clocks, started and stopped in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from pymongo import ASCENDING

from shared.clock import Clock
from shared.family import Family
from shared.kafka import producer, survey, topic_name
from shared.lanes import Lanes
from shared.ledger import Ledger
from shared.mongo import Mongo
from shared.relay import Relay
from shared.settings import Settings
from shared.step import Step

log = structlog.get_logger()

GRACE = 8.0
Records = tuple[ConsumerRecord, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """All that one family runs on."""

    lanes: Lanes
    step: Step
    clock: Clock


class Service:
    """A service by its name and families. Start it, stop it; it says itself whether it is healthy."""

    def __init__(self, name: str, families: Sequence[Family], settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.mongo = Mongo(settings)
        self.database = self.mongo.database(name)
        self.ledger = Ledger(self.database)
        self._commands: AIOKafkaProducer | None = None
        self._families = families
        self._relay = Relay(self.ledger, partial(producer, settings))
        self._broker = KafkaBroker(
            settings.kafka,
            apply_types=False,
            graceful_timeout=GRACE,
            allow_auto_create_topics=False,
            logger=logging.getLogger("faststream"),
            log_level=logging.DEBUG,
        )
        self._lines: list[Line] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Raises PartitionsDiffer, or a client's own error when Kafka or MongoDB can't be reached."""
        await self.ledger.prepare()
        for family in self._families:
            for collection in family.collections:
                for field in collection.indexes:
                    await self.database[collection.name].create_index([(field, ASCENDING)])
        self._commands = producer(self.settings)
        await self._commands.start()
        for family in self._families:
            self._lines.append(await self._line(family))
        self._tasks.append(asyncio.create_task(self._relay.run(), name="relay"))
        for line in self._lines:
            self._tasks.append(asyncio.create_task(line.lanes.run(), name=f"lanes {line.lanes.group}"))
            self._tasks.append(asyncio.create_task(line.clock.run(), name=f"clock {line.lanes.group}"))
        await self._broker.start()
        log.info("service_started", families=[family.group for family in self._families])

    async def stop(self) -> None:
        """Finish the batches in hand, leave the groups, publish what is committed, let go of all clients."""
        await self._broker.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.drain(GRACE)
        await self._relay.close()
        if self._commands is not None:
            await self._commands.stop()
        await self.mongo.close()
        log.info("service_stopped")

    def troubles(self) -> list[str]:
        """Why the service is not ready, in words; empty when it is."""
        found = [f"{task.get_name()} has ended" for task in self._tasks if task.done()]
        for line in self._lines:
            found += [f"lane {p} of {line.lanes.group}: {why}" for p, why in line.lanes.broken.items()]
            if not line.lanes.ready:
                found.append(f"{line.lanes.group} waits for its lanes")
        return found if self._lines else ["starting"]

    @property
    def commands(self) -> AIOKafkaProducer:
        """For what HTTP clients want to say. Raises AssertionError before `start`."""
        assert self._commands is not None, "the service is not started"
        return self._commands

    @property
    def idle(self) -> bool:
        """Nothing committed waits to be published."""
        return self._relay.idle

    async def _line(self, family: Family) -> Line:
        settings = self.settings
        topics = {topic_name(settings, topic.name): topic for topic in family.topics}
        cluster, partitions = await survey(settings, list(topics))
        lanes = Lanes(family.group, list(topics), self.ledger, self._relay, cluster)
        parts: dict[str, Any] = {
            "prefix": settings.topic_prefix,
            "mongo": self.mongo,
            "ledger": self.ledger,
            "lanes": lanes,
            "relay": self._relay,
        }
        step = Step(family, topics=topics, partitions=partitions, database=self.database, **parts)
        lanes.follow(self._subscribe(family, list(topics), step, lanes))
        return Line(lanes, step, Clock(family, **parts))

    def _subscribe(
        self, family: Family, topics: Sequence[str], step: Step, lanes: Lanes
    ) -> Callable[[], AIOKafkaConsumer | None]:
        subscriber = self._broker.subscriber(
            *topics,
            group_id=topic_name(self.settings, family.group),
            batch=True,
            max_records=self.settings.max_batch,
            batch_timeout_ms=10,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=self.settings.session_timeout_ms,
            heartbeat_interval_ms=self.settings.session_timeout_ms // 4,
            listener=lanes,
            parser=_parse,
            decoder=_decode,
        )

        @subscriber
        async def on_batch(records: Records) -> None:
            consumer = subscriber.consumer
            if consumer is not None:
                await step.work(records, consumer)

        return lambda: subscriber.consumer


async def _parse(records: Records) -> KafkaMessage:
    # FastStream's own parser fails on a null or non-UTF-8 header, and a batch would be passed over: the step
    # alone reads headers.
    first = records[0]
    name = f"{first.topic}/{first.partition}/{first.offset}"
    return KafkaMessage(raw_message=records, body=b"", message_id=name, correlation_id=name, consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> Records:
    records: Records = message.raw_message
    return records
