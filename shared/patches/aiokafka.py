"""aiokafka 0.14.

Header names that are not UTF-8: any client can send one, and aiokafka's reader then fails on every read. The consumer
gets no further records of any of its partitions. The rest of such a batch is therefore read by aiokafka's slower
parser, with the invalid bytes of the name escaped (`\\xff`). Not reported yet.

A stopped producer waits forever for a broker that is gone: https://github.com/aio-libs/aiokafka/issues/1101
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

# A batch begins with its base offset (8 bytes) and the length of the bytes after the length field (4 bytes).
_LENGTH_AT, _LENGTH_END = 8, 12


class TolerantRecords:
    """Kafka's answer for one partition, batch by batch, with the interface that aiokafka's fetcher needs."""

    def __init__(self, data: bytes) -> None:
        self._fast = MemoryRecords(data)
        self._data = memoryview(data)
        self._position = 0

    def size_in_bytes(self) -> int:
        return int(self._fast.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._fast.has_next())

    def next_batch(self) -> "TolerantBatch | None":
        fast = self._fast.next_batch()
        if fast is None:
            return None
        length = int.from_bytes(self._data[self._position + _LENGTH_AT : self._position + _LENGTH_END])
        begin, self._position = self._position, self._position + _LENGTH_END + length
        return TolerantBatch(fast, self._data[begin : self._position])


class TolerantBatch:
    """One batch of records, with its bytes in `raw`, from which any header name can be read."""

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
            yield from islice(_read_leniently(self._raw), read, None)


class _LenientBytes(bytearray):
    """Bytes that decode without error: invalid bytes are escaped."""

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return _LenientBytes(part) if isinstance(key, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _read_leniently(raw: memoryview) -> Iterator[Any]:
    batch = _DefaultRecordBatchPy(raw)
    batch._maybe_uncompress()
    batch._buffer = _LenientBytes(batch._buffer)
    return iter(batch)


def read_any_header_name() -> None:
    """Let every consumer of this process read records with invalid header names."""
    fetcher.MemoryRecords = TolerantRecords


def give_up(client: AIOKafkaProducer) -> None:
    """Fail all records that the producer holds, so that it can be stopped."""
    client._message_accumulator.fail_all(ProducerClosed("stopped before Kafka took it"))
