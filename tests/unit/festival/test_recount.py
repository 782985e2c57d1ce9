"""Counts that are taken back: nothing is lost by a typing error, and every piece keeps its place in the sums."""

from datetime import date

import pytest

from services.festival.api.goods import ShipmentPage
from services.festival.domain import Booth, Command, Festival, Shipment, Transfer
from services.festival.domain.allocation.request import shortfalls
from services.festival.domain.booth_lot import Account, BoothLot
from services.festival.domain.command import CommandStatus
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.line import LineStatus
from shared.events.festival import (
    AllocationRevised,
    BoothStocked,
    CommandRefusal,
    CommandRefused,
    CountedLot,
    Discrepancy,
    FestivalClosed,
    LotRecounted,
    LotWithdrawn,
    ShipmentReceived,
    ShipmentRecounted,
    Surplus,
    TransferReceived,
    TransferRecounted,
)
from shared.events.inventory import OrderRefusal, ReturnRecounted, StockOrderRefused, SurplusCounted
from shared.events.language import Body
from shared.events.lot_number import LotNumber
from tests.support.builders.festival import (
    B1,
    B2,
    ODOP,
    FestivalWorld,
    a_booth_closing,
    a_closing,
    a_receipt,
    a_recount,
    a_report,
    a_request,
    a_return,
    a_return_recount,
    a_revision,
    a_sell_through,
    a_shipment,
    a_transfer,
    a_transfer_recount,
    a_world,
    an_accept,
    an_arrival,
    kinds,
)

# Numbers with a right check character, of lots that no plan of these tests has.
FOREIGN = str(LotNumber("LP-BBB", "KUE", date(2023, 4, 2), 7))


def a_sent_world(qty: int = 40, **changed: object) -> FestivalWorld:
    """`qty` pieces of LA and four of LB are on their way to B1 as S1."""
    world = a_world()
    world.make("LA", qty)
    world.make("LB", 4, product="KRJ")
    world.give(a_request((B1, "KTI", qty), (B1, "KRJ", 4), **changed))
    world.settle()
    world.give(a_shipment())
    world.settle()
    return world


def a_received_world(qty: int = 40, counted: int = 4) -> FestivalWorld:
    """`counted` of the `qty` pieces of LA were counted, and all four of LB."""
    world = a_sent_world(qty)
    world.give(a_receipt(LA=counted, LB=4))
    return world


def held(world: FestivalWorld, lot: str = "LA", booth: str = B1) -> BoothLot:
    held_lot = world.one(Booth, booth).find_lot(lot)
    assert held_lot is not None
    return held_lot


def account(world: FestivalWorld, lot: str = "LA", booth: str = B1) -> Account:
    return world.one(Booth, booth).accounts()[lot]


# Receiving.


@pytest.mark.parametrize("lot", ["LP-WKB-PLP-261129-001-X", FOREIGN, "LZ"])
def test_a_lot_that_the_shipment_did_not_have_is_refused(lot: str) -> None:
    world = a_sent_world()
    assert world.refusal(a_receipt(**{lot: 2})) == ("counted", CommandRefusal.UNKNOWN_LOT)
    message = world.bodies(CommandRefused)[-1].message
    assert f"There is no lot {lot} in S1: it has LA=40, LB=4." in message
    assert ("is no lot number" in message) == (lot != FOREIGN)
    world.give(a_transfer_of(world))
    assert world.refusal(an_arrival(**{lot: 2})) == ("counted", CommandRefusal.UNKNOWN_LOT)


def a_transfer_of(world: FestivalWorld) -> Body:
    world.give(a_receipt(LA=40, LB=4))
    return a_transfer(LA=10, LB=2)


