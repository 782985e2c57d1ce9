"""Reader of whole topics, from their beginning to a given end."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from aiokafka import ConsumerRecord, TopicPartition

from shared.errors import NotReached
from shared.kafka import reader, topic_name
from shared.kafka_connection import administrator
from shared.settings import Settings
from shared.wording import Message

Ends: TypeAlias = Mapping[TopicPartition, int]

PATIENCE = 30.0


class TopicLog:
    """All partitions of some topics (names without prefix). Commits nothing, joins no group.

    A context manager that connects on entry. Raises KafkaError when Kafka can't be reached.
    """

    def __init__(self, settings: Settings, topics: Iterable[str]) -> None:
        self._settings = settings
        self._topics = {topic_name(settings, name): name for name in topics}
        self._parts: list[TopicPartition] = []
        self.missing: Sequence[str] = ()
        # A range of offsets without records, by partition. It never changes, so it is cached.
        self._gaps: dict[TopicPartition, tuple[int, int]] = {}
        self._consumer = reader(
            settings,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            # Only existing records are read: waiting for more would delay each change of partitions.
            fetch_max_wait_ms=10,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            await self._describe()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def ends(self) -> Ends:
        """The current end offset of each partition."""
        if self.missing:
            await self._describe()
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._parts) if self._parts else {}
        return ends

    def of(self, ends: Ends, *topics: str) -> Ends:
        """The part of `ends` that belongs to these topics (names without prefix)."""
        full = {topic_name(self._settings, name) for name in topics}
        return {part: end for part, end in ends.items() if part.topic in full}

    async def read(self, ends: Ends) -> AsyncIterator[tuple[str, Sequence[ConsumerRecord]]]:
        """Batches of records up to (not including) these ends, each with its topic's name without prefix. Records of
        one partition come in order. Only one read may be active at a time.

        Raises NotReached when Kafka delivers no record for half a minute before the ends are reached.
        """
        parts = [part for part, end in ends.items() if end > 0]
        begins: dict[TopicPartition, int] = await self._consumer.beginning_offsets(parts) if parts else {}
        nexts = {part: begin for part, begin in begins.items() if begin < ends[part]}
        for part, begin in nexts.items():
            self._consumer.seek(part, begin)
        self._consumer.resume(*nexts)
        clock = asyncio.get_running_loop().time
        moved_at = clock()
        try:
            while nexts:
                fetched: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(timeout_ms=200)
                stand = {part: await self._consumer.position(part) for part in nexts}
                if stand != nexts:
                    moved_at = clock()
                elif clock() - moved_at > PATIENCE:
                    raise NotReached(_stalled(min(nexts)))
                nexts = {part: next for part, next in stand.items() if next < ends[part]}
                self._consumer.pause(*(stand.keys() - nexts.keys()))
                for part, records in fetched.items():
                    if part in stand:
                        yield self._topics[part.topic], [record for record in records if record.offset < ends[part]]
        finally:
            self._consumer.pause(*nexts)

    async def first(self, part: TopicPartition, offset: int, end: int) -> int:
        """The offset of the first record from `offset` on, or `end` if there is none before it. Aborted records and
        transaction markers are no records. Must not run during a `read`.

        Raises NotReached when Kafka delivers nothing for half a minute.
        """
        start, known_first = self._gaps.get(part, (end, end))
        at = known_first if start <= offset <= known_first else offset
        if at < end:
            record = await self._first(part, at, end)
            at = record.offset if record is not None else end
            self._gaps[part] = (offset, at)
        return min(at, end)

    async def begins(self) -> Ends:
        """The first offset of each partition that is not deleted."""
        begins: dict[TopicPartition, int] = await self._consumer.beginning_offsets(self._parts) if self._parts else {}
        return begins

    async def at(self, part: TopicPartition, offset: int, end: int) -> ConsumerRecord | None:
        """The record at this offset; None if no reader sees one there. Must not run during a `read`. Raises as
        `first`."""
        record = await self._first(part, offset, end)
        return record if record is not None and record.offset == offset else None

    async def _first(self, part: TopicPartition, offset: int, end: int) -> ConsumerRecord | None:
        self._consumer.seek(part, offset)
        self._consumer.resume(part)
        clock = asyncio.get_running_loop().time
        until = clock() + PATIENCE
        try:
            while clock() < until:
                fetched = await self._consumer.getmany(part, timeout_ms=20, max_records=1)
                if fetched:
                    return fetched[part][0]
                if await self._consumer.position(part) >= end:
                    return None
        finally:
            self._consumer.pause(part)
        raise NotReached(_stalled(part))

    async def _describe(self) -> None:
        admin = administrator(self._settings)
        try:
            await admin.start()
            partitions_by_topic = {
                topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(list(self._topics))
            }
        finally:
            await admin.close()
        self._parts = [
            TopicPartition(name, partition["partition"])
            for name, partitions in partitions_by_topic.items()
            for partition in partitions
        ]
        self.missing = sorted(name for name in self._topics if not partitions_by_topic.get(name))
        # All at once and paused: each topic that is new to the client costs a round trip.
        self._consumer.assign(self._parts)
        self._consumer.pause(*self._parts)


def _stalled(part: TopicPartition) -> Message:
    return Message("Kafka delivers no records of {topic} though the partition has more.", topic=part.topic)
