"""Transfers between booths: counted at both ends, with every piece accounted for."""

from datetime import timedelta
from typing import Any

import pytest

from services.festival.domain import Booth, BoothSales, Transfer
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.store import BOOTHS
from shared.events.festival import (
    BoothStocked,
    BoothStockMoved,
    CategoryLimit,
    CloseBooth,
    CommandRefusal,
    CommandRefused,
    CountedLot,
    Discrepancy,
    FestivalClosed,
    LossPlace,
    LotReinstated,
    LotWithdrawn,
    Price,
    RecordLoss,
    SendTransfer,
    TransferOverdue,
    TransferReceived,
    TransferSent,
)
from tests.support.builders.festival import (
    B1,
    B2,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_receipt,
    a_report,
    a_request,
    a_return,
    a_sell_through,
    a_shipment,
    a_transfer,
    a_world,
    an_announcement,
    an_arrival,
    kinds,
)


def stocked_world() -> FestivalWorld:
    """Ten pieces of LA (KTI) and four of LB (KRJ) are at B1; B3 sells cakes alone."""
    world = a_world(a_booth("ODOP.B3", "KUE"))
    world.make("LA", 10)
    world.make("LB", 4, product="KRJ")
    world.give(a_request((B1, "KTI", 10), (B1, "KRJ", 4)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=10, LB=4))
    world.published.clear()
    return world


def held_lot(world: FestivalWorld, lot: str = "LA", booth: str = B1) -> BoothLot:
    booth_lot = world.one(Booth, booth).find_lot(lot)
    assert booth_lot is not None
    return booth_lot


def account(world: FestivalWorld, lot: str = "LA", booth: str = B1) -> Any:
    return world.one(Booth, booth).accounts()[lot]


def test_what_leaves_can_not_be_sold_here_and_what_comes_can_be_sold_there() -> None:
    world = stocked_world()
    sent, moved = world.give(a_transfer(LA=4))
    lots = (CountedLot(lot="LA", qty=4),)
    assert sent == TransferSent(festival=ODOP, transfer="T1", booth=B1, to=B2, lots=lots)
    assert moved == BoothStockMoved(booth=B1, lot="LA", qty=4, to=B2)
    assert (account(world).left, held_lot(world).moved_out, held_lot(world, booth=B2).in_transit) == (6, 4, 4)
    received, stocked = world.give(an_arrival(LA=4))
    assert received == TransferReceived(festival=ODOP, transfer="T1", booth=B1, to=B2, lots=lots, discrepancies=())
    assert isinstance(stocked, BoothStocked)
    assert (stocked.booth, stocked.lot, stocked.facility, stocked.qty) == (B2, "LA", "LP-AAA", 4)
    assert (held_lot(world, booth=B2).in_transit, account(world, booth=B2).left) == (0, 4)
    [transfer] = world.all(Transfer)
    assert (transfer.status, transfer.sent, transfer.counted) == (
        TransferStatus.RECEIVED,
        (("LA", 4),),
        (("LA", 4),),
    )


def test_what_does_not_come_is_lost_on_the_way() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4, LB=2))
    received, stocked = world.give(an_arrival(LA=3))
    assert isinstance(received, TransferReceived)
    assert received.discrepancies == (
        Discrepancy(lot="LA", sent=4, counted=3),
        Discrepancy(lot="LB", sent=2, counted=0),
    )
    assert isinstance(stocked, BoothStocked)
    assert (stocked.lot, stocked.qty) == ("LA", 3)
    lots = [(lot.lot, lot.received, lot.lost_on_the_way) for lot in world.one(Booth, B2).lots]
    assert lots == [("LA", 3, 1), ("LB", 0, 2)]


def test_goods_may_go_on_and_come_back() -> None:
    world = stocked_world()
    for name, booth, to in (("T1", B1, B2), ("T2", B2, B1), ("T3", B1, B2)):
        world.give(a_transfer(name, booth, to, LA=10))
        world.give(an_arrival(name, to, LA=10))
    assert (account(world).received, account(world).moved_out, account(world).left) == (20, 20, 0)
    assert (account(world, booth=B2).received, account(world, booth=B2).left) == (20, 10)


