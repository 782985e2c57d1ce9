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
from shared.runtime.state import State
from shared.wording import Message, Value

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
    message: Message
    conflicts: tuple[Conflict, ...] = ()


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


def waiting_command(state: State, id: str) -> Command | None:
    """The command of this id, if it waits for an answer. An answer that comes twice finds none."""
    command = state.get(Command, id)
    return command if command is not None and command.outcome is CommandStatus.WAITING else None


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
            message=rejection.message.english[:MAX_TEXT],
            template=rejection.message.template,
            values=rejection.message.plain_values,
            conflicts=tuple(conflict_event(conflict) for conflict in rejection.conflicts),
        )
    )


def conflict_event(conflict: Conflict) -> PlanConflict:
    """The conflict in the form of events."""
    return PlanConflict.model_validate(conflict, from_attributes=True)


def nothing_to_plan(field: str, first: Message, conflicts: Sequence[Conflict]) -> Rejection:
    """The rejection of a plan without a line.

    Its message is the `first` sentence, those of the conflicts that fit (at least one), and the number of the others.
    """
    examples = tuple(replace(conflict, kept=()) for conflict in conflicts[:MAX_CONFLICTS])
    message = _with_reasons(first, conflicts[:1], len(conflicts) - 1)
    for count in range(2, len(conflicts) + 1):
        longer = _with_reasons(first, conflicts[:count], len(conflicts) - count)
        if max(map(len, (longer.english, *map(str, longer.plain_values.values())))) > MAX_TEXT:
            break
        message = longer
    return Rejection(field, CommandRefusal.NOTHING_TO_PLAN, message, examples)


def _with_reasons(first: Message, shown_conflicts: Sequence[Conflict], untold: int) -> Message:
    # One reason alone must fit beside the other sentences.
    room = MAX_TEXT - len(first.english) - 60 if len(shown_conflicts) == 1 else None
    reasons = {
        "reasons": " ".join(conflict.reason for conflict in shown_conflicts)[:room],
        "reasons_id": " ".join(conflict.reason_id for conflict in shown_conflicts)[:room],
    }
    if untold <= 0:
        return Message("{first} {reasons}", first=first, **reasons)
    return Message(
        "{first} {reasons} Nor can anything be had for {untold:more demand|more demands}.",
        first=first,
        **reasons,
        untold=untold,
    )


def first_names(ids: Sequence[str]) -> Value:
    """The first three ids and the number of the others, for a sentence."""
    first = ", ".join(ids[:3])
    return first if len(ids) <= 3 else Message("{first} and {more} more", first=first, more=len(ids) - 3)
