"""Reading single partitions, each on from where it stands, in the order that a journal asks for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from shared.errors import HistoryTruncated, NotReached
from shared.kafka import LOOK_MS, reader
from shared.settings import Settings

PATIENCE = 30.0
PAGE = 2000


class Shelf:
    """Partitions from which records are taken in their order. Joins no group. A context manager: it connects then.

    Raises KafkaError when Kafka can't be reached.
    """

    def __init__(self, settings: Settings, parts: Iterable[TopicPartition]) -> None:
        self.begins: Mapping[TopicPartition, int] = {}
        self._parts = tuple(parts)
        self._rest: dict[TopicPartition, deque[ConsumerRecord]] = {}
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
        """Begin these anew, at their beginning; the others rest."""
        self._consumer.pause(*self._parts)
        self._rest = {part: deque() for part in parts}
        for part in self._rest:
            self._consumer.seek(part, self.begins[part])
        self._consumer.resume(*self._rest)

    async def take(self, part: TopicPartition, upto: int) -> list[ConsumerRecord]:
        """The records from where `part` stands to (not including) offset `upto`, which the partition must reach.

        Raises NotReached when Kafka gives none for half a minute.
        """
        rest = self._rest[part]
        taken: list[ConsumerRecord] = []
        while True:
            while rest and rest[0].offset < upto:
                taken.append(rest.popleft())
            if rest or await self._consumer.position(part) >= upto:
                return taken
            rest.extend(await self._more(part))

    async def all(self, part: TopicPartition, end: int) -> AsyncIterator[ConsumerRecord]:
        """Every record from the beginning of `part` to (not including) `end`."""
        rest = self._rest[part]
        while True:
            while rest and rest[0].offset < end:
                yield rest.popleft()
            if rest or await self._consumer.position(part) >= end:
                return
            rest.extend(await self._more(part))

    async def still_there(self) -> None:
        """Raises HistoryTruncated if something was taken away at the beginning of a partition since it was opened."""
        now = await self._consumer.beginning_offsets(list(self._parts))
        for part in self._parts:
            if now[part] != self.begins[part]:
                raise HistoryTruncated(
                    f"Kafka took away {part.topic} {part.partition} up to {now[part]} while it was read: its "
                    "retention is eating the history. Set retention.ms=-1 on it."
                )

    async def _more(self, part: TopicPartition) -> list[ConsumerRecord]:
        """The next records; none where the consumer came past a place that no record is given for."""
        clock = asyncio.get_running_loop().time
        since, stood = clock(), await self._consumer.position(part)
        while clock() - since < PATIENCE:
            fetched: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                part, timeout_ms=LOOK_MS, max_records=PAGE
            )
            if fetched or await self._consumer.position(part) > stood:
                return fetched.get(part, [])
        raise NotReached(f"Kafka gives no records of {part.topic} {part.partition} though it has some.")
