"""Pictures of the till and the terminal, which are enrolled by a code as people do it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from docsite.screens.camera import LANGUAGES, WIDTHS, picture
from docsite.screens.walk import sign_in

# A phone with its browser's bar.
HEIGHT = 760
# So long a bounce of the last tap is no tap.
BOUNCE_MS = 500
SYNCED_MS = 60_000
# The season's own devices have the lower numbers.
FIRST_NUMBER = 6
# The products of which most is left.
_MOST_LEFT = """(goods) => goods
  .map((one) => ({ id: one.id, left: Number(one.querySelector(".goods-left").textContent.replace(/\\D/g, "")) }))
  .sort((one, other) => other.left - one.left).map(({ id }) => id)"""
# The pictures of the documentation, by role and view.
SHOWN = {
    (role, view): f"{role}-{view}-{WIDTHS[0]}.webp"
    for role, view in (("till", "sell"), ("till", "receipt"), ("terminal", "choose"), ("terminal", "lots"))
}


@dataclass(frozen=True, slots=True)
class CodeGiver:
    """Who gives the code of a device, and where. `scope`: the place of the device."""

    role: str
    login: str
    password: str
    page: str
    scope: str


@dataclass(frozen=True, slots=True)
class DeviceCamera:
    """Takes the pictures of devices into `folder`, and those of the documentation into `documentation`."""

    browser: Browser
    address: str
    folder: Path
    documentation: Path

    async def take(self, giver: CodeGiver) -> None:
        """The views of a device in both languages; a device is new in each. Raises PlaywrightError."""
        for number, language in enumerate(LANGUAGES, start=1):
            code = await self._code(giver, language)
            async with self._a_phone(language) as page:
                await page.goto(f"{self.address}/apps/{giver.role}/")
                await self._picture(page, giver.role, "setup", language)
                await page.fill("#code", code)
                await page.fill("#name", f"T{FIRST_NUMBER + number}")
                await page.click("#enrol")
                views = self._till(page) if giver.role == "till" else self._terminal(page)
                async for view in views:
                    await self._picture(page, giver.role, view, language)

    async def _code(self, giver: CodeGiver, language: str) -> str:
        """A code for a device, from the page that gives them."""
        async with self._a_phone(language) as page:
            await sign_in(page, self.address, giver.login, giver.password)
            await page.goto(f"{self.address}{giver.page}")
            form = page.locator(
                f"form:has([name=role][value={giver.role}]):has([name=scope][value='{giver.scope}']) button"
            )
            await form.click()
            return await page.locator(".code-text code").inner_text()

    @asynccontextmanager
    async def _a_phone(self, language: str) -> AsyncIterator[Page]:
        context = await self.browser.new_context(
            locale=language,
            viewport={"width": WIDTHS[0], "height": HEIGHT},
            timezone_id="Asia/Makassar",
            reduced_motion="reduce",
        )
        context.set_default_timeout(SYNCED_MS)
        try:
            yield await context.new_page()
        finally:
            await context.close()

    async def _till(self, page: Page) -> AsyncIterator[str]:
        """A customer buys, and the cashier counts the drawer."""
        await expect(page.locator(".goods").first).to_be_visible(timeout=SYNCED_MS)
        await _tap(page, "#tab-cash")
        await page.fill("#cashier", "K1")
        await page.fill("#float", "200.000")
        yield "cash"
        await _tap(page, "#open-drawer")
        await expect(page.locator("#counted")).to_be_visible(timeout=SYNCED_MS)
        await _tap(page, "#tab-sell")
        goods = page.locator(".goods:not([disabled])")
        stocked = await goods.evaluate_all(_MOST_LEFT)
        for place in (0, 0, 1):
            await _tap(page, f"#{stocked[place]}")
        yield "sell"
        await _tap(page, "#pay")
        yield "pay"
        await _tap(page, "#keep")
        await expect(page.locator("#next")).to_be_visible(timeout=SYNCED_MS)
        yield "receipt"
        await _tap(page, "#tab-cash")
        await _tap(page, "#day")
        yield "day"
        await _tap(page, "#tab-close")
        yield "close"

    async def _terminal(self, page: Page) -> AsyncIterator[str]:
        """A colleague records what was made, and the lot has its number."""
        product = page.locator(".product").first
        await expect(product).to_be_visible(timeout=SYNCED_MS)
        yield "choose"
        await product.click()
        await page.fill("#qty", "24")
        yield "make"
        await _tap(page, "#keep")
        await expect(page.locator("#next")).to_be_visible(timeout=SYNCED_MS)
        await expect(page.locator("#unsent")).to_have_class("unsent none", timeout=SYNCED_MS)
        yield "kept"
        await _tap(page, "#tab-lots")
        yield "lots"
        await _tap(page, "#tab-table")
        yield "table"

    async def _picture(self, page: Page, role: str, view: str, language: str) -> None:
        await page.wait_for_timeout(BOUNCE_MS)
        # A tap further down has scrolled.
        await page.evaluate("scrollTo(0, 0)")
        content = await picture(page, WIDTHS[0], HEIGHT)
        print(f"picture: {role}, {view}, {language}", flush=True)
        (self.folder / f"{role}-{view}-{WIDTHS[0]}-{language}.webp").write_bytes(content)
        if language == LANGUAGES[0] and (file := SHOWN.get((role, view))) is not None:
            (self.documentation / file).write_bytes(content)


async def _tap(page: Page, selector: str) -> None:
    await page.wait_for_timeout(BOUNCE_MS)
    await page.click(selector)