@pytest.mark.parametrize(
    ("order", "field", "reason"),
    [
        (a_transfer("a/b", LA=1), "transfer", CommandRefusal.BAD_NAME),
        (a_transfer("T0", LA=1), "transfer", CommandRefusal.ALREADY_EXISTS),
        (a_transfer(to="ODOP.B9", LA=1), "to", CommandRefusal.UNKNOWN_BOOTH),
        (a_transfer(to="ELSE.B1", LA=1), "to", CommandRefusal.UNKNOWN_BOOTH),
        (a_transfer(booth="ODOP.B9", LA=1), "booth", CommandRefusal.UNKNOWN_BOOTH),
        (a_transfer(to=B1, LA=1), "to", CommandRefusal.WRONG_STATE),
        (a_transfer(), "lots", CommandRefusal.NOTHING_TO_SEND),
        (a_transfer(LA=0), "lots", CommandRefusal.NOTHING_TO_SEND),
        (a_transfer(LZ=1), "lots", CommandRefusal.UNKNOWN_LOT),
        (a_transfer(booth=B2, to=B1, LB=1), "lots", CommandRefusal.UNKNOWN_LOT),
        (a_transfer(to="ODOP.B3", LA=1), "to", CommandRefusal.NO_PRICE),
        (a_transfer(LA=9), "lots", CommandRefusal.TOO_MANY),
        (
            SendTransfer(festival=ODOP, transfer="T1", booth=B1, to=B2, lots=(CountedLot(lot="LA", qty=1),) * 2),
            "lots",
            CommandRefusal.NAMED_TWICE,
        ),
    ],
)
def test_a_transfer_that_can_not_be_is_refused(order: SendTransfer, field: str, reason: CommandRefusal) -> None:
    world = stocked_world()
    world.give(an_announcement("ELSE"))
    world.give(a_booth("ELSE.B1"))
    world.give(a_transfer("T0", LA=2))
    assert world.refusal(order) == (field, reason)


def test_no_more_can_leave_than_is_left_as_far_as_sales_know() -> None:
    world = stocked_world()
    world.give(RecordLoss(festival=ODOP, lot="LA", place=LossPlace.BOOTH, booth=B1, qty=1))
    world.give(a_transfer("T0", LA=2))
    world.give(a_report(LA=3))
    assert world.refusal(a_transfer(LA=5)) == ("lots", CommandRefusal.TOO_MANY)
    assert kinds(world.give(a_transfer(LA=4))) == ["TransferSent", "BoothStockMoved"]
    # A sale that was not known then: the booth has sold and given away more than it had, and says so in the end.
    world.give(an_arrival("T0", LA=2))
    world.give(an_arrival(LA=4))
    world.give(a_closing())
    world.give(a_sell_through(LA=5))
    assert (account(world).left, account(world).surplus) == (0, 2)


@pytest.mark.parametrize("room", [{"capacity": 6}, {"limits": (CategoryLimit(category="tenun", qty=6),)}])
def test_no_more_is_moved_than_the_other_booth_has_room_for(room: dict[str, Any]) -> None:
    world = stocked_world()
    prices = tuple(Price(product=product, price_rupiah=10_000, category="tenun") for product in ("KTI", "KRJ"))
    world.give(a_booth("ODOP.B4", prices=prices, **room))
    world.make("LC", 3)
    world.give(a_request(("ODOP.B4", "KTI", 3), request="R2", consent=False))
    # A proposed plan keeps its room.
    assert world.refusal(a_transfer(to="ODOP.B4", LA=2, LB=2)) == ("to", CommandRefusal.TOO_MANY)
    assert "ODOP.B4 has room for 3 more pieces" in world.bodies(CommandRefused)[-1].message
    assert kinds(world.give(a_transfer(to="ODOP.B4", LA=2, LB=1)))[0] == "TransferSent"
    # Pieces on their way take room, and sold pieces free it.
    world.give(an_arrival(booth="ODOP.B4", LA=2, LB=1))
    assert world.refusal(a_transfer("T2", to="ODOP.B4", LA=1)) == ("to", CommandRefusal.TOO_MANY)
    world.give(a_report("ODOP.B4", LA=1))
    assert kinds(world.give(a_transfer("T2", to="ODOP.B4", LA=1)))[0] == "TransferSent"


@pytest.mark.parametrize(("closed", "field"), [(B1, "booth"), (B2, "to")])
def test_goods_move_between_open_booths_only(closed: str, field: str) -> None:
    world = stocked_world()
    world.give(CloseBooth(festival=ODOP, booth=closed))
    assert world.refusal(a_transfer(LA=1)) == (field, CommandRefusal.WRONG_STATE)


def test_a_booth_closes_early_once_what_was_moved_to_it_is_counted_in() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=1))
    assert world.refusal(CloseBooth(festival=ODOP, booth=B2)) == ("booth", CommandRefusal.WRONG_STATE)
    assert kinds(world.give(CloseBooth(festival=ODOP, booth=B1))) == ["BoothClosing"]
    world.give(an_arrival(LA=1))
    assert kinds(world.give(CloseBooth(festival=ODOP, booth=B2))) == ["BoothClosing"]


def test_a_recalled_lot_stays_where_it_is() -> None:
    world = stocked_world()
    world.recall("LA")
    world.settle()
    assert world.refusal(a_transfer(LA=1)) == ("lots", CommandRefusal.WRONG_STATE)
    assert kinds(world.give(a_transfer(LB=1))) == ["TransferSent", "BoothStockMoved"]


