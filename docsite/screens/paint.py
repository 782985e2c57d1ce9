"""`make pictures ARGS=paint`: when each page shows something on a slow phone, as a table."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from playwright.async_api import Browser, CDPSession, Page

from docsite.screens.walk import PageRoute, Visit, Walk, sign_in

# Of a phone: its line as Chromium's "Slow 4G", and a processor that is so many times slower than this machine's.
LATENCY_MS = 150
DOWN_BYTES, UP_BYTES = 1_600_000 // 8, 750_000 // 8
SLOWER = 4
LOADS = 3
_PAINT = """() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const loaded = [navigation, ...performance.getEntriesByType("resource")];
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    answer: navigation.responseStart,
    page: navigation.encodedBodySize,
    all: loaded.reduce((sum, entry) => sum + entry.transferSize, 0),
  };
}"""


@dataclass(frozen=True, slots=True)
class Painted:
    """A page on a slow phone. `answer_ms`: until its first byte, and `paint_ms`: until something shows. `page_bytes`
    come compressed; `all_bytes`: with what a first visit loads besides."""

    role: str
    page: str
    answer_ms: float
    paint_ms: float
    page_bytes: int
    all_bytes: int


async def painted_pages(
    browser: Browser,
    address: str,
    role: str,
    account: tuple[str, str] | None,
    routes: Sequence[PageRoute],
    festival: str,
    passed: Collection[str],
) -> list[Painted]:
    """Every page that the role sees, but those `passed`, at a first visit: nothing is in the browser's cache.

    Raises PlaywrightError.
    """
    context = await browser.new_context(locale="id", viewport={"width": 360, "height": 760})
    page = await context.new_page()
    if account is not None:
        await sign_in(page, address, *account)
    session = await context.new_cdp_session(page)
    found = []
    walk = Walk(address, routes, festival, passed=passed)
    async for visit in walk.pages(page):
        await _slow(session)
        found.append(await _painted(page, role, visit))
        await _fast(session)
    await context.close()
    return found


async def _painted(page: Page, role: str, visit: Visit) -> Painted:
    loads = []
    for _ in range(LOADS):
        await page.reload()
        # The browser tells of a paint a little later.
        await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        loads.append(await page.evaluate(_PAINT))
    middle = {name: median(load[name] for load in loads) for name in loads[0]}
    return Painted(role, visit.name, middle["answer"], middle["paint"], int(middle["page"]), int(middle["all"]))


async def _slow(session: CDPSession) -> None:
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY_MS, "downloadThroughput": DOWN_BYTES, "uploadThroughput": UP_BYTES},
    )
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


async def _fast(session: CDPSession) -> None:
    await session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 1})


def table(rows: Sequence[Painted]) -> str:
    """The pages as a table, the slowest first, with the load of the machine."""
    lines = [
        "| page | first byte | first paint | page, compressed | with styles and scripts |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in sorted(rows, key=lambda row: -row.paint_ms):
        sizes = f"{row.page_bytes / 1000:.1f} KB | {row.all_bytes / 1000:.0f} KB"
        lines.append(f"| {row.role}: {row.page} | {row.answer_ms:.0f} ms | {row.paint_ms:.0f} ms | {sizes} |")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join([*lines, "", f"Load of the machine with {os.cpu_count()} cores in 1, 5 and 15 minutes: {load}."])
