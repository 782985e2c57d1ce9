"""Sold-out times of a facility's goods at a booth, and an estimate of the sales lost in them.

Method: pieces sold ÷ open hours with stock × open hours without stock. Sales are assumed to come at a constant rate
and are observed only while there is stock. For such censored data the most likely rate is events ÷ total time on test
("Statistical Methods for Reliability Data", Wiley 1998, page 166).

Only sales that nobody could make count as lost. An hour counts as sold out while the booth has none of the product,
whoever made it. The rate uses the sales of all makers. Each maker's loss is its own pieces ÷ the product's hours with
stock × the product's hours without stock.

A booth is open from its first to its last sale of anything. A pause of six hours is a night. Goods are in stock from
the time they were counted in, or from their first sale if that was earlier. They are sold out from the last sale if
nothing is unsold in the end, or if all arrivals were sold before the next one. When the last pieces moved to another
booth, the time until the next arrival counts as neither stocked nor sold out.

Limits: the rate is constant, so rushes and lulls are ignored. A buyer who takes another product counts as a sale of
that product. When everything sells out at once, the booth seems to close, and nothing counts as lost. A gap within
one clock hour is not seen. A rate covers at least one hour, so that goods sold within minutes give a careful
estimate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.sales.domain.booth import Booth, BoothLot
from services.sales.domain.shelf import HOUR, HourlySales, ShelfHistory, combined, from_epoch_seconds
from shared.events.sales import DemandCounted, DemandLine, SoldOut

NIGHT = 6 * HOUR
MINUTE = 60

# From and to, in seconds since 1970.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Gap:
    """A time without stock from `began` on. `ended` is None if no more came. `away`: the last pieces were moved, not
    sold."""

    began: int
    ended: int | None
    away: bool


def opening_hours(booth: Booth) -> tuple[Span, ...]:
    """The times in which the booth was open, as far as its sales show."""
    spans: list[Span] = []
    for began, ended in sorted((hour.began, hour.ended) for shelf in booth.shelves for hour in shelf.hours):
        if spans and began - spans[-1][1] < NIGHT:
            spans[-1] = (spans[-1][0], max(spans[-1][1], ended))
        else:
            spans.append((began, ended))
    return tuple(spans)


def count_demand(booth: Booth, open_in: tuple[Span, ...], facility: str) -> DemandCounted:
    """DemandCounted for the facility's products at the booth, which was open in these spans."""
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    facility_lots = [lot for lot in booth.lots if lot.facility == facility]
    shelves = {shelf.product: shelf for shelf in booth.shelves if shelf.facility == facility}
    lines = [
        _demand_line(booth, shelves.get(product, ShelfHistory(facility, product)), lots, open_in)
        for product, lots in sorted(_by_product(facility_lots).items())
    ]
    return DemandCounted(facility=facility, festival=booth.festival, booth=booth.id, lines=tuple(lines))


def in_stock(shelf: ShelfHistory, open_in: tuple[Span, ...], *, sold_out: bool) -> Iterator[Span]:
    """The times in which the booth was open and had stock, in order. `sold_out`: nothing is left now."""
    since = _stocked_since(shelf)
    if since is None:
        return
    gaps = list(_gaps(shelf, sold_out=sold_out))
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
    stocked, missing = _stock_seconds(shelf, open_in, sold_out=not unsold)
    return DemandLine(
        booth=booth.id,
        product=shelf.product,
        stocked=sum(lot.stocked - lot.moved for lot in lots),
        sold=sold,
        unsold=unsold,
        sold_rupiah=rupiah,
        price_rupiah=rupiah // sold if sold else None,
        there_minutes=stocked // MINUTE,
        missing_minutes=missing // MINUTE,
        sold_out=tuple(
            SoldOut(
                at=from_epoch_seconds(gap.began), until=None if gap.ended is None else from_epoch_seconds(gap.ended)
            )
            for gap in _gaps(shelf, sold_out=not unsold)
            if not gap.away
        ),
        lost_sales=_lost_sales(booth, shelf.product, sold, open_in),
    )


def _lost_sales(booth: Booth, product: str, sold: int, open_in: tuple[Span, ...]) -> int:
    """The estimated lost sales of a maker that sold `sold` pieces."""
    shelves = [shelf for shelf in booth.shelves if shelf.product == product]
    if not shelves:
        return 0
    sold_out = not any(lot.unsold for lot in booth.lots if lot.product == product)
    stocked, missing = _stock_seconds(combined(shelves), open_in, sold_out=sold_out)
    return _round_half_up(sold * missing, max(stocked, HOUR))


def _stock_seconds(shelf: ShelfHistory, open_in: tuple[Span, ...], *, sold_out: bool) -> tuple[int, int]:
    """Open seconds with stock, and open seconds in which the goods were sold out."""
    stocked = sum(ended - began for began, ended in in_stock(shelf, open_in, sold_out=sold_out))
    gaps = _gaps(shelf, sold_out=sold_out)
    return stocked, sum(_overlap_seconds(open_in, gap.began, gap.ended) for gap in gaps if not gap.away)


def _gaps(shelf: ShelfHistory, *, sold_out: bool) -> Iterator[_Gap]:
    """The times without stock, in order and without overlap. `sold_out`: nothing is left in the end."""
    last: _Gap | None = None
    for gap in _single_gaps(shelf, sold_out=sold_out):
        if last is not None and last.ended is not None and gap.began <= last.ended:
            # Sales before the next arrival was counted in leave no gap of their own.
            last = _Gap(min(last.began, gap.began), gap.ended, last.away and gap.away)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def _single_gaps(shelf: ShelfHistory, *, sold_out: bool) -> Iterator[_Gap]:
    supplied = 0
    for (_, qty), (more_at, _) in zip(shelf.arrivals, shelf.arrivals[1:], strict=False):
        supplied += qty
        before = [hour for hour in shelf.hours if hour.ended < more_at]
        after = shelf.hours[len(before) :]
        moved = [(second, qty) for second, qty in shelf.departures if second < more_at]
        if sum(hour.qty for hour in before) + sum(qty for _, qty in moved) >= supplied:
            yield _gap_after_last(before, moved, min(more_at, after[0].began) if after else more_at)
    if sold_out and (shelf.hours or shelf.departures):
        yield _gap_after_last(shelf.hours, shelf.departures, None)


def _gap_after_last(hours: Sequence[HourlySales], moved: Sequence[tuple[int, int]], ended: int | None) -> _Gap:
    """The gap that begins at the last sale, or at the last move if that was later."""
    sold_at = hours[-1].ended if hours else None
    moved_at = moved[-1][0] if moved else None
    if sold_at is not None and (moved_at is None or moved_at <= sold_at):
        return _Gap(sold_at, ended, away=False)
    assert moved_at is not None, "missing pieces were sold or moved"
    return _Gap(moved_at if ended is None else min(moved_at, ended), ended, away=True)


def _stocked_since(shelf: ShelfHistory) -> int | None:
    began = [*(second for second, _ in shelf.arrivals[:1]), *(hour.began for hour in shelf.hours[:1])]
    return min(began, default=None)


def _overlap_seconds(spans: tuple[Span, ...], began: int, ended: int | None) -> int:
    """Seconds of the spans between `began` and `ended` (None: their end)."""
    return sum(max(0, (last if ended is None else min(last, ended)) - max(first, began)) for first, last in spans)


def _by_product(lots: list[BoothLot]) -> dict[str, list[BoothLot]]:
    lots_by_product: dict[str, list[BoothLot]] = {}
    for lot in lots:
        lots_by_product.setdefault(lot.product, []).append(lot)
    return lots_by_product


def _round_half_up(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)
