"""Commands for entries of the catalogue: revisions, references between entries, retirement, and the seed."""

from collections import deque
from datetime import UTC, datetime, timedelta
from string import ascii_uppercase
from typing import Any

import pytest

from services.production import reference, seed
from services.production.domain.entries import Entry, EntryCommand, EntryCommandStatus, EntryRevision, revision_id
from services.production.handlers import ENTRY
from shared.events.catalogue import (
    CATALOGUE,
    ENTRY_COMMANDS,
    FACILITY_CATALOGUE,
    REFERENCES,
    EntryCommandRefused,
    EntryRefusal,
    FacilityListed,
    FacilitySet,
    ProductListed,
    ProductSet,
    RetireEntry,
    SetFacility,
    SetLeadTime,
    SetProduct,
    SetTerm,
    TermSet,
)
from shared.events.language import Body, Event, Publication
from shared.runtime.state import Entities, Ref, State

NOW = datetime(2026, 4, 18, 2, 0, tzinfo=UTC)
MANY = tuple(f"A{first}{second}" for first in ascii_uppercase for second in ascii_uppercase)


def a_product(code: str = "KTI", **changed: Any) -> SetProduct:
    fields = {"name": "Kain tenun ikat", "category": "tenun", "unit": "helai", "max_qty": 200}
    return SetProduct(**{"entry": f"product/{code}", **fields, **changed})


def a_facility(code: str = "PR-KPG", **changed: Any) -> SetFacility:
    fields = {"facility_kind": "lapas", "name": "Lapas Perempuan", "zone": "Asia/Makassar", "island": "timor"}
    return SetFacility(**{"entry": f"facility/{code}", "products": ("KTI",), **fields, **changed})


class Catalogue:
    """The entries' processor, with its own questions and answers going round until nothing is left."""

    def __init__(self) -> None:
        self.kept: dict[tuple[type[Any], str], Any] = {}
        self.published: list[Body] = []
        self.now = NOW
        self._count = 0

    def give(self, *bodies: Body, id: str | None = None, source: str = "staff") -> list[Body]:
        """The bodies on the catalogue's topics that these commands lead to."""
        before = len(self.published)
        queue = deque((body, id, source) for body in bodies)
        while queue:
            body, given_id, sender = queue.popleft()
            self._count += 1
            self.now += timedelta(seconds=1)
            key: str = body.entry  # type: ignore[attr-defined]
            event = Event(given_id or f"c{self._count}", sender, key, self.now, self.now, body)
            reads = ENTRY.reads(event)
            loaded: dict[Any, Any] = {read: self.kept.get(read) for read in reads if isinstance(read, Ref)}
            state, published = ENTRY.decide(State(Entities(loaded), reads), event)
            self.kept.update(state.changes)
            for publication in published:
                assert isinstance(publication, Publication)
                if publication.topic is REFERENCES:
                    queue.append((publication.body, None, "karya/production"))
                else:
                    assert publication.topic in (CATALOGUE, FACILITY_CATALOGUE)
                    self.published.append(publication.body)
        return self.published[before:]

    def refused(self, body: Body, **options: Any) -> tuple[str, EntryRefusal]:
        # A product that is asked tells the facility of itself at once, whatever becomes of the command.
        [refusal] = [answer for answer in self.give(body, **options) if not isinstance(answer, ProductListed)]
        assert isinstance(refusal, EntryCommandRefused)
        return refusal.field, refusal.reason

    def all(self, entity: type[Any]) -> list[Any]:
        return [stored_entity for (kind, _), stored_entity in self.kept.items() if kind is entity]


@pytest.fixture
def catalogue() -> Catalogue:
    catalogue = Catalogue()
    catalogue.give(
        SetTerm(entry="category/tenun", name="Tenun"),
        SetTerm(entry="unit/helai", name="helai"),
        SetTerm(entry="island/timor", name="Timor"),
        SetTerm(entry="island/jawa", name="Jawa"),
        a_product(),
    )
    return catalogue


