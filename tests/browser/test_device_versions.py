"""A new version of till and terminal: it comes in when nothing is unsent, and when it reads what is kept."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support.device_apps import APPS, AppUnderTest, keep, kept, unsent
from tests.support.device_line import Line, a_line, a_phone
from tests.support.device_services import DeviceServices
from tests.support.device_versions import (
    a_newer_version,
    cached,
    look_for_it,
    served,
    spaced,
    sync,
    unreadable,
    waits,
)
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
both = pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
# The worker alone decides, and it is one for both.
one = pytest.mark.parametrize("app", APPS[:1], ids=lambda app: app.name)

SENT = 30_000


async def is_shown(page: Page, spacing: str) -> None:
    await expect(page.locator(".tabs")).to_have_css("letter-spacing", spacing, timeout=SENT)


async def with_an_unsent_record(
    app: AppUnderTest, services: DeviceServices, phone: BrowserContext, line: Line
) -> tuple[Page, Page]:
    """The app's page with a record that can't be sent, and a page beside it that sees its worker."""
    page = await app.enrolled(phone, line)
    beside = await phone.new_page()
    await beside.goto(f"{line.origin}/apps/identity.json")
    await page.reload()
    await line.cut()
    await keep(app, page)
    services.away.add("gateway")
    return page, beside


@both
async def test_a_new_version_waits_for_the_last_unsent_record(
    chromium: Browser, tmp_path: Path, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await app.enrolled(phone, line)
        await page.reload()
        await line.cut()
        await keep(app, page)
        await page.click(f"#tab-{'sell' if app.name == 'till' else 'choose'}")
        services.away.add("gateway")
        async with a_newer_version(line, services, tmp_path, spaced(app, 3)):
            await look_for_it(page)
            await waits(app, page, equals=True)
            # A sync that can't send: the new version is not taken.
            async with page.expect_response("**/gateway/intake") as answering:
                await sync(page)
            assert (await answering.value).status == 503
            await page.wait_for_timeout(500)
            await is_shown(page, "normal")
            await expect(unsent(page)).to_have_text("1 record not sent")
            services.away.clear()
            await sync(page)
            await is_shown(page, "3px")
            await expect(unsent(page)).to_have_text("All sent")
            assert len(kept(app, services)) == 1


@both
async def test_a_new_version_does_not_come_in_by_the_back_door_when_every_tab_is_closed(
    chromium: Browser, tmp_path: Path, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, beside = await with_an_unsent_record(app, services, phone, line)
        async with a_newer_version(line, services, tmp_path, spaced(app, 3)):
            await look_for_it(page)
            await waits(app, page, equals=True)
            await line.cut()
            await page.close()
            # Nothing holds the new worker back any more.
            await waits(app, beside, equals=False)
            assert len(await cached(app, beside)) == 2
            page = await phone.new_page()
            await page.goto(app.address(line))
            await expect(unsent(page)).to_have_text("1 record not sent")
            await expect(page.locator(app.home)).to_be_visible()
            await is_shown(page, "normal")
            await line.mend()
            await sync(page)
            await page.wait_for_timeout(500)
            await is_shown(page, "normal")
            services.away.clear()
            await sync(page)
            await is_shown(page, "3px")
            await expect(unsent(page)).to_have_text("All sent")
            assert len(kept(app, services)) == 1
            # The former files go once the new version has said that it works.
            version = (await served(app, page))["version"]
            await eventually(lambda: cached(app, page), equals=[version])


@one
async def test_a_version_that_comes_while_another_one_waits_takes_its_place(
    chromium: Browser, tmp_path: Path, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page, beside = await with_an_unsent_record(app, services, phone, line)
        async with a_newer_version(line, services, tmp_path, spaced(app, 3)):
            await look_for_it(page)
            await waits(app, page, equals=True)
            await page.close()
            await waits(app, beside, equals=False)
        async with a_newer_version(line, services, tmp_path, spaced(app, 5)):
            # The first is served, the second is active and the third waits.
            page = await phone.new_page()
            await page.goto(app.address(line))
            await waits(app, page, equals=True)
            await is_shown(page, "normal")
            services.away.clear()
            await sync(page)
            await is_shown(page, "5px")
            assert len(kept(app, services)) == 1
            version = (await served(app, page))["version"]
            await eventually(lambda: cached(app, page), equals=[version])


@both
async def test_a_version_that_can_not_read_what_is_kept_gives_way_to_the_former_one(
    chromium: Browser, tmp_path: Path, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await app.enrolled(phone, line)
        await page.reload()
        await keep(app, page)
        await expect(unsent(page)).to_have_text("All sent", timeout=SENT)
        await page.wait_for_timeout(450)
        await page.click("#next")

        beside = await phone.new_page()
        await beside.goto(f"{line.origin}/apps/identity.json")

        async def refused() -> bool:
            return (await served(app, beside))["refused"] is not None

        async with a_newer_version(line, services, tmp_path, spaced(app, 3), unreadable):
            await page.reload()
            await eventually(refused, equals=True, within=20)
            await expect(page.locator(app.home)).to_be_visible()
            await is_shown(page, "normal")
        async with a_newer_version(line, services, tmp_path, spaced(app, 5)):
            await page.reload()
            await is_shown(page, "5px")
            assert await app.shown(page) == 1


@both
async def test_a_new_version_in_one_tab_leaves_what_another_enters(
    chromium: Browser, tmp_path: Path, app: AppUnderTest
) -> None:
    services = app.services()
    async with a_line(services) as line, a_phone(chromium) as phone:
        page = await app.enrolled(phone, line)
        await page.reload()
        other = await phone.new_page()
        await other.goto(app.address(line))
        await app.begin(other)
        async with a_newer_version(line, services, tmp_path, spaced(app, 3)):
            # The page is free, and opens anew by itself.
            await look_for_it(page)
            await is_shown(page, "3px")
            await other.wait_for_timeout(500)
            await expect(other.locator("#keep")).to_be_enabled()
            await is_shown(other, "normal")
            await app.leave(other)
            await sync(other)
            await is_shown(other, "3px")


@one
async def test_files_that_the_browser_has_thrown_away_are_fetched_again(chromium: Browser, app: AppUnderTest) -> None:
    async with a_line(app.services()) as line, a_phone(chromium) as phone:
        page = await app.enrolled(phone, line)
        await page.reload()
        [version] = await cached(app, page)
        script = """async ([name, lost]) => (await caches.open(name)).delete(lost)"""
        assert await page.evaluate(script, [f"karya-{app.name}-{version}", "/apps/device/spool.js"])
        await sync(page)
        whole = """async ([name, lost]) => (await (await caches.open(name)).match(lost)) !== undefined"""
        await eventually(
            lambda: page.evaluate(whole, [f"karya-{app.name}-{version}", "/apps/device/spool.js"]),
            equals=True,
            within=20,
        )
        await line.cut()
        await page.reload()
        await expect(page.locator(app.home)).to_be_visible()
