"""Selling again at a closed booth: festival asks, sales answers."""

import pytest

from services.festival.domain import Booth, Command, Festival, Request
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.festival import FestivalStatus
from shared.events.festival import (
    BoothClosing,
    CancelFestival,
    CommandRefusal,
    CommandRefused,
    CountedLot,
    FestivalClosed,
    FestivalReopened,
    LossPlace,
    MergeBooths,
    RecordLoss,
    ReopenBooth,
    ReopeningRequested,
)
from shared.events.language import Body
from shared.events.sales import ReopeningGranted, ReopeningRefused, SellThroughCounted
from tests.support.builders.festival import (
    B1,
    B2,
    ODOP,
    FestivalWorld,
    a_booth_closing,
    a_closing,
    a_receipt,
    a_reopening,
    a_report,
    a_request,
    a_return,
    a_return_recount,
    a_sell_through,
    a_shipment,
    a_transfer,
    a_world,
    kinds,
)

REOPEN = "reopen-1"


def a_stocked_world() -> FestivalWorld:
    """Ten pieces of LA are at B1, and five were planned for it and not sent."""
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 5, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 15)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=10))
    return world


def granted(order: str = REOPEN, opening: int = 2) -> ReopeningGranted:
    return ReopeningGranted(festival=ODOP, booth=B1, order=order, opening=opening)


def ask(world: FestivalWorld, id: str = REOPEN) -> ReopeningRequested:
    [asked] = world.give(a_reopening(), id)
    assert isinstance(asked, ReopeningRequested)
    return asked


def status(world: FestivalWorld) -> tuple[FestivalStatus, BoothStatus, BoothStatus]:
    return world.one(Festival, ODOP).status, world.one(Booth, B1).status, world.one(Booth, B2).status


def test_a_booth_of_an_open_festival_sells_again_once_sales_agrees() -> None:
    world = a_stocked_world()
    world.give(a_booth_closing())
    world.settle()
    assert ask(world) == ReopeningRequested(booth=B1, festival=ODOP, order=REOPEN, opening=2)
    assert world.one(Command, REOPEN).outcome is CommandStatus.WAITING
    assert world.one(Booth, B1).status is BoothStatus.CLOSING
    assert world.give(granted()) == []
    assert world.one(Command, REOPEN).outcome is CommandStatus.DONE
    booth = world.one(Booth, B1)
    assert (booth.status, booth.deadline, booth.opening, booth.reopening) == (BoothStatus.OPEN, None, 2, None)
    assert world.give(granted()) == [], "heard twice"


def test_what_closing_released_stays_released() -> None:
    world = a_stocked_world()
    world.give(a_booth_closing())
    world.settle()
    assert world.lots["LB"].on_hand == 5
    ask(world)
    world.give(granted())
    world.settle()
    assert world.lots["LB"].on_hand == 5
    assert world.one(Request, f"{ODOP}/R1").closed == (B1,)
    world.give(a_request((B1, "KTI", 5), request="R2"))
    world.settle()
    assert world.lots["LB"].on_hand == 0, "asked for anew"
    world.give(a_booth_closing())
    assert world.one(Request, f"{ODOP}/R1").closed == (B1,)


def test_a_closing_festival_is_open_again_with_the_booth_and_closes_again_later() -> None:
    world = a_stocked_world()
    world.give(a_closing())
    world.give(a_sell_through(LA=4))
    world.give(a_sell_through(B2))
    ask(world)
    assert world.give(granted()) == [FestivalReopened(festival=ODOP, booth=B1)]
    assert status(world) == (FestivalStatus.OPEN, BoothStatus.OPEN, BoothStatus.SETTLED)
    booth = world.one(Booth, B1)
    assert (booth.sold, booth.disputed, booth.seen) == ((), (), ())
    [closing] = [body for body in world.give(a_closing()) if isinstance(body, BoothClosing)]
    assert (closing.booth, closing.opening) == (B1, 2)
    world.give(a_sell_through(revision=1, LA=4))
    assert status(world)[1] is BoothStatus.CLOSING, "a report from before"
    world.give(a_sell_through(revision=2, LA=7))
    assert world.bodies(FestivalClosed) == []
    world.give(a_return("LA", 3))
    world.settle()
    [closed] = world.bodies(FestivalClosed)
    assert (closed.received, closed.sold, closed.returned) == (10, 7, 3)


def test_a_closed_festival_publishes_its_sums_again() -> None:
    world = a_world(a_closing(), a_sell_through(), a_sell_through(B2))
    assert len(world.bodies(FestivalClosed)) == 1
    ask(world)
    world.give(granted())
    assert status(world)[0] is FestivalStatus.OPEN
    world.give(a_closing())
    world.give(a_sell_through(revision=2))
    assert [closed.revision for closed in world.bodies(FestivalClosed)] == [1, 2]


