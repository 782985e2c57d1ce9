"""Counts: the pieces left decide the division of the unlabelled sales made before the count, and of no others."""

from datetime import date, datetime, timedelta

import pytest

from services.sales.domain import counting
from services.sales.domain.booth import StockCount
from shared.events.lot_number import LotNumber
from shared.events.sales import PoolAdjusted, SellThroughCounted, SettlementCorrected, SettlementIssued
from tests.support.builders.sales import (
    NOON,
    PRICE,
    SalesWorld,
    a_closing,
    a_count,
    a_last_word,
    a_stocking,
    a_void,
    an_opening,
    open_booth,
)

A, B = (str(LotNumber(f"LP-{name}AA", "KTI", date(2023, 4, 1), 1)) for name in "AB")
MAKERS = {A: "LP-AAA", B: "LP-BAA"}


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def of_two(qty: int = 10) -> SalesWorld:
    """A booth with pieces of two makers."""
    world = SalesWorld()
    world.give(an_opening(), *(a_stocking(lot, qty, facility=maker) for lot, maker in MAKERS.items()))
    world.published.clear()
    return world


def shares(world: SalesWorld) -> tuple[int, int]:
    return world.lot(A).pool_qty, world.lot(B).pool_qty


def test_a_final_count_divides_what_was_sold_without_a_label() -> None:
    world = of_two()
    world.sell("s1", 1, None, 8)
    assert shares(world) == (4, 4)
    world.give(a_count(2, **{A: 9, B: 3}))
    assert shares(world) == (1, 7)
    assert (world.earned("LP-AAA"), world.earned("LP-BAA")) == ((1, PRICE), (7, 7 * PRICE))


def test_an_interim_count_moves_nothing_and_is_seen() -> None:
    world = of_two()
    world.sell("s1", 1, None, 8)
    assert world.give(a_count(2, final=False, **{A: 9, B: 3})) == []
    assert (shares(world), world.lot(A).latest, world.lot(A).final) == ((4, 4), StockCount(NOON, 9), None)


def test_a_count_is_no_sale() -> None:
    world = of_two()
    world.give(a_count(1, **{A: 2, B: 2}))
    assert [lot.sold for lot in world.booth().lots] == [0, 0]


def test_a_count_that_shows_more_gone_than_was_sold_divides_in_its_proportion() -> None:
    world = of_two()
    world.sell("s1", 1, None, 4)
    world.give(a_count(2, **{A: 8, B: 4}))
    assert shares(world) == (1, 3)


def test_a_count_that_shows_less_gone_than_was_sold_leaves_the_rest_to_what_is_there() -> None:
    world = of_two()
    world.sell("s1", 1, None, 6)
    world.give(a_count(2, **{A: 9, B: 9}))
    assert shares(world) == (3, 3)
    world.give(a_count(3, at=later(1), **{A: 10, B: 8}))
    assert sum(shares(world)) == 6


def test_counts_concern_sales_up_to_their_moment_on_the_tills_clocks() -> None:
    world = of_two()
    world.sell("before", 1, None, 6)
    world.sell("after", 2, None, 4, sold_at=later(30))
    world.give(a_count(3, at=later(10), **{A: 10, B: 4}))
    # All 6 before were B's. After, 10 and 4 were there.
    assert shares(world) == (3, 7)


def test_a_count_is_the_same_whether_it_is_heard_before_or_after_the_sales() -> None:
    ends = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 3, 2, 0]):
        world = of_two()
        acts = [
            lambda w: w.sell("before", 1, None, 5),
            lambda w: w.sell("after", 2, None, 4, sold_at=later(30)),
            lambda w: w.sell("label", 3, A, 2, sold_at=later(20)),
            lambda w: w.give(a_count(1, till="T2", at=later(10), **{A: 10, B: 4})),
        ]
        for act in order:
            acts[act](world)
        ends.append((world.pieces(), world.booth().pool("KTI").after_qty, world.lot(A).after_qty))  # type: ignore[union-attr]
    assert ends == [ends[0]] * 4
    assert ends[0][1:] == (4, 2)


def test_of_two_counts_the_later_moment_wins_whichever_is_heard_first() -> None:
    ends = []
    for seqs in ((2, 3), (3, 2)):
        world = of_two()
        world.sell("s1", 1, None, 6)
        counts = {2: a_count(2, at=later(5), **{A: 10, B: 4}), 3: a_count(3, at=later(9), **{A: 4, B: 10})}
        world.give(*(counts[seq] for seq in seqs))
        ends.append(shares(world))
    assert ends == [(6, 0)] * 2


def test_of_two_counts_at_one_moment_the_larger_wins_whichever_is_heard_first() -> None:
    for first, second in ((3, 7), (7, 3)):
        world = of_two()
        world.give(a_count(1, **{A: first}), a_count(2, **{A: second}))
        assert world.lot(A).final == world.lot(A).latest == StockCount(NOON, 7)


def test_a_later_interim_count_does_not_take_the_place_of_a_final_one() -> None:
    world = of_two()
    world.sell("s1", 1, None, 6)
    world.give(a_count(2, **{A: 10, B: 4}), a_count(3, at=later(5), final=False, **{A: 4, B: 10}))
    assert shares(world) == (0, 6)
    assert world.lot(A).latest == StockCount(later(5), 4)


