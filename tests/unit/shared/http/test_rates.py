"""Nobody sends more requests than the settings permit, and nobody uses up what others have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.rights import Grant
from shared.access.tokens import issue
from shared.events.identity import Role
from shared.http import rates
from shared.http.rates import WINDOW_SECONDS, RequestRate, _network
from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import AccessControl, Settings
from tests.support.callers import ISSUER, KEY, FixedKeys, bearer, token_of, with_access

STAFF = Grant(Role.FACILITY_STAFF, "PR-KPG")
LOTS = "/lots?facility=PR-KPG"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_may_send_all_at_once_and_then_one_for_each_step() -> None:
    clock = Clock()
    rate = RequestRate("account", 6, clock)
    assert [rate.count("A").remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = rate.count("A")
    assert (refused.wait, refused.remaining, refused.full) == (10, 0, 60)
    clock.now += 9.9
    assert rate.count("A").wait == 1
    clock.now += 0.1
    assert rate.count("A").wait == 0
    assert rate.count("A").wait == 10
    assert rate.count("B").remaining == 5, "another caller has a bound of its own"
    clock.now += 60
    assert rate.count("A").remaining == 5


@given(
    most=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 30, allow_nan=False), max_size=200),
)
def test_in_no_window_are_there_more_than_two_bursts_and_a_wait_is_enough(most: int, pauses: list[float]) -> None:
    clock = Clock()
    rate = RequestRate("account", most, clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        count = rate.count("A")
        if count.wait:
            clock.now += count.wait
            assert rate.count("A").wait == 0
        taken.append(clock.now)
    for begin in taken:
        assert sum(begin <= moment < begin + WINDOW_SECONDS for moment in taken) <= 2 * most


def test_made_up_callers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_CALLERS", 3)
    rate = RequestRate("stranger", 1, Clock())
    for caller in "ABCABCD":
        rate.count(caller)
    assert set(rate._moments) == {"B", "C", "D"}


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unknown", ""),
        ("192.0.2.7, 192.0.2.8", ""),
        ("x" * 10_000, ""),
    ],
)
def test_an_ipv6_network_counts_as_one(host: str, network: str) -> None:
    assert _network(host) == network


@asynccontextmanager
async def an_api(client: str = "192.0.2.7", **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    settings = with_access(Settings(mongo="mongodb://127.0.0.1:1/"))
    service = Service("inventory", (), settings.model_copy(update=changes))
    app = application(service, "Karya", import_module("services.inventory.api").routes(service), FixedKeys())
    transport = httpx.ASGITransport(app=app, client=(client, 1))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as api:
            yield api
    finally:
        await service.mongo.close()


def token_of_another(subject: str) -> str:
    return issue(KEY, issuer=ISSUER, subject=subject, grants=[STAFF], client="test", now=datetime.now(UTC))


async def test_an_account_is_told_what_remains_and_when_to_come_again() -> None:
    own, another = bearer(token_of(STAFF)), bearer(token_of_another("s-ponmlkjihgfedcba"))
    async with an_api(http_rate=2) as api:
        first = await api.get(LOTS, headers=own)
        assert first.status_code == 503, "it was let through"
        assert first.headers["ratelimit-policy"] == '"account";q=2;w=60'
        assert first.headers["ratelimit"] == '"account";r=1;t=30'
        await api.get(LOTS, headers=own)
        refused = await api.get(LOTS, headers=own)
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert 0 < int(refused.headers["retry-after"]) <= 30
        assert refused.json()["values"] == {"wait": int(refused.headers["retry-after"])}
        assert refused.headers["ratelimit"].startswith('"account";r=0;')
        assert (await api.get(LOTS, headers=own)).status_code == 429
        assert (await api.get(LOTS, headers=another)).status_code == 503, "another account of the same address"


@pytest.mark.parametrize("headers", [{}, bearer("x.y.z"), bearer("")])
@pytest.mark.parametrize("path", [LOTS, "/docs", "/openapi.json", "/docs/docs.js"])
async def test_strangers_of_an_address_have_a_bound(path: str, headers: dict[str, str]) -> None:
    async with an_api(http_rate_strangers=2) as api:
        statuses = [(await api.get(path, headers=headers)).status_code for _ in range(3)]
        assert statuses == [401 if path == LOTS else 200] * 2 + [429]
        assert (await api.get(LOTS, headers=bearer(token_of(STAFF)))).status_code == 503, "with a token"


async def test_health_has_no_bound() -> None:
    async with an_api(http_rate_strangers=1, http_rate=1) as api:
        for _ in range(5):
            answer = await api.get("/health/live")
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


async def test_no_bound_without_the_setting_or_without_access_control() -> None:
    for changes in ({"http_rate_strangers": 0}, {"http_rate_strangers": 1, "access": AccessControl.OPEN}):
        async with an_api(**changes) as api:
            assert [(await api.get("/docs")).status_code for _ in range(400)] == [200] * 400