def test_sales_is_told_what_went_home_and_a_second_time_only_of_the_rest() -> None:
    world = a_stocked_world()
    world.give(a_closing())
    world.give(a_sell_through(B2))
    world.give(a_sell_through(LA=4))
    world.give(a_return("LA", 2))
    world.settle()
    assert world.one(Booth, B1).accounts()["LA"].lost == 4, "nothing more was to come home"
    assert ask(world).home == (CountedLot(lot="LA", qty=2),)
    world.give(granted())
    assert world.one(Booth, B1).accounts()["LA"].lost == 0
    world.give(a_closing())
    world.give(a_sell_through(revision=2, LA=4))
    world.give(a_return("LA", 1, final=False))
    world.settle()
    assert ask(world, "reopen-2").home == (CountedLot(lot="LA", qty=1),)


def test_a_refusal_leaves_all_as_it_was_and_says_what_to_do() -> None:
    world = a_stocked_world()
    world.give(a_closing())
    world.give(a_sell_through(LA=4))
    before = world.one(Booth, B1)
    ask(world)
    [refused] = world.give(ReopeningRefused(festival=ODOP, booth=B1, order=REOPEN, facility="LP-AAA"))
    assert isinstance(refused, CommandRefused)
    assert (refused.command, refused.reason) == (REOPEN, CommandRefusal.SETTLED)
    assert "LP-AAA" in refused.message
    assert "void-sale" in refused.message
    assert world.one(Booth, B1) == before
    assert world.one(Command, REOPEN).outcome is CommandStatus.REFUSED


@pytest.mark.parametrize(
    ("before", "body", "field", "reason"),
    [
        ([], a_reopening(), "booth", CommandRefusal.WRONG_STATE),
        ([], ReopenBooth(festival=ODOP, booth="ODOP.B9"), "booth", CommandRefusal.UNKNOWN_BOOTH),
        ([CancelFestival(festival=ODOP)], a_reopening(), "festival", CommandRefusal.WRONG_STATE),
        ([MergeBooths(festival=ODOP, booth=B1, to=B2)], a_reopening(), "booth", CommandRefusal.WRONG_STATE),
        ([a_booth_closing(), a_reopening()], a_reopening(), "booth", CommandRefusal.WRONG_STATE),
        ([a_booth_closing(), a_reopening()], a_closing(), "booth", CommandRefusal.WRONG_STATE),
    ],
)
def test_what_can_not_be_reopened(before: list[Body], body: Body, field: str, reason: CommandRefusal) -> None:
    assert a_world(*before).refusal(body) == (field, reason)


def test_nothing_comes_home_while_sales_decides_and_nothing_is_decided_while_it_comes_home() -> None:
    world = a_stocked_world()
    world.give(a_closing())
    world.give(a_sell_through(LA=4))
    world.give(a_return("LA", 2))
    assert world.refusal(a_reopening()) == ("booth", CommandRefusal.WRONG_STATE)
    world.settle()
    ask(world)
    assert world.refusal(a_return("LA", 1)) == ("booth", CommandRefusal.WRONG_STATE)


def test_nothing_is_decided_while_one_count_rises_as_much_as_another_falls() -> None:
    world = a_stocked_world()
    world.make("LC", 10)
    world.give(a_request((B1, "KTI", 10), request="R2"))
    world.settle()
    world.give(a_shipment("S2", request="R2"))
    world.settle()
    world.give(a_receipt("S2", LC=10))
    world.give(a_closing())
    world.give(a_sell_through(LA=4))
    world.give(a_return("LA", 3))
    world.settle()
    world.give(a_return_recount("LA", 1))
    world.give(a_return("LC", 2))
    assert [lot.returning for lot in world.one(Booth, B1).lots] == [-2, 2]
    assert world.refusal(a_reopening()) == ("booth", CommandRefusal.WRONG_STATE)
    world.settle()
    assert [(lot.lot, lot.qty) for lot in ask(world).home] == [("LA", 1), ("LC", 2)]


def test_what_came_home_before_can_neither_be_moved_nor_lost_at_the_reopened_booth() -> None:
    world = a_stocked_world()
    world.give(a_booth_closing())
    world.give(a_sell_through(LA=4))
    world.give(a_return("LA", 2))
    world.settle()
    ask(world)
    world.give(granted())
    world.give(a_report(LA=4))
    loss = RecordLoss(festival=ODOP, lot="LA", place=LossPlace.BOOTH, booth=B1, qty=9)
    assert world.refusal(a_transfer(LA=5)) == ("lots", CommandRefusal.TOO_MANY)
    assert world.refusal(loss) == ("qty", CommandRefusal.TOO_MANY)
    assert kinds(world.give(a_transfer(LA=4))) == ["TransferSent", "BoothStockMoved"]
    assert kinds(world.give(loss.model_copy(update={"qty": 4}))) == ["BoothStockLost"]


def test_a_booth_that_settled_while_sales_decided_is_open_after_its_answer() -> None:
    world = a_stocked_world()
    world.give(a_booth_closing())
    ask(world)
    report = a_sell_through(LA=4)
    assert isinstance(report, SellThroughCounted)
    world.give(report)
    assert world.one(Booth, B1).status is BoothStatus.SETTLED
    world.give(granted())
    assert (world.one(Booth, B1).status, world.one(Booth, B1).sold) == (BoothStatus.OPEN, ())
