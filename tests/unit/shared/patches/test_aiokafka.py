"""Batches as Kafka hands them over, read by whoever reads Kafka here within bounds; clients that are stopped."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBase, _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from shared import kafka
from shared.envelope import PACKED_BATCH
from shared.patches.aiokafka import BoundedRecords, TolerantRecords, give_up
from shared.topics import DLQ_MAX_BYTES, INPUT_MAX_BYTES
from tests.support import foreign

HEADER = DefaultRecordBase.HEADER_STRUCT.size
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


class Name(str):
    """A header's name that goes out as it should not."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"x\xff"


def a_batch(*headers: Sequence[tuple[str, bytes | None]], compression: int = 0) -> bytes:
    """A record for each of these headers."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, -1, 1_000_000)
    for offset, named in enumerate(headers):
        builder.append(offset, 1_000 + offset, b"key", b"value" * 100, list(named))
    return bytes(builder.build())


def read(data: bytes) -> list[tuple[int, list[tuple[str, bytes | None]]]]:
    records, contents = TolerantRecords(data), []
    while records.has_next():
        batch = records.next_batch()
        assert batch is not None
        assert batch.validate_crc()
        contents += [(record.offset, list(record.headers)) for record in batch]
    return contents


GOOD: list[tuple[str, bytes | None]] = [("ce_id", b"e1"), ("none", None)]
ODD: list[tuple[str, bytes | None]] = [("ce_id", b"e2"), (Name("?"), b"\xff")]
SPELLED = [("ce_id", b"e2"), ("x\\xff", b"\xff")]


def test_what_comes_after_an_odd_header_name_is_read_too() -> None:
    assert read(a_batch(GOOD, ODD, GOOD)) == [(0, GOOD), (1, SPELLED), (2, GOOD)]
    assert read(a_batch(ODD)) == [(0, SPELLED)]


@every_codec
def test_packed_batches_are_read_with_their_odd_header_names(codec: int) -> None:
    packed = a_batch(GOOD, ODD, GOOD, compression=codec)
    assert len(packed) < len(a_batch(GOOD, ODD, GOOD))
    assert read(packed + a_batch(GOOD)) == [(0, GOOD), (1, SPELLED), (2, GOOD), (0, GOOD)]


def a_batch_of(room: int, compression: int = 0) -> bytes:
    """An empty record, and one of so many zeros."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, -1, 4 * DLQ_MAX_BYTES)
    for offset, value in enumerate((b"", bytes(room))):
        builder.append(offset, 1_000, b"", value, [])
    return bytes(builder.build())


def zeros(codec: int, size: int) -> bytes:
    """A batch of two records that has so many bytes once it is unpacked."""
    room = size
    while over := len(a_batch_of(room)) - size:
        room -= over
    return a_batch_of(room, codec)


def read_within(data: bytes, topic: str = "in.v1") -> list[ConsumerRecord]:
    records = BoundedRecords(TopicPartition(topic, 0), TolerantRecords(data), [], 0, None, None, True, 1)
    found = list(records)
    assert records.next_fetch_offset == 2
    return found


@every_codec
def test_a_batch_unpacks_to_what_its_topic_takes_and_else_comes_packed_in_one_record(codec: int) -> None:
    for topic, most in (("in.v1", INPUT_MAX_BYTES), ("in.v1.dlq", DLQ_MAX_BYTES)):
        assert [record.offset for record in read_within(zeros(codec, most), topic)] == [0, 1]
        batch = zeros(codec, most + 1)
        [record] = read_within(batch, topic)
        assert (record.offset, record.timestamp, record.key) == (1, 1_000, None)
        assert record.value == batch[HEADER:]
        assert record.headers == ((PACKED_BATCH, str(codec).encode()),)


@every_codec
def test_a_batch_that_is_broken_comes_in_one_record_too(codec: int) -> None:
    batch = bytearray(zeros(codec, 10_000))
    batch[HEADER:] = bytes(range(256))[: len(batch) - HEADER].ljust(len(batch) - HEADER, b"?")
    [record] = TolerantRecords(bytes(batch)).next_batch()
    assert record.value == batch[HEADER:]


def test_aiokafka_alone_still_unpacks_whatever_comes() -> None:
    [record] = MemoryRecords(foreign.a_bomb(8)).next_batch()
    assert len(record.value) == 8 * 1024 * 1024


def test_batches_one_after_the_other_are_told_apart() -> None:
    assert [headers for _, headers in read(a_batch(GOOD, ODD) + a_batch(GOOD) + a_batch(ODD))] == [
        GOOD,
        SPELLED,
        GOOD,
        SPELLED,
    ]


def test_every_consumer_here_reads_so() -> None:
    assert kafka.topic_name
    assert fetcher.MemoryRecords is TolerantRecords
    assert fetcher.PartitionRecords is BoundedRecords


def test_aiokafka_alone_still_fails_on_an_odd_header_name() -> None:
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(a_batch(GOOD, ODD)).next_batch())


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer")
async def test_a_producer_still_waits_for_a_broker_that_has_gone_unless_it_gives_up() -> None:
    client = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    future = await client._message_accumulator.add_message(TopicPartition("t", 0), b"key", b"value", timeout=1)
    flushing = asyncio.create_task(client._message_accumulator.flush())
    await asyncio.wait([flushing], timeout=0.05)
    assert not flushing.done()
    give_up(client)
    await asyncio.wait_for(flushing, 1)
    assert future.exception() is not None


async def test_a_consumer_that_is_stopped_still_cancels_whoever_stops_it() -> None:
    async def block() -> None:
        await asyncio.Event().wait()

    parts = SimpleNamespace(
        _fetch_task=asyncio.create_task(block()),
        _fetch_waiters=set(),
        _pending_tasks={asyncio.create_task(block())},
    )
    await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await fetcher.Fetcher.close(parts)
