"""The outcome of a season for each facility, and what ran out, from the four databases."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from services.inventory.domain.lot import ReservationStatus
from services.inventory.store import LOTS as STOCK
from services.production.store import LOTS
from services.sales.store import BOOTHS, DEMANDS
from shared.mongo import Mongo

SETTLEMENTS = "settlements"


@dataclass(slots=True)
class FacilitySum:
    """One facility's pieces and rupiah.

    Pieces: `made` as recorded and corrected, `allocated` to booths (reserved or sent), `sold`, `returned` home,
    `lost`, and `at_home`. Rupiah: `sold_rupiah` in all, and of it the facility's and the makers' parts.
    """

    facility: str
    name: str
    made: int = 0
    allocated: int = 0
    sold: int = 0
    returned: int = 0
    lost: int = 0
    at_home: int = 0
    sold_rupiah: int = 0
    owed_rupiah: int = 0
    makers_rupiah: int = 0


async def per_facility(mongo: Mongo, names: dict[str, str]) -> list[FacilitySum]:
    """The sums of each facility in `names` (by code), in the order of the codes."""
    sums = {code: FacilitySum(code, name) for code, name in sorted(names.items())}
    async for document in mongo.database("production")[LOTS.name].find({}):
        recorded = LOTS.from_document(document)
        sums[recorded.facility].made += recorded.qty + recorded.corrected
    pieces: dict[str, int] = defaultdict(int)
    async for document in mongo.database("inventory")[STOCK.name].find({}):
        lot = STOCK.from_document(document)
        line = sums[lot.facility]
        line.allocated += sum(r.qty for r in lot.reservations if r.status is not ReservationStatus.RELEASED)
        line.returned += lot.returned
        line.at_home += lot.on_hand
        line.lost += lot.written_off
        pieces[lot.facility] += lot.dispatched - lot.returned
    async for settlement in mongo.database("sales")[SETTLEMENTS].find({}):
        line = sums[settlement["facility"]]
        line.sold += settlement["qty"]
        line.sold_rupiah += settlement["sold_rupiah"]
        line.owed_rupiah += settlement["facility_rupiah"]
        line.makers_rupiah += settlement["maker_premium_rupiah"]
    for line in sums.values():
        line.lost += max(0, pieces[line.facility] - line.sold)
    return list(sums.values())


@dataclass(slots=True)
class SeasonBooks:
    """How certain the accounts are.

    Pieces without a label are `counted` if a final count divides them between facilities, and `provisional` if not.
    `drawers` were counted, and `off_rupiah` is the sum of their differences.
    """

    counted: int = 0
    provisional: int = 0
    drawers: int = 0
    off_rupiah: int = 0


async def books(mongo: Mongo) -> SeasonBooks:
    """The sums over all booths."""
    sums = SeasonBooks()
    async for document in mongo.database("sales")[BOOTHS.name].find({}):
        booth = BOOTHS.from_document(document)
        for pool in booth.pools:
            if pool.counted:
                sums.counted += pool.qty
            else:
                sums.provisional += pool.qty
        for drawer in booth.drawers:
            if drawer.difference_rupiah is not None:
                sums.drawers += 1
                sums.off_rupiah += abs(drawer.difference_rupiah)
    return sums


@dataclass(frozen=True, slots=True)
class StockOut:
    """A facility's product that was sold out before closing.

    It sold out first at `booth`, at the time `at`, and at `booths` booths in all. `fastest` is the booth that sold
    most of it per open hour. `lost_sales` is the estimate of the sales service.
    """

    facility: str
    product: str
    sold: int
    booths: int
    booth: str
    at: datetime
    fastest: str
    lost_sales: int


async def stock_outs(mongo: Mongo, names: dict[str, str], most: int = 5) -> list[StockOut]:
    """The products with the most lost sales, at most `most`; `names` are the facilities' by code."""
    outs: list[StockOut] = []
    async for document in mongo.database("sales")[DEMANDS.name].find({}):
        demand = DEMANDS.from_document(document)
        for product in demand.products:
            sold_out = sorted((line.sold_out[0].at, line.booth) for line in product.booths if line.sold_out)
            if not sold_out or not product.lost_sales:
                continue
            at, booth = sold_out[0]
            outs.append(
                StockOut(
                    facility=names[demand.facility],
                    product=product.product,
                    sold=product.sold,
                    booths=len(sold_out),
                    booth=booth,
                    at=at,
                    fastest=product.booths[0].booth,
                    lost_sales=product.lost_sales,
                )
            )
    return sorted(outs, key=lambda out: (-out.lost_sales, out.facility, out.product, out.booth))[:most]


def total(lines: list[FacilitySum]) -> FacilitySum:
    """The sum of all lines."""
    return FacilitySum(
        facility="",
        name="all",
        made=sum(line.made for line in lines),
        allocated=sum(line.allocated for line in lines),
        sold=sum(line.sold for line in lines),
        returned=sum(line.returned for line in lines),
        lost=sum(line.lost for line in lines),
        at_home=sum(line.at_home for line in lines),
        sold_rupiah=sum(line.sold_rupiah for line in lines),
        owed_rupiah=sum(line.owed_rupiah for line in lines),
        makers_rupiah=sum(line.makers_rupiah for line in lines),
    )
