"""What every command about an account or a device has: one outcome under its id, and a refusal with its reason."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

from services.identity.domain.account import (
    AccountCommand,
    AccountCommandStatus,
    AccountRejection,
    command_key,
)
from shared.events.identity import IDENTITY, AccountCommandRefused, AccountRefusal
from shared.events.language import ID_PATTERN, MAX_TEXT, Body, Event
from shared.runtime.processor import Decision
from shared.runtime.state import Entity, State
from shared.wording import Message

E = TypeVar("E", bound=Entity)
# The entity as the command leaves it, with the fact; None for a fact that was so already.
Outcome: TypeAlias = tuple[E, Body | None] | AccountRejection


class About(Protocol):
    """A command that names an account or a device by its subject."""

    @property
    def subject(self) -> str: ...


def decide(
    state: State, event: Event, body: About, entity: type[E], outcome_of: Callable[[E | None], Outcome[E]]
) -> Decision:
    """Work a command about the entity that its subject names: keep its outcome, and tell of it."""
    command = AccountCommand(
        id=command_key(body.subject, event.id),
        command=event.id,
        source=event.source,
        subject=body.subject,
        name=type(body).__name__,
        actor=actor_of(event),
        given_at=event.logged_at,
        status=AccountCommandStatus.DONE,
    )
    if state.get(AccountCommand, command.id) is not None:
        # The first command with this id keeps its outcome.
        message = Message("Another command has this id; give each one its own UUID.")
        taken = AccountRejection("command", AccountRefusal.ID_TAKEN, message)
        return state, [IDENTITY.of(_refusal(command, taken))]
    outcome = outcome_of(state.get(entity, body.subject))
    if isinstance(outcome, AccountRejection):
        refused = replace(command, status=AccountCommandStatus.REFUSED, rejection=outcome)
        return state.put(refused), [IDENTITY.of(_refusal(command, outcome))]
    changed, fact = outcome
    return state.put(changed, command), [IDENTITY.of(fact)] if fact is not None else []


def actor_of(event: Event) -> str | None:
    """Who asked for it: the account that gave the command, or the program that wrote the event."""
    return event.actor or (event.source if re.fullmatch(ID_PATTERN, event.source) else None)


def _refusal(command: AccountCommand, rejection: AccountRejection) -> AccountCommandRefused:
    return AccountCommandRefused(
        subject=command.subject,
        command=command.command,
        field=rejection.field,
        reason=rejection.reason,
        message=rejection.message.english[:MAX_TEXT],
        template=rejection.message.template,
        values=rejection.message.plain_values,
    )
