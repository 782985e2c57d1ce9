"""A short journey of an organiser in a real browser: sign in, see the festival, sign out."""

import pytest
from playwright.async_api import Browser, expect

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import watched
from tests.support.portal import FESTIVAL, PASSWORD, OtherServices, pages_of, served_portal

WORDS = {
    "id": ("Masuk", "Festival", "Langkah", "Keluar"),
    "en": ("Sign in", "Festivals", "Steps", "Sign out"),
}


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL)
    return others


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("language", WORDS)
async def test_an_organiser_signs_in_sees_the_festival_and_signs_out(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    sign_in, festivals, steps, sign_out = WORDS[language]
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/festivals/ODOP")
        await expect(page.get_by_role("heading", name=sign_in, exact=True)).to_be_visible()
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
