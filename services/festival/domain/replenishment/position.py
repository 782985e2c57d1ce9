"""One product at one booth: what is there, what it lacks until closing, and what it can spare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from math import ceil

from services.festival.domain.replenishment.forecast import Rate, rates
from services.festival.domain.replenishment.terms import HOUR, Forecast, HeldLot, Situation

# In spreads of the forecast: what a giver keeps, and a taker should have, beyond what is expected.
MARGIN = 1.0


@dataclass(frozen=True, slots=True)
class StockPosition:
    """`lots` may go to another booth, in this order. `left`: all pieces that can be sold, with those that are
    `coming`: on their way, or proposed to come."""

    booth: str
    product: str
    rate: Rate
    left: int
    lots: tuple[HeldLot, ...]
    coming: int = 0

    def shortage(self, hours: float, wait: timedelta, margin: float = 0.0) -> int:
        """How many more pieces it needs for these `hours`, if they come after `wait`: what is missed until then can't
        be helped."""
        before = min(hours, wait / HOUR)
        rest = hours - before
        # What comes is not sold meanwhile; more than is there can't be either.
        remain = max(0.0, self.left - self.coming - self.rate.expected(before)) + self.coming
        return max(0, round(self.rate.expected(rest) + margin * self.rate.spread(rest) - remain))

    def surplus(self, hours: float) -> int:
        """How many pieces could leave now."""
        keep = ceil(self.rate.expected(hours) + MARGIN * self.rate.spread(hours))
        return max(0, min(self.left - keep, sum(lot.left for lot in self.lots)))

    def first(self, lots: int) -> int:
        """How many pieces could leave if they were of so many lots at most."""
        return sum(islice((lot.left for lot in self.lots if lot.left), lots))

    def without(self, qty: int) -> tuple["StockPosition", tuple[tuple[HeldLot, int], ...]]:
        """The shelf after so many pieces left it, and of which lots they are."""
        gone, rest, missing = [], [], qty
        for lot in self.lots:
            part = min(lot.left, missing)
            missing -= part
            if part:
                gone.append((lot, part))
            rest.append(replace(lot, left=lot.left - part))
        assert not missing, "no more leaves than is there"
        return replace(self, left=self.left - qty, lots=tuple(rest)), tuple(gone)

    def forecast(self, now: Situation) -> Forecast:
        hours = now.hours
        expected = round(self.rate.expected(hours))
        short = self.rate.expected(hours) > self.left
        return Forecast(
            booth=self.booth,
            product=self.product,
            left=self.left,
            expected=expected,
            give_or_take=round(self.rate.spread(hours)),
            missing=max(0, expected - self.left),
            runs_out=now.sells_from + HOUR * (self.left / self.rate.an_hour) if short else None,
        )


def positions(now: Situation) -> list[StockPosition]:
    """All that booths sell and have or had, by booth and product."""
    pace = rates(now.paces)
    held: dict[tuple[str, str], list[HeldLot]] = {key: [] for key in pace}
    for lot in now.held:
        held.setdefault((lot.booth, lot.product), []).append(lot)
    return [
        _position(now, booth, product, pace.get((booth, product), Rate()), lots)
        for (booth, product), lots in sorted(held.items())
        if product in now.sells.get(booth, ())
    ]


def _position(now: Situation, booth: str, product: str, rate: Rate, lots: Sequence[HeldLot]) -> StockPosition:
    good = [lot for lot in lots if not lot.withdrawn]
    last_day = now.rules.last_day or date.min
    # As with what facilities send: what would be stale on the last day goes nowhere, what spoils first leaves first.
    moving = [lot for lot in good if lot.best_before is None or lot.best_before > last_day]
    moving.sort(key=lambda lot: (lot.best_before or date.max, lot.made_on, lot.lot))
    coming = sum(lot.coming for lot in good)
    return StockPosition(booth, product, rate, sum(lot.left + lot.coming for lot in good), tuple(moving), coming)
