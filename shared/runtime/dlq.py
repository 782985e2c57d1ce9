"""Dead letters: unusable records as they came, with reason and origin."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from shared.envelope import EPOCH, rfc3339, taken_in
from shared.runtime.storage import OutboxRecord

HeaderList = list[tuple[str, bytes | None]]

# These reasons hold a key's records back, in order, until the key is replayed.
BUG = "BUG"
KEY_PARKED = "KEY_PARKED"
# The id belongs to another event, which came before.
ID_REUSED = "ID_REUSED"


def dead_letter(record: ConsumerRecord, *, service: str, reason: str, message: str) -> OutboxRecord:
    """The record for `<topic>.dlq`: same key, bytes and headers (nulls kept), with `dlq_*` headers added.

    Headers of an earlier stay in the DLQ are dropped. `dlq_at` is Kafka's append time of the record, so that a redo
    of the batch writes the same letter.
    """
    headers = original_headers(record.headers)
    headers += [
        ("dlq_reason", reason.encode()),
        ("dlq_message", message.encode(errors="replace")),
        ("dlq_service", service.encode()),
        ("dlq_topic", record.topic.encode()),
        ("dlq_partition", str(record.partition).encode()),
        ("dlq_offset", str(record.offset).encode()),
        ("dlq_at", rfc3339(taken_in(record) or EPOCH).encode()),
    ]
    return OutboxRecord(f"{record.topic}.dlq", record.partition, record.key, record.value, headers)


def original_headers(headers: Sequence[tuple[str, bytes | None]]) -> HeaderList:
    """The headers without those that the DLQ added."""
    return [(name, value) for name, value in headers if not name.startswith("dlq_")]
