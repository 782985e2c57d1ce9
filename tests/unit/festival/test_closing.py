"""Shipments, booths and the sums: every sent piece is on its way, at the booth, sold, home or lost."""

from datetime import timedelta

import pytest

from services.festival.domain import Booth, Command, Festival, Shipment
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.logistics.shipment import ShipmentStatus
from shared.events.festival import (
    AnnounceFestival,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    CommandRefusal,
    CommandRefused,
    CountedLot,
    Discrepancy,
    FestivalAnnounced,
    FestivalClosed,
    LossPlace,
    LotWithdrawn,
    Price,
    ReceiveShipment,
    RecordLoss,
    ShipmentReceived,
    ShipmentSent,
)
from shared.events.inventory import LossRecorded, OrderRefusal, ReturnReceived, StockOrderRefused
from shared.events.language import Body
from tests.support.builders.festival import (
    B1,
    B2,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_receipt,
    a_request,
    a_return,
    a_sell_through,
    a_shipment,
    a_world,
    an_announcement,
    kinds,
    product_codes,
)


def a_sent_shipment() -> FestivalWorld:
    """Ten pieces of LA and four of LB are on their way to B1 as S1."""
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 4, product="KRJ")
    world.give(a_request((B1, "KTI", 10), (B1, "KRJ", 4)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    return world


def a_closing_booth(counted: int = 10) -> FestivalWorld:
    """`counted` pieces of LA came to B1, none of LB; the festival is closing."""
    world = a_sent_shipment()
    world.give(a_receipt(LA=counted))
    world.give(a_closing())
    world.give(a_sell_through(B2))
    return world


def a_loss(place: LossPlace, qty: int, lot: str = "LA", booth: str | None = None) -> RecordLoss:
    return RecordLoss(festival=ODOP, lot=lot, place=place, booth=booth, qty=qty)


def test_announced_and_opened() -> None:
    world = FestivalWorld()
    assert kinds(world.give(an_announcement())) == ["FestivalAnnounced"]
    [opened] = world.give(a_booth())
    assert isinstance(opened, BoothOpened)
    assert opened.tills == (f"{B1}.T1",)
    assert world.one(Festival, ODOP).status is FestivalStatus.OPEN
    assert len(world.bodies(FestivalAnnounced)) == 1


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({}, "festival", CommandRefusal.ALREADY_EXISTS),
        ({"festival": "a.b"}, "festival", CommandRefusal.BAD_NAME),
        ({"festival": "a/b"}, "festival", CommandRefusal.BAD_NAME),
        ({"festival": "NEW", "name": " "}, "name", CommandRefusal.MISSING),
        ({"festival": "NEW", "place": ""}, "place", CommandRefusal.MISSING),
        ({"festival": "NEW", "zone": "Mars/Olympus"}, "zone", CommandRefusal.BAD_NAME),
        ({"festival": "NEW", "last_day": NOON.date() - timedelta(days=1)}, "last_day", CommandRefusal.WRONG_DAYS),
    ],
)
def test_a_wrong_announcement(changed: dict[str, object], field: str, reason: CommandRefusal) -> None:
    body: AnnounceFestival = an_announcement(**changed)  # type: ignore[arg-type]
    assert a_world().refusal(body) == (field, reason)


