"""Codes at the portal: given by whoever may invite, shown once, and used to open an account or to add a role."""

import json

import httpx
import pytest

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.portal import FESTIVAL, PASSWORD, OtherServices, a_portal, pages_of, sign_in

FACILITY = {"code": "PR-KPG", "name": "Lapas Perempuan", "place": "Kupang", "zone": "Asia/Makassar"}
CODE = {"code": "abcd-efgh-jkmn", "expires_at": "2026-04-18T02:10:00Z"}


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"), Grant(Role.FACILITY_STAFF, "PR-KPG"))
    others.pages |= pages_of(FESTIVAL) | {"identity/devices": []}
    others.pages["production/facilities"] = [FACILITY]
    others.outcomes["identity/invitations"] = httpx.Response(200, json=CODE)
    others.outcomes["identity/device-codes"] = httpx.Response(200, json=CODE)
    return others


@pytest.mark.parametrize(
    ("path", "kind", "role", "scope", "asked"),
    [
        ("/festivals/ODOP/people", "invitation", "cashier", "ODOP.B1", "identity/invitations"),
        ("/festivals/ODOP/people", "device", "till", "ODOP.B1", "identity/device-codes"),
        ("/facilities/PR-KPG/people", "device", "terminal", "PR-KPG", "identity/device-codes"),
    ],
)
async def test_a_code_is_shown_once(
    others: OtherServices, path: str, kind: str, role: str, scope: str, asked: str
) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post(path, data={"kind": kind, "role": role, "scope": scope})
        assert (answer.status_code, CODE["code"] in answer.text) == (200, True)
        [(name, body, _)] = others.commands
        assert (name, json.loads(body)) == (asked, {"role": role, "scope": scope})
        assert "2026-04-18 10:10 WITA" in answer.text, "the end of the code is told by the clock of the place"
        assert CODE["code"] not in (await browser.get(path)).text


async def test_whoever_may_not_invite_is_told(others: OtherServices) -> None:
    refusal = {"detail": "No.", "template": "Your account may not do this.", "values": {}}
    others.outcomes["identity/invitations"] = httpx.Response(403, json=refusal)
    async with a_portal(others) as browser:
        await sign_in(browser)
        form = {"kind": "invitation", "role": "cashier", "scope": "RAYA.B1"}
        answer = await browser.post("/festivals/ODOP/people", data=form)
        assert (answer.status_code, "You may not see this" in answer.text) == (403, True)


async def test_a_code_opens_an_account_that_is_signed_in_at_once(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        form = {"code": " abcd ", "name": "Kasir", "login": "kasir", "password": PASSWORD}
        answer = await browser.post("/join", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        [(name, body, _)] = others.commands
        assert name == "identity/invitations/abcd/account"
        assert others.strangers[name] == "127.0.0.1", "one stranger must not use up what all have at identity"
        assert json.loads(body) == {"login": "kasir", "name": "Kasir", "password": PASSWORD}
        assert (await browser.get("/")).status_code == 200


async def test_a_code_that_is_used_or_a_short_password_is_told_and_no_password_comes_back(
    others: OtherServices,
) -> None:
    error = {
        "field": "password",
        "message": "…",
        "template": "It has at least {least} characters.",
        "values": {"least": 10},
    }
    others.outcomes["identity/invitations/abcd/account"] = httpx.Response(422, json={"errors": [error]})
    async with a_portal(others) as browser:
        form = {"code": "abcd", "name": "Kasir", "login": "kasir", "password": "pendek"}
        answer = await browser.post("/join", data=form)
        assert (answer.status_code, "It has at least 10 characters." in answer.text) == (409, True)
        assert 'value="kasir"' in answer.text
        assert "pendek" not in answer.text
        missing = await browser.post("/join", data={"code": "abcd"})
        assert missing.status_code == 422


async def test_a_code_adds_a_role_to_ones_own_account(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        assert (await browser.post("/join/accept", data={"code": "abcd"})).headers["location"] == "/sign-in"
        await sign_in(browser)
        others.grants = (*others.grants, Grant(Role.CASHIER, "ODOP.B7"))
        await browser.post("/join/accept", data={"code": "abcd"})
        assert others.commands[-1][0] == "identity/invitations/abcd/accept"
        assert "B7 · ODOP" in (await browser.get("/")).text


async def test_a_new_password_is_chosen_with_a_code(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        assert "A new password" in (await browser.get("/restore")).text
        answer = await browser.post("/restore", data={"code": "abcd", "login": "", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert [(name, json.loads(body)) for name, body, _ in others.commands] == [
            ("identity/resets/abcd/password", {"password": PASSWORD})
        ]
        refusal = {"detail": "…", "template": "This code is not known.", "values": {}}
        others.outcomes["identity/resets/abcd/password"] = httpx.Response(404, json=refusal)
        again = await browser.post("/restore", data={"code": "abcd", "login": "", "password": PASSWORD})
        assert (again.status_code, "This code is not known." in again.text) == (409, True)
        assert PASSWORD not in again.text


async def test_no_password_goes_over_plain_http(others: OtherServices) -> None:
    async with a_portal(others, base="http://192.0.2.7:8007") as browser:
        form = {"code": "abcd", "name": "Kasir", "login": "kasir", "password": PASSWORD}
        assert (await browser.post("/join", data=form)).status_code == 403
        assert (await browser.post("/restore", data=form)).status_code == 403
        assert others.commands == []