def test_a_recall_reaches_what_is_on_its_way_to_another_booth() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    # Inventory sent the lot to the first booth and knows no other booth.
    world.recall("LA")
    world.settle()
    assert [body.booth for body in world.bodies(LotWithdrawn)] == [B1, B2]
    assert kinds(world.give(an_arrival(LA=4))) == ["TransferReceived", "BoothStocked", "LotWithdrawn"]
    assert held_lot(world, booth=B2).withdrawn == "mould"


def test_a_recall_reaches_what_came_by_transfer() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    world.give(an_arrival(LA=4))
    world.recall("LA")
    world.settle()
    assert [body.booth for body in world.bodies(LotWithdrawn)] == [B1, B2]


def test_a_lifted_recall_reaches_every_booth_of_the_festival_and_what_is_on_its_way() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    world.recall("LA")
    world.lift_recall("LA")
    world.settle()
    assert [body.booth for body in world.bodies(LotReinstated)] == [B1, B2]
    assert kinds(world.give(an_arrival(LA=4))) == ["TransferReceived", "BoothStocked"]
    assert held_lot(world, booth=B2).withdrawn is None
    assert kinds(world.give(a_transfer("T2", LA=1))) == ["TransferSent", "BoothStockMoved"]
    world.recall("LA")
    world.settle()
    assert held_lot(world, booth=B2).withdrawn == "mould"


def test_a_transfer_that_nobody_counts_in_is_overdue_and_can_still_come() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    [overdue] = world.fire("carry/ODOP/T1")
    assert overdue == TransferOverdue(festival=ODOP, transfer="T1", booth=B1, to=B2, due=NOON + timedelta(hours=2))
    assert world.all(Transfer)[0].overdue
    assert kinds(world.give(an_arrival(LA=4))) == ["TransferReceived", "BoothStocked"]


def test_a_transfer_that_came_is_never_overdue() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    world.give(an_arrival(LA=4))
    assert world.fire("carry/ODOP/T1") == []


def test_an_arrival_is_refused_when_it_can_not_be() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    assert world.refusal(an_arrival("T9")) == ("transfer", CommandRefusal.UNKNOWN_TRANSFER)
    assert world.refusal(an_arrival(booth=B1)) == ("booth", CommandRefusal.UNKNOWN_TRANSFER)
    twice = an_arrival().model_copy(update={"counted": (CountedLot(lot="LA", qty=1),) * 2})
    assert world.refusal(twice) == ("counted", CommandRefusal.NAMED_TWICE)
    world.give(an_arrival(LA=4))
    assert world.refusal(an_arrival(LA=4)) == ("transfer", CommandRefusal.WRONG_STATE)


def test_a_festival_does_not_close_while_goods_are_between_booths() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    assert world.refusal(a_closing()) == ("festival", CommandRefusal.WRONG_STATE)
    world.give(an_arrival(LA=4))
    assert kinds(world.give(a_closing())) == ["BoothClosing"] * 3


def test_every_piece_that_moved_counts_once_in_the_sums() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    world.give(an_arrival(LA=3))
    world.give(a_closing())
    world.give(a_sell_through("ODOP.B3"))
    world.give(a_sell_through(LA=5, LB=4))
    world.give(a_sell_through(B2, LA=1))
    assert world.refusal(a_return("LA", 7)) == ("qty", CommandRefusal.TOO_MANY)
    world.give(a_return("LA", 1))
    world.give(a_return("LA", 2, B2))
    world.settle()
    [closed] = world.bodies(FestivalClosed)
    # Fourteen were sent from the facility; one got lost between the booths.
    assert (closed.received, closed.lost_on_the_way) == (13, 1)
    assert (closed.sold, closed.returned, closed.lost, closed.surplus) == (10, 3, 0, 0)
    assert world.lots["LA"].returned == 3


def test_what_was_moved_away_can_not_be_lost_here() -> None:
    world = stocked_world()
    world.give(a_transfer(LA=4))
    loss = RecordLoss(festival=ODOP, lot="LA", place=LossPlace.BOOTH, booth=B1, qty=7)
    assert world.refusal(loss) == ("qty", CommandRefusal.TOO_MANY)


def test_the_report_with_the_highest_revision_counts() -> None:
    world = stocked_world()
    assert world.give(a_report(revision=2, hours=[("KTI", 5, 2), ("KTI", 6, 1)], LA=3)) == []
    world.give(a_report(revision=1, LA=1))
    [interim] = world.all(BoothSales)
    assert interim == BoothSales(B1, ODOP, NOON, 2, (("LA", 3),), (("KTI", ((5, 2, 60), (6, 1, 60))),))


def test_a_report_of_a_festival_that_is_not_known_changes_nothing() -> None:
    world = stocked_world()
    world.give(a_report("NONE.B1", LA=1))
    assert world.all(BoothSales) == []


def test_a_booth_from_before_there_were_transfers_is_read() -> None:
    document = dict(BOOTHS.to_document(stocked_world().one(Booth, B1)))
    for lot in document["lots"]:
        del lot["moved_out"]
    assert BOOTHS.from_document({"_id": B1, **document}) == stocked_world().one(Booth, B1)