def test_losing_what_was_not_named_needs_a_yes_that_names_it() -> None:
    world = a_sent_world()
    assert world.refusal(a_receipt(LA=40, lose_unnamed=False)) == ("lose_unnamed", CommandRefusal.MISSING)
    message = world.bodies(CommandRefused)[-1].message
    assert "Not counted of S1: LB=4." in message
    assert "`--yes`" in message
    world.give(a_receipt(LA=40, lose_unnamed=True))
    assert held(world, "LB").lost_on_the_way == 4


def test_a_whole_count_needs_no_yes() -> None:
    world = a_sent_world()
    assert "ShipmentReceived" in kinds(world.give(a_receipt(LA=40, LB=0, lose_unnamed=False)))
    world.give(a_transfer(LA=10))
    assert world.refusal(an_arrival(lose_unnamed=False)) == ("lose_unnamed", CommandRefusal.MISSING)
    assert kinds(world.give(an_arrival(LA=9, lose_unnamed=False))) == ["TransferReceived", "BoothStocked"]


def test_pieces_beyond_those_sent_are_shown_and_not_stocked() -> None:
    world = a_received_world(20, 25)
    [received] = world.bodies(ShipmentReceived)
    assert received.discrepancies == (Discrepancy(lot="LA", sent=20, counted=25),)
    assert received.lots == (CountedLot(lot="LA", qty=20), CountedLot(lot="LB", qty=4))
    [lot, _] = ShipmentPage.of(world.one(Shipment, "ODOP/S1")).lots
    assert (lot.sent, lot.counted, lot.stocked, lot.lost, lot.surplus) == (20, 25, 20, 0, 5)


def test_goods_at_the_wrong_booth_are_received_as_sent_then_transferred() -> None:
    world = a_sent_world()
    assert world.refusal(a_receipt(booth=B2, LA=40)) == ("booth", CommandRefusal.UNKNOWN_SHIPMENT)
    way_out = f"receive them at {B1} as sent, then transfer them from {B1} to {B2}"
    assert way_out in world.bodies(CommandRefused)[-1].message
    world.give(a_receipt(LA=40, LB=4))
    world.give(a_transfer(LA=40, LB=4))
    assert world.refusal(an_arrival(booth=B1, LA=40)) == ("booth", CommandRefusal.UNKNOWN_TRANSFER)


# Recounts of shipments.


def test_what_was_lost_by_a_typing_error_is_found_again() -> None:
    world = a_received_world()
    assert (held(world).received, held(world).lost_on_the_way) == (4, 36)
    [recounted, stock] = world.give(a_recount(LA=40))
    assert recounted == ShipmentRecounted(
        festival=ODOP,
        shipment="S1",
        booth=B1,
        revision=1,
        lots=(CountedLot(lot="LA", qty=40), CountedLot(lot="LB", qty=4)),
        discrepancies=(),
    )
    assert isinstance(stock, LotRecounted)
    assert (stock.lot, stock.qty, stock.revision, stock.facility, stock.product) == ("LA", 40, 1, "LP-AAA", "KTI")
    assert (held(world).received, held(world).lost_on_the_way, held(world).found) == (40, 0, 0)
    assert sum(line.lost for line in world.request().lines) == 0
    assert world.request().lost == 0


def test_the_whole_count_at_the_booth_is_told_not_only_that_of_the_shipment() -> None:
    world = a_received_world()
    world.make("LA2", 5)
    world.give(a_request((B1, "KTI", 5), request="R2"))
    world.settle()
    world.give(a_shipment("S2", request="R2"))
    world.settle()
    world.give(a_receipt("S2", LA2=5))
    world.give(a_transfer(LA=2))
    world.give(an_arrival(LA=2))
    world.give(a_transfer("T2", B2, B1, LA=1))
    world.give(an_arrival("T2", B1, LA=1))
    [stock] = [body for body in world.give(a_recount(LA=38)) if isinstance(body, LotRecounted)]
    # 38 of the shipment, and one that came back.
    assert (stock.lot, stock.qty) == ("LA", 39)
    [recount] = [body for body in world.give(a_recount(LA=40)) if isinstance(body, LotRecounted)]
    assert (recount.qty, recount.revision) == (41, 2)


