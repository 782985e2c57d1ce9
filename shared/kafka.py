"""Kafka clients and names: what is the same wherever Karya meets Kafka."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared.errors import PartitionsDiffer
from shared.patches.aiokafka import give_up, read_any_header_name
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout
from shared.topics import DLQ_MAX_BYTES

FLUSHED_WITHIN = 2.0
CLOSED_WITHIN = 5.0
TOPICS_WITHIN = 5.0
# What a producer takes back (it aborts its transaction) was never said: nobody here works or shows it.
READ_COMMITTED: Final[Literal["read_committed"]] = "read_committed"
# How often one who waits for records looks whether its consumer still lives.
LOOK_MS = 200


# Whoever reads Kafka here comes by this module.
read_any_header_name()


def topic_name(settings: Settings, name: str) -> str:
    """The topic's name on this cluster."""
    return f"{settings.topic_prefix}{name}"


def partition_for(key: str, partitions: int) -> int:
    """Kafka's own default: murmur2 of the key's UTF-8 bytes, sign bit off, modulo the number of partitions."""
    return _positive_murmur2(key.encode()) % partitions


def partition_for_bytes(key: bytes, partitions: int) -> int:
    """As `partition_for`, of a key that may not be text."""
    return _positive_murmur2(key) % partitions


@lru_cache(maxsize=65_536)
def _positive_murmur2(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF


def producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer, not started. Order per partition holds; `send` has no time-out of its own."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka,
        enable_idempotence=True,
        acks="all",
        max_request_size=DLQ_MAX_BYTES,
        max_batch_size=256 * 1024,
        linger_ms=0,
        request_timeout_ms=10_000,
    )


def reader(settings: Settings, **options: Any) -> AIOKafkaConsumer:
    """A consumer of no group, not started: it commits nothing, and is told which partitions to read. `options` are
    aiokafka's own.

    Its ends are those of what is committed. The last offset before an end may be one that no record is given for, as
    any other: whether an end is reached is for the consumer's position to say, never for the last record.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        isolation_level=READ_COMMITTED,
        **{"auto_offset_reset": "earliest", **options},
    )


async def stop_reader(client: AIOKafkaConsumer) -> None:
    """Stop it, with a bound: it would wait for ever for a broker that no longer answers."""
    with suppress(KafkaError, TimeoutError, ConnectionAbortedError):
        await hard_timeout(CLOSED_WITHIN, client.stop())


async def stop_producer(client: AIOKafkaProducer) -> None:
    """Stop it, with a bound: an idempotent producer that is only told to stop waits for ever for a broker that
    has gone, and would send what it holds long after somebody else has."""
    stopping = asyncio.create_task(client.stop())
    await asyncio.wait([stopping], timeout=FLUSHED_WITHIN)
    if not stopping.done():
        give_up(client)
    # KeyError: aiokafka looks for a batch that it was made to give up while it was on its way.
    with suppress(KafkaError, TimeoutError, ConnectionAbortedError, KeyError):
        await hard_timeout(CLOSED_WITHIN, stopping)


async def survey(settings: Settings, topics: Sequence[str]) -> tuple[str, int]:
    """The cluster's id of itself and the number of partitions that all these topics (full names) have.

    Raises PartitionsDiffer if one is missing or they differ: lanes would not be co-partitioned then.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        await admin.start()
        cluster = (await admin.describe_cluster())["cluster_id"]
        counts: dict[str, int] = {}
        # Just made topics take a moment until every broker knows them.
        async for _ in attempts(within=TOPICS_WITHIN):
            counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(topics))}
            if 0 not in counts.values():
                break
    finally:
        await admin.close()
    if len(set(counts.values())) != 1 or 0 in counts.values():
        seen = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
        raise PartitionsDiffer(
            f"These topics must all exist and have the same number of partitions, but have {seen}. "
            "Make them with `karya topics`."
        )
    return cluster, next(iter(counts.values()))
