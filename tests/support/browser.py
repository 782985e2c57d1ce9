"""A real Chromium for tests, and what is looked at on every page."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

VARIABLE = "KARYA_CHROMIUM"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERIOUS = {"serious", "critical"}
# Languages and widths in which a journey is made. All of them are made in `make test-all`.
LOOKS = [
    pytest.param("en", 360),
    *(pytest.param(*look, marks=pytest.mark.slow) for look in (("en", 1440), ("id", 360), ("id", 1440))),
]

# On a phone the rows of a table are lists, and no cell hides behind the edge of its table.
_CUT = """() => innerWidth > 544 ? [] : [...document.querySelectorAll(".labelled")]
  .filter((table) => table.scrollWidth > table.clientWidth + 1).map((table) => table.outerHTML.slice(0, 200))"""


def chromium_path() -> str:
    """The browser's program: KARYA_CHROMIUM, or one in PATH. Without one the test is skipped, and fails in CI."""
    path = os.environ.get(VARIABLE) or next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if path is None:
        reason = f"no Chromium: install Debian's package `chromium`, or let {VARIABLE} name one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@asynccontextmanager
async def a_chromium() -> AsyncIterator[Browser]:
    """A browser without a window."""
    path = chromium_path()
    async with async_playwright() as playwright:
        # The tests run as root in containers, where Chromium has no sandbox.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests; each test has a profile of its own."""
    async with a_chromium() as browser:
        yield browser


@dataclass
class Watched:
    """A page of the browser. `complaints`: what it wrote to its console as errors, violations of the policy too."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def check(self) -> None:
        """Axe finds nothing serious here, nothing is wider than the screen, and the console has no error."""
        result = await Axe().run(self.page)
        violations = [
            (violation["id"], [node["html"] for node in violation["nodes"]])
            for violation in result.response["violations"]
            if violation["impact"] in SERIOUS
        ]
        assert violations == [], self.page.url
        overflows = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not overflows, f"{self.page.url} is wider than the screen"
        assert await self.page.evaluate(_CUT) == [], f"{self.page.url} cuts a table off at this width"
        assert self.complaints == [], self.page.url


def watched(page: Page) -> Watched:
    """The page with its complaints from now on."""
    watched = Watched(page)
    page.on("console", lambda message: watched.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    return watched
