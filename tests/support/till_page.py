"""The till's page in a browser, and the line between the two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, expect

from lab.chaos.proxy import Proxy
from shared import envelope
from shared.events.language import Body
from tests.support.browser import Watched, watched
from tests.support.device_services import CODE, DeviceServices
from tests.support.portal import served_portal


class Line:
    """The line between the browser and the portal at `port`, which can be cut. Its own address stays the same."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._listen = 0
        self._proxy: Proxy | None = None

    async def mend(self) -> None:
        self._proxy = Proxy(self.port, listen=self._listen)
        await self._proxy.__aenter__()
        self._listen = self._proxy.port

    async def cut(self) -> None:
        if self._proxy is not None:
            await self._proxy.__aexit__()
            self._proxy = None

    @property
    def till(self) -> str:
        return f"http://127.0.0.1:{self._listen}/apps/till/"

    @property
    def terminal(self) -> str:
        return f"http://127.0.0.1:{self._listen}/apps/terminal/"


@asynccontextmanager
async def a_line(services: DeviceServices) -> AsyncIterator[Line]:
    async with served_portal(services) as address:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        try:
            yield line
        finally:
            await line.cut()
    for record in services.records:
        assert envelope.encode(record.body) == record.value, "the bytes are those of any other till"


def bodies(services: DeviceServices, kind: type[Body]) -> list[Any]:
    return [record.body for record in services.stored if isinstance(record.body, kind)]


@asynccontextmanager
async def a_phone(chromium: Browser, language: str = "en", width: int = 360) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 740})
    try:
        yield context
    finally:
        await context.close()


async def enrolled(context: BrowserContext, line: Line, code: str = CODE, till: str = "T1") -> tuple[Page, Watched]:
    """A page of the till, enrolled by the code, that opens without a line too."""
    watch = watched(page := await context.new_page())
    await page.goto(line.till)
    await page.fill("#code", code)
    await page.fill("#name", till)
    await page.click("#enrol")
    # The prices come with the first sync.
    await expect(page.locator("#sell-KTI")).to_be_visible(timeout=20_000)
    # Without it the page would not open again while the line is cut.
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    return page, watch


async def sell(page: Page, pieces: int = 1, *, given: str = "") -> None:
    for _ in range(pieces):
        await page.click("#sell-KTI")
    await page.click("#pay")
    if given:
        await page.fill("#given", given)
    await page.click("#keep")
    await expect(page.locator("#next")).to_be_visible()


async def next_customer(page: Page) -> None:
    # A tap within the bounce of the last one counts as a bounce.
    await page.wait_for_timeout(450)
    await page.click("#next")
    await expect(page.locator("#pay")).to_be_visible()


async def open_drawer(page: Page) -> None:
    await page.click("#tab-cash")
    await page.fill("#cashier", "P1")
    await page.fill("#float", "200.000")
    await page.click("#open-drawer")
    await expect(page.locator("#counted")).to_be_visible()
