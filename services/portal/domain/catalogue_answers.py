"""What production answers of the catalogue, as far as pages read it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

PRODUCT, FACILITY, LEAD_TIME = "product", "facility", "lead-time"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """An entry of the catalogue. Which fields it has depends on its kind."""

    kind: str
    code: str
    name: str | None = None
    category: str | None = None
    unit: str | None = None
    max_qty: int | None = None
    shelf_life_days: int | None = None
    usual_price_rupiah: int | None = None
    zone: str | None = None
    island: str | None = None
    products: tuple[str, ...] | None = None
    days: int | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRows:
    """The whole catalogue."""

    entries: tuple[CatalogueRow, ...]


@dataclass(frozen=True, slots=True)
class ShownCatalogue:
    """The entries that are not retired, by kind."""

    products: list[CatalogueRow] = field(default_factory=list)
    facilities: list[CatalogueRow] = field(default_factory=list)
    lead_times: list[CatalogueRow] = field(default_factory=list)


def shown_catalogue(entries: Iterable[CatalogueRow]) -> ShownCatalogue:
    """The entries by kind, in the order of their codes."""
    shown = ShownCatalogue()
    kinds = {PRODUCT: shown.products, FACILITY: shown.facilities, LEAD_TIME: shown.lead_times}
    for entry in sorted(entries, key=lambda entry: entry.code):
        if entry.retired_at is None and entry.kind in kinds:
            kinds[entry.kind].append(entry)
    return shown
