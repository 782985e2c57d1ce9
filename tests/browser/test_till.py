"""The till in a real browser: enrol, sell without a line, sync when it is back, and what may go wrong."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from lab.chaos.proxy import Proxy
from shared.events.language import Body
from shared.events.sales import (
    BoothCounted,
    CashCounted,
    DeviceIntroduced,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    RecordTakenOut,
    TillClosed,
)
from tests.support.browser import Watched, watched
from tests.support.builders.till import LOT, a_stocking, an_opening
from tests.support.device_services import BOOTH, CODE, DeviceServices
from tests.support.portal import served_portal
from tests.support.waiting import eventually

# What the console says while the line is cut.
CUT = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "status of 503")


@pytest.fixture
def services() -> DeviceServices:
    return DeviceServices(an_opening("T1"), a_stocking(LOT, 10))


class Line:
    """The line between the browser and the portal, which can be cut. Its address stays the same."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listen = 0
        self._proxy: Proxy | None = None

    async def mend(self) -> None:
        self._proxy = Proxy(self._port, listen=self._listen)
        await self._proxy.__aenter__()
        self._listen = self._proxy.port

    async def cut(self) -> None:
        if self._proxy is not None:
            await self._proxy.__aexit__()
            self._proxy = None

    @property
    def till(self) -> str:
        return f"http://127.0.0.1:{self._listen}/apps/till/"


@asynccontextmanager
async def a_line(services: DeviceServices) -> AsyncIterator[Line]:
    async with served_portal(services) as address:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        try:
            yield line
        finally:
            await line.cut()


@asynccontextmanager
async def a_phone(chromium: Browser, language: str = "en", width: int = 360) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(locale=language, viewport={"width": width, "height": 740})
    try:
        yield context
    finally:
        await context.close()


async def enrolled(context: BrowserContext, line: Line, till: str = "T1") -> tuple[Page, Watched]:
    watch = watched(page := await context.new_page())
    await page.goto(line.till)
    await page.fill("#code", CODE)
    await page.fill("#till", till)
    await page.click("#enrol")
    await expect(page.locator("#sell-KTI")).to_be_visible()
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


def bodies(services: DeviceServices, kind: type[Body]) -> list[Any]:
    return [record.body for record in services.stored if isinstance(record.body, kind)]


def without_the_cut(watch: Watched) -> list[str]:
    return [complaint for complaint in watch.complaints if not any(part in complaint for part in CUT)]


async def test_a_till_sells_without_a_line_and_sends_when_it_is_back(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await expect(page.locator("#unsent")).to_have_text("All sent")
        assert [type(record.body) for record in services.stored] == [DeviceIntroduced]
        await watch.check()

        await line.cut()
        await sell(page, 2, given="500.000")
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")
        assert await page.evaluate("navigator.onLine"), "a browser does not know of it"
        await page.reload()
        await expect(page.locator("#sell-KTI")).to_contain_text("8 left")
        await expect(page.locator(".line")).to_have_text("No connection: sales are kept here")
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")
        assert len(services.stored) == 1

        await line.mend()
        await page.click("#unsent")
        await page.wait_for_timeout(450)
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [receipt] = bodies(services, ReceiptIssued)
        assert (receipt.booth, receipt.till, receipt.seq) == (BOOTH, "T1", 2)
        assert receipt.previous == services.stored[0].id
        assert [(line.product, line.qty, line.unit_price_rupiah) for line in receipt.lines] == [("KTI", 2, 250_000)]
        assert (receipt.payment.given_rupiah, receipt.payment.change_rupiah) == (500_000, 0)
        assert without_the_cut(watch) == []
