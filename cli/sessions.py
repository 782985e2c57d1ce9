"""Whose session a command uses: that of `karya login` on this machine, or a token from the environment."""

import hashlib
import os
import re
from pathlib import Path

import typer

from shared.access.session import GivenToken, SessionFile, StoredSession, TokenSource

FOLDER = Path(typer.get_app_dir("karya")) / "sessions"
IDENTITY = "KARYA_IDENTITY_URL"
FILE = "KARYA_SESSION_FILE"
TOKEN = "KARYA_TOKEN"
# Of a request that nobody signs in for, such as the sign-in itself.
STRANGER = GivenToken(None)


def identity_url() -> str | None:
    """The address of the identity service, if it is known here."""
    return os.environ.get(IDENTITY, "").rstrip("/") or None


def session_file() -> SessionFile | None:
    """The file of the session with this identity service. None if neither the file nor the service is known."""
    if chosen := os.environ.get(FILE):
        return SessionFile(Path(chosen))
    identity = identity_url()
    if identity is None:
        return None
    # Readable, and different for each address.
    name = re.sub(r"[^a-z0-9]+", "-", identity.partition("//")[2].lower()).strip("-")
    return SessionFile(FOLDER / f"{name[:60]}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.json")


def given_token() -> str | None:
    """The token of `KARYA_TOKEN`, if there is one."""
    return os.environ.get(TOKEN, "").strip() or None


def token_source() -> TokenSource:
    """The token of `KARYA_TOKEN`, else the session of this machine, else nothing."""
    if (token := given_token()) is not None:
        return GivenToken(token)
    file = session_file()
    return StoredSession(file, identity_url()) if file is not None else STRANGER
