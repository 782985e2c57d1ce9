"""Refills under anything that booths sell and hold: rules hold, who gives is not left short, the same every time."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from services.festival.domain.planning import AvailableLot, Plan, Rules, plan
from services.festival.domain.replenishment import (
    HeldLot,
    Proposal,
    SalesHistory,
    SalesHour,
    Situation,
    propose,
    rules_after,
)
from services.festival.domain.replenishment.forecast import rates
from services.festival.domain.replenishment.proposal import FEW

CASES = 400
NOON = datetime(2023, 4, 18, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAST_DAY = date(2023, 4, 20)
PRODUCTS = ("p", "q", "r")
FACILITIES = ("F1", "F2", "F3")


@dataclass(frozen=True)
class Case:
    """`plan`: who sends what of the refills."""

    now: Situation
    made: Proposal
    plan: Plan

    @property
    def hours(self) -> float:
        return (self.now.until - self.now.at) / HOUR

    def left(self, booth: str, product: str) -> int:
        """On the shelf and on its way, before any move."""
        return sum(
            lot.left + lot.coming
            for lot in self.now.held
            if (lot.booth, lot.product) == (booth, product) and not lot.withdrawn
        )

    def moved(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        """Pieces out of and into each booth, by product."""
        out, into = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for move in self.made.moves:
            out[move.booth, move.product] += move.qty
            into[move.to, move.product] += move.qty
        return out, into


def a_situation(rng: Random) -> Situation:
    booths = [f"b{n}" for n in range(rng.randint(1, 6))]
    rows = [(booth, product) for booth in booths for product in PRODUCTS if rng.random() < 0.8]
    held_lots = [
        HeldLot(
            booth,
            f"{product}{lot}",
            rng.choice(FACILITIES),
            product,
            date(2023, 4, rng.randint(1, 9)),
            rng.choice((0, 1, 5, 20, 100)),
            rng.choice((0, 0, 0, 7)),
            rng.choice((None, None, LAST_DAY + timedelta(days=rng.randint(-1, 3)))),
            rng.random() < 0.1,
        )
        for booth, product in rows
        for lot in range(rng.randint(0, 3))
    ]
    histories = [
        SalesHistory(
            booth,
            product,
            tuple(
                SalesHour(9 + n, rng.choice((0, 0, 1, 4, 12)), rng.choice((0, 15, 60, 60)))
                for n in range(rng.randint(0, 5))
            ),
        )
        for booth, product in rows
        if rng.random() < 0.9
    ]
    categories = {(booth, product): rng.choice("xy") for booth in booths for product in PRODUCTS}
    rules = Rules(
        last_day=LAST_DAY,
        days_left=0,
        lead_days={facility: rng.randint(0, 1) for facility in FACILITIES},
        capacity={booth: rng.randint(0, 40) for booth in booths if rng.random() < 0.5},
        categories=categories,
        limits={(booth, kind): rng.randint(0, 20) for booth in booths for kind in "xy" if rng.random() < 0.4},
        spread_evenly=True,
    )
    sells = {booth: frozenset(p for p in PRODUCTS if rng.random() < 0.9) for booth in booths}
    until = NOON + timedelta(minutes=rng.randint(1, 540))
    return Situation(NOON, until, sells, tuple(histories), tuple(held_lots), rules)


def some_stock(rng: Random) -> list[AvailableLot]:
    return [
        AvailableLot(
            f"{facility}{product}",
            facility,
            product,
            rng.randint(0, 60),
            date(2023, 4, 1),
            rng.choice((None, LAST_DAY, LAST_DAY + timedelta(days=5))),
            1,
        )
        for facility in FACILITIES
        for product in PRODUCTS
    ]


def a_case(rng: Random) -> Case:
    now, stock = a_situation(rng), some_stock(rng)
    made = propose(now)
    return Case(
        now, made, plan([refill.wanted for refill in made.refills], stock, rules=rules_after(now.rules, made.moves))
    )


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [a_case(Random(seed)) for seed in range(CASES)]


def test_there_is_something_to_see(cases: list[Case]) -> None:
    assert sum(bool(case.made.moves) for case in cases) > CASES / 4
    assert sum(bool(case.plan.allotments) for case in cases) > CASES / 4


def test_only_what_is_on_the_shelf_and_good_is_moved_to_where_it_has_a_price(cases: list[Case]) -> None:
    for case in cases:
        moved_pieces = Counter[tuple[str, str]]()
        held_lots = {(lot.booth, lot.lot): lot for lot in case.now.held}
        for move in case.made.moves:
            lot = held_lots[move.booth, move.lot]
            moved_pieces[move.booth, move.lot] += move.qty
            assert move.booth != move.to
            assert not lot.withdrawn
            assert lot.best_before is None or lot.best_before >= LAST_DAY
            assert (move.product, move.facility) == (lot.product, lot.facility)
            assert move.product in case.now.sells[move.to]
        assert all(0 < qty <= held_lots[key].left for key, qty in moved_pieces.items())


def test_who_gives_is_not_left_short_and_gets_none(cases: list[Case]) -> None:
    for case in cases:
        out, into = case.moved()
        assert not out.keys() & into.keys()
        estimates = rates(case.now.histories)
        for (booth, product), qty in out.items():
            rate = estimates.get((booth, product))
            keeps = 0 if rate is None else rate.expected(case.hours) + rate.spread(case.hours)
            assert case.left(booth, product) - qty >= keeps
        assert not out.keys() & {(refill.wanted.booth, refill.wanted.product) for refill in case.made.refills}


def test_nobody_gets_more_than_will_probably_be_sold_there(cases: list[Case]) -> None:
    for case in cases:
        _, into = case.moved()
        estimates = rates(case.now.histories)
        sent = Counter(
            {(refill.wanted.booth, refill.wanted.product): refill.wanted.qty for refill in case.made.refills}
        )
        for key in into.keys() | sent.keys():
            expected, spread = estimates[key].expected(case.hours), estimates[key].spread(case.hours)
            assert case.left(*key) + into[key] <= expected + spread + 1
            if key in sent:
                assert case.left(*key) + into[key] + sent[key] <= expected + 1


def test_booths_get_what_they_have_room_for(cases: list[Case]) -> None:
    for case in cases:
        arriving, kinds = Counter[str](), Counter[tuple[str, str]]()
        rules = case.now.rules
        parcels = [(allotment.booth, allotment.lot.product, allotment.qty) for allotment in case.plan.allotments]
        for booth, product, qty in [*((m.to, m.product, m.qty) for m in case.made.moves), *parcels]:
            arriving[booth] += qty
            kinds[booth, rules.categories[booth, product]] += qty
        assert all(arriving[booth] <= most for booth, most in rules.capacity.items())
        assert all(kinds[kind] <= most for kind, most in rules.limits.items())


def test_parcels_come_in_time_and_keep(cases: list[Case]) -> None:
    for case in cases:
        for allotment in case.plan.allotments:
            assert case.now.rules.lead_days[allotment.lot.facility] == 0
            assert allotment.lot.best_before is None or allotment.lot.best_before >= LAST_DAY
        if case.now.until - case.now.at <= case.now.sent_within:
            assert case.made.refills == ()
        if case.now.until - case.now.at <= case.now.carried_within:
            assert case.made.moves == ()


def test_nobody_walks_for_a_few_pieces(cases: list[Case]) -> None:
    for case in cases:
        carried = Counter[tuple[str, str, str]]()
        for move in case.made.moves:
            carried[move.booth, move.to, move.product] += move.qty
        assert all(qty >= FEW for qty in carried.values())
        assert all(refill.wanted.qty >= FEW for refill in case.made.refills)


def test_the_order_of_what_is_given_changes_nothing(cases: list[Case]) -> None:
    rng = Random(1)
    for case in cases[:100]:
        now = case.now
        shuffled = replace(
            now,
            sells=dict(rng.sample(list(now.sells.items()), len(now.sells))),
            histories=tuple(rng.sample(now.histories, len(now.histories))),
            held=tuple(rng.sample(now.held, len(now.held))),
        )
        assert propose(shuffled) == case.made


def test_what_is_said_of_a_booth_agrees_with_itself(cases: list[Case]) -> None:
    for case in cases:
        for forecast in case.made.forecasts:
            assert forecast.left == case.left(forecast.booth, forecast.product)
            assert forecast.missing == max(0, forecast.expected - forecast.left)
            assert forecast.runs_out is None or case.now.at <= forecast.runs_out <= case.now.until
            assert not forecast.missing or forecast.runs_out is not None
