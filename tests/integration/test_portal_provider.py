"""People of another provider sign in at the portal, by identity and a provider over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
import pytest

from services.portal.api import portal
from shared.runtime.plain_service import PlainService
from shared.settings import Settings
from tests.support.people import identity
from tests.support.place import RunProcess
from tests.support.portal import PORTAL, Documents
from tests.support.provider import CALLBACK as OF_IDENTITY
from tests.support.provider import CLIENT_SECRET, ForgingProvider, SignIn, forging_provider, query_of, with_provider

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

CALLBACK = "/sign-in/provider/callback"
BEGIN = "/sign-in/provider"
FORGERIES = ("alg=none", "HS256 with the public key", "another nonce", "another issuer", "expired")


@asynccontextmanager
async def a_browser(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a portal that asks identity over HTTP."""
    service = PlainService("portal", settings)
    service.database = {"sessions": Documents(), "statements": Documents()}  # type: ignore[assignment]
    transport = httpx.ASGITransport(portal(service))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=PORTAL) as browser:
            browser.headers["Accept-Language"] = "en"
            yield browser
    finally:
        await service.stop()


async def begin(browser: httpx.AsyncClient) -> dict[str, str]:
    """What the browser brings to the provider."""
    away = await browser.get(BEGIN)
    assert away.status_code == 303, away.text
    return query_of(away)


async def came_back(browser: httpx.AsyncClient, forging: ForgingProvider, **changes: str) -> str:
    """Where the browser is led after the provider has sent it back."""
    away = await begin(browser)
    query = {"state": away["state"], "code": forging.code(away), **changes}
    answer = await browser.get(CALLBACK, params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return "Add the role to my account" in (await browser.get("/join")).text


async def test_where_passwords_are_turned_off_people_sign_in_at_the_provider(
    settings: Settings, service_process: RunProcess
) -> None:
    with forging_provider() as forging:
        known = with_provider(settings, forging.issuer, passwords=False, oidc_name="Balai")
        known = known.model_copy(update={"portal_origins": "https://karya.example/"})
        async with identity(known, service_process) as process:
            of_portal = known.model_copy(update={"identity_url": process.url})
            async with a_browser(of_portal) as browser, a_browser(of_portal) as other:
                page = (await browser.get("/sign-in")).text
                assert ("Sign in with Balai" in page, 'type="password"' in page) == (True, False)
                assert (await browser.post("/sign-in", data={"login": "x", "password": "y"})).status_code == 403

                away = await begin(browser)
                assert away["redirect_uri"] == f"{PORTAL}{CALLBACK}"
                assert (away["code_challenge_method"], away["response_type"]) == ("S256", "code")
                assert CLIENT_SECRET not in str(away)

                for name in FORGERIES:
                    forging.forge = forging.forgeries()[name]
                    assert (await came_back(browser, forging)).startswith("/sign-in?problem=provider_refused"), name
                forging.forge = forging.signed
                for changes, error in (
                    ({"iss": "https://other.test"}, "provider_refused"),
                    ({"code": "made up"}, "provider_refused"),
                    ({"error": "access_denied"}, "access_denied"),
                ):
                    assert (await came_back(browser, forging, **changes)).startswith(f"/sign-in?problem={error}")
                forging.forge = forging.changed(groups=["choir"])
                assert (await came_back(browser, forging)).startswith("/sign-in?problem=no_role")
                forging.forge = forging.signed
                assert not await is_signed_in(browser)

                # What one browser has begun signs no other one in, with a cookie of its own or without.
                for _ in range(2):
                    mine = await begin(browser)
                    query = {"state": mine["state"], "code": forging.code(mine)}
                    assert "problem" in (await other.get(CALLBACK, params=query)).headers["location"]
                    assert not await is_signed_in(other)
                    await begin(other)

                # Nor does an answer to a terminal count here, or one to the portal there.
                async with SignIn(process.url) as client, httpx.AsyncClient() as identity_client:
                    theirs = query_of(await client.begin())
                    await begin(browser)
                    query = {"state": theirs["state"], "code": forging.code(theirs)}
                    answer = await browser.get(CALLBACK, params=query)
                    assert answer.headers["location"].startswith("/sign-in?problem=unknown_sign_in")
                    theirs = query_of(await client.begin())
                    query = {"state": theirs["state"], "code": forging.code(theirs)}
                    direct = {**query, "code_verifier": client.verifier}
                    finished = await identity_client.post(f"{process.url}/sessions/provider/finish", json=direct)
                    assert (finished.status_code, finished.json()["reason"]) == (403, "unknown_sign_in")
                    mine = await begin(browser)
                    query = {"state": mine["state"], "code": forging.code(mine)}
                    assert (await client.back(f"{OF_IDENTITY}?{urlencode(query)}")).status_code == 400

                    for page_of, status in (
                        (f"{PORTAL}{CALLBACK}", 200),
                        (f"http://localhost:1{CALLBACK}", 200),
                        (f"https://karya.example{CALLBACK}", 200),
                        (f"https://karya.example:444{CALLBACK}", 422),
                        (f"http://karya.example{CALLBACK}", 422),
                        (f"https://karya.example.other.test{CALLBACK}", 422),
                        (f"http://127.0.0.1:1@other.test{CALLBACK}", 422),
                        (f"https://other.test/?{CALLBACK}", 422),
                        ("https://karya.example/", 422),
                        ("https://karya.example", 422),
                    ):
                        body = {"redirect_uri": page_of, "code_challenge": "x" * 43}
                        begun = await identity_client.post(f"{process.url}/sessions/provider/begin", json=body)
                        assert begun.status_code == status, (page_of, begun.text)

                assert await came_back(browser, forging) == "/"
                assert await is_signed_in(browser)
                assert forging.asked[-1][0]["redirect_uri"] == f"{PORTAL}{CALLBACK}"
                assert (await browser.post("/sign-out")).status_code == 303
                assert not await is_signed_in(browser)
