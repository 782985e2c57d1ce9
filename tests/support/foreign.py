"""What clients in other languages may send and ours would not: header names that are not UTF-8, and batches that
unpack to more than memory holds."""

import struct

import cramjam
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.producer import producer as aiokafka_producer
from aiokafka.record import default_records
from aiokafka.record.default_records import DefaultRecordBase
from aiokafka.record.util import calc_crc32c, encode_varint

CHUNK = bytes(1024 * 1024)


class Name(str):
    """A header's name that goes out as bytes which are no text."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


def allow_foreign_headers(patched: pytest.MonkeyPatch) -> None:
    """Producers that are started from now on can say such things."""
    builder = default_records._DefaultRecordBatchBuilderPy
    patched.setattr(message_accumulator, "DefaultRecordBatchBuilder", builder)
    patched.setattr(aiokafka_producer, "DefaultRecordBatchBuilder", builder)


def a_bomb(mebibytes: int, records: int = 1) -> bytes:
    """A batch in zstd that a broker takes. Each record has no key and no header, and so many bytes of zeros."""
    packing = cramjam.zstd.Compressor(level=1)
    packed = bytearray()
    for number in range(records):
        value = bytearray()
        for field in (0, number, -1, mebibytes * len(CHUNK)):  # time, offset, no key, the value's length
            encode_varint(field, value.append)
        record = bytearray()
        encode_varint(1 + len(value) + mebibytes * len(CHUNK) + 1, record.append)
        packing.compress(bytes(record + b"\0" + value))
        for _ in range(mebibytes):
            packing.compress(CHUNK)
            packed += bytes(packing.flush())
        packing.compress(b"\0")
    packed += bytes(packing.finish())
    return _batch(bytes(packed), records)


def _batch(packed: bytes, records: int) -> bytes:
    size = DefaultRecordBase.HEADER_STRUCT.size
    after_crc = struct.pack(">hiqqqhii", DefaultRecordBase.CODEC_ZSTD, records - 1, 1_000, 1_000, -1, -1, -1, records)
    before = struct.pack(">qiib", 0, size - 12 + len(packed), -1, 2)
    return before + struct.pack(">I", calc_crc32c(after_crc + packed)) + after_crc + packed


async def send_as_it_is(client: AIOKafkaProducer, batch: bytes, topic: str, partition: int) -> None:
    """Send the bytes of a whole batch, and wait until Kafka has it. The client has no idempotence."""
    carrier = client.create_batch()
    carrier.append(timestamp=None, key=b"", value=b"")
    carrier.close()
    carrier._buffer = batch
    await (await client.send_batch(carrier, topic, partition=partition))
