"""The terminal's page in a browser."""

from playwright.async_api import BrowserContext, Page, expect

from tests.support.browser import Watched, watched
from tests.support.device_line import Line
from tests.support.device_services import CODE


async def enrolled(context: BrowserContext, line: Line, code: str = CODE) -> tuple[Page, Watched]:
    """A page of the terminal, enrolled by the code, that opens without a line too."""
    watch = watched(page := await context.new_page())
    await page.goto(line.terminal)
    await page.fill("#code", code)
    await page.click("#enrol")
    await expect(page.locator("#make-KTI")).to_be_visible()
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    return page, watch


async def make(page: Page, qty: str, product: str = "KTI") -> None:
    await page.click(f"#make-{product}")
    await page.fill("#qty", qty)
    await page.click("#keep")
    await expect(page.locator("#next")).to_be_visible()


async def to_next(page: Page) -> None:
    # A tap within the bounce of the last one counts as a bounce.
    await page.wait_for_timeout(450)
    await page.click("#next")
    await expect(page.locator("#make-KTI")).to_be_visible()
