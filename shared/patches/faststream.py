"""FastStream 0.7, its Kafka subscriber of batches.

After an answer without records it sleeps for as long as it had waited, and what comes meanwhile lies there. It takes
no consumer of one's own. Both not reported yet.

Its parser fails on a header that is null or no UTF-8, and the batch would be passed over:
https://github.com/ag2ai/faststream/issues/2458

Whether a batch is in hand only a private lock says. Not reported yet.
"""

import time
from functools import partial
from typing import TypeAlias, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.kafka import LOOK_MS
from shared.patches import check_version

check_version("faststream", "0.7.")

Records: TypeAlias = tuple[ConsumerRecord, ...]


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """Asked for records it waits until there are some."""

    _answered: float | None = None
    _asked = False

    @property
    def silence(self) -> float:
        """Seconds since it was last asked and gave an answer; 0 while it is being asked, which may take long when
        Kafka is away, and before it was first asked. A consumer whose coordination has died refuses to be asked, and
        nothing else would tell: aiokafka's own figure stands still when it is refused in the middle of a question."""
        return 0.0 if self._asked or self._answered is None else time.monotonic() - self._answered

    @property
    def waits(self) -> bool:
        """Whether it is being asked for records. Whoever asks has done with all that it gave before: between its
        position and the last record that was worked lies nothing that anybody is given."""
        return self._asked

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = LOOK_MS, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        if self._answered is None:
            self._answered = time.monotonic()
        records: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._asked = True
        try:
            while not records:
                records = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
                self._answered = time.monotonic()
        finally:
            self._asked = False
        return records


def build_patient_consumers(broker: KafkaBroker) -> None:
    """For a broker that is connected and not started."""
    config = broker.config.broker_config
    config.builder = partial(PatientConsumer, **cast("partial[AIOKafkaConsumer]", config.builder).keywords)


async def parse(records: Records) -> KafkaMessage:
    """The batch as it came: the step alone reads headers."""
    first = records[0]
    name = f"{first.topic}/{first.partition}/{first.offset}"
    return KafkaMessage(raw_message=records, body=b"", message_id=name, correlation_id=name, consumer=FAKE_CONSUMER)


async def decode(message: KafkaMessage) -> Records:
    records: Records = message.raw_message
    return records


def has_a_batch(subscriber: BatchSubscriber) -> bool:
    """Whether its handler works one."""
    lock = subscriber.lock
    return isinstance(lock, MultiLock) and not lock.empty


async def batch_done(subscriber: BatchSubscriber, seconds: float) -> None:
    """Wait until its handler works none, for so many seconds at most."""
    if isinstance(lock := subscriber.lock, MultiLock):
        await lock.wait_release(seconds)
