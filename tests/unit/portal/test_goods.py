"""Goods that several commands move at once, their papers, the stock, losses, roles. Quantities are made up."""

import json
from copy import deepcopy
from typing import Any

import httpx
import pytest

from shared.access.rights import Grant
from shared.events.identity import Role
from tests.support.festival_pages import LOT, OTHER_LOT, PLACE, an_arrival, facility_pages, running_festival
from tests.support.portal import FESTIVAL, OtherServices, a_portal, seen_of, sign_in

FROM_TO = {"request": "R1", "facility": "PR-KPG", "booth": "ODOP.B1"}
COMMAND = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def others() -> OtherServices:
    others = OtherServices(Grant(Role.ORGANISER, "ODOP"), Grant(Role.FACILITY_STAFF, "PR-KPG"))
    others.pages |= running_festival()
    plan = deepcopy(others.pages[f"{PLACE}/requests/R3"])
    lines = [
        {**plan["lines"][0], "status": "reserved", "booth": booth, "facility": facility}
        for facility, booth in (("PR-KPG", "ODOP.B1"), ("PR-KPG", "ODOP.B2"), ("LP-KPG", "ODOP.B1"))
    ]
    others.pages[f"{PLACE}/requests"] = [{**others.pages[f"{PLACE}/requests"][0], "request": "R3"}]
    others.pages[f"{PLACE}/requests/R3"] = {**plan, "status": "settled", "lines": lines}
    return others


def given(others: OtherServices) -> list[tuple[str, Any]]:
    return [(name.removeprefix(f"{PLACE}/"), json.loads(body)) for name, body, _ in others.commands]


