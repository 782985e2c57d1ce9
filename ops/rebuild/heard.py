"""What one service said, as its topics hold it: to tell what was lost on the way to them, and what nothing explains.

A word is kept as the 16 bytes of its id and 8 that tell its body: some 100 bytes of memory in all for each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from ops.rebuild.plans import Remembered
from ops.rebuild.taken import Taken
from ops.verify.log import Ends, Log
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


class Heard:
    """All that a service said, by topic (without prefix)."""

    def __init__(self, service: str, deadlines: Iterable[str]) -> None:
        self.said: dict[str, set[bytes]] = defaultdict(set)
        self.plans = Remembered()
        self.taken = Taken()
        # Events whose rules failed when their record was worked: `<source> <id>`, and when Kafka took it in.
        self.failed: set[tuple[str, datetime]] = set()
        # Deadlines that were said, by topic and partition.
        self.reached: Counter[tuple[str, int]] = Counter()
        self.again = 0
        self._service = service
        self._source = f"karya/{service}"
        self._deadlines = frozenset(deadlines)

    async def read(self, log: Log, ends: Ends) -> None:
        """Take in all these topics. Raises NotReached when Kafka gives nothing though it has some."""
        async for name, records in log.read(ends):
            for record in records:
                if name.endswith(DLQ):
                    self._letter(name, record)
                elif envelope.header(record.headers, "ce_source") == self._source:
                    self._word(name, record)

    def _word(self, name: str, record: ConsumerRecord) -> None:
        if not self._first(name, word(record.headers, record.value)):
            return
        # What the rules say to themselves lies there too, and is numbered with the rest of their words.
        if name in self._deadlines and (envelope.header(record.headers, "ce_type") or "").startswith(_BY_THE_CLOCK):
            self.reached[name, record.partition] += 1
        if name in (FESTIVAL.name, ANSWERS.name):
            id, type = (envelope.header(record.headers, f"ce_{part}") or "" for part in ("id", "type"))
            self.taken.hear(name, id, type, record.value or b"")
            if name == FESTIVAL.name:
                self.plans.hear(id, type, record.value or b"")

    def _letter(self, name: str, record: ConsumerRecord) -> None:
        if envelope.header(record.headers, "dlq_service") != self._service:
            return
        self._first(name, letter(record.headers, record.value))
        reason, at = (envelope.header(record.headers, f"dlq_{part}") or "" for part in ("reason", "at"))
        self.taken.hear_letter(_place(record.headers), reason)
        if reason == BUG and at:
            source, id = (envelope.header(record.headers, f"ce_{part}") or "" for part in ("source", "id"))
            self.failed.add((f"{source} {id}", datetime.fromisoformat(at)))

    def _first(self, name: str, mark: bytes) -> bool:
        if mark in self.said[name]:
            self.again += 1
            return False
        self.said[name].add(mark)
        return True


def mark_of(record: OutboxRecord) -> bytes:
    """The mark of what a service is to say."""
    make = letter if record.topic.endswith(DLQ) else word
    return make(record.headers, record.value)


def word(headers: Headers, value: bytes | None) -> bytes:
    id = envelope.header(headers, "ce_id") or ""
    return _id(id) + envelope.digest(value or b"")[:8]


def letter(headers: Headers, value: bytes | None) -> bytes:
    # A dead letter has its sender's id, if any: the place that it comes from is what it is known by.
    place = _place(headers)
    reason = envelope.header(headers, "dlq_reason") or ""
    return envelope.digest(place.encode()) + envelope.digest(reason.encode() + (value or b""))[:8]


def _place(headers: Headers) -> str:
    return "/".join(envelope.header(headers, f"dlq_{part}") or "" for part in ("topic", "partition", "offset"))


def id_of(mark: bytes) -> bytes:
    """The part of a mark that stays the same when the body is another."""
    return mark[:_ID_BYTES]


def _id(id: str) -> bytes:
    try:
        return UUID(id).bytes
    except ValueError:
        return envelope.digest(id.encode())