def test_each_change_is_the_next_revision_and_history_keeps_all(catalogue: Catalogue) -> None:
    [first] = catalogue.give(SetTerm(entry="category/kopi", name="Kopi"), id="c-1")
    assert first == TermSet(entry="category/kopi", revision=1, name="Kopi", changed_at=catalogue.now, command="c-1")
    [second] = catalogue.give(SetTerm(entry="category/kopi", name="Kopi dan teh"))
    assert isinstance(second, TermSet)
    assert second.revision == 2
    history = [catalogue.kept[EntryRevision, revision_id("category/kopi", number)].fact for number in (1, 2)]
    assert history == [first, second]
    assert catalogue.kept[Entry, "category/kopi"].fact == second


def test_a_facility_hears_of_itself_and_its_products(catalogue: Catalogue) -> None:
    published = catalogue.give(a_facility())
    assert [type(body) for body in published] == [ProductListed, FacilitySet, FacilityListed]
    listed, _, facility = published
    assert isinstance(listed, ProductListed)
    assert (listed.facility, listed.product, listed.revision) == ("PR-KPG", "KTI", 1)
    assert isinstance(facility, FacilityListed)
    assert (facility.facility, facility.products) == ("PR-KPG", ("KTI",))


def test_only_facilities_concerned_hear_of_a_change(catalogue: Catalogue) -> None:
    catalogue.give(
        a_product("SVR"), a_facility("PR-KPG"), a_facility("LP-KPG"), a_facility("LA-KPG", products=("SVR",))
    )
    published = catalogue.give(a_product(max_qty=7))
    assert [type(body) for body in published] == [ProductSet, ProductListed, ProductListed]
    listed = [body for body in published if isinstance(body, ProductListed)]
    assert [(body.facility, body.revision, body.max_qty) for body in listed] == [("PR-KPG", 2, 7), ("LP-KPG", 2, 7)]


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (a_product(category="kayu"), "category", EntryRefusal.UNKNOWN_REFERENCE),
        (a_product(unit="karung"), "unit", EntryRefusal.UNKNOWN_REFERENCE),
        (a_facility(island="bali"), "island", EntryRefusal.UNKNOWN_REFERENCE),
        (a_facility(products=("KTI", "NIX")), "products", EntryRefusal.UNKNOWN_REFERENCE),
        (SetLeadTime(entry="lead-time/timor/bali", days=3), "island", EntryRefusal.UNKNOWN_REFERENCE),
        (RetireEntry(entry="product/NIX"), "entry", EntryRefusal.UNKNOWN_ENTRY),
        (a_product("kain"), "entry", EntryRefusal.BAD_NAME),
        (a_product(category="a/b"), "category", EntryRefusal.BAD_NAME),
        (a_facility("KUPANG"), "entry", EntryRefusal.BAD_NAME),
        (a_facility(zone="Asia/Atlantis"), "zone", EntryRefusal.BAD_NAME),
        (a_facility(products=("KTI", "KTI")), "products", EntryRefusal.NAMED_TWICE),
        (a_facility(products=("kain",)), "products", EntryRefusal.BAD_NAME),
        (a_facility(products=MANY), "products", EntryRefusal.TOO_MANY),
        (SetTerm(entry="product/KTI", name="x"), "entry", EntryRefusal.BAD_NAME),
        (SetTerm(entry="island/a/b", name="x"), "entry", EntryRefusal.BAD_NAME),
        (SetLeadTime(entry="lead-time/timor", days=3), "entry", EntryRefusal.BAD_NAME),
    ],
)  # fmt: skip
def test_a_wrong_command_changes_nothing_but_its_own_fate(
    catalogue: Catalogue, body: Body, field: str, reason: EntryRefusal
) -> None:
    before = {entry.id: entry.fact for entry in catalogue.all(Entry) if entry.revision}
    assert catalogue.refused(body) == (field, reason)
    assert {entry.id: entry.fact for entry in catalogue.all(Entry) if entry.revision} == before
    statuses = [command.status for command in catalogue.all(EntryCommand)]
    assert statuses.count(EntryCommandStatus.REFUSED) == 1
    assert EntryCommandStatus.WAITING not in statuses


