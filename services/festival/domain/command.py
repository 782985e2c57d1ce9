"""What became of each organiser's command, so that who gave it can ask."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused
from shared.events.language import Event, Publication
from shared.family import Decision

MAX_MESSAGE = 500


class Outcome(StrEnum):
    """`WAITING`: sent on to inventory, or to festival itself by way of Kafka; what comes of it has the last word."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a command is refused: which field, the reason for programs, a sentence for a person."""

    field: str
    reason: CommandRefusal
    message: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command; its id is the event's, and `source` is who gave it. `booth`, `lot` and `qty` (pieces) say what
    it has in inventory's hands."""

    id: str
    source: str
    festival: str
    name: str
    given_at: datetime
    outcome: Outcome
    wrong: Wrong | None = None
    booth: str | None = None
    lot: str | None = None
    qty: int = 0


Carried: TypeAlias = Decision | Wrong


def given(event: Event, outcome: Outcome = Outcome.DONE) -> Command:
    """The command in this event."""
    return Command(event.id, event.source, event.key, type(event.body).__name__, event.logged_at, outcome)


def refused(command: Command, wrong: Wrong) -> tuple[Command, Publication]:
    """The command as refused, and the event that says so."""
    return replace(command, outcome=Outcome.REFUSED, wrong=wrong), refusal(command, wrong)


def refusal(command: Command, wrong: Wrong) -> Publication:
    return FESTIVAL.of(
        CommandRefused(
            festival=command.festival,
            command=command.id,
            field=wrong.field,
            reason=wrong.reason,
            message=wrong.message[:MAX_MESSAGE],
        )
    )


def names(ids: list[str]) -> str:
    """The first few of many ids, for a sentence."""
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
