"""What a booth could have sold of a facility's goods: when they ran out, and an estimate of the sales lost by it.

The method: pieces sold ÷ open hours in which they were there × open hours in which they were missing. It is the most
likely rate of sales that come at a constant rate and are seen only while there is stock ("Statistical Methods for
Reliability Data", Wiley 1998, page 166: events ÷ total time on test, for censored data).

Lost is only what nobody could buy: hours count as missing in the method while the booth had nothing of the product,
whoever made it, and all of its makers' sales are what was sold. Each maker lost its part by what it sold itself, that
is its own pieces ÷ the product's hours × the product's missing hours.

A booth is open from its first to its last sale of anything; a pause of six hours is a night. Goods are there from
when they were counted in, or sold first if that was earlier. They ran out with the last sale when nothing was unsold
in the end, or when all that had come was sold before more came. If the last ones left for another booth, nothing ran
out: until more comes they are neither there nor missing.

What it can't know: rushes and lulls (the rate is constant), who took another product instead (those sales count for
the other), and when a booth closed in which everything ran out at once (then nothing was lost). A gap within one
clock hour is not seen. A rate is taken over an hour at least: what is gone within minutes is estimated with care.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.sales.domain.booth import Booth, BoothLot
from services.sales.domain.shelf import HOUR, HourlySales, ShelfHistory, combined, from_epoch_seconds
from shared.events.sales import DemandCounted, DemandLine, SoldOut

NIGHT = 6 * HOUR
MINUTE = 60

# From and to, in seconds since 1970. What has no end lasts to the booth's last sale.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Gap:
    """Nothing was there from `began`; `ended` None: no more came. `away`: the last were not sold, but moved."""

    began: int
    ended: int | None
    away: bool


def opening_hours(booth: Booth) -> tuple[Span, ...]:
    """When the booth was open, as far as its sales tell."""
    spans: list[Span] = []
    for began, ended in sorted((hour.began, hour.ended) for shelf in booth.shelves for hour in shelf.hours):
        if spans and began - spans[-1][1] < NIGHT:
            spans[-1] = (spans[-1][0], max(spans[-1][1], ended))
        else:
            spans.append((began, ended))
    return tuple(spans)


def count_demand(booth: Booth, open_in: tuple[Span, ...], facility: str) -> DemandCounted:
    """What there is to say of each of the facility's products at the booth, which was open in these spans."""
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    mine = [lot for lot in booth.lots if lot.facility == facility]
    shelves = {shelf.product: shelf for shelf in booth.shelves if shelf.facility == facility}
    lines = [
        _demand_line(booth, shelves.get(product, ShelfHistory(facility, product)), lots, open_in)
        for product, lots in sorted(_by_product(mine).items())
    ]
    return DemandCounted(facility=facility, festival=booth.festival, booth=booth.id, lines=tuple(lines))


def in_stock(shelf: ShelfHistory, open_in: tuple[Span, ...], *, gone: bool) -> Iterator[Span]:
    """When the booth was open and goods were there, in order. `gone`: nothing is left now."""
    since = _stocked_since(shelf)
    if since is None:
        return
    gaps = list(_gaps(shelf, gone=gone))
    for began, ended in open_in:
        at = max(began, since)
        for gap in gaps:
            if gap.ended is not None and gap.ended <= at:
                continue
            if at < min(gap.began, ended):
                yield at, min(gap.began, ended)
            at = ended if gap.ended is None else max(at, gap.ended)
        if at < ended:
            yield at, ended


def _demand_line(booth: Booth, shelf: ShelfHistory, lots: list[BoothLot], open_in: tuple[Span, ...]) -> DemandLine:
    sold = sum(lot.sold for lot in lots)
    unsold = sum(lot.unsold for lot in lots)
    rupiah = sum(lot.sold_rupiah for lot in lots)
    here, missing = _stock_seconds(shelf, open_in, gone=not unsold)
    return DemandLine(
        booth=booth.id,
        product=shelf.product,
        stocked=sum(lot.stocked - lot.moved for lot in lots),
        sold=sold,
        unsold=unsold,
        sold_rupiah=rupiah,
        price_rupiah=rupiah // sold if sold else None,
        there_minutes=here // MINUTE,
        missing_minutes=missing // MINUTE,
        sold_out=tuple(
            SoldOut(
                at=from_epoch_seconds(gap.began), until=None if gap.ended is None else from_epoch_seconds(gap.ended)
            )
            for gap in _gaps(shelf, gone=not unsold)
            if not gap.away
        ),
        lost_sales=_lost_sales(booth, shelf.product, sold, open_in),
    )


