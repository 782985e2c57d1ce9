"""The pages for everybody in a real browser, without an account."""

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import LOOKS, watched
from tests.support.portal import OtherServices, served_portal
from tests.support.public_events import LOT, a_balance, a_festival, a_part, catalogue_facts


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_a_stranger_sees_sales_and_the_story_of_a_lot(chromium: Browser, language: str, width: int) -> None:
    others = OtherServices()
    for body in (a_festival(), *catalogue_facts(), a_balance(recalled=True), a_part("s1", 2)):
        others.stream.take(body)
    others.stream.mark_whole()
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/public")
        await expect(page.get_by_text("Rp300.000").first).to_be_visible()
        await expect(page.locator("figure.map svg").first).to_contain_text("Timor · 2")
        await watch.check()
        await page.get_by_role("textbox").fill(LOT.lower())
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{address}/public/lots/{LOT}")
        await expect(page.get_by_role("alert")).to_be_visible()
        # The picture has come: a wrong address, or one that the policy forbids, has no size.
        assert await page.locator("img.qr").evaluate("(image) => image.decode().then(() => image.naturalWidth)")
        await watch.check()
        assert await context.cookies() == []
    await context.close()
