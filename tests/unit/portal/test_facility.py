"""A facility's page and its files for spreadsheets."""

import csv
from io import StringIO

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
        assert "Most is missing of KTI: about 4 pieces more could have been sold." in page


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
