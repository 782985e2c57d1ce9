"""Festival's HTTP API without servers: the schemas of its commands, and the pages of its entities."""

import json
from datetime import date
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from services.festival.api.commands import ENDPOINTS
from services.festival.api.goods import ShipmentPage
from services.festival.api.pages import BoothPage, RequestPage
from services.festival.domain import Booth, Festival, Shipment
from services.festival.store import BOOTHS, FESTIVALS
from shared.events.festival import ORGANISER, AnnounceFestival, OpenBooth, RequestAllocation, ResolveDispute
from shared.http.command_handler import CommandHandler
from shared.http.commands import parse_command
from shared.http.endpoints import body_openapi
from shared.runtime.processor import Collection
from tests.support.builders.festival import (
    B1,
    FestivalWorld,
    a_closing,
    a_receipt,
    a_request,
    a_sell_through,
    a_shipment,
    a_world,
)

DAYS = {"first_day": "2026-04-18", "last_day": "2026-04-20"}
ANNOUNCED = {"festival": "ODOP", "name": "One Day", "place": "Kupang", "zone": "Asia/Makassar", **DAYS}


def a_post(body: Any, **path: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [], "path_params": path}, receive)


async def places(body: Any, model: type[Any], **path: str) -> list[tuple[Any, ...]]:
    with pytest.raises(RequestValidationError) as raised:
        await parse_command(a_post(body, **path), model)
    return [tuple(error["loc"]) for error in raised.value.errors()]


def test_every_command_has_its_place() -> None:
    assert {endpoint.body for endpoint in ENDPOINTS} == set(ORGANISER.bodies)
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ORGANISER.bodies)


async def test_dates_and_lists_of_json_become_those_of_the_model() -> None:
    announced = await parse_command(a_post(ANNOUNCED), AnnounceFestival)
    assert announced.first_day == date(2026, 4, 18)
    prices = [{"product": "KTI", "price_rupiah": 1}]
    body = {"booth": "ODOP.B1", "name": "B", "prices": prices, "tills": ["T1"]}
    opened = await parse_command(a_post(body, festival="ODOP"), OpenBooth)
    assert (opened.festival, opened.prices[0].product, opened.tills) == ("ODOP", "KTI", ("T1",))


async def test_the_path_says_what_the_body_leaves_out() -> None:
    body = {"booth": "ODOP.B1", "outcome": "accepted"}
    resolved = await parse_command(a_post(body, festival="ODOP", sale="t1/9"), ResolveDispute)
    assert (resolved.festival, resolved.sale) == ("ODOP", "t1/9")
    assert await places(body | {"sale": "t1/8"}, ResolveDispute, festival="ODOP", sale="t1/9") == [("body", "sale")]


async def test_a_name_that_can_not_be_is_told_in_words_and_not_as_a_pattern() -> None:
    with pytest.raises(RequestValidationError) as raised:
        await parse_command(a_post(ANNOUNCED | {"festival": "pekan raya"}), AnnounceFestival)
    [error] = raised.value.errors()
    assert error["msg"].startswith("It has at most 120 letters, digits")


@pytest.mark.parametrize("wrong", ["18 April", 20_561, "2026-04-18T10:00:00Z", None, True])
async def test_what_is_no_date_is_named(wrong: object) -> None:
    assert await places(ANNOUNCED | {"first_day": wrong}, AnnounceFestival) == [("body", "first_day")]


@pytest.mark.parametrize("qty", ["5", 5.5, 0, -1, True, 10**30])
async def test_what_is_no_number_of_pieces_is_named(qty: object) -> None:
    body = {"request": "R1", "demands": [{"booth": "ODOP.B1", "product": "KTI", "qty": qty}]}
    assert await places(body, RequestAllocation, festival="ODOP") == [("body", "demands", 0, "qty")]


async def test_a_field_that_does_not_exist_is_no_way_to_say_something() -> None:
    body = {"request": "R1", "demands": [], "hold_hour": 5}
    assert await places(body, RequestAllocation, festival="ODOP") == [("body", "hold_hour")]


@pytest.mark.parametrize("raw", [b"{", b"[]", b"7", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 5000])
async def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    assert await places(raw, RequestAllocation, festival="ODOP") == [("body",)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.body.__name__)
def test_the_document_for_clients_stands_alone(endpoint: CommandHandler) -> None:
    described = body_openapi(endpoint.path, endpoint.body)
    assert '"$' not in json.dumps(described)
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    named = {parameter["name"] for parameter in described["parameters"]}
    assert named | set(schema["properties"]) == set(endpoint.body.model_fields)


def a_sent_world() -> FestivalWorld:
    world = a_world()
    world.make("LA", 3, facility="LP-AAA")
    world.make("LB", 9, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 14)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    return world


def test_a_request_shows_plan_reasons_and_what_is_short() -> None:
    page = RequestPage.of(a_sent_world().request())
    assert (page.request, page.status, page.asked, page.held, page.short) == ("R1", "settled", 14, 12, 2)
    assert {(line.lot, line.status) for line in page.lines} == {("LA", "dispatched"), ("LB", "reserved")}
    assert [(share.facility, share.offered, share.allocated, share.held) for share in page.shares] == [
        ("LP-AAA", 3, 3, 3),
        ("LP-BBB", 9, 9, 9),
    ]
    assert all(share.reason for share in page.shares)
    assert [(shortfall.booth, shortfall.short) for shortfall in page.shortfalls] == [(B1, 2)]


