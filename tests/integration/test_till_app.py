"""The till in a browser on the local stack: enrolled by a code, it sells without a line, and sales hears of it."""

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
from tests.support.till_page import enrolled, next_customer, sell
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access": AccessControl.TOKENS})


@pytest.fixture
def services(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServices]:
    """All services with the sample accounts."""
    chromium_path()
    with account_services(settings, tmp_path, monkeypatch, http_port=18401) as services:
        yield services


@pytest.fixture
def organiser(settings: Settings, services: LocalServices, tmp_path: Path) -> Person:
    """The organiser of a festival with one open booth."""
    organiser = Person(settings, services.urls, tmp_path, "o")
    organiser.does("login", "--as", "organiser")
    days = ("--place", "Kupang", "--first-day", "2026-04-18", "--last-day", "2026-04-19", "--yes")
    organiser.does("festival", "announce", "ODOP", "One Day", *days)
    organiser.does("festival", "booth", "ODOP", "B1", "--price", "KTI=150.000")
    return organiser


async def test_a_browser_is_a_till(services: LocalServices, organiser: Person) -> None:
    code = organiser.reads("devices", "code", "till:ODOP.B1")["code"]
    line = Line(urlsplit(services.urls["portal"]).port or 0)
    await line.mend()

    async def receipts() -> list[Any]:
        rows: list[Any] = await asyncio.to_thread(organiser.reads, "festival", "receipts", "ODOP", "B1")
        return rows

    async with a_chromium() as browser, a_phone(browser) as phone:
        try:
            page, _ = await enrolled(phone, line, code)
            await expect(page.locator("#unsent")).to_have_text("All sent", timeout=30_000)
            await line.cut()
            await sell(page, 2)
            await next_customer(page)
            await sell(page)
            await expect(page.locator("#unsent")).to_have_text("2 records not sent")
            await page.reload()
            await expect(page.locator("#unsent")).to_have_text("2 records not sent")
            assert await receipts() == []
            await line.mend()
            await expect(page.locator("#unsent")).to_have_text("All sent", timeout=60_000)
            await eventually(receipts, until=lambda rows: len(rows) == 2, within=30)
            async with page.expect_response("**/sales/booths/ODOP.B1/devices") as answering:
                await page.reload()
            [arrived] = await (await answering.value).json()
            assert (arrived["till"], arrived["last"], arrived["missing"]) == ("T1", 3, [])
        finally:
            await line.cut()
    checked = await asyncio.to_thread(organiser.tries, "verify", "--signatures")
    assert checked.exit_code == 0, checked.output
