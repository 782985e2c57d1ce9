"""What clients in other languages may send and ours would not: snappy, and header names that are not UTF-8."""

import aiokafka.codec
import pytest
from aiokafka.producer import AIOKafkaProducer, message_accumulator
from aiokafka.producer import producer as aiokafka_producer
from aiokafka.record import default_records


class Name(str):
    """A header's name that goes out as bytes which are no text."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


def allow_foreign_headers(patched: pytest.MonkeyPatch) -> None:
    """Producers that are started from now on can say such things."""
    builder = default_records._DefaultRecordBatchBuilderPy
    patched.setattr(message_accumulator, "DefaultRecordBatchBuilder", builder)
    patched.setattr(aiokafka_producer, "DefaultRecordBatchBuilder", builder)
    patched.setattr(aiokafka.codec, "has_snappy", lambda: True)
    patched.setattr(default_records, "snappy_encode", _snappy)
    _, attributes = AIOKafkaProducer._COMPRESSORS["snappy"]
    compressors = {**AIOKafkaProducer._COMPRESSORS, "snappy": (lambda: True, attributes)}
    patched.setattr(AIOKafkaProducer, "_COMPRESSORS", compressors)


def _snappy(data: bytes) -> bytes:
    """Snappy's block format: literals of one byte, and copies of a byte that comes often in a row."""
    out, remaining = bytearray(), len(data)
    while remaining > 0x7F:
        out.append(remaining & 0x7F | 0x80)
        remaining >>= 7
    out.append(remaining)
    at = 0
    while at < len(data):
        same = 0
        while at and same < 64 and at + same < len(data) and data[at + same] == data[at - 1]:
            same += 1
        if same > 8:
            out += bytes([same - 1 << 2 | 2, 1, 0])
            at += same
        else:
            out += bytes([0, data[at]])
            at += 1
    return bytes(out)
