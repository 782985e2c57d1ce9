"""What operations answers: dead letters, verifications and rebuilds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.events.letter_reasons import sentence_of
from shared.wording import Message, message_of

OPEN = "open"


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A record that a service could not use. `letter`: its place. `times`: how often it came."""

    letter: str
    topic: str
    service: str
    key: str | None
    status: str
    reason: str
    message: str
    times: int
    at: datetime
    arrived_at: datetime
    original: str
    event: str | None
    repaired_by: str | None
    note: str | None
    is_private: bool

    @property
    def kind(self) -> str:
        """`ReceiptIssued`, without the version; empty if the record does not say it."""
        return (self.event or "").partition(".")[0]

    @property
    def sentence(self) -> Message:
        return sentence_of(self.reason)

    @property
    def address(self) -> str:
        """The letter's page."""
        return f"/operator/letters/{self.letter}"


@dataclass(frozen=True, slots=True)
class DeadLetterPage(LetterRow):
    """A dead letter with its headers and its body, which is None if it is not shown."""

    headers: tuple[tuple[str, str | None], ...]
    body: str | None
    is_text: bool
    is_hidden: bool
    writer: str | None
    events: tuple[str, ...]
    may_replay: bool
    may_mend: bool
    may_archive: bool


@dataclass(frozen=True, slots=True)
class RepairOutcome:
    """What became of a letter. `letter`: where it, or its copy, is a dead letter still."""

    worked: bool
    sent: int
    changed: tuple[str, ...]
    letter: str | None
    reason: str | None
    message: str | None

    @property
    def sentence(self) -> Message:
        return sentence_of(self.reason)


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """A sentence on what was found, or why a run has found nothing."""

    detail: str
    template: str
    values: Mapping[str, Any]

    @property
    def message(self) -> Message:
        return message_of(self.template, self.values)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One invariant. `about`: what must hold, in English; `broken`: the first violations."""

    name: str
    about: str
    looked_at: int
    ok: bool
    broken: tuple[SentenceRow, ...]
    broken_total: int
    notes: tuple[SentenceRow, ...]


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """The last verification. `waits`: what is not worked yet."""

    status: str
    actor: str | None
    started_at: datetime | None
    finished_at: datetime | None
    is_checking: bool
    ok: bool | None
    waits: tuple[SentenceRow, ...]
    checks: tuple[CheckRow, ...]
    fault: SentenceRow | None

    @property
    def broken(self) -> tuple[CheckRow, ...]:
        return tuple(check for check in self.checks if not check.ok)


@dataclass(frozen=True, slots=True)
class RebuildRow:
    """The last rebuild of a service. `done`, `of`: records worked so far, and all."""

    service: str
    status: str
    actor: str | None
    started_at: datetime | None
    finished_at: datetime | None
    done: int | None
    of: int | None
    ok: bool | None
    differences: tuple[SentenceRow, ...]
    fault: SentenceRow | None
