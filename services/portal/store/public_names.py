"""The names that the catalogue gives to codes, islands of facilities and categories of products, kept in memory for
public pages."""

from dataclasses import dataclass

from shared.events.catalogue import EntryKind, FacilitySet, ProductSet, TermSet, code_of, entry_id, kind_of
from shared.events.language import Body


@dataclass(frozen=True, slots=True)
class PublicName:
    """An entry's name at a revision. `island` and `zone`: of a facility; `category`: of a product."""

    revision: int
    name: str
    island: str | None = None
    zone: str | None = None
    category: str | None = None


class PublicNames:
    """The latest name of each entry. Facts come in any order, and again."""

    def __init__(self) -> None:
        self._names: dict[str, PublicName] = {}

    def take(self, body: Body) -> None:
        """Keep what the fact says, if nothing newer is known."""
        match body:
            case FacilitySet():
                self._keep(body.entry, PublicName(body.revision, body.name, body.island, body.zone))
            case ProductSet():
                self._keep(body.entry, PublicName(body.revision, body.name, category=body.category))
            case TermSet():
                self._keep(body.entry, PublicName(body.revision, body.name))

    def _keep(self, entry: str, name: PublicName) -> None:
        known = self._names.get(entry)
        if known is None or known.revision <= name.revision:
            self._names[entry] = name

    def facility(self, code: str) -> str:
        return self._name(EntryKind.FACILITY, code)

    def product(self, code: str) -> str:
        return self._name(EntryKind.PRODUCT, code)

    def category(self, code: str) -> str:
        return self._name(EntryKind.CATEGORY, code)

    def island(self, code: str) -> str:
        return self._name(EntryKind.ISLAND, code)

    def island_of(self, facility: str) -> str:
        """The code of the facility's island; empty if none is known."""
        known = self._names.get(entry_id(EntryKind.FACILITY, facility))
        return (known.island or "") if known is not None else ""

    def category_of(self, product: str) -> str:
        """The code of the product's category; empty if none is known."""
        known = self._names.get(entry_id(EntryKind.PRODUCT, product))
        return (known.category or "") if known is not None else ""

    def zone_of(self, facility: str) -> str | None:
        """The time zone of the facility's place, or None if it is not known."""
        known = self._names.get(entry_id(EntryKind.FACILITY, facility))
        return known.zone if known is not None else None

    def facilities(self) -> list[str]:
        """The codes of all facilities of the catalogue."""
        return sorted(code_of(entry) for entry in self._names if kind_of(entry) == EntryKind.FACILITY)

    def _name(self, kind: EntryKind, code: str) -> str:
        """The name, or the code of an entry that is not known."""
        known = self._names.get(entry_id(kind, code)) if code else None
        return known.name if known is not None else code
