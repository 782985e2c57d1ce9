"""Interim reports of an open booth to festival, which can then send more goods before they sell out.

Time bounds their number, not sales. A report follows the first sale of each quarter of an hour on the tills' clocks,
and the sale after which a product is sold out.
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
# Bounds the booth's document against a till with a wrong clock. A quarter reported twice does no harm.
MOST_QUARTERS = 96
# Limits the size of the report's record over all products.
MOST_HOURS = 5000
HOURS_BACK = 72


def publish_interim(booth: Booth, product: str, sold_at: datetime) -> tuple[Booth, list[Publication]]:
    """The booth and its interim report, if one is due, after pieces of the product were sold at this time."""
    if booth.status is not BoothStatus.OPEN:
        return booth, []
    interim = booth.interim
    quarter = epoch_seconds(sold_at) // QUARTER
    new_quarter = quarter not in interim.quarters
    newly_sold_out = product not in interim.sold_out and _is_sold_out(booth, product)
    if not new_quarter and not newly_sold_out:
        return booth, []
    interim = replace(
        interim,
        revision=interim.revision + 1,
        quarters=(*interim.quarters, quarter)[-MOST_QUARTERS:] if new_quarter else interim.quarters,
        sold_out=(*interim.sold_out, product) if newly_sold_out else interim.sold_out,
    )
    booth = replace(booth, interim=interim)
    return booth, [BOOTH_REPORTS.of(_report(booth, sold_at))]


def publish_sales(booth: Booth, at: datetime) -> tuple[Booth, list[Publication]]:
    """A reopened booth and its interim report, if it has sold anything: festival goes by it again."""
    if not any(lot.sold for lot in booth.lots):
        return booth, []
    booth = replace(booth, interim=replace(booth.interim, revision=booth.interim.revision + 1))
    return booth, [BOOTH_REPORTS.of(_report(booth, at))]


def _is_sold_out(booth: Booth, product: str) -> bool:
    return not any(lot.unsold for lot in booth.lots if lot.product == product)


def _report(booth: Booth, at: datetime) -> SellThroughSoFar:
    assert booth.festival is not None, "an open booth belongs to a festival"
    open_in = opening_hours(booth)
    shelves = _by_product(booth)
    max_hours = min(HOURS_BACK, max(1, MOST_HOURS // max(1, len(shelves))))
    return SellThroughSoFar(
        festival=booth.festival,
        booth=booth.id,
        at=at,
        revision=booth.interim.revision,
        lots=tuple(LotSoFar(lot=lot.lot, sold=lot.sold) for lot in booth.lots if lot.sold),
        products=tuple(
            _product_report(shelf, open_in, max_hours, sold_out=_is_sold_out(booth, product))
            for product, shelf in sorted(shelves.items())
        ),
    )


def _by_product(booth: Booth) -> dict[str, ShelfHistory]:
    """The shelf histories of all facilities, combined by product."""
    shelves_by_product: dict[str, list[ShelfHistory]] = defaultdict(list)
    for shelf in booth.shelves:
        shelves_by_product[shelf.product].append(shelf)
    return {product: combined(shelves) for product, shelves in shelves_by_product.items()}


def _product_report(
    shelf: ShelfHistory, open_in: tuple[Span, ...], max_hours: int, *, sold_out: bool
) -> ProductSoFar:
    """The product's last `max_hours` hours. An hour with sales counts at least one minute of stock."""
    stocked_seconds: dict[int, int] = defaultdict(int)
    for began, ended in in_stock(shelf, open_in, sold_out=sold_out):
        for hour in range(began // HOUR, (ended - 1) // HOUR + 1):
            stocked_seconds[hour] += min(ended, (hour + 1) * HOUR) - max(began, hour * HOUR)
    sold = {hour.hour: hour.qty for hour in shelf.hours}
    # A wrong clock may give hours before 1970, which the event can't carry.
    hours = [hour for hour in sorted(stocked_seconds.keys() | sold.keys())[-max_hours:] if hour >= 0]
    return ProductSoFar(
        product=shelf.product,
        hours=tuple(hours),
        sold=tuple(sold.get(hour, 0) for hour in hours),
        minutes=tuple(max(stocked_seconds[hour] // MINUTE, 1 if hour in sold else 0) for hour in hours),
    )
