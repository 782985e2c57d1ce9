"""The pages of sell-through over HTTP: what booths sold of each product, hour by hour."""

from collections import defaultdict
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.sales.domain import Booth
from services.sales.domain.shelf import HOUR


class SoldHourPage(BaseModel):
    """Pieces sold in the clock hour that begins at `at`."""

    at: datetime
    qty: int


class SoldProductPage(BaseModel):
    """A product at a booth, in pieces.

    `moved`: sent to other booths. `hours`: those with sales that stock covers, in order. A void takes its pieces from
    the hour of the sale.
    """

    product: str
    stocked: int
    sold: int
    lost: int
    moved: int
    unsold: int
    sold_rupiah: int
    hours: list[SoldHourPage]


class SellThroughPage(BaseModel):
    """A booth's products with what sold of them by hour."""

    booth: str
    festival: str | None
    name: str | None
    zone: str | None
    status: str
    products: list[SoldProductPage]

    @classmethod
    def of(cls, booth: Booth, day: date | None) -> "SellThroughPage":
        """The page, with the hours of this day in the booth's zone, or of all days."""
        zone = ZoneInfo(booth.zone) if booth.zone is not None else UTC
        hours: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
        for shelf in booth.shelves:
            for hour in shelf.hours:
                at = datetime.fromtimestamp(hour.hour * HOUR, UTC)
                if day is None or at.astimezone(zone).date() == day:
                    hours[shelf.product][at] += hour.qty
        products = sorted({lot.product for lot in booth.lots})
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            zone=booth.zone,
            status=booth.status.value,
            products=[_product(booth, product, hours[product]) for product in products],
        )


def _product(booth: Booth, product: str, hours: dict[datetime, int]) -> SoldProductPage:
    lots = [lot for lot in booth.lots if lot.product == product]
    return SoldProductPage(
        product=product,
        stocked=sum(lot.stocked for lot in lots),
        sold=sum(lot.sold for lot in lots),
        lost=sum(lot.lost for lot in lots),
        moved=sum(lot.moved for lot in lots),
        unsold=sum(lot.unsold for lot in lots),
        sold_rupiah=sum(lot.sold_rupiah for lot in lots),
        hours=[SoldHourPage(at=at, qty=qty) for at, qty in sorted(hours.items())],
    )
