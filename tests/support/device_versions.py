"""Newer versions of an app, on a server that takes the place of the former one at the end of the line."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page

from services.portal.api import assets
from tests.support.device_apps import AppUnderTest
from tests.support.device_line import Line
from tests.support.device_services import DeviceServices
from tests.support.portal import served_portal
from tests.support.waiting import eventually

Change = Callable[[Path], None]


def spaced(app: AppUnderTest, pixels: int) -> Change:
    """A version that is known by the space between its letters."""

    def change(apps: Path) -> None:
        with (apps / app.name / f"{app.name}.css").open("a", encoding="utf-8") as style:
            style.write(f".tabs {{ letter-spacing: {pixels}px; }}\n")

    return change


def unreadable(apps: Path) -> None:
    """A version that can't read what the device has kept."""
    script = apps / "device" / "app.js"
    source = script.read_text(encoding="utf-8")
    reading = "this.take(news, device);"
    assert reading in source
    script.write_text(source.replace(reading, 'throw new Error("another form");'), encoding="utf-8")


@asynccontextmanager
async def a_newer_version(
    line: Line, services: DeviceServices, folder: Path, *changes: Change
) -> AsyncIterator[None]:
    """The line leads to a portal whose apps have these changes."""
    shutil.copytree(assets.APPS, apps := folder / f"apps-{line.port}")
    for change in changes:
        change(apps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "APPS", apps)
        async with served_portal(services) as address:
            await line.cut()
            line.port = urlsplit(address).port or 0
            await line.mend()
            yield
            await line.cut()


async def look_for_it(page: Page) -> None:
    """Let the browser look for a newer version now. It does so by itself when the page opens."""
    await page.evaluate("void navigator.serviceWorker.getRegistration().then((known) => known.update())")


async def waits(app: AppUnderTest, page: Page, *, equals: bool) -> None:
    """Whether a new worker waits for the former one. `page` may be any of this origin."""
    waiting = f"navigator.serviceWorker.getRegistration('/apps/{app.name}/').then((known) => known.waiting !== null)"
    await eventually(lambda: page.evaluate(waiting), equals=equals, within=20)


async def served(app: AppUnderTest, page: Page) -> Any:
    """What the app's workers keep about the version that is served."""
    script = """async (app) => {
      const kept = await caches.match(`/apps/${app}/`, { cacheName: `karya-${app}:served` });
      return kept.json();
    }"""
    return await page.evaluate(script, app.name)


async def cached(app: AppUnderTest, page: Page) -> list[str]:
    """The versions whose files are in the browser."""
    prefix = f"karya-{app.name}-"
    keys: list[str] = await page.evaluate("caches.keys()")
    return [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]


async def sync(page: Page) -> None:
    await page.evaluate("void dispatchEvent(new Event('online'))")
