"""Reader of single partitions, each from its own position, in the order that a journal gives."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from shared.errors import HistoryTruncated, NotReached
from shared.kafka import reader
from shared.polling import LOOK_MS
from shared.settings import Settings
from shared.wording import Message

PATIENCE = 30.0
PAGE = 2000


class PartitionReader:
    """Partitions that can be read independently, each in order. Joins no group.

    A context manager that connects on entry. Raises KafkaError when Kafka can't be reached.
    """

    def __init__(self, settings: Settings, parts: Iterable[TopicPartition]) -> None:
        self.begins: Mapping[TopicPartition, int] = {}
        self._parts = tuple(parts)
        self._buffers: dict[TopicPartition, deque[ConsumerRecord]] = {}
        self._consumer = reader(
            settings,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=10,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            self._consumer.assign(self._parts)
            self._consumer.pause(*self._parts)
            self.begins = await self._consumer.beginning_offsets(list(self._parts))
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    def open(self, parts: Iterable[TopicPartition]) -> None:
        """Restart these partitions at their beginning, and pause all others."""
        self._consumer.pause(*self._parts)
        self._buffers = {part: deque() for part in parts}
        for part in self._buffers:
            self._consumer.seek(part, self.begins[part])
        self._consumer.resume(*self._buffers)

    async def read_to(self, part: TopicPartition, end: int) -> list[ConsumerRecord]:
        """The records from the position of `part` up to (not including) offset `end`, which the partition must reach.

        Raises NotReached when Kafka delivers none for half a minute.
        """
        buffer = self._buffers[part]
        records: list[ConsumerRecord] = []
        while True:
            while buffer and buffer[0].offset < end:
                records.append(buffer.popleft())
            if buffer or await self._consumer.position(part) >= end:
                return records
            buffer.extend(await self._fetch(part))

    async def read_all(self, part: TopicPartition, end: int) -> AsyncIterator[ConsumerRecord]:
        """Every record from the beginning of `part` to (not including) `end`."""
        buffer = self._buffers[part]
        while True:
            while buffer and buffer[0].offset < end:
                yield buffer.popleft()
            if buffer or await self._consumer.position(part) >= end:
                return
            buffer.extend(await self._fetch(part))

    async def check_not_truncated(self) -> None:
        """Raise HistoryTruncated if Kafka has deleted the beginning of a partition since the connection."""
        now = await self._consumer.beginning_offsets(list(self._parts))
        for part in self._parts:
            if now[part] != self.begins[part]:
                raise HistoryTruncated(
                    Message(
                        "Kafka deleted {topic} {partition} up to {offset} while it was read: its retention deletes "
                        "the history. Set retention.ms=-1 on the topic.",
                        topic=part.topic,
                        partition=part.partition,
                        offset=now[part],
                    )
                )

    async def _fetch(self, part: TopicPartition) -> list[ConsumerRecord]:
        """The next records; empty if the consumer has passed offsets without records."""
        clock = asyncio.get_running_loop().time
        started, position = clock(), await self._consumer.position(part)
        while clock() - started < PATIENCE:
            fetched: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                part, timeout_ms=LOOK_MS, max_records=PAGE
            )
            if fetched or await self._consumer.position(part) > position:
                return fetched.get(part, [])
        raise NotReached(
            Message("Kafka delivers no records of {topic} though the partition has more.", topic=part.topic)
        )
