"""An organiser's commands by forms: what is given, what a refusal shows, and that a form counts once."""

import html
import json
import re
from typing import Any

import httpx
import pytest

from services.portal.api.festival.change import FIELDS
from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.portal import FESTIVAL, OtherServices, a_portal, pages_of, seen_of, sign_in

PLACE = "festival/festivals/ODOP"
LOT = "PR-KPG-KTI-261130-001-W"
BOOTH = {
    "booth": "ODOP.B1",
    "festival": "ODOP",
    "name": "Stan Timur",
    "status": "open",
    "deadline": None,
    "prices": [{"product": "KTI", "price_rupiah": 150000, "category": "kain"}],
    "tills": ["T1"],
    "disputed": [],
    "merged_into": None,
    "lots": [],
}
SHIPMENT = {
    "shipment": "S1",
    "request": "R1",
    "facility": "PR-KPG",
    "booth": "ODOP.B1",
    "status": "sent",
    "due": None,
    "overdue": False,
    "lots": [{"lot": LOT, "sent": 10, "counted": None}],
}
PLAN = {
    "request": "R1",
    "festival": "ODOP",
    "status": "proposed",
    "asked": 12,
    "held": 0,
    "short": 2,
    "day": None,
    "hold_until": "2026-04-17T02:00:00Z",
    "lapsed": False,
    "demands": [{"booth": "ODOP.B1", "product": "KTI", "qty": 12}],
    "lines": [
        {
            "booth": "ODOP.B1",
            "product": "KTI",
            "facility": "PR-KPG",
            "lot": LOT,
            "qty": 10,
            "status": "planned",
            "reason": "It made the oldest.",
            "reason_id": "Buatannya yang tertua.",
        }
    ],
    "shares": [
        {
            "facility": "PR-KPG",
            "offered": 10,
            "allocated": 10,
            "held": 0,
            "reason": "All that it has.",
            "reason_id": "Semua yang ada.",
        }
    ],
    "shortfalls": [
        {
            "booth": "ODOP.B1",
            "product": "KTI",
            "asked": 12,
            "short": 2,
            "reason": "There is no more.",
            "reason_id": "Tidak ada lagi.",
        }
    ],
}
INPUTS = re.compile(r'<input[^>]* name="([a-z_-]+)"[^>]* value="([^"]*)"')
REFUSAL = {
    "detail": "No.",
    "template": "{booth} is closed.",
    "values": {"booth": "ODOP.B1"},
    "field": "booth",
    "reason": "booth_closed",
}


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "*"), Grant(Role.ORGANISER, "ODOP"))
    others.pages |= pages_of(FESTIVAL) | {
        f"{PLACE}/booths": [BOOTH],
        f"{PLACE}/requests": [PLAN],
        f"{PLACE}/requests/R1": PLAN,
        f"{PLACE}/shipments": [SHIPMENT],
        f"{PLACE}/shipments/S1": SHIPMENT,
        "festival/stock": [{"product": "KTI", "on_hand": 12, "plannable": 10}],
        "production/products": [
            {"code": "KTI", "name": "Kain", "category": "kain", "usual_price_rupiah": 150000, "retired_at": None}
        ],
    }
    return others


def given(others: OtherServices) -> list[tuple[str, Any]]:
    return [(name, json.loads(body)) for name, body, _ in others.commands]


