"""Nobody tries many passwords of one login: not at once, and not with a code that was used."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import APIRouter

from services.identity.api import invitations, sessions
from services.identity.api.failures import MOST_FAILURES, Failures
from services.identity.domain.account import Account
from services.identity.store.codes import Code
from services.identity.store.credentials import Credential
from services.identity.store.passwords import Passwords, ScryptCost
from shared.access.rights import Grant
from shared.events.identity import Role
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import SUBJECT, FixedKeys, headers_of, with_access

NOW = datetime.now(UTC)
RIGHT, WRONG = "tenun ikat biru", "tenun ikat merah"
USED = Code("made-up", None, NOW + timedelta(hours=1), subject=SUBJECT, role=Role.AUDITOR, claimed_by="c-1")


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """Identity with one account, whose invitation and reset are both used. Its secrets are no database's."""
    passwords = Passwords(ScryptCost(n=2))
    credential = Credential("c-1", SUBJECT, "rina", "Rina", await passwords.hash(RIGHT), NOW)

    async def account(_: str) -> Account:
        return Account(SUBJECT, "c-1", NOW)

    async def known(id: str) -> Credential | None:
        return credential if id == "c-1" else None

    async def subject_of(login: str) -> str | None:
        return SUBJECT if login == "rina" else None

    async def code(_: str, __: datetime) -> Code:
        return USED

    async def yes(*_: object) -> bool:
        return True

    async def begin(*_: object) -> str:
        return "a.b"

    secrets = cast(
        "Any",
        SimpleNamespace(
            passwords=passwords,
            credentials=SimpleNamespace(get=known, subject_of=subject_of),
            invitations=SimpleNamespace(find=code),
            resets=SimpleNamespace(find=code),
            sessions=SimpleNamespace(begin=begin),
        ),
    )
    accounts = cast("Any", SimpleNamespace(find=account, still_may=yes))
    service = Service("identity", (), with_access(Settings()))
    failures, router = Failures(), APIRouter()
    router.include_router(sessions.routes(service, secrets, accounts, cast("Any", None), failures))
    router.include_router(invitations.routes(secrets, accounts, cast("Any", None), failures))
    app = application(service, "identity", router, FixedKeys())
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
            yield client
    finally:
        await service.mongo.close()


GUESSES: dict[str, tuple[str, dict[str, str], int]] = {
    "sign-in": ("/sessions", {"login": "rina", "password": WRONG}, 401),
    "a login in capitals": ("/sessions", {"login": " RINA ", "password": WRONG}, 401),
    "one's own password": ("/password", {"old": WRONG, "new": "kain tenun merah"}, 409),
    "a used invitation": ("/invitations/x/account", {"login": "rina", "password": WRONG, "name": "R"}, 404),
    "a used reset": ("/resets/x/password", {"password": WRONG}, 404),
}


@pytest.mark.parametrize("way", GUESSES)
async def test_of_many_guesses_at_once_five_are_judged(api: httpx.AsyncClient, way: str) -> None:
    path, body, refusal = GUESSES[way]
    owner = headers_of([Grant(Role.AUDITOR)])
    answers = await asyncio.gather(*(api.post(path, json=body, headers=owner) for _ in range(20)))
    counts = Counter(answer.status_code for answer in answers)
    assert counts == {refusal: MOST_FAILURES, 429: 20 - MOST_FAILURES}, counts
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)
    right = await api.post("/sessions", json={"login": "rina", "password": RIGHT})
    assert right.status_code == 429, "all ways are counted together"


async def test_a_right_password_tells_nothing_while_the_login_is_locked(api: httpx.AsyncClient) -> None:
    guesses = [WRONG] * 10 + [RIGHT]
    answers = await asyncio.gather(
        *(api.post("/sessions", json={"login": "rina", "password": guess}) for guess in guesses)
    )
    assert answers[-1].status_code == 429


async def test_an_unknown_login_is_locked_like_a_known_one(api: httpx.AsyncClient) -> None:
    answers = [await api.post("/sessions", json={"login": "nobody", "password": WRONG}) for _ in range(6)]
    known = [await api.post("/sessions", json={"login": "rina", "password": WRONG}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [answer.status_code for answer in known] == [401] * 5 + [429]
    assert answers[0].json() == known[0].json()
