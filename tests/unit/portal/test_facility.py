"""A facility's page and its files for spreadsheets."""

import asyncio
import csv
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO

import httpx
import pytest

from services.portal.api.facilities import MOST_LOTS
from services.portal.domain.answers import DemandPage, ProductDemandRow
from services.portal.domain.facility import LotPlace, next_products
from services.portal.store import Amounts, PublicStream
from services.portal.store.statements import next_statement
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import SHARE
from tests.support.portal import OtherServices, a_portal, sign_in
from tests.support.public_events import LOT as PUBLIC_LOT
from tests.support.public_events import a_balance, a_festival, a_part, catalogue_facts

LOT = {
    "lot": "=LOT",
    "facility": "PR-KPG",
    "product": "KTI",
    "made_on": "2026-11-30",
    "best_before": None,
    "recalled": True,
    "withdrawn": False,
    "recorded": 25,
    "on_hand": 15,
    "reserved": 0,
    "dispatched": 10,
    "returned": 0,
    "written_off": 0,
}
SETTLEMENT = {
    "facility": "PR-KPG",
    "festival": "ODOP",
    "issued": False,
    "final": False,
    "qty": 7,
    "sold_rupiah": 1050000,
    "facility_rupiah": 630000,
    "maker_premium_rupiah": 262500,
    "programme_rupiah": 157500,
    "provisional_qty": 2,
}

DEMAND = {
    "facility": "PR-KPG",
    "festival": "ODOP",
    "complete": True,
    "revision": 1,
    "products": [
        {
            "product": "KTI",
            "stocked": 10,
            "sold": 10,
            "unsold": 0,
            "sold_rupiah": 1500000,
            "lost_sales": 4,
            "booths": [{"booth": "ODOP.B1", "sold_out": [{"at": "2026-04-18T02:00:00Z", "until": None}]}],
        }
    ],
}


def others() -> OtherServices:
    others = OtherServices(Grant(Role.FACILITY_STAFF, "PR-KPG"))
    others.pages |= {
        "inventory/lots": [LOT],
        "sales/settlements": [SETTLEMENT],
        "sales/facilities/PR-KPG/demand": [DEMAND],
        "identity/devices": [],
        "festival/facilities/PR-KPG/shares": [],
        "production/facilities": [],
    }
    return others


async def test_a_facility_sees_what_it_made_and_what_it_is_owed() -> None:
    async with a_portal(others()) as browser:
        await sign_in(browser)
        assert "/facilities/PR-KPG" in (await browser.get("/")).text
        page = (await browser.get("/facilities/PR-KPG")).text
        assert "15 pieces are here, and Rp630.000 of sales are the facility&#39;s." in page
        assert "30 November 2026" in page
        assert "recalled" in page
        # The fifteen that are here are recalled.
        assert "Make 14 more of KTI." in page
        assert "ODOP sold 10, and buyers wanted about 4 more; 0 pieces are unsold." in page
        assert "It ran out of KTI." in page
        assert "B1: 2026-04-18 09:00 WIB" in page


async def test_names_and_sold_pieces_come_from_the_public_stream() -> None:
    services = others()
    services.pages["inventory/lots"] = [{**LOT, "lot": PUBLIC_LOT, "corrected": -2}]
    for body in (*catalogue_facts(), a_festival(), a_balance(), a_part("s1", 3)):
        services.stream.take(body)
    async with a_portal(services) as browser:
        await sign_in(browser)
        page = (await browser.get("/facilities/PR-KPG")).text
        assert "Lapas Perempuan Kupang" in page
        assert "Kain tenun ikat" in page
        assert "Satu Hari" in page
        numbers = re.findall(r'<td class="number">(\d+)</td>', page.partition('id="lots"')[2])
        # Made, here, reserved, sent and unsold, sold, written off.
        assert numbers == ["23", "15", "0", "7", "3", "0"]


async def test_no_figure_is_told_as_whole_before_all_sales_are_read() -> None:
    services = others()
    services.stream = PublicStream()
    async with a_portal(services) as browser:
        await sign_in(browser)
        assert "What was sold is still being read" in (await browser.get("/facilities/PR-KPG")).text
        assert (await browser.get("/facilities/PR-KPG?file=lots")).status_code == 503
        services.stream.mark_whole()
        assert "What was sold is still being read" not in (await browser.get("/facilities/PR-KPG")).text
        assert (await browser.get("/facilities/PR-KPG?file=lots")).status_code == 200


async def test_pieces_that_were_counted_beyond_those_sent_are_away_until_they_are_sold_or_home() -> None:
    services = others()
    services.pages["inventory/lots"] = [{**LOT, "lot": PUBLIC_LOT, "found": 2}]
    services.stream.take(a_part("s1", 3))
    async with a_portal(services) as browser:
        await sign_in(browser)
        page = (await browser.get("/facilities/PR-KPG")).text
        numbers = re.findall(r'<td class="number">(\d+)</td>', page.partition('id="lots"')[2])
        assert numbers == ["25", "15", "0", "9", "3", "0"]


