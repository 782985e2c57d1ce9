"""Where people sign in at a provider alone, no password opens or renews anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import APIRouter

from services.identity.api import accounts, invitations, sessions
from services.identity.api.failures import Failures
from services.identity.domain.account import Account
from services.identity.store.codes import Code
from services.identity.store.credentials import Credential, provider_login
from services.identity.store.passwords import Passwords, ScryptCost
from services.identity.store.sessions import Session
from shared.access.rights import Grant
from shared.access.tokens import Caller
from shared.events.identity import Role
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import KEY, SUBJECT, FixedKeys, headers_of
from tests.support.provider import with_provider

pytestmark = pytest.mark.unit

NOW = datetime.now(UTC)
ISSUER = "https://provider.test"
PASSWORD = "tenun ikat biru"
SETTINGS = with_provider(Settings(), ISSUER)


def administrator() -> dict[str, str]:
    """A token is good for minutes, and the tests of one process last longer."""
    return headers_of([Grant(Role.ADMINISTRATOR)])


@asynccontextmanager
async def an_api(settings: Settings, credential: Credential) -> AsyncIterator[httpx.AsyncClient]:
    """Identity with the one account of this credential. Its secrets are no database's."""
    account = Account(SUBJECT, credential.id, NOW)
    later = NOW + timedelta(hours=1)

    async def answer_account(*_: object) -> Account:
        return account

    async def answer_caller(*_: object) -> Caller:
        return Caller(SUBJECT, (Grant(Role.ADMINISTRATOR),))

    async def answer_credential(*_: object) -> Credential:
        return credential

    async def answer_code(*_: object) -> Code:
        return Code("command", None, later, SUBJECT, Role.AUDITOR)

    async def answer_text(*_: object) -> str:
        return "a.b"

    async def answer_session(*_: object) -> tuple[Session, str]:
        return Session("a", SUBJECT, credential.id), "a.c"

    async def answer_subject(*_: object) -> str:
        return SUBJECT

    async def key() -> object:
        return KEY

    async def nothing(*_: object) -> None:
        return None

    codes = SimpleNamespace(find=answer_code, add_reset=answer_text)
    secrets = cast(
        "Any",
        SimpleNamespace(
            passwords=Passwords(ScryptCost(n=2)),
            credentials=SimpleNamespace(get=answer_credential, subject_of=answer_subject),
            invitations=codes,
            resets=codes,
            sessions=SimpleNamespace(begin=answer_text, refresh=answer_session, end=nothing),
            keys=SimpleNamespace(current=key),
        ),
    )
    views = cast("Any", SimpleNamespace(find=answer_account, caller=answer_caller, require=answer_caller))
    service = Service("identity", (), settings)
    failures, router, commands = Failures(), APIRouter(), cast("Any", None)
    router.include_router(sessions.routes(service, secrets, views, commands, failures))
    router.include_router(invitations.routes(secrets, views, commands, failures, passwords=settings.passwords))
    router.include_router(accounts.routes(service, secrets, views, commands))
    app = application(service, "identity", router, FixedKeys())
    try:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=administrator()
        ) as client:
            yield client
    finally:
        await service.mongo.close()


async def of_password() -> Credential:
    return Credential("c-1", SUBJECT, "rina", "Rina", await Passwords(ScryptCost(n=2)).hash(PASSWORD), NOW)


def of_provider(issuer: str = ISSUER) -> Credential:
    return Credential("c-1", SUBJECT, provider_login(issuer, "rina-42"), "Rina", None, NOW)


async def status(api: httpx.AsyncClient, path: str, **body: str) -> int:
    return (await api.post(path, json=body)).status_code


REFRESH = {"refresh_token": "a.b"}
REQUESTS: dict[str, tuple[dict[str, str], int]] = {
    "/sessions": ({"login": "rina", "password": PASSWORD}, 403),
    "/password": ({"old": PASSWORD, "new": "kain tenun merah"}, 403),
    "/invitations/code/account": ({"login": "budi", "password": PASSWORD, "name": "Budi"}, 403),
    "/resets/code/password": ({"password": PASSWORD}, 403),
    f"/accounts/{SUBJECT}/reset": ({}, 409),
}


@pytest.mark.parametrize("path", REQUESTS)
async def test_no_password_opens_anything(path: str) -> None:
    body, refused = REQUESTS[path]
    async with an_api(SETTINGS.model_copy(update={"passwords": False}), await of_password()) as api:
        answer = await api.post(path, json=body)
        assert (answer.status_code, "karya login --provider" in answer.text) == (refused, True), answer.text


async def test_a_session_ends_with_the_way_by_which_it_began() -> None:
    without = SETTINGS.model_copy(update={"passwords": False})
    both, of_old_issuer = SETTINGS, of_provider("https://former.test")
    neither = SETTINGS.model_copy(update={"oidc_issuer": ""})
    for settings, credential, expected in (
        (both, await of_password(), 200),
        (without, await of_password(), 401),
        (both, of_provider(), 200),
        (without, of_provider(), 200),
        (both, of_old_issuer, 401),
        (neither, of_provider(), 401),
    ):
        async with an_api(settings, credential) as api:
            assert await status(api, "/sessions/refresh", **REFRESH) == expected, (settings.passwords, credential)


async def test_a_person_of_the_provider_gets_no_password() -> None:
    async with an_api(SETTINGS, of_provider()) as api:
        for path in ("/password", "/resets/code/password", f"/accounts/{SUBJECT}/reset"):
            answer = await api.post(path, json=REQUESTS[path][0])
            assert (answer.status_code, "signs in at the provider" in answer.text) == (409, True), answer.text
        assert await status(api, "/sessions", login=of_provider().login, password=PASSWORD) == 401


@pytest.mark.parametrize(("passwords", "methods"), [(True, ["password", "provider"]), (False, ["provider"])])
async def test_identity_says_how_people_sign_in(passwords: bool, methods: list[str]) -> None:
    async with an_api(SETTINGS.model_copy(update={"passwords": passwords}), of_provider()) as api:
        metadata = (await api.get("/.well-known/oauth-authorization-server")).json()
        assert metadata["sign_in_methods_supported"] == methods
