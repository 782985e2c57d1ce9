"""`make pictures`: plays a small season, and takes a picture of every page of the portal, till and terminal.

`make pictures ARGS=paint` takes none, and measures when each page shows something on a slow phone.
"""

import asyncio
import os
import shutil
import sys

from playwright.async_api import async_playwright

from docsite.generated import DOCS
from docsite.screens.camera import Camera
from docsite.screens.devices import CodeGiver, DeviceCamera
from docsite.screens.paint import Painted, painted_pages, table
from docsite.screens.season import FESTIVAL, PLAN, REFILL
from docsite.screens.stack import FOLDER, PicturedStack, pictured_stack
from docsite.screens.walk import PageRoute, page_routes
from services.portal.api import portal
from shared.runtime.plain_service import PlainService
from shared.settings import Settings

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURES = FOLDER.parent / "pages"
# Pages of a festival that is over, and of what was left to do.
ALSO = (
    *("/festivals/IPPA", "/festivals/IPPA/sales", "/festivals/IPPA/close"),
    *(f"/festivals/{FESTIVAL}/plans/{PLAN}", f"/festivals/{FESTIVAL}/refills/{REFILL}"),
)
# Buttons whose answer is a page, by role and address. Each command is one that changes no sum.
PRESSED = {
    "facility": {"/facilities/PR-KPG": "form[action$='/statements'] button"},
    "organiser": {f"/festivals/{FESTIVAL}/people": "form[action$='/people'] button"},
    "operator": {"/operator/checks": "form[action$='/checks'] button"},
    "administrator": {"/accounts": "form[action$='/accounts'] button"},
}


PAINT = "paint"


def main() -> None:
    """Play the season, and take the pictures, or measure the pages."""
    path = os.environ.get("KARYA_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        sys.exit("error: no Chromium: install Debian's package `chromium`, or let KARYA_CHROMIUM name one")
    if sys.argv[1:] == [PAINT]:
        with pictured_stack() as stack:
            print(asyncio.run(measure_pages(stack, path)))
        return
    if sys.argv[1:]:
        sys.exit(f"error: {' '.join(sys.argv[1:])!r}: nothing or {PAINT!r} may stand here")
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with pictured_stack() as stack:
        asyncio.run(take_pictures(stack, path))
    print(f"{len(list(PICTURES.iterdir()))} pictures are in {PICTURES}.")


async def take_pictures(stack: PicturedStack, chromium: str) -> None:
    """All pictures of a running portal. Says which pages the season has not; a test walks through all of them."""
    routes = await portal_routes()
    seen: set[PageRoute] = set()
    async with async_playwright() as playwright:
        # Containers run as root, where Chromium has no sandbox.
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        devices = DeviceCamera(browser, stack.portal, PICTURES, DOCS / "pictures")
        camera = Camera(browser, stack.portal, PICTURES, DOCS / "pictures", f"/{FESTIVAL}", ALSO)
        try:
            # First: the pages show what they have recorded.
            for giver in givers(stack):
                await devices.take(giver)
            for role, account in (*stack.people.items(), ("public", None)):
                signs_in = (account.login, account.password) if account is not None else None
                seen |= await camera.take(role, signs_in, routes, PRESSED.get(role, {}))
        finally:
            await browser.close()
    for route in routes:
        if route not in seen:
            print(f"The season has no page {route.pattern}.")


async def measure_pages(stack: PicturedStack, chromium: str) -> str:
    """The table of what a slow phone waits for. Each page is measured once, of the first role that sees it."""
    routes = await portal_routes()
    found: list[Painted] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for role, account in (*stack.people.items(), ("public", None)):
                signs_in = (account.login, account.password) if account is not None else None
                passed = {row.page for row in found}
                found += await painted_pages(browser, stack.portal, role, signs_in, routes, f"/{FESTIVAL}", passed)
        finally:
            await browser.close()
    return table(found)


def givers(stack: PicturedStack) -> list[CodeGiver]:
    """Where the codes of the pictured devices are given."""
    organiser, staff = stack.people["organiser"], stack.people["facility"]
    return [
        CodeGiver("till", organiser.login, organiser.password, f"/festivals/{FESTIVAL}/people", f"{FESTIVAL}.B01"),
        CodeGiver("terminal", staff.login, staff.password, "/facilities/PR-KPG/people", "PR-KPG"),
    ]


async def portal_routes() -> list[PageRoute]:
    """The routes of the portal's pages; connects to no server."""
    service = PlainService("portal", Settings())
    try:
        return page_routes(portal(service))
    finally:
        await service.stop()


if __name__ == "__main__":
    main()