@pytest.mark.parametrize(
    ("query", "lots"), [("", 3), ("product=MDS", 1), ("only=here", 2), ("only=away", 1), ("product=X", 0)]
)
async def test_lots_are_found_by_product_and_place(query: str, lots: int) -> None:
    services = others()
    services.pages["inventory/lots"] = [
        {**LOT, "lot": "L1", "dispatched": 0},
        {**LOT, "lot": "L2", "product": "MDS", "dispatched": 0},
        {**LOT, "lot": "L3", "on_hand": 0},
    ]
    async with a_portal(services) as browser:
        await sign_in(browser)
        page = (await browser.get(f"/facilities/PR-KPG?{query}")).text
        assert page.count('href="/public/lots/') == lots
        assert ("No lot is like that" in page) == (not lots)


async def test_a_page_shows_the_newest_lots_and_the_file_has_all() -> None:
    services = others()
    services.pages["inventory/lots"] = [{**LOT, "lot": f"L{number:03}"} for number in range(MOST_LOTS + 5)]
    async with a_portal(services) as browser:
        await sign_in(browser)
        page = (await browser.get("/facilities/PR-KPG")).text
        assert page.count('href="/public/lots/') == MOST_LOTS
        assert f"The newest {MOST_LOTS} of {MOST_LOTS + 5} lots. The file has all." in page
        file = (await browser.get("/facilities/PR-KPG?file=lots")).text
        assert len(file.splitlines()) == MOST_LOTS + 6
        file = (await browser.get("/facilities/PR-KPG?product=MDS&file=lots")).text
        assert len(file.splitlines()) == 1, "by the filters of the page"


async def test_every_table_is_a_file() -> None:
    services = others()
    services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "final": True, "revision": 1}]
    services.pages["festival/facilities/PR-KPG/shares"] = [SHARE]
    async with a_portal(services) as browser:
        await sign_in(browser)
        await issue(browser)
        page = (await browser.get("/facilities/PR-KPG")).text
        rows = {}
        for address, name in re.findall(r'"(/facilities/PR-KPG\?file=(\w+))"', page):
            [rows[name]] = csv.DictReader(StringIO((await browser.get(address)).text.removeprefix("\ufeff")))
        assert rows["shares"]["reason"] == SHARE["reason"]
        assert (rows["demand"]["product"], rows["demand"]["ran_out"]) == ("KTI", "1")
        assert (rows["statements"]["name"], rows["statements"]["kind"]) == ("PR-KPG-0001", "statement")
        assert rows["lots"]["sold"] == "0"
        services.pages["sales/settlements"] = httpx.Response(403, json={"detail": "No."})
        assert (await browser.get("/facilities/PR-KPG?file=statements")).status_code == 403


def test_what_to_make_follows_from_the_best_festival_and_what_is_here() -> None:
    def demand(festival: str, **products: tuple[int, int]) -> DemandPage:
        rows = tuple(
            ProductDemandRow(product, sold, sold, 0, 0, lost, ()) for product, (sold, lost) in products.items()
        )
        return DemandPage("PR-KPG", festival, True, rows)

    lot = LotPlace("L", "KTI", date(2026, 11, 1), False, False, 30, 12, 5, 3, 0, 0)
    found = next_products(
        [demand("A", KTI=(10, 4), MDS=(5, 0), KKR=(0, 0)), demand("B", KTI=(20, 1), MDS=(2, 2))], [lot, lot]
    )
    # 21 wanted of KTI, and 40 are unsold.
    assert [(row.product, row.festival, row.make) for row in found] == [("MDS", "A", 5)]
    [first, _] = next_products([demand("A", KTI=(30, 4), MDS=(5, 0))], [lot, replace(lot, recalled=True)])
    assert (first.product, first.make) == ("KTI", 14)


async def test_tables_are_files_for_spreadsheets_and_no_cell_is_a_formula() -> None:
    async with a_portal(others()) as browser:
        await sign_in(browser)
        answer = await browser.get("/facilities/PR-KPG?file=lots")
        assert answer.headers["content-disposition"] == 'attachment; filename="PR-KPG-lots.csv"'
        assert answer.text.startswith("\ufeff")
        [row] = csv.DictReader(StringIO(answer.text.removeprefix("\ufeff")))
        assert (row["lot"], row["made_on"], row["on_hand"]) == ("'=LOT", "2026-11-30", "15")
        statement = await browser.get("/facilities/PR-KPG?file=owed")
        assert "630000" in statement.text


