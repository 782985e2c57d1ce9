"""A user of Kafka or MongoDB with its password, from a file of two lines."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.causes import cause_of
from shared.errors import BadSettings
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user and its password."""

    user: str
    password: str = field(repr=False)


def read_credentials(file: Path) -> UserCredentials:
    """The credentials of a file: the user's name in its first line, the password in its second.

    Both are in one file, so that a replaced file changes them together. Raises BadSettings.
    """
    try:
        lines = file.read_text().splitlines()
    except (OSError, ValueError) as fault:
        raise BadSettings(
            Message("The credentials in {file} can't be read: {reason}.", file=str(file), reason=cause_of(fault))
        ) from fault
    if len(lines) != 2 or not all(lines):
        raise BadSettings(Message("{file} must have two lines: a user and its password.", file=str(file)))
    return UserCredentials(*lines)
