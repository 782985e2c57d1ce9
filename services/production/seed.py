"""The seed of the catalogue: the reference data as commands, each for an entry that is not there yet."""

from collections.abc import Iterator
from typing import TypeAlias

from services.production.reference import Reference
from shared.events.catalogue import EntryKind, SetFacility, SetLeadTime, SetProduct, SetTerm, entry_id

SeedCommand: TypeAlias = SetTerm | SetProduct | SetFacility | SetLeadTime


def commands(reference: Reference) -> Iterator[SeedCommand]:
    """A command for each entry of the reference data, those first that others name."""
    catalogue = reference.catalogue
    for code, name in reference.categories.items():
        yield _term(EntryKind.CATEGORY, code, name)
    for unit in sorted({product.unit for product in catalogue.products.values()}):
        yield _term(EntryKind.UNIT, unit, unit)
    ends = {end for pair in reference.lead_days for end in pair}
    for island in sorted(ends | set(reference.islands.values())):
        yield _term(EntryKind.ISLAND, island, island.capitalize())
    for product in catalogue.products.values():
        yield SetProduct(
            entry=entry_id(EntryKind.PRODUCT, product.code),
            name=product.name,
            category=product.category,
            unit=product.unit,
            max_qty=product.max_qty,
            shelf_life_days=product.shelf_life.days if product.shelf_life is not None else None,
            seed=True,
        )
    for facility in catalogue.facilities.values():
        yield SetFacility(
            entry=entry_id(EntryKind.FACILITY, facility.code),
            facility_kind=facility.kind,
            name=facility.name,
            zone=str(facility.zone),
            products=tuple(sorted(facility.products)),
            island=reference.islands.get(facility.code),
            seed=True,
        )
    for (start, end), days in reference.lead_days.items():
        yield SetLeadTime(entry=entry_id(EntryKind.LEAD_TIME, start, end), days=days, seed=True)


def _term(kind: EntryKind, code: str, name: str) -> SetTerm:
    return SetTerm(entry=entry_id(kind, code), name=name, seed=True)
