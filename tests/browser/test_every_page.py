"""Every page of the portal, found from its routes: readable, by the keyboard too, and without motion if wished."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from docsite.screens.walk import PageRoute, PagesMissed, Walk, check_none_missed, page_routes, sign_in
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import Watched, watched
from tests.support.festival_pages import (
    MORNING,
    PLACE,
    PROPOSED,
    SERVICES,
    facility_pages,
    operator_pages,
    running_festival,
)
from tests.support.operations_pages import operations_pages
from tests.support.portal import PASSWORD, OtherServices, an_application, served_portal
from tests.support.public_events import LOT, a_balance, a_festival, a_part

WIDTHS = (360, 1440)
SECONDS = 900
ACCOUNT = {
    "subject": "s-abcdefghijklmnop",
    "roles": [{"role": "organiser", "scope": "ODOP"}],
    "opened_at": MORNING,
    "closed_at": None,
    "waits_for_reset": False,
    "login": "panitia",
    "name": None,
}
AUDITED = (*SERVICES, "operations")
SOLD = {
    "product": "KTI",
    "stocked": 20,
    "sold": 8,
    "lost": 0,
    "moved": 0,
    "unsold": 12,
    "sold_rupiah": 1_200_000,
    "hours": [{"at": MORNING, "qty": 8}],
}
STOCKED = {"lot": LOT, "facility": "PR-KPG", "on_hand": 12, "made_on": "2026-11-30", "best_before": None}
RESERVED = {**PROPOSED["lines"][0], "status": "reserved"}
# What else the services answer, by `service/path`.
NEWER: dict[str, Any] = {
    f"{PLACE}/requests/R1": {**PROPOSED, "request": "R1", "status": "settled", "lines": [RESERVED]},
    f"{PLACE}/requests/R2": {**PROPOSED, "request": "R2", "status": "settled"},
    "festival/stock/KTI": [STOCKED],
    "sales/sell-through": [{"booth": "ODOP.B1", "name": "Stan Timur", "products": [SOLD]}],
    "production/catalogue": {"revision": 1, "entries": []},
    "identity/devices": [],
    "identity/accounts": [ACCOUNT],
}
# The focus of each element that takes it, as an outline or a border that it has not without.
_FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    name: element.tagName === "BODY" ? null : element.outerHTML.slice(0, 120),
    shown: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || element.id === "main",
    small: box.width < 24 && box.height < 24,
  };
}"""
_MOVING = """() => document.getAnimations().filter((a) => a.effect.getComputedTiming().activeDuration > 0).length"""


def everything() -> OtherServices:
    """A person with every role, at a festival that sells beside one that is settled."""
    grants = [Grant(Role.ORGANISER, "*"), Grant(Role.FACILITY_STAFF, "PR-KPG"), Grant(Role.OPERATOR)]
    others = OtherServices(*grants, Grant(Role.ADMINISTRATOR), Grant(Role.CASHIER, "ODOP.B1"))
    others.pages |= running_festival() | operator_pages() | facility_pages() | operations_pages() | NEWER
    others.pages |= {f"{service}/audit": [] for service in AUDITED}
    for body in (a_festival(), a_balance(recalled=True), a_part("s1", 2)):
        others.stream.take(body)
    others.stream.mark_whole()
    return others


@asynccontextmanager
async def a_walk(browser: Browser, language: str) -> AsyncIterator[tuple[Walk, Watched]]:
    others = everything()
    routes = page_routes(an_application(others)[0])
    context = await browser.new_context(
        locale=language, viewport={"width": 360, "height": 800}, reduced_motion="reduce"
    )
    async with served_portal(others) as address:
        watch = watched(page := await context.new_page())
        await sign_in(page, address, "organiser", PASSWORD)
        await page.goto(f"{address}/facilities/PR-KPG")
        await page.locator("form[action$='/statements'] button").click()
        await page.wait_for_url("**/statements/1")
        yield Walk(address, routes, "/ODOP", ["/festivals/ODOP/plans/R3", f"/public/lots/{LOT}"]), watch
    await context.close()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("language", ["en", "id"])
async def test_every_page_can_be_read_at_both_widths(chromium: Browser, language: str) -> None:
    async with a_walk(chromium, language) as (walk, watch):
        async for _ in walk.pages(watch.page):
            for width in WIDTHS:
                await watch.page.set_viewport_size({"width": width, "height": 800})
                await watch.check()
            await watch.page.set_viewport_size({"width": WIDTHS[0], "height": 800})
            assert await watch.page.locator("h1").count() == 1, watch.page.url
            assert await watch.page.evaluate("document.documentElement.lang") == language
            assert await watch.page.evaluate(_MOVING) == 0, f"{watch.page.url} moves"
        check_none_missed(walk.routes, walk.seen)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
async def test_the_focus_of_the_keyboard_is_seen_on_every_page(chromium: Browser) -> None:
    async with a_walk(chromium, "id") as (walk, watch):
        async for _ in walk.pages(watch.page):
            await check_focus(watch.page)


async def check_focus(page: Page) -> None:
    reached = 0
    for _ in range(200):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(_FOCUSED)
        if focused["name"] is None:
            break
        reached += 1
        assert focused["shown"], f"{page.url}: the focus of {focused['name']} can't be seen"
    assert reached > 3, page.url


def test_a_page_without_a_link_is_missed() -> None:
    routes = [PageRoute("/festivals"), PageRoute("/festivals/{festival}")]
    with pytest.raises(PagesMissed, match=r"to /festivals/\{festival\}\."):
        check_none_missed(routes, routes[:1])
    check_none_missed(routes, routes)