def test_nothing_new_may_name_a_retired_entry(catalogue: Catalogue) -> None:
    [retired] = catalogue.give(RetireEntry(entry="category/tenun"))
    assert isinstance(retired, TermSet)
    assert (retired.revision, retired.retired_at) == (2, catalogue.now)
    assert catalogue.refused(a_product("SVR")) == ("category", EntryRefusal.UNKNOWN_REFERENCE)
    assert catalogue.refused(RetireEntry(entry="category/tenun")) == ("entry", EntryRefusal.ALREADY_RETIRED)
    [back] = catalogue.give(SetTerm(entry="category/tenun", name="Tenun"))
    assert isinstance(back, TermSet)
    assert (back.revision, back.retired_at) == (3, None)
    assert isinstance(catalogue.give(a_product("SVR"))[0], ProductSet)


def test_an_entry_keeps_what_it_named_before_that_was_retired(catalogue: Catalogue) -> None:
    catalogue.give(a_facility())
    catalogue.give(RetireEntry(entry="product/KTI"))
    renamed = catalogue.give(a_facility(name="Lapas Baru"))
    assert [body.name for body in renamed if isinstance(body, FacilitySet)] == ["Lapas Baru"]
    catalogue.give(RetireEntry(entry="facility/PR-KPG"))
    assert [type(body) for body in catalogue.give(a_facility())] == [ProductListed, FacilitySet, FacilityListed]
    assert catalogue.refused(a_facility("LP-KPG")) == ("products", EntryRefusal.UNKNOWN_REFERENCE)


def test_facilities_hear_that_a_product_is_retired(catalogue: Catalogue) -> None:
    catalogue.give(a_facility())
    _, listed = catalogue.give(RetireEntry(entry="product/KTI"))
    assert isinstance(listed, ProductListed)
    assert (listed.facility, listed.revision, listed.retired_at) == ("PR-KPG", 2, catalogue.now)


def test_a_facility_hears_of_a_product_that_comes_after_it() -> None:
    catalogue = Catalogue()
    assert [type(body) for body in catalogue.give(a_facility(seed=True, island=None))] == [
        FacilitySet,
        FacilityListed,
    ]
    assert [type(body) for body in catalogue.give(a_product(seed=True))] == [ProductSet, ProductListed]


def test_an_id_that_another_command_for_the_entry_has_is_refused(catalogue: Catalogue) -> None:
    catalogue.give(SetTerm(entry="category/kopi", name="Kopi"), id="c-1")
    other = SetTerm(entry="category/kopi", name="Teh")
    assert catalogue.refused(other, id="c-1", source="others") == ("command", EntryRefusal.ID_TAKEN)
    assert catalogue.kept[Entry, "category/kopi"].fact.name == "Kopi"


def test_the_seed_never_changes_what_staff_keep(catalogue: Catalogue) -> None:
    assert catalogue.give(a_product(name="An older name", seed=True)) == []
    assert catalogue.kept[Entry, "product/KTI"].revision == 1


def test_the_seed_is_the_reference_data_in_any_order() -> None:
    loaded = reference.load()
    commands = list(seed.commands(loaded))
    assert len({command.entry for command in commands}) == len(commands)
    assert all(type(command) in ENTRY_COMMANDS.bodies for command in commands)
    for order in (commands, commands[::-1]):
        catalogue = Catalogue()
        catalogue.give(*order)
        assert not [body for body in catalogue.published if isinstance(body, EntryCommandRefused)]
        pairs = {
            (listing.facility, listing.product)
            for listing in catalogue.published
            if isinstance(listing, ProductListed)
        }
        assert pairs == {
            (code, product) for code, facility in loaded.catalogue.facilities.items() for product in facility.products
        }
        facilities = {listing.facility for listing in catalogue.published if isinstance(listing, FacilityListed)}
        assert facilities == loaded.catalogue.facilities.keys()
