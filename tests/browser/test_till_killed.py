"""A browser that is killed between the tap and the sync, as by a battery that dies: no sale is lost or doubled."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Playwright, async_playwright, expect

from shared.events.sales import ReceiptIssued
from tests.support.browser import chromium_path
from tests.support.builders.till import LOT, a_stocking, an_opening
from tests.support.device_services import DeviceServices
from tests.support.portal import served_portal
from tests.support.till_page import Line, enrolled
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STOCK = 1000
# Milliseconds between the tap and the kill, while the line is cut.
DELAYS = (0, 1, 2, 4, 8, 16, 32, 64)
# Calls `told` once the page says that the sale is kept.
TELL = """() => new MutationObserver(() => document.getElementById("next") && globalThis.told())
  .observe(document.body, { childList: true, subtree: true })"""


@asynccontextmanager
async def a_browser_to_kill(playwright: Playwright, folder: Path) -> AsyncIterator[tuple[Page, asyncio.Event]]:
    """A page of a browser with the profile in `folder`, which is killed in the end. The event: a sale was said to be
    kept."""
    process = await asyncio.create_subprocess_exec(
        chromium_path(),
        *("--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0", "--lang=en"),
        *(f"--user-data-dir={folder}", "about:blank"),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        # Chromium is many processes, and all of them die.
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        address = None
        while address is None:
            address = re.search(r"ws://\S+", (await process.stderr.readline()).decode())
        browser = await playwright.chromium.connect_over_cdp(address[0])
        page = await browser.contexts[0].new_page()
        told = asyncio.Event()
        await page.expose_function("told", told.set)
        yield page, told
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def sold(page: Page, line: Line) -> int:
    """The pieces that the till has sold, as it says itself."""
    await page.goto(line.till)
    text = await page.locator("#sell-KTI .goods-left").inner_text()
    return STOCK - int(text.split()[0].replace(".", ""))


async def tap(page: Page) -> None:
    await page.click("#sell-KTI")
    await page.click("#pay")
    await page.evaluate(TELL)
    await page.evaluate("() => document.getElementById('keep').click()")


async def test_a_browser_that_is_killed_loses_and_doubles_no_sale(tmp_path: Path) -> None:
    services = DeviceServices(an_opening("T1"), a_stocking(LOT, STOCK))
    async with served_portal(services) as address, async_playwright() as playwright:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
            await enrolled(page.context, line)
            await expect(page.context.pages[-1].locator("#unsent")).to_have_class(re.compile("none"))
        await line.cut()
        kept = 0
        for delay in DELAYS:
            async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, told):
                before = await sold(page, line)
                assert before >= kept, f"a sale is lost that was said to be kept, before {delay} ms"
                await tap(page)
                await asyncio.sleep(delay / 1000)
                kept = before + told.is_set()
        await line.mend()
        # Killed while the answer is on its way, and once more right after the records have arrived.
        for lost_answers in (1, 0):
            services.silent = lost_answers
            arrived = len(services.intakes)
            async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
                before = await sold(page, line)
                await tap(page)
                await eventually(lambda arrived=arrived: len(services.intakes) > arrived, within=40)
        async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
            total = await sold(page, line)
            await expect(page.locator("#unsent")).to_have_class(re.compile("none"), timeout=60_000)
        await line.cut()
    assert total >= kept
    receipts = [record for record in services.stored if isinstance(record.body, ReceiptIssued)]
    assert len(receipts) == total
    bodies = [record.body for record in services.stored]
    assert sorted(body.seq for body in bodies) == list(range(1, len(bodies) + 1))
    assert len(services.records) > len(services.stored), "a lost answer sends again"
