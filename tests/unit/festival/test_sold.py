"""The organiser's corrections of sales: disputes and voids."""

import pytest

from services.festival.domain import Booth, Command
from services.festival.domain.command import CommandStatus
from shared.events.festival import (
    CommandRefusal,
    CommandRefused,
    DisputeOutcome,
    DisputeResolved,
    ResolveDispute,
    VoidOrdered,
    VoidSale,
)
from shared.events.language import Body
from shared.events.sales import ResolutionApplied, ResolutionRefusal, ResolutionRefused
from tests.support.builders.festival import (
    B1,
    ODOP,
    FestivalWorld,
    a_booth_closing,
    a_closing,
    a_sell_through,
    a_world,
)

SALE = "r-9/1"
LOT = "PR-KPG-KTI-230418-007-4"
ACCEPTED, REJECTED = DisputeOutcome.ACCEPTED, DisputeOutcome.REJECTED


def a_disputed_world() -> FestivalWorld:
    return a_world(a_closing(), a_sell_through(disputed=(SALE, "r-9/2")))


def a_word(outcome: DisputeOutcome = ACCEPTED, lot: str | None = None, sale: str = SALE) -> ResolveDispute:
    return ResolveDispute(festival=ODOP, booth=B1, sale=sale, outcome=outcome, lot=lot)


def disputed_sales(world: FestivalWorld) -> tuple[str, ...]:
    return world.one(Booth, B1).disputed


def test_a_rejected_sale_is_out_of_dispute() -> None:
    world = a_disputed_world()
    assert world.give(a_word(REJECTED)) == [DisputeResolved(booth=B1, sale=SALE, outcome=REJECTED)]
    assert disputed_sales(world) == ("r-9/2",)
    assert world.refusal(a_word(REJECTED)) == ("sale", CommandRefusal.UNKNOWN_SALE)


def test_pieces_beyond_what_was_sent_stay_in_dispute_until_sales_says_otherwise() -> None:
    world = a_disputed_world()
    assert world.give(a_word()) == [DisputeResolved(booth=B1, sale=SALE, outcome=ACCEPTED)]
    assert disputed_sales(world) == (SALE, "r-9/2")
    world.give(a_sell_through(revision=2, disputed=("r-9/2",)))
    assert world.refusal(a_word()) == ("sale", CommandRefusal.UNKNOWN_SALE)


@pytest.mark.parametrize("named", [LOT, LOT.lower(), LOT.replace("-", ""), LOT.replace("007", "oo7")])
def test_a_named_lot_is_passed_on_as_its_number_is_written(named: str) -> None:
    world = a_disputed_world()
    assert world.give(a_word(lot=named)) == [DisputeResolved(booth=B1, sale=SALE, outcome=ACCEPTED, lot=LOT)]
    assert disputed_sales(world) == ("r-9/2",)


@pytest.mark.parametrize(
    ("word", "field", "reason"),
    [
        (a_word(lot=f"{LOT[:-1]}5"), "lot", CommandRefusal.BAD_NAME),
        (a_word(lot="LA"), "lot", CommandRefusal.BAD_NAME),
        (a_word(REJECTED, LOT), "lot", CommandRefusal.WRONG_STATE),
        (a_word(sale="r-1/1"), "sale", CommandRefusal.UNKNOWN_SALE),
        (ResolveDispute(festival=ODOP, booth="ODOP.B9", sale=SALE, outcome=ACCEPTED), "booth", "unknown_booth"),
    ],
)
def test_a_wrong_word(word: ResolveDispute, field: str, reason: CommandRefusal) -> None:
    assert a_disputed_world().refusal(word) == (field, reason)


@pytest.mark.parametrize("ended", [(), (a_booth_closing(),), (a_closing(), a_sell_through())])
def test_the_organiser_voids_pieces_before_and_after_a_booth_is_settled(ended: tuple[Body, ...]) -> None:
    world = a_world(*ended)
    body = VoidSale(festival=ODOP, booth=B1, receipt="r-9", line=2, qty=3, reason="the till was lost")
    assert world.give(body) == [VoidOrdered(booth=B1, receipt="r-9", line=2, qty=3)]


def test_a_void_needs_a_booth_of_the_festival() -> None:
    body = VoidSale(festival=ODOP, booth="ODOP.B9", receipt="r-9", line=1, qty=1)
    assert a_world().refusal(body) == ("booth", CommandRefusal.UNKNOWN_BOOTH)


# At a booth that is not settled, sales alone knows what waits.


def asked(world: FestivalWorld, word: ResolveDispute) -> DisputeResolved:
    [body] = world.give(word, "decide-1")
    assert isinstance(body, DisputeResolved)
    assert body.order == "decide-1"
    assert world.one(Command, "decide-1").outcome is CommandStatus.WAITING
    return body


@pytest.mark.parametrize("ended", [(), (a_booth_closing(),)])
def test_a_decision_before_the_booth_is_settled_waits_for_the_answer_of_sales(ended: tuple[Body, ...]) -> None:
    world = a_world(*ended)
    assert asked(world, a_word(lot=LOT)).lot == LOT
    answer = ResolutionApplied(festival=ODOP, booth=B1, order="decide-1", sale=SALE, accepted=2, rejected=0, left=0)
    assert world.give(answer) == []
    assert world.one(Command, "decide-1").outcome is CommandStatus.DONE


@pytest.mark.parametrize("reason", list(ResolutionRefusal))
def test_a_decision_that_sales_refuses_is_told_with_what_is_wrong(reason: ResolutionRefusal) -> None:
    world = a_world()
    asked(world, a_word())
    answer = ResolutionRefused(festival=ODOP, booth=B1, order="decide-1", sale=SALE, reason=reason)
    [refused] = world.give(answer)
    assert isinstance(refused, CommandRefused)
    assert refused.command == "decide-1"
    assert SALE in refused.message or B1 in refused.message
    assert "{" not in refused.message
    assert world.one(Command, "decide-1").outcome is CommandStatus.REFUSED
    assert world.give(answer) == [], "heard twice"