def test_a_share_is_what_the_latest_plan_said_and_what_is_held_of_it() -> None:
    world = a_world()
    world.make("LA", 6, facility="LP-AAA")
    world.make("LB", 6, facility="LP-BBB")
    world.take("LA", 6)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    shares = {share.facility: share for share in RequestPage.of(world.request()).shares}
    # LP-AAA had no stock left, so a second plan asked LP-BBB for the rest.
    assert (shares["LP-AAA"].allocated, shares["LP-AAA"].held) == (3, 0)
    assert (shares["LP-BBB"].allocated, shares["LP-BBB"].held) == (6, 6)


def test_lines_shares_and_shortfalls_have_a_reason_in_both_languages() -> None:
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 9)))
    page = RequestPage.of(world.request())
    [line], [share], [short] = page.lines, page.shares, page.shortfalls
    assert line.reason == "Only LP-AAA offers KTI; LA is its only lot of it."
    assert line.reason_id == "Hanya LP-AAA yang menawarkan KTI; LA satu-satunya lot produk itu."
    assert share.reason_id == "Semua 4 buah yang dapat ditawarkannya dari yang diminta terpakai."
    assert (short.rules, short.short) == (["stock"], 5)
    assert short.reason == f"{B1} lacks 5 of 9 pieces of KTI: all 4 pieces that can be had are given out."
    assert short.reason_id == f"{B1} kekurangan 5 dari 9 KTI: semua 4 buah yang ada sudah dibagikan."


def shorts(world: FestivalWorld) -> list[tuple[int, list[str], str]]:
    return [
        (shortfall.short, shortfall.rules, shortfall.reason)
        for shortfall in RequestPage.of(world.request()).shortfalls
    ]


def test_what_stays_short_after_a_refusal_is_said_of_the_whole_demand() -> None:
    world = a_world()
    world.make("LA", 4)
    world.make("LB", 16, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 20)))
    world.make("LC", 3, facility="LP-CCC")
    world.take("LA", 4)
    world.settle()
    sentence = f"{B1} lacks 1 of 20 pieces of KTI: all 3 pieces that can be had are given out."
    assert shorts(world) == [(1, ["stock"], sentence)]


def test_refused_lines_of_one_demand_are_said_of_together() -> None:
    world = a_world()
    for n in (1, 2):
        world.make(f"L{n}", 4, facility=f"LP-{n}")
    world.give(a_request((B1, "KTI", 8)))
    for n in (1, 2):
        world.take(f"L{n}", n)
    world.settle()
    [(short, rules, sentence)] = shorts(world)
    assert (short, rules) == (3, ["stock"])
    assert sentence.startswith(f"{B1} lacks 3 of 8 pieces of KTI: ")


def test_a_refused_line_for_which_nothing_is_found_has_a_reason_too() -> None:
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 4)))
    world.take("LA", 4)
    world.settle()
    [short] = RequestPage.of(world.request()).shortfalls
    assert short.rules == ["stock"]
    assert short.reason == (
        f"{B1} lacks 4 of 4 pieces of KTI: inventory had no more of what was planned, "
        "and nothing else can be planned."
    )
    assert short.reason_id == (
        f"{B1} kekurangan 4 dari 4 KTI: persediaan yang direncanakan sudah habis, dan tidak ada yang lain yang dapat "
        "direncanakan."
    )


def test_what_was_written_before_booths_had_rules_is_read() -> None:
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 4)))
    booth = next(booth for booth in world.all(Booth) if booth.id == B1)
    new: list[tuple[Collection, Any, tuple[str, ...]]] = [
        (BOOTHS, booth, ("capacity", "limits")),
        (FESTIVALS, world.all(Festival)[0], ("lead_days", "weights")),
    ]
    for collection, entity, fields in new:
        document = {"_id": entity.id, **collection.to_document(entity)}
        for field in fields:
            del document[field]
        for row in document.get("prices", ()):
            row.pop("category", None)
        read = collection.from_document(document)
        assert all(not getattr(read, field) for field in fields)
        assert read.id == entity.id


def test_a_shipment_shows_what_was_counted_once_it_was() -> None:
    world = a_sent_world()
    [lot] = ShipmentPage.of(world.one(Shipment, "ODOP/S1")).lots
    assert (lot.lot, lot.sent, lot.counted) == ("LA", 3, None)
    world.give(a_receipt())
    [lot] = ShipmentPage.of(world.one(Shipment, "ODOP/S1")).lots
    assert (lot.sent, lot.counted) == (3, 0)


def test_a_booth_shows_lots_that_it_never_received() -> None:
    world = a_sent_world()
    world.give(a_receipt(LA=3))
    world.give(a_closing())
    world.give(a_sell_through(LA=2, LX=1))
    page = BoothPage.of(world.one(Booth, B1))
    assert [(lot.lot, lot.facility, lot.sold, lot.left, lot.surplus) for lot in page.lots] == [
        ("LA", "LP-AAA", 2, 1, 0),
        ("LX", None, 1, 0, 1),
    ]
    assert (page.status, page.accounted) == ("settled", False)
