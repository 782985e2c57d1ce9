"""What people read instead of codes, ids and zones of the database of time zones."""

from typing import Any

import httpx

from services.portal.api.pages import zone_name
from services.portal.domain.answers import BacklogRow, WaitingRow
from services.portal.domain.lag import LagRow, lag_of
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import PLACE, RECEIPT, running_festival
from tests.support.portal import FESTIVAL, OtherServices, a_portal, sign_in
from tests.support.public_events import a_festival, a_part, catalogue_facts

UUID = "2f0a6a1e-6a53-4c27-9d7b-0c9b0f6f1a11"


def served(**pages: Any) -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"))
    others.pages |= running_festival() | pages
    for fact in catalogue_facts():
        others.stream.take(fact)
    return others


async def test_products_have_their_names_on_an_organiser_s_pages() -> None:
    async with a_portal(served()) as browser:
        await sign_in(browser)
        for page in ("plans/R3", "plans/R3/what-if", "refills/R2", "booths", "booths/ODOP.B1", "plans", "sales"):
            assert "Kain tenun ikat" in (await browser.get(f"/festivals/ODOP/{page}")).text, page


async def test_the_first_page_names_facilities_and_festivals() -> None:
    others = served()
    others.grants = (Grant(Role.FACILITY_STAFF, "PR-KPG"), Grant(Role.CASHIER, "ODOP.B1"))
    others.stream.take(a_festival())
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/")).text
        assert '<a href="/facilities/PR-KPG">Lapas Perempuan Kupang</a>' in page
        assert "B1 · Satu Hari" in page


async def test_no_name_turns_the_figures_behind_it_around() -> None:
    name = "Satu\u202e Hari\u2067"
    festival = {**FESTIVAL, "name": name}
    others = served(**{"festival/festivals": [festival], PLACE: festival})
    others.stream.take(a_festival().model_copy(update={"name": name}))
    others.stream.take(a_part("s1", 12))
    others.outcomes[f"{PLACE}/change"] = httpx.Response(409, json={"template": "No.", "values": {}})
    async with a_portal(others) as browser:
        await sign_in(browser)
        for address in ("/public", "/festivals", "/festivals/ODOP"):
            page = (await browser.get(address)).text
            assert "Satu\\u202e Hari\\u2067" in page, address
            assert not {"\u202e", "\u2067"} & set(page), address
        # What is typed stays as it was typed.
        page = (await browser.post("/festivals/ODOP/change", data={"name": name, "place": "X"})).text
        assert page.count(f'value="{name}"') == 2


async def test_a_refill_has_no_margin_of_nothing() -> None:
    others = served()
    for forecast in others.pages[f"{PLACE}/replenishments/R2"]["forecasts"]:
        forecast |= {"expected": 0, "give_or_take": 0, "known": True}
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert "±" not in (await browser.get("/festivals/ODOP/refills/R2")).text


async def test_a_receipt_has_the_number_that_its_till_shows() -> None:
    sales: Any = RECEIPT["sales"]
    sale = {**sales[0], "sale": f"{UUID}/1"}
    receipt = {**RECEIPT, "receipt": UUID, "sales": [sale]}
    others = served(**{"sales/booths/ODOP.B1/receipts": [receipt]})
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/booths/ODOP.B1/receipts")).text
        assert f'href="#sale-{UUID}/1">T1 · 7/1</a>' in page
        assert f">{UUID}" not in page


async def test_a_form_says_the_zone_as_people_do() -> None:
    async with a_portal(served()) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/refills")).text
        assert "WITA" in page
        assert "Asia/Makassar" not in page
    assert [zone_name(f"Asia/{city}") for city in ("Jakarta", "Jayapura", "Kolkata")] == ["WIB", "WIT", "+05:30"]


def test_what_waits_comes_first_and_the_unknown_before_it() -> None:
    waiting = tuple(WaitingRow("g", topic, records) for topic, records in {"a": 0, "b": 5, "c": 9, "d": None}.items())
    backlog = BacklogRow("sales", waiting, 0, 0, ())
    first, quiet = lag_of([backlog])
    assert [(row.topic, row.records) for row in first] == [("d", None), ("c", 9), ("b", 5)]
    assert quiet == [LagRow("sales", "a", 0), LagRow("sales", "", 0)]
