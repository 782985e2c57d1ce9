"""The catalogue: facilities, products, and the products that each facility makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Facility:
    """`products`: the codes of the facility's products. `zone`: the facility's time zone."""

    code: str
    kind: str
    name: str
    zone: tzinfo
    products: frozenset[str]

    def day_of(self, moment: datetime) -> date:
        """The facility's local day at `moment`."""
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Product:
    """`max_qty`: a report of more pieces counts as a typing error. `shelf_life`: only for goods that spoil."""

    code: str
    name: str
    category: str
    unit: str
    max_qty: int
    shelf_life: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Facilities and products by their codes."""

    facilities: Mapping[str, Facility]
    products: Mapping[str, Product]
