"""Files that a command reads."""

import sys
from pathlib import Path

from shared.causes import cause_of
from shared.errors import WrongEntry
from shared.wording import Message


def content_of(file: str) -> bytes:
    """The bytes of the file, or of standard input for `-`. Raises WrongEntry."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise WrongEntry(Message("{file} can't be read: {reason}.", file=file, reason=cause_of(error))) from None
