"""The till in a real browser: enrol, sell without a line, sync when it is back, and what may go wrong."""

import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from services.portal.api import assets
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
from tests.support.browser import Watched, watched
from tests.support.builders.till import LOT, OTHER, a_stocking, an_opening, withdrawn
from tests.support.device_services import BOOTH, CODE, DeviceServices
from tests.support.portal import served_portal
from tests.support.till_page import a_line, a_phone, bodies, enrolled, next_customer, open_drawer, sell
from tests.support.waiting import eventually

SPACING = "getComputedStyle(document.querySelector('.tabs')).letterSpacing"
# What the console says while the line is cut.
CUT = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "status of 503")


@pytest.fixture
def services() -> DeviceServices:
    return DeviceServices(an_opening("T1"), a_stocking(LOT, 10))


def a_newer_till(folder: Path) -> Path:
    """The files of the apps, of which the till's style has changed."""
    shutil.copytree(assets.APPS, newer := folder / "apps")
    with (newer / "till" / "till.css").open("a", encoding="utf-8") as style:
        style.write(".tabs { letter-spacing: 3px; }\n")
    return newer


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


@pytest.mark.slow
async def test_a_sale_that_is_undone_is_never_sent_and_keeps_its_number(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await sell(page, 3)
        await page.click("#undo")
        await expect(page.locator("#sell-KTI")).to_contain_text("10 left")
        await expect(page.locator("#unsent")).to_have_text("All sent")
        assert bodies(services, ReceiptIssued) == []
        [removed] = bodies(services, RecordTakenOut)
        assert (removed.seq, removed.kind, removed.rupiah) == (2, "ReceiptIssued", 750_000)
        await sell(page)
        # Its time to be undone is over.
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=15_000)
        await expect(page.locator("#undo")).to_be_hidden()
        [receipt] = bodies(services, ReceiptIssued)
        assert (receipt.seq, receipt.previous) == (3, services.stored[-2].id)
        await watch.check()