def test_another_festivals_booth_is_refused_by_its_name_whether_it_is_there_or_not() -> None:
    world = a_world()
    world.give(an_announcement(festival="OTHER"))
    world.give(a_booth("OTHER.B1", festival="OTHER"))
    assert world.refusal(a_booth("OTHER.B1", festival=ODOP)) == ("booth", CommandRefusal.BAD_NAME)


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (a_booth(B1), "booth", CommandRefusal.ALREADY_EXISTS),
        (a_booth("OTHER.B1", festival=ODOP), "booth", CommandRefusal.BAD_NAME),
        (a_booth("ODOP.B/1", festival=ODOP), "booth", CommandRefusal.BAD_NAME),
        (a_booth("ODOP.B3", prices=()), "prices", CommandRefusal.NO_PRICE),
        (a_booth("ODOP.B3", "KTI", "KTI"), "prices", CommandRefusal.NAMED_TWICE),
        (a_booth("ODOP.B3", tills=()), "tills", CommandRefusal.MISSING),
        (a_booth("ODOP.B3", tills=("T1", "T1")), "tills", CommandRefusal.NAMED_TWICE),
        (a_booth("ODOP.B3", tills=tuple(f"T{n}" for n in range(51))), "tills", CommandRefusal.TOO_MANY),
        (
            a_booth("ODOP.B3", prices=tuple(Price(product=code, price_rupiah=1) for code in product_codes(501))),
            "prices",
            CommandRefusal.TOO_MANY,
        ),
        (a_booth("NONE.B1"), "festival", CommandRefusal.UNKNOWN_FESTIVAL),
    ],
)
def test_a_wrong_booth(body: Body, field: str, reason: CommandRefusal) -> None:
    assert a_world().refusal(body) == (field, reason)


def test_a_shipment_is_sent_when_every_piece_has_left() -> None:
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 4, product="KRJ")
    world.give(a_request((B1, "KTI", 10), (B1, "KRJ", 4)))
    world.settle()
    world.give(a_shipment())
    world.carry_out("LA")
    assert world.hear("LA") == []
    assert world.refusal(a_receipt(LA=10)) == ("shipment", CommandRefusal.WRONG_STATE)
    assert world.refusal(a_closing()) == ("festival", CommandRefusal.WRONG_STATE)
    world.carry_out("LB")
    answer = world.answers["LB"][0]
    [sent] = world.hear("LB")
    assert world.give(answer) == []
    assert isinstance(sent, ShipmentSent)
    assert sent.lots == (CountedLot(lot="LA", qty=10), CountedLot(lot="LB", qty=4))
    assert [lot.in_transit for lot in world.one(Booth, B1).lots] == [10, 4]


def test_what_a_recall_took_drops_out_of_the_shipment() -> None:
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 4, product="KRJ")
    world.give(a_request((B1, "KTI", 10), (B1, "KRJ", 4)))
    world.settle()
    world.recall("LA")
    world.give(a_shipment())
    world.settle()
    [sent] = world.bodies(ShipmentSent)
    assert sent.lots == (CountedLot(lot="LB", qty=4),)


def test_a_shipment_of_which_nothing_can_leave_is_dropped() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.recall("LA")
    world.give(a_shipment())
    world.settle()
    assert "ShipmentDropped" in kinds(world.published)
    assert world.one(Shipment, "ODOP/S1").status is ShipmentStatus.DROPPED
    assert world.refusal(a_receipt()) == ("shipment", CommandRefusal.WRONG_STATE)


def test_what_was_counted_is_stocked_and_what_is_missing_is_lost_on_the_way() -> None:
    world = a_sent_shipment()
    bodies = world.give(a_receipt(LA=12))
    [received] = [body for body in bodies if isinstance(body, ShipmentReceived)]
    assert received.lots == (CountedLot(lot="LA", qty=10), CountedLot(lot="LB", qty=0))
    assert received.discrepancies == (
        Discrepancy(lot="LA", sent=10, counted=12),
        Discrepancy(lot="LB", sent=4, counted=0),
    )
    [stocked] = [body for body in bodies if isinstance(body, BoothStocked)]
    assert (stocked.lot, stocked.qty, stocked.product, stocked.facility) == ("LA", 10, "KTI", "LP-AAA")
    assert [(lot.received, lot.lost_on_the_way) for lot in world.one(Booth, B1).lots] == [(10, 0), (0, 4)]


