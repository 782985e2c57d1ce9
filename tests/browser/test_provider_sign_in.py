"""Sign-in at another provider in a real browser: away to another site, and back with a session."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
import uvicorn
from playwright.async_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import watched
from tests.support.portal import FESTIVAL, OtherServices, pages_of, served_portal
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

WORDS = {"id": ("Masuk dengan Balai", "Keluar"), "en": ("Sign in with Balai", "Sign out")}


@asynccontextmanager
async def a_provider() -> AsyncIterator[str]:
    """The address of a provider whose page asks for a consent, at another site than the portal."""

    async def ask(_: Request) -> HTMLResponse:
        icon, form = '<link rel="icon" href="data:,">', '<form method="post"><button>Yes</button></form>'
        return HTMLResponse(f"<title>Balai</title>{icon}{form}")

    async def consent(request: Request) -> RedirectResponse:
        query = urlencode({"state": request.query_params["state"], "code": "c", "session_state": "x"})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{query}", 303)

    routes = [Route("/authorize", ask), Route("/authorize", consent, methods=["POST"])]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None))
        serving = asyncio.create_task(server._serve([listening]))
        try:
            await eventually(lambda: server.started, equals=True, within=20)
            yield f"http://localhost:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("language", WORDS)
async def test_a_person_signs_in_at_the_provider_and_lands_on_the_wanted_page(
    chromium: Browser, language: str, width: int
) -> None:
    button, sign_out = WORDS[language]
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL)
    others.methods = ["provider"]
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with a_provider() as others.provider, served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/festivals/ODOP")
        await watch.check()
        await page.get_by_role("link", name=button).click()
        await expect(page).to_have_title("Balai")
        assert [cookie["httpOnly"] for cookie in await context.cookies()] == [True], "the short one"
        await page.get_by_role("button", name="Yes").click()
        await expect(page.get_by_role("heading", name="One Day <One>")).to_be_visible()
        assert page.url == f"{address}/festivals/ODOP"
        await watch.check()
        [cookie] = await context.cookies()
        assert cookie["name"] == f"karya-{address.rpartition(':')[2]}"
        await page.get_by_role("button", name=sign_out).click()
        await expect(page.get_by_role("link", name=button)).to_be_visible()
        assert await context.cookies() == []
    await context.close()
