"""Unlabelled sales: their division among makers, and the published adjustments. Pieces and prices are made up."""

from dataclasses import replace
from datetime import date

import pytest

from services.sales.domain import pool as pools
from services.sales.domain.booth import BoothLot, Pool, StockCount
from services.sales.domain.receipt import SaleStatus
from shared.events.sales import AdjustmentCause, PartBasis, PoolAdjusted, SaleAccounted, SaleShared
from tests.support.builders.sales import (
    NOON,
    PRICE,
    SalesWorld,
    a_closing,
    a_count,
    a_loss,
    a_move,
    a_reinstatement,
    a_stocking,
    a_void,
    a_withdrawal,
    an_opening,
    an_order,
)


def a_booth(*lots: tuple[str, str, int]) -> SalesWorld:
    """An open booth with lots (lot, facility, pieces), of which the first is the oldest."""
    world = SalesWorld()
    world.give(an_opening())
    for day, (lot, facility, qty) in enumerate(lots, 1):
        world.give(a_stocking(lot, qty, facility=facility, made_on=date(2023, 4, day)))
    world.published.clear()
    return world


def of_three() -> SalesWorld:
    """20 pieces of one product by three makers."""
    return a_booth(("A", "LA-KPG", 5), ("B", "LP-ATB", 5), ("C", "LP-KPG", 10))


def parts(world: SalesWorld, receipt: str) -> dict[str, int]:
    return {part.lot: part.qty for part in world.sale(receipt).parts}


def shares(world: SalesWorld) -> dict[str, int]:
    """Pieces of the pool, by lot."""
    return {lot.lot: lot.pool_qty for lot in world.booth().lots}


# how the pieces are shared


def test_a_sale_by_product_takes_of_every_maker_in_proportion_and_nothing_is_in_dispute() -> None:
    world = of_three()
    world.sell("s1", 1, None, 15)
    assert parts(world, "s1") == {"A": 4, "B": 4, "C": 7}
    assert {part.basis for part in world.sale("s1").parts} == {PartBasis.SHARE}
    sale = world.sale("s1")
    assert (sale.status, sale.waiting, sale.disputed) == (SaleStatus.RECORDED, 0, 0)
    assert {facility: world.earned(facility) for facility in ("LA-KPG", "LP-ATB", "LP-KPG")} == {
        "LA-KPG": (4, 4 * PRICE),
        "LP-ATB": (4, 4 * PRICE),
        "LP-KPG": (7, 7 * PRICE),
    }
    assert sum(lot.unsold for lot in world.booth().lots) == 5
    # One sale can be dealt as the shares should be, so nothing is left to adjust.
    assert world.bodies(PoolAdjusted) == []


def test_a_sale_of_more_than_there_is_waits_for_the_rest_only() -> None:
    world = of_three()
    world.sell("s1", 1, None, 23)
    assert (sum(parts(world, "s1").values()), world.sale("s1").waiting) == (20, 3)
    world.give(a_closing())
    world.fire()
    assert world.sale("s1").disputed == 3
    assert shares(world) == {"A": 5, "B": 5, "C": 10}


def test_the_shares_are_those_of_all_sales_together_not_of_one_by_one() -> None:
    world = of_three()
    for n in range(1, 16):
        world.sell(f"s{n}", n, None)
    assert shares(world) == {"A": 4, "B": 4, "C": 7}
    assert [world.earned(f)[0] for f in ("LA-KPG", "LP-ATB", "LP-KPG")] == [4, 4, 7]


def test_labelled_sales_come_first_and_the_pool_is_shared_by_what_is_there_beyond_them() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.sell("s1", 1, None, 8)
    assert shares(world) == {"A": 4, "B": 4}
    world.sell("s2", 2, "A", 8)
    assert world.pieces() == {"A": (8, 1), "B": (0, 7)}
    # What single sales told stays; makers hear of the difference.
    assert parts(world, "s1") == {"A": 4, "B": 4}
    assert [(body.facility, body.adjusted_qty, body.cause) for body in world.bodies(PoolAdjusted)] == [
        ("LP-A", -3, AdjustmentCause.SALE),
        ("LP-B", 3, AdjustmentCause.SALE),
    ]
    assert (world.earned("LP-A"), world.earned("LP-B")) == ((9, 9 * PRICE), (7, 7 * PRICE))