def test_a_recalled_lot_is_withdrawn_at_the_booth_and_again_when_more_of_it_comes() -> None:
    world = a_sent_shipment()
    world.recall("LA")
    world.settle()
    assert [body.booth for body in world.bodies(LotWithdrawn)] == [B1]
    bodies = world.give(a_receipt(LA=10, LB=4))
    assert kinds(bodies) == ["ShipmentReceived", "BoothStocked", "LotWithdrawn", "BoothStocked"]


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (a_shipment("S1"), "shipment", CommandRefusal.ALREADY_EXISTS),
        (a_shipment("S/2"), "shipment", CommandRefusal.BAD_NAME),
        (a_shipment("S2", request="R9"), "request", CommandRefusal.UNKNOWN_REQUEST),
        (a_shipment("S2", booth="ODOP.B9"), "booth", CommandRefusal.UNKNOWN_BOOTH),
        (a_shipment("S2"), "facility", CommandRefusal.NOTHING_TO_SEND),
        (a_receipt("S9"), "shipment", CommandRefusal.UNKNOWN_SHIPMENT),
        (a_receipt("S1", booth=B2), "booth", CommandRefusal.UNKNOWN_SHIPMENT),
        (
            ReceiveShipment(festival=ODOP, shipment="S1", booth=B1, counted=(CountedLot(lot="LA", qty=1),) * 2),
            "counted",
            CommandRefusal.NAMED_TWICE,
        ),
        (a_return("LA", 1), "booth", CommandRefusal.WRONG_STATE),
        (a_return("LX", 1), "lot", CommandRefusal.UNKNOWN_LOT),
        (a_return("LA", 1, "ODOP.B9"), "booth", CommandRefusal.UNKNOWN_BOOTH),
        (a_loss(LossPlace.BOOTH, 1), "booth", CommandRefusal.MISSING),
        (a_loss(LossPlace.BOOTH, 1, booth=B1), "qty", CommandRefusal.TOO_MANY),
        (a_closing(), "festival", CommandRefusal.WRONG_STATE),
        (a_closing(till_hours=721), "till_hours", CommandRefusal.OUT_OF_RANGE),
    ],
)
def test_wrong_while_a_shipment_is_on_its_way(body: Body, field: str, reason: CommandRefusal) -> None:
    assert a_sent_shipment().refusal(body) == (field, reason)


def test_a_shipment_is_received_once() -> None:
    world = a_sent_shipment()
    world.give(a_receipt(LA=10))
    assert world.refusal(a_receipt(LA=10)) == ("shipment", CommandRefusal.WRONG_STATE)


def test_a_loss_at_the_booth_is_told_to_sales_and_is_never_more_than_there_was() -> None:
    world = a_sent_shipment()
    world.give(a_receipt(LA=10))
    assert world.give(a_loss(LossPlace.BOOTH, 7, booth=B1)) == [BoothStockLost(booth=B1, lot="LA", qty=7)]
    assert world.refusal(a_loss(LossPlace.BOOTH, 4, booth=B1)) == ("qty", CommandRefusal.TOO_MANY)


def test_a_loss_at_the_facility_waits_for_inventory() -> None:
    world = a_world()
    world.make("LA", 3)
    for qty, outcome in ((2, CommandStatus.DONE), (2, CommandStatus.REFUSED)):
        id = world.next_id()
        assert world.give(a_loss(LossPlace.FACILITY, qty), id) == [
            LossRecorded(lot="LA", order=id, festival=ODOP, qty=qty)
        ]
        assert world.one(Command, id).outcome is CommandStatus.WAITING
        world.settle()
        assert world.one(Command, id).outcome is outcome
    assert world.lots["LA"].written_off == 2


def test_closing_gives_every_booth_a_deadline_and_takes_back_what_is_not_sent() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    bodies = world.give(a_closing(till_hours=5))
    assert kinds(bodies) == ["ReleaseRequested", "BoothClosing", "BoothClosing"]
    assert [body.deadline for body in world.bodies(BoothClosing)] == [NOON + timedelta(hours=5)] * 2
    world.settle()
    assert world.lots["LA"].on_hand == 10
    assert world.refusal(a_closing()) == ("festival", CommandRefusal.WRONG_STATE)
    assert world.refusal(a_booth("ODOP.B3")) == ("festival", CommandRefusal.WRONG_STATE)
    assert world.refusal(a_shipment()) == ("booth", CommandRefusal.WRONG_STATE)


