"""The till's page in a browser."""

from playwright.async_api import BrowserContext, Page, expect

from tests.support.browser import Watched, watched
from tests.support.device_line import Line
from tests.support.device_services import CODE


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
