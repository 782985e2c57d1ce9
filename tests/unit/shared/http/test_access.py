"""Access control looks where the command or page looks: nothing that is said elsewhere moves a caller's limits."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, KeySet

from shared.access.rights import Grant
from shared.access.tokens import new_key
from shared.events.identity import Role
from shared.http import identity_keys
from shared.http.identity_keys import IdentityKeys
from shared.http.problems import PageRefused
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.callers import FixedKeys, headers_of, with_access

CASHIER = [Grant(Role.CASHIER, "ODOP.B1")]
ORGANISER = [Grant(Role.ORGANISER, "ODOP")]
LOSSES, LOTS = "/festivals/ODOP/losses", "/lots"


@asynccontextmanager
async def an_api(name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service whose servers are away."""
    service = Service(name, (), with_access(Settings(mongo="mongodb://127.0.0.1:1/")))
    app = application(service, name, import_module(f"services.{name}.api").routes(service), FixedKeys())
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as api:
            yield api
    finally:
        await service.mongo.close()


async def posted(grants: Iterable[Grant], path: str, body: Any, query: str = "") -> int:
    """The status of a command that its model would refuse, if access control lets it through."""
    async with an_api("festival") as api:
        if isinstance(body, dict):
            body = {**body, "no such field": 1}
        answer = await api.post(f"{path}?{query}", headers=headers_of(grants), json=body)
        return answer.status_code


async def test_a_command_is_limited_by_its_body_and_its_path() -> None:
    assert await posted(CASHIER, LOSSES, {"booth": "ODOP.B1"}) == 422
    assert await posted(CASHIER, LOSSES, {"booth": "ODOP.B2"}) == 403
    assert await posted(CASHIER, LOSSES, {}) == 403
    assert await posted(ORGANISER, LOSSES, {"booth": "ODOP.B2"}) == 422
    assert await posted(ORGANISER, LOSSES, {}) == 422


async def test_neither_query_nor_body_moves_a_command_elsewhere() -> None:
    assert await posted(CASHIER, LOSSES, {"booth": "ODOP.B2"}, "booth=ODOP.B1") == 403
    assert await posted(CASHIER, "/festivals/FRW/losses", {"booth": "ODOP.B1"}) == 403
    assert await posted(ORGANISER, "/festivals/FRW/losses", {"booth": "ODOP.B1", "festival": "ODOP"}) == 403
    assert await posted(ORGANISER, "/festivals/FRW/close", {"festival": "ODOP"}) == 403


@pytest.mark.parametrize("body", [["booth"], "ODOP.B1", 7, None, {"booth": ["ODOP.B1"]}, {"booth": {"a": 1}}])
async def test_a_body_of_another_shape_names_no_place(body: Any) -> None:
    assert await posted(CASHIER, LOSSES, body) == 403


async def test_a_page_is_limited_by_its_query_and_not_by_a_body() -> None:
    staff = headers_of([Grant(Role.FACILITY_STAFF, "PR-KPG")])
    async with an_api("inventory") as api:
        own = await api.request("GET", LOTS, headers=staff, json={"facility": "PR-KPG"})
        assert own.status_code == 403
        assert (await api.get(LOTS, headers=staff, params={"facility": "PR-KPG"})).status_code == 503


async def test_several_roles_add_up() -> None:
    both = [*CASHIER, Grant(Role.CASHIER, "ODOP.B2")]
    assert await posted(both, LOSSES, {"booth": "ODOP.B2"}) == 422


