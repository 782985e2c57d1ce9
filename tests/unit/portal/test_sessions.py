"""PortalSessions at the portal: the cookie, the tokens behind it, their renewal, and the end."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.portal.clients import Identity
from shared.access.rights import Grant
from shared.access.routes import ROUTES
from shared.events.identity import Role
from tests.support.portal import Documents, OtherServices, a_portal, sign_in

ORGANISER = Grant(Role.ORGANISER, "ODOP")


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(ORGANISER)
    others.pages["festival/festivals"] = []
    return others


async def test_whoever_has_no_session_is_led_to_sign_in_and_then_to_the_page(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        refused = await browser.get("/festivals?page=2")
        assert (refused.status_code, refused.headers["location"]) == (303, "/sign-in?next=/festivals%3Fpage%3D2")
        signed_in = await sign_in(browser, next="/festivals")
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/festivals")
        assert (await browser.get("/festivals")).status_code == 200
        assert others.asked[-1] == ("festival/festivals", others.access_token), "with the person's own token"


async def test_a_request_of_a_script_is_told_where_to_go(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        refused = await browser.get("/festivals", headers={"HX-Request": "true"})
        assert (refused.status_code, refused.headers["HX-Redirect"]) == (204, "/sign-in?next=/festivals")


@pytest.mark.parametrize("elsewhere", ["https://example.test/", "//example.test/", "/\\example.test", "example"])
async def test_nobody_is_led_to_another_site(others: OtherServices, elsewhere: str) -> None:
    async with a_portal(others) as browser:
        assert (await sign_in(browser, next=elsewhere)).headers["location"] == "/"


async def test_the_browser_gets_no_token_and_the_database_no_cookie(others: OtherServices) -> None:
    documents = Documents()
    async with a_portal(others, documents) as browser:
        answer = await sign_in(browser)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("karya-8007=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "Secure" not in cookie, "there is no HTTPS on loopback"
        assert others.access_token not in cookie
        assert others.refresh_token not in cookie
        assert browser.cookies["karya-8007"] not in str(documents.all)


async def test_over_https_the_cookie_is_of_this_host_alone(others: OtherServices) -> None:
    async with a_portal(others, base="https://karya.example", http_names="karya.example") as browser:
        answer = await sign_in(browser)
        parts = set(answer.headers["set-cookie"].split("; "))
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= parts
        assert not any(part.startswith("Domain") for part in parts)
        assert "__Host-karya" in browser.cookies
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_a_password_is_not_taken_over_plain_http_of_a_network(others: OtherServices) -> None:
    async with a_portal(others, base="http://192.0.2.7:8007") as browser:
        assert "needs HTTPS" in (await browser.get("/sign-in")).text
        assert (await sign_in(browser)).status_code == 403
        assert others.addresses == [], "identity was not asked"


async def test_a_wrong_password_is_told_and_the_login_is_kept(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        answer = await sign_in(browser, "salah")
        assert answer.status_code == 401
        assert "The login or the password is wrong" in answer.text
        assert 'value="organiser"' in answer.text
        assert "salah" not in answer.text
        assert not browser.cookies


async def test_identity_away_is_told(others: OtherServices) -> None:
    others.away.add("identity")
    async with a_portal(others) as browser:
        answer = await sign_in(browser)
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)


async def test_a_token_that_expires_soon_is_renewed_once_by_requests_at_the_same_time(others: OtherServices) -> None:
    others.lifetime = timedelta(seconds=20)
    async with a_portal(others) as browser:
        await sign_in(browser)
        former = others.access_token
        others.lifetime = timedelta(minutes=5)
        answers = await asyncio.gather(*(browser.get("/festivals") for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        assert others.refreshes == 1, "a second use of the refresh token would have ended the session"
        assert {token for name, token in others.asked if name == "festival/festivals"} == {others.access_token}
        assert others.access_token != former


async def test_a_token_is_used_to_its_end_while_identity_is_away(others: OtherServices) -> None:
    others.lifetime = timedelta(seconds=20)
    async with a_portal(others) as browser:
        await sign_in(browser)
        others.away.add("identity")
        assert (await browser.get("/festivals")).status_code == 200
        others.away.clear()
        assert (await browser.get("/festivals")).status_code == 200
        assert others.refreshes == 1


async def test_a_session_that_identity_has_ended_is_over_here(others: OtherServices) -> None:
    others.lifetime = timedelta(seconds=20)
    documents = Documents()
    async with a_portal(others, documents) as browser:
        await sign_in(browser)
        others.refresh_token = "another"
        answer = await browser.get("/festivals")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/festivals")
        assert documents.all == {}


async def test_sign_out_ends_the_session_everywhere(others: OtherServices) -> None:
    documents = Documents()
    async with a_portal(others, documents) as browser:
        await sign_in(browser)
        cookie = browser.cookies["karya-8007"]
        answer = await browser.post("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert (documents.all, others.ended) == ({}, 1)
        assert "karya-8007" not in browser.cookies
        browser.cookies.set("karya-8007", cookie)
        assert (await browser.get("/")).status_code == 303


async def test_a_second_sign_in_ends_the_first_session(others: OtherServices) -> None:
    documents = Documents()
    async with a_portal(others, documents) as browser:
        await sign_in(browser)
        first = browser.cookies["karya-8007"]
        await sign_in(browser)
        assert browser.cookies["karya-8007"] != first
        assert len(documents.all) == 1


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://example.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/language"])
async def test_a_page_of_another_site_changes_nothing(
    others: OtherServices, headers: dict[str, str], path: str
) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post(path, data={"login": "x", "password": "y"}, headers=headers)
        assert answer.status_code == 403
        assert others.ended == 0


async def test_the_address_of_the_person_is_passed_on(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert others.addresses == ["127.0.0.1"], "identity counts tries by it"


@pytest.fixture(scope="module")
async def stranger() -> AsyncIterator[tuple[httpx.AsyncClient, OtherServices]]:
    """A browser that is never signed in, and what its portal asks."""
    others = OtherServices()
    async with a_portal(others) as browser:
        yield browser, others


@pytest.mark.parametrize("row", sorted(row for row, right in ROUTES["portal"].items() if right.action is not None))
async def test_without_a_session_every_page_and_form_leads_to_the_sign_in(
    stranger: tuple[httpx.AsyncClient, OtherServices], row: str
) -> None:
    browser, others = stranger
    others.asked.clear()
    method, _, path = row.partition(" ")
    answer = await browser.request(method, re.sub(r"\{\w+\}", "1", path), params={"festival": "1"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert others.asked == []


async def test_a_silent_identity_is_not_waited_for_at_every_view() -> None:
    asked = 0

    def silent(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        raise httpx.ReadTimeout("silent")

    identity = Identity("http://identity.test", httpx.MockTransport(silent))
    for _ in range(5):
        assert (await identity.methods()).password
    assert asked == 1
    await identity.close()
