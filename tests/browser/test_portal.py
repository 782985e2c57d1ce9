"""A short journey of an organiser in a real browser: sign in, see the festival, sign out."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Request, expect

from docsite.screens.walk import sign_in
from services.portal.api.live import MOST_FESTIVALS
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import LOOKS, watched
from tests.support.portal import FESTIVAL, PASSWORD, OtherServices, pages_of, served_portal

WORDS = {
    "id": ("Masuk", "Festival", "Langkah", "Keluar"),
    "en": ("Sign in", "Festivals", "Steps", "Sign out"),
}
_LIVE = re.compile(r"/live\?")
_WATCH = 'festival => new BroadcastChannel("karya-live").postMessage({ watch: festival })'


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL)
    return others


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_an_organiser_signs_in_sees_the_festival_and_signs_out(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    sign_in_words, festivals, steps, sign_out = WORDS[language]
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/festivals/ODOP")
        await expect(page.get_by_role("heading", name=sign_in_words, exact=True)).to_be_visible()
        await watch.check()
        # By the keyboard alone.
        await page.locator("#login").focus()
        await page.keyboard.type("organiser")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="One Day <One>")).to_be_visible()
        await expect(page.get_by_role("heading", name=steps, exact=True)).to_be_visible()
        assert await page.evaluate("document.documentElement.lang") == language
        await watch.check()
        assert await page.evaluate("document.cookie") == "", "no script can read the session"
        await page.get_by_role("link", name=festivals, exact=True).first.click()
        await expect(page).to_have_url(f"{address}/festivals")
        await page.get_by_role("link", name="ODOP", exact=True).click()
        await expect(page).to_have_url(f"{address}/festivals/ODOP")
        await page.get_by_role("button", name=sign_out).click()
        await expect(page).to_have_url(f"{address}/sign-in")
        await page.goto(f"{address}/festivals")
        await expect(page).to_have_url(f"{address}/sign-in?next=/festivals")
        await watch.check()
        assert await context.cookies() == []
    await context.close()


async def test_a_sale_shows_in_every_tab_by_one_connection(chromium: Browser, others: OtherServices) -> None:
    def sales(sold: int) -> list[dict[str, object]]:
        booth = {"booth": "ODOP.B1", "name": "Stan", "zone": "Asia/Makassar", "status": "open", "receipts": 1}
        return [{**booth, "takings_rupiah": 150000 * sold, "sold": sold, "sales": []}]

    others.pages["sales/disputes"] = sales(1)
    context = await chromium.new_context(locale="en")
    connections: list[str] = []
    context.on("request", lambda request: connections.append(request.url) if "/live?" in request.url else None)
    async with served_portal(others) as address:
        watch = watched(first := await context.new_page())
        await first.goto(f"{address}/sign-in?next=/festivals/ODOP/sales")
        await first.fill("#login", "organiser")
        await first.fill("#password", PASSWORD)
        await first.get_by_role("button", name="Sign in").click()
        await expect(first.get_by_text("1 piece is sold for Rp150.000.")).to_be_visible()
        second = await context.new_page()
        await second.goto(f"{address}/festivals/ODOP/sales")
        # The first state must be known before a change can be one.
        await first.wait_for_timeout(3000)
        others.pages["sales/disputes"] = sales(2)
        for page in (first, second):
            await expect(page.get_by_text("2 pieces are sold for Rp300.000.")).to_be_visible(timeout=10_000)
        assert len(connections) == 1
        await first.close()
        # The other tab takes the lock over.
        others.pages["sales/disputes"] = sales(3)
        await expect(second.get_by_text("3 pieces are sold for Rp450.000.")).to_be_visible(timeout=15_000)
        assert watch.complaints == []
    await context.close()


async def test_a_connection_follows_the_latest_festivals_alone(chromium: Browser) -> None:
    visited = [f"F{number:02}" for number in range(MOST_FESTIVALS + 1)]
    others = OtherServices(*(Grant(Role.ORGANISER, name) for name in ("ODOP", *visited)))
    others.pages |= pages_of(FESTIVAL)
    context = await chromium.new_context(locale="en")
    followed: list[list[str]] = []

    def note(request: Request) -> None:
        if _LIVE.search(request.url):
            followed.append(parse_qs(urlsplit(request.url).query)["festival"])

    async with served_portal(others) as address:
        page = await context.new_page()
        page.on("request", note)
        await sign_in(page, address, "organiser", PASSWORD)
        async with page.expect_request(_LIVE):
            await page.goto(f"{address}/festivals/ODOP")
        for name in visited:
            # What another tab says when it shows a festival.
            async with page.expect_request(_LIVE):
                await page.evaluate(_WATCH, name)
        assert followed[-1] == visited[1:]
        # A tab that comes to the front wants its own again.
        async with page.expect_request(_LIVE):
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        assert followed[-1] == [*visited[2:], "ODOP"]
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_component_can_be_read_in_light_and_dark(
    chromium: Browser, others: OtherServices, scheme: str
) -> None:
    context = await chromium.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 360, "height": 800}
    )
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/design")
        await watch.check()
    await context.close()


async def test_without_script_an_organiser_sees_the_festival(chromium: Browser, others: OtherServices) -> None:
    context = await chromium.new_context(locale="en", java_script_enabled=False)
    async with served_portal(others) as address:
        page = await context.new_page()
        await page.goto(f"{address}/sign-in")
        await page.fill("#login", "organiser")
        await page.fill("#password", PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_url(f"{address}/")
        await page.get_by_role("link", name="Festivals", exact=True).click()
        await page.get_by_role("link", name="ODOP", exact=True).click()
        await expect(page.get_by_role("heading", name="One Day <One>")).to_be_visible()
    await context.close()
