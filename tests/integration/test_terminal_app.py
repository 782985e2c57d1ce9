"""The terminal in a browser on the local stack: enrolled by a code, it records without a line, and gets its lot."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from deploy.local.services import LocalServices
from shared.settings import AccessControl, Settings
from tests.support.account_services import account_services
from tests.support.browser import a_chromium, chromium_path
from tests.support.cli_people import Person
from tests.support.device_line import Line, a_phone
from tests.support.terminal_page import enrolled, make

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access": AccessControl.TOKENS})


@pytest.fixture
def services(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServices]:
    """All services with the sample accounts."""
    chromium_path()
    with account_services(settings, tmp_path, monkeypatch, http_port=18421) as services:
        yield services


@pytest.fixture
def staff(settings: Settings, services: LocalServices, tmp_path: Path) -> Person:
    """The staff of a facility of the seed."""
    staff = Person(settings, services.urls, tmp_path, "s")
    staff.does("login", "--as", "facility-staff")
    return staff


async def test_a_browser_is_a_terminal(services: LocalServices, staff: Person) -> None:
    code: Any = await asyncio.to_thread(staff.reads, "devices", "code", "terminal:PR-KPG")
    line = Line(urlsplit(services.urls["portal"]).port or 0)
    await line.mend()
    async with a_chromium() as browser, a_phone(browser) as phone:
        try:
            page, _ = await enrolled(phone, line, code["code"])
            await line.cut()
            await make(page, "20")
            await page.reload()
            await page.click("#tab-records")
            await expect(page.locator(".inbox .badge")).to_have_text("Kept here, not sent yet")
            await line.mend()
            await page.click("#all")
            await expect(page.locator(".inbox .badge")).to_contain_text("Accepted as lot PR-KPG-KTI-", timeout=60_000)
            await page.click("#tab-lots")
            await page.click(".row")
            await page.click("#recall summary")
            await page.fill("#recall-reason", "mould")
            await page.click("#keep-recall")
            await expect(page.locator(".badge-received")).to_be_visible(timeout=60_000)
        finally:
            await line.cut()
    checked = await asyncio.to_thread(staff.tries, "verify", "--signatures")
    assert checked.exit_code == 0, checked.output
