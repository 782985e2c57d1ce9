"""A festival of one day in the portal: its people do everything in a browser, but what devices do."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from typer.testing import CliRunner

from cli import app, sessions
from cli.sample_accounts import SampleAccount, sample_accounts
from cli.stack_accounts import start_with_accounts
from deploy.local.services import LocalServices, environment
from shared.settings import AccessControl, Settings
from tests.support.browser import Watched, chromium, watched

__all__ = ["chromium"]

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

PASSWORD = "kain biru tua"
SOON = 20_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access": AccessControl.TOKENS})


@pytest.fixture
def accounts(tmp_path: Path) -> list[SampleAccount]:
    return sample_accounts(tmp_path)


@pytest.fixture
def services(settings: Settings, accounts: list[SampleAccount], tmp_path: Path) -> Iterator[LocalServices]:
    """All services with the sample accounts."""
    services = LocalServices(tmp_path / "services", settings, http_port=18401)
    try:
        start_with_accounts(services, settings, accounts)
        yield services
    finally:
        services.stop()


class Device:
    """A terminal or till at the command line, with the session of whoever has it."""

    def __init__(self, settings: Settings, urls: Mapping[str, str], folder: Path, *words: str) -> None:
        self._words = (*words, "--spool-dir", str(folder))
        self._environment = {
            **environment(settings),
            **{f"KARYA_{service.upper()}_URL": url for service, url in urls.items()},
            sessions.FILE: str(folder.with_suffix(".session")),
        }

    async def does(self, *words: str) -> str:
        return await self._run(*self._words, *words)

    async def sign_in(self, login: str, password: str) -> None:
        await self._run("login", login, "--password-stdin", given=f"{password}\n")

    async def _run(self, *words: str, given: str = "") -> str:
        run = CliRunner().invoke
        result = await asyncio.to_thread(run, app, words, env=self._environment, input=given)
        assert result.exit_code == 0, result.output
        return result.stdout


async def sign_in(page: Page, address: str, login: str, password: str) -> None:
    await page.goto(f"{address}/sign-in")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{address}/")


async def announced(watch: Watched, address: str) -> str:
    """The address of a festival that begins today, with one booth."""
    page, today = watch.page, datetime.now(UTC).date()
    await page.goto(f"{address}/festivals/announce")
    for name, value in {"festival": "HARI", "name": "Satu Hari", "place": "Kupang"}.items():
        await page.fill(f"#{name}", value)
    await page.fill("#first_day", (today + timedelta(days=2)).isoformat())
    await page.fill("#last_day", (today + timedelta(days=3)).isoformat())
    await page.get_by_role("button", name="Announce").click()
    await expect(page.get_by_role("heading", name="Satu Hari")).to_be_visible(timeout=SOON)
    festival = f"{address}/festivals/HARI"
    await page.goto(f"{festival}/booths")
    await page.fill("#price-KTI", "150.000")
    await page.get_by_role("button", name="Open the booth").click()
    await expect(page.get_by_role("cell", name="Rp150.000")).to_be_visible(timeout=SOON)
    await watch.check()
    return festival


async def stocked(watch: Watched, festival: str) -> None:
    """Twelve pieces are asked for, planned, sent, and eleven of them counted in."""
    page = watch.page
    await page.goto(f"{festival}/plans")
    await page.fill("[id='qty-HARI.B1:KTI']", "12")
    await page.get_by_role("button", name="Propose a plan").click()
    await expect(page.get_by_text("Of 12 pieces asked for, 12 are planned.")).to_be_visible(timeout=SOON)
    await watch.check()
    await page.get_by_role("button", name="Accept the plan").click()
    await expect(page.get_by_text("Of 12 pieces asked for, 12 are reserved or sent")).to_be_visible(timeout=SOON)
    await page.goto(f"{festival}/parcels")
    await page.get_by_role("button", name="Send it").click()
    await expect(page.get_by_text("1 parcel is on the way.")).to_be_visible(timeout=SOON)
    await page.get_by_role("link", name="S1").click()
    await page.locator("[data-lot]").fill("11")
    await page.get_by_role("button", name="Compare").click()
    await expect(page.get_by_text("The count differs from what was sent.")).to_be_visible()
    await page.get_by_role("button", name="Yes, receive it").click()
    await expect(page.locator(".badge-received")).to_be_visible(timeout=SOON)
    await watch.check()


async def test_a_festival_of_one_day(
    chromium: Browser,
    settings: Settings,
    services: LocalServices,
    accounts: list[SampleAccount],
    tmp_path: Path,
) -> None:
    address = services.urls["portal"]
    passwords = {account.login: account.password for account in accounts}
    words = ("terminal", "--facility", "PR-KPG", "--zone", "Asia/Makassar")
    terminal = Device(settings, services.urls, tmp_path / "terminal", *words)
    await terminal.sign_in("facility-staff", passwords["facility-staff"])
    await terminal.does("record", "KTI", "20", "--unlisted")
    await terminal.does("sync", "--wait", "20")

    organiser = await chromium.new_context(locale="en")
    watch = watched(page := await organiser.new_page())
    await sign_in(page, address, "organiser", passwords["organiser"])
    festival = await announced(watch, address)
    await stocked(watch, festival)

    # A cashier joins with the organiser's code, and sells.
    await page.goto(f"{festival}/people")
    await page.get_by_role("button", name="Code for a cashier").click()
    code = await page.locator(".code-text").inner_text()
    cashier = await chromium.new_context(locale="en")
    joining = await cashier.new_page()
    await joining.goto(f"{address}/join")
    for name, value in {"code": code, "name": "Kasir", "login": "kasir.hari", "password": PASSWORD}.items():
        await joining.fill(f"#{name}", value)
    await joining.get_by_role("button", name="Open the account").click()
    await expect(joining.get_by_text("B1 · Satu Hari")).to_be_visible(timeout=SOON)
    till = Device(settings, services.urls, tmp_path / "till", "till", "--booth", "HARI.B1")
    await till.sign_in("kasir.hari", PASSWORD)
    await till.does("sync", "--wait", "20")
    await page.goto(f"{festival}/sales")
    await expect(page.get_by_text("0 pieces are sold for Rp0.")).to_be_visible()
    await till.does("sell", "KTI", "4")
    await till.does("close")
    await till.does("sync", "--wait", "20")
    # Without a reload.
    await expect(page.get_by_text("4 pieces are sold for Rp600.000.")).to_be_visible(timeout=SOON)

    await page.goto(f"{festival}/close")
    await page.get_by_role("button", name="Close the festival").click()
    for _ in range(20):
        await page.goto(f"{festival}/close")
        if await page.get_by_role("button", name="Record the return").count():
            break
        await asyncio.sleep(0.5)
    await page.locator("input[name=qty]").fill("7")
    await page.get_by_role("button", name="Record the return").click()
    for _ in range(20):
        await page.goto(f"{festival}/close")
        if await page.get_by_text("every piece is accounted for").count():
            break
        await asyncio.sleep(0.5)
    await expect(page.get_by_role("heading", name="Every piece")).to_be_visible()
    await watch.check()

    # The facility sees what it is owed.
    staff = await chromium.new_context(locale="en")
    watch = watched(page := await staff.new_page())
    await sign_in(page, address, "facility-staff", passwords["facility-staff"])
    await page.goto(f"{address}/facilities/PR-KPG")
    await expect(page.get_by_text("of sales are the facility's")).to_contain_text("Rp360.000")
    await watch.check()

    # Everybody sees on the public stream what was sold, and the story of the lot; the facility issues its statement.
    await page.get_by_role("button", name="Issue the statement of Satu Hari").click()
    await expect(page.locator("h1")).to_contain_text("PR-KPG-0001", timeout=SOON)
    await expect(page.get_by_role("cell", name="Rp360.000")).to_be_visible()
    await watch.check()
    stranger = await chromium.new_context(locale="en")
    watch = watched(page := await stranger.new_page())
    await page.goto(f"{address}/public")
    await expect(page.get_by_text("4 pieces were sold this season for Rp600.000, 4 of them today.")).to_be_visible()
    await expect(page.get_by_role("rowheader", name="Satu Hari")).to_be_visible()
    await watch.check()

    operator = await chromium.new_context(locale="en")
    watch = watched(page := await operator.new_page())
    await sign_in(page, address, "operator", passwords["operator"])
    await page.goto(f"{address}/operator")
    await expect(page.get_by_text("All services work.")).to_be_visible(timeout=SOON)
    await expect(page.get_by_text("No key waits")).to_be_visible()
    await watch.check()
