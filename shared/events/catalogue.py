"""The catalogue that staff keep: commands for its entries, their revisions, and each facility's part of it.

An entry's id is its kind, a slash and its code, e.g. `product/KTI`, `facility/PR-KPG` or `lead-time/timor/jawa`. Each
change gives it the next revision. Readers keep the highest; no topic is compacted.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, StringConstraints

from shared.events.language import Body, CommandId, Count, Id, PriceRupiah, Qty, Text, Topic, Typed, Utc, Values

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
ShelfLifeDays = Annotated[int, Field(ge=0, le=3650)]
LeadDays = Annotated[int, Field(ge=0, le=90)]


class EntryKind(StrEnum):
    """The kinds of entries. Categories, units and islands are terms: a code and a name."""

    CATEGORY = "category"
    UNIT = "unit"
    ISLAND = "island"
    PRODUCT = "product"
    FACILITY = "facility"
    LEAD_TIME = "lead-time"


TERMS = (EntryKind.CATEGORY, EntryKind.UNIT, EntryKind.ISLAND)


def entry_id(kind: EntryKind, *codes: str) -> str:
    """The id of an entry."""
    return "/".join((kind.value, *codes))


def kind_of(entry: str) -> str:
    """The kind in an entry's id, as its text: the id may be of no known kind."""
    return entry.partition("/")[0]


def code_of(entry: str) -> str:
    """The code in an entry's id."""
    return entry.partition("/")[2]


class SetTerm(Body):
    """Staff add or change a category, a unit or an island. `seed`: only if there is no such entry yet."""

    entry: Id
    name: Name
    seed: bool = False


class SetProduct(Body):
    """Staff add or change a product.

    - `max_qty`: a report of more pieces counts as a typing error.
    - `shelf_life_days`: only for goods that spoil. The best-before day follows from it.
    - `usual_price_rupiah`: what it usually costs; a booth may ask another price.
    - `seed`: only if there is no such entry yet. The seed is whole, so its references are not checked.
    """

    entry: Id
    name: Name
    category: Typed
    unit: Typed
    max_qty: Qty
    shelf_life_days: ShelfLifeDays | None = None
    usual_price_rupiah: PriceRupiah | None = None
    seed: bool = False


class SetFacility(Body):
    """Staff add or change a facility. `products`: the codes of what it makes. `seed`: see SetProduct."""

    entry: Id
    facility_kind: Name
    name: Name
    zone: Typed
    products: tuple[Typed, ...]
    island: Typed | None = None
    seed: bool = False


class SetLeadTime(Body):
    """Staff add or change the days of a parcel between two islands. `seed`: see SetProduct."""

    entry: Id
    days: LeadDays
    seed: bool = False


class RetireEntry(Body):
    """Staff retire an entry: nothing new may name it. What was made before stays valid."""

    entry: Id
    reason: Text = ""


class TermSet(Body):
    """A category, a unit or an island, as it is from this revision on."""

    entry: Id
    revision: Qty
    name: Name
    changed_at: Utc
    retired_at: Utc | None = None
    command: CommandId


class ProductSet(Body):
    """A product, as it is from this revision on."""

    entry: Id
    revision: Qty
    name: Name
    category: Id
    unit: Id
    max_qty: Qty
    shelf_life_days: ShelfLifeDays | None = None
    usual_price_rupiah: PriceRupiah | None = None
    changed_at: Utc
    retired_at: Utc | None = None
    command: CommandId


class FacilitySet(Body):
    """A facility and its products, as they are from this revision on."""

    entry: Id
    revision: Qty
    facility_kind: Name
    name: Name
    zone: Id
    products: tuple[Id, ...]
    island: Id | None = None
    changed_at: Utc
    retired_at: Utc | None = None
    command: CommandId


class LeadTimeSet(Body):
    """The days of a parcel between two islands, as they are from this revision on."""

    entry: Id
    revision: Qty
    days: LeadDays
    changed_at: Utc
    retired_at: Utc | None = None
    command: CommandId


EntryFact: TypeAlias = TermSet | ProductSet | FacilitySet | LeadTimeSet


class EntryRefusal(StrEnum):
    """The reason why a command for an entry was refused."""

    BAD_NAME = "bad_name"
    UNKNOWN_ENTRY = "unknown_entry"
    UNKNOWN_REFERENCE = "unknown_reference"
    ALREADY_RETIRED = "already_retired"
    NAMED_TWICE = "named_twice"
    TOO_MANY = "too_many"
    ID_TAKEN = "id_taken"


class EntryCommandRefused(Body):
    """A command for an entry is refused, and changes nothing.

    `message`: the sentence in English. Readers of another language translate `template` and put in the `values` of
    its fields.
    """

    entry: Id
    command: CommandId
    field: Id
    reason: EntryRefusal
    message: Text
    template: Text
    values: Values


class EntryAsked(Body):
    """`asker`, an entry, is about to name `entry`: is it there? From now on `entry` tells its changes to `asker`."""

    entry: Id
    asker: Id
    command: CommandId


class EntryAnswered(Body):
    """Whether `reference` is there and not retired, for the command of `entry` that asked."""

    entry: Id
    reference: Id
    command: CommandId
    found: bool


class FacilityListed(Body):
    """The facility's entry and the codes of its products, for the facility's own lane and its terminals."""

    facility: Id
    revision: Qty
    facility_kind: Name
    name: Name
    zone: Id
    products: tuple[Id, ...]
    changed_at: Utc
    retired_at: Utc | None = None


class ProductListed(Body):
    """A product that the facility makes or has made, for the facility's own lane and its terminals."""

    facility: Id
    product: Id
    revision: Qty
    name: Name
    category: Id
    unit: Id
    max_qty: Qty
    shelf_life_days: ShelfLifeDays | None = None
    usual_price_rupiah: PriceRupiah | None = None
    changed_at: Utc
    retired_at: Utc | None = None


def facility_listed(fact: FacilitySet) -> FacilityListed:
    """The facility's entry for its own lane and its terminals."""
    return FacilityListed(
        facility=code_of(fact.entry),
        revision=fact.revision,
        facility_kind=fact.facility_kind,
        name=fact.name,
        zone=fact.zone,
        products=fact.products,
        changed_at=fact.changed_at,
        retired_at=fact.retired_at,
    )


def product_listed(facility: str, fact: ProductSet) -> ProductListed:
    """The product for the lane and the terminals of this facility."""
    return ProductListed(
        facility=facility,
        product=code_of(fact.entry),
        revision=fact.revision,
        name=fact.name,
        category=fact.category,
        unit=fact.unit,
        max_qty=fact.max_qty,
        shelf_life_days=fact.shelf_life_days,
        usual_price_rupiah=fact.usual_price_rupiah,
        changed_at=fact.changed_at,
        retired_at=fact.retired_at,
    )


class CatalogueRevision(Body):
    """The revision of an entry that a decision used."""

    entry: Id
    revision: Count


ENTRY_COMMANDS = Topic(
    "karya.catalogue-commands.v1", "entry", (SetTerm, SetProduct, SetFacility, SetLeadTime, RetireEntry)
)
CATALOGUE = Topic("karya.catalogue.v1", "entry", (TermSet, ProductSet, FacilitySet, LeadTimeSet, EntryCommandRefused))
REFERENCES = Topic("karya.catalogue-references.v1", "entry", (EntryAsked, EntryAnswered))
FACILITY_CATALOGUE = Topic("karya.facility-catalogue.v1", "facility", (FacilityListed, ProductListed))