def test_a_surplus_is_booked_by_a_recount_and_inventory_lets_it_come_home() -> None:
    world = a_received_world(20, 25)
    bodies = world.give(a_recount(LA=25), "r")
    assert kinds(bodies) == ["ShipmentRecounted", "LotRecounted", "SurplusCounted"]
    assert bodies[-1] == SurplusCounted(lot="LA", order="r", festival=ODOP, booth=B1, qty=5, shipment="S1")
    assert (held(world).received, held(world).found, held(world).lost_on_the_way) == (25, 5, 0)
    world.settle()
    assert world.lots["LA"].found == 5
    world.give(a_closing())
    world.give(a_sell_through(LA=2, LB=4))
    world.give(a_sell_through(B2))
    world.give(a_return("LA", 23))
    world.settle()
    assert (world.lots["LA"].returned, world.lots["LA"].on_hand, world.lots["LA"].away) == (23, 23, 2)
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned, closed.lost, closed.found) == (29, 6, 23, 0, 5)


def test_a_surplus_may_be_taken_back() -> None:
    world = a_received_world(20, 25)
    world.give(a_recount(LA=25))
    world.give(a_recount(LA=19))
    world.settle()
    assert (held(world).received, held(world).found, held(world).lost_on_the_way) == (19, 0, 1)
    assert world.lots["LA"].found == 0


def test_a_lot_that_another_booth_has_is_counted_in_where_it_is() -> None:
    world = a_received_world()
    world.make("LC", 6, product="KUE")
    world.give(a_request((B2, "KUE", 6), request="R2"))
    world.settle()
    world.give(a_shipment("S2", booth=B2, request="R2"))
    world.settle()
    world.give(a_receipt("S2", B2, LC=0))
    bodies = world.give(a_recount(LC=6))
    assert kinds(bodies) == ["ShipmentRecounted", "LotRecounted", "SurplusCounted"]
    assert (held(world, "LC").received, held(world, "LC").found) == (6, 6)
    assert (held(world, "LC", B2).received, held(world, "LC", B2).lost_on_the_way) == (0, 6)


def test_a_lot_that_the_festival_never_had_waits_for_inventory() -> None:
    world = a_received_world()
    world.make(FOREIGN, 9, facility="LP-BBB", product="KUE", best_before=date(2023, 5, 1))
    assert kinds(world.give(a_recount(**{FOREIGN: 3}), "r")) == ["SurplusCounted"]
    assert world.one(Command, "r").outcome is CommandStatus.WAITING
    assert world.one(Booth, B1).find_lot(FOREIGN) is None
    world.settle()
    assert world.one(Command, "r").outcome is CommandStatus.DONE
    lot = held(world, FOREIGN)
    assert (lot.received, lot.found, lot.facility, lot.best_before) == (3, 3, "LP-BBB", date(2023, 5, 1))
    assert world.lots[FOREIGN].found == 3
    assert [(body.lot, body.qty) for body in world.bodies(LotRecounted)] == [(FOREIGN, 3)]
    assert dict(world.one(Shipment, "ODOP/S1").stocked) == {FOREIGN: 3, "LA": 4, "LB": 4}


def test_a_recalled_lot_that_is_found_is_withdrawn_at_once() -> None:
    world = a_received_world()
    world.make(FOREIGN, 9, facility="LP-BBB", product="KUE")
    world.recall(FOREIGN)
    world.settle()
    world.give(a_recount(**{FOREIGN: 3}))
    world.settle()
    assert [(body.booth, body.lot) for body in world.bodies(LotWithdrawn)] == [(B1, FOREIGN)]


def test_a_later_recall_reaches_a_lot_that_was_found() -> None:
    world = a_received_world()
    world.make(FOREIGN, 9, facility="LP-BBB", product="KUE")
    world.give(a_recount(**{FOREIGN: 3}))
    world.settle()
    world.recall(FOREIGN)
    world.settle()
    assert [(body.booth, body.lot, body.reason) for body in world.bodies(LotWithdrawn)] == [(B1, FOREIGN, "mould")]