async def issue(browser: httpx.AsyncClient) -> httpx.Response:
    return await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})


async def test_a_statement_never_changes_and_a_correction_is_a_note() -> None:
    services = others()
    settlement = {**SETTLEMENT, "issued": True, "final": True, "revision": 1}
    services.pages["sales/settlements"] = [settlement]
    async with a_portal(services) as browser:
        await sign_in(browser)
        assert (await issue(browser)).headers["location"] == "/facilities/PR-KPG/statements/1"
        assert (await issue(browser)).headers["location"] == "/facilities/PR-KPG", "it counts once"
        settlement |= {"revision": 2, "qty": 6, "sold_rupiah": 900000, "facility_rupiah": 540000}
        assert (await issue(browser)).headers["location"] == "/facilities/PR-KPG/statements/2"
        first, second = [(await browser.get(f"/facilities/PR-KPG/statements/{number}")).text for number in (1, 2)]
        assert "Rp630.000" in first
        assert "Rp540.000" not in first
        assert "Credit note PR-KPG-0002" in second
        assert "It corrects PR-KPG-0001." in second
        assert "It corrects" not in first
        assert "-Rp90.000" in second
        assert "Rp540.000" in second
        note = await browser.get("/facilities/PR-KPG/statements/2?file=amounts")
        [row] = csv.DictReader(StringIO(note.text.removeprefix("\ufeff")))
        assert (row["facility_rupiah"], row["qty"]) == ("-90000", "-1")
        assert (await browser.get("/facilities/PR-KPG/statements/3")).status_code == 404


async def test_what_is_owed_beyond_the_statement_is_a_debit_note_of_the_same_series() -> None:
    services = others()
    settlement = {**SETTLEMENT, "issued": True, "final": True, "revision": 1}
    services.pages["sales/settlements"] = [settlement]
    services.stream.take(a_festival())
    async with a_portal(services) as browser:
        await sign_in(browser)
        await issue(browser)
        settlement |= {"revision": 2, "qty": 8, "sold_rupiah": 1_200_000, "facility_rupiah": 720_000}
        note = (await browser.get((await issue(browser)).headers["location"])).text
        assert "Debit note PR-KPG-0002" in note
        assert "Of the sales at Satu Hari, Rp90.000 more are the facility&#39;s than was stated." in note
        settlement |= {"revision": 3, "programme_rupiah": 150_000}
        note = (await browser.get((await issue(browser)).headers["location"])).text
        assert "Credit note PR-KPG-0003" in note, "the first amount that differs says which note it is"
        assert "It corrects PR-KPG-0002." in note
        browser.headers["Accept-Language"] = "id"
        assert "Nota debit PR-KPG-0002" in (await browser.get("/facilities/PR-KPG/statements/2")).text


async def test_two_who_issue_at_once_get_one_statement() -> None:
    services = others()
    services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "final": True, "revision": 1}]
    async with a_portal(services) as browser:
        await sign_in(browser)
        await asyncio.gather(issue(browser), issue(browser), issue(browser))
        assert (await browser.get("/facilities/PR-KPG/statements/1")).status_code == 200
        assert (await browser.get("/facilities/PR-KPG/statements/2")).status_code == 404


async def test_no_statement_is_issued_of_figures_that_may_change_or_by_others() -> None:
    services = others()
    async with a_portal(services) as browser:
        await sign_in(browser)
        assert (await issue(browser)).status_code == 409
        # It was published once, and a booth that came later sells.
        services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "revision": 1}]
        page = (await browser.get("/facilities/PR-KPG")).text
        assert ("Issue the statement" in page, "so far" in page) == (False, True)
        assert (await issue(browser)).status_code == 409
        services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "final": True, "revision": 1}]
        assert "Issue the statement of ODOP" in (await browser.get("/facilities/PR-KPG")).text
    services.grants = (Grant(Role.AUDITOR),)
    async with a_portal(services) as browser:
        await sign_in(browser)
        assert "Issue the statement of ODOP" not in (await browser.get("/facilities/PR-KPG")).text
        assert (await issue(browser)).status_code == 403
        services.pages["sales/settlements"] = httpx.Response(403, json={"detail": "No."})
        assert (await browser.get("/facilities/PR-KPG/statements/1")).status_code == 403


def test_no_note_leads_back_to_older_figures() -> None:
    now = datetime(2026, 4, 21, tzinfo=UTC)
    older, newer = Amounts(7, 900, 630, 180, 90), Amounts(6, 800, 560, 160, 80)
    first = next_statement([], "PR-KPG", "ODOP", 2, newer, now)
    assert first is not None
    assert next_statement([first], "PR-KPG", "ODOP", 1, older, now) is None, "read before the newer one was issued"
    assert next_statement([first], "PR-KPG", "ODOP", 3, older, now) is not None