async def test_a_facility_that_is_not_the_one_of_the_lot_or_entry_limits_nobody() -> None:
    staff, others = (headers_of([Grant(Role.FACILITY_STAFF, scope)]) for scope in ("PR-KPG", "LP-WKB"))
    lot = "/lots/PR-KPG-KTI-230418-007-4"
    for name in ("inventory", "production"):
        async with an_api(name) as api:
            assert (await api.get(f"{lot}?nothing=1", headers=staff)).status_code == 422
            assert (await api.get(lot, headers=others)).status_code == 403
            assert (await api.get(f"{lot}?facility=LP-WKB", headers=others)).status_code == 403
            assert (await api.get("/lots/X1?facility=LP-WKB", headers=others)).status_code == 403
    entry = "/entries/facility%2FPR-KPG/set-facility"
    async with an_api("production") as api:
        assert (await api.post(entry, headers=staff, json={})).status_code == 422
        for body in ({}, {"facility": "LP-WKB"}, {"lot": "LP-WKB-KTI-230418-007-X"}, {"facility": ["LP-WKB"]}):
            assert (await api.post(entry, headers=others, json=body)).status_code == 403, body
        assert (await api.post(entry, headers=staff, json={"lot": lot.rpartition("/")[2]})).status_code == 422
        assert (await api.post("/entries/product%2FPR-KPG/set-facility", headers=staff, json={})).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/booths/ODOP.B10",
        "/booths/odop.b1",
        "/booths/ODOP.B1%20",
        "/booths/ODOP.B1%00",
        "/booths/ODOP%EF%BC%8EB1",
        "/booths/ODOP.%D0%921",
        "/booths/ODOP.B1%2F",
        "/booths/ODOP.B1%2F..%2FODOP.B2",
        "/booths/ODOP.B1%252e",
    ],
)
async def test_no_spelling_of_another_booth_is_taken_for_ones_own(path: str) -> None:
    async with an_api("sales") as api:
        for method in ("GET", "HEAD"):
            assert (await api.request(method, path, headers=headers_of(CASHIER))).status_code in (403, 404), path
        own = await api.get("/booths/%4FDOP.B1?nothing=1", headers=headers_of(CASHIER))
        assert own.status_code == 422, "the same name, otherwise encoded"


@pytest.mark.parametrize("path", ["/booths/ODOP.B1/", "//booths/ODOP.B1", "/booths/../booths/ODOP.B1", "/booths/"])
async def test_no_other_spelling_of_a_path_leads_around_its_row(path: str) -> None:
    async with an_api("sales") as api:
        # As it is: a client would tidy it up.
        url = httpx.URL("http://localhost").copy_with(raw_path=path.encode())
        for method in ("GET", "HEAD", "POST", "DELETE", "PATCH"):
            answer = await api.send(httpx.Request(method, url))
            assert answer.status_code in (401, 404, 405), (method, path)


async def test_a_stranger_hears_what_methods_a_path_has_and_nothing_else() -> None:
    async with an_api("sales") as api:
        answer = await api.options("/booths/ODOP.B1")
        assert (answer.status_code, answer.content) == (204, b"")


class Clock:
    now = 1000.0


async def test_the_keys_of_identity_are_fetched_seldom_and_kept_while_it_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published: list[ECKey] = [new_key("k1")]
    asked = 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if not published:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in published]})

    class Client(httpx.AsyncClient):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options, transport=httpx.MockTransport(handle))

    monkeypatch.setattr(identity_keys.httpx, "AsyncClient", Client)
    monkeypatch.setattr(identity_keys.time, "monotonic", lambda: Clock.now)

    def names(keys: KeySet) -> list[str]:
        return [key.kid for key in keys.keys if key.kid is not None]

    keys = IdentityKeys("http://identity.test/")
    assert names(await keys.known()) == ["k1"]
    assert names(await keys.known()) == ["k1"]
    assert asked == 1
    published.append(new_key("k2"))
    assert names(await keys.newest()) == ["k1"], "asked a moment ago"
    Clock.now += 6
    assert names(await keys.newest()) == ["k1", "k2"]
    assert asked == 2
    published.clear()
    Clock.now += 400
    assert names(await keys.known()) == ["k1", "k2"], "identity is away"
    assert asked == 3
    stranger = IdentityKeys("http://identity.test/")
    Clock.now += 1
    with pytest.raises(PageRefused) as refused:
        await stranger.known()
    assert refused.value.status_code == 503


async def test_a_crowd_that_waits_for_an_absent_identity_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def handle(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)
        return httpx.Response(503)

    class Client(httpx.AsyncClient):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options, transport=httpx.MockTransport(handle))

    monkeypatch.setattr(identity_keys.httpx, "AsyncClient", Client)
    keys = IdentityKeys("http://identity.test")
    answers = await asyncio.gather(*(keys.known() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(answer, PageRefused) and answer.status_code == 503 for answer in answers)
    assert asked == 1
    with pytest.raises(PageRefused):
        await keys.known()
    assert asked == 2, "who comes later asks again: identity may have come back"
