"""A day at one booth with three tills in browsers, of which one comes back after the deadline: the books are those of
the same day by command line. All quantities are made up."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.services import LocalServices
from shared.events.festival import BOOTH_STOCK, BoothClosing, BoothStocked
from shared.mongo import Mongo
from shared.settings import AccessControl, Settings
from tests.support.account_services import account_services
from tests.support.browser import a_chromium, chromium_path
from tests.support.builders.till import DAY, LOT, OTHER
from tests.support.cli_people import Person
from tests.support.device_line import Line, a_phone
from tests.support.probe import Probe
from tests.support.till_page import enrolled
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

IN_BROWSERS, BY_COMMAND = "ODOP.B1", "ODOP.B2"
TILLS = ("T1", "T2", "T3")
# What differs between two booths with the same books: ids, moments, and how often something was published.
DIFFERENT = {
    *("_id", "id", "booth", "name", "receipt", "receipts_before", "device", "drawer", "previous", "deadline"),
    *("arrived", "number", "revision", "shelves", "interim", "facilities", "price_lists", "zone", "sold"),
}
# Names of booths, records and devices.
_NAMES = re.compile(rf"{IN_BROWSERS}|{BY_COMMAND}|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
BOUNCE = 450


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access": AccessControl.TOKENS})


@pytest.fixture
def services(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServices]:
    """All services with the sample accounts."""
    chromium_path()
    with account_services(settings, tmp_path, monkeypatch, http_port=18421) as services:
        yield services


class Hands(Protocol):
    """Somebody at a till. `sync`: until all is sent and all news are here."""

    async def open_drawer(self, cashier: str, float_: str) -> None: ...

    async def sell(self, *items: str, pay: str = "cash") -> str:
        """The receipt's id."""

    async def void(self, receipt: str, line: int, pieces: int) -> None: ...

    async def count_cash(self, amount: str) -> None: ...

    async def count(self, **pieces: int) -> None: ...

    async def close(self) -> None: ...

    async def sync(self) -> None: ...


class AtACommandLine:
    def __init__(self, person: Person, folder: Path, till: str) -> None:
        self._person = person
        self._options = ("till", "--booth", BY_COMMAND, "--till", till, "--spool-dir", str(folder))

    async def _do(self, *words: str) -> Any:
        return await asyncio.to_thread(self._person.reads, *self._options, *words)

    async def enrol(self, code: str) -> None:
        await self._do("enrol", code)
        await self.sync()

    async def open_drawer(self, cashier: str, float_: str) -> None:
        await self._do("drawer", "open", "--cashier", cashier, "--float", float_)

    async def sell(self, *items: str, pay: str = "cash") -> str:
        sold = await self._do("sell", *items, "--pay", pay)
        return str(sold["id"])

    async def void(self, receipt: str, line: int, pieces: int) -> None:
        await self._do("void", receipt, str(line), str(pieces))

    async def count_cash(self, amount: str) -> None:
        await self._do("drawer", "count", amount)

    async def count(self, **pieces: int) -> None:
        await self._do("count", *(f"{named(item)}={qty}" for item, qty in pieces.items()))

    async def close(self) -> None:
        await self._do("close")

    async def sync(self) -> None:
        await self._do("sync", "--wait", "20")


