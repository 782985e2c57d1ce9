"""The operator's pages: what works and why not, and the reset of an account by an administrator."""

import json

import httpx

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.callers import SUBJECT
from tests.support.festival_pages import HELD, operator_pages
from tests.support.portal import OtherServices, a_portal, seen_of, sign_in
from tests.support.public_events import a_festival, catalogue_facts

ACCOUNT = {
    "subject": SUBJECT,
    "roles": [{"role": "cashier", "scope": "ODOP.B1"}],
    "opened_at": "2026-04-18T02:10:00Z",
    "closed_at": None,
    "waits_for_reset": False,
    "login": "kasir",
    "name": "Kasir Satu",
}
CODE = {"code": "abcd-efgh-jkmn", "expires_at": "2026-04-18T02:10:00Z"}


def served(*grants: Grant) -> OtherServices:
    others = OtherServices(*grants)
    names = ("production", "inventory", "festival", "sales", "identity", "gateway", "operations")
    others.pages |= {f"{name}/health/ready": {"status": "ready"} for name in names}
    others.pages |= operator_pages()
    others.pages["identity/accounts"] = [ACCOUNT]
    return others


async def test_an_operator_sees_what_does_not_work_and_why() -> None:
    others = served(Grant(Role.OPERATOR))
    async with a_portal(others) as browser:
        await sign_in(browser)
        home = (await browser.get("/")).text
        assert ("/operator" in home, "/audit" in home) == (True, False), "operators may not read the audit"
        assert "All services work." in (await browser.get("/operator")).text
        cause = {"detail": "MongoDB does not answer: nothing listens there"}
        others.pages["sales/health/ready"] = httpx.Response(503, json=cause)
        others.away.add("gateway")
        page = (await browser.get("/operator")).text
        assert "2 services do not work as it should." in page
        assert cause["detail"] in page


async def test_causes_are_not_for_everybody() -> None:
    async with a_portal(served(Grant(Role.CASHIER, "ODOP.B1"))) as browser:
        await sign_in(browser)
        assert "/operator" not in (await browser.get("/")).text
        assert (await browser.get("/operator")).status_code == 403


async def test_an_administrator_resets_an_account() -> None:
    others = served(Grant(Role.ADMINISTRATOR))
    others.outcomes[f"identity/accounts/{SUBJECT}/reset"] = httpx.Response(200, json=CODE)
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/accounts")).text
        assert "kasir" in page
        assert "cashier ODOP.B1" in page
        answer = await browser.post("/accounts", data={"subject": SUBJECT})
        assert CODE["code"] in answer.text
        assert "until 2026-04-18 02:10 UTC" in answer.text, "nobody has a place that is known here"
        assert [name for name, _, _ in others.commands] == [f"identity/accounts/{SUBJECT}/reset"]


async def test_the_end_of_a_code_is_told_in_the_zone_of_a_place() -> None:
    others = served(Grant(Role.ADMINISTRATOR))
    others.outcomes[f"identity/accounts/{SUBJECT}/reset"] = httpx.Response(200, json=CODE)
    for fact in (*catalogue_facts(), a_festival()):
        others.stream.take(fact)
    async with a_portal(others) as browser:
        await sign_in(browser)
        # The code's owner sells at a festival; the reader has no place.
        assert "2026-04-18 10:10 WITA" in (await browser.post("/accounts", data={"subject": SUBJECT})).text
        others.pages["identity/accounts"] = [{**ACCOUNT, "roles": []}]
        assert "02:10 UTC" in (await browser.post("/accounts", data={"subject": SUBJECT})).text
        others.grants = (*others.grants, Grant(Role.FACILITY_STAFF, "PR-KPG"))
        await sign_in(browser)
        assert "10:10 WITA" in (await browser.post("/accounts", data={"subject": SUBJECT})).text


async def test_an_auditor_resets_nothing() -> None:
    others = served(Grant(Role.AUDITOR))
    others.pages["identity/accounts"] = [{**ACCOUNT, "login": None, "name": None}]
    async with a_portal(others) as browser:
        await sign_in(browser)
        home = (await browser.get("/")).text
        assert [f'href="/{page}"' in home for page in ("operator", "audit", "accounts")] == [True] * 3
        assert 'href="/audit"' in (await browser.get("/operator")).text
        page = (await browser.get("/accounts")).text
        assert SUBJECT in page
        assert "Reset" not in page


async def test_records_of_a_lost_device_are_refused_with_a_reason_alone() -> None:
    others = served(Grant(Role.OPERATOR))
    form = {"decision": "refuse", "place": "ODOP.B1", "device": str(HELD["device"]), "command": "c1"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        form |= seen_of((await browser.get("/operator/held")).text)
        assert (await browser.post("/operator/held", data=form)).status_code == 422
        assert (await browser.post("/operator/held", data={**form, "decision": "burn"})).status_code == 422
        assert others.commands == []
        answer = await browser.post("/operator/held", data={**form, "reason": "curian"})
        assert answer.headers["location"] == "/operator/held"
        [(name, body, id)] = others.commands
        assert (name, id) == ("gateway/held/ODOP.B1/refuse", "c1")
        assert json.loads(body) == {"device": HELD["device"], "reason": "curian"}


async def test_nobody_releases_what_a_lost_device_has_sent_since_the_page_was_shown() -> None:
    others = served(Grant(Role.OPERATOR))
    form = {"decision": "release", "place": "ODOP.B1", "device": str(HELD["device"]), "command": "c1"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        form |= seen_of((await browser.get("/operator/held")).text)
        others.pages["gateway/held"] = [HELD, {**HELD, "record": "r-2", "number": 2}]
        answer = await browser.post("/operator/held", data=form)
        assert (answer.status_code, "This has changed since" in answer.text) == (409, True)
        assert others.commands == []
        form |= seen_of(answer.text)
        assert (await browser.post("/operator/held", data=form)).status_code == 303
        others.pages["gateway/held"] = []
        assert (await browser.post("/operator/held", data=form)).status_code == 303, "sent twice"


async def test_an_auditor_reads_held_records_and_decides_nothing() -> None:
    others = served(Grant(Role.AUDITOR))
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator/held")).text
        assert "r-1" in page
        assert "Release them" not in page


async def test_what_waits_is_shown_though_a_service_is_away() -> None:
    others = served(Grant(Role.OPERATOR))
    others.away.add("festival")
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/operator")).text
        assert "1 key waits" in page
        assert "1.250" in page
