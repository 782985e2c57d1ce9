"""What may be reported: the facilities, the products, and which facility makes what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Facility:
    """`products` are the codes of what is made here; `zone` says which day it is here."""

    code: str
    kind: str
    name: str
    zone: tzinfo
    products: frozenset[str]

    def day_of(self, moment: datetime) -> date:
        """The day that it is here at `moment`."""
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Product:
    """`max_qty`: more pieces than this in one report are taken for a typing error. `shelf_life`: only of
    what spoils."""

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
