"""A browser that is killed between the tap and the sync, as by a battery that dies: no record is lost or doubled."""

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

from tests.support.browser import chromium_path
from tests.support.device_apps import APPS, AppUnderTest, kept
from tests.support.device_line import Line
from tests.support.portal import served_portal
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Milliseconds between the tap and the kill, while the line is cut. None: the kill follows at once when the record is
# said to be kept, however slow the machine is.
DELAYS = (0, 1, 4, 16, 64, None, None, None)
# Calls `told` once the page says that the record is kept.
TELL = """() => new MutationObserver(() => document.getElementById("next") && globalThis.told())
  .observe(document.body, { childList: true, subtree: true })"""


@asynccontextmanager
async def a_browser_to_kill(playwright: Playwright, folder: Path) -> AsyncIterator[tuple[Page, asyncio.Event]]:
    """A page of a browser with the profile in `folder`, which is killed in the end. The event: a record was said
    to be kept."""
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


async def shown(app: AppUnderTest, page: Page, line: Line) -> int:
    """The records that the app knows of, as it says itself after it was opened."""
    await page.goto(app.address(line))
    return await app.shown(page)


async def tap(app: AppUnderTest, page: Page) -> None:
    await app.begin(page)
    await page.evaluate(TELL)
    await page.evaluate("() => document.getElementById('keep').click()")


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
async def test_a_browser_that_is_killed_loses_and_doubles_no_record(tmp_path: Path, app: AppUnderTest) -> None:
    services = app.services()
    async with served_portal(services) as address, async_playwright() as playwright:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
            page = await app.enrolled(page.context, line)
            await expect(page.locator("#unsent")).to_have_class(re.compile("none"))
        await line.cut()
        told_of = 0
        for delay in DELAYS:
            async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, told):
                before = await shown(app, page, line)
                assert before >= told_of, "a record is lost that was said to be kept"
                await tap(app, page)
                if delay is None:
                    await asyncio.wait_for(told.wait(), 20)
                else:
                    await asyncio.sleep(delay / 1000)
                told_of = before + told.is_set()
        await line.mend()
        # Killed while the answer is on its way, and once more right after the records have arrived.
        for lost_answers in (1, 0):
            services.silent = lost_answers
            arrived = len(services.intakes)
            async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
                await shown(app, page, line)
                await tap(app, page)
                await eventually(lambda arrived=arrived: len(services.intakes) > arrived, within=40)
        async with a_browser_to_kill(playwright, tmp_path / "profile") as (page, _):
            total = await shown(app, page, line)
            await expect(page.locator("#unsent")).to_have_class(re.compile("none"), timeout=60_000)
        await line.cut()
    assert total >= told_of
    assert len(kept(app, services)) == total
    numbers = [body.seq for record in services.stored if hasattr(body := record.body, "seq")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(services.records) > len(services.stored), "a lost answer sends again"