class AtAPage:
    """`line` is the till's own, and can be cut."""

    def __init__(self, page: Page, line: Line) -> None:
        self.page = page
        self.line = line

    async def _tap(self, selector: str) -> None:
        # A tap within the bounce of the last one counts as a bounce.
        await self.page.wait_for_timeout(BOUNCE)
        await self.page.click(selector)

    async def open_drawer(self, cashier: str, float_: str) -> None:
        await self._tap("#tab-cash")
        await self.page.fill("#cashier", cashier)
        await self.page.fill("#float", float_)
        await self._tap("#open-drawer")
        await expect(self.page.locator("#counted")).to_be_visible()

    async def sell(self, *items: str, pay: str = "cash") -> str:
        await self._tap("#tab-sell")
        for item in items:
            name, _, pieces = item.partition("=")
            for _ in range(int(pieces or 1)):
                await self.page.fill("#label", name)
                await self.page.press("#label", "Enter")
        await self._tap("#pay")
        await self.page.check(f"#kind-{pay}")
        await self._tap("#keep")
        await expect(self.page.locator("#next")).to_be_visible()
        return await self.page.locator(".paper code").inner_text()

    async def void(self, receipt: str, line: int, pieces: int) -> None:
        await self._tap("#tab-receipts")
        await self.page.fill("#label", receipt)
        await self.page.press("#label", "Enter")
        # By line, as there may be several.
        for field in await self.page.locator("[id^=back-]").all():
            await field.fill("0")
        await self.page.fill(f"#back-{line}", str(pieces))
        await self._tap("#void")
        await expect(self.page.locator(".notice.good")).to_contain_text("Pay back")

    async def count_cash(self, amount: str) -> None:
        await self._tap("#tab-cash")
        await self.page.fill("#counted", amount)
        await self._tap("#keep-counted")
        await expect(self.page.locator("#cashier")).to_be_visible()

    async def count(self, **pieces: int) -> None:
        await self._tap("#tab-close")
        for item, qty in pieces.items():
            await self.page.fill(f"#count-{named(item)}", str(qty))
        await self._tap("#keep-count")
        await expect(self.page.locator(".notice.good")).to_have_text("The count is kept.")

    async def close(self) -> None:
        await self._tap("#tab-close")
        await self.page.fill("#close-cashier", "P1")
        reason = self.page.locator("#close-reason")
        if await reason.count():
            await reason.fill("no signal here")
        await self._tap("#close")
        await expect(self.page.locator("h1")).to_have_text("This till is closed.")

    async def sync(self) -> None:
        await self._tap("#unsent")
        await expect(self.page.locator("#unsent")).to_have_text("All sent", timeout=60_000)
        await self._tap("#sync-now")
        await expect(self.page.locator(".line")).to_have_text("Connected")


def named(item: str) -> str:
    return {"labelled": LOT, "other": OTHER}.get(item, item)


@asynccontextmanager
async def pages(browser: Browser, services: LocalServices, codes: Sequence[str]) -> AsyncIterator[list[AtAPage]]:
    """Three phones at the booth."""
    async with AsyncExitStack() as stack:
        hands = []
        for till, code in zip(TILLS, codes, strict=True):
            line = Line(urlsplit(services.urls["portal"]).port or 0)
            await line.mend()
            stack.push_async_callback(line.cut)
            phone = await stack.enter_async_context(a_phone(browser))
            page, _ = await enrolled(phone, line, code, till)
            hands.append(AtAPage(page, line))
        yield hands


async def morning(tills: Sequence[Hands]) -> None:
    """The third till has no line from here on."""
    first, second, third = tills
    for till in tills:
        await till.sync()
    if isinstance(third, AtAPage):
        await third.line.cut()
    await first.open_drawer("P1", "200.000")
    await third.open_drawer("P3", "50.000")
    mixed = await first.sell("KTI=2", LOT)
    await third.sell("KTI", "KRJ=2")
    await first.sell(f"{OTHER}=2", pay="qris")
    await first.sync()
    await second.sync()
    await second.sell("KRJ", pay="other")
    # Goods of the first till come back at the second one.
    await second.void(mixed, 1, 1)
    await third.sell(LOT)
    await third.count_cash("600.000")


async def evening(tills: Sequence[Hands]) -> None:
    first, second, third = tills
    await first.count(labelled=6, other=4, KTI=0, KRJ=3)
    await first.count_cash("949.000")
    for till in (first, second):
        await till.close()
        await till.sync()
    await third.close()


def facts(value: Any, place: str = "") -> Iterator[str]:
    """One line for each value, without what differs and without moments."""
    match value:
        case dict():
            for name, content in value.items():
                if name not in DIFFERENT:
                    yield from facts(content, f"{place}.{name}")
        case list():
            for number, item in enumerate(sorted(value, key=lambda item: sorted(facts(item)))):
                yield from facts(item, f"{place}[{number}]")
        case datetime():
            return
        case _:
            yield f"{place} = {_NAMES.sub('its own', str(value))}"