async def test_everything_that_is_reserved_is_sent_under_new_names(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/parcels")).text
        assert "Send all 3 as new parcels" in page
        form = {"command": COMMAND, "do": "send", **seen_of(page)}
        answer = await browser.post("/festivals/ODOP/parcels/all", data=form)
        assert answer.headers["location"] == "/festivals/ODOP/parcels"
        sent = [(body["shipment"], body["facility"], body["booth"]) for _, body in given(others)]
        assert sent == [("S2", "LP-KPG", "ODOP.B1"), ("S3", "PR-KPG", "ODOP.B1"), ("S4", "PR-KPG", "ODOP.B2")]
        ids = [id for _, _, id in others.commands]
        await browser.post("/festivals/ODOP/parcels/all", data=form)
        assert [id for _, _, id in others.commands[3:]] == ids, "a form that is sent twice counts once"
        assert len(set(ids)) == 3


async def test_a_refusal_ends_what_one_form_asks_for(others: OtherServices) -> None:
    refusal = {"template": "{booth} is closed.", "values": {"booth": "ODOP.B1"}}
    others.outcomes[f"{PLACE}/shipments"] = httpx.Response(409, json=refusal)
    async with a_portal(others) as browser:
        await sign_in(browser)
        shown = seen_of((await browser.get("/festivals/ODOP/parcels")).text)
        answer = await browser.post("/festivals/ODOP/parcels/all", data={"command": COMMAND, "do": "send", **shown})
        assert (answer.status_code, "ODOP.B1 is closed." in answer.text) == (409, True)
        assert len(others.commands) == 1


async def test_strays_are_narrowed_to_those_that_are_like_a_booth_here(others: OtherServices) -> None:
    [stray] = others.pages["sales/strays"]
    others.pages["sales/strays"] = [stray, {**stray, "booth": "RAYA.LAMA"}]
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert "RAYA.LAMA" in (await browser.get("/festivals/ODOP/strays")).text
        page = (await browser.get("/festivals/ODOP/strays?likely=yes")).text
        assert ("RAYA.LAMA" in page, "ODOP.BB1" in page) == (False, True)


async def test_only_the_parcels_that_are_shown_are_sent_at_once(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/parcels?facility=PR-KPG")).text
        assert "Send all 2 as new parcels" in page
        form = {"command": COMMAND, "do": "send", **seen_of(page)}
        await browser.post("/festivals/ODOP/parcels/all", data=form)
        assert {body["facility"] for _, body in given(others)} == {"PR-KPG"}
        assert len(others.commands) == 2


@pytest.mark.parametrize(("kind", "name", "own"), [("parcels", "S1", "ODOP.B1"), ("transfers", "T1", "ODOP.B2")])
async def test_what_was_counted_at_another_booth_is_received_and_then_moved(
    others: OtherServices, kind: str, name: str, own: str
) -> None:
    others.pages[f"{PLACE}/shipments/S1"] = an_arrival("sent", shipment="S1", **FROM_TO)
    other = {"ODOP.B1": "ODOP.B2", "ODOP.B2": "ODOP.B1"}[own]
    place = {"parcels": "shipments"}.get(kind, kind)
    address, form = f"/festivals/ODOP/{kind}/{name}", {f"counted-{LOT}": "12", "booth": other}
    async with a_portal(others) as browser:
        await sign_in(browser)
        assert f'<option value="{other}">' in (await browser.get(address)).text
        page = (await browser.post(address, data=form)).text
        assert f"{name} was sent to {own}, and counted at {other}." in page
        assert others.commands == [], "nothing before the yes"
        confirmed = form | {"confirmed": "yes", "transfer": "T2", "command": COMMAND}
        answer = await browser.post(address, data=confirmed)
        assert answer.headers["location"] == "/festivals/ODOP/transfers/T2"
        counted, moved = [{"lot": LOT, "qty": 12}], [{"lot": LOT, "qty": 10}]
        # The surplus stays out of stock.
        assert given(others) == [
            (f"{place}/{name}/receive", {"booth": own, "counted": counted}),
            ("transfers", {"transfer": "T2", "booth": own, "to": other, "lots": moved}),
            ("transfers/T2/receive", {"booth": other, "counted": moved}),
        ]
        ids = [id for _, _, id in others.commands]
        await browser.post(address, data=confirmed)
        assert [id for _, _, id in others.commands[3:]] == ids, "a form that is sent twice counts once"


async def test_a_parcel_is_received_at_no_booth_that_cannot_have_it(others: OtherServices) -> None:
    others.pages[f"{PLACE}/shipments/S1"] = an_arrival("sent", shipment="S1", **FROM_TO)
    form = {f"counted-{LOT}": "10", "booth": "ODOP.B2", "confirmed": "yes", "transfer": "T2", "command": COMMAND}
    other = others.pages[f"{PLACE}/booths"][1]
    async with a_portal(others) as browser:
        await sign_in(browser)
        other["prices"] = [price for price in other["prices"] if price["product"] != "KTI"]
        answer = await browser.post("/festivals/ODOP/parcels/S1", data=form)
        assert (answer.status_code, "has no price for KTI" in answer.text) == (422, True)
        other["status"] = "closing"
        answer = await browser.post("/festivals/ODOP/parcels/S1", data=form)
        assert (answer.status_code, "Choose an open booth of this festival." in answer.text) == (422, True)
        assert others.commands == []
        # Nothing came: nothing is moved.
        answer = await browser.post("/festivals/ODOP/parcels/S1", data=form | {"booth": "", f"counted-{LOT}": "0"})
        assert answer.headers["location"] == "/festivals/ODOP/parcels/S1"


async def test_a_parcel_that_is_received_shows_so_though_its_pieces_could_not_be_moved(
    others: OtherServices,
) -> None:
    others.pages[f"{PLACE}/shipments/S1"] = an_arrival("sent", shipment="S1", **FROM_TO)
    refusal = {"template": "{booth} is full.", "values": {"booth": "ODOP.B2"}}
    others.outcomes[f"{PLACE}/transfers"] = httpx.Response(409, json=refusal)
    form = {f"counted-{LOT}": "10", "booth": "ODOP.B2", "confirmed": "yes", "transfer": "T2", "command": COMMAND}
    received = an_arrival("received", shipment="S1", **FROM_TO)
    others.then[f"{PLACE}/shipments/S1/receive"] = {f"{PLACE}/shipments/S1": received}
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.post("/festivals/ODOP/parcels/S1", data=form)).text
        assert "ODOP.B2 is full." in page
        assert "Was it counted wrong?" in page


async def test_every_parcel_on_its_way_is_received_as_sent(others: OtherServices) -> None:
    others.pages[f"{PLACE}/shipments"] = [
        an_arrival(status, shipment=name, request="R1", facility="PR-KPG", booth="ODOP.B1")
        for name, status in (("S1", "received"), ("S2", "sent"), ("S3", "sent"))
    ]
    async with a_portal(others) as browser:
        await sign_in(browser)
        shown = seen_of((await browser.get("/festivals/ODOP/parcels")).text, -1)
        await browser.post("/festivals/ODOP/parcels/all", data={"command": COMMAND, "do": "receive", **shown})
        counted = {"booth": "ODOP.B1", "counted": [{"lot": LOT, "qty": 10}]}
        assert given(others) == [("shipments/S2/receive", counted), ("shipments/S3/receive", counted)]


async def test_all_that_is_left_has_come_home(others: OtherServices) -> None:
    for booth, left in zip(others.pages[f"{PLACE}/booths"], (4, 2), strict=True):
        booth["status"] = "settled"
        booth["lots"][0]["left"] = left
    others.pages[f"{PLACE}/booths"][0]["lots"][1]["left"] = 0
    async with a_portal(others) as browser:
        await sign_in(browser)
        shown = seen_of((await browser.get("/festivals/ODOP/close")).text)
        await browser.post("/festivals/ODOP/returns/all", data={"command": COMMAND, **shown})
        assert given(others) == [
            ("returns", {"booth": "ODOP.B1", "lot": LOT, "qty": 4, "final": True}),
            ("returns", {"booth": "ODOP.B2", "lot": LOT, "qty": 2, "final": True}),
        ]


async def test_all_is_what_the_page_has_shown_and_nothing_that_came_later(others: OtherServices) -> None:
    plan, booths = others.pages[f"{PLACE}/requests/R3"], others.pages[f"{PLACE}/booths"]
    first, second, _ = plan["lines"]
    others.pages[f"{PLACE}/shipments"] = [a_parcel("S1"), a_parcel("S2")]
    for booth in booths:
        booth["status"] = "settled"
    async with a_portal(others) as browser:
        await sign_in(browser)
        parcels, close = [(await browser.get(f"/festivals/ODOP/{name}")).text for name in ("parcels", "close")]
        # The one has other pieces now, and the other is gone; a parcel was sent, and one more piece is left.
        plan["lines"] = [{**first, "qty": first["qty"] + 1}, second]
        others.pages[f"{PLACE}/shipments"] += [a_parcel("S3")]
        booths[0]["lots"][0]["left"] += 1
        forms = [
            (
                "parcels",
                {"request": "R3", "facility": first["facility"], "booth": first["booth"], **seen_of(parcels, 0)},
            ),
            ("parcels/all", {"do": "send", **seen_of(parcels, 0)}),
            ("parcels/all", {"do": "receive", **seen_of(parcels, -1)}),
            ("returns/all", seen_of(close)),
        ]
        for place, form in forms:
            await browser.post(f"/festivals/ODOP/{place}", data={**form, "command": COMMAND})
        sent, *received = [(name, body.get("facility"), body["booth"]) for name, body in given(others)][:3]
        assert sent == ("shipments", second["facility"], second["booth"])
        assert [name for name, _, _ in received] == ["shipments/S1/receive", "shipments/S2/receive"]
        returned = [(body["booth"], body["lot"]) for name, body in given(others) if name == "returns"]
        assert returned == [(b["booth"], lot["lot"]) for b in booths for lot in b["lots"] if lot["left"]][1:]
        count = len(others.commands)
        for place in ("parcels/all", "returns/all"):
            answer = await browser.post(f"/festivals/ODOP/{place}", data={"command": COMMAND, "do": "send"})
            assert (answer.status_code, "This has changed since" in answer.text) == (409, True)
        assert len(others.commands) == count


def a_parcel(name: str) -> dict[str, Any]:
    return an_arrival("sent", shipment=name, request="R1", facility="PR-KPG", booth="ODOP.B1")


async def test_papers_name_every_lot_with_its_pieces(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        await sign_in(browser)
        lists = (await browser.get("/festivals/ODOP/parcels/packing-lists")).text
        assert lists.count('class="sheet"') == 3
        assert "Kain tenun ikat" in lists
        sheet = (await browser.get("/festivals/ODOP/parcels/S1/paper?kind=receiving")).text
        assert "Receiving sheet · S1" in sheet
        assert LOT in sheet
        assert "Packing list" in (await browser.get("/festivals/ODOP/parcels/S1/paper")).text


async def test_the_stock_says_what_keeps_pieces_out_of_plans(others: OtherServices) -> None:
    kept_out = [{"rules": ["best_before"], "qty": 2}]
    others.pages["festival/stock"] = [
        {"product": "KTI", "on_hand": 12, "plannable": 10, "facilities": 2, "kept_out": kept_out}
    ]
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/stock")).text
        assert "Of 12 pieces on hand 10 can be planned for this festival." in page
        assert "2: best-before day" in page
        lots = (await browser.get("/festivals/ODOP/stock?product=KTI&day=2026-04-19")).text
        assert others.queries["festival/stock/KTI"].startswith("festival=ODOP&day=2026-04-19")
        assert "too late" in lots


async def test_what_sold_meanwhile_is_not_in_stock_at_the_booth(others: OtherServices) -> None:
    others.pages["sales/booths/ODOP.B1"] |= {
        "lots": [
            {"lot": LOT, "sold": 11, "lost": 0, "unsold": 9},
            {"lot": OTHER_LOT, "sold": 29, "lost": 0, "unsold": 1},
        ]
    }
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/booths/ODOP.B1")).text
        # 8 of the 11 are counted by festival already.
        assert "10 pieces are in stock here." in page
        others.pages["sales/booths"] = [others.pages["sales/booths/ODOP.B1"]]
        assert "2 booths have 10 pieces in stock." in (await browser.get("/festivals/ODOP/booths")).text


async def test_staff_record_what_is_spoilt_at_their_facility(others: OtherServices) -> None:
    others.pages |= facility_pages() | {
        "festival/festivals": [FESTIVAL, {**FESTIVAL, "festival": "OLD", "status": "closed"}]
    }
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/facilities/PR-KPG/losses")).text
        assert 'value="ODOP"' in page
        assert 'value="OLD"' not in page
        form = {"lot": LOT, "qty": "3", "festival": "ODOP", "reason": "basah", "command": COMMAND}
        wrong = await browser.post("/facilities/PR-KPG/losses", data={**form, "qty": "three"})
        assert (wrong.status_code, others.commands) == (422, [])
        answer = await browser.post("/facilities/PR-KPG/losses", data=form)
        assert answer.headers["location"] == "/facilities/PR-KPG"
        body = {"lot": LOT, "place": "facility", "qty": 3, "reason": "basah"}
        assert given(others) == [("losses", body)]


async def test_people_get_roles_and_lost_devices_none(others: OtherServices) -> None:
    devices = [
        {"device": "d-1", "role": "till", "scope": "ODOP.B1", "name": "T1", "enrolled_at": "2026-04-18T02:00:00Z"}
    ]
    others.pages["identity/devices"] = [{**devices[0], "revoked_at": None}]
    code = {"code": "abc", "expires_at": "2026-04-18T02:00:00Z"}
    others.outcomes["identity/invitations"] = httpx.Response(200, json=code)
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/festivals/ODOP/people")).text
        assert "A device is lost or stolen" in page
        grant = {"kind": "grant", "account": " s-2 ", "role": "cashier:ODOP.B1", "command": COMMAND}
        assert (await browser.post("/festivals/ODOP/people", data=grant)).status_code == 303
        assert (await browser.post("/festivals/ODOP/people", data={**grant, "kind": "withdraw"})).status_code == 303
        revoke = {"kind": "revoke", "device": "d-1", "reason": "dicuri"}
        assert (await browser.post("/festivals/ODOP/people", data=revoke)).status_code == 303
        invite = {"kind": "invitation", "role": "cashier", "scope": "ODOP.B1", "hours": "24"}
        assert (await browser.post("/festivals/ODOP/people", data=invite)).status_code == 200
        role = {"role": "cashier", "scope": "ODOP.B1"}
        assert given(others) == [
            ("identity/accounts/s-2/roles/grant", role),
            ("identity/accounts/s-2/roles/withdraw", role),
            ("identity/devices/d-1/revoke", {"reason": "dicuri"}),
            ("identity/invitations", {**role, "hours": 24}),
        ]


async def test_the_catalogue_is_shown_by_kind_and_narrowed(others: OtherServices) -> None:
    retired = {"kind": "product", "code": "OLD", "name": "Lama", "retired_at": "2026-04-18T02:00:00Z"}
    others.pages["production/catalogue"]["entries"].append(retired)
    async with a_portal(others) as browser:
        await sign_in(browser)
        page = (await browser.get("/catalogue")).text
        assert "1 product of 1 facility." in page
        assert "OLD" not in page
        times = (await browser.get("/catalogue?file=lead-times")).text
        assert times.splitlines()[1] == "rote,timor,2"
        narrowed = (await browser.get("/catalogue?category=nothing")).text
        assert "No product fits" in narrowed
