"""The organisers' commands and their outcomes, kept so that the sender can look them up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.festival.domain.planning.terms import Conflict
from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused, PlanConflict
from shared.events.language import MAX_TEXT, Event, Publication
from shared.runtime.processor import Decision
from shared.wording import Message, as_message

# More are not read, and would not fit into an event.
MAX_CONFLICTS = 20


class CommandStatus(StrEnum):
    """`WAITING`: the command went on to inventory, or through Kafka to festival itself. The answer decides."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rejection:
    """The rejection of a command: the field, a reason for programs and a sentence for a person.

    `conflicts`: the first conflicts that left nothing to plan.
    """

    field: str
    reason: CommandRefusal
    message: Message | str
    conflicts: tuple[Conflict, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", self.sentence)

    @property
    def sentence(self) -> Message:
        return as_message(self.message)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. Its id is the event's, its `source` the sender.

    `booth`, `lot` and `qty` (pieces) are those of an order to inventory.
    """

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


def command_of(event: Event, status: CommandStatus = CommandStatus.DONE) -> Command:
    """The command of this event, with a status."""
    return Command(event.id, event.source, event.key, type(event.body).__name__, event.logged_at, status)


def refuse(command: Command, rejection: Rejection) -> tuple[Command, Publication]:
    """The command as refused, and its event."""
    return replace(command, outcome=CommandStatus.REFUSED, wrong=rejection), refusal_event(command, rejection)


def refusal_event(command: Command, rejection: Rejection) -> Publication:
    """The event that a command was refused."""
    return FESTIVAL.of(
        CommandRefused(
            festival=command.festival,
            command=command.id,
            field=rejection.field,
            reason=rejection.reason,
            message=rejection.sentence.english[:MAX_TEXT],
            template=rejection.sentence.template,
            values=rejection.sentence.plain_values,
            conflicts=tuple(conflict_event(conflict) for conflict in rejection.conflicts),
        )
    )


def conflict_event(conflict: Conflict) -> PlanConflict:
    """The conflict in the form of events."""
    return PlanConflict.model_validate(conflict, from_attributes=True)


def nothing_to_plan(field: str, first: str, conflicts: Sequence[Conflict]) -> Rejection:
    """The rejection of a plan without a line.

    Its message is the `first` sentence, those of the conflicts that fit (at least one), and the number of the others.
    """
    untold = len(conflicts)
    message = first
    for conflict in conflicts:
        longer = f"{message} {conflict.reason}"
        if untold < len(conflicts) and len(longer) + len(_more(untold - 1)) > MAX_TEXT:
            break
        message, untold = longer[: MAX_TEXT - len(_more(untold - 1))], untold - 1
    examples = tuple(replace(conflict, kept=()) for conflict in conflicts[:MAX_CONFLICTS])
    return Rejection(field, CommandRefusal.NOTHING_TO_PLAN, message + _more(untold), examples)


def _more(demands: int) -> str:
    return f" Nor can anything be had for {demands} more demand{'s' if demands > 1 else ''}." if demands else ""


def first_names(ids: list[str]) -> str:
    """The first three ids and the number of the others, for a sentence."""
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
