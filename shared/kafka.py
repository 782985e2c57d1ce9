"""Kafka clients, names and partitions, the same for every part of Karya."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared.errors import PartitionsDiffer
from shared.kafka_connection import administrator, connection
from shared.patches.aiokafka import give_up, read_whatever_comes
from shared.retry import attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout
from shared.topics import DLQ_MAX_BYTES
from shared.wording import Message

# Of all batches that our producers write. The contract for subscribers names it.
CODEC = "zstd"
FLUSHED_WITHIN = 2.0
CLOSED_WITHIN = 5.0
TOPICS_WITHIN = 5.0
# Records of an aborted transaction do not count: no reader of Karya sees them.
READ_COMMITTED: Final[Literal["read_committed"]] = "read_committed"


# Every reader of Kafka imports this module.
read_whatever_comes()


def topic_name(settings: Settings, name: str) -> str:
    """The topic's name on this cluster."""
    return f"{settings.topic_prefix}{name}"


def partition_for(key: str, partitions: int) -> int:
    """Kafka's own default: murmur2 of the key's UTF-8 bytes, sign bit off, modulo the number of partitions."""
    return _positive_murmur2(key.encode()) % partitions


def partition_for_bytes(key: bytes, partitions: int) -> int:
    """`partition_for` of a key that may not be text."""
    return _positive_murmur2(key) % partitions


@lru_cache(maxsize=65_536)
def _positive_murmur2(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF


def producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer, not started. It keeps the order per partition. Its `send` has no timeout."""
    return AIOKafkaProducer(
        **connection(settings),
        enable_idempotence=True,
        acks="all",
        max_request_size=DLQ_MAX_BYTES,
        max_batch_size=256 * 1024,
        linger_ms=0,
        compression_type=CODEC,
        request_timeout_ms=10_000,
    )


def reader(settings: Settings, **options: Any) -> AIOKafkaConsumer:
    """A consumer without a group, not started. The caller assigns its partitions. `options` are aiokafka's.

    Its end offsets are those of committed records. The last offset before an end may have no record. So only the
    consumer's position tells whether an end is reached, never the last record.
    """
    return AIOKafkaConsumer(
        **connection(settings),
        enable_auto_commit=False,
        isolation_level=READ_COMMITTED,
        **{"auto_offset_reset": "earliest", **options},
    )


async def stop_reader(client: AIOKafkaConsumer) -> None:
    """Stop the consumer, with a bound: it would wait for ever for a broker that no longer answers."""
    with suppress(KafkaError, TimeoutError, ConnectionAbortedError):
        await hard_timeout(CLOSED_WITHIN, client.stop())


async def stop_producer(client: AIOKafkaProducer) -> None:
    """Stop the producer, with a bound.

    An idempotent producer waits for ever for a broker that is gone. It would send its records long after another
    instance has sent them.
    """
    stopping = asyncio.create_task(client.stop())
    await asyncio.wait([stopping], timeout=FLUSHED_WITHIN)
    if not stopping.done():
        give_up(client)
    # KeyError: aiokafka looks up a batch that was given up while it was in flight.
    with suppress(KafkaError, TimeoutError, ConnectionAbortedError, KeyError):
        await hard_timeout(CLOSED_WITHIN, stopping)


async def survey(settings: Settings, topics: Sequence[str]) -> tuple[str, int]:
    """Kafka's cluster id, and the common number of partitions of these topics (full names).

    Raises PartitionsDiffer if a topic is missing or the numbers differ: lanes need co-partitioned topics.
    """
    admin = administrator(settings)
    try:
        await admin.start()
        cluster = (await admin.describe_cluster())["cluster_id"]
        counts: dict[str, int] = {}
        # New topics take a moment until every broker knows them.
        async for _ in attempts(within=TOPICS_WITHIN):
            counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(topics))}
            if 0 not in counts.values():
                break
    finally:
        await admin.close()
    if len(set(counts.values())) != 1 or 0 in counts.values():
        partitions = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
        raise PartitionsDiffer(
            Message(
                "These topics must all exist and have the same number of partitions, but have {partitions}. "
                "Make them with `karya topics`.",
                partitions=partitions,
            )
        )
    return cluster, next(iter(counts.values()))
