"""Repairs: what operators did with dead letters, by the operators' topic.

An unusable record is named by its place in its own topic. A record that was sent again and again has several letters,
and its first place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from shared import envelope
from shared.derivation import named_id
from shared.errors import Unusable
from shared.events.language import Body
from shared.events.operator import OPERATOR, LetterArchived, LetterMended, LetterReplayed

SOURCE = "karya/operator"
# A header of a mended copy: the place of the record that it stands for.
MENDS = "mends"


@dataclass(frozen=True, slots=True)
class Mending:
    """A `LetterMended` and its time."""

    at: datetime
    body: LetterMended


@dataclass(frozen=True, slots=True)
class Replay:
    """A `LetterReplayed` and its time."""

    at: datetime
    body: LetterReplayed


@dataclass(slots=True)
class Repairs:
    """What was done with each record, by the record's place: the first mending, the first archiving and every
    replay."""

    mended: dict[str, Mending] = field(default_factory=dict)
    archived: dict[str, LetterArchived] = field(default_factory=dict)
    replayed: dict[str, list[Replay]] = field(default_factory=dict)

    def replays(self, topic: str, partition: int, offset: int) -> Sequence[Replay]:
        """The replays of the dead letter of the record at this place; `topic` without prefix."""
        return self.replayed.get(place(topic, partition, offset), ())

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
                case LetterReplayed() as body:
                    self.replayed.setdefault(body.original, []).append(Replay(event.time, body))


def event_headers(body: Body, id: str, cause: str | None = None) -> envelope.Headers:
    """The headers of an operator's event that is told now."""
    return envelope.headers(id=id, source=SOURCE, topic=OPERATOR, body=body, time=datetime.now(UTC), cause=cause)


def place(topic: str, partition: int, offset: int) -> str:
    """The place of a record as operators' events name it; `topic` without prefix."""
    return f"{topic}/{partition}/{offset}"


def copy_id(original: str, topic: str) -> str:
    """The id of the mended copy of the record at `original`.

    It depends on nothing else. So a record has one mended copy, however often and by whomever it is mended.
    """
    return named_id(original, topic, 0)


def ledger_id(original: str, topic: str) -> str:
    """The mended copy in its reader's ledger."""
    return f"{SOURCE} {copy_id(original, topic)}"
