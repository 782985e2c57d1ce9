"""Arrivals, departures and sales of a booth's goods, summed by facility, product and clock hour.

The sums are enough to find sold-out times. They grow with the hours of a festival, not with its sales.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import floor
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600


class HourlySales(NamedTuple):
    """Pieces sold in one hour, counted in hours since 1970 in UTC.

    `first` and `last`: the seconds into the hour of the first and last sale. A void subtracts its pieces but leaves
    both unchanged. This is a tuple, because a booth has hundreds of them and is read and written with every batch.
    """

    hour: int
    qty: int
    first: int
    last: int

    @property
    def began(self) -> int:
        """The first sale, in seconds since 1970."""
        return self.hour * HOUR + self.first

    @property
    def ended(self) -> int:
        """The last sale, in seconds since 1970."""
        return self.hour * HOUR + self.last


@dataclass(frozen=True, slots=True)
class ShelfHistory:
    """One facility's pieces of one product at the booth.

    `arrivals`: a pair (second since 1970, pieces) for each count-in. `departures`: the same for pieces that left for
    other booths. `hours` are in order.
    """

    facility: str
    product: str
    arrivals: tuple[tuple[int, int], ...] = ()
    hours: tuple[HourlySales, ...] = ()
    departures: tuple[tuple[int, int], ...] = ()


Shelves = tuple[ShelfHistory, ...]


def epoch_seconds(at: datetime) -> int:
    """Whole seconds since 1970."""
    return floor(at.timestamp())


def from_epoch_seconds(second: int) -> datetime:
    """The time of a second since 1970, in UTC."""
    return EPOCH + timedelta(seconds=second)


def stock_in(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """The histories after `qty` pieces were counted in."""
    index, shelf = _find(shelves, facility, product)
    return (*shelves[:index], replace(shelf, arrivals=_add_pieces(shelf.arrivals, at, qty)), *shelves[index + 1 :])


def restock(shelves: Shelves, facility: str, product: str, at: datetime, change: int) -> Shelves:
    """The histories after arrivals were counted again, at this time, with another sum.

    The last arrivals change, as they are the likeliest to be wrong. Without any, the pieces arrive now.
    """
    index, shelf = _find(shelves, facility, product)
    arrivals = list(shelf.arrivals)
    if change > 0:
        second, qty = arrivals.pop() if arrivals else (epoch_seconds(at), 0)
        arrivals.append((second, qty + change))
    while change < 0 and arrivals:
        second, qty = arrivals.pop()
        if qty + change > 0:
            arrivals.append((second, qty + change))
        change = min(0, qty + change)
    return (*shelves[:index], replace(shelf, arrivals=tuple(arrivals)), *shelves[index + 1 :])


def move_out(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """The histories after `qty` pieces left for another booth."""
    index, shelf = _find(shelves, facility, product)
    return (
        *shelves[:index],
        replace(shelf, departures=_add_pieces(shelf.departures, at, qty)),
        *shelves[index + 1 :],
    )


def _add_pieces(pairs: tuple[tuple[int, int], ...], at: datetime, qty: int) -> tuple[tuple[int, int], ...]:
    pieces = dict(pairs)
    second = epoch_seconds(at)
    pieces[second] = pieces.get(second, 0) + qty
    return tuple(sorted(pieces.items()))


def sell(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """The histories after `qty` pieces were sold. A negative `qty` takes back sales of that time."""
    index, shelf = _find(shelves, facility, product)
    hour, second = divmod(epoch_seconds(at), HOUR)
    hours = _add_sales(shelf.hours, HourlySales(hour, qty, second, second))
    sold_from = ShelfHistory(shelf.facility, shelf.product, shelf.arrivals, hours, shelf.departures)
    return (*shelves[:index], sold_from, *shelves[index + 1 :])


def _add_sales(hours: tuple[HourlySales, ...], hour: HourlySales) -> tuple[HourlySales, ...]:
    # Searched from the end, because sales come nearly in order.
    index = len(hours)
    while index and hours[index - 1].hour >= hour.hour:
        index -= 1
    if index == len(hours) or hours[index].hour != hour.hour:
        # A negative sum without its hour has nothing to reduce.
        return (*hours[:index], hour, *hours[index:]) if hour.qty > 0 else hours
    existing = hours[index]
    total = HourlySales(
        hour.hour, existing.qty + hour.qty, min(existing.first, hour.first), max(existing.last, hour.last)
    )
    return (*hours[:index], *([total] if total.qty else []), *hours[index + 1 :])


def combined(shelves: Sequence[ShelfHistory]) -> ShelfHistory:
    """The histories of all makers of a product as one."""
    if len(shelves) == 1:
        return shelves[0]
    hours: dict[int, HourlySales] = {}
    for shelf in shelves:
        for hour in shelf.hours:
            existing = hours.get(hour.hour)
            hours[hour.hour] = hour if existing is None else _merge(existing, hour)
    return replace(
        shelves[0],
        arrivals=tuple(sorted(pair for shelf in shelves for pair in shelf.arrivals)),
        departures=tuple(sorted(pair for shelf in shelves for pair in shelf.departures)),
        hours=tuple(hour for _, hour in sorted(hours.items())),
    )


def _merge(hour: HourlySales, other: HourlySales) -> HourlySales:
    return HourlySales(hour.hour, hour.qty + other.qty, min(hour.first, other.first), max(hour.last, other.last))


def _find(shelves: Shelves, facility: str, product: str) -> tuple[int, ShelfHistory]:
    for index, shelf in enumerate(shelves):
        if shelf.product == product and shelf.facility == facility:
            return index, shelf
    return len(shelves), ShelfHistory(facility, product)
