"""Receipts at the till: those of other tills, taking back, printing, the day's report, and labels by camera."""

from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from shared.events.sales import BoothCounted, PaymentKind, ReceiptIssued, ReceiptVoided
from tests.support.browser import watched
from tests.support.builders.till import LOT, OTHER, a_device_notice, a_snapshot, a_stocking, an_opening, withdrawn
from tests.support.camera import CAMERA
from tests.support.device_line import a_line, a_phone, bodies
from tests.support.device_services import DeviceServices
from tests.support.till_page import enrolled, next_customer, open_drawer, sell

pytestmark = pytest.mark.slow


@pytest.fixture
def services() -> DeviceServices:
    return DeviceServices(an_opening("T1", "T2", prices={"KTI": 250_000, "KRJ": 75_000}), a_stocking(LOT, 10))


async def pause(page: Page) -> None:
    """A tap within the bounce of the last one counts as a bounce."""
    await page.wait_for_timeout(450)


async def test_a_receipt_of_another_till_is_found_and_taken_back(chromium: Browser, services: DeviceServices) -> None:
    other, unknown = str(uuid4()), str(uuid4())
    services.say(a_snapshot(other, 1, 3), a_snapshot(other, 2, 2))
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await page.click("#tab-receipts")
        await expect(page.locator("h2")).to_have_text("Receipts of other tills", timeout=15_000)
        await watch.check()
        await page.fill("#label", f"{other.upper()}\n")
        await page.keyboard.press("Enter")
        await expect(page.locator("#refund")).to_have_text("Pay back Rp1.250.000")
        await page.click("#none")
        await page.fill("#back-2", "1")
        await page.check("#refund-qris")
        await watch.check()
        await page.click("#void")
        await expect(page.locator(".notice.good")).to_have_text("Kept. Pay back Rp250.000.")
        # One that sales has not told of yet: its paper says what it was.
        await page.fill("#label", unknown)
        await pause(page)
        await page.click("#find")
        await page.fill("#sum", "75.000")
        await watch.check()
        await page.click("#void")
        await expect(page.locator(".notice.good")).to_have_text("Kept. Pay back Rp75.000.")
        await page.fill("#label", "77")
        await pause(page)
        await page.click("#find")
        await expect(page.locator(".notice.bad")).to_contain_text("77 is no receipt of this till")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        known, read = bodies(services, ReceiptVoided)
        assert (known.receipt, known.refund, known.refund_rupiah) == (other, PaymentKind.QRIS, 250_000)
        assert [(row.line, row.qty) for row in known.lines] == [(2, 1)]
        assert (read.receipt, read.refund, read.refund_rupiah) == (unknown, PaymentKind.CASH, 75_000)


