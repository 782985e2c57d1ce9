"""The maker's pseudonym: the only fact about a lot's maker that leaves a terminal.

A pseudonym is HMAC-SHA256 of the maker's private number under a key that stays at the facility, cut to 80 bits.
Without the key nobody can find the maker by trying all numbers. The terminals of a facility share copies of the key
file. A facility that loses its key gets new pseudonyms.
"""

import hmac
import os
import re
import secrets
from base64 import b32encode
from contextlib import suppress
from pathlib import Path

from shared.causes import cause_of
from shared.errors import SpoolFailed, WrongEntry
from shared.wording import Message

KEY_BYTES = 32
_PSEUDONYM_BYTES = 10


def pseudonym(key: bytes, facility: str, number: str) -> str:
    """The pseudonym of a maker's number at a facility: 16 characters. Raises WrongEntry for an empty number."""
    bare = re.sub(r"[\s.\-/]+", "", number).upper()
    if not bare:
        raise WrongEntry(Message("The maker's number is empty. Leave --maker out if nobody is to be named."))
    digest = hmac.digest(key, f"{facility}\n{bare}".encode(), "sha256")
    return b32encode(digest[:_PSEUDONYM_BYTES]).decode().lower()


def key_at(path: Path) -> bytes:
    """The key in this file, which is created if missing. Raises SpoolFailed if it is unreadable or damaged."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise SpoolFailed(
            Message("The makers' key {path} can't be used: {reason}.", path=str(path), reason=cause_of(error))
        ) from error
    if len(key) != KEY_BYTES:
        raise SpoolFailed(
            Message(
                "The makers' key {path} is damaged. Please restore a copy of it: with another key "
                "every maker would get a new pseudonym.",
                path=str(path),
            )
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # The link is atomic and never replaces a key that another process has just made.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
