"""What became of each organiser's command, so that who gave it can ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.festival.domain.planning.terms import Conflict
from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused, PlanConflict
from shared.events.language import MAX_TEXT, Event, Publication
from shared.runtime.processor import Decision

# As many as are read, and an event can hold.
MAX_CONFLICTS = 20


class Outcome(StrEnum):
    """`WAITING`: sent on to inventory, or to festival itself by way of Kafka; what comes of it has the last word."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a command is refused: which field, the reason for programs, a sentence for a person; `conflicts`: the
    first of those that let nothing be planned."""

    field: str
    reason: CommandRefusal
    message: str
    conflicts: tuple[Conflict, ...] = ()


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
            message=wrong.message[:MAX_TEXT],
            conflicts=tuple(said_of(one) for one in wrong.conflicts),
        )
    )


def said_of(conflict: Conflict) -> PlanConflict:
    """The conflict as events show it."""
    return PlanConflict.model_validate(conflict, from_attributes=True)


def nothing_planned(field: str, first: str, conflicts: Sequence[Conflict]) -> Wrong:
    """Behind the `first` sentence come those of as many conflicts as fit, at least one, and how many more there
    are."""
    left = len(conflicts)
    told = first
    for one in conflicts:
        longer = f"{told} {one.reason}"
        if left < len(conflicts) and len(longer) + len(_more(left - 1)) > MAX_TEXT:
            break
        told, left = longer[: MAX_TEXT - len(_more(left - 1))], left - 1
    kept = tuple(replace(one, kept=()) for one in conflicts[:MAX_CONFLICTS])
    return Wrong(field, CommandRefusal.NOTHING_TO_PLAN, told + _more(left), kept)


def _more(demands: int) -> str:
    return f" Nor can anything be had for {demands} more demand{'s' if demands > 1 else ''}." if demands else ""


def names(ids: list[str]) -> str:
    """The first few of many ids, for a sentence."""
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