def test_a_festival_without_booths_is_closed_at_once() -> None:
    world = FestivalWorld()
    world.give(an_announcement())
    assert kinds(world.give(a_closing())) == ["FestivalClosed"]


def test_when_all_is_sold_nothing_needs_to_come_home() -> None:
    world = a_closing_booth()
    [closed] = world.give(a_sell_through(LA=10))
    assert closed == FestivalClosed(
        festival=ODOP, received=10, sold=10, returned=0, lost=0, lost_on_the_way=4, revision=1
    )


def test_unsold_pieces_come_home_as_counted_and_the_rest_is_lost() -> None:
    world = a_closing_booth()
    assert world.give(a_sell_through(LA=6)) == []
    id = world.next_id()
    order = ReturnReceived(lot="LA", order=id, festival=ODOP, booth=B1, qty=3)
    assert world.give(a_return("LA", 3), id) == [order]
    assert world.one(Command, id).outcome is CommandStatus.WAITING
    world.settle()
    assert world.one(Command, id).outcome is CommandStatus.DONE
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned, closed.lost) == (10, 6, 3, 1)
    assert world.lots["LA"].returned == 3


def test_returns_may_come_in_parts_until_one_is_final() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=6))
    world.give(a_return("LA", 1, final=False))
    world.settle()
    assert not world.bodies(FestivalClosed)
    world.give(a_return("LA", 3, final=False))
    world.settle()
    assert [body.returned for body in world.bodies(FestivalClosed)] == [4]


def test_nothing_came_home_is_an_answer_too() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=6))
    assert kinds(world.give(a_return("LA", 0))) == ["FestivalClosed"]


def test_pieces_that_were_sold_can_not_come_home() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=8))
    assert world.refusal(a_return("LA", 3)) == ("qty", CommandRefusal.TOO_MANY)
    message = world.bodies(CommandRefused)[-1].message
    assert "At most 2 pieces of KTI can still come home from ODOP.B1, not 3" in message
    world.give(a_return("LA", 2))
    world.settle()
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned, closed.lost, closed.surplus) == (10, 8, 2, 0, 0)
    assert world.refusal(a_return("LA", 1)) == ("qty", CommandRefusal.TOO_MANY)


def of_three_facilities() -> FestivalWorld:
    """A closing booth received 20 of one product: 5 of L1, 5 of L2 and 10 of L3."""
    world = a_world()
    for lot, facility, qty in (("L1", "LA-KPG", 5), ("L2", "LP-ATB", 5), ("L3", "LP-KPG", 10)):
        world.make(lot, qty, facility=facility)
    world.give(a_request((B1, "KTI", 20)))
    world.settle()
    for number, facility in enumerate(("LA-KPG", "LP-ATB", "LP-KPG")):
        world.give(a_shipment(f"S{number}", facility))
    world.settle()
    for number, qty in enumerate((5, 5, 10)):
        world.give(a_receipt(f"S{number}", **{f"L{number + 1}": qty}))
    world.give(a_closing())
    world.give(a_sell_through(B2))
    return world


def test_no_more_of_a_product_comes_home_than_was_not_sold_whichever_lots_it_is_of() -> None:
    world = of_three_facilities()
    world.give(a_sell_through(L1=5, L2=5, L3=5))
    # The labels show that pieces of L1 are left too: unlabelled sales of L3 were booked on it.
    world.give(a_return("L1", 2, final=False))
    assert world.refusal(a_return("L3", 4)) == ("qty", CommandRefusal.TOO_MANY)
    world.give(a_return("L3", 3, final=False))
    world.settle()
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned, closed.lost, closed.surplus) == (20, 15, 5, 0, 0)
    assert world.refusal(a_return("L2", 1)) == ("qty", CommandRefusal.TOO_MANY)


def test_of_one_lot_no_more_comes_home_than_was_received_of_it() -> None:
    world = of_three_facilities()
    world.give(a_sell_through())
    assert world.refusal(a_return("L1", 6)) == ("qty", CommandRefusal.TOO_MANY)


