"""Sign-in, the renewal of tokens, and sign-out, at identity."""

import time
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
# The provider is asked meanwhile, an account is opened, and its roles are granted.
FINISH_WITHIN = 40.0
METADATA = "/.well-known/oauth-authorization-server"
METHODS_SECONDS = 60.0
# While identity is silent, not every view of the page of sign-in waits for it.
ASK_AGAIN_SECONDS = 5.0
AWAY = Message("The identity service does not answer, so nobody can sign in now. Please try again in a moment.")


class IdentityAway(Exception):
    """Identity does not answer, or not as it should."""


class SignInRefused(Exception):
    """Identity refuses the login. `message` says why; `status` is that of its answer."""

    def __init__(self, status: int, message: Message) -> None:
        super().__init__(message.english)
        self.status = status
        self.message = message


class ProviderSignInFailed(Exception):
    """Identity gives no session for what came from the provider. `error` says why, for programs."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class SignInMethods:
    """How people sign in: with a password, at a provider, or both. `provider`: its name for people."""

    password: bool
    provider: str | None


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
        self._methods = SignInMethods(password=True, provider=None)
        self._methods_until = float("-inf")

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, login: str, password: str, address: str) -> IdentitySession:
        """A new session. Raises SignInRefused and IdentityAway."""
        answer = await self._post("/sessions", {"login": login, "password": password}, address)
        if answer.status_code != httpx.codes.OK:
            raise SignInRefused(answer.status_code, _reason(answer))
        subject, tokens = _tokens(answer)
        return IdentitySession(subject, await self._name(tokens), tokens)

    async def methods(self) -> SignInMethods:
        """How people sign in now, as identity has said within a minute; the last known while it does not answer."""
        if time.monotonic() >= self._methods_until:
            try:
                answer = await self._client.get(f"{self._url}{METADATA}")
                metadata = answer.raise_for_status().json()
                named = metadata["sign_in_methods_supported"]
                # An older identity has no name for it.
                provider = str(metadata.get("sign_in_provider") or "") if "provider" in named else None
                self._methods = SignInMethods(password="password" in named, provider=provider)
                self._methods_until = time.monotonic() + METHODS_SECONDS
            except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as fault:
                log.warning("identity_request_failed", path=METADATA, fault=repr(fault)[:300])
                self._methods_until = time.monotonic() + ASK_AGAIN_SECONDS
        return self._methods

    async def begin_at_provider(self, callback: str, challenge: str, address: str) -> str:
        """Where a browser goes to sign in at the provider. Raises ProviderSignInFailed and IdentityAway."""
        body = {"redirect_uri": callback, "code_challenge": challenge}
        answer = await self._post("/sessions/provider/begin", body, address)
        if answer.status_code != httpx.codes.OK:
            raise ProviderSignInFailed(_error(answer))
        try:
            return str(answer.json()["address"])
        except (ValueError, KeyError, TypeError):
            raise IdentityAway from None

    async def finish_at_provider(self, came_back: Mapping[str, str], verifier: str, address: str) -> IdentitySession:
        """A new session by what the provider has sent with a browser. Raises as `begin_at_provider` does."""
        body = {**came_back, "code_verifier": verifier}
        answer = await self._post("/sessions/provider/finish", body, address, FINISH_WITHIN)
        if answer.status_code != httpx.codes.OK:
            raise ProviderSignInFailed(_error(answer))
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

    async def _post(
        self, path: str, body: Mapping[str, str], address: str, within: float = ANSWER_WITHIN
    ) -> httpx.Response:
        headers = {"X-Forwarded-For": address}
        try:
            answer = await self._client.post(f"{self._url}{path}", json=body, headers=headers, timeout=within)
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


def _error(answer: httpx.Response) -> str:
    """The reason of a problem for programs; empty if it has none."""
    try:
        return str(answer.json().get("reason") or "")
    except (ValueError, AttributeError):
        return ""


def _reason(answer: httpx.Response) -> Message:
    try:
        problem = answer.json()
        return message_of(problem["template"], problem["values"])
    except (ValueError, KeyError, TypeError):
        return Message("The login or the password is wrong, or the account is closed.")
