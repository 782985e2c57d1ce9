"""`make pictures`: plays a small season, and takes a picture of every page of the portal."""

import asyncio
import os
import shutil
import sys

from playwright.async_api import async_playwright

from docsite.generated import DOCS
from docsite.screens.camera import Camera
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
    "administrator": {"/accounts": "form[action$='/accounts'] button"},
}


def main() -> None:
    """Play the season, and take the pictures."""
    path = os.environ.get("KARYA_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        sys.exit("error: no Chromium: install Debian's package `chromium`, or let KARYA_CHROMIUM name one")
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
        camera = Camera(browser, stack.portal, PICTURES, DOCS / "pictures", f"/{FESTIVAL}", ALSO)
        try:
            for role, account in (*stack.people.items(), ("public", None)):
                signs_in = (account.login, account.password) if account is not None else None
                seen |= await camera.take(role, signs_in, routes, PRESSED.get(role, {}))
        finally:
            await browser.close()
    for route in routes:
        if route not in seen:
            print(f"The season has no page {route.pattern}.")


async def portal_routes() -> list[PageRoute]:
    """The routes of the portal's pages; connects to no server."""
    service = PlainService("portal", Settings())
    try:
        return page_routes(portal(service))
    finally:
        await service.stop()


if __name__ == "__main__":
    main()