async def test_a_whole_receipt_is_taken_back_at_once(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await page.click("#sell-KRJ")
        await sell(page, 2)
        await page.click("#tab-receipts")
        await page.click("#receipt-2")
        await page.click("#none")
        await expect(page.locator("#refund")).to_have_text("Pay back Rp0")
        await page.click("#void")
        await expect(page.locator(".notice.bad")).to_have_text("No piece is chosen.")
        await page.click("#whole")
        await expect(page.locator("#refund")).to_have_text("Pay back Rp575.000")
        await pause(page)
        await page.click("#void")
        await expect(page.locator("#receipt-2 .badge")).to_have_text("voided")
        await page.click("#receipt-2")
        await expect(page.locator(".notice.warn")).to_have_text("All of this receipt is void already.")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [voided] = bodies(services, ReceiptVoided)
        assert {(row.line, row.qty) for row in voided.lines} == {(1, 1), (2, 2)}


@pytest.mark.parametrize(("width", "millimetres"), [("58", (58, 120)), ("80", (80, 160))])
async def test_a_receipt_is_printed_on_rolls_of_both_widths(
    chromium: Browser, services: DeviceServices, width: str, millimetres: tuple[int, int]
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        await phone.add_init_script("globalThis.print = () => { globalThis.printed = true; };")
        page, watch = await enrolled(phone, line)
        await sell(page)
        code = page.get_by_role("img", name="QR code of receipt 2")
        await expect(code).to_be_visible()
        await watch.check()
        await page.click(f"#print-{width}")
        assert await page.evaluate("printed")
        paper = await page.pdf(prefer_css_page_size=True)
        points = [round(side / 25.4 * 72) for side in millimetres]
        boxes = [line.split(b"[")[1].split(b"]")[0].split() for line in paper.split(b"\n") if b"/MediaBox" in line]
        assert [[round(float(side)) for side in box[2:]] for box in boxes] == [points], "one page of the roll's width"


async def test_the_report_of_a_day_hides_cash_until_the_drawer_is_counted(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await open_drawer(page)
        await page.click("#tab-sell")
        await sell(page, 2)
        await next_customer(page)
        await page.click("#sell-KRJ")
        await page.click("#pay")
        await page.check("#kind-qris")
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await page.click("#tab-cash")
        await page.click("#day")
        cells = page.locator("tbody tr")
        await expect(cells.nth(0)).to_have_text("Cash: 1 receiptafter the count")
        await expect(cells.nth(1)).to_have_text("QRIS, seen: 1 receiptRp75.000")
        await expect(page.locator(".paper")).to_contain_text("P1 has the drawer since")
        await expect(page.locator(".notice.warn")).to_contain_text("only on this device")
        await watch.check()
        await page.click("#back")
        await page.fill("#counted", "690.000")
        await page.click("#keep-counted")
        await pause(page)
        await page.click("#day")
        await expect(cells.nth(0)).to_have_text("Cash: 1 receiptRp500.000")
        await expect(page.locator(".paper")).to_contain_text("counted Rp690.000, expected Rp700.000")
        await watch.check()


async def test_labels_are_read_by_the_camera_one_after_the_other(chromium: Browser, services: DeviceServices) -> None:
    services.say(a_stocking(OTHER, 3), withdrawn(OTHER))
    async with a_line(services) as line, a_phone(chromium) as phone:
        await phone.add_init_script(CAMERA)
        page, watch = await enrolled(phone, line)
        await page.click("#scan")
        await expect(page.locator("#camera video")).to_be_visible()
        await page.evaluate(f"seen = '{LOT}'")
        await expect(page.locator(".basket-qty")).to_have_text("1")
        await page.wait_for_timeout(1_000)
        await expect(page.locator(".basket-qty")).to_have_text("1")
        await page.evaluate(f"seen = '{OTHER}'")
        await expect(page.locator(".notice.bad")).to_contain_text(f"{OTHER} was withdrawn")
        await page.evaluate(f"seen = '{LOT}'")
        await expect(page.locator(".basket-qty")).to_have_text("2")
        await page.evaluate("seen = ''")
        await watch.check()
        await page.click("#pay")
        await expect(page.locator("#camera")).to_have_count(0)
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [receipt] = bodies(services, ReceiptIssued)
        assert [(row.lot, row.qty) for row in receipt.lines] == [(LOT, 2)]


async def test_without_a_camera_no_button_asks_for_one(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        if await page.evaluate("'BarcodeDetector' in globalThis"):
            pytest.skip("this browser reads labels")
        await expect(page.locator("#scan")).to_have_count(0)


async def test_goods_are_counted_by_lot_and_without_a_label(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await page.click("#tab-close")
        await page.fill(f"#count-{LOT}", "7")
        await page.click("#keep-interim")
        await expect(page.locator(".notice.good")).to_contain_text("for information")
        await page.fill(f"#count-{LOT}", "6")
        await page.fill("#count-KRJ", "0")
        await watch.check()
        await pause(page)
        await page.click("#keep-count")
        await expect(page.locator(".notice.good")).to_have_text("The count is kept.")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        interim, final = bodies(services, BoothCounted)
        assert (interim.final, [(row.lot, row.qty) for row in interim.lots]) == (False, [(LOT, 7)])
        assert (final.final, [(row.lot, row.qty) for row in final.lots]) == (True, [(LOT, 6)])
        assert [(row.product, row.qty) for row in final.products] == [("KRJ", 0)]


async def test_a_till_that_was_another_device_before_is_compared_with_what_arrived(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone, a_phone(chromium) as emptied:
        page, _ = await enrolled(phone, line)
        await sell(page)
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [receipt] = [record for record in services.stored if isinstance(record.body, ReceiptIssued)]
        # What sales tells of them. The browser has lost everything, its marks too.
        services.say(a_device_notice("T1", receipt.body.device), a_snapshot(receipt.id, 1, 1))
        again, watch = await enrolled(emptied, line)
        told = again.locator(".notice.warn").first
        await expect(told).to_contain_text("Another device was T1 before and is not struck.", timeout=15_000)
        await expect(told).to_contain_text("Its last receipt that arrived is of")
        await watch.check()
        assert watched(page).complaints == []