def test_a_labelled_sale_never_waits_for_what_the_pool_could_have_of_another_lot() -> None:
    world = a_booth(("A", "LP-A", 5), ("B", "LP-B", 5))
    world.sell("s1", 1, None, 5)
    world.sell("s2", 2, "A", 5)
    assert world.pieces() == {"A": (5, 0), "B": (0, 5)}


def test_a_labelled_sale_never_moves() -> None:
    world = a_booth(("A", "LP-A", 5), ("B", "LP-B", 5))
    world.sell("s1", 1, "A", 3)
    labelled = world.sale("s1")
    world.sell("s2", 2, None, 5)
    world.give(a_count(3, A=0, B=5), a_count(4, final=True, A=2), a_void("s2", 5, qty=2), a_loss(1, "B"))
    world.give(a_withdrawal("A"), a_stocking("B", 9, facility="LP-B"), a_move(1, "A"))
    assert world.sale("s1") == labelled
    assert world.lot("A").label_qty == 3
    assert [body.revision for body in world.bodies(SaleAccounted) if body.sale == "s1/1"] == [1]


def test_within_a_facility_the_oldest_lot_comes_first_and_a_recalled_one_last() -> None:
    world = a_booth(("OLD", "LP-A", 3), ("NEW", "LP-A", 3))
    world.sell("s1", 1, None, 4)
    assert shares(world) == {"OLD": 3, "NEW": 1}
    world.give(a_withdrawal("OLD"))
    assert shares(world) == {"OLD": 1, "NEW": 3}
    # The same facility's sum, so its settlement does not change.
    assert world.earned("LP-A") == (4, 4 * PRICE)
    world.give(a_reinstatement("OLD"), a_reinstatement("OLD"), a_reinstatement("UNKNOWN"))
    assert shares(world) == {"OLD": 3, "NEW": 1}


def test_of_lots_made_on_one_day_the_lower_number_is_the_older() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("L2", 5), a_stocking("L1", 5))
    world.sell("s1", lot=None)
    assert shares(world) == {"L2": 0, "L1": 1}


def test_stock_that_comes_later_shares_in_all_that_was_sold() -> None:
    world = a_booth(("A", "LP-A", 10))
    world.sell("s1", 1, None, 6)
    world.give(a_stocking("B", 10, facility="LP-B"))
    assert shares(world) == {"A": 3, "B": 3}
    assert [(body.facility, body.share_qty, body.cause) for body in world.bodies(PoolAdjusted)] == [
        ("LP-A", 3, AdjustmentCause.STOCK),
        ("LP-B", 3, AdjustmentCause.STOCK),
    ]


def test_what_was_lost_or_moved_shares_no_more() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.sell("s1", 1, None, 6)
    world.give(a_loss(5, "A"))
    assert shares(world) == {"A": 2, "B": 4}
    world.give(a_move(5, "A"))
    assert shares(world) == {"A": 0, "B": 6}


def test_a_pool_that_losses_leave_no_room_is_of_the_lots_that_came() -> None:
    world = a_booth(("A", "LP-A", 4), ("B", "LP-B", 4))
    world.sell("s1", 1, None, 6)
    world.give(a_loss(4, "A"), a_loss(4, "B"))
    # The lost pieces were sold before, so each has no more than came of it.
    assert shares(world) == {"A": 3, "B": 3}


def test_other_products_have_no_part_in_it() -> None:
    world = a_booth(("A", "LP-A", 4))
    world.give(a_stocking("C", 9, facility="LP-C", product="KUE"))
    world.sell("s1", 1, None, 2)
    assert shares(world) == {"A": 2, "C": 0}


# rupiah


