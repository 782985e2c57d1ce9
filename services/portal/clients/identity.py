"""Sign-in, the renewal of tokens, and sign-out, at identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog

from services.portal.store.sessions import Tokens
from shared.wording import Message, message_of

log = structlog.get_logger()

ANSWER_WITHIN = 10.0
AWAY = Message("The identity service does not answer, so nobody can sign in now. Please try again in a moment.")


class IdentityAway(Exception):
    """Identity does not answer, or not as it should."""


class SignInRefused(Exception):
    """Identity refuses the login. `message` says why; `status` is that of its answer."""

    def __init__(self, status: int, message: Message) -> None:
        super().__init__(message.english)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class IdentitySession:
    """A session of identity: its subject, the name of the account, and its tokens."""

    subject: str
    name: str | None
    tokens: Tokens


class Identity:
    """The identity service. `address` in its methods: the person's, which identity counts requests by."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, transport=transport)

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, login: str, password: str, address: str) -> IdentitySession:
        """A new session. Raises SignInRefused and IdentityAway."""
        answer = await self._post("/sessions", {"login": login, "password": password}, address)
        if answer.status_code != httpx.codes.OK:
            raise SignInRefused(answer.status_code, _reason(answer))
        subject, tokens = _tokens(answer)
        return IdentitySession(subject, await self._name(tokens), tokens)

    async def refresh(self, tokens: Tokens, address: str) -> Tokens | None:
        """The next tokens, or None if the session is over. Raises IdentityAway."""
        answer = await self._post("/sessions/refresh", {"refresh_token": tokens.refresh}, address)
        if answer.status_code in (400, 401, 422):
            return None
        if answer.status_code != httpx.codes.OK:
            raise IdentityAway
        return _tokens(answer)[1]

    async def end(self, tokens: Tokens, address: str) -> None:
        """End the session. Raises IdentityAway."""
        await self._post("/sessions/end", {"refresh_token": tokens.refresh}, address)

    async def _name(self, tokens: Tokens) -> str | None:
        try:
            headers = {"Authorization": f"Bearer {tokens.access}"}
            answer = await self._client.get(f"{self._url}/me", headers=headers)
            name = answer.raise_for_status().json().get("name")
        except (httpx.HTTPError, ValueError, AttributeError):
            return None
        return name if isinstance(name, str) else None

    async def _post(self, path: str, body: Mapping[str, str], address: str) -> httpx.Response:
        try:
            answer = await self._client.post(f"{self._url}{path}", json=body, headers={"X-Forwarded-For": address})
        except httpx.HTTPError as fault:
            # Its text has no body: only the kind of fault and the address of identity.
            log.warning("identity_request_failed", path=path, fault=repr(fault)[:300])
            raise IdentityAway from None
        if answer.is_server_error:
            raise IdentityAway
        return answer


def _tokens(answer: httpx.Response) -> tuple[str, Tokens]:
    try:
        content: Mapping[str, Any] = answer.json()
        expires_at = datetime.now(UTC) + timedelta(seconds=float(content["expires_in"]))
        return content["subject"], Tokens(content["access_token"], content["refresh_token"], expires_at)
    except (ValueError, KeyError, TypeError):
        raise IdentityAway from None


def _reason(answer: httpx.Response) -> Message:
    try:
        problem = answer.json()
        return message_of(problem["template"], problem["values"])
    except (ValueError, KeyError, TypeError):
        return Message("The login or the password is wrong, or the account is closed.")