def test_a_lot_that_nobody_made_is_refused_in_the_end() -> None:
    world = a_received_world()
    world.give(a_recount(**{FOREIGN: 3}), "r")
    refused = StockOrderRefused(festival=ODOP, order="r", lot=FOREIGN, reason=OrderRefusal.UNKNOWN_LOT, on_hand=0)
    assert kinds(world.give(refused)) == ["CommandRefused"]
    assert world.one(Command, "r").outcome is CommandStatus.REFUSED
    assert world.one(Booth, B1).find_lot(FOREIGN) is None


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (a_recount("S9", LA=1), "shipment", CommandRefusal.UNKNOWN_SHIPMENT),
        (a_recount(booth=B2, LA=1), "booth", CommandRefusal.UNKNOWN_SHIPMENT),
        (a_recount(), "counted", CommandRefusal.MISSING),
        (a_recount(LX=1), "counted", CommandRefusal.UNKNOWN_LOT),
        (a_recount(**{FOREIGN: 0}), "counted", CommandRefusal.UNKNOWN_LOT),
        (a_recount(**{FOREIGN: 1, "LA": 2}), "counted", CommandRefusal.UNKNOWN_LOT),
        (a_recount(LA=1_000_001), "counted", CommandRefusal.OUT_OF_RANGE),
        (
            a_recount(LA=1).model_copy(update={"counted": (CountedLot(lot="LA", qty=1),) * 2}),
            "counted",
            CommandRefusal.NAMED_TWICE,
        ),
        (a_transfer_recount("T9", LA=1), "transfer", CommandRefusal.UNKNOWN_TRANSFER),
        (a_return_recount("LA", 1), "booth", CommandRefusal.WRONG_STATE),
        (a_return_recount("LX", 1), "lot", CommandRefusal.UNKNOWN_LOT),
    ],
)
def test_wrong_recounts(body: Body, field: str, reason: CommandRefusal) -> None:
    assert a_received_world().refusal(body) == (field, reason)


def test_what_is_on_its_way_is_received_first() -> None:
    world = a_sent_world()
    assert world.refusal(a_recount(LA=40)) == ("shipment", CommandRefusal.WRONG_STATE)
    world.give(a_receipt(LA=40, LB=4))
    world.give(a_transfer(LA=3))
    assert world.refusal(a_transfer_recount(LA=3)) == ("transfer", CommandRefusal.WRONG_STATE)


def test_a_count_below_what_was_sold_or_moved_is_refused() -> None:
    world = a_received_world(40, 40)
    world.give(a_report(LA=10))
    assert world.refusal(a_recount(LA=9)) == ("counted", CommandRefusal.TOO_MANY)
    world.give(a_transfer(LA=12))
    world.give(an_arrival(LA=12))
    assert world.refusal(a_recount(LA=21)) == ("counted", CommandRefusal.TOO_MANY)
    assert "LotRecounted" in kinds(world.give(a_recount(LA=22)))
    assert world.refusal(a_recount(LA=11)) == ("counted", CommandRefusal.TOO_MANY)


def test_sales_on_one_lot_may_be_covered_by_another_of_the_product() -> None:
    world = a_received_world(40, 40)
    world.make("LA2", 8)
    world.give(a_request((B1, "KTI", 8), request="R2"))
    world.settle()
    world.give(a_shipment("S2", request="R2"))
    world.settle()
    world.give(a_receipt("S2", LA2=8))
    world.give(a_report(LA=10))
    assert "LotRecounted" in kinds(world.give(a_recount(LA=2)))


