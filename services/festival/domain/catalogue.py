"""Festival's copy of the catalogue, and what commands take from it: lead times, categories and names.

A command is completed before it is appended to Kafka. It carries what was taken, and the revisions that said so. The
rules see only the command, so a rebuild decides by the revisions of that time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from shared.events.catalogue import (
    CatalogueRevision,
    EntryCommandRefused,
    EntryKind,
    FacilitySet,
    LeadTimeSet,
    ProductSet,
    TermSet,
    code_of,
    entry_id,
)
from shared.events.festival import AddProduct, AnnounceFestival, ChangeFestival, LeadTime, OpenBooth
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message

Fact: TypeAlias = TermSet | ProductSet | FacilitySet | LeadTimeSet
OnIsland = TypeVar("OnIsland", AnnounceFestival, ChangeFestival)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry at the highest revision that has come."""

    id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault of a command against the catalogue: the field and a sentence for a person.

    `text` is what was typed, and `known` the names that could have been meant, by code.
    """

    field: str
    message: Message
    text: str = ""
    known: Mapping[str, Sequence[str]] | None = None


def keep(state: State, _event: Event, body: Fact) -> Decision:
    """The entry at this revision, unless a higher one has come."""
    entry = state.get(CatalogueEntry, body.entry)
    if entry is not None and entry.fact.revision >= body.revision:
        return state, []
    return state.put(CatalogueEntry(body.entry, body)), []


def pass_over(state: State, _event: Event, _body: EntryCommandRefused) -> Decision:
    """A refused command changes no entry."""
    return state, []


def with_lead_times(body: OnIsland, facts: Mapping[str, Fact]) -> OnIsland | Wrong:
    """The announcement or change with the days of a parcel from each facility to its island. Days that it names
    stay."""
    if body.island is None:
        return body
    islands = _codes(facts.values(), EntryKind.ISLAND)
    if body.island not in islands:
        message = Message("There is no island {island} in the catalogue.", island=body.island)
        return Wrong("island", message, body.island, _names(islands))
    facilities = {entry.facility for entry in body.lead_days or ()}
    days, revisions = list(body.lead_days or ()), list[CatalogueRevision]()
    for fact in facts.values():
        if not isinstance(fact, FacilitySet) or fact.island is None or fact.retired_at is not None:
            continue
        facility = code_of(fact.entry)
        lead_time = facts.get(entry_id(EntryKind.LEAD_TIME, fact.island, body.island))
        if facility in facilities:
            continue
        if not isinstance(lead_time, LeadTimeSet) or lead_time.retired_at is not None:
            message = Message(
                "No lead time from {start} to {end} is known. Add it first: `karya catalogue set-lead-time {start} "
                "{end} DAYS`.",
                start=fact.island,
                end=body.island,
            )
            return Wrong("island", message)
        days.append(LeadTime(facility=facility, days=lead_time.days))
        revisions += [_revision(fact), _revision(lead_time)]
    return body.model_copy(update={"lead_days": tuple(days), "catalogue": _each_once(revisions)})


def with_products(body: OpenBooth, facts: Mapping[str, Fact]) -> OpenBooth | Wrong:
    """The booth with category and name of each product. Without any catalogue, as it is."""
    products = _codes(facts.values(), EntryKind.PRODUCT)
    if not products:
        return body
    prices, revisions = [], list[CatalogueRevision]()
    for price in body.prices:
        fact = products.get(price.product)
        if not isinstance(fact, ProductSet):
            message = Message("There is no product {product} in the catalogue.", product=price.product)
            return Wrong("prices", message, price.product, _names(products))
        changes = {"category": price.category or fact.category, "name": price.name or fact.name}
        prices.append(price.model_copy(update=changes))
        revisions.append(_revision(fact))
    return body.model_copy(update={"prices": tuple(prices), "catalogue": _each_once(revisions)})


def with_product(body: AddProduct, facts: Mapping[str, Fact]) -> AddProduct | Wrong:
    """The product with its category and name. Without any catalogue, as it is."""
    products = _codes(facts.values(), EntryKind.PRODUCT)
    if not products:
        return body
    fact = products.get(body.product)
    if not isinstance(fact, ProductSet):
        message = Message("There is no product {product} in the catalogue.", product=body.product)
        return Wrong("product", message, body.product, _names(products))
    changes = {"category": body.category or fact.category, "name": body.name or fact.name}
    return body.model_copy(update={**changes, "catalogue": (_revision(fact),)})


def _codes(facts: Iterable[Fact], kind: EntryKind) -> dict[str, Fact]:
    """The entries of this kind that are not retired, by code."""
    begin = f"{kind.value}/"
    return {code_of(fact.entry): fact for fact in facts if fact.entry.startswith(begin) and fact.retired_at is None}


def _names(facts: Mapping[str, Fact]) -> dict[str, Sequence[str]]:
    return {code: (fact.name,) for code, fact in facts.items() if not isinstance(fact, LeadTimeSet)}


def _revision(fact: Fact) -> CatalogueRevision:
    return CatalogueRevision(entry=fact.entry, revision=fact.revision)


def _each_once(revisions: Iterable[CatalogueRevision]) -> tuple[CatalogueRevision, ...]:
    return tuple({revision.entry: revision for revision in revisions}.values())
