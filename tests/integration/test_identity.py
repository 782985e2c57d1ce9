"""Accounts on real servers: sign-in, refresh, invitations, resets, rebuild, and a lost database of secrets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet

from deploy.accounts import reset_code, seed_accounts
from ops.rebuild import compare, rebuild
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from services.identity.store import SECRETS, Secrets
from services.identity.store.credentials import Credential, new_credential_id, new_subject
from services.identity.store.upkeep import ORPHAN_AFTER, collect
from shared.access.rights import Grant
from shared.access.tokens import check
from shared.events.festival import FESTIVAL, FestivalAnnounced
from shared.events.identity import IDENTITY, IDENTITY_COMMANDS, AccountClosed, OpenAccount, Role, RoleGranted
from shared.mongo import Mongo
from shared.settings import AccessControl, Settings
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.running import ServiceProcess
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ISSUER = "http://identity.test"
ADMIN = FirstAccount("kepala", "sepuluh kata acak", (HeldRole(Role.ADMINISTRATOR),), "Kepala")
ORGANISER = FirstAccount("rina", "tenun ikat biru", (HeldRole(Role.ORGANISER, "ODOP"),), "Rina")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With access control, as identity has it by default."""
    return settings.model_copy(update={"access": AccessControl.TOKENS, "identity_url": ISSUER})


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
    await seed_accounts(settings, accounts)
    async with service_process("identity", settings) as process:
        yield process


async def test_a_session_is_refreshed_until_a_used_token_or_the_closing_ends_it(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as thief,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        keys = KeySet.import_key_set((await rina.get("/jwks")).json())
        assert not any("d" in key for key in keys.as_dict(private=None)["keys"]), "only public parts"
        caller = check(rina.tokens["access_token"], keys, issuer=ISSUER)
        assert (caller.subject, caller.grants) == (rina.subject, (Grant(Role.ORGANISER, "ODOP"),))
        assert (await rina.get("/me")).json() == {
            "subject": rina.subject,
            "name": "Rina",
            "roles": [{"role": "organiser", "scope": "ODOP"}],
        }
        metadata = (await rina.get("/.well-known/oauth-authorization-server")).json()
        assert (metadata["issuer"], metadata["jwks_uri"]) == (ISSUER, f"{ISSUER}/jwks")

        first = rina.tokens["refresh_token"]
        second = (await rina.refresh()).json()["refresh_token"]
        assert check((await rina.refresh(second)).json()["access_token"], keys, issuer=ISSUER).subject == rina.subject
        await rina.sign_in(ORGANISER.login, ORGANISER.password)
        stolen = rina.tokens["refresh_token"]
        third = (await rina.refresh()).json()["refresh_token"]
        assert (await thief.refresh(stolen)).status_code == 401
        assert (await rina.refresh(third)).status_code == 401, "the whole family has ended"
        assert (await rina.refresh(first)).status_code == 401

        await rina.sign_in(ORGANISER.login, ORGANISER.password)
        last = rina.tokens["refresh_token"]
        assert (await rina.post(f"/accounts/{rina.subject}/close")).status_code == 403
        await admin.signed_in(ADMIN)
        closing = await admin.post(f"/accounts/{rina.subject}/close", reason="moved")
        assert closing.status_code == 200, closing.text
        assert (await rina.refresh(last)).status_code == 401
        again = await rina.sign_in(ORGANISER.login, ORGANISER.password)
        wrong = await rina.sign_in(ORGANISER.login, "something else")
        unknown = await rina.sign_in("nobody", "something else")
        assert [(answer.status_code, answer.json()) for answer in (again, wrong)] == [(401, unknown.json())] * 2
        [closed] = await probe.bodies(IDENTITY, AccountClosed)
        assert (closed.actor, closed.reason) == (admin.subject, "moved")
        page = (await admin.get(f"/commands/{closing.json()['command']}")).json()
        assert (page["name"], page["actor"], page["status"]) == ("CloseAccount", admin.subject, "done")
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])
