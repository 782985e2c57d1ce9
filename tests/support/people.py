"""People at a running identity service, with the first accounts that a test gives it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from deploy.accounts import seed_accounts
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from services.identity.store.passwords import ScryptCost
from shared.events.identity import Role
from shared.settings import Settings
from tests.support.place import RunProcess
from tests.support.running import ServiceProcess
from tests.support.waiting import eventually

ISSUER = "http://identity.test"
ADMIN = FirstAccount("kepala", "sepuluh kata acak", (HeldRole(Role.ADMINISTRATOR),), "Kepala")
ORGANISER = FirstAccount("rina", "tenun ikat biru", (HeldRole(Role.ORGANISER, "ODOP"),), "Rina")


class Person:
    """Somebody at identity's HTTP API, with the tokens of the last sign-in."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=40)
        self.tokens: dict[str, Any] = {}

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @property
    def subject(self) -> str:
        return str(self.tokens["subject"])

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(path, headers=self._headers())

    async def post(self, path: str, **fields: object) -> httpx.Response:
        return await self._client.post(path, json=fields, headers=self._headers() | {"Prefer": "wait=20"})

    async def sign_in(self, login: str, password: str) -> httpx.Response:
        answer = await self._client.post("/sessions", json={"login": login, "password": password})
        if answer.status_code == 200:
            self.tokens = answer.json()
        return answer

    async def signed_in(self, account: FirstAccount) -> None:
        """Until the account is there and has all of its roles."""

        async def roles() -> int:
            answer = await self.sign_in(account.login, account.password)
            return len((await self.get("/me")).json()["roles"]) if answer.status_code == 200 else -1

        await eventually(roles, equals=len(account.roles))
        await self.sign_in(account.login, account.password)

    async def refresh(self, token: str | None = None) -> httpx.Response:
        token = token or self.tokens["refresh_token"]
        return await self._client.post("/sessions/refresh", json={"refresh_token": token})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}


@asynccontextmanager
async def identity(
    settings: Settings, service_process: RunProcess, *accounts: FirstAccount
) -> AsyncIterator[ServiceProcess]:
    """Identity, with these accounts. Their passwords are hashed so that a check takes no tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScryptCost.__init__, "__defaults__", (2**4, 8, 1))
        await seed_accounts(settings, accounts)
    async with service_process("identity", settings) as process:
        yield process
