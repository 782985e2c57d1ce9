"""A facility's page and its files for spreadsheets."""

import asyncio
import csv
from io import StringIO

import httpx

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.portal import OtherServices, a_portal, sign_in

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
        assert "Most is missing of KTI: buyers wanted about 4 pieces more." in page


async def test_tables_are_files_for_spreadsheets_and_no_cell_is_a_formula() -> None:
    async with a_portal(others()) as browser:
        await sign_in(browser)
        answer = await browser.get("/facilities/PR-KPG/lots.csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="PR-KPG-lots.csv"'
        assert answer.text.startswith("\ufeff")
        [row] = csv.DictReader(StringIO(answer.text.removeprefix("\ufeff")))
        assert (row["lot"], row["made_on"], row["on_hand"]) == ("'=LOT", "2026-11-30", "15")
        statement = await browser.get("/facilities/PR-KPG/statement.csv")
        assert "630000" in statement.text


async def issue(browser: httpx.AsyncClient) -> httpx.Response:
    return await browser.post("/facilities/PR-KPG/statements", data={"festival": "ODOP"})


async def test_a_statement_never_changes_and_a_correction_is_a_note() -> None:
    services = others()
    settlement = {**SETTLEMENT, "issued": True, "revision": 1}
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
        assert "PR-KPG-0002" in second
        assert "-Rp90.000" in second
        assert "Rp540.000" in second
        note = await browser.get("/facilities/PR-KPG/statements/2/file.csv")
        [row] = csv.DictReader(StringIO(note.text.removeprefix("\ufeff")))
        assert (row["facility_rupiah"], row["qty"]) == ("-90000", "-1")
        assert (await browser.get("/facilities/PR-KPG/statements/3")).status_code == 404


async def test_two_who_issue_at_once_get_one_statement() -> None:
    services = others()
    services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "revision": 1}]
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
        services.pages["sales/settlements"] = [{**SETTLEMENT, "issued": True, "revision": 1}]
        assert "Issue the statement of ODOP" in (await browser.get("/facilities/PR-KPG")).text
    services.grants = (Grant(Role.AUDITOR),)
    async with a_portal(services) as browser:
        await sign_in(browser)
        assert "Issue the statement of ODOP" not in (await browser.get("/facilities/PR-KPG")).text
        assert (await issue(browser)).status_code == 403
        services.pages["sales/settlements"] = httpx.Response(403, json={"detail": "No."})
        assert (await browser.get("/facilities/PR-KPG/statements/1")).status_code == 403
