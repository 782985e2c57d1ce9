"""What a booth could have sold of a facility's goods: when they ran out, and an estimate of the sales lost by it.

The method: pieces sold ÷ open hours in which they were there × open hours in which they were missing. It is the most
likely rate of sales that come at a constant rate and are seen only while there is stock ("Statistical Methods for
Reliability Data", Wiley 1998, page 166: events ÷ total time on test, for censored data).

A booth is open from its first to its last sale of anything; a pause of six hours is a night. Goods are there from
when they were counted in, or sold first if that was earlier. They ran out with the last sale when nothing was unsold
in the end, or when all that had come was sold before more came.

What it can't know: rushes and lulls (the rate is constant), who took another product instead (those sales count for
the other), and when a booth closed in which everything ran out at once (then nothing was lost). A gap within one
clock hour is not seen. A rate is taken over an hour at least: what is gone within minutes is estimated with care.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.sales.domain.booth import Booth, BoothLot
from services.sales.domain.shelf import HOUR, Shelf, moment
from shared.events.sales import DemandCounted, DemandLine, SoldOut

NIGHT = 6 * HOUR
MINUTE = 60

# From and to, in seconds since 1970. What has no end lasts to the booth's last sale.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Gap:
    """Nothing was there from `began`; None: no more came."""

    began: int
    ended: int | None


def openings(booth: Booth) -> tuple[Span, ...]:
    """When the booth was open, as far as its sales tell."""
    spans: list[Span] = []
    for began, ended in sorted((hour.began, hour.ended) for shelf in booth.shelves for hour in shelf.hours):
        if spans and began - spans[-1][1] < NIGHT:
            spans[-1] = (spans[-1][0], max(spans[-1][1], ended))
        else:
            spans.append((began, ended))
    return tuple(spans)


def counted(booth: Booth, open_in: tuple[Span, ...], facility: str) -> DemandCounted:
    """What there is to say of each of the facility's products at the booth, which was open in these spans."""
    assert booth.festival is not None, "a booth that holds a lot belongs to a festival"
    mine = [lot for lot in booth.lots if lot.facility == facility]
    shelves = {shelf.product: shelf for shelf in booth.shelves if shelf.facility == facility}
    lines = [
        _line(booth.id, shelves.get(product, Shelf(facility, product)), lots, open_in)
        for product, lots in sorted(_by_product(mine).items())
    ]
    return DemandCounted(facility=facility, festival=booth.festival, booth=booth.id, lines=tuple(lines))


def _line(booth: str, shelf: Shelf, lots: list[BoothLot], open_in: tuple[Span, ...]) -> DemandLine:
    sold = sum(lot.sold for lot in lots)
    unsold = sum(lot.unsold for lot in lots)
    rupiah = sum(lot.sold_rupiah for lot in lots)
    gaps = list(_gaps(shelf, gone=not unsold))
    missing = sum(_within(open_in, gap.began, gap.ended) for gap in gaps)
    there = _within(open_in, _there_from(shelf), None) - missing
    return DemandLine(
        booth=booth,
        product=shelf.product,
        stocked=sum(lot.stocked for lot in lots),
        sold=sold,
        unsold=unsold,
        sold_rupiah=rupiah,
        price_rupiah=rupiah // sold if sold else None,
        there_minutes=there // MINUTE,
        missing_minutes=missing // MINUTE,
        sold_out=tuple(
            SoldOut(at=moment(gap.began), until=None if gap.ended is None else moment(gap.ended)) for gap in gaps
        ),
        lost_sales=_rounded(sold * missing, max(there, HOUR)),
    )


def _gaps(shelf: Shelf, *, gone: bool) -> Iterator[_Gap]:
    """When nothing was there, in order and apart. `gone`: nothing is left in the end."""
    last: _Gap | None = None
    for gap in _each_gap(shelf, gone=gone):
        if last is not None and last.ended is not None and gap.began <= last.ended:
            # What was sold before it was counted in leaves no gap of its own.
            last = _Gap(min(last.began, gap.began), gap.ended)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def _each_gap(shelf: Shelf, *, gone: bool) -> Iterator[_Gap]:
    supplied = 0
    for (_, qty), (more_at, _) in zip(shelf.came, shelf.came[1:], strict=False):
        supplied += qty
        before = [hour for hour in shelf.hours if hour.ended < more_at]
        after = shelf.hours[len(before) :]
        if sum(hour.qty for hour in before) >= supplied:
            yield _Gap(before[-1].ended, min(more_at, after[0].began) if after else more_at)
    if gone and shelf.hours:
        yield _Gap(shelf.hours[-1].ended, None)


def _there_from(shelf: Shelf) -> int | None:
    began = [*(second for second, _ in shelf.came[:1]), *(hour.began for hour in shelf.hours[:1])]
    return min(began, default=None)


def _within(spans: tuple[Span, ...], began: int | None, ended: int | None) -> int:
    """Seconds of the spans from `began` (None: never) to `ended` (None: to their end)."""
    if began is None:
        return 0
    return sum(max(0, (last if ended is None else min(last, ended)) - max(first, began)) for first, last in spans)


def _by_product(lots: list[BoothLot]) -> dict[str, list[BoothLot]]:
    found: dict[str, list[BoothLot]] = {}
    for lot in lots:
        found.setdefault(lot.product, []).append(lot)
    return found


def _rounded(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)