def test_what_was_lost_may_be_found_and_come_home() -> None:
    world = a_sent_shipment()
    world.give(a_receipt(LA=10))
    world.give(a_loss(LossPlace.BOOTH, 3, booth=B1))
    world.give(a_closing())
    world.give(a_sell_through(B2))
    world.give(a_sell_through(LA=4))
    assert world.refusal(a_return("LA", 7)) == ("qty", CommandRefusal.TOO_MANY)
    world.give(a_return("LA", 6))
    world.settle()
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned, closed.lost, closed.surplus) == (10, 4, 6, 3, 3)


def test_a_late_sale_of_what_came_home_shows_as_surplus() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=6))
    world.give(a_return("LA", 4))
    world.settle()
    world.give(a_sell_through(LA=7, revision=2))
    assert [body.surplus for body in world.bodies(FestivalClosed)] == [0, 1]


def test_what_was_lost_at_the_booth_counts_as_lost() -> None:
    world = a_sent_shipment()
    world.give(a_receipt(LA=10))
    world.give(a_loss(LossPlace.BOOTH, 3, booth=B1))
    world.give(a_closing())
    world.give(a_sell_through(B2))
    [closed] = world.give(a_sell_through(LA=7))
    assert isinstance(closed, FestivalClosed)
    assert (closed.sold, closed.lost) == (7, 3)
    assert world.refusal(a_loss(LossPlace.BOOTH, 1, booth=B1)) == ("booth", CommandRefusal.WRONG_STATE)


def test_a_late_sale_after_closing_turns_a_loss_into_a_sale() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=6))
    world.give(a_return("LA", 3))
    world.settle()
    world.give(a_sell_through(LA=7, revision=2))
    first, second = world.bodies(FestivalClosed)
    assert (first.sold, first.lost, first.revision) == (6, 1, 1)
    assert (second.sold, second.lost, second.revision) == (7, 0, 2)
    assert world.give(a_sell_through(LA=5, revision=1)) == []


def test_a_void_after_closing_opens_the_sums_again() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=10))
    assert world.one(Festival, ODOP).status is FestivalStatus.CLOSED
    world.give(a_sell_through(LA=9, revision=2))
    assert world.one(Festival, ODOP).status is FestivalStatus.CLOSING
    world.give(a_return("LA", 1))
    world.settle()
    assert [(body.sold, body.returned) for body in world.bodies(FestivalClosed)] == [(10, 0), (9, 1)]


def test_a_sale_of_a_lot_that_never_came_shows_as_surplus() -> None:
    world = a_closing_booth()
    [closed] = world.give(a_sell_through(LA=10, LZ=2))
    assert isinstance(closed, FestivalClosed)
    assert (closed.received, closed.sold, closed.surplus) == (10, 12, 2)


def test_a_return_that_inventory_refuses_is_taken_back() -> None:
    world = a_closing_booth()
    world.give(a_sell_through(LA=6))
    id = world.next_id()
    world.give(a_return("LA", 4), id)
    world.orders.clear()
    refused = StockOrderRefused(festival=ODOP, order=id, lot="LA", reason=OrderRefusal.MORE_THAN_SENT, on_hand=0)
    assert kinds(world.give(refused)) == ["CommandRefused"]
    assert world.one(Command, id).outcome is CommandStatus.REFUSED
    booth_lot = world.one(Booth, B1).find_lot("LA")
    assert booth_lot is not None
    assert (booth_lot.returning, booth_lot.final) == (0, False)


def test_answers_to_what_nobody_asked_change_nothing() -> None:
    world = a_world()
    refused = StockOrderRefused(festival=ODOP, order="ODOP/R7.1", lot="LA", reason=OrderRefusal.RECALLED, on_hand=0)
    assert world.give(refused) == []
    assert world.give(a_sell_through("ODOP.B9", LA=1)) == []
    assert world.give(a_sell_through("NONE.B1", LA=1)) == []


def test_a_count_before_closing_settles_nothing() -> None:
    world = a_sent_shipment()
    world.give(a_sell_through())
    assert world.one(Booth, B1).status is BoothStatus.OPEN
