"""Live updates: a change is told once, a cut connection goes on without a gap, services are asked once for all."""

import asyncio
from typing import Any

import httpx
import pytest

from services.portal.api import live
from services.portal.api.live import known_states, written_states
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.portal import FESTIVAL, OtherServices, a_portal, pages_of, sign_in
from tests.support.waiting import eventually

SALES = {
    "booth": "ODOP.B1",
    "name": "Stan",
    "zone": "Asia/Makassar",
    "status": "open",
    "receipts": 1,
    "takings_rupiah": 150000,
    "sold": 1,
    "sales": [],
}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of two seconds, with a look at the services every few milliseconds."""
    monkeypatch.setattr(live, "CONNECTION_SECONDS", 2.0)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL) | {"sales/disputes": [SALES]}
    return others


def events(answer: httpx.Response) -> list[dict[str, str]]:
    """The fields of each event; comments are left out."""
    blocks = [block for block in answer.text.split("\n\n") if "event: " in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


async def sell_once_read(others: OtherServices) -> None:
    await eventually(lambda: [name for name, _ in others.asked].count("sales/disputes") > 1)
    others.pages["sales/disputes"] = [{**SALES, "sold": 2}]


async def test_a_sale_is_told_once(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer, _ = await asyncio.gather(browser.get("/live?festival=ODOP"), sell_once_read(others))
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert [(event["event"], event["data"]) for event in events(answer)] == [
            ("state", '"ODOP"'),
            ("changed", '"ODOP"'),
        ]
        assert ": still here" in answer.text


@pytest.mark.parametrize("by_header", [True, False])
async def test_what_changed_while_the_connection_was_cut_is_told_at_once(
    others: OtherServices, by_header: bool
) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        [state] = events(await browser.get("/live?festival=ODOP"))
        others.pages["sales/disputes"] = [{**SALES, "sold": 2}]
        headers = {"Last-Event-ID": state["id"]} if by_header else {}
        query = "" if by_header else f"&last={state['id']}"
        [changed] = events(await browser.get(f"/live?festival=ODOP{query}", headers=headers))
        assert (changed["event"], changed["id"] != state["id"]) == ("changed", True)
        again = await browser.get("/live?festival=ODOP", headers={"Last-Event-ID": changed["id"]})
        assert events(again) == [], "nothing has changed since"


async def test_many_readers_are_one_question_to_the_services(
    others: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 2.5)
    async with a_portal(others) as browser:
        await sign_in(browser)
        await asyncio.gather(*(asyncio.wait_for(browser.get("/live?festival=ODOP"), 20) for _ in range(5)))
        assert [name for name, _ in others.asked].count("sales/disputes") == 1


async def test_nobody_follows_a_festival_of_others(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        assert (await browser.get("/live?festival=ODOP")).status_code == 303
        await sign_in(browser)
        assert (await browser.get("/live?festival=ODOP&festival=RAYA")).status_code == 403
        assert not any(name.startswith(("festival", "sales")) for name, _ in others.asked)


async def test_a_service_that_is_away_for_a_moment_ends_nothing(
    others: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CONNECTION_SECONDS", 60.0)

    def answered() -> int:
        return [name for name, _ in others.asked].count("sales/disputes")

    async def comes_back() -> None:
        await eventually(lambda: any(name == "festival/festivals/ODOP" for name, _ in others.asked))
        assert answered() == 0
        others.away.clear()
        # The second look begins after the first was told.
        await eventually(lambda: answered() > 1)
        monkeypatch.setattr(live, "CONNECTION_SECONDS", 0.0)

    async with a_portal(others) as browser:
        await sign_in(browser)
        others.away.add("sales")
        answer, _ = await asyncio.gather(browser.get("/live?festival=ODOP"), comes_back())
        assert [event["event"] for event in events(answer)] == ["state"]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("", {}),
        ("ODOP:1f,RAYA:2e", {"ODOP": "1f", "RAYA": "2e"}),
        ("ODOP", {}),
        (":1f,ODOP:", {}),
    ],
)
def test_an_id_has_the_state_of_each_festival(text: str, states: dict[str, Any]) -> None:
    assert known_states(text) == states
    assert known_states(written_states(states)) == states


async def test_a_token_that_expires_ends_the_connection_so_that_the_browser_comes_with_a_new_one(
    others: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CONNECTION_SECONDS", 600.0)
    others.pages["festival/festivals/ODOP"] = httpx.Response(401, json={})
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await asyncio.wait_for(browser.get("/live?festival=ODOP"), 60)
        assert (answer.status_code, events(answer)) == (200, [])


async def test_one_account_does_not_hold_every_connection(
    others: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_CONNECTIONS", 2)
    async with a_portal(others) as browser:
        await sign_in(browser)
        answers = await asyncio.gather(*(browser.get("/live?festival=ODOP") for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
        assert (await browser.get("/live?festival=ODOP")).status_code == 200, "others have ended"


async def test_readers_share_the_silence_of_a_service(others: OtherServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 2.5)
    others.away.add("sales")
    async with a_portal(others) as browser:
        await sign_in(browser)
        await asyncio.gather(*(asyncio.wait_for(browser.get("/live?festival=ODOP"), 60) for _ in range(5)))
        assert [name for name, _ in others.asked].count("festival/festivals/ODOP") == 1
