"""Repairs: what operators did with unusable records, by the operators' topic.

An unusable record is named by its place in its own topic. A record that was sent again and again has several letters,
and its first place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import ConsumerRecord

from shared import envelope
from shared.derivation import FIRST, derivation
from shared.errors import Unusable
from shared.events.operator import OPERATOR, LetterArchived, LetterMended

SOURCE = "karya/operator"
# A header of a mended copy: the place of the record that it stands for.
MENDS = "mends"


@dataclass(frozen=True, slots=True)
class Mending:
    """A `LetterMended` and its time."""

    at: datetime
    body: LetterMended


@dataclass(slots=True)
class Repairs:
    """The first event of each kind about each record, by the record's place."""

    mended: dict[str, Mending] = field(default_factory=dict)
    archived: dict[str, LetterArchived] = field(default_factory=dict)

    def add(self, records: Iterable[ConsumerRecord]) -> None:
        """Add records of the operators' topic, in order. Unreadable ones are left out."""
        for record in records:
            try:
                event = envelope.decode(OPERATOR, record)
            except Unusable:
                continue
            match event.body:
                case LetterMended() as body:
                    self.mended.setdefault(body.original, Mending(event.time, body))
                case LetterArchived() as body:
                    self.archived.setdefault(body.original, body)


def place(topic: str, partition: int, offset: int) -> str:
    """The place of a record as operators' events name it; `topic` without prefix."""
    return f"{topic}/{partition}/{offset}"


def copy_id(original: str, topic: str) -> str:
    """The id of the mended copy of the record at `original`.

    It depends on nothing else. So a record has one mended copy, however often and by whomever it is mended.
    """
    return derivation(FIRST)(original, topic, 0)


def ledger_id(original: str, topic: str) -> str:
    """The mended copy in its reader's ledger."""
    return f"{SOURCE} {copy_id(original, topic)}"
