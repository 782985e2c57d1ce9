"""How fast booths sell: exponential smoothing of pieces an hour, by booth and product.

A level is the mean of the hours so far, each weighing (1 − α) times the one after it. An hour of which the goods were
there for a part counts as that part, and without goods it doesn't count: nothing sold is then no sign that nobody
wanted it. The product's rate over all booths comes in as one hour before the first, so a booth with little to go by
is thought to sell as the others do.

How far off a forecast may be is told by how far off the levels were so far, hour by hour: Σ (sold − expected)² ÷ what
that sum would be if buyers came one by one and by chance alone, over all booths and products.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from services.festival.domain.replenishment.terms import SalesHistory, SalesHour

ALPHA = 0.1
START_HOURS = 1.0
MINUTES = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """`an_hour` pieces are sold in an open hour, as `hours` of them tell. `scatter`: see above."""

    an_hour: float = 0.0
    hours: float = START_HOURS
    scatter: float = 1.0

    def expected(self, hours: float) -> float:
        """Pieces that will be sold in so many open hours."""
        return self.an_hour * hours

    def spread(self, hours: float) -> float:
        """How many pieces more or less it may well be (a standard deviation): by chance, and because the rate is not
        known better."""
        return sqrt(self.scatter * by_chance(self.expected(hours), hours, self.hours))


def by_chance(expected: float, hours: float, seen: float) -> float:
    """The variance of what is sold in so many hours at a rate that so many were `seen` of."""
    return expected * (1 + hours / seen)


def rates(paces: Sequence[SalesHistory]) -> dict[tuple[str, str], Rate]:
    """By booth and product."""
    start = _product_rates(paces)
    steps = {
        (pace.booth, pace.product): list(levels(pace.hours, start[pace.product])) for pace in sorted(paces, key=_key)
    }
    scatter = _scatter(steps.values())
    return {key: Rate(of[-1].level, of[-1].hours, scatter) for key, of in steps.items()}


@dataclass(frozen=True, slots=True)
class Level:
    """The level after some hours, which together weigh as `hours`. `off`: how far the last of them was off the level
    before, squared, and `chance`: what that would be by chance."""

    level: float
    hours: float
    off: float = 0.0
    chance: float = 0.0


def levels(hours: Iterable[SalesHour], start: float) -> Iterator[Level]:
    """The level before the first hour, which is `start`, and after each one in which the goods were there."""
    level, weight = start, START_HOURS
    yield Level(level, weight)
    for hour in hours:
        part = _minutes(hour) / MINUTES
        if part:
            expected = level * part
            off, chance = hour.qty - expected, by_chance(expected, part, weight)
            weight = weight * (1 - ALPHA) ** part + part
            level += off / weight
            yield Level(level, weight, off**2, chance)


def _minutes(hour: SalesHour) -> int:
    # What was sold was there, if only for a moment that rounds to no minute.
    return max(hour.minutes, 1 if hour.qty else 0)


def _product_rates(paces: Iterable[SalesHistory]) -> Mapping[str, float]:
    """Pieces that a booth sells in an hour, by product: over all booths and hours."""
    pieces: dict[str, int] = defaultdict(int)
    minutes: dict[str, int] = defaultdict(int)
    for pace in paces:
        pieces[pace.product] += sum(hour.qty for hour in pace.hours)
        minutes[pace.product] += sum(_minutes(hour) for hour in pace.hours)
    # Over an hour at least: what is sold in the first minute tells nothing of a day.
    return {product: MINUTES * qty / max(minutes[product], MINUTES) for product, qty in pieces.items()}


def _scatter(steps: Iterable[Sequence[Level]]) -> float:
    """At least 1. One piece by chance is added to what was seen, so that it starts from there."""
    seen = [step for of in steps for step in of]
    return max(1.0, (1 + sum(step.off for step in seen)) / (1 + sum(step.chance for step in seen)))


def _key(pace: SalesHistory) -> tuple[str, str]:
    return pace.booth, pace.product