def test_a_count_of_a_lot_that_comes_later_is_kept_for_it() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking(B, 10, facility=MAKERS[B]))
    world.sell("s1", 1, None, 4)
    world.sell("after", 2, None, 1, sold_at=later(5))
    world.give(a_count(3, **{A: 10, B: 6}))
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert pool.after_qty == 1
    world.give(a_stocking(A, 10, facility=MAKERS[A]))
    assert world.lot(A).final == StockCount(NOON, 10)
    assert world.booth().early_counts == ()
    # 4 of B before the count; 1 after it, when 10 and 6 were there.
    assert shares(world) == (1, 4)


def test_a_count_before_the_booth_is_known_is_kept() -> None:
    world = SalesWorld()
    world.give(a_count(1, **{A: 2}), an_opening(), a_stocking(A), a_closing())
    [report] = [body for body in world.fire() if isinstance(body, SellThroughCounted)]
    assert report.lots[0].counted == 2


def test_goods_without_a_label_are_counted_by_product() -> None:
    world = of_two()
    world.sell("label", 1, A, 4)
    world.sell("s1", 2, None, 6)
    world.give(a_count(3, products={"KTI": 10}))
    # 16 were there beyond the label, 6 and 10 by maker; 10 are left.
    assert shares(world) == (2, 4)
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert pool.counted


def test_a_count_by_product_before_any_sale_stands_for_all_that_come_late() -> None:
    world = of_two()
    world.give(a_count(1, products={"KTI": 12}))
    world.sell("late", 1, None, 8, till="T2")
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert (pool.counted, pool.after_qty, shares(world)) == (True, 0, (4, 4))


def test_counts_by_label_and_by_product_go_together() -> None:
    world = of_two()
    world.sell("s1", 1, None, 8)
    world.give(a_count(2, **{A: 9}), a_count(3, at=later(1), products={"KTI": 3}))
    assert shares(world) == (1, 7)


def test_a_late_till_of_before_the_count_changes_the_shares_by_the_count() -> None:
    world = of_two()
    world.sell("s1", 1, None, 3)
    world.give(a_count(2, at=later(60), **{A: 10, B: 4}))
    world.sell("late", 1, None, 3, till="T2", sold_at=later(10))
    assert shares(world) == (0, 6)


def test_a_void_after_the_count_of_a_sale_before_it_takes_its_pieces_back() -> None:
    world = of_two()
    world.sell("s1", 1, None, 4)
    world.sell("s2", 2, None, 4)
    world.give(a_count(3, **{A: 8, B: 4}), a_void("s2", 4, qty=4, voided_at=later(10)))
    assert sum(shares(world)) == 4
    assert shares(world) == (1, 3)


def test_what_a_count_did_not_see_and_no_sale_explains_is_unexplained() -> None:
    world = open_booth(8)
    world.give(a_count(1, L1=0), a_last_word(2), a_last_word(1, "T2"))
    [report] = [body for body in world.give(a_closing()) if isinstance(body, SellThroughCounted)]
    [lot] = report.lots
    assert (lot.stocked, lot.sold, lot.unsold, lot.counted, lot.unexplained) == (8, 0, 8, 0, 8)


def test_what_a_count_saw_is_explained() -> None:
    world = open_booth(8)
    world.sell("s1", 1, qty=3)
    world.give(a_count(2, L1=4))
    assert world.lot().unexplained == 1
    world.give(a_count(3, at=later(1), L1=5))
    assert world.lot().unexplained == 0


def test_a_count_after_settling_corrects_the_settlement_and_says_what_stands_behind_it() -> None:
    world = of_two()
    world.sell("s1", 1, None, 4)
    world.give(a_closing())
    world.fire()
    world.pass_all_on()
    issued = [body for body in world.bodies(SettlementIssued) if body.facility == "LP-AAA"]
    assert [(body.qty, body.provisional_qty, body.provisional_rupiah) for body in issued] == [(2, 2, 2 * PRICE)]
    world.give(a_count(2, **{A: 10, B: 6}))
    world.pass_all_on()
    [corrected] = [body for body in world.bodies(SettlementCorrected) if body.facility == "LP-AAA"]
    assert (corrected.qty, corrected.sold_rupiah, corrected.provisional_qty) == (0, 0, 0)


def test_a_share_is_provisional_until_all_that_is_there_was_counted() -> None:
    world = of_two()
    world.sell("s1", 1, None, 4)
    world.give(a_count(2, **{A: 8}))
    assert not any(body.counted for body in world.bodies(PoolAdjusted))
    world.give(a_count(3, **{B: 8}))
    assert [body.counted for body in world.bodies(PoolAdjusted)][-2:] == [True, True]
    world.give(a_stocking("NEW", 5, facility="LP-C"))
    assert {body.facility: body.counted for body in world.bodies(PoolAdjusted)} == dict.fromkeys(
        ("LP-AAA", "LP-BAA", "LP-C"), False
    )


def test_a_later_count_by_label_replaces_an_earlier_one_by_product() -> None:
    world = open_booth(10, L2=10)
    world.sell("s1", 1, None, 10)
    world.give(a_count(2, at=NOON + timedelta(hours=1), products={"KTI": 10}))
    assert [(lot.lot, lot.sold) for lot in world.booth().lots] == [("L1", 5), ("L2", 5)]
    world.give(a_count(3, at=NOON + timedelta(hours=2), L1=10, L2=0))
    assert [(lot.lot, lot.sold) for lot in world.booth().lots] == [("L1", 0), ("L2", 10)]


def test_counts_of_lots_that_never_come_do_not_fill_the_booth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_EARLY_COUNTS", 1)
    world = open_booth()
    world.give(a_count(1, NEVER=1), a_count(2, NEVER=2))
    with pytest.raises(OverflowError, match="never stocked"):
        world.give(a_count(3, NOR=1))
