"""The operator's pages in a real browser: what is still to be worked, a lost device's records, and dead letters."""

import json

import httpx
import pytest
from playwright.async_api import Browser, expect

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import LOOKS, watched
from tests.support.festival_pages import HELD, SERVICES, operator_pages
from tests.support.operations_pages import LETTER_ADDRESS, LETTER_PATH, REBUILD, operations_pages
from tests.support.portal import PASSWORD, OtherServices, served_portal
from tests.support.waiting import eventually


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_an_operator_sees_what_waits_and_releases_a_lost_devices_records(
    chromium: Browser, language: str, width: int
) -> None:
    others = OtherServices(Grant(Role.OPERATOR))
    others.pages |= operator_pages()
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/sign-in?next=/operator")
        await page.fill("#login", "operator")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{address}/operator")
        await expect(page.get_by_text("ODOP.B1", exact=True)).to_be_visible()
        await expect(page.get_by_text("1.250").first).to_be_visible()
        await watch.check()
        await page.goto(f"{address}/operator/held")
        await watch.check()
        await page.locator("form button.primary").click()
        await eventually(lambda: len(others.commands), equals=1, within=20)
        name, body, _ = others.commands[0]
        assert (name, json.loads(body)) == ("gateway/held/ODOP.B1/release", {"device": HELD["device"]})
    await context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_an_operator_corrects_a_dead_letter_and_follows_a_rebuild(
    chromium: Browser, language: str, width: int
) -> None:
    others = OtherServices(Grant(Role.OPERATOR), Grant(Role.AUDITOR))
    others.pages |= operator_pages() | operations_pages()
    others.pages |= {f"{name}/audit": [] for name in (*SERVICES, "operations")}
    outcome = {"worked": True, "sent": 1, "changed": ["qty"], "letter": None, "reason": None, "message": None}
    others.outcomes[f"{LETTER_PATH}/mend"] = httpx.Response(200, json=outcome)
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 800})
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await page.goto(f"{address}/sign-in?next=/operator/letters")
        await page.fill("#login", "operator")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="ProductionReported").click()
        await expect(page).to_have_url(f"{address}{LETTER_ADDRESS}")
        await watch.check()
        await page.fill("#mended", '{"qty": 12}')
        await page.locator("form button.primary").click()
        await expect(page).to_have_url(f"{address}{LETTER_ADDRESS}?done=mend")
        name, body, _ = others.commands[0]
        assert (name, json.loads(body)) == (f"{LETTER_PATH}/mend", {"body": '{"qty": 12}', "note": ""})
        for place in ("/operator/checks", "/audit", "/operator/rebuilds"):
            await page.goto(f"{address}{place}")
            await watch.check()
        others.pages["operations/rebuilds"] = [{**REBUILD, "status": "done", "ok": True}]
        await expect(page.locator(".badge-open")).to_be_visible()
    await context.close()
