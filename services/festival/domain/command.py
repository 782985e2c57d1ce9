"""What became of each organiser's command, so that who gave it can ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.festival.domain.planning.terms import Conflict
from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused, PlanConflict
from shared.events.language import MAX_TEXT, Event, Publication
from shared.runtime.family import Decision

# As many as are read, and an event can hold.
MAX_CONFLICTS = 20


class CommandStatus(StrEnum):
    """`WAITING`: sent on to inventory, or to festival itself by way of Kafka; what comes of it has the last word."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rejection:
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
    outcome: CommandStatus
    wrong: Rejection | None = None
    booth: str | None = None
    lot: str | None = None
    qty: int = 0


CommandResult: TypeAlias = Decision | Rejection


def command_of(event: Event, outcome: CommandStatus = CommandStatus.DONE) -> Command:
    """The command in this event."""
    return Command(event.id, event.source, event.key, type(event.body).__name__, event.logged_at, outcome)


def refuse(command: Command, wrong: Rejection) -> tuple[Command, Publication]:
    """The command as refused, and the event that says so."""
    return replace(command, outcome=CommandStatus.REFUSED, wrong=wrong), refusal_event(command, wrong)


def refusal_event(command: Command, wrong: Rejection) -> Publication:
    return FESTIVAL.of(
        CommandRefused(
            festival=command.festival,
            command=command.id,
            field=wrong.field,
            reason=wrong.reason,
            message=wrong.message[:MAX_TEXT],
            conflicts=tuple(conflict_event(one) for one in wrong.conflicts),
        )
    )


def conflict_event(conflict: Conflict) -> PlanConflict:
    """The conflict as events show it."""
    return PlanConflict.model_validate(conflict, from_attributes=True)


def nothing_to_plan(field: str, first: str, conflicts: Sequence[Conflict]) -> Rejection:
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
    return Rejection(field, CommandRefusal.NOTHING_TO_PLAN, told + _more(left), kept)


def _more(demands: int) -> str:
    return f" Nor can anything be had for {demands} more demand{'s' if demands > 1 else ''}." if demands else ""


def first_names(ids: list[str]) -> str:
    """The first few of many ids, for a sentence."""
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
