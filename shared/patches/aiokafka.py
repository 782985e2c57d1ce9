"""aiokafka 0.14.

Header names that are not UTF-8: any client can send one, and aiokafka's reader then fails on every read. The consumer
gets no further records of any of its partitions. The rest of such a batch is therefore read by aiokafka's slower
parser, with the invalid bytes of the name escaped (`\\xff`). Not reported yet.

Compressed batches: aiokafka unpacks one whatever becomes of it, and a batch of 1 MiB may become gigabytes. The broker
takes any batch that is small enough while it is packed. Here a batch may unpack to what its topic takes. Another one
is read as one record, at the batch's last offset, that holds it as it came. Not reported yet.

A stopped producer waits forever for a broker that is gone: https://github.com/aio-libs/aiokafka/issues/1101
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import cramjam
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.codec import snappy_decode
from aiokafka.consumer import fetcher
from aiokafka.errors import ProducerClosed
from aiokafka.record.default_records import DefaultRecordBase, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords

from shared.envelope import PACKED_BATCH
from shared.patches import check_version
from shared.topics import INPUT_MAX_BYTES, most_bytes

check_version("aiokafka", "0.14.")

# A batch begins with its base offset (8 bytes) and the length of the bytes after the length field (4 bytes).
_LENGTH_AT, _LENGTH_END = 8, 12
_MAGIC_AT = 16
_HEADER = DefaultRecordBase.HEADER_STRUCT
_ATTRIBUTES_AT = DefaultRecordBase.ATTRIBUTES_OFFSET

_Unpack = Callable[[memoryview, bytearray], int]
_UNPACK_INTO: Mapping[int, _Unpack] = {
    DefaultRecordBase.CODEC_GZIP: cramjam.gzip.decompress_into,
    DefaultRecordBase.CODEC_LZ4: cramjam.lz4.decompress_into,
    DefaultRecordBase.CODEC_ZSTD: cramjam.zstd.decompress_into,
}
# Batches of our services become 5 to 40 times as large.
_USUAL_GROWTH = 64


class TolerantRecords:
    """Kafka's answer for one partition, batch by batch, with the interface that aiokafka's fetcher needs. `most`: the
    bytes that a batch may have once it is unpacked."""

    def __init__(self, data: bytes) -> None:
        self.most = INPUT_MAX_BYTES
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
        return TolerantBatch(fast, self._data[begin : self._position], self.most)


class BoundedRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is untyped
    """Records of one partition whose batches unpack to what the topic takes."""

    def __init__(self, part: TopicPartition, records: TolerantRecords, *others: Any) -> None:
        records.most = most_bytes(part.topic)
        super().__init__(part, records, *others)


class TolerantBatch:
    """One batch of records, with its bytes in `raw`, from which any header name can be read, and which takes at most
    `most` bytes of memory."""

    def __init__(self, fast: Any, raw: memoryview, most: int) -> None:
        self._fast = fast
        self._raw = raw
        self._most = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def __next__(self) -> Any:
        return next(self._fast)

    def __iter__(self) -> Iterator[Any]:
        fast, raw = self._fast, self._raw
        # Before magic 2 there were other fields, and no broker that Karya knows keeps such batches.
        if fast.compression_type and raw[_MAGIC_AT] >= 2:
            unpacked = _unpack(fast.compression_type, raw[_HEADER.size :], self._most - _HEADER.size)
            if unpacked is None:
                yield _as_one_record(raw)
                return
            raw = memoryview(_plain_batch(raw, unpacked))
            fast = MemoryRecords(bytes(raw)).next_batch()
        read = 0
        try:
            for record in fast:
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_read_leniently(raw), read, None)


def _unpack(codec: int, packed: memoryview, most: int) -> memoryview | None:
    """The bytes of a batch behind its header, or None if they are more than `most`, or broken."""
    if codec == DefaultRecordBase.CODEC_SNAPPY:
        # No byte of snappy becomes more than 22.
        try:
            unpacked = snappy_decode(packed)
        except (cramjam.DecompressionError, struct.error):
            return None
        return memoryview(unpacked) if len(unpacked) <= most else None
    # A buffer of full size for every batch would take longer than the unpacking of a small one.
    for size in sorted({min(most, _USUAL_GROWTH * len(packed)), most}):
        room = bytearray(size)
        try:
            return memoryview(room)[: _UNPACK_INTO[codec](packed, room)]
        except cramjam.DecompressionError:
            continue
    return None


def _plain_batch(raw: memoryview, unpacked: memoryview) -> bytearray:
    """The batch without compression."""
    plain = bytearray(raw[: _HEADER.size]) + unpacked
    plain[_LENGTH_AT:_LENGTH_END] = (len(plain) - _LENGTH_END).to_bytes(_LENGTH_END - _LENGTH_AT)
    # The codec's three bits are in the second byte of the attributes.
    plain[_ATTRIBUTES_AT + 1] &= ~DefaultRecordBase.CODEC_MASK
    return plain


def _as_one_record(raw: memoryview) -> _DefaultRecordPy:
    """A record that stands for the whole batch. Its value is the packed content of the batch, without its header."""
    batch = _DefaultRecordBatchPy(raw)
    time = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp
    return _DefaultRecordPy(
        # Whoever begins in the middle of the batch meets the record, too, and it has one place.
        batch.next_offset - 1,
        time,
        batch.timestamp_type,
        None,
        bytes(raw[_HEADER.size :]),
        [(PACKED_BATCH, str(batch.compression_type).encode())],
    )


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


def read_whatever_comes() -> None:
    """Let every consumer of this process read records with invalid header names, and survive any batch."""
    fetcher.MemoryRecords = TolerantRecords
    fetcher.PartitionRecords = BoundedRecords


def give_up(client: AIOKafkaProducer) -> None:
    """Fail all records that the producer holds, so that it can be stopped."""
    client._message_accumulator.fail_all(ProducerClosed("stopped before Kafka took it"))
