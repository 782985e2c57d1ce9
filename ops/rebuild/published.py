"""The published events of one service, as its topics hold them, to find lost and unexplained ones.

An event is kept as a mark: 16 bytes of its id, and 8 bytes of a digest of its body. It takes about 100 bytes of
memory.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from ops.rebuild.id_conflicts import IdConflicts
from ops.rebuild.plans import RecordedPlans
from ops.verify.log import Ends, TopicLog
from shared import envelope
from shared.events.festival import FESTIVAL
from shared.events.language import DeadlineReached
from shared.events.production import ANSWERS
from shared.runtime.dlq import BUG
from shared.runtime.storage import OutboxRecord

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

DLQ = ".dlq"
_BY_THE_CLOCK = f"{DeadlineReached.__name__}."
_ID_BYTES = 16


class PublishedEvents:
    """The marks of all events and letters that a service published, by topic (without prefix)."""

    def __init__(self, service: str, deadlines: Iterable[str], passed_on: Iterable[str] = ()) -> None:
        """`passed_on`: the topics to which the service passes on records of other senders."""
        self.marks: dict[str, set[bytes]] = defaultdict(set)
        self.plans = RecordedPlans()
        self.conflicts = IdConflicts()
        # Events on which the rules failed: `<source> <id>`, and the timestamp of the record in Kafka.
        self.failed: set[tuple[str, datetime]] = set()
        # The number of published deadlines, by topic and partition.
        self.deadlines_reached: Counter[tuple[str, int]] = Counter()
        # The marks of other senders' records, any of which the service may have passed on, by topic.
        self.of_others: dict[str, set[bytes]] = {name: set() for name in passed_on}
        self.duplicates = 0
        self._service = service
        self._source = f"karya/{service}"
        self._deadlines = frozenset(deadlines)

    async def read(self, log: TopicLog, ends: Ends) -> None:
        """Read the topics up to `ends`. Raises NotReached when Kafka stops delivering before that."""
        async for name, records in log.read(ends):
            for record in records:
                if name.endswith(DLQ):
                    self._add_letter(name, record)
                elif envelope.header(record.headers, "ce_source") == self._source:
                    self._add_event(name, record)
                elif name in self.of_others:
                    self.of_others[name].add(event_mark(record.headers, record.value))

    def _add_event(self, name: str, record: ConsumerRecord) -> None:
        if not self._is_first(name, event_mark(record.headers, record.value)):
            return
        # Events of the rules to their own service are on this topic too, and are numbered with their other events.
        if name in self._deadlines and (envelope.header(record.headers, "ce_type") or "").startswith(_BY_THE_CLOCK):
            self.deadlines_reached[name, record.partition] += 1
        if name in (FESTIVAL.name, ANSWERS.name):
            id, type = (envelope.header(record.headers, f"ce_{part}") or "" for part in ("id", "type"))
            self.conflicts.add_event(name, id, type, record.value or b"")
            if name == FESTIVAL.name:
                self.plans.add(id, type, record.value or b"")

    def _add_letter(self, name: str, record: ConsumerRecord) -> None:
        if envelope.header(record.headers, "dlq_service") != self._service:
            return
        self._is_first(name, letter_mark(record.headers, record.value))
        reason, at = (envelope.header(record.headers, f"dlq_{part}") or "" for part in ("reason", "at"))
        self.conflicts.add_letter(_place(record.headers), reason)
        if reason == BUG and at:
            source, id = (envelope.header(record.headers, f"ce_{part}") or "" for part in ("source", "id"))
            self.failed.add((f"{source} {id}", datetime.fromisoformat(at)))

    def _is_first(self, name: str, mark: bytes) -> bool:
        if mark in self.marks[name]:
            self.duplicates += 1
            return False
        self.marks[name].add(mark)
        return True


def mark_of(record: OutboxRecord) -> bytes:
    """The mark of an outbox record."""
    make = letter_mark if record.topic.endswith(DLQ) else event_mark
    return make(record.headers, record.value)


def event_mark(headers: Headers, value: bytes | None) -> bytes:
    id = envelope.header(headers, "ce_id") or ""
    return _id(id) + envelope.digest(value or b"")[:8]


def letter_mark(headers: Headers, value: bytes | None) -> bytes:
    # A dead letter has the id of the original event, if any, so its identity is the position of the original record.
    place = _place(headers)
    reason = envelope.header(headers, "dlq_reason") or ""
    return envelope.digest(place.encode()) + envelope.digest(reason.encode() + (value or b""))[:8]


def _place(headers: Headers) -> str:
    return "/".join(envelope.header(headers, f"dlq_{part}") or "" for part in ("topic", "partition", "offset"))


def id_of(mark: bytes) -> bytes:
    """The part of a mark that does not depend on the body."""
    return mark[:_ID_BYTES]


def _id(id: str) -> bytes:
    try:
        return UUID(id).bytes
    except ValueError:
        return envelope.digest(id.encode())
