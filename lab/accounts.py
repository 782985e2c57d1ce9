"""Accounts of a made-up stack: they sign in by themselves, as often as their sessions end."""

import asyncio
import secrets
import threading
import time
from collections.abc import Sequence

import httpx

from deploy.accounts import seed_accounts
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from shared.access.rights import Grant
from shared.access.session import ANSWER_WITHIN, ASK_AGAIN_SECONDS, MARGIN_SECONDS, TokenSource, roles_of
from shared.errors import NotAnswered
from shared.settings import Settings
from shared.trust import trusted
from shared.wording import Message

NOT_SIGNED_IN = Message("The identity service does not let a made-up account sign in.")


class PersistentSession:
    """The session of an account at the identity service at `identity`. When it can't be renewed, the account signs in
    again."""

    has_ended = False

    def __init__(self, identity: str, login: str, password: str) -> None:
        self._identity = identity
        self._login = {"login": login, "password": password}
        self._lock = threading.Lock()
        self._token: str | None = None
        self._refresh_token = ""
        self._expires_at = 0.0

    def token(self) -> str | None:
        with self._lock:
            if self._expires_at - time.monotonic() <= MARGIN_SECONDS:
                self._renew()
            return self._token

    def renewed(self, used: str) -> str | None:
        with self._lock:
            if self._token == used:
                self._renew()
            return self._token

    def _renew(self) -> None:
        try:
            with httpx.Client(base_url=self._identity, timeout=ANSWER_WITHIN, verify=trusted()) as client:
                asked_at, answer = time.monotonic(), None
                if self._refresh_token:
                    answer = client.post("/sessions/refresh", json={"refresh_token": self._refresh_token})
                if answer is None or answer.status_code == httpx.codes.UNAUTHORIZED:
                    answer = client.post("/sessions", json=self._login)
            page = answer.raise_for_status().json()
            self._token, self._refresh_token = page["access_token"], page["refresh_token"]
            self._expires_at = asked_at + float(page["expires_in"])
        except httpx.HTTPError:
            # Its answer may be lost, and the refresh token used: then the account signs in.
            self._refresh_token = ""
            raise NotAnswered(NOT_SIGNED_IN) from None


async def made_account(settings: Settings, identity: str, login: str, roles: Sequence[Grant]) -> PersistentSession:
    """A new account with these roles, at an identity service that may not have started yet. Raises KafkaError and
    PyMongoError."""
    password = secrets.token_urlsafe(12)
    held = tuple(HeldRole(grant.role, grant.scope) for grant in roles)
    await seed_accounts(settings, [FirstAccount(login, password, held)])
    return PersistentSession(identity, login, password)


async def wait_for_roles(source: TokenSource, *roles: Grant) -> None:
    """Wait until the token has these roles, however often identity does not answer. Without a token there is nothing
    to wait for."""
    wanted = {str(role) for role in roles}
    while True:
        try:
            token = await asyncio.to_thread(source.token)
            if token is None or wanted <= set(roles_of(token)):
                return
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            await asyncio.to_thread(source.renewed, token)
        except NotAnswered:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
