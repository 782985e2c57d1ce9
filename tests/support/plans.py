"""Made-up stock, wishes and rules for a planner, and what makes a plan right: said without the planner's own code."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from services.festival.domain.planning import AvailableLot, EarlierShare, Plan, RequestDemand, Rules

LAST_DAY = date(2023, 4, 20)


@dataclass(frozen=True)
class Case:
    wanted: list[RequestDemand]
    stock: list[AvailableLot]
    before: dict[str, EarlierShare]
    rules: Rules


@dataclass(frozen=True)
class Bounds:
    """What hard rules leave: `offers` by facility and product, `capacity` by booth, `limits` by booth and category
    (the products and how many pieces)."""

    offers: dict[tuple[str, str], int]
    asks: dict[tuple[str, str], int]
    capacity: dict[str, int]
    limits: list[tuple[str, tuple[str, ...], int]]


def a_case(random: Random, facilities: int, products: int, booths: int, pieces: int, *, even: bool = False) -> Case:
    """Up to so many of each, with rules of every kind; `pieces`: the most in one lot or wish."""
    names = [f"p{n}" for n in range(random.randint(1, products))]
    stock = [
        AvailableLot(
            f"L{f}-{product}-{n}",
            f"F{f}",
            product,
            random.randint(0, pieces),
            LAST_DAY - timedelta(random.randint(1, 60)),
            random.choice([None, None, LAST_DAY + timedelta(random.randint(-2, 9))]),
            1,
        )
        for f in range(random.randint(1, facilities))
        for product in names
        for n in range(random.choice([0, 1, 1, 2]))
    ]
    wanted = [
        RequestDemand(f"b{b}", product, random.randint(1, pieces))
        for b in range(random.randint(1, booths))
        for product in names
        if random.random() < 0.7
    ]
    totals = Counter[str]()
    for want in wanted:
        totals[want.booth] += want.qty
    categories = {(want.booth, want.product): random.choice("xy") for want in wanted}
    before = {
        f"F{f}": EarlierShare(2 + f % 3, random.randint(0, 2)) for f in range(facilities) if random.random() < 0.2
    }
    rules = Rules(
        last_day=LAST_DAY,
        days_left=random.choice([None, 5]),
        lead_days={f"F{f}": random.randint(1, 6) for f in range(facilities)},
        capacity={booth: random.randint(0, whole) for booth, whole in totals.items() if random.random() < 0.5},
        categories=categories,
        limits={
            (booth, category): random.randint(0, whole)
            for booth, whole in totals.items()
            for category in "xy"
            if random.random() < 0.4
        },
        weights={f"F{f}": random.randint(1, 3) for f in range(facilities) if random.random() < 0.3},
        spread_evenly=even,
    )
    return Case(wanted, stock, before, rules)


def bounds(case: Case) -> Bounds:
    rules = case.rules
    totals = Counter[str]()
    for want in case.wanted:
        totals[want.product] += want.qty
    has = Counter[tuple[str, str]]()
    for lot in case.stock:
        on_time = rules.days_left is None or rules.lead_days.get(lot.facility, 0) <= rules.days_left
        good = lot.best_before is None or rules.last_day is None or lot.best_before >= rules.last_day
        if on_time and good and lot.product in totals and lot.qty:
            has[lot.facility, lot.product] += lot.qty
    return Bounds(
        offers={pair: min(qty, totals[pair[1]]) for pair, qty in has.items()},
        asks={(want.booth, want.product): want.qty for want in case.wanted},
        capacity=dict(rules.capacity),
        limits=[
            (booth, tuple(p for (b, p), c in sorted(rules.categories.items()) if (b, c) == (booth, category)), limit)
            for (booth, category), limit in rules.limits.items()
        ],
    )


def check(case: Case, made: Plan) -> None:
    """Every hard rule holds, and the plan's parts say the same."""
    within = bounds(case)
    by_lot, by_pair, by_want, by_facility = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]](), {}
    for allotment in made.allotments:
        assert allotment.qty > 0
        by_lot[allotment.lot.lot] += allotment.qty
        by_pair[allotment.lot.facility, allotment.lot.product] += allotment.qty
        by_want[allotment.booth, allotment.lot.product] += allotment.qty
        by_facility[allotment.lot.facility] = by_facility.get(allotment.lot.facility, 0) + allotment.qty
    there = {lot.lot: lot.qty for lot in case.stock}
    assert all(qty <= there[lot] for lot, qty in by_lot.items())
    assert all(qty <= within.offers.get(pair, 0) for pair, qty in by_pair.items())
    assert all(qty <= within.asks.get(want, 0) for want, qty in by_want.items())
    for booth, capacity in within.capacity.items():
        assert sum(qty for (b, _), qty in by_want.items() if b == booth) <= capacity
    for booth, products, limit in within.limits:
        assert sum(by_want[booth, product] for product in products) <= limit
    short = {(shortfall.booth, shortfall.product): shortfall.qty for shortfall in made.short}
    assert all(by_want[want] + short.get(want, 0) == qty for want, qty in within.asks.items())
    assert made.offers == within.offers
    for share in made.shares:
        earlier = case.before.get(share.facility, EarlierShare())
        assert share.allocated - earlier.allocated == by_facility.get(share.facility, 0)
    assert made.shipments == len({(allotment.booth, allotment.lot.facility) for allotment in made.allotments})
    assert made.shipments_at_least <= made.shipments


def shares(case: Case, made: Plan) -> list[Fraction]:
    """From the smallest up, of all who could give something to this plan."""
    givers = facilities_of(bounds(case))
    return sorted(
        Fraction(share.allocated, share.offered * case.rules.weights.get(share.facility, 1))
        for share in made.shares
        if share.facility in givers
    )


def totals(made: Plan) -> dict[str, int]:
    counts = Counter[str]()
    for allotment in made.allotments:
        counts[allotment.lot.facility] += allotment.qty
    return dict(counts)


def facilities_of(within: Bounds) -> Sequence[str]:
    return sorted({facility for facility, _ in within.offers})
