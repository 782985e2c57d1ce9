"""An account with its roles, and the outcome of each command about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.events.identity import AccountRefusal, Role
from shared.wording import Message


@dataclass(frozen=True, slots=True, order=True)
class HeldRole:
    """A role that an account holds, with its scope if it has one."""

    role: Role
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One account; `id` is its subject. `credential`: the id under which its name and password are kept."""

    id: str
    credential: str
    opened_at: datetime
    roles: tuple[HeldRole, ...] = ()
    closed_at: datetime | None = None


class AccountCommandStatus(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AccountRejection:
    """The rejection of a command: the field, a reason for programs and a sentence for a person."""

    field: str
    reason: AccountRefusal
    message: Message


@dataclass(frozen=True, slots=True)
class AccountCommand:
    """One command about an account and its outcome. `id` is made by `command_key`."""

    id: str
    command: str
    source: str
    subject: str
    name: str
    actor: str | None
    given_at: datetime
    status: AccountCommandStatus
    rejection: AccountRejection | None = None


def command_key(subject: str, command: str) -> str:
    """The id of a command's document. Commands about two accounts lie in two lanes, even with one id."""
    return f"{subject} {command}"
