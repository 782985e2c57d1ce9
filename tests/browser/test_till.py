"""The till in a real browser: enrol, sell without a line, sync when it is back, and what may go wrong."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from shared.events.language import Body
from shared.events.sales import (
    BoothCounted,
    CashCounted,
    DeviceIntroduced,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    RecordTakenOut,
    TillClosed,
)
from tests.support.builders.till import LOT, a_stocking, an_opening
from tests.support.device_services import BOOTH, DeviceServices
from tests.support.browser import Watched
from tests.support.portal import served_portal
from tests.support.till_page import Line, a_phone, enrolled, next_customer, sell
from tests.support.waiting import eventually

# What the console says while the line is cut.
CUT = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "status of 503")


@pytest.fixture
def services() -> DeviceServices:
    return DeviceServices(an_opening("T1"), a_stocking(LOT, 10))


@asynccontextmanager
async def a_line(services: DeviceServices) -> AsyncIterator[Line]:
    async with served_portal(services) as address:
        line = Line(urlsplit(address).port or 0)
        await line.mend()
        try:
            yield line
        finally:
            await line.cut()


def bodies(services: DeviceServices, kind: type[Body]) -> list[Any]:
    return [record.body for record in services.stored if isinstance(record.body, kind)]


def without_the_cut(watch: Watched) -> list[str]:
    return [complaint for complaint in watch.complaints if not any(part in complaint for part in CUT)]


async def test_a_till_sells_without_a_line_and_sends_when_it_is_back(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await expect(page.locator("#unsent")).to_have_text("All sent")
        assert [type(record.body) for record in services.stored] == [DeviceIntroduced]
        await watch.check()

        await line.cut()
        await sell(page, 2, given="500.000")
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")
        assert await page.evaluate("navigator.onLine"), "a browser does not know of it"
        await page.reload()
        await expect(page.locator("#sell-KTI")).to_contain_text("8 left")
        await expect(page.locator(".line")).to_have_text("No connection: sales are kept here")
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")
        assert len(services.stored) == 1

        await line.mend()
        await page.click("#unsent")
        await page.wait_for_timeout(450)
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [receipt] = bodies(services, ReceiptIssued)
        assert (receipt.booth, receipt.till, receipt.seq) == (BOOTH, "T1", 2)
        assert receipt.previous == services.stored[0].id
        assert [(line.product, line.qty, line.unit_price_rupiah) for line in receipt.lines] == [("KTI", 2, 250_000)]
        assert (receipt.payment.given_rupiah, receipt.payment.change_rupiah) == (500_000, 0)
        assert without_the_cut(watch) == []
