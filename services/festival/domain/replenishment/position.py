"""The stock position of one product at one booth: its stock, its shortage until closing, its surplus."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from math import ceil

from services.festival.domain.planning import good_on
from services.festival.domain.replenishment.forecast import Rate, rates
from services.festival.domain.replenishment.terms import HOUR, Forecast, HeldLot, Situation

# In standard deviations of the forecast: the pieces that giver and taker should have beyond the expected sales.
MARGIN = 1.0


@dataclass(frozen=True, slots=True)
class StockPosition:
    """The stock of a product at a booth.

    `lots` can move to another booth, in this order. `left` counts all pieces that can be sold. It includes the
    `coming` ones: on their way, or proposed.
    """

    booth: str
    product: str
    rate: Rate
    left: int
    lots: tuple[HeldLot, ...]
    coming: int = 0

    def shortage(self, hours: float, wait: timedelta, margin: float = 0.0) -> int:
        """The pieces missing for these `hours`, if they arrive after `wait`.

        Sales lost until then can't be recovered. `margin` is in standard deviations of the sales.
        """
        waiting = min(hours, wait / HOUR)
        remaining_hours = hours - waiting
        # Meanwhile neither coming pieces are sold nor more than the stock.
        stock_then = max(0.0, self.left - self.coming - self.rate.expected(waiting)) + self.coming
        return max(
            0, round(self.rate.expected(remaining_hours) + margin * self.rate.spread(remaining_hours) - stock_then)
        )

    def surplus(self, hours: float) -> int:
        """The pieces that can leave now."""
        keep = ceil(self.rate.expected(hours) + MARGIN * self.rate.spread(hours))
        return max(0, min(self.left - keep, sum(lot.left for lot in self.lots)))

    def in_first_lots(self, lots: int) -> int:
        """The pieces in the first `lots` lots that can move."""
        return sum(islice((lot.left for lot in self.lots if lot.left), lots))

    def without(self, qty: int) -> tuple["StockPosition", tuple[tuple[HeldLot, int], ...]]:
        """The position without `qty` pieces, and these pieces by lot."""
        removed, lots, missing = [], [], qty
        for lot in self.lots:
            pieces = min(lot.left, missing)
            missing -= pieces
            if pieces:
                removed.append((lot, pieces))
            lots.append(replace(lot, left=lot.left - pieces))
        assert not missing, "no more leaves than is there"
        return replace(self, left=self.left - qty, lots=tuple(lots)), tuple(removed)

    def forecast(self, now: Situation) -> Forecast:
        """The forecast until closing."""
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
            known=self.rate.known,
            runs_out=now.sells_from + HOUR * (self.left / self.rate.an_hour) if short else None,
        )


def positions(now: Situation) -> list[StockPosition]:
    """The positions of all products that booths sell and have or had, by booth and product."""
    rate_of = rates(now.histories)
    held: dict[tuple[str, str], list[HeldLot]] = {key: [] for key in rate_of}
    for lot in now.held:
        held.setdefault((lot.booth, lot.product), []).append(lot)
    return [
        _position(now, booth, product, rate_of.get((booth, product), Rate()), lots)
        for (booth, product), lots in sorted(held.items())
        if product in now.sells.get(booth, ())
    ]


def _position(now: Situation, booth: str, product: str, rate: Rate, lots: Sequence[HeldLot]) -> StockPosition:
    sellable = [lot for lot in lots if not lot.withdrawn]
    # As in plans: lots that spoil before the last day stay, and the lots that spoil soonest leave first.
    movable = [lot for lot in sellable if good_on(lot.best_before, now.rules.last_day)]
    movable.sort(key=lambda lot: (lot.best_before or date.max, lot.made_on, lot.lot))
    coming = sum(lot.coming for lot in sellable)
    return StockPosition(booth, product, rate, sum(lot.left + lot.coming for lot in sellable), tuple(movable), coming)
