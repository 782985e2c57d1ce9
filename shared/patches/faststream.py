"""FastStream 0.7: the Kafka subscriber for batches.

After an empty poll the subscriber sleeps for as long as the poll took, and new records lie unread meanwhile. It
accepts no consumer of the caller. Neither is reported yet.

The parser fails on a header that is null or not UTF-8, and the batch would be skipped:
https://github.com/ag2ai/faststream/issues/2458

Only a private lock shows whether a batch is in progress. Not reported yet.
"""

import time
from functools import partial
from typing import TypeAlias, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.patches import check_version
from shared.polling import LOOK_MS

check_version("faststream", "0.7.")

Records: TypeAlias = tuple[ConsumerRecord, ...]


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """A consumer whose `getmany` blocks until records arrive; FastStream would sleep after an empty poll."""

    _answered_at: float | None = None
    _polling = False

    @property
    def silence(self) -> float:
        """Seconds since the latest answer of a poll. 0 during a poll, which may take long without Kafka, and before
        the first.

        A consumer whose coordination has died refuses polls, and nothing else shows it. aiokafka's own figure stands
        still when the refusal comes during a poll.
        """
        return 0.0 if self._polling or self._answered_at is None else time.monotonic() - self._answered_at

    @property
    def waits(self) -> bool:
        """Whether a poll is running.

        The subscriber polls after it has worked all records that it had. Between the position and the last worked
        record there is then nothing left to deliver.
        """
        return self._polling

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = LOOK_MS, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        if self._answered_at is None:
            self._answered_at = time.monotonic()
        records: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._polling = True
        try:
            while not records:
                records = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
                self._answered_at = time.monotonic()
        finally:
            self._polling = False
        return records


def build_patient_consumers(broker: KafkaBroker) -> None:
    """Let the broker, connected and not started, build PatientConsumers."""
    config = broker.config.broker_config
    config.builder = partial(PatientConsumer, **cast("partial[AIOKafkaConsumer]", config.builder).keywords)


async def parse(records: Records) -> KafkaMessage:
    """The batch as a message, unparsed: only the step reads headers."""
    first = records[0]
    name = f"{first.topic}/{first.partition}/{first.offset}"
    return KafkaMessage(raw_message=records, body=b"", message_id=name, correlation_id=name, consumer=FAKE_CONSUMER)


async def decode(message: KafkaMessage) -> Records:
    records: Records = message.raw_message
    return records


def has_a_batch(subscriber: BatchSubscriber) -> bool:
    """Whether the subscriber's handler is working on a batch."""
    lock = subscriber.lock
    return isinstance(lock, MultiLock) and not lock.empty


async def batch_done(subscriber: BatchSubscriber, seconds: float) -> None:
    """Wait until the subscriber's handler has no batch, at most `seconds`."""
    if isinstance(lock := subscriber.lock, MultiLock):
        await lock.wait_release(seconds)
