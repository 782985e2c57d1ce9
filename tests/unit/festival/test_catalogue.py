"""Festival's copy of the catalogue, and what commands take from it."""

from datetime import UTC, datetime

import pytest

from services.festival.domain.catalogue import (
    CatalogueEntry,
    Wrong,
    added_facilities,
    keep,
    with_lead_times,
    with_products,
)
from services.festival.domain.changing import with_added
from services.festival.domain.festival import announce
from shared.events.catalogue import CatalogueRevision, EntryFact
from shared.events.festival import (
    AddedFacilities,
    AnnounceFestival,
    FestivalAnnounced,
    LeadTime,
    OpenBooth,
    Price,
)
from shared.events.language import Event, Publication
from shared.runtime.state import Ref, State
from tests.support.builders.catalogue import (
    KNOWN,
    NOW,
    a_booth,
    a_facility,
    a_festival,
    a_product,
    an_announcement,
    facts,
)


def test_the_highest_revision_that_came_is_kept() -> None:
    def heard(state: State, body: EntryFact) -> State:
        event = Event("e", "karya/production", body.entry, NOW, NOW, body)
        return keep(state, event, body)[0]

    state = heard(State.of(absent=(Ref(CatalogueEntry, "product/KTI"),)), a_product("KTI", "New", revision=3))
    for revision in (2, 3):
        state = heard(state, a_product("KTI", "Old", revision=revision))
    assert [entry.fact.name for entry in state.changes.values()] == ["New"]
    assert (
        heard(state, a_product("KTI", "Newer", revision=4)).changes[CatalogueEntry, "product/KTI"].fact.revision == 4
    )


def test_an_announcement_takes_lead_times_and_says_by_which_revisions() -> None:
    body = with_lead_times(an_announcement(island="jawa"), KNOWN)
    assert isinstance(body, AnnounceFestival)
    # A retired facility may still have stock, and one without an island is near.
    assert {entry.facility: entry.days for entry in body.lead_days} == {
        "PR-KPG": 5,
        "LP-BAA": 7,
        "LP-OLD": 7,
        "LP-NIL": 0,
    }
    assert {(used.entry, used.revision) for used in body.catalogue} == {
        *((f"facility/{code}", 2) for code in ("PR-KPG", "LP-BAA", "LP-OLD", "LP-NIL")),
        ("lead-time/timor/jawa", 4),
        ("lead-time/rote/jawa", 4),
    }
    result = announce(State.of(), None, body, datetime(2023, 4, 1, tzinfo=UTC))
    assert isinstance(result, tuple)
    [publication] = result[1]
    assert isinstance(publication, Publication)
    assert isinstance(publication.body, FestivalAnnounced)
    assert publication.body.catalogue == body.catalogue
    assert set(publication.body.lead_days) == set(body.lead_days)


def test_lead_times_that_the_organiser_names_stay() -> None:
    named = (LeadTime(facility="PR-KPG", days=2),)
    body = with_lead_times(an_announcement(island="jawa", lead_days=named), KNOWN)
    assert isinstance(body, AnnounceFestival)
    assert {entry.facility: entry.days for entry in body.lead_days} == {
        "PR-KPG": 2,
        "LP-BAA": 7,
        "LP-OLD": 7,
        "LP-NIL": 0,
    }
    assert "facility/PR-KPG" not in {used.entry for used in body.catalogue}
    assert with_lead_times(an_announcement(), KNOWN) == an_announcement()


@pytest.mark.parametrize(("island", "words"), [("bali", "no island bali"), ("timor", "from rote to timor")])
def test_an_island_without_lead_times_is_named(island: str, words: str) -> None:
    wrong = with_lead_times(an_announcement(island=island), KNOWN)
    assert isinstance(wrong, Wrong)
    assert wrong.field == "island"
    assert words in wrong.message.english


def test_a_booth_takes_categories_and_names_and_says_by_which_revisions() -> None:
    body = with_products(a_booth("KTI", "SVR"), KNOWN)
    assert isinstance(body, OpenBooth)
    assert [(price.category, price.name) for price in body.prices] == [
        ("tenun", "Kain tenun ikat"),
        ("kerajinan-tangan", "Suvenir"),
    ]
    assert body.catalogue == (
        CatalogueRevision(entry="product/KTI", revision=3),
        CatalogueRevision(entry="product/SVR", revision=3),
    )
    own = Price(product="KTI", price_rupiah=1, category="mahal", name="Kain")
    command = with_products(a_booth(prices=(own,)), KNOWN)
    assert isinstance(command, OpenBooth)
    assert command.prices == (own,)


@pytest.mark.parametrize("product", ["NIX", "TTN"])
def test_a_product_that_is_not_there_or_retired_is_refused(product: str) -> None:
    wrong = with_products(a_booth("KTI", product), KNOWN)
    assert isinstance(wrong, Wrong)
    assert (wrong.field, wrong.text) == ("prices", product)
    assert wrong.known == {"KTI": ("Kain tenun ikat",), "SVR": ("Suvenir",)}


def test_facilities_that_were_added_after_the_announcement_bring_their_lead_times() -> None:
    festival = a_festival(island="jawa", lead_days=(("LP-BAA", 7), ("LP-OLD", 7), ("LP-NIL", 0)))
    added = added_facilities(festival, KNOWN)
    assert added == AddedFacilities(
        island="jawa",
        lead_days=(LeadTime(facility="PR-KPG", days=5),),
        catalogue=(
            CatalogueRevision(entry="facility/PR-KPG", revision=2),
            CatalogueRevision(entry="lead-time/timor/jawa", revision=4),
        ),
    )
    # A command that is repeated after its plan stays the same command.
    assert added_facilities(with_added(festival, added), KNOWN) == added
    assert added_facilities(a_festival(), KNOWN) is None, "no island is known to which the parcels go"
    known = tuple((code, 1) for code in ("PR-KPG", "LP-BAA", "LP-OLD", "LP-NIL"))
    assert added_facilities(a_festival(island="jawa", lead_days=known), KNOWN) is None


def test_an_added_facility_without_a_lead_time_stops_no_plan() -> None:
    unreached = {**KNOWN, **facts(a_facility("LP-FAR", "papua"))}
    added = added_facilities(a_festival(island="jawa"), unreached)
    assert added is not None
    assert "LP-FAR" not in {entry.facility for entry in added.lead_days}
    wrong = with_lead_times(an_announcement(island="jawa"), unreached)
    assert isinstance(wrong, Wrong)
    assert "from papua to jawa" in wrong.message.english
