"""The pages of a facility in a real browser: its share in plans, and the statements of what it is owed."""

import re

import pytest
from playwright.async_api import Browser, expect

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import LOOKS, watched
from tests.support.festival_pages import SHARE, facility_pages
from tests.support.portal import PASSWORD, OtherServices, served_portal

_CUT = "[...document.querySelectorAll('.table')].filter((t) => t.scrollWidth > t.clientWidth).length"


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.FACILITY_STAFF, "PR-KPG"))
    others.pages |= facility_pages()
    return others


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_a_facility_issues_its_statement_and_later_a_note(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/sign-in?next=/facilities/PR-KPG")
        await page.fill("#login", "staff")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{address}/facilities/PR-KPG")
        await expect(page.get_by_text(SHARE["reason" if language == "en" else "reason_id"])).to_be_visible()
        await watch.check()
        assert await page.evaluate(_CUT) == 0, "every table can be seen whole"
        await page.locator("form[action$='/statements'] button").click()
        await expect(page).to_have_url(f"{address}/facilities/PR-KPG/statements/1")
        await expect(page.locator("h1")).to_contain_text("PR-KPG-0001")
        await watch.check()
        # A late void: what was stated stays, and the difference is a note.
        others.pages["sales/settlements"][0] |= {"revision": 2, "qty": 6, "facility_rupiah": 540_000}
        await page.reload()
        await expect(page.get_by_role("cell", name="Rp630.000")).to_be_visible()
        await page.goto(f"{address}/facilities/PR-KPG")
        await page.locator("form[action$='/statements'] button").click()
        await expect(page.locator("h1")).to_contain_text("PR-KPG-0002")
        await expect(page.get_by_role("cell", name="-Rp90.000")).to_be_visible()
        await watch.check()
        await page.emulate_media(media="print")
        await expect(page.locator(".actions").first).not_to_be_visible()
        await page.goto(f"{address}/facilities/PR-KPG")
        assert await page.locator("form[action$='/statements']").count() == 0
        await watch.check()
    await context.close()


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_a_facility_prints_labels_in_the_size_of_the_paper(
    chromium: Browser, others: OtherServices, language: str, width: int
) -> None:
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/sign-in?next=/facilities/PR-KPG/labels")
        await page.fill("#login", "staff")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await watch.check()
        for paper, sheets, box in (("a4", 2, (595, 842)), ("58", 25, (164, 113))):
            await page.goto(f"{address}/facilities/PR-KPG/labels")
            await page.locator("[name=lot]").check()
            await page.fill("#copies", "25")
            await page.select_option("#paper", paper)
            await page.locator("form.stack button").click()
            await expect(page.locator(".label")).to_have_count(25)
            await watch.check()
            printed = await page.pdf(prefer_css_page_size=True)
            sizes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", printed)
            assert [(round(float(x)), round(float(y))) for x, y in sizes] == [box] * sheets
    await context.close()