@pytest.mark.slow
async def test_taps_that_bounce_sell_once_and_the_first_tap_counts(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await page.reload()
        await page.click("#sell-KTI", click_count=3, delay=5)
        await expect(page.locator(".basket-qty")).to_have_text("3")
        await page.dblclick("#pay", delay=5)
        await expect(page.locator("#keep")).to_be_visible()
        box = await page.locator("#keep").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        # What comes up under the finger is not tapped by the bounce.
        await page.evaluate(
            """([x, y]) => new MutationObserver((_, observer) => {
              const next = document.getElementById("next");
              if (!next) return;
              observer.disconnect();
              Object.assign(next.style, { position: "fixed", left: `${x - 40}px`, top: `${y - 30}px` });
            }).observe(document.body, { childList: true, subtree: true })""",
            [x, y],
        )
        for _ in range(4):
            await page.mouse.click(x, y)
        await expect(page.locator("#next")).to_be_visible()
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")


@pytest.mark.slow
async def test_a_page_that_changes_under_a_pressed_button_loses_no_tap(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await expect(page.locator("#unsent")).to_have_text("All sent")
        other = await phone.new_page()
        await other.goto(line.till)
        await expect(other.locator("#sell-KTI")).to_contain_text("10 left")
        await page.bring_to_front()
        await page.hover("#sell-KTI")
        await page.mouse.down()
        services.say(a_stocking(OTHER, 5))
        await other.reload()
        await expect(other.locator("#sell-KTI")).to_contain_text("15 left")
        await page.mouse.up()
        await expect(page.locator(".basket-qty")).to_have_text("1")
        await expect(page.locator("#sell-KTI")).to_contain_text("14 left")


@pytest.mark.slow
async def test_a_refused_record_is_set_aside_and_blocks_no_other(
    chromium: Browser, services: DeviceServices, tmp_path: Path
) -> None:
    services.refused.add("DrawerOpened")
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await open_drawer(page)
        await page.click("#tab-sell")
        await sell(page)
        await page.click("#unsent")
        await expect(page.locator(".cards li")).to_have_count(1, timeout=15_000)
        await expect(page.locator(".cards li")).to_contain_text("not taken: Your account may not do this.")
        [receipt] = bodies(services, ReceiptIssued)
        async with page.expect_download() as downloading:
            await page.click("#export")
        await (await downloading.value).save_as(file := tmp_path / "unsent.json")
        [event] = json.loads(file.read_text(encoding="utf-8"))
        assert (event["type"], event["id"]) == ("DrawerOpened.v1", receipt.drawer)
        await watch.check()
        services.refused.clear()
        await page.click("#sync-now")
        await expect(page.locator("#unsent")).to_have_text("All sent")
        [drawer] = bodies(services, DrawerOpened)
        assert (drawer.cashier, drawer.float_rupiah) == ("P1", 200_000)


@pytest.mark.slow
async def test_a_sale_that_is_in_a_file_can_not_be_undone(
    chromium: Browser, services: DeviceServices, tmp_path: Path
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await expect(page.locator("#unsent")).to_have_text("All sent")
        await line.cut()
        await sell(page)
        await page.click("#unsent")
        async with page.expect_download() as downloading:
            await page.click("#export")
        await (await downloading.value).save_as(file := tmp_path / "unsent.json")
        [event] = json.loads(file.read_text(encoding="utf-8"))
        assert event["type"] == "ReceiptIssued.v1"
        undone = await page.evaluate(
            """async () => {
              const { Spool, RecordStays } = await import("/apps/device/spool.js");
              const spool = new Spool("till");
              const { seq } = (await spool.stored()).at(-1);
              const write = () => ({ kind: "RecordTakenOut", body: {} });
              return spool.replaceLast(seq, write).then(() => "undone", (fault) => fault instanceof RecordStays);
            }"""
        )
        assert undone is True


@pytest.mark.slow
async def test_a_lost_answer_sends_again_and_counts_once(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        services.silent = 1
        await open_drawer(page)
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        assert len(bodies(services, DrawerOpened)) == 1
        assert len(services.records) == len(services.stored) + 1


@pytest.mark.slow
async def test_two_tabs_are_one_till(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        one, _ = await enrolled(phone, line)
        other = await phone.new_page()
        await other.goto(line.till)
        await line.cut()
        for page in (one, other, one, other):
            await sell(page)
            await next_customer(page)
        for page in (one, other):
            await expect(page.locator("#sell-KTI")).to_contain_text("6 left")
        await line.mend()
        for page in (one, other):
            await expect(page.locator("#unsent")).to_have_text("All sent", timeout=40_000)
        assert [record.body.seq for record in services.stored] == [1, 2, 3, 4, 5]
        previous = [record.body.previous for record in services.stored]
        assert previous == [None, *(record.id for record in services.stored[:-1])]
        assert len(services.records) == len(services.stored), "one tab sends at a time"


@pytest.mark.slow
async def test_a_day_ends_with_a_blind_count_and_a_closing(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await open_drawer(page)
        await page.click("#tab-sell")
        await sell(page, 2, given="600.000")
        await expect(page.locator(".change.big")).to_have_text("Change: Rp100.000")
        await page.click("#tab-receipts")
        await page.click(".row")
        await page.fill("#back-1", "1")
        await page.click("#void")
        await expect(page.locator(".notice.good")).to_have_text("Kept. Pay back Rp250.000.")
        await page.click("#tab-cash")
        assert "450.000" not in await page.inner_text("main"), "the count is blind"
        await page.fill("#counted", "440.000")
        await page.click("#keep-counted")
        await expect(page.locator(".notice.warn")).to_contain_text("Difference: -Rp10.000")
        await line.cut()
        await page.click("#tab-close")
        await page.fill("#count-KTI", "9")
        await page.click("#keep-count")
        await page.click("#close")
        await expect(page.locator(".notice.bad")).to_contain_text("Records are not sent.")
        await page.fill("#close-reason", "no signal at the field")
        await page.click("#close")
        await expect(page.locator("h1")).to_have_text("This till is closed.")
        await page.click("#tab-sell")
        await expect(page.locator("h1")).to_have_text("This till is closed.")
        await line.mend()
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=40_000)
        [voided], [count] = bodies(services, ReceiptVoided), bodies(services, CashCounted)
        assert (voided.refund_rupiah, voided.refund, [row.qty for row in voided.lines]) == (250_000, "cash", [1])
        assert (count.expected_rupiah, count.counted_rupiah) == (450_000, 440_000)
        [goods], [closed] = bodies(services, BoothCounted), bodies(services, TillClosed)
        assert [(row.product, row.qty) for row in goods.products] == [("KTI", 9)]
        assert closed.last_seq == closed.seq == len(services.stored)
        assert without_the_cut(watch) == []


@pytest.mark.slow
async def test_a_record_that_the_disk_does_not_take_is_said_not_to_be_kept(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        # As Chromium does on a full disk: the transaction ends without the record, and the connection is closed.
        await phone.add_init_script(
            """const add = IDBObjectStore.prototype.add;
            IDBObjectStore.prototype.add = function (...given) {
              const request = add.apply(this, given);
              if (globalThis.full)
                request.addEventListener("success", () => {
                  this.transaction.abort();
                  this.transaction.db.close();
                });
              return request;
            };"""
        )
        page, _ = await enrolled(phone, line)
        await page.evaluate("globalThis.full = true")
        await page.click("#sell-KTI")
        await page.click("#pay")
        await page.fill("#given", "300.000")
        await page.click("#keep")
        await expect(page.locator(".notice.bad")).to_contain_text("This record was NOT kept")
        assert await page.input_value("#given") == "300.000", "it is entered again with one tap"
        await page.evaluate("globalThis.full = false")
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")


@pytest.mark.slow
async def test_a_database_that_the_browser_closes_is_opened_again(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        await phone.add_init_script(
            """const open = IDBFactory.prototype.open;
            IDBFactory.prototype.open = function (...given) {
              const request = open.apply(this, given);
              request.addEventListener("success", () => (globalThis.opened = request.result));
              return request;
            };"""
        )
        page, _ = await enrolled(phone, line)
        await page.evaluate("opened.close()")
        await sell(page)
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")


@pytest.mark.slow
async def test_storage_that_was_emptied_is_noticed(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await sell(page)
        await page.goto(f"{line.till}manifest.webmanifest")
        session = await phone.new_cdp_session(page)
        origin = line.till.partition("/apps")[0]
        await session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
        await page.goto(line.till)
        await expect(page.locator(".notice.bad")).to_contain_text("records up to number 2 are gone here")
        await expect(page.locator("#code")).to_be_visible()
        # Records of the device that comes after it do not hide the loss.
        await page.fill("#code", CODE)
        await page.click("#enrol")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        await expect(page.locator("#sell-KTI")).to_be_visible(timeout=20_000)
        await page.reload()
        await expect(page.locator(".notice.bad")).to_contain_text("records up to number 2 are gone here")
        await page.click("#read-lost")
        await page.reload()
        await expect(page.locator("#sell-KTI")).to_be_visible()
        await expect(page.locator(".notice.bad")).to_have_count(0)


@pytest.mark.slow
async def test_a_clock_that_was_set_back_is_told_and_loses_nothing(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await sell(page)
        await page.clock.set_system_time("2020-01-01T00:00:00Z")
        await next_customer(page)
        await expect(page.locator(".notice.warn").first).to_contain_text("clock of this device was set back")
        # What could be undone is sent at once: its time can't be measured any more.
        await page.click("#unsent")
        await page.click("#sync-now")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=15_000)
        assert len(bodies(services, ReceiptIssued)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("language", ["id", "en"])
async def test_every_view_can_be_read(chromium: Browser, services: DeviceServices, language: str, width: int) -> None:
    async with a_line(services) as line, a_phone(chromium, language, width) as phone:
        watch = watched(page := await phone.new_page())
        await page.goto(line.till)
        await expect(page.locator("#code")).to_be_visible()
        assert await page.evaluate("document.documentElement.lang") == language
        await watch.check()
        await page.fill("#code", CODE)
        # By the keyboard alone.
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#sell-KTI")).to_be_visible()
        await page.locator("#sell-KTI").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(page.locator(".basket-qty")).to_have_text("2")
        await watch.check()
        await page.locator("#pay").focus()
        await page.keyboard.press("Enter")
        await watch.check()
        await page.locator("#keep").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#next")).to_be_visible()
        await watch.check()
        for tab in ("receipts", "cash", "close"):
            await page.click(f"#tab-{tab}")
            await watch.check()
        await page.click("#unsent")
        await watch.check()
        shown = await page.locator("h1").inner_text()
        await page.click("#language")
        assert await page.locator("h1").inner_text() != shown


@pytest.mark.slow
async def test_a_revoked_device_is_set_up_again_at_its_place(chromium: Browser, services: DeviceServices) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        [former] = services.devices
        services.forget_devices()
        await open_drawer(page)
        await expect(page.locator(".line")).to_have_text("The services refuse this till", timeout=15_000)
        await page.click("#unsent")
        await page.click("#set-up")
        await expect(page.locator("#name")).to_have_count(0)
        await page.fill("#code", CODE)
        await page.click("#enrol")
        await expect(page.locator(".line")).to_have_text("Connected", timeout=15_000)
        [device] = services.devices.values()
        assert device.id != former, "a revoked key never comes back"
        assert device.source == f"till/{BOOTH}/T1"


@pytest.mark.slow
async def test_a_new_version_waits_for_the_last_unsent_record(
    chromium: Browser, services: DeviceServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await page.reload()
        await line.cut()
        await open_drawer(page)
        await page.click("#tab-sell")
        monkeypatch.setattr(assets, "APPS", a_newer_till(tmp_path))
        services.away.add("gateway")
        async with served_portal(services) as address:
            line.port = urlsplit(address).port or 0
            await line.mend()
            await page.evaluate("navigator.serviceWorker.getRegistration().then((known) => known.update())")
            waiting = "navigator.serviceWorker.getRegistration().then((known) => known.waiting !== null)"
            await eventually(lambda: page.evaluate(waiting), equals=True)
            # A sync that can't send: the till does not take the new version.
            async with page.expect_response("**/gateway/intake") as answering:
                await page.evaluate(again := "void dispatchEvent(new Event('online'))")
            assert (await answering.value).status == 503
            await page.wait_for_timeout(500)
            assert await page.evaluate(SPACING) == "normal"
            await expect(page.locator("#unsent")).to_have_text("1 record not sent")
            services.away.clear()
            await page.evaluate(again)
            await expect(page.locator(".tabs")).to_have_css("letter-spacing", "3px", timeout=30_000)
            await expect(page.locator("#unsent")).to_have_text("All sent")
            assert len(bodies(services, DrawerOpened)) == 1
            await line.cut()


@pytest.mark.slow
async def test_a_new_version_in_one_tab_leaves_the_basket_of_another(
    chromium: Browser, services: DeviceServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await page.reload()
        other = await phone.new_page()
        await other.goto(line.till)
        await other.click("#sell-KTI")
        await line.cut()
        monkeypatch.setattr(assets, "APPS", a_newer_till(tmp_path))
        async with served_portal(services) as address:
            line.port = urlsplit(address).port or 0
            await line.mend()
            # The page is free, and opens anew by itself.
            await page.evaluate("void navigator.serviceWorker.getRegistration().then((known) => known.update())")
            await expect(page.locator(".tabs")).to_have_css("letter-spacing", "3px", timeout=30_000)
            await other.wait_for_timeout(500)
            await expect(other.locator("#pay")).to_be_enabled()
            assert await other.evaluate(SPACING) == "normal"
            await other.click("#less-KTI")
            await other.evaluate("void dispatchEvent(new Event('online'))")
            await expect(other.locator(".tabs")).to_have_css("letter-spacing", "3px", timeout=30_000)
            await line.cut()


@pytest.mark.slow
async def test_a_second_tap_while_the_first_is_kept_sells_nothing_more(
    chromium: Browser, services: DeviceServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, _ = await enrolled(phone, line)
        await page.click("#sell-KTI")
        await page.click("#pay")
        # The page is shown anew while the disk writes: the button is another one, at the same place.
        await page.evaluate(
            """() => {
              document.getElementById("keep").click();
              document.getElementById("tab-sell").click();
              document.getElementById("pay").click();
              document.getElementById("keep").click();
            }"""
        )
        await expect(page.locator("#unsent")).to_have_text("1 record not sent")
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        assert len(bodies(services, ReceiptIssued)) == 1


@pytest.mark.slow
async def test_labels_are_scanned_one_after_the_other(chromium: Browser, services: DeviceServices) -> None:
    services.say(a_stocking(OTHER, 3), withdrawn(OTHER))
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        # A scanner is a keyboard: it types where the focus is, and presses Enter.
        for _ in range(2):
            await page.keyboard.type(f"{LOT.lower()}\n")
        await expect(page.locator(".basket-qty")).to_have_text("2")
        await page.keyboard.type(f"{OTHER}\n")
        await expect(page.locator(".notice.bad")).to_contain_text(f"{OTHER} was withdrawn")
        await page.keyboard.type(f"{LOT[:-1]}?\n")
        await expect(page.locator(".notice.bad")).to_contain_text("a character is missing or wrong")
        await page.click("#sell-KTI")
        await expect(page.locator(".basket-qty")).to_have_text(["2", "1"])
        await page.click("#pay")
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=20_000)
        [receipt] = bodies(services, ReceiptIssued)
        assert [(row.lot, row.product, row.qty) for row in receipt.lines] == [(LOT, "KTI", 2), (None, "KTI", 1)]
        await watch.check()
