"""Sales rates by exponential smoothing of pieces an hour, by booth and product.

A level is the mean of the hours so far. Each hour weighs (1 − α) times the next one. An hour with stock for a part
of it counts as that part. An hour without stock does not count, as no sale is then no sign of low demand. The
product's rate over all booths counts as one hour before the first. So a booth with few hours gets a rate close to
that of the others.

A booth's first hour with the product says nothing by itself. Until it is over, the booth gets the rate of the booths
that have had theirs. If none has, nothing is known of the product.

The uncertainty of a forecast follows from the errors so far, over all booths and products: Σ (sold − expected)²,
divided by its expectation if buyers came one by one and by chance alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from services.festival.domain.replenishment.terms import SalesHistory, SalesHour

ALPHA = 0.1
START_HOURS = 1.0
MINUTES = 60
# Minutes with the product in stock at a booth, below which its sales there say nothing. A bus in the first minutes of
# a day would else count as its rate. The minutes of several booths do not add up: they may be the same minutes.
LEAST_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of `an_hour` pieces in an open hour, known from `hours` hours. `scatter`: the ratio of errors above.

    Unless it is `known`, the product was in stock too shortly to tell.
    """

    an_hour: float = 0.0
    hours: float = START_HOURS
    scatter: float = 1.0
    known: bool = True

    def expected(self, hours: float) -> float:
        """The expected sales in so many open hours, in pieces."""
        return self.an_hour * hours

    def spread(self, hours: float) -> float:
        """The standard deviation of the sales, in pieces: from chance and from the uncertain rate."""
        return sqrt(self.scatter * by_chance(self.expected(hours), hours, self.hours))


def by_chance(expected: float, hours: float, observed_hours: float) -> float:
    """The variance of `expected` sales in `hours` hours, at a rate known from `observed_hours`."""
    return expected * (1 + hours / observed_hours)


def rates(histories: Sequence[SalesHistory]) -> dict[tuple[str, str], Rate]:
    """The rate of each history, by booth and product. A booth with less than `LEAST_MINUTES` of its own gets the rate
    of the others. A product for which no booth has them has no known rate."""
    known_histories = sorted(filter(_is_known, histories), key=_key)
    product_rates = _product_rates(known_histories)
    steps = {
        (history.booth, history.product): list(levels(history.hours, product_rates[history.product]))
        for history in known_histories
    }
    scatter = _scatter(steps.values())

    def rate(booth: str, product: str) -> Rate:
        if (booth, product) in steps:
            last = steps[booth, product][-1]
            return Rate(last.level, last.hours, scatter)
        return Rate(product_rates[product], START_HOURS, scatter) if product in product_rates else Rate(known=False)

    return {(history.booth, history.product): rate(history.booth, history.product) for history in histories}


@dataclass(frozen=True, slots=True)
class Level:
    """The level after some hours of a total weight of `hours`.

    `off`: the squared error of the last hour. `chance`: its expectation by chance alone.
    """

    level: float
    hours: float
    off: float = 0.0
    chance: float = 0.0


def levels(hours: Iterable[SalesHour], start: float) -> Iterator[Level]:
    """Yield `start`, the level before the first hour, and the level after each hour with stock."""
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
    # A sale proves stock, even for a moment that rounds to no minute.
    return max(hour.minutes, 1 if hour.qty else 0)


def _is_known(history: SalesHistory) -> bool:
    return sum(map(_minutes, history.hours)) >= LEAST_MINUTES


def _product_rates(histories: Iterable[SalesHistory]) -> Mapping[str, float]:
    """The pieces that a booth sells in an hour, by product, over all booths and hours."""
    pieces: dict[str, int] = defaultdict(int)
    minutes: dict[str, int] = defaultdict(int)
    for history in histories:
        pieces[history.product] += sum(hour.qty for hour in history.hours)
        minutes[history.product] += sum(_minutes(hour) for hour in history.hours)
    return {product: MINUTES * qty / minutes[product] for product, qty in pieces.items()}


def _scatter(steps: Iterable[Sequence[Level]]) -> float:
    """The ratio of errors to chance, at least 1. One piece is added to both, so that it starts from 1."""
    all_levels = [level for levels in steps for level in levels]
    return max(1.0, (1 + sum(level.off for level in all_levels)) / (1 + sum(level.chance for level in all_levels)))


def _key(history: SalesHistory) -> tuple[str, str]:
    return history.booth, history.product
