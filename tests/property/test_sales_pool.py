"""The shares of a pool and the amounts of a receipt, as functions alone, for whatever they are given."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain.booth import Booth, BoothLot, Pool, StockCount
from services.sales.domain.pool import pool_shares, redistribute
from shared.events.amounts import apportion, net_amounts, value
from tests.support.builders.sales import B1, NOON
from tests.support.examples import examples

pytestmark = pytest.mark.property

FACILITIES = ("LP-A", "LP-B", "LP-C")
tallies = st.none() | st.builds(
    StockCount, st.integers(0, 2).map(lambda hours: NOON + timedelta(hours=hours)), st.integers(0, 12)
)


@st.composite
def a_booth_lot(draw: st.DrawFn, *, counted: bool = True) -> BoothLot:
    """A lot as a booth may hold it, also one that makes no sense."""
    label = draw(st.integers(0, 12))
    return BoothLot(
        lot=f"L{draw(st.integers(0, 999)):03}",
        facility=draw(st.sampled_from(FACILITIES)),
        product="KTI",
        made_on=date(2023, 4, draw(st.integers(1, 3))),
        stocked=draw(st.integers(0, 12)),
        lost=draw(st.integers(0, 4)),
        moved=draw(st.integers(0, 4)),
        label_qty=label,
        named_qty=draw(st.integers(0, label)),
        after_qty=draw(st.integers(0, label)) if counted else 0,
        withdrawn=draw(st.sampled_from([None, None, "mould"])),
        final=draw(tallies) if counted else None,
    )


def shelves(*, counted: bool = True) -> st.SearchStrategy[list[BoothLot]]:
    return st.lists(a_booth_lot(counted=counted), min_size=1, max_size=6, unique_by=lambda lot: lot.lot)


@st.composite
def a_pool(draw: st.DrawFn, *, counted: bool = True) -> Pool:
    qty = draw(st.integers(0, 40))
    after = draw(st.integers(0, qty)) if counted else 0
    return Pool(
        "KTI", qty, draw(st.integers(0, 10**9)) if qty else 0, after, final=draw(tallies) if counted else None
    )


@examples(500)
@given(shelves(), a_pool())
def test_shares_are_whole_and_are_the_pool(lots: list[BoothLot], pool: Pool) -> None:
    shares = pool_shares(lots, pool)
    assert sum(shares) == pool.qty
    assert min(shares) >= 0


@examples(300)
@given(shelves(), a_pool(), st.randoms())
def test_shares_and_their_rupiah_do_not_depend_on_the_order_in_which_lots_came(
    lots: list[BoothLot], pool: Pool, random: object
) -> None:
    shuffled = list(lots)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ends = []
    for order in (lots, shuffled):
        booth = redistribute(Booth(B1, lots=tuple(order), pools=(pool,)), "KTI")
        ends.append({lot.lot: (lot.pool_qty, lot.pool_rupiah) for lot in booth.lots})
        assert sum(rupiah for _, rupiah in ends[-1].values()) == pool.rupiah
        assert not any(rupiah for qty, rupiah in ends[-1].values() if not qty)
    assert ends[0] == ends[1]


@examples(500)
@given(shelves(), a_pool())
def test_no_lot_is_credited_with_more_than_came_while_another_has_room(lots: list[BoothLot], pool: Pool) -> None:
    shares = pool_shares(lots, pool)
    room = sum(lot.creditable for lot in lots)
    for lot, share in zip(lots, shares, strict=True):
        assert share <= lot.creditable or sum(shares) > room


@examples(300)
@given(shelves(counted=False), a_pool(counted=False))
def test_without_counts_shares_are_in_proportion_to_what_is_there_to_less_than_a_piece(
    lots: list[BoothLot], pool: Pool
) -> None:
    there = sum(lot.unlabelled_stock for lot in lots)
    pool = replace(pool, qty=min(pool.qty, there))
    shares = pool_shares(lots, pool)
    for facility in FACILITIES:
        mine = sum(share for lot, share in zip(lots, shares, strict=True) if lot.facility == facility)
        room = sum(lot.unlabelled_stock for lot in lots if lot.facility == facility)
        assert abs(mine * there - pool.qty * room) < there or not there
    assert all(share <= lot.unlabelled_stock for lot, share in zip(lots, shares, strict=True))


@examples(300)
@given(shelves(counted=False), a_pool(counted=False))
def test_within_a_facility_an_older_lot_is_sold_before_a_newer_one_begins(lots: list[BoothLot], pool: Pool) -> None:
    pool = replace(pool, qty=min(pool.qty, sum(lot.unlabelled_stock for lot in lots)))
    shares = dict(zip((lot.lot for lot in lots), pool_shares(lots, pool), strict=True))
    for facility in FACILITIES:
        mine = [lot for lot in lots if lot.facility == facility]
        mine.sort(key=lambda lot: (lot.withdrawn is not None, lot.made_on, lot.lot))
        has_stock = [shares[lot.lot] < lot.unlabelled_stock for lot in mine]
        begun = [shares[lot.lot] > 0 for lot in mine]
        for place, is_left in enumerate(has_stock):
            assert not (is_left and any(begun[place + 1 :]))


@examples(300)
@given(shelves(counted=False), st.data())
def test_a_count_of_all_that_is_left_gives_each_lot_exactly_what_is_gone_of_it(
    lots: list[BoothLot], data: st.DataObject
) -> None:
    lots = [replace(lot, moved=0, lost=0, label_qty=min(lot.label_qty, lot.stocked), named_qty=0) for lot in lots]
    withdrawals = [data.draw(st.integers(0, lot.unlabelled_stock)) for lot in lots]
    counted = [
        replace(lot, final=StockCount(NOON, lot.unlabelled_stock - less))
        for lot, less in zip(lots, withdrawals, strict=True)
    ]
    assert pool_shares(counted, Pool("KTI", sum(withdrawals))) == withdrawals


# amounts


weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any)


@examples(300)
@given(st.integers(0, 10**9), weights)
def test_parts_add_up_and_are_off_by_less_than_one(total: int, given_weights: list[int]) -> None:
    parts = apportion(total, given_weights)
    whole = sum(given_weights)
    assert sum(parts) == total
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, given_weights, strict=True))


@examples(300)
@given(weights, st.data())
def test_no_part_exceeds_its_weight_where_the_total_does_not(given_weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(given_weights)))
    assert all(part <= weight for part, weight in zip(apportion(total, given_weights), given_weights, strict=True))


def test_nothing_is_apportioned_to_nobody_and_something_can_not_be() -> None:
    assert apportion(0, [0, 0]) == [0, 0]
    with pytest.raises(ZeroDivisionError):
        apportion(1, [0, 0])


lines = st.lists(
    st.integers(0, 10**7).flatmap(lambda gross: st.tuples(st.just(gross), st.integers(0, gross))),
    min_size=1,
    max_size=6,
)


@examples(300)
@given(lines, st.data())
def test_net_amounts_are_the_receipts_sum_and_none_is_below_nothing(
    gross_and_discount: list[tuple[int, int]], data: st.DataObject
) -> None:
    gross, discounts = ([pair[place] for pair in gross_and_discount] for place in (0, 1))
    due = sum(gross) - sum(discounts)
    discount = data.draw(st.integers(0, due))
    net = net_amounts(gross, discounts, discount)
    assert sum(net) == due - discount
    for amount, before, less in zip(net, gross, discounts, strict=True):
        assert 0 <= amount <= before - less


@examples(300)
@given(st.integers(0, 10**9), st.integers(1, 500), st.data())
def test_differences_of_values_add_up_to_the_net_however_a_line_is_divided(
    net: int, qty: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, qty), max_size=6)))
    values = [value(net, qty, pieces) for pieces in [0, *cuts, qty]]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0, net)
    assert all(abs(value * qty - net * cut) < qty for value, cut in zip(values, [0, *cuts, qty], strict=True))
