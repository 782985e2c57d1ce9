"""A reader of topics from their beginning that goes on with what comes, and keeps nothing itself."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared import envelope
from shared.causes import cause_of
from shared.errors import Unusable
from shared.events.language import Body, Topic
from shared.kafka import reader, stop_reader, topic_name
from shared.kafka_connection import administrator
from shared.settings import Settings

log = structlog.get_logger()

AGAIN_SECONDS = 5.0
POLL_MS = 500
AT_ONCE = 2000


class TopicFollower:
    """Hands on each event of the topics. After a fault of Kafka it begins again, so `take` must be safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[Topic],
        take: Callable[[Body], None],
        caught_up: Callable[[], None],
    ) -> None:
        """`caught_up` is called once all is taken that the topics had at first."""
        self._settings = settings
        self._topics = {topic_name(settings, topic.name): topic for topic in topics}
        self._take = take
        self._caught_up = caught_up

    async def run(self) -> NoReturn:
        """Follow the topics for ever."""
        while True:
            try:
                await self._follow()
            except (KafkaError, TimeoutError, OSError) as fault:
                log.warning("topics_not_followed", cause=str(cause_of(fault)))
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self) -> None:
        client = reader(self._settings)
        try:
            await client.start()
            parts = await self._partitions()
            if not parts:
                return
            client.assign(parts)
            await client.seek_to_beginning(*parts)
            ends = await client.end_offsets(parts)
            is_behind = True
            while True:
                records = await client.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
                for part, batch in records.items():
                    for record in batch:
                        # What no service can use is no event of the topic.
                        with suppress(Unusable):
                            self._take(envelope.decode(self._topics[part.topic], record).body)
                if is_behind:
                    positions = [await client.position(part) for part in parts]
                    is_behind = any(at < ends[part] for part, at in zip(parts, positions, strict=True))
                    if not is_behind:
                        self._caught_up()
        finally:
            await stop_reader(client)

    async def _partitions(self) -> list[TopicPartition]:
        admin = administrator(self._settings)
        try:
            await admin.start()
            described = await admin.describe_topics(list(self._topics))
        finally:
            await admin.close()
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
