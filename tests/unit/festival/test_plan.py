"""The planner: fair in whole pieces, within stock and demand, deterministic."""

from datetime import date
from fractions import Fraction
from itertools import product as every
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain.planning import AvailableLot, EarlierShare, Plan, RequestDemand, Rules, plan

DAY = date(2023, 4, 1)


def a_lot(
    lot: str, facility: str, product: str, qty: int, made_on: date = DAY, best_before: date | None = None
) -> AvailableLot:
    return AvailableLot(lot, facility, product, qty, made_on, best_before, 1)


def allocation_by_facility(result: Plan) -> dict[str, int]:
    return {share.facility: share.allocated for share in result.shares}


facilities = st.sampled_from(["A", "B", "C"])
products = st.sampled_from(["p", "q", "r"])
stocks = st.lists(st.tuples(facilities, products, st.integers(0, 4)), max_size=7).map(
    lambda lots: [a_lot(f"L{n}", facility, product, qty) for n, (facility, product, qty) in enumerate(lots)]
)
wishes = st.dictionaries(st.tuples(st.sampled_from(["b1", "b2"]), products), st.integers(1, 5), max_size=4).map(
    lambda pieces_by_pair: [RequestDemand(booth, product, qty) for (booth, product), qty in pieces_by_pair.items()]
)


def best_shares(
    wanted: list[RequestDemand], stock: list[AvailableLot], before: dict[str, EarlierShare]
) -> list[Fraction]:
    """The largest sorted shares, found by trying every whole-piece plan."""
    pieces_by_product: dict[str, int] = {}
    for want in wanted:
        pieces_by_product[want.product] = pieces_by_product.get(want.product, 0) + want.qty
    has: dict[tuple[str, str], int] = {}
    for lot in stock:
        if lot.product in pieces_by_product and lot.qty:
            has[lot.facility, lot.product] = has.get((lot.facility, lot.product), 0) + lot.qty
    offers = {pair: min(qty, pieces_by_product[pair[1]]) for pair, qty in has.items()}
    givers = sorted({facility for facility, _ in offers})
    # First the possible totals by facility of each product, then every combination of them.
    totals = {tuple(0 for _ in givers)}
    for product in pieces_by_product:
        ranges = [range(offers.get((giver, product), 0) + 1) for giver in givers]
        possible = [combination for combination in every(*ranges) if sum(combination) <= pieces_by_product[product]]
        totals = {tuple(a + b for a, b in zip(first, second, strict=True)) for first in totals for second in possible}
    base = [before.get(giver, EarlierShare()) for giver in givers]
    offered = [sum(qty for (f, _), qty in offers.items() if f == giver) for giver in givers]
    return max(
        sorted(
            Fraction(b.allocated + extra, b.offered + own) for b, extra, own in zip(base, total, offered, strict=True)
        )
        for total in totals
    )


def shares(result: Plan) -> list[Fraction]:
    return sorted(Fraction(share.allocated, share.offered) for share in result.shares)


@given(wishes, stocks)
def test_no_plan_has_larger_sorted_shares(wanted: list[RequestDemand], stock: list[AvailableLot]) -> None:
    assert shares(plan(wanted, stock)) == best_shares(wanted, stock, {})


befores = st.dictionaries(
    facilities, st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: EarlierShare(sum(pair), pair[0]))
)


@given(wishes, stocks, befores)
def test_what_was_given_before_counts_in(
    wanted: list[RequestDemand], stock: list[AvailableLot], before: dict[str, EarlierShare]
) -> None:
    assert shares(plan(wanted, stock, before)) == best_shares(wanted, stock, before)


@given(wishes, stocks, st.randoms(use_true_random=False))
def test_a_plan_takes_no_more_than_there_is_nor_than_was_asked(
    wanted: list[RequestDemand], stock: list[AvailableLot], random: Random
) -> None:
    result = plan(wanted, stock)
    for lot in stock:
        assert sum(chosen.qty for chosen in result.allotments if chosen.lot == lot) <= lot.qty
    short = {(shortfall.booth, shortfall.product): shortfall.qty for shortfall in result.short}
    for want in wanted:
        pieces = sum(c.qty for c in result.allotments if (c.booth, c.lot.product) == (want.booth, want.product))
        assert pieces + short.get((want.booth, want.product), 0) == want.qty
    assert all(chosen.qty > 0 for chosen in result.allotments)
    for share in result.shares:
        assert share.allocated == sum(c.qty for c in result.allotments if c.lot.facility == share.facility)
        assert 0 <= share.allocated <= share.offered
    shuffled = random.sample(stock, len(stock))
    assert plan(wanted, shuffled) == result


