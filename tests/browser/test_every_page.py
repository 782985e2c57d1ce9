"""Every page of the portal, found from its routes: readable, by the keyboard too, and without motion if wished."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page

from docsite.screens.walk import PageRoute, PagesMissed, Walk, check_none_missed, page_routes, sign_in
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.browser import Watched, watched
from tests.support.festival_pages import MORNING, facility_pages, operator_pages, running_festival
from tests.support.portal import PASSWORD, OtherServices, an_application, served_portal
from tests.support.public_events import LOT, a_balance, a_festival, a_part

WIDTHS = (360, 1440)
ACCOUNT = {
    "subject": "s-abcdefghijklmnop",
    "roles": [{"role": "organiser", "scope": "ODOP"}],
    "opened_at": MORNING,
    "closed_at": None,
    "waits_for_reset": False,
    "login": "panitia",
    "name": None,
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
    others.pages |= running_festival() | operator_pages() | facility_pages()
    others.pages["identity/accounts"] = [ACCOUNT]
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
        yield Walk(address, routes, "/ODOP", [f"/public/lots/{LOT}"]), watch
    await context.close()


@pytest.mark.parametrize("language", ["en", pytest.param("id", marks=pytest.mark.slow)])
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
