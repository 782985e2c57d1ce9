"""A booth as sales knows it: what it holds, what its tills have said, and how far it is on its way to be settled.

Of every lot, in pieces: stocked + beyond = sold + lost + moved + unsold, and never both beyond and unsold.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from services.sales.domain import shelf
from services.sales.domain.shelf import Shelves
from shared.events.festival import BoothStocked, BoothStockMoved
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, ShareOpened


class BoothStatus(StrEnum):
    """`UNKNOWN`: tills were heard, but festival has not said yet that the booth is open."""

    UNKNOWN = "unknown"
    OPEN = "open"
    CLOSING = "closing"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class PriceTag:
    product: str
    price_rupiah: int


@dataclass(frozen=True, slots=True)
class BoothLot:
    """One lot at one booth, in pieces; `sold_rupiah` is what they were sold for. `moved`: to other booths.
    `withdrawn`: why, if the lot was recalled."""

    lot: str
    facility: str
    product: str
    made_on: date
    stocked: int = 0
    lost: int = 0
    sold: int = 0
    sold_rupiah: int = 0
    withdrawn: str | None = None
    moved: int = 0

    @property
    def unsold(self) -> int:
        """What can still be sold."""
        return max(0, self.stocked - self.lost - self.moved - self.sold)

    @property
    def beyond(self) -> int:
        return max(0, self.sold + self.lost + self.moved - self.stocked)


@dataclass(frozen=True, slots=True)
class TillHeard:
    """Which of its numbers a till was heard with, as ranges (first, last) with a gap between each two: one record
    that went astray must not make every later one cost more. `last_seq`: of its TillClosed."""

    till: str
    seen: tuple[tuple[int, int], ...] = ()
    last_seq: int | None = None

    @property
    def complete(self) -> bool:
        return self.last_seq is not None and not self.missing

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """Ranges of the numbers up to `last_seq` (or the highest heard) that were not heard yet."""
        gaps: list[tuple[int, int]] = []
        next = 1
        for first, last in self.seen:
            if first > next:
                gaps.append((next, first - 1))
            next = last + 1
        end = self.last_seq or 0
        if next <= end:
            gaps.append((next, end))
        return tuple((first, min(last, end) if end else last) for first, last in gaps if not end or first <= end)


@dataclass(frozen=True, slots=True)
class SoFar:
    """What festival was told while the booth was open: how often, in which quarters of an hour (counted since 1970,
    the latest told last), and which products it knows to be sold out."""

    revision: int = 0
    quarters: tuple[int, ...] = ()
    sold_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Booth:
    """`tills` are those that festival named, `heard` those that spoke. `counts`: pieces by lot that the cashier saw,
    also of lots yet to come. `early_voids`, `waiting` and `disputed` are sales' ids in the order in which they came;
    `facilities` were told ShareOpened. `shelves`: when goods came and were sold."""

    id: str
    festival: str | None = None
    name: str | None = None
    prices: tuple[PriceTag, ...] = ()
    tills: tuple[str, ...] = ()
    status: BoothStatus = BoothStatus.UNKNOWN
    deadline: datetime | None = None
    lots: tuple[BoothLot, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    heard: tuple[TillHeard, ...] = ()
    early_voids: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    shelves: Shelves = ()
    revision: int = 0
    so_far: SoFar = SoFar()

    def holds(self, lot: str) -> BoothLot | None:
        return next((held for held in self.lots if held.lot == lot), None)

    def till(self, name: str) -> TillHeard:
        return next((till for till in self.heard if till.till == name), TillHeard(name))

    @property
    def complete(self) -> bool:
        """Every till that festival named has closed and none of its records is missing."""
        return bool(self.tills) and all(self.till(name).complete for name in self.tills)


def hear(booth: Booth, name: str, seq: int, last_seq: int | None = None) -> Booth:
    """The till's record `seq` has come; with `last_seq` it is its last word (for now: a till can close again)."""
    before = booth.till(name)
    closed = max(last_seq, before.last_seq or 0) if last_seq is not None else before.last_seq
    after = TillHeard(name, _with(before.seen, seq), closed)
    if not before.seen:
        return replace(booth, heard=(*booth.heard, after))
    return replace(booth, heard=tuple(after if till.till == name else till for till in booth.heard))


def _with(seen: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
    if seen and seen[-1][1] + 1 == number:
        return (*seen[:-1], (seen[-1][0], number))
    merged: list[tuple[int, int]] = []
    for first, last in sorted((*seen, (number, number))):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def changed(booth: Booth, lot: BoothLot) -> Booth:
    """The booth with this lot in place of what it held of it."""
    return replace(booth, lots=tuple(lot if held.lot == lot.lot else held for held in booth.lots))


def stock(booth: Booth, body: BoothStocked, at: datetime) -> tuple[Booth, list[Publication]]:
    """Pieces were counted in at the booth, at this time. With the first of a facility, its settlement waits for this
    booth."""
    shelves = shelf.came(booth.shelves, body.facility, body.product, at, body.qty)
    still_out = tuple(product for product in booth.so_far.sold_out if product != body.product)
    so_far = replace(booth.so_far, sold_out=still_out)
    booth = replace(booth, festival=body.festival, shelves=shelves, so_far=so_far)
    booth, said = take_in(booth, BoothLot(body.lot, body.facility, body.product, body.made_on))
    held = booth.holds(body.lot)
    assert held is not None, "it was just taken in"
    return changed(booth, replace(held, stocked=held.stocked + body.qty)), said


def take_in(booth: Booth, lot: BoothLot) -> tuple[Booth, list[Publication]]:
    """The booth with this lot among its lots, unless it is there already; and ShareOpened if it is the first of its
    facility."""
    if booth.holds(lot.lot) is not None:
        return booth, []
    booth = replace(booth, lots=(*booth.lots, lot))
    if lot.facility in booth.facilities:
        return booth, []
    assert booth.festival is not None, "who holds goods belongs to a festival"
    said = ShareOpened(facility=lot.facility, festival=booth.festival, booth=booth.id)
    return replace(booth, facilities=(*booth.facilities, lot.facility)), [SALE_SHARES.of(said)]


def lose(booth: Booth, lot: str, qty: int) -> Booth:
    """Pieces can't be sold. That some of them were sold before undoes no sale: the lot is then `beyond`."""
    held = booth.holds(lot)
    if held is None:
        # Festival says this after it stocked the lot, on one topic: parking the key is what makes it whole again.
        raise LookupError(f"{booth.id} is to lose pieces of {lot}, which it was never stocked with")
    return changed(booth, replace(held, lost=held.lost + qty))


def move(booth: Booth, body: BoothStockMoved, at: datetime) -> Booth:
    """Pieces have left for another booth, at this time. As with lost ones, no sale is undone by it."""
    held = booth.holds(body.lot)
    if held is None:
        raise LookupError(f"{booth.id} is to give away pieces of {body.lot}, which it was never stocked with")
    shelves = shelf.went(booth.shelves, held.facility, held.product, at, body.qty)
    return changed(replace(booth, shelves=shelves), replace(held, moved=held.moved + body.qty))


def withdraw(booth: Booth, lot: str, reason: str) -> Booth:
    """The lot was recalled. Of one that is still on its way here festival says it again once it has come."""
    held = booth.holds(lot)
    if held is None or held.withdrawn is not None:
        return booth
    return changed(booth, replace(held, withdrawn=reason))


def count(booth: Booth, counted: dict[str, int]) -> Booth:
    """What the cashier saw last of each lot."""
    counts = dict(booth.counts) | counted
    return replace(booth, counts=tuple(sorted(counts.items())))
