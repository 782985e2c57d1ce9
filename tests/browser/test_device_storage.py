"""Storage that a browser has emptied: till and terminal compare what is here with what the services have."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support.device_apps import APPS, AppUnderTest, go_on, keep, unsent
from tests.support.device_line import Line, a_line, a_phone
from tests.support.device_services import CODE, DeviceServices

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)]

SENT = 30_000
# What the services have of two records: a till has introduced itself before them.
MISSING = {
    "till": "The services have 3 records of it, up to number 3. None of them is here.",
    "terminal": "The services have 2 records of T1 that this browser has not.",
}
OLDER = {
    "till": "The services have records of this till up to number 3, and this browser up to 2: 1 record is missing",
    "terminal": "The services have 1 record of T1 that this browser has not.",
}


async def two_sent(app: AppUnderTest, services: DeviceServices, phone: BrowserContext, line: Line) -> Page:
    """A page whose device has sent two records."""
    page = await app.enrolled(phone, line)
    for _ in range(2):
        await keep(app, page)
        await go_on(app, page)
    await expect(unsent(page)).to_have_text("All sent", timeout=SENT)
    app.tell_of_devices(services)
    return page


async def empty(page: Page, line: Line, kinds: str) -> None:
    """Empty the storage of the app while none of its pages is open."""
    await page.goto(f"{line.origin}/apps/identity.json")
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": line.origin, "storageTypes": kinds})


async def enrol_again(app: AppUnderTest, page: Page) -> None:
    await page.fill("#code", CODE)
    await page.click("#enrol")
    await expect(page.locator(app.home)).to_be_visible(timeout=20_000)


async def test_a_device_that_has_forgotten_everything_learns_what_it_lacks(
    chromium: Browser, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await two_sent(app, services, phone, line)
        await empty(page, line, "all")
        await page.goto(app.address(line))
        await enrol_again(app, page)
        warning = page.locator("#notices .notice.warn")
        await expect(warning).to_contain_text(MISSING[app.name], timeout=SENT)
        # A record of the device as it is now is none that is missing.
        await keep(app, page)
        await go_on(app, page)
        await expect(unsent(page)).to_have_text("All sent", timeout=SENT)
        await page.reload()
        await expect(warning).to_contain_text(MISSING[app.name], timeout=SENT)
        if app.name == "terminal":
            await page.click("#read-warning")
            await page.reload()
            await expect(unsent(page)).to_have_text("All sent")
            await expect(warning).to_have_count(0)


async def test_a_device_that_kept_its_last_number_learns_what_never_arrived(
    chromium: Browser, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await two_sent(app, services, phone, line)
        services.away.add("gateway")
        await keep(app, page)
        await expect(unsent(page)).to_have_text("1 record not sent")
        last = 4 if app.name == "till" else 3
        await empty(page, line, "indexeddb")
        services.away.clear()
        await page.goto(app.address(line))
        lost = page.locator(".notice.bad")
        await expect(lost).to_contain_text(f"records up to number {last} are gone here")
        # Records of the device that comes after it do not hide the loss.
        await enrol_again(app, page)
        await expect(unsent(page)).to_have_text("All sent", timeout=SENT)
        await page.reload()
        await expect(lost).to_contain_text(f"records up to number {last} are gone here")
        if app.name == "till":
            await expect(lost).to_contain_text("The services lack 1 record of them: 4.", timeout=SENT)
        await page.click("#read-lost")
        await page.reload()
        await expect(page.locator(app.home)).to_be_visible()
        await expect(lost).to_have_count(0)


async def test_an_older_copy_of_the_storage_is_noticed(chromium: Browser, app: AppUnderTest) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await two_sent(app, services, phone, line)
        # The last record is gone, and so is what would tell of it here.
        await page.evaluate(
            """async ([role, last]) => {
              localStorage.clear();
              const opening = indexedDB.open(`karya-${role}`);
              await new Promise((resolve) => (opening.onsuccess = resolve));
              const transaction = opening.result.transaction("records", "readwrite");
              transaction.objectStore("records").delete(last);
              await new Promise((resolve) => (transaction.oncomplete = resolve));
              opening.result.close();
            }""",
            [app.name, 3 if app.name == "till" else 2],
        )
        await page.reload()
        await expect(page.locator("#notices .notice.warn").first).to_contain_text(OLDER[app.name], timeout=SENT)
