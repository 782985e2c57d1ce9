"""What festival hears of a booth that is open, so that it can send more before all is gone.

Often enough to plan by, and bounded by time, not by sales: once for each quarter of an hour on the tills' clocks, and
once for each product that runs out after it was stocked.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.lost_sales import MINUTE, Span, in_stock, opening_hours
from services.sales.domain.shelf import HOUR, ShelfHistory, combined, epoch_seconds
from shared.events.language import Publication
from shared.events.sales import BOOTH_REPORTS, LotSoFar, ProductSoFar, SellThroughSoFar

QUARTER = 900
# A quarter that is told again after so many others does no harm; a till with a mad clock must not fill the booth.
MOST_QUARTERS = 96
# A report has to stay a readable record, however many products there are.
MOST_HOURS = 5000
HOURS_BACK = 72


def publish_interim(booth: Booth, product: str, sold_at: datetime) -> tuple[Booth, list[Publication]]:
    """What is said, if anything, after some of this product was sold."""
    if booth.status is not BoothStatus.OPEN:
        return booth, []
    told = booth.interim
    quarter = epoch_seconds(sold_at) // QUARTER
    new = quarter not in told.quarters
    gone = product not in told.sold_out and _is_sold_out(booth, product)
    if not new and not gone:
        return booth, []
    told = replace(
        told,
        revision=told.revision + 1,
        quarters=(*told.quarters, quarter)[-MOST_QUARTERS:] if new else told.quarters,
        sold_out=(*told.sold_out, product) if gone else told.sold_out,
    )
    booth = replace(booth, interim=told)
    return booth, [BOOTH_REPORTS.of(_report(booth, sold_at))]


def _is_sold_out(booth: Booth, product: str) -> bool:
    return not any(lot.unsold for lot in booth.lots if lot.product == product)


def _report(booth: Booth, at: datetime) -> SellThroughSoFar:
    assert booth.festival is not None, "an open booth belongs to a festival"
    open_in = opening_hours(booth)
    shelves = _by_product(booth)
    back = min(HOURS_BACK, max(1, MOST_HOURS // max(1, len(shelves))))
    return SellThroughSoFar(
        festival=booth.festival,
        booth=booth.id,
        at=at,
        revision=booth.interim.revision,
        lots=tuple(LotSoFar(lot=lot.lot, sold=lot.sold) for lot in booth.lots if lot.sold),
        products=tuple(
            _product_report(shelf, open_in, back, gone=_is_sold_out(booth, product))
            for product, shelf in sorted(shelves.items())
        ),
    )


def _by_product(booth: Booth) -> dict[str, ShelfHistory]:
    """The shelves of all facilities as one for each product."""
    found: dict[str, list[ShelfHistory]] = defaultdict(list)
    for one in booth.shelves:
        found[one.product].append(one)
    return {product: combined(of) for product, of in found.items()}


def _product_report(shelf: ShelfHistory, open_in: tuple[Span, ...], back: int, *, gone: bool) -> ProductSoFar:
    """Its last hours, `back` at most. What was sold was there for a minute at least."""
    lasted: dict[int, int] = defaultdict(int)
    for began, ended in in_stock(shelf, open_in, gone=gone):
        for hour in range(began // HOUR, (ended - 1) // HOUR + 1):
            lasted[hour] += min(ended, (hour + 1) * HOUR) - max(began, hour * HOUR)
    sold = {hour.hour: hour.qty for hour in shelf.hours}
    # A mad clock again: hours are counted from 1970 on.
    hours = [hour for hour in sorted(lasted.keys() | sold.keys())[-back:] if hour >= 0]
    return ProductSoFar(
        product=shelf.product,
        hours=tuple(hours),
        sold=tuple(sold.get(hour, 0) for hour in hours),
        minutes=tuple(max(lasted[hour] // MINUTE, 1 if hour in sold else 0) for hour in hours),
    )
