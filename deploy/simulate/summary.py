"""What became of a season, per facility, from the four databases."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from services.inventory.domain.lot import Standing
from services.inventory.store import LOTS as STOCK
from services.production.store import LOTS
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
        taken = sum(r.qty for r in lot.reservations if r.standing is not Standing.RELEASED)
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


def total(lines: list[FacilitySum]) -> FacilitySum:
    """The sum of all lines."""
    whole: dict[str, Any] = {"facility": "", "name": "all"}
    for line in lines:
        for name, value in asdict(line).items():
            if isinstance(value, int):
                whole[name] = whole.get(name, 0) + value
    return FacilitySum(**whole)