async def test_goods_are_asked_for_and_the_plan_is_shown(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert "10 can be planned" in (await browser.get("/festivals/ODOP/plans")).text
        form = {"request": "r2", "qty-ODOP.B1:KTI": "1.200", "qty-ODOP.B1:MDS": "", "even": "yes", "command": "c1"}
        answer = await browser.post("/festivals/ODOP/plans", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/festivals/ODOP/plans/R2")
        demands = [{"booth": "ODOP.B1", "product": "KTI", "qty": 1200}]
        assert given(others) == [(f"{PLACE}/requests", {"request": "R2", "demands": demands, "even": True})]
        assert others.commands[0][2] == "c1", "the form's own id, so that it counts once"


async def test_a_plan_is_shown_with_its_reasons_in_the_readers_language(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/plans/R1")).text
        assert "Of 12 pieces asked for, 10 are planned." in page
        assert {"It made the oldest.", "All that it has.", "There is no more."} <= set(
            page.replace("<", ">").split(">")
        )
        assert "PR-KPG → ODOP.B1: 10" in page, "in the picture"
        assert "2026-04-17 10:00 WITA" in page
        indonesian = (await browser.get("/festivals/ODOP/plans/R1", headers={"Accept-Language": "id"})).text
        assert "Buatannya yang tertua." in indonesian
        answer = await browser.post("/festivals/ODOP/plans/R1/accept", data={"command": "c2", **seen_of(page)})
        assert (answer.status_code, given(others)) == (303, [(f"{PLACE}/requests/R1/accept", {})])


async def test_nobody_accepts_a_plan_that_became_another_one_meanwhile(others: OtherServices) -> None:
    revision = {"status": "waiting", "reason": "", "reason_id": "", "without": ["PR-KPG"], "kept": 3}
    revision |= {"added": [], "back": [], "shares": [], "short": []}
    async with a_portal(others) as browser:
        await sign_in(browser)
        changes: tuple[dict[str, Any], ...] = (
            {"lines": [{**PLAN["lines"][0], "qty": 9}]},
            {"status": "settled", "revision": revision},
        )  # type: ignore[index]
        for change in changes:
            form = seen_of((await browser.get("/festivals/ODOP/plans/R1")).text)
            others.pages[f"{PLACE}/requests/R1"] = others.pages[f"{PLACE}/requests/R1"] | change
            answer = await browser.post("/festivals/ODOP/plans/R1/accept", data=form)
            assert (answer.status_code, "This has changed since" in answer.text) == (409, True)
            assert others.commands == []
        form = seen_of((await browser.get("/festivals/ODOP/plans/R1")).text)
        assert (await browser.post("/festivals/ODOP/plans/R1/accept", data=form)).status_code == 303
        others.pages[f"{PLACE}/requests/R1"] = {**PLAN, "status": "settled"}
        assert (await browser.post("/festivals/ODOP/plans/R1/accept", data=form)).status_code == 303, "sent twice"


async def test_a_refusal_is_shown_beside_what_was_typed(others: OtherServices) -> None:
    others.outcomes[f"{PLACE}/requests"] = httpx.Response(409, json=REFUSAL)
    async with a_portal(others) as browser:
        await sign_in(browser)
        form = {"request": "R2", "qty-ODOP.B1:KTI": "7"}
        answer = await browser.post("/festivals/ODOP/plans", data=form)
        assert (answer.status_code, "ODOP.B1 is closed." in answer.text) == (409, True)
        assert 'value="7"' in answer.text


@pytest.mark.parametrize(("qty", "words"), [("", "how many pieces at least one booth needs"), ("viele", "viele")])
async def test_a_wrong_entry_asks_no_service(others: OtherServices, qty: str, words: str) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post("/festivals/ODOP/plans", data={"request": "R2", "qty-ODOP.B1:KTI": qty})
        assert answer.status_code == 422
        alert = answer.text.partition('role="alert"')[2].partition("</div>")[0]
        assert words in alert
        assert others.commands == []


async def test_a_booth_is_opened_with_prices_as_people_type_them(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        form = {
            "booth": "b2",
            "name": "",
            "tills": "t1, t2",
            "price-KTI": "Rp 150.000",
            "price-MDS": "",
            "capacity": "",
            "limit-kain": "40",
            "limit-makanan": " ",
        }
        answer = await browser.post("/festivals/ODOP/booths", data=form)
        assert answer.headers["location"] == "/festivals/ODOP/booths"
        [(name, body)] = given(others)
        assert name == f"{PLACE}/booths"
        assert body == {
            "booth": "ODOP.B2",
            "name": "B2",
            "prices": [{"product": "KTI", "price_rupiah": 150000}],
            "tills": ["T1", "T2"],
            "capacity": None,
            "limits": [{"category": "kain", "qty": 40}],
        }


async def test_a_count_is_compared_before_it_is_recorded(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        compared = await browser.post("/festivals/ODOP/parcels/S1", data={f"counted-{LOT}": "8"})
        assert "The count differs from what was sent." in compared.text
        assert others.commands == []
        form = {f"counted-{LOT}": "8", "confirmed": "yes", "command": "c3"}
        answer = await browser.post("/festivals/ODOP/parcels/S1", data=form)
        assert answer.status_code == 303
        counted = [{"lot": LOT, "qty": 8}]
        assert given(others) == [(f"{PLACE}/shipments/S1/receive", {"booth": "ODOP.B1", "counted": counted})]
        uncounted = await browser.post("/festivals/ODOP/parcels/S1", data={f"counted-{LOT}": " ", "confirmed": "yes"})
        assert uncounted.status_code == 422, "a lot that nobody counted is not taken as 0"


async def test_everything_came_as_sent_is_compared_too(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        compared = await browser.post("/festivals/ODOP/parcels/S1", data={"as_sent": "yes"})
        assert "The count agrees with what was sent." in compared.text
        assert f'name="counted-{LOT}" value="10"' in compared.text
        assert others.commands == []


async def test_what_is_reserved_can_be_sent(others: OtherServices) -> None:
    line = {**PLAN["lines"][0], "status": "reserved"}  # type: ignore[index]
    others.pages[f"{PLACE}/requests/R1"] = {**PLAN, "status": "settled", "lines": [line, line]}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/parcels")).text
        assert "20 pieces of request R1" in page
        assert 'name="shipment" value="S2"' in page
        form = {"request": "R1", "facility": "PR-KPG", "booth": "ODOP.B1", "shipment": "S2", "command": "c4"}
        await browser.post("/festivals/ODOP/parcels", data={**form, **seen_of(page)})
        assert given(others) == [(f"{PLACE}/shipments", {k: v for k, v in form.items() if k != "command"})]


async def test_a_festival_that_is_in_doubt_is_announced_only_after_a_yes(others: OtherServices) -> None:
    doubt = {**REFUSAL, "template": "It is over already.", "values": {}, "reason": "not_confirmed"}
    others.outcomes["festival/festivals"] = httpx.Response(409, json=doubt)
    form = {"festival": "odop", "name": "N", "place": "P", "zone": "Asia/Makassar"}
    days = {"first_day": "2020-01-01", "last_day": "2020-01-02"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        missing = await browser.post("/festivals/announce", data=form)
        assert (missing.status_code, others.commands) == (422, [])
        doubted = await browser.post("/festivals/announce", data=form | days)
        assert doubted.status_code == 409
        assert 'name="confirmed"' in doubted.text
        others.outcomes.clear()
        answer = await browser.post("/festivals/announce", data=form | days | {"confirmed": "yes"})
        assert answer.headers["location"] == "/festivals/ODOP"
        assert [body["confirmed"] for _, body in given(others)] == [False, True]


async def test_whoever_announces_gets_the_role_before_the_page(others: OtherServices) -> None:
    others.grants = (Grant(Role.ORGANISER, "*"),)
    form = {"festival": "ODOP", "name": "N", "place": "P", "zone": "Asia/Makassar"}
    days = {"first_day": "2026-01-01", "last_day": "2026-01-02"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        others.grants = (*others.grants, Grant(Role.ORGANISER, "ODOP"))
        await browser.post("/festivals/announce", data=form | days)
        assert others.refreshes == 1
        assert "Booths and prices" in (await browser.get("/festivals/ODOP")).text


async def test_a_dispute_is_decided(others: OtherServices) -> None:
    doubt = {
        "sale": "r1/1",
        "receipt": "r1",
        "till": "T1",
        "lot": None,
        "product": "KTI",
        "qty": 2,
        "waiting": 0,
        "disputed": 2,
        "rupiah": 300000,
        "sold_at": "2026-04-18T02:00:00Z",
    }
    booth = {"booth": "ODOP.B1", "name": "Stan", "zone": "Asia/Makassar", "status": "open", "receipts": 1}
    others.pages["sales/disputes"] = [{**booth, "takings_rupiah": 1250000, "sold": 9, "sales": [doubt]}]
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/sales")).text
        assert "9 pieces are sold for Rp1.250.000." in page
        assert "2 pieces for Rp300.000, sold 2026-04-18 10:00 WITA at till T1." in page
        form = {"booth": "ODOP.B1", "sale": "r1/1", "outcome": "rejected", "command": "c5"}
        await browser.post("/festivals/ODOP/sales", data=form)
        body = {"booth": "ODOP.B1", "outcome": "rejected"}
        assert given(others) == [(f"{PLACE}/disputes/r1/1/resolve", body)]


async def test_a_festival_is_closed_and_its_goods_come_home(others: OtherServices) -> None:
    lot = {
        "lot": LOT,
        "facility": "PR-KPG",
        "product": "KTI",
        "in_transit": 0,
        "received": 10,
        "sold": 7,
        "lost": 0,
        "returned": 0,
        "left": 3,
    }
    others.pages[f"{PLACE}/booths"] = [{**BOOTH, "status": "settled", "lots": [lot]}]
    others.pages["sales/settlements"] = []
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert "3 pieces are left at B1." in (await browser.get("/festivals/ODOP/close")).text
        await browser.post("/festivals/ODOP/close", data={"till_hours": "24"})
        await browser.post("/festivals/ODOP/returns", data={"booth": "ODOP.B1", "lot": LOT, "qty": "3"})
        assert given(others) == [
            (f"{PLACE}/close", {"till_hours": 24}),
            (f"{PLACE}/returns", {"booth": "ODOP.B1", "lot": LOT, "qty": 3, "final": True}),
        ]


async def test_who_changes_the_name_leaves_the_days_that_somebody_else_has_changed(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/change")).text
        form = {html.unescape(name): html.unescape(value) for name, value in INPUTS.findall(page)}
        others.pages[PLACE] = {**FESTIVAL, "last_day": "2026-04-22", "place": "Soe"}
        others.outcomes[f"{PLACE}/change"] = httpx.Response(409, json=REFUSAL)
        again = (await browser.post("/festivals/ODOP/change", data={**form, "name": "Raya"})).text
        form = {html.unescape(name): html.unescape(value) for name, value in INPUTS.findall(again)}
        await browser.post("/festivals/ODOP/change", data=form)
        assert given(others) == [(f"{PLACE}/change", {"name": "Raya", "confirmed": False})] * 2


@pytest.mark.parametrize(("answer", "said"), [(202, "Ask what became of it"), (503, "Send it again")])
async def test_a_form_without_a_known_outcome_is_sent_again_under_its_own_id(
    others: OtherServices, answer: int, said: str
) -> None:
    others.outcomes[f"{PLACE}/losses"] = httpx.Response(answer, json={})
    form = {"change": "loss", "lot": LOT, "qty": "3", "reason": '"wet" <rain>', "command": "c7"}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = await browser.post("/festivals/ODOP/booths/ODOP.B1", data=form)
        assert (page.status_code, said in page.text, "counts once" in page.text) == (answer, True, True)
        assert 'action="/festivals/ODOP/booths/ODOP.B1"' in page.text
        hidden = page.text.partition('id="main"')[2]
        again = {html.unescape(name): html.unescape(value) for name, value in INPUTS.findall(hidden)}
        assert again == form
        others.outcomes.clear()
        done = await browser.post("/festivals/ODOP/booths/ODOP.B1", data=again)
        assert done.headers["location"] == "/festivals/ODOP/booths/ODOP.B1"
        assert [id for _, _, id in others.commands] == ["c7", "c7"]


async def test_every_form_of_a_command_tells_that_its_outcome_is_not_known(others: OtherServices) -> None:
    others.grants = (*others.grants, Grant(Role.FACILITY_STAFF, "PR-KPG"), Grant(Role.OPERATOR))
    forms: dict[str, dict[str, Any]] = {
        "/festivals/announce": {"festival": "X", **{name: FESTIVAL[name] for name in FIELDS}},
        "/festivals/ODOP/change": {"name": "Raya"},
        "/festivals/ODOP/people": {"kind": "grant", "account": "a", "role": "cashier:ODOP.B1"},
        "/festivals/ODOP/parcels/S1": {"as_sent": "yes", "confirmed": "yes"},
        "/facilities/PR-KPG/losses": {"lot": LOT, "qty": "1", "festival": "ODOP"},
        "/operator/held": {"decision": "release", "place": "ODOP.B1", "device": "d"},
    }
    commands = (f"{PLACE}/change", f"{PLACE}/shipments/S1/receive", "gateway/held/ODOP.B1/release")
    others.outcomes |= {name: httpx.Response(500) for name in commands}
    others.pages["gateway/held"] = []
    async with a_portal(others) as browser:
        await sign_in(browser)
        for address, form in forms.items():
            # What a page reads before it gives its command is there.
            is_read_first = address.endswith(("change", "S1", "held"))
            others.away = set() if is_read_first else {"festival", "identity"}
            page = await browser.post(address, data={**form, "command": "c8"})
            assert (page.status_code, 'value="c8"' in page.text) == (503, True), address


@pytest.mark.parametrize(
    ("form", "place", "body"),
    [
        (
            {"change": "price", "product": "KTI", "price": "125.000"},
            "prices",
            {"product": "KTI", "price_rupiah": 125000},
        ),
        (
            {"change": "product", "product": "MDS", "price": "45000"},
            "products",
            {"product": "MDS", "price_rupiah": 45000},
        ),
        ({"change": "name", "name": " Stan Barat "}, "name", {"name": "Stan Barat"}),
        ({"change": "till", "till": "t2"}, "tills", {"till": "T2"}),
        ({"change": "strike", "till": "T1", "reason": "lost"}, "tills/T1/strike", {"reason": "lost"}),
        ({"change": "close", "till_hours": "2"}, "close", {"till_hours": 2}),
        ({"change": "reopen", "reason": " hujan "}, "reopen", {"reason": "hujan"}),
    ],
)
async def test_a_booth_is_changed_by_the_form_of_each_command(
    others: OtherServices, form: dict[str, str], place: str, body: dict[str, Any]
) -> None:
    others.pages[f"{PLACE}/booths/ODOP.B1"] = BOOTH
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert "Change the price" in (await browser.get("/festivals/ODOP/booths/ODOP.B1")).text
        answer = await browser.post("/festivals/ODOP/booths/ODOP.B1", data=form)
        assert answer.headers["location"] == "/festivals/ODOP/booths/ODOP.B1"
        assert given(others) == [(f"{PLACE}/booths/ODOP.B1/{place}", body)]


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("2026-04-18T14:30", "2026-04-18T06:30:00+00:00"),
        ("2026-04-18 14:30+07:00", "2026-04-18T07:30:00+00:00"),
        ("2026-04-18T14:30Z", "2026-04-18T14:30:00+00:00"),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59-12:00", None),
        ("14:30", None),
    ],
)
async def test_a_price_is_valid_from_the_moment_that_was_typed(
    others: OtherServices, typed: str, at: str | None
) -> None:
    others.pages[f"{PLACE}/booths/ODOP.B1"] = BOOTH
    form = {"change": "price", "product": "KTI", "price": "5000", "valid_from": typed}
    async with a_portal(others) as browser:
        await sign_in(browser)
        answer = await browser.post("/festivals/ODOP/booths/ODOP.B1", data=form)
        assert answer.status_code == (422 if at is None else 303)
        assert [body.get("valid_from") for _, body in given(others)] == [at] * (at is not None)


async def test_an_unknown_form_and_a_wrong_price_change_nothing(others: OtherServices) -> None:
    others.pages[f"{PLACE}/booths/ODOP.B1"] = BOOTH
    async with a_portal(others) as browser:
        await sign_in(browser)
        for form in ({"change": "everything"}, {"change": "price", "product": "KTI", "price": "-1"}):
            assert (await browser.post("/festivals/ODOP/booths/ODOP.B1", data=form)).status_code == 422
        assert others.commands == []


async def test_what_would_change_without_a_facility_is_shown_before_it_does(others: OtherServices) -> None:
    revision = {
        "status": "waiting",
        "reason": "",
        "reason_id": "",
        "without": ["PR-KPG"],
        "kept": 3,
        "added": [],
        "back": [],
        "shares": [{"facility": "LP-KPG", "offered": 9, "before": 0, "after": 7}],
        "short": [{"booth": "ODOP.B1", "product": "KTI", "asked": 12, "before": 2, "after": 5}],
    }
    others.pages[f"{PLACE}/requests/R1"] = {**PLAN, "status": "settled", "revision": revision}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/plans/R1")).text
        assert "Without PR-KPG:" in page
        assert "3 pieces stay as they are." in page
        assert "short at B1: KTI" in page
        form = {"without-PR-KPG": "yes", "reason": "no boat", "command": "c9"}
        await browser.post("/festivals/ODOP/plans/R1/revise", data=form)
        assert given(others) == [(f"{PLACE}/requests/R1/revise", {"without": ["PR-KPG"], "reason": "no boat"})]
