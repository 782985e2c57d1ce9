"""What till and terminal both promise: a full disk, two tabs, a closed database, and a clock that is set back."""

import pytest
from playwright.async_api import Browser, expect

from tests.support.device_apps import APPS, AppUnderTest, go_on, keep, kept, spooled, unsent
from tests.support.device_line import a_line, a_phone

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)]

# As Chromium does on a full disk: the transaction ends without the record, and the connection is closed.
FULL_DISK = """const add = IDBObjectStore.prototype.add;
IDBObjectStore.prototype.add = function (...given) {
  const request = add.apply(this, given);
  if (globalThis.full)
    request.addEventListener("success", () => {
      this.transaction.abort();
      this.transaction.db.close();
    });
  return request;
};"""
# As a browser does that has no room for this origin: the write itself fails.
NO_ROOM = """const add = IDBObjectStore.prototype.add;
IDBObjectStore.prototype.add = function (...given) {
  if (globalThis.full) throw new DOMException("no room", "QuotaExceededError");
  return add.apply(this, given);
};"""
KNOW_THE_DATABASE = """const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...given) {
  const request = open.apply(this, given);
  request.addEventListener("success", () => (globalThis.opened = request.result));
  return request;
};"""


@pytest.mark.parametrize("disk", [FULL_DISK, NO_ROOM], ids=["full", "no-room"])
async def test_a_record_that_the_disk_does_not_take_is_said_not_to_be_kept(
    chromium: Browser, app: AppUnderTest, disk: str
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        await phone.add_init_script(disk)
        page = await app.enrolled(phone, line)
        await page.evaluate("globalThis.full = true")
        await app.begin(page)
        await page.fill(*app.typed)
        await page.click("#keep")
        await expect(page.locator(".notice.bad")).to_contain_text("This record was NOT kept")
        field, text = app.typed
        assert await page.input_value(field) == text, "it is entered again with one tap"
        await page.evaluate("globalThis.full = false")
        await page.click("#keep")
        await expect(page.locator("#next")).to_be_visible()
        await expect(unsent(page)).to_have_text("1 record not sent")
        assert [state for _, _, state in await spooled(app, page)].count("kept") == 1


async def test_a_database_that_the_browser_closes_is_opened_again(chromium: Browser, app: AppUnderTest) -> None:
    async with a_line(app.services()) as line, a_phone(chromium) as phone:
        await phone.add_init_script(KNOW_THE_DATABASE)
        page = await app.enrolled(phone, line)
        await page.evaluate("opened.close()")
        await keep(app, page)
        await expect(unsent(page)).to_have_text("1 record not sent")


async def test_two_tabs_are_one_device(chromium: Browser, app: AppUnderTest) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        one = await app.enrolled(phone, line)
        await expect(unsent(one)).to_have_text("All sent")
        other = await phone.new_page()
        await other.goto(app.address(line))
        await line.cut()
        for page in (one, other, one, other):
            await keep(app, page)
            await go_on(app, page)
        for page in (one, other):
            await expect(unsent(page)).to_have_text("4 records not sent")
            assert await app.shown(page) == 4
        await line.mend()
        for page in (one, other):
            await expect(unsent(page)).to_have_text("All sent", timeout=40_000)
        rows = await spooled(app, one)
        assert [number for number, _, _ in rows] == list(range(1, len(rows) + 1))
        assert [id for _, id, _ in rows] == [record.id for record in services.stored]
        assert len(services.records) == len(services.stored), "one tab sends at a time"
        assert len(kept(app, services)) == 4


async def test_a_clock_that_was_set_back_is_told_and_loses_nothing(chromium: Browser, app: AppUnderTest) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await app.enrolled(phone, line)
        await keep(app, page)
        await page.clock.set_system_time("2020-01-01T00:00:00Z")
        await go_on(app, page)
        await expect(page.locator(".notice.warn").first).to_contain_text("clock of this device was set back")
        # What could be undone is sent at once: its time can't be measured any more.
        await page.click("#unsent")
        await page.click("#sync-now")
        await expect(unsent(page)).to_have_text("All sent", timeout=15_000)
        assert len(kept(app, services)) == 1
