"""A client's session with identity: its tokens in one file, which are renewed before they expire.

A refresh token is used once. Two processes that renewed the same session with it would end it, so that a lock stands
before each renewal. A renewal whose answer was lost on the way is asked for once more: identity allows that for some
seconds.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from shared import file_locks
from shared.errors import NotAnswered
from shared.private_file import replace_private
from shared.trust import refuse_in_clear, trusted
from shared.wording import Message

# A token is renewed if it expires within this: a request may be on its way for so long.
MARGIN_SECONDS = 30.0
ANSWER_WITHIN = 10.0
ASK_AGAIN_SECONDS = 0.2
NOT_RENEWED = Message(
    "The identity service does not answer, so that your session can't be renewed. Try again later, or see `karya "
    "status`."
)


@dataclass(frozen=True, slots=True)
class ClientSession:
    """The tokens of one sign-in. `expires_at`: of the access token, in Unix seconds by this machine's clock."""

    identity: str
    subject: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float

    @classmethod
    def from_answer(cls, identity: str, answer: Mapping[str, Any], asked_at: float) -> "ClientSession":
        """The session by identity's answer to a sign-in or a renewal. Raises KeyError."""
        expires_at = asked_at + float(answer["expires_in"])
        return cls(identity, answer["subject"], answer["access_token"], answer["refresh_token"], expires_at)


class SessionFile:
    """The file of one session. Only its owner can read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> ClientSession | None:
        """The session, or None if there is none or the file is damaged."""
        try:
            return ClientSession(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, session: ClientSession) -> None:
        """Replace the session. A reader sees the former one or this one, and never a part."""
        replace_private(self.path, json.dumps(asdict(session)).encode())

    def delete(self) -> None:
        """End the session here. Safe to repeat."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A lock, under which one process at a time renews or replaces the session."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
            file_locks.lock(lock)
            yield


class TokenSource(Protocol):
    """Where a client's access token comes from."""

    def token(self) -> str | None:
        """The access token, renewed if it expires soon; None for a client that is not signed in. Raises
        NotAnswered if it has expired and identity does not answer."""

    def renewed(self, used: str) -> str | None:
        """A newer token than `used`; None if there is none. Raises NotAnswered if identity does not answer."""

    @property
    def has_ended(self) -> bool:
        """Whether identity has ended the session, so that the person must sign in again."""


class GivenToken:
    """An access token that a program was given, or none. It can't be renewed."""

    has_ended = False

    def __init__(self, token: str | None) -> None:
        self._token = token

    def token(self) -> str | None:
        return self._token

    def renewed(self, used: str) -> str | None:  # noqa: ARG002 - as a session has it
        return None


class StoredSession:
    """The session in a file. `identity`: the address that it must belong to; None takes any."""

    def __init__(
        self, file: SessionFile, identity: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.file = file
        self._identity = identity
        self._clock = clock
        self.has_ended = False

    def token(self) -> str | None:
        session = self._session()
        if session is None:
            return None
        left = session.expires_at - self._clock()
        if left > MARGIN_SECONDS:
            return session.access_token
        try:
            return self.renewed(session.access_token)
        except NotAnswered:
            if left <= 0:
                raise
            return session.access_token

    def renewed(self, used: str) -> str | None:
        with self.file.locked():
            session = self._session()
            if session is None:
                return None
            if session.access_token != used:
                return session.access_token  # another process has renewed it meanwhile
            fresh = self._ask(session)
            if fresh is None:
                self.has_ended = True
                self.file.delete()
                return None
            self.file.write(fresh)
            return fresh.access_token

    def _session(self) -> ClientSession | None:
        session = self.file.read()
        # A token is for the services of its own identity alone.
        return session if session is not None and self._identity in (None, session.identity) else None

    def _ask(self, session: ClientSession) -> ClientSession | None:
        """The session with new tokens, or None if identity has ended it."""
        asked_at = self._clock()
        try:
            refuse_in_clear(session.identity)
            with httpx.Client(timeout=ANSWER_WITHIN, verify=trusted()) as client:
                address, body = f"{session.identity}/sessions/refresh", {"refresh_token": session.refresh_token}
                try:
                    answer = client.post(address, json=body)
                except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError):
                    answer = client.post(address, json=body)
            if answer.status_code in (400, 401, 422):
                return None
            return ClientSession.from_answer(session.identity, answer.raise_for_status().json(), asked_at)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
            raise NotAnswered(NOT_RENEWED) from None


class Bearer(httpx.Auth):
    """Sends the access token with each request, and once more with a newer one if it is refused."""

    def __init__(self, source: TokenSource) -> None:
        self.source = source

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.source.token()
        answer = yield _with_token(request, token)
        if answer.status_code == 401 and token is not None:
            fresh = self.source.renewed(token)
            if fresh is not None:
                yield _with_token(request, fresh)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        # Renewals wait for a lock and for identity.
        token = await asyncio.to_thread(self.source.token)
        answer = yield _with_token(request, token)
        if answer.status_code == 401 and token is not None:
            fresh = await asyncio.to_thread(self.source.renewed, token)
            if fresh is not None:
                yield _with_token(request, fresh)


def claims_of(token: str) -> Mapping[str, Any]:
    """The claims of a token, for people. They are not checked: a service does that."""
    try:
        claims = token.split(".")[1]
        content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (IndexError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def roles_of(token: str) -> list[str]:
    """The roles in a token's claims, unchecked."""
    roles = claims_of(token).get("roles")
    return [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []


def wait_for_role(source: TokenSource, role: str, seconds: float) -> bool:
    """Renew the session until its token has the role, for at most so many seconds. False if it has not come.

    True for a client that is not signed in or can't renew its token: there is nothing to wait for.
    Raises NotAnswered if identity does not answer.
    """
    token = source.token()
    end = time.monotonic() + seconds
    while token is not None and role not in roles_of(token):
        if time.monotonic() > end:
            return False
        time.sleep(ASK_AGAIN_SECONDS)
        token = source.renewed(token)
    return True


def _with_token(request: httpx.Request, token: str | None) -> httpx.Request:
    if token is not None:
        refuse_in_clear(request.url)
        request.headers["Authorization"] = f"Bearer {token}"
    return request
