"""When a booth's goods came and when they were sold, in sums by facility, product and clock hour.

That is enough to tell when something ran out, and it grows with the hours of a festival, not with its sales.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import floor
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600


class HourlySales(NamedTuple):
    """Pieces sold in one hour, counted in hours since 1970 in UTC. `first` and `last` are the seconds into it at
    which something was sold; a void takes its pieces back, but can't tell which sale was the first or last then.
    A tuple, because a booth has hundreds of them and is read and written with every batch."""

    hour: int
    qty: int
    first: int
    last: int

    @property
    def began(self) -> int:
        """Seconds since 1970."""
        return self.hour * HOUR + self.first

    @property
    def ended(self) -> int:
        return self.hour * HOUR + self.last


@dataclass(frozen=True, slots=True)
class ShelfHistory:
    """One facility's pieces of one product at the booth. `came`: (second since 1970, pieces), a pair for each time
    that goods were counted in; `went`: the same for those that left for other booths. `hours` are in their order."""

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
    return EPOCH + timedelta(seconds=second)


def stock_in(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """`qty` pieces were counted in."""
    place, shelf = _find(shelves, facility, product)
    return (*shelves[:place], replace(shelf, arrivals=_add_pieces(shelf.arrivals, at, qty)), *shelves[place + 1 :])


def move_out(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """`qty` pieces left for another booth."""
    place, shelf = _find(shelves, facility, product)
    return (
        *shelves[:place],
        replace(shelf, departures=_add_pieces(shelf.departures, at, qty)),
        *shelves[place + 1 :],
    )


def _add_pieces(pairs: tuple[tuple[int, int], ...], at: datetime, qty: int) -> tuple[tuple[int, int], ...]:
    pieces = dict(pairs)
    second = epoch_seconds(at)
    pieces[second] = pieces.get(second, 0) + qty
    return tuple(sorted(pieces.items()))


def sell(shelves: Shelves, facility: str, product: str, at: datetime, qty: int) -> Shelves:
    """`qty` pieces were sold; if it is below zero, a sale of that time was taken back."""
    place, shelf = _find(shelves, facility, product)
    hour, second = divmod(epoch_seconds(at), HOUR)
    hours = _add_sales(shelf.hours, HourlySales(hour, qty, second, second))
    sold_from = ShelfHistory(shelf.facility, shelf.product, shelf.arrivals, hours, shelf.departures)
    return (*shelves[:place], sold_from, *shelves[place + 1 :])


def _add_sales(hours: tuple[HourlySales, ...], more: HourlySales) -> tuple[HourlySales, ...]:
    # Sales come nearly in order, so the hour is the last one or close to it.
    place = len(hours)
    while place and hours[place - 1].hour >= more.hour:
        place -= 1
    if place == len(hours) or hours[place].hour != more.hour:
        # A void of a sale from before there were sums has nothing to be taken from.
        return (*hours[:place], more, *hours[place:]) if more.qty > 0 else hours
    known = hours[place]
    both = HourlySales(more.hour, known.qty + more.qty, min(known.first, more.first), max(known.last, more.last))
    return (*hours[:place], *([both] if both.qty else []), *hours[place + 1 :])


def combined(shelves: Sequence[ShelfHistory]) -> ShelfHistory:
    """The shelves of all makers of a product as one."""
    if len(shelves) == 1:
        return shelves[0]
    hours: dict[int, HourlySales] = {}
    for one in shelves:
        for hour in one.hours:
            known = hours.get(hour.hour)
            hours[hour.hour] = hour if known is None else _merge(known, hour)
    return replace(
        shelves[0],
        arrivals=tuple(sorted(pair for one in shelves for pair in one.arrivals)),
        departures=tuple(sorted(pair for one in shelves for pair in one.departures)),
        hours=tuple(hour for _, hour in sorted(hours.items())),
    )


def _merge(one: HourlySales, other: HourlySales) -> HourlySales:
    return HourlySales(one.hour, one.qty + other.qty, min(one.first, other.first), max(one.last, other.last))


def _find(shelves: Shelves, facility: str, product: str) -> tuple[int, ShelfHistory]:
    for place, shelf in enumerate(shelves):
        if shelf.product == product and shelf.facility == facility:
            return place, shelf
    return len(shelves), ShelfHistory(facility, product)
