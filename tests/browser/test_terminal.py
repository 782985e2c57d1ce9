"""The terminal in a real browser: enrol, record without a line, and what became of it when the line is back."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from services.production.domain.entities import Lot
from shared.events.lot_number import LotNumber
from shared.events.production import (
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    WithdrawReport,
)
from tests.support.browser import LOOKS
from tests.support.camera import CAMERA
from tests.support.device_line import a_line, a_phone, bodies, without_the_cut
from tests.support.terminal_page import enrolled, make, to_next
from tests.support.terminal_services import FACILITY, TerminalServices

SENT = 25_000
FOREIGN = str(LotNumber("LP-KPG", "KRJ", date(2026, 11, 30), 7))


@pytest.fixture
def services() -> TerminalServices:
    return TerminalServices()


def today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo("Asia/Makassar")).date()


@pytest.mark.parametrize(("language", "width"), LOOKS)
async def test_what_was_made_without_a_line_becomes_a_lot_when_it_is_back(
    chromium: Browser, services: TerminalServices, language: str, width: int
) -> None:
    kept = {"en": "Kept here, not sent yet", "id": "Tersimpan di sini, belum terkirim"}[language]
    accepted = {"en": "Accepted as lot PR-KPG-KTI-", "id": "Diterima sebagai lot PR-KPG-KTI-"}[language]
    async with a_line(services) as line, a_phone(chromium, language, width) as phone:
        page, watch = await enrolled(phone, line)
        await watch.check()
        await line.cut()
        await page.click("#make-KTI")
        await page.click("#add-10")
        await page.click("label[for=yesterday]")
        await watch.check()
        await page.click("#add-10")
        await page.click("#keep")
        await expect(page.locator(".badge")).to_have_text(kept)
        await page.reload()
        await expect(page.locator("#make-KTI")).to_be_visible()
        await page.click("#tab-records")
        await expect(page.locator(".inbox .badge")).to_have_text(kept)
        assert bodies(services) == []

        await line.mend()
        await page.click("#all")
        await expect(page.locator(".inbox .badge")).to_contain_text(accepted, timeout=SENT)
        await expect(page.locator("#unsent.none")).to_be_visible()
        [made] = bodies(services)
        assert (made.facility, made.terminal, made.product, made.qty) == (FACILITY, "T1", "KTI", 20)
        assert (made.made_on, made.best_before, made.maker) == (today() - timedelta(days=1), None, None)
        assert without_the_cut(watch) == []


@pytest.mark.slow
async def test_a_wrong_entry_is_undone_and_comes_back_to_be_mended(
    chromium: Browser, services: TerminalServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await page.click("#make-KTI")
        await page.fill("#qty", "201")
        await page.click("#keep")
        await expect(page.locator("#qty-error")).to_contain_text("More than 200 (helai) of Kain tenun ikat at once")
        await watch.check()
        await page.fill("#qty", "120")
        await page.click("#keep")
        await page.click("#undo")
        await expect(page.locator("#qty")).to_have_value("120")
        await expect(page.locator("#unsent")).to_have_text("All sent")
        await page.fill("#qty", "12")
        await page.wait_for_timeout(450)
        await page.click("#keep")
        await expect(page.locator(".badge")).to_contain_text("Accepted as lot", timeout=SENT)
        assert [body.qty for body in bodies(services)] == [12]
        await expect(page.locator("#undo")).to_be_hidden()
        await to_next(page)
        await page.click("#again")
        await expect(page.locator("#qty")).to_have_value("12")
        await watch.check()


@pytest.mark.slow
async def test_a_record_can_be_changed_as_long_as_nobody_answers(
    chromium: Browser, services: TerminalServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        await line.cut()
        await make(page, "200")
        # Longer than it can be undone.
        await expect(page.locator("#undo")).to_be_hidden(timeout=15_000)
        await page.click("#tab-records")
        await page.click("#take-out-1")
        await expect(page.locator("#qty")).to_have_value("200")
        await page.fill("#qty", "20")
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await line.mend()
        await expect(page.locator(".badge")).to_contain_text("Accepted as lot", timeout=60_000)
        await page.click("#tab-records")
        await page.click("#all")
        await expect(page.locator(".inbox .badge")).to_contain_text(["Accepted as lot", "Taken out"])
        assert [body.qty for body in bodies(services)] == [20]
        assert without_the_cut(watch) == []


@pytest.mark.slow
async def test_goods_that_spoil_get_their_day_and_a_table_is_kept_as_a_whole(
    chromium: Browser, services: TerminalServices
) -> None:
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, watch = await enrolled(phone, line)
        day = today()
        await page.click("#make-KBS")
        await expect(page.locator("#best-before")).to_have_value((day + timedelta(days=2)).isoformat())
        await page.click("label[for=yesterday]")
        await expect(page.locator("#best-before")).to_have_value((day + timedelta(days=1)).isoformat())
        await page.fill("#qty", "30")
        await page.fill("#best-before", day.isoformat())
        await watch.check()
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await page.click("#tab-table")
        await page.fill("#qty-KTI", "9")
        await page.fill("#qty-KBS", "nine")
        await page.click("#keep-table")
        await expect(page.locator("#fault-KBS")).to_be_visible()
        await watch.check()
        await page.fill("#qty-KBS", "1.000")
        await page.click("#keep-table")
        await expect(page.locator(".badge")).to_have_count(2)
        await expect(page.locator("#unsent")).to_have_text("All sent", timeout=SENT)
        first, *table = bodies(services, ProductionReported)
        assert (first.product, first.made_on, first.best_before) == ("KBS", day - timedelta(days=1), day)
        assert sorted((body.product, body.qty, body.best_before) for body in table) == [
            ("KBS", 1000, None),
            ("KTI", 9, None),
        ]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("id", 360)])
async def test_a_lot_is_labelled_corrected_recalled_and_withdrawn(
    chromium: Browser, services: TerminalServices, language: str, width: int
) -> None:
    async with a_line(services) as line, a_phone(chromium, language, width) as phone:
        page, watch = await enrolled(phone, line)
        await make(page, "30", "KBS")
        await expect(page.locator(".badge")).to_contain_text("PR-KPG-KBS-", timeout=SENT)
        await page.click("#labels")
        await expect(page.locator(".label")).to_have_count(30)
        await expect(page.locator(".label").first).to_contain_text("Kue basah")
        await expect(page.locator(".label").first).to_contain_text("Perempuan Kupang")
        await page.click("label[for=strip]")
        await page.fill("#copies", "4")
        await page.press("#copies", "Tab")
        await expect(page.locator(".labels.strip .label")).to_have_count(4)
        await watch.check()

        await page.click("#tab-lots")
        await watch.check()
        [lot] = [lot.id for lot in services.production.all(Lot)]
        # As a scanner types the QR code of a label.
        await page.fill("#label", f"{line.terminal.removesuffix('apps/terminal/')}public/lots/{lot}")
        await page.click("#find")
        for part, field, text in (
            ("correct", "#change", "3"),
            ("recall", "#recall-reason", "mould"),
            ("lift", "#lift-reason", "the wrong lot"),
            ("withdraw", "#withdraw-reason", "cloth"),
        ):
            # The tap on the lot was a moment ago, and perhaps at the same place.
            await page.wait_for_timeout(450)
            await page.click(f"#{part} summary")
            await page.fill(field, text)
            await watch.check()
            await page.click(f"#keep-{part}")
            await expect(page.locator(".badge-received")).to_be_visible(timeout=SENT)
            await page.click("#tab-lots")
            await page.click(".row")
        await expect(page.locator(".notice.bad")).to_be_visible()
        [_, correction, recall, lift, withdrawal] = bodies(services)
        assert isinstance(correction, ProductionCorrected)
        assert (correction.lot, correction.change) == (lot, -3)
        assert isinstance(recall, RecallLot)
        assert recall.reason == "mould"
        assert isinstance(lift, LiftRecall)
        assert isinstance(withdrawal, WithdrawReport)
        await watch.check()


@pytest.mark.slow
async def test_a_refusal_is_told_in_the_language_of_its_reader_and_blocks_nothing(
    chromium: Browser, services: TerminalServices, tmp_path: Path
) -> None:
    services.refused.add("RecallLot")
    async with a_line(services) as line, a_phone(chromium, "id") as phone:
        await phone.add_init_script(CAMERA)
        page, watch = await enrolled(phone, line)
        await page.click("#tab-lots")
        await page.click("#scan")
        await page.evaluate(f"seen = '{FOREIGN}'")
        await expect(page.locator(".notice.bad")).to_contain_text("unit lain")
        await page.evaluate("seen = 'https://karya.test/public/lots/PR-KPG-KTI-230418-007-4'")
        await page.click("#recall summary")
        await expect(page.locator("#camera")).to_have_count(0)
        await page.click("#keep-recall")
        await page.click("#tab-lots")
        await page.fill("#label", "PR-KPG-KTI-230418-007-4")
        await page.click("#find")
        await page.click("#withdraw summary")
        await page.click("#keep-withdraw")
        await page.click("#tab-records")
        refused = page.locator(".inbox li", has_text="dibatalkan")
        await expect(refused).to_contain_text("Belum ada lot yang tercatat dengan nomor ini", timeout=SENT)
        await expect(page.locator(".inbox li", has_text="penarikan")).to_contain_text("Your account may not do this.")
        await watch.check()
        await page.click("#unsent")
        async with page.expect_download() as downloading:
            await page.click("#export")
        await (await downloading.value).save_as(file := tmp_path / "unsent.json")
        [event] = json.loads(file.read_text(encoding="utf-8"))
        assert event["type"] == "RecallLot.v1"