def test_the_pools_rupiah_follow_the_pieces_and_not_whose_pieces_single_sales_told() -> None:
    world = a_booth(("A", "LP-A", 2), ("B", "LP-B", 2))
    world.sell("cheap", 1, None, 1, unit_price_rupiah=1)
    world.sell("dear", 2, None, 1, unit_price_rupiah=100)
    assert [lot.pool_rupiah for lot in world.booth().lots] == [51, 50]
    assert (world.earned("LP-A"), world.earned("LP-B")) == ((1, 51), (1, 50))


def test_adjustments_cancel_to_nothing_over_the_facilities() -> None:
    world = of_three()
    for n in range(1, 8):
        world.sell(f"s{n}", n, None, 2, unit_price_rupiah=n * 777)
    world.give(a_count(8, A=0, B=5, C=1), a_void("s3", 9), an_order("s1", 2))
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert (sum(lot_sum.qty for lot_sum in pool.adjusted), sum(lot_sum.rupiah for lot_sum in pool.adjusted)) == (0, 0)
    latest = {body.facility: body for body in world.bodies(PoolAdjusted)}
    assert (
        sum(body.adjusted_qty for body in latest.values())
        == sum(body.adjusted_rupiah for body in latest.values())
        == 0
    )
    assert sum(body.share_rupiah for body in latest.values()) == pool.rupiah


# what makers hear


def test_each_cause_is_told_with_one_adjustment_per_facility_and_a_revision() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.sell("s1", 1, None, 8)
    world.give(a_count(2, A=10, B=2))
    counted = world.bodies(PoolAdjusted)
    assert [(body.facility, body.share_qty, body.revision, body.cause) for body in counted] == [
        ("LP-A", 0, 1, AdjustmentCause.COUNT),
        ("LP-B", 8, 1, AdjustmentCause.COUNT),
    ]
    world.published.clear()
    # Of 4 and 4 that the sale told, the last 6 go: its parts are 2 and 0, the shares 0 and 2.
    world.give(a_void("s1", 3, qty=6))
    assert [(body.facility, body.share_qty, body.revision, body.cause) for body in world.bodies(PoolAdjusted)] == [
        ("LP-A", 0, 2, AdjustmentCause.VOID),
        ("LP-B", 2, 2, AdjustmentCause.VOID),
    ]


def test_all_changes_of_one_cause_but_the_last_of_a_facility_are_marked_as_continued() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.sell("s1", 1, None, 8)
    world.give(a_count(2, A=10, B=2))
    published = world.give(a_void("s1", 3, qty=6))
    own_events = [
        body for body in published if isinstance(body, SaleShared | PoolAdjusted) and body.facility == "LP-A"
    ]
    assert [(type(body), body.continued) for body in own_events] == [(SaleShared, True), (PoolAdjusted, False)]


def test_what_moves_nothing_is_not_told() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.sell("s1", 1, None, 8)
    assert world.give(a_loss(1, "A"), a_stocking("A", 1, facility="LP-A"), a_count(2, final=False, A=0)) == []


def test_who_has_a_share_only_after_the_count_hears_that_a_count_stands_behind_it() -> None:
    world = a_booth(("A", "LP-A", 10), ("B", "LP-B", 10))
    world.give(a_count(1, products={"KTI": 20}))
    # A late till: sold before the count, heard after it.
    world.sell("late", 1, None, 2, till="T2")
    latest = {body.facility: body for body in world.bodies(PoolAdjusted)}
    assert {facility: (body.counted, body.share_qty) for facility, body in latest.items()} == {
        "LP-A": (True, 1),
        "LP-B": (True, 1),
    }
    world.pass_all_on()
    assert [share.provisional_qty for share in world.settlement("LP-A").booths] == [0]
    world.published.clear()
    world.sell("later", 2, None, 2, till="T2")
    assert world.bodies(PoolAdjusted) == []