@given(wishes, stocks)
def test_within_a_facility_what_spoils_first_leaves_first_then_what_is_oldest(
    wanted: list[RequestDemand], stock: list[AvailableLot]
) -> None:
    dated = [
        a_lot(lot.lot, lot.facility, lot.product, lot.qty, date(2023, 4, 9 - n), date(2023, 5, 1) if n % 2 else None)
        for n, lot in enumerate(stock)
    ]
    result = plan(wanted, dated)
    pieces_by_lot = {lot.lot: sum(c.qty for c in result.allotments if c.lot == lot) for lot in dated}
    for combination, other in every(dated, dated):
        same = (combination.facility, combination.product) == (other.facility, other.product)
        sooner = (combination.best_before or date.max, combination.made_on) < (
            other.best_before or date.max,
            other.made_on,
        )
        if same and sooner and pieces_by_lot[other.lot]:
            assert pieces_by_lot[combination.lot] == combination.qty


def test_who_alone_makes_a_product_leaves_the_shared_one_to_the_others() -> None:
    stock = [a_lot("1", "A", "p", 10), a_lot("2", "A", "q", 10), a_lot("3", "B", "p", 10)]
    result = plan([RequestDemand("b", "p", 10), RequestDemand("b", "q", 10)], stock)
    assert allocation_by_facility(result) == {"A": 13, "B": 7}  # 13/20 and 7/10: a piece less for B would be 6/10


def test_equal_shares_go_first_to_who_offered_less() -> None:
    result = plan(
        [RequestDemand("b", "p", 1)], [a_lot("1", "A", "p", 1), a_lot("2", "A", "q", 5), a_lot("3", "B", "p", 1)]
    )
    assert allocation_by_facility(result) == {"A": 1, "B": 0}  # A offers no q that was asked: then the smaller id
    wanted = [RequestDemand("b", "p", 1), RequestDemand("b", "q", 1)]
    stock = [a_lot("1", "A", "p", 1), a_lot("2", "A", "q", 1), a_lot("3", "B", "p", 1), a_lot("4", "C", "q", 1)]
    assert allocation_by_facility(plan(wanted, stock)) == {"A": 0, "B": 1, "C": 1}


def test_booths_share_what_is_short_if_they_are_to() -> None:
    result = plan(
        [RequestDemand("b1", "p", 10), RequestDemand("b2", "p", 30)],
        [a_lot("1", "A", "p", 20)],
        rules=Rules(spread_evenly=True),
    )
    assert {(shortfall.booth, shortfall.qty) for shortfall in result.short} == {("b1", 5), ("b2", 15)}


def test_a_booth_is_filled_by_who_sends_it_something_already() -> None:
    wanted = [RequestDemand("b1", "p", 5), RequestDemand("b1", "q", 5), RequestDemand("b2", "q", 5)]
    result = plan(wanted, [a_lot("1", "A", "q", 5), a_lot("2", "B", "p", 5), a_lot("3", "B", "q", 5)])
    assert {(c.booth, c.lot.facility) for c in result.allotments} == {("b1", "B"), ("b2", "A")}


def test_every_facility_is_told_why() -> None:
    stock = [a_lot("1", "A", "p", 4), a_lot("2", "B", "p", 40), a_lot("3", "C", "q", 2)]
    result = plan([RequestDemand("b", "p", 10), RequestDemand("b", "q", 5)], stock)
    assert [share.reason for share in result.shares] == [
        "3 of 4 pieces (75 %): no more was asked of p, which B can give too; "
        "the smallest share is made as large as it can be.",
        "7 of 10 pieces (70 %): no more was asked of p, which A can give too; "
        "the smallest share is made as large as it can be.",
        "All 2 pieces that it could offer of what was asked are taken.",
    ]


def test_millions_of_pieces_are_planned_as_whole_pieces_too() -> None:
    stock = [a_lot("1", "A", "p", 999_983), a_lot("2", "B", "p", 1_000_000), a_lot("3", "B", "q", 7)]
    result = plan([RequestDemand("b", "p", 1_000_000), RequestDemand("c", "q", 1_000_000)], stock)
    a, b = result.shares
    assert a.allocated + b.allocated == 1_000_007
    assert abs(Fraction(a.allocated, a.offered) - Fraction(b.allocated, b.offered)) < Fraction(1, 999_983)