async def books(mongo: Mongo, booth: str) -> set[str]:
    """The booth's stock, drawers, tills and receipts as sales keeps them."""
    sales = mongo.database("sales")
    receipts = await sales["receipts"].find({"booth": booth}).sort([("till", 1), ("seq", 1)]).to_list(None)
    lines = set(facts(await sales["booths"].find_one({"_id": booth}), "booth"))
    for receipt in receipts:
        lines |= set(facts(receipt, f"{receipt['till']}/{receipt['seq']}"))
    return lines


async def same_books(mongo: Mongo) -> set[str]:
    """The books that both booths have."""
    in_browsers, by_command = await books(mongo, IN_BROWSERS), await books(mongo, BY_COMMAND)
    different = [f"in browsers: {line}" for line in sorted(in_browsers - by_command)]
    different += [f"by command: {line}" for line in sorted(by_command - in_browsers)]
    assert not different, "\n".join(different)
    return in_browsers


async def test_a_day_in_browsers_ends_in_the_books_of_the_same_day_by_command_line(
    settings: Settings, services: LocalServices, probe: Probe, mongo: Mongo, tmp_path: Path
) -> None:
    organiser = Person(settings, services.urls, tmp_path, "o")
    organiser.does("login", "--as", "organiser")
    days = ("--place", "Kupang", "--first-day", "2026-04-18", "--last-day", "2026-04-19", "--yes")
    organiser.does("festival", "announce", "ODOP", "One Day", *days)
    prices = ("--price", "KTI=250.000", "--price", "KRJ=75.000")
    tills = [word for till in TILLS for word in ("--till", till)]
    for booth in ("B1", "B2"):
        organiser.does("festival", "booth", "ODOP", booth, *prices, *tills)
    for booth in (IN_BROWSERS, BY_COMMAND):
        for lot, pieces in ((LOT, 9), (OTHER, 6)):
            place = {"booth": booth, "festival": "ODOP", "lot": lot, "facility": "PR-KPG"}
            await probe.send(BOOTH_STOCK, BoothStocked(**place, product="KTI", made_on=DAY, qty=pieces))

    async def codes(booth: str) -> list[str]:
        made = [await asyncio.to_thread(organiser.reads, "devices", "code", f"till:{booth}") for _ in TILLS]
        return [code["code"] for code in made]

    by_command = [AtACommandLine(organiser, tmp_path / "spools", till) for till in TILLS]
    for hand, code in zip(by_command, await codes(BY_COMMAND), strict=True):
        await hand.enrol(code)
    async with a_chromium() as browser, pages(browser, services, await codes(IN_BROWSERS)) as in_browsers:
        days: list[Sequence[Hands]] = [by_command, in_browsers]
        for day in days:
            await morning(day)
            await evening(day)
        deadline = datetime.now(UTC) + timedelta(seconds=3)
        for booth in (IN_BROWSERS, BY_COMMAND):
            await probe.send(BOOTH_STOCK, BoothClosing(booth=booth, festival="ODOP", deadline=deadline, opening=1))
        booths = mongo.database("sales")["booths"]
        await eventually(lambda: booths.count_documents({"status": "settled"}), equals=2, within=60)
        receipts = mongo.database("sales")["receipts"]
        assert await receipts.count_documents({"till": "T3"}) == 0, "the third till has not come back yet"
        await same_books(mongo)

        await in_browsers[2].line.mend()
        for day in days:
            await day[2].sync()
        await eventually(lambda: receipts.count_documents({"till": "T3"}), equals=2 * 2, within=60)
        late = {"drawers.counted_rupiah": 600_000}
        await eventually(lambda: booths.count_documents(late), equals=2, within=60)
    ended = await same_books(mongo)
    assert {f"T3/{seq}.till = T3" for seq in (3, 4)} <= ended
    shown = await asyncio.to_thread(organiser.reads, "sales", "ODOP", "--lots")
    rows = [[{**row, "booth": ""} for row in shown if row["booth"] == booth] for booth in (IN_BROWSERS, BY_COMMAND)]
    assert rows[0] == rows[1]
    assert sum(row["sold"] for row in rows[0]) == 6
