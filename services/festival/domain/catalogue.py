"""Festival's copy of the catalogue, and what commands take from it: lead times, categories and names.

A command is completed before it is appended to Kafka. It carries what was taken, and the revisions of the entries.
The rules see only the command, so a rebuild decides by the revisions of that time.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from services.festival.domain.festival import Festival
from shared.events.catalogue import (
    CatalogueRevision,
    EntryCommandRefused,
    EntryFact,
    EntryKind,
    FacilitySet,
    LeadTimeSet,
    ProductSet,
    code_of,
    entry_id,
    kind_of,
)
from shared.events.festival import (
    AddedFacilities,
    AddProduct,
    AnnounceFestival,
    ChangeFestival,
    LeadTime,
    OpenBooth,
    Price,
)
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message

OnIsland: TypeAlias = AnnounceFestival | ChangeFestival


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry at the highest revision that has come."""

    id: str
    fact: EntryFact


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault of a command against the catalogue: the field and a sentence for a person.

    `text` is what was typed, and `known` the names that could have been meant, by code.
    """

    field: str
    message: Message
    text: str = ""
    known: Mapping[str, Sequence[str]] | None = None


def keep(state: State, _event: Event, body: EntryFact) -> Decision:
    """The entry at this revision, unless a higher one has come."""
    entry = state.get(CatalogueEntry, body.entry)
    if entry is not None and entry.fact.revision >= body.revision:
        return state, []
    return state.put(CatalogueEntry(body.entry, body)), []


def pass_over(state: State, _event: Event, _body: EntryCommandRefused) -> Decision:
    """A refused command changes no entry."""
    return state, []


def with_lead_times(body: OnIsland, facts: Mapping[str, EntryFact]) -> OnIsland | Wrong:
    """The announcement or change with the days of a parcel from each facility to its island. Days that it names
    stay."""
    if body.island is None:
        return body
    islands = _codes(facts.values(), EntryKind.ISLAND)
    if body.island not in islands:
        message = Message("There is no island {island} in the catalogue.", island=body.island)
        return Wrong("island", message, body.island, _names(islands))
    named = {entry.facility for entry in body.lead_days or ()}
    found = _lead_times(body.island, named, facts)
    if (start := next((fact.island for fact in found.unknown if fact.retired_at is None), None)) is not None:
        message = Message(
            "No lead time from {start} to {end} is known. Add it first: `karya catalogue set-lead-time {start} "
            "{end} DAYS`.",
            start=start,
            end=body.island,
        )
        return Wrong("island", message)
    days = (*(body.lead_days or ()), *found.lead_days)
    return body.model_copy(update={"lead_days": days, "catalogue": found.revisions})


def added_facilities(festival: Festival, facts: Mapping[str, EntryFact]) -> AddedFacilities | None:
    """The lead times of facilities that were added after the festival was announced; None if there are none.

    Those that a plan has taken in already are among them: a command that is repeated stays the same.
    """
    if festival.island is None:
        return None
    found = _lead_times(festival.island, dict(festival.lead_days).keys(), facts)
    if not found.lead_days:
        return None
    return AddedFacilities(island=festival.island, lead_days=found.lead_days, catalogue=found.revisions)


def with_products(body: OpenBooth, facts: Mapping[str, EntryFact]) -> OpenBooth | Wrong:
    """The booth with category and name of each product."""
    products = _codes(facts.values(), EntryKind.PRODUCT)
    prices, revisions = [], list[CatalogueRevision]()
    for price in body.prices:
        fact = products.get(price.product)
        if not isinstance(fact, ProductSet):
            return _no_product("prices", price.product, products)
        prices.append(price.model_copy(update=_description(price, fact)))
        revisions.append(_revision(fact))
    return body.model_copy(update={"prices": tuple(prices), "catalogue": _each_once(revisions)})


def with_product(body: AddProduct, facts: Mapping[str, EntryFact]) -> AddProduct | Wrong:
    """The product with its category and name."""
    products = _codes(facts.values(), EntryKind.PRODUCT)
    fact = products.get(body.product)
    if not isinstance(fact, ProductSet):
        return _no_product("product", body.product, products)
    return body.model_copy(update={**_description(body, fact), "catalogue": (_revision(fact),)})


@dataclass(frozen=True, slots=True)
class _LeadTimes:
    """Lead times of facilities, the revisions that they are from, and the facilities of which none is known."""

    lead_days: tuple[LeadTime, ...]
    revisions: tuple[CatalogueRevision, ...]
    unknown: tuple[FacilitySet, ...]


def _lead_times(island: str, without: Set[str], facts: Mapping[str, EntryFact]) -> _LeadTimes:
    """The lead times to the island from all facilities but those in `without`.

    A retired facility may still have stock. Parcels of a facility without an island are always in time.
    """
    days, revisions, unknown = list[LeadTime](), list[CatalogueRevision](), list[FacilitySet]()
    for fact in facts.values():
        if not isinstance(fact, FacilitySet) or (facility := code_of(fact.entry)) in without:
            continue
        if fact.island is None:
            days.append(LeadTime(facility=facility, days=0))
            revisions.append(_revision(fact))
            continue
        lead_time = facts.get(entry_id(EntryKind.LEAD_TIME, fact.island, island))
        if isinstance(lead_time, LeadTimeSet) and lead_time.retired_at is None:
            days.append(LeadTime(facility=facility, days=lead_time.days))
            revisions += [_revision(fact), _revision(lead_time)]
        else:
            unknown.append(fact)
    return _LeadTimes(tuple(days), _each_once(revisions), tuple(unknown))


def _no_product(field: str, product: str, products: Mapping[str, EntryFact]) -> Wrong:
    message = Message("There is no product {product} in the catalogue.", product=product)
    return Wrong(field, message, product, _names(products))


def _description(product: Price | AddProduct, fact: ProductSet) -> dict[str, str]:
    """The product's category and name: those of the command, else those of the catalogue."""
    return {"category": product.category or fact.category, "name": product.name or fact.name}


def _codes(facts: Iterable[EntryFact], kind: EntryKind) -> dict[str, EntryFact]:
    """The entries of this kind that are not retired, by code."""
    return {code_of(fact.entry): fact for fact in facts if kind_of(fact.entry) == kind and fact.retired_at is None}


def _names(facts: Mapping[str, EntryFact]) -> dict[str, Sequence[str]]:
    return {code: (fact.name,) for code, fact in facts.items() if not isinstance(fact, LeadTimeSet)}


def _revision(fact: EntryFact) -> CatalogueRevision:
    return CatalogueRevision(entry=fact.entry, revision=fact.revision)


def _each_once(revisions: Iterable[CatalogueRevision]) -> tuple[CatalogueRevision, ...]:
    return tuple({revision.entry: revision for revision in revisions}.values())
