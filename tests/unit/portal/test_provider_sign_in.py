"""Sign-in at another provider in the portal: who is signed in by what comes back, and what the browser sees."""

from collections.abc import Mapping

import httpx
import pytest

from shared.access.provider_sign_in import SENTENCES
from shared.access.rights import Grant
from shared.events.identity import Role
from shared.settings import AccessControl
from tests.support.portal import PROVIDER, Documents, OtherServices, a_portal, sign_in

BEGIN = "/sign-in/provider"
CALLBACK = "/sign-in/provider/callback"
COOKIE = "karya-sign-in-8007"
SESSION = "karya-8007"


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.methods = ["password", "provider"]
    others.pages["festival/festivals"] = []
    return others


async def begin(browser: httpx.AsyncClient, **query: str) -> str:
    """The state of a sign-in that this browser has begun."""
    away = await browser.get(BEGIN, params=query)
    assert away.status_code == 303
    assert away.headers["location"].startswith(f"{PROVIDER}/authorize?")
    return httpx.URL(away.headers["location"]).params["state"]


async def back(browser: httpx.AsyncClient, **query: str) -> httpx.Response:
    return await browser.get(CALLBACK, params=query)


def told(answer: httpx.Response) -> Mapping[str, str]:
    """What the page of sign-in is told, to which a failed one leads."""
    assert answer.status_code == 303
    location = httpx.URL(answer.headers["location"])
    assert location.path == "/sign-in"
    assert SESSION not in answer.headers.get("set-cookie", "")
    return dict(location.params)


@pytest.mark.parametrize("methods", [["password"], ["password", "provider"], ["provider"]])
async def test_the_page_offers_the_ways_that_are_open(others: OtherServices, methods: list[str]) -> None:
    others.methods = methods
    async with a_portal(others) as browser:
        for path in ("/sign-in", "/join"):
            page = (await browser.get(path)).text
            assert ("Sign in with Balai" in page) == ("provider" in methods), path
            assert ('type="password"' in page) == ("password" in methods), path
            # A script would follow the redirect to the provider by itself.
            assert page.count('hx-boost="false" href="/sign-in/provider') == ("provider" in methods)
        assert ('type="password"' in (await browser.get("/restore")).text) == ("password" in methods)


async def test_a_person_is_led_to_the_provider_and_back_to_the_page_that_was_wanted(others: OtherServices) -> None:
    documents = Documents()
    async with a_portal(others, documents) as browser:
        state = await begin(browser, next="/festivals?page=1")
        assert others.callbacks == [f"http://127.0.0.1:8007{CALLBACK}"]
        answer = await back(browser, state=state, code="c", iss=PROVIDER, session_state="the provider's own")
        assert (answer.status_code, answer.headers["location"]) == (303, "/festivals?page=1")
        assert (await browser.get("/festivals")).status_code == 200
        assert set(browser.cookies) == {SESSION}, "the short cookie is gone"
        seen = f"{answer.headers} {answer.text}"
        assert others.access_token not in seen
        assert others.refresh_token not in seen
        assert len(documents.all) == 1
        assert (await browser.post("/sign-out")).status_code == 303
        assert others.ended == 1


async def test_what_another_browser_has_begun_signs_nobody_in(others: OtherServices) -> None:
    async with a_portal(others) as mine, a_portal(others) as victim:
        for with_cookie in (False, True):
            if with_cookie:
                await begin(victim)
            state = await begin(mine)
            answer = told(await back(victim, state=state, code="c"))
            assert answer["problem"] == ("unknown_sign_in" if with_cookie else "began_elsewhere")
            assert (await victim.get("/festivals")).status_code == 303
        assert "not begun in this browser" in (await victim.get("/sign-in?problem=began_elsewhere")).text


async def test_a_state_counts_once_and_the_cookie_too(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        state = await begin(browser)
        cookie = browser.cookies[COOKIE]
        await back(browser, state=state, code="c")
        assert told(await back(browser, state=state, code="c"))["problem"] == "began_elsewhere"
        browser.cookies.set(COOKIE, cookie)
        assert told(await back(browser, state=state, code="c"))["problem"] == "unknown_sign_in"
        for query in ({}, {"state": ""}, {"code": "c"}):
            await begin(browser)
            assert told(await back(browser, **query))["problem"] == "began_elsewhere"


async def test_the_short_cookie_is_of_this_host_for_minutes_and_not_for_scripts(others: OtherServices) -> None:
    async with a_portal(others, base="https://karya.example", http_names="karya.example") as browser:
        away = await browser.get(BEGIN)
        name, *parts = away.headers["set-cookie"].split("; ")
        assert name.startswith("__Host-karya-sign-in=")
        assert {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"} <= set(parts)
        assert not any(part.startswith("Domain") for part in parts)
        assert others.callbacks == [f"https://karya.example{CALLBACK}"]
        assert away.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("error", [*SENTENCES, "something new"])
async def test_a_sign_in_that_fails_is_told_in_words_and_the_wanted_page_is_kept(
    others: OtherServices, error: str
) -> None:
    async with a_portal(others) as browser:
        state = await begin(browser, next="/festivals")
        others.sign_in_error = error
        answer = await back(browser, state=state, code="c")
        assert told(answer) == {"problem": error, "next": "/festivals"}
        assert "code=" not in answer.headers["location"]
        page = (await browser.get(answer.headers["location"])).text
        assert ("That did not work." in page) == (error in SENTENCES)
        assert 'href="/sign-in/provider?next=/festivals"' in page
        assert told(await browser.get(BEGIN))["problem"] == error


async def test_identity_away_is_told(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        state = await begin(browser)
        others.away.add("identity")
        assert told(await back(browser, state=state, code="c"))["problem"] == "identity_away"
        assert told(await browser.get(BEGIN))["problem"] == "identity_away"
        assert "does not answer" in (await browser.get("/sign-in?problem=identity_away")).text


async def test_a_page_of_another_site_begins_no_sign_in(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        for site in ("cross-site", "same-site"):
            assert told(await browser.get(BEGIN, headers={"Sec-Fetch-Site": site})) == {"next": "/"}
        assert others.callbacks == []
        for site in ("same-origin", "none"):
            await browser.get(BEGIN, headers={"Sec-Fetch-Site": site})
        assert len(others.callbacks) == 2


@pytest.mark.parametrize("elsewhere", ["https://example.test/", "//example.test/", "/\\example.test", "example"])
async def test_nobody_is_led_to_another_site(others: OtherServices, elsewhere: str) -> None:
    async with a_portal(others) as browser:
        state = await begin(browser, next=elsewhere)
        assert (await back(browser, state=state, code="c")).headers["location"] == "/"


async def test_over_plain_http_of_a_network_nobody_is_sent_away(others: OtherServices) -> None:
    async with a_portal(others, base="http://192.0.2.7:8007") as browser:
        assert told(await browser.get(BEGIN)) == {"next": "/"}
        assert others.callbacks == []


async def test_without_access_control_nobody_is_sent_away(others: OtherServices) -> None:
    async with a_portal(others, access=AccessControl.OPEN) as browser:
        assert (await browser.get(f"{BEGIN}?next=/festivals")).headers["location"] == "/festivals"


async def test_a_second_sign_in_ends_the_session_of_a_password(others: OtherServices) -> None:
    documents = Documents()
    async with a_portal(others, documents) as browser:
        await sign_in(browser)
        first = browser.cookies[SESSION]
        await back(browser, state=await begin(browser), code="c")
        assert browser.cookies[SESSION] != first
        assert len(documents.all) == 1