def _lost_sales(booth: Booth, product: str, sold: int, open_in: tuple[Span, ...]) -> int:
    """The part of a maker who sold so many."""
    shelves = [shelf for shelf in booth.shelves if shelf.product == product]
    if not shelves:
        return 0
    gone = not any(lot.unsold for lot in booth.lots if lot.product == product)
    here, missing = _stock_seconds(combined(shelves), open_in, gone=gone)
    return _round_half_up(sold * missing, max(here, HOUR))


def _stock_seconds(shelf: ShelfHistory, open_in: tuple[Span, ...], *, gone: bool) -> tuple[int, int]:
    """Open seconds in which goods were there, and in which they had run out."""
    here = sum(ended - began for began, ended in in_stock(shelf, open_in, gone=gone))
    gaps = _gaps(shelf, gone=gone)
    return here, sum(_overlap_seconds(open_in, gap.began, gap.ended) for gap in gaps if not gap.away)


def _gaps(shelf: ShelfHistory, *, gone: bool) -> Iterator[_Gap]:
    """When nothing was there, in order and apart. `gone`: nothing is left in the end."""
    last: _Gap | None = None
    for gap in _single_gaps(shelf, gone=gone):
        if last is not None and last.ended is not None and gap.began <= last.ended:
            # What was sold before it was counted in leaves no gap of its own.
            last = _Gap(min(last.began, gap.began), gap.ended, last.away and gap.away)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def _single_gaps(shelf: ShelfHistory, *, gone: bool) -> Iterator[_Gap]:
    supplied = 0
    for (_, qty), (more_at, _) in zip(shelf.arrivals, shelf.arrivals[1:], strict=False):
        supplied += qty
        before = [hour for hour in shelf.hours if hour.ended < more_at]
        after = shelf.hours[len(before) :]
        moved = [(second, qty) for second, qty in shelf.departures if second < more_at]
        if sum(hour.qty for hour in before) + sum(qty for _, qty in moved) >= supplied:
            yield _gap_after_last(before, moved, min(more_at, after[0].began) if after else more_at)
    if gone and (shelf.hours or shelf.departures):
        yield _gap_after_last(shelf.hours, shelf.departures, None)


def _gap_after_last(hours: Sequence[HourlySales], moved: Sequence[tuple[int, int]], ended: int | None) -> _Gap:
    """From the last sale, or from when the last pieces were moved if that was later."""
    sold_at = hours[-1].ended if hours else None
    moved_at = moved[-1][0] if moved else None
    if sold_at is not None and (moved_at is None or moved_at <= sold_at):
        return _Gap(sold_at, ended, away=False)
    assert moved_at is not None, "what is gone was sold or moved"
    return _Gap(moved_at if ended is None else min(moved_at, ended), ended, away=True)


def _stocked_since(shelf: ShelfHistory) -> int | None:
    began = [*(second for second, _ in shelf.arrivals[:1]), *(hour.began for hour in shelf.hours[:1])]
    return min(began, default=None)


def _overlap_seconds(spans: tuple[Span, ...], began: int, ended: int | None) -> int:
    """Seconds of the spans from `began` to `ended` (None: to their end)."""
    return sum(max(0, (last if ended is None else min(last, ended)) - max(first, began)) for first, last in spans)


def _by_product(lots: list[BoothLot]) -> dict[str, list[BoothLot]]:
    found: dict[str, list[BoothLot]] = {}
    for lot in lots:
        found.setdefault(lot.product, []).append(lot)
    return found


def _round_half_up(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)
