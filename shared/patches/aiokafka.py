"""aiokafka 0.14.

Records with header names that are not UTF-8: any client can send one, and aiokafka's reader fails on it for ever.
Nothing comes past such a record: every read of it raises, and with it those of all partitions of its consumer. So the
rest of its batch is read by aiokafka's other, slower parser, with the odd bytes of the name spelled out (`\\xff`).
Not reported yet.

A producer that is stopped waits for ever for a broker that has gone: https://github.com/aio-libs/aiokafka/issues/1101
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.errors import ProducerClosed
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from shared.patches import check_version

check_version("aiokafka", "0.14.")

# A batch begins with its base offset (8 bytes) and the length of all that follows the length itself (4 bytes).
_LENGTH_AT, _LENGTH_END = 8, 12


class TolerantRecords:
    """What Kafka answered for one partition, batch by batch, as aiokafka's fetcher asks for it."""

    def __init__(self, data: bytes) -> None:
        self._fast = MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        return int(self._fast.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._fast.has_next())

    def next_batch(self) -> "TolerantBatch | None":
        fast = self._fast.next_batch()
        if fast is None:
            return None
        length = int.from_bytes(self._data[self._at + _LENGTH_AT : self._at + _LENGTH_END])
        begin, self._at = self._at, self._at + _LENGTH_END + length
        return TolerantBatch(fast, self._data[begin : self._at])


class TolerantBatch:
    """One batch of records; `raw` are its bytes."""

    def __init__(self, fast: Any, raw: memoryview) -> None:
        self._fast = fast
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def __next__(self) -> Any:
        return next(self._fast)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._fast:
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_spelled_out(self._raw), read, None)


class _Spelling(bytearray):
    """Bytes that are text in any case."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Spelling(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _spelled_out(raw: memoryview) -> Iterator[Any]:
    batch = _DefaultRecordBatchPy(raw)
    batch._maybe_uncompress()
    batch._buffer = _Spelling(batch._buffer)
    return iter(batch)


def read_any_header_name() -> None:
    """From now on every consumer of this process reads on past such a record."""
    fetcher.MemoryRecords = TolerantRecords


def give_up(client: AIOKafkaProducer) -> None:
    """Fail all that the producer holds, so that it can be stopped."""
    client._message_accumulator.fail_all(ProducerClosed("stopped before Kafka took it"))