def test_a_booth_that_is_closing_or_settled_takes_a_recount_and_the_sums_follow() -> None:
    world = a_received_world()
    world.give(a_booth_closing(B1))
    assert "LotRecounted" in kinds(world.give(a_recount(LA=39)))
    world.give(a_closing())
    world.give(a_sell_through(LA=4, LB=4))
    world.give(a_sell_through(B2))
    assert account(world).left == 35
    world.give(a_return("LA", 35))
    world.settle()
    assert [(body.received, body.lost_on_the_way) for body in world.bodies(FestivalClosed)] == [(43, 1)]
    world.give(a_recount(LA=40))
    assert world.one(Festival, ODOP).status is FestivalStatus.CLOSED
    closed = world.bodies(FestivalClosed)[-1]
    assert (closed.received, closed.returned, closed.lost, closed.lost_on_the_way) == (44, 35, 1, 0)
    assert closed.revision == 2
    world.give(a_return_recount("LA", 36))
    world.settle()
    closed = world.bodies(FestivalClosed)[-1]
    assert (closed.received, closed.returned, closed.lost) == (44, 36, 0)


# What a revision has reserved.


def test_what_a_revision_reserved_stays_and_the_surplus_is_shown() -> None:
    world = a_world()
    world.make("LA", 40)
    world.give(a_request((B1, "KTI", 40), revise_at_percent=50))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.make("LC", 50, facility="LP-BBB")
    world.give(a_receipt(LA=4))
    world.settle()
    assert len(world.bodies(AllocationRevised)) == 1
    assert sum(line.qty for line in world.request().lines if line.status == "reserved") == 36
    [recounted, *_] = world.give(a_recount(LA=40))
    world.settle()
    assert isinstance(recounted, ShipmentRecounted)
    assert recounted.surplus == (Surplus(booth=B1, product="KTI", asked=40, surplus=36),)
    assert sum(line.qty for line in world.request().lines if line.status == "reserved") == 36
    assert world.lots["LC"].reserved == 36
    assert world.request().lost == 0
    assert len(world.bodies(AllocationRevised)) == 1


