"""Till and terminal for tests of what both promise: each with its services, its page, and one record of its own."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from shared.events.language import Body
from shared.events.production import ProductionReported
from shared.events.sales import DeviceHeard, DeviceIntroduced, ReceiptIssued
from tests.support import terminal_page, till_page
from tests.support.builders.till import LOT, a_stocking, an_opening
from tests.support.device_line import Line, bodies
from tests.support.device_services import DeviceServices
from tests.support.terminal_services import TerminalServices

STOCK = 1000


@dataclass(frozen=True)
class TillUnderTest:
    """A till whose record is a sale of one piece. `typed`: a field that its cashier fills, and with what."""

    name: str = "till"
    home: str = "#sell-KTI"
    kind: type[Body] = ReceiptIssued
    typed: tuple[str, str] = ("#given", "300.000")

    def services(self) -> DeviceServices:
        return DeviceServices(an_opening("T1"), a_stocking(LOT, STOCK))

    def address(self, line: Line) -> str:
        return line.till

    async def enrolled(self, context: BrowserContext, line: Line) -> Page:
        page, _ = await till_page.enrolled(context, line)
        return page

    async def begin(self, page: Page) -> None:
        """Enter a record, up to the button that keeps it."""
        await page.click("#sell-KTI")
        await page.click("#pay")

    async def leave(self, page: Page) -> None:
        """Give up what `begin` has entered."""
        await page.click("#tab-sell")
        await page.click("#less-KTI")

    def tell_of_devices(self, services: DeviceServices) -> None:
        """Sales tells the booth of each device that it has heard."""
        for record in services.stored:
            if isinstance(body := record.body, DeviceIntroduced):
                services.say(DeviceHeard(booth=body.booth, till=body.till, device=body.device))

    async def shown(self, page: Page) -> int:
        """The records that the page knows of, on its first view."""
        text = await page.locator("#sell-KTI .goods-left").inner_text()
        return STOCK - int(text.split()[0].replace(".", ""))


@dataclass(frozen=True)
class TerminalUnderTest:
    """A terminal whose record is a new lot. `typed`: a field that its staff fill, and with what."""

    name: str = "terminal"
    home: str = "#make-KTI"
    kind: type[Body] = ProductionReported
    typed: tuple[str, str] = ("#qty", "12")

    def services(self) -> DeviceServices:
        return TerminalServices()

    def address(self, line: Line) -> str:
        return line.terminal

    async def enrolled(self, context: BrowserContext, line: Line) -> Page:
        page, _ = await terminal_page.enrolled(context, line)
        return page

    async def begin(self, page: Page) -> None:
        """Enter a record, up to the button that keeps it."""
        await page.click("#make-KTI")
        await page.fill("#qty", "12")

    async def leave(self, page: Page) -> None:
        """Give up what `begin` has entered."""
        await page.click("#back")

    def tell_of_devices(self, _services: DeviceServices) -> None:
        """Production answers each record by itself."""

    async def shown(self, page: Page) -> int:
        """The records that the page knows of."""
        await page.click("#tab-records")
        if not await page.locator("#all", has_text=re.compile("alone|saja")).count():
            await page.click("#all")
        count = await page.locator(".inbox li").count()
        await page.click("#tab-choose")
        return count


AppUnderTest = TillUnderTest | TerminalUnderTest
APPS: tuple[AppUnderTest, ...] = (TillUnderTest(), TerminalUnderTest())


async def keep(app: AppUnderTest, page: Page) -> None:
    """Keep one record."""
    await app.begin(page)
    await page.click("#keep")
    await expect(page.locator("#next")).to_be_visible()


async def go_on(app: AppUnderTest, page: Page) -> None:
    """Go back to the first view after a record."""
    # A tap within the bounce of the last one counts as a bounce.
    await page.wait_for_timeout(450)
    await page.click("#next")
    await expect(page.locator(app.home)).to_be_visible()


def unsent(page: Page) -> Locator:
    """What the bar says of records that are not sent."""
    return page.locator("#unsent")


def kept(app: AppUnderTest, services: DeviceServices) -> list[Any]:
    """What the services have of the records that `keep` makes."""
    return bodies(services, app.kind)


async def spooled(app: AppUnderTest, page: Page) -> list[tuple[int, str, str]]:
    """Number, id and state of each record in the browser's database."""
    rows = await page.evaluate(
        """async (role) => {
          const { Spool } = await import("/apps/device/spool.js");
          return (await new Spool(role).stored()).map(({ seq, id, state }) => [seq, id, state]);
        }""",
        app.name,
    )
    return [tuple(row) for row in rows]
