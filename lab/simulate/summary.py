"""What became of a season, per facility, and what ran out, from the four databases."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.inventory.domain.lot import ReservationStatus
from services.inventory.store import LOTS as STOCK
from services.production.store import LOTS
from services.sales.store import BOOTHS, DEMANDS
from shared.mongo import Mongo

SETTLEMENTS = "settlements"


@dataclass(slots=True)
class FacilitySum:
    """Pieces: `made` as recorded and corrected, `allocated` to booths (reserved or sent), `sold`, `returned` home,
    `lost`, and `at_home`. Rupiah: what was `sold_rupiah` for, and of it the facility's part and the makers'."""

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
    """One line for each facility in `names` (by code), in the order of their codes."""
    sums = {code: FacilitySum(code, name) for code, name in sorted(names.items())}
    async for document in mongo.database("production")[LOTS.name].find({}):
        made = LOTS.from_document(document)
        sums[made.facility].made += made.qty + made.corrected
    sent: dict[str, int] = defaultdict(int)
    async for document in mongo.database("inventory")[STOCK.name].find({}):
        lot = STOCK.from_document(document)
        line = sums[lot.facility]
        taken = sum(r.qty for r in lot.reservations if r.status is not ReservationStatus.RELEASED)
        line.allocated += taken
        line.returned += lot.returned
        line.at_home += lot.on_hand
        line.lost += lot.written_off
        sent[lot.facility] += lot.dispatched - lot.returned
    async for settlement in mongo.database("sales")[SETTLEMENTS].find({}):
        line = sums[settlement["facility"]]
        line.sold += settlement["qty"]
        line.sold_rupiah += settlement["sold_rupiah"]
        line.owed_rupiah += settlement["facility_rupiah"]
        line.makers_rupiah += settlement["maker_premium_rupiah"]
    for line in sums.values():
        line.lost += max(0, sent[line.facility] - line.sold)
    return list(sums.values())


@dataclass(slots=True)
class SeasonBooks:
    """How sure the books are. Pieces without a label: `counted`, if a final count stands behind whose they were, else
    `provisional`. `drawers` were counted, and `off_rupiah` is by how much all of them together were wrong."""

    counted: int = 0
    provisional: int = 0
    drawers: int = 0
    off_rupiah: int = 0


async def books(mongo: Mongo) -> SeasonBooks:
    """Over all booths."""
    whole = SeasonBooks()
    async for document in mongo.database("sales")[BOOTHS.name].find({}):
        booth = BOOTHS.from_document(document)
        for pool in booth.pools:
            if pool.counted:
                whole.counted += pool.qty
            else:
                whole.provisional += pool.qty
        for drawer in booth.drawers:
            if drawer.difference_rupiah is not None:
                whole.drawers += 1
                whole.off_rupiah += abs(drawer.difference_rupiah)
    return whole


@dataclass(frozen=True, slots=True)
class RanOut:
    """A facility's product that was gone before closing: first at `booth`, `at`, and at `booths` in all; `fastest` is
    the booth that sold most of it per open hour. `lost_sales` is sales' estimate."""

    facility: str
    product: str
    sold: int
    booths: int
    booth: str
    at: datetime
    fastest: str
    lost_sales: int


async def ran_out(mongo: Mongo, names: dict[str, str], most: int = 5) -> list[RanOut]:
    """What was missed most, at most so many; `names` are the facilities' by code."""
    found = []
    async for document in mongo.database("sales")[DEMANDS.name].find({}):
        demand = DEMANDS.from_document(document)
        for product in demand.products:
            gone = sorted((line.sold_out[0].at, line.booth) for line in product.booths if line.sold_out)
            if gone and product.lost_sales:
                at, booth = gone[0]
                name, fastest = names[demand.facility], product.booths[0].booth
                found.append(
                    RanOut(name, product.product, product.sold, len(gone), booth, at, fastest, product.lost_sales)
                )
    return sorted(found, key=lambda one: (-one.lost_sales, one.facility, one.product, one.booth))[:most]


def total(lines: list[FacilitySum]) -> FacilitySum:
    """The sum of all lines."""
    whole: dict[str, Any] = {"facility": "", "name": "all"}
    for line in lines:
        for name, value in asdict(line).items():
            if isinstance(value, int):
                whole[name] = whole.get(name, 0) + value
    return FacilitySum(**whole)
