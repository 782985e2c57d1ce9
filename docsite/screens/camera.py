"""Pictures of pages: each in two languages and widths, and those of the documentation."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page

from docsite.screens.walk import PageRoute, Visit, Walk, sign_in

WIDTHS = (360, 1440)
LANGUAGES = ("en", "id")
HEIGHT = 900
MOST_HEIGHT = 6_000
QUALITY = 60
FIRST = "home"
LOTS = "/public/lots/"
LOT = re.compile(r"\b[A-Z]{2}-[A-Z]{3}-[A-Z]{3}-\d{6}-\d{3}-[0-9A-Z]\b")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the documentation: the page of a role, cut to `height`."""

    role: str
    page: str
    width: int
    height: int
    language: str = "en"

    @property
    def file(self) -> str:
        return f"{self.role}-{self.page}-{self.width}.webp"


SHOWN: Sequence[Shown] = (
    Shown("organiser", "home", 1440, 700),
    Shown("organiser", "festivals-festival", 1440, 1000),
    Shown("organiser", "festivals-plans-plan-odop", 1440, 1000),
    Shown("organiser", "festivals-sales", 1440, 900),
    Shown("organiser", "festivals-parcels-shipment", 360, 800),
    Shown("facility", "facilities-facility", 1440, 1000),
    Shown("facility", "facilities-facility", 360, 800),
    Shown("facility", "facilities-facility-statements-number", 1440, 700),
    Shown("operator", "operator", 1440, 900),
    Shown("public", "public", 1440, 900),
)


@dataclass(slots=True)
class Camera:
    """Takes the pictures of all pages into `folder`, and those of the documentation into `documentation`.

    A page that several roles see is `taken` once, by the first of them. The first page differs for each role."""

    browser: Browser
    address: str
    folder: Path
    documentation: Path
    preferred: str = ""
    also: Sequence[str] = ()
    taken: set[str] = field(default_factory=set)

    async def take(
        self, role: str, account: tuple[str, str] | None, routes: Sequence[PageRoute], presses: Mapping[str, str]
    ) -> set[PageRoute]:
        """Pictures of all pages of a role. `presses`: buttons whose result is a page of its own, by address.

        Returns the routes that were shown. Raises PlaywrightError.
        """
        seen: set[PageRoute] = set()
        # Strangers' pages are shown as strangers see them.
        passed = self.taken - {FIRST} if account is not None else set()
        for language in LANGUAGES:
            context = await self.browser.new_context(
                locale=language,
                viewport={"width": WIDTHS[0], "height": HEIGHT},
                timezone_id="Asia/Makassar",
                reduced_motion="reduce",
            )
            page = await context.new_page()
            if account is not None:
                await sign_in(page, self.address, *account)
            for address, selector in presses.items():
                await page.goto(f"{self.address}{address}")
                if await page.locator(selector).count():
                    await page.locator(selector).first.click()
                    await page.wait_for_load_state("networkidle")
                    pressed = Visit(PageRoute(address), address, f"pressed-{PageRoute(address).name}")
                    await self._picture(page, role, pressed, language)
            walk = Walk(self.address, routes, self.preferred, self.also, passed)
            async for visit in walk.pages(page):
                self._follow_a_lot(await page.content())
                await self._picture(page, role, visit, language)
                self.taken.add(visit.name)
            seen |= walk.seen
            await context.close()
        return seen

    def _follow_a_lot(self, content: str) -> None:
        """A lot's story is reached by its QR code alone."""
        if not any(address.startswith(LOTS) for address in self.also) and (lot := LOT.search(content)):
            self.also = (*self.also, f"{LOTS}{lot[0]}")

    async def _picture(self, page: Page, role: str, visit: Visit, language: str) -> None:
        """The page was loaded at the first width, as a phone does."""
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            name = f"{role}-{visit.name}-{width}-{language}.webp"
            (self.folder / name).write_bytes(await picture(page, width, MOST_HEIGHT))
            print(f"picture: {role}, {visit.path}, {width} px, {language}", flush=True)
            for shown in SHOWN:
                if (shown.role, shown.page, shown.width, shown.language) == (role, visit.name, width, language):
                    self.documentation.mkdir(exist_ok=True)
                    (self.documentation / shown.file).write_bytes(await picture(page, width, shown.height))
        await page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})


async def picture(page: Page, width: int, most_height: int) -> bytes:
    """The page from its top as WebP, cut where it is higher than `most_height`."""
    height = await page.evaluate("document.documentElement.scrollHeight")
    viewport = page.viewport_size
    session = await page.context.new_cdp_session(page)
    try:
        answer = await session.send(
            "Page.captureScreenshot",
            {
                "format": "webp",
                "quality": QUALITY,
                # What sticks to the bottom of the screen stays there.
                "captureBeyondViewport": viewport is None or most_height > viewport["height"],
                "clip": {"x": 0, "y": 0, "width": width, "height": min(height, most_height), "scale": 1},
            },
        )
    finally:
        await session.detach()
    return base64.b64decode(answer["data"])
