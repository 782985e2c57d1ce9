"""The rules of a festival's commands: what becomes of each, whether it was carried out or is wrong."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias, TypeVar

from services.festival.domain.command import Command, CommandResult, Rejection, command_of, refusal_event, refuse
from services.festival.domain.festival import Festival, announce
from shared.events.festival import AnnounceFestival, CommandRefusal
from shared.events.language import Body, Event
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State
from shared.wording import Message

B = TypeVar("B", bound=Body)
CarryOut: TypeAlias = Callable[[State, Festival, B, Event], CommandResult]

# Orders to inventory carry the command's id: it must be one that the published language takes, and never look
# like a reservation's, which has a slash.
COMMAND_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")


def command(carry_out: CarryOut[B]) -> Rule[B]:
    """The rule of a command to a known festival. A wrong command changes nothing but its own fate."""

    def at_festival(state: State, event: Event, body: B) -> CommandResult:
        festival = state.get(Festival, event.key)
        if festival is None:
            message = Message("No festival {festival} is known; announce it first.", festival=event.key)
            return Rejection("festival", CommandRefusal.UNKNOWN_FESTIVAL, message)
        return carry_out(state, festival, body, event)

    return _command(at_festival)


def announcement() -> Rule[AnnounceFestival]:
    """The rule of the one command that needs no festival."""

    def announced(state: State, event: Event, body: AnnounceFestival) -> CommandResult:
        return announce(state, state.get(Festival, event.key), body, event.logged_at, event.actor)

    return _command(announced)


def by_body(carry_out: Callable[[State, Festival, B], CommandResult]) -> CarryOut[B]:
    """For what goes by the command's body alone."""
    return lambda state, festival, body, _event: carry_out(state, festival, body)


def by_time(carry_out: Callable[[State, Festival, B, datetime], CommandResult]) -> CarryOut[B]:
    """For what goes by the body and by when Kafka took the command in."""
    return lambda state, festival, body, event: carry_out(state, festival, body, event.logged_at)


def _command(carry_out: Callable[[State, Event, B], CommandResult]) -> Rule[B]:
    def rule(state: State, event: Event, body: B) -> Decision:
        command = command_of(event)
        if state.get(Command, event.id) is not None:
            message = Message("Another command has this id; give each one its own UUID.")
            return state, [refusal_event(command, Rejection("command", CommandRefusal.ID_TAKEN, message))]
        if COMMAND_ID.fullmatch(event.id):
            result = carry_out(state, event, body)
        else:
            message = Message("A command's id is letters, digits, '.', '_', ':' and '-', at most 120; best a UUID.")
            result = Rejection("command", CommandRefusal.BAD_NAME, message)
        if isinstance(result, Rejection):
            command, refused_event = refuse(command, result)
            return state.put(command), [refused_event]
        after, events = result
        # Who sent an order on has put the command down as waiting already.
        return (after if (Command, command.id) in after.changes else after.put(command)), events

    return rule