def test_a_refused_line_whose_pieces_were_found_is_not_planned_again() -> None:
    world = a_world()
    world.make("LA", 40)
    world.give(a_request((B1, "KTI", 40)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.make("LC", 50, facility="LP-BBB")
    world.take("LC", 45)
    world.make("LD", 50, facility="LP-CCC", made_on=date(2023, 4, 2))
    world.give(a_receipt(LA=4))
    world.give(a_revision(consent=True))
    world.hear_itself()
    world.give(a_recount(LA=40))
    request = world.request()
    assert (request.short, sum(beyond.qty for beyond in request.beyond)) == (0, 36)
    count = len(world.request().lines)
    world.settle()
    assert LineStatus.REFUSED in {line.status for line in world.request().lines}
    assert len(world.request().lines) == count
    assert world.request().short == 0


def test_what_is_beyond_one_demand_covers_no_other() -> None:
    world = a_world()
    world.make("LA", 40)
    world.give(a_request((B1, "KTI", 40), (B1, "KRJ", 10), (B2, "KTI", 5)))
    world.settle()
    for booth, shipment in ((B1, "S1"), (B2, "S2")):
        world.give(a_shipment(shipment, booth=booth))
    world.settle()
    at_first = sum(line.qty for line in world.request().lines if line.booth == B1)
    world.make("LC", 90, facility="LP-BBB")
    world.give(a_receipt(LA=0))
    world.give(a_revision(consent=True))
    world.settle()
    world.give(a_recount(LA=at_first))
    request = world.request()
    assert [(row.booth, row.product, row.qty) for row in request.beyond] == [(B1, "KTI", at_first)]
    # No cakes were made, and too much cloth does not stand for them.
    assert [(gap.product, gap.short) for gap in shortfalls(request)] == [("KRJ", 10)]
    assert request.short == 10


def test_a_revision_that_waits_for_found_pieces_is_withdrawn() -> None:
    world = a_world()
    world.make("LA", 40)
    world.give(a_request((B1, "KTI", 40)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.make("LC", 50, facility="LP-BBB")
    world.give(a_receipt(LA=4))
    world.give(a_revision())
    world.settle()
    assert world.request().pending_revision is not None
    world.give(a_recount(LA=40))
    assert world.request().pending_revision is None
    assert world.request().lost == 0
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_STATE)
    world.settle()
    assert [line.status for line in world.request().lines if line.facility == "LP-BBB"] == [LineStatus.RELEASED]
    assert world.request().details.revision is None


# Transfers and returns.


def test_a_transfer_is_recounted_and_the_other_booth_keeps_its_count() -> None:
    world = a_received_world(40, 40)
    world.give(a_transfer(LA=20))
    world.give(an_arrival(LA=2))
    [received] = world.bodies(TransferReceived)
    assert received.discrepancies == (Discrepancy(lot="LA", sent=20, counted=2),)
    bodies = world.give(a_transfer_recount(LA=20))
    assert kinds(bodies) == ["TransferRecounted", "LotRecounted"]
    assert isinstance(bodies[0], TransferRecounted)
    assert (bodies[0].booth, bodies[0].to, bodies[0].revision, bodies[0].discrepancies) == (B1, B2, 1, ())
    assert (held(world, booth=B2).received, held(world, booth=B2).lost_on_the_way) == (20, 0)
    assert account(world).left == 20
    world.give(a_transfer_recount(LA=21))
    world.settle()
    assert (held(world, booth=B2).found, world.lots["LA"].found) == (1, 1)
    assert dict(world.one(Transfer, "ODOP/T1").stocked) == {"LA": 21}


def a_settled_world() -> FestivalWorld:
    """Forty pieces came, two were sold; 30 came home, and the festival is closed."""
    world = a_received_world(40, 40)
    world.give(a_closing())
    world.give(a_sell_through(LA=2, LB=4))
    world.give(a_sell_through(B2))
    world.give(a_return("LA", 30))
    world.settle()
    return world


@pytest.mark.parametrize(("qty", "lost"), [(38, 0), (3, 35), (0, 38)])
def test_what_came_home_is_recounted(qty: int, lost: int) -> None:
    world = a_settled_world()
    order = ReturnRecounted(lot="LA", order="r", festival=ODOP, booth=B1, change=qty - 30)
    assert world.give(a_return_recount("LA", qty), "r")[0] == order
    assert world.one(Festival, ODOP).status is FestivalStatus.CLOSING
    assert world.refusal(a_return_recount("LA", 5)) == ("lot", CommandRefusal.WRONG_STATE)
    world.settle()
    assert world.one(Command, "r").outcome is CommandStatus.DONE
    assert (world.lots["LA"].returned, world.lots["LA"].on_hand) == (qty, qty)
    closed = world.bodies(FestivalClosed)[-1]
    assert (closed.received, closed.sold, closed.returned, closed.lost) == (44, 6, qty, lost)
    assert (account(world).left, account(world).surplus) == (0, 0)


def test_more_than_can_have_come_home_is_refused() -> None:
    world = a_settled_world()
    assert world.refusal(a_return_recount("LA", 39)) == ("qty", CommandRefusal.TOO_MANY)
    assert world.give(a_return_recount("LA", 30)) == []


def test_pieces_that_inventory_has_promised_again_cannot_be_taken_back() -> None:
    world = a_settled_world()
    world.take("LA", 29)
    world.give(a_return_recount("LA", 5), "r")
    world.settle()
    assert world.one(Command, "r").outcome is CommandStatus.REFUSED
    assert held(world).returned == 30
    assert held(world).final
    assert world.one(Festival, ODOP).status is FestivalStatus.CLOSED


def test_nothing_is_stocked_twice_by_the_same_count() -> None:
    world = a_received_world(40, 40)
    assert kinds(world.give(a_recount(LA=40))) == ["ShipmentRecounted"]
    assert len(world.bodies(BoothStocked)) == 2