def test_who_lost_its_share_and_has_one_again_hears_that_no_count_stands_behind_it_any_more() -> None:
    world = a_booth(("A", "LP-A", 2), ("B", "LP-B", 2))
    world.sell("s1", 1, None, 1)
    assert shares(world) == {"A": 1, "B": 0}
    world.give(a_count(2, A=1, B=2), a_void("s1", 3))
    world.give(a_stocking("C", 1, facility="LP-C"))
    world.sell("s2", 4, None, 1)
    world.pass_all_on()
    assert shares(world) == {"A": 1, "B": 0, "C": 0}
    assert world.settlement("LP-A").provisional_qty == 1


# the function alone


def a_lot(lot: str, facility: str, stocked: int, **changed: object) -> BoothLot:
    return replace(BoothLot(lot, facility, "KTI", date(2023, 4, 1), stocked=stocked), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lots", "pool", "shared"),
    [
        pytest.param([(9, {}), (1, {})], Pool("KTI", 5), [5, 0], id="largest remainder: 4,5 and 0,5"),
        pytest.param([(5, {}), (0, {})], Pool("KTI", 3), [3, 0], id="a lot without stock has none"),
        pytest.param([(5, {"lost": 5}), (5, {})], Pool("KTI", 5), [0, 5], id="lost pieces were not sold"),
        pytest.param([(5, {"label_qty": 4}), (5, {})], Pool("KTI", 3), [1, 2], id="beyond labelled sales"),
        pytest.param(
            [(5, {"final": StockCount(NOON, 5)}), (5, {"final": StockCount(NOON, 1)})],
            Pool("KTI", 4),
            [0, 4],
            id="counts say whose pieces are gone",
        ),
        pytest.param(
            [(5, {"final": StockCount(NOON, 5)}), (5, {})],
            Pool("KTI", 4),
            [0, 4],
            id="what was not counted may be gone",
        ),
        pytest.param(
            [(5, {"final": StockCount(NOON, 5)}), (5, {"final": StockCount(NOON, 5)})],
            Pool("KTI", 4),
            [2, 2],
            id="counts that deny all sales leave it to the stock",
        ),
        pytest.param(
            [(10, {"final": StockCount(NOON, 8)}), (10, {"final": StockCount(NOON, 2)})],
            Pool("KTI", 6, after_qty=2),
            # 2 and 8 are gone: of 4 sold before the count 1 and 3. After it: of 8 and 2 left.
            [3, 3],
            id="sold after the count: of what the count left",
        ),
        pytest.param(
            [
                (5, {"label_qty": 5, "after_qty": 5, "final": StockCount(NOON, 0)}),
                (5, {"final": StockCount(NOON, 5)}),
            ],
            Pool("KTI", 5),
            [0, 5],
            id="a count that denies labelled sales credits nobody twice",
        ),
        pytest.param(
            [(5, {"lost": 4, "label_qty": 5}), (5, {"lost": 4})],
            Pool("KTI", 5),
            [0, 5],
            id="lost pieces that labels name were not sold without one",
        ),
        pytest.param([(2, {}), (2, {})], Pool("KTI", 5), [3, 2], id="a pool never loses a piece"),
        pytest.param(
            [(10, {}), (10, {})],
            Pool("KTI", 4, final=StockCount(NOON, 16)),
            [2, 2],
            id="a count by product shows what is gone of all",
        ),
        pytest.param(
            [(10, {"final": StockCount(NOON, 9)}), (10, {})],
            Pool("KTI", 4, final=StockCount(NOON, 7)),
            [1, 3],
            id="goods without a label are of lots that were not counted by label",
        ),
    ],
)
def test_the_pieces_of_a_pool_are_shared(
    lots: list[tuple[int, dict[str, object]]], pool: Pool, shared: list[int]
) -> None:
    booth_lots = [
        a_lot(name, f"LP-{name}", qty, **changed) for name, (qty, changed) in zip("ABC", lots, strict=False)
    ]
    assert pools.pool_shares(booth_lots, pool) == shared


def test_shares_are_by_facility_and_not_by_how_many_lots_it_sent() -> None:
    lots = [a_lot("A1", "LP-A", 5), a_lot("A2", "LP-A", 5), a_lot("B1", "LP-B", 10)]
    assert pools.pool_shares(lots, Pool("KTI", 7)) == [4, 0, 3]
