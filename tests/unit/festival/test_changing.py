"""Festivals that are announced by mistake, and changes of what was announced."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.festival.domain import Booth, Festival
from services.festival.domain.catalogue import Wrong, with_lead_times, with_product
from shared.events.catalogue import CatalogueRevision, FacilitySet, LeadTimeSet, ProductSet, TermSet
from shared.events.festival import (
    AddedFacilities,
    AddProduct,
    AllocationPlanned,
    BoothChanged,
    CancelFestival,
    ChangeFestival,
    ChangePrice,
    CommandRefusal,
    FestivalChanged,
    LeadTime,
    Price,
    PricesChanged,
    RenameBooth,
    Replenish,
)
from shared.events.language import Body
from tests.support.builders import festival as builders
from tests.support.builders.festival import (
    B1,
    B2,
    LAST_DAY,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_request,
    a_revision,
    a_sell_through,
    a_shipment,
    a_world,
    an_announcement,
    kinds,
    product_codes,
)

TODAY = NOON.date()


def a_change(**changed: Any) -> ChangeFestival:
    return ChangeFestival(festival=ODOP, **changed)


def sent(world: FestivalWorld) -> FestivalWorld:
    """The world after a shipment has left."""
    world.make("L1", 20)
    world.give(a_request((B1, "KTI", 5)))
    world.settle()
    world.give(a_shipment())
    return world


# announcing


@pytest.mark.parametrize(
    ("first", "last", "doubtful"),
    [
        (TODAY - timedelta(days=3), TODAY - timedelta(days=1), True),
        (TODAY - timedelta(days=3), TODAY, False),
        (TODAY, TODAY + timedelta(days=59), False),
        (TODAY, TODAY + timedelta(days=60), True),
    ],
)
def test_a_festival_that_is_over_or_longer_than_sixty_days_needs_a_yes(
    first: date, last: date, doubtful: bool
) -> None:
    body = an_announcement(first_day=first, last_day=last, confirmed=False)
    world = FestivalWorld()
    if doubtful:
        assert world.refusal(body) == ("last_day", CommandRefusal.NOT_CONFIRMED)
    assert kinds(world.give(body.model_copy(update={"confirmed": True}))) == ["FestivalAnnounced"]
    if not doubtful:
        assert kinds(FestivalWorld().give(body)) == ["FestivalAnnounced"]


def test_today_is_the_day_in_the_festivals_zone() -> None:
    world = FestivalWorld()
    # 17:00 UTC is the next day in Makassar.
    world.now = datetime(2023, 4, 18, 17, 0, tzinfo=UTC)
    body = an_announcement(first_day=date(2023, 4, 18), last_day=date(2023, 4, 18), confirmed=False)
    assert world.refusal(body) == ("last_day", CommandRefusal.NOT_CONFIRMED)
    assert kinds(world.give(body.model_copy(update={"festival": "WIB", "zone": "Asia/Jakarta"}))) == [
        "CommandRefused"
    ]
    world.now -= timedelta(hours=1, seconds=1)
    assert kinds(world.give(body)) == ["FestivalAnnounced"]


# the catalogue


def test_a_product_that_is_not_in_the_catalogue_is_refused_and_others_get_name_and_category() -> None:
    fact = ProductSet(
        entry="product/KTI",
        revision=3,
        name="Kain tenun ikat",
        category="tenun",
        unit="helai",
        max_qty=200,
        changed_at=NOON,
        command="c-1",
    )
    adding = AddProduct(festival=ODOP, booth=B1, product="KTX", price_rupiah=1)
    wrong = with_product(adding, {fact.entry: fact})
    assert isinstance(wrong, Wrong)
    assert (wrong.field, wrong.text, wrong.known) == ("product", "KTX", {"KTI": ("Kain tenun ikat",)})
    completed = with_product(adding.model_copy(update={"product": "KTI"}), {fact.entry: fact})
    assert isinstance(completed, AddProduct)
    assert (completed.category, completed.name) == ("tenun", "Kain tenun ikat")
    assert [revision.revision for revision in completed.catalogue] == [3]


def test_a_new_island_brings_the_lead_times_of_the_catalogue() -> None:
    common: dict[str, Any] = {"revision": 2, "changed_at": NOON, "command": "c-1"}
    facts = {
        fact.entry: fact
        for fact in (
            TermSet(entry="island/jawa", name="Jawa", **common),
            FacilitySet(
                entry="facility/PR-KPG",
                facility_kind="rutan",
                name="Rutan",
                zone="Asia/Makassar",
                products=(),
                island="timor",
                **common,
            ),
            LeadTimeSet(entry="lead-time/timor/jawa", days=5, **common),
        )
    }
    completed = with_lead_times(a_change(island="jawa"), facts)
    assert isinstance(completed, ChangeFestival)
    assert completed.lead_days == (LeadTime(facility="PR-KPG", days=5),)
    assert isinstance(with_lead_times(a_change(island="jva"), facts), Wrong)


# facilities that were added after the announcement


def an_addition(facility: str, days: int, island: str = "timor") -> AddedFacilities:
    used = (CatalogueRevision(entry=f"facility/{facility}", revision=1),)
    lead_days = (LeadTime(facility=facility, days=days),)
    return AddedFacilities(island=island, lead_days=lead_days, catalogue=used)


def far_world() -> FestivalWorld:
    """A festival on an island whose opening is two days ahead. LP-AAA is announced, LP-BBB came later."""
    opening = NOON.date() + timedelta(days=2)
    near = (LeadTime(facility="LP-AAA", days=1),)
    world = FestivalWorld()
    world.give(an_announcement(first_day=opening, last_day=opening, lead_days=near, island="timor"))
    world.give(a_booth(B1))
    world.make("LA", 5)
    world.make("LB", 5, facility="LP-BBB")
    return world


def lots_of(world: FestivalWorld, body: Body) -> set[str]:
    return {line.lot for event in world.give(body) if isinstance(event, AllocationPlanned) for line in event.lines}


@pytest.mark.parametrize(("days", "lots"), [(3, {"LA"}), (2, {"LA", "LB"})])
def test_a_plan_uses_the_lead_time_of_a_facility_that_was_added_later(days: int, lots: set[str]) -> None:
    world = far_world()
    assert lots_of(world, a_request((B1, "KTI", 10), added=an_addition("LP-BBB", days))) == lots
    [changed] = world.bodies(FestivalChanged)
    assert changed.catalogue == (CatalogueRevision(entry="facility/LP-BBB", revision=1),)
    assert [(entry.facility, entry.days) for entry in changed.lead_days] == [("LP-AAA", 1), ("LP-BBB", days)]
    # From then on the festival knows it: the first lead time stays, and is said once.
    assert lots_of(world, a_request((B1, "KTI", 9), request="R2", added=an_addition("LP-BBB", 9))) <= lots
    assert world.one(Festival, ODOP).parcel_days == {"LP-AAA": 1, "LP-BBB": days}
    assert len(world.bodies(FestivalChanged)) == 1


def test_nothing_is_planned_of_a_facility_whose_lead_time_is_not_known() -> None:
    assert lots_of(far_world(), a_request((B1, "KTI", 10))) == {"LA"}
    elsewhere = an_addition("LP-BBB", 0, island="jawa")
    assert lots_of(far_world(), a_request((B1, "KTI", 10), added=elsewhere)) == {"LA"}, "to another island"
    world = FestivalWorld()
    world.give(an_announcement())
    world.give(a_booth(B1))
    world.make("LB", 5, facility="LP-BBB")
    assert lots_of(world, a_request((B1, "KTI", 5))) == {"LB"}, "without an island parcels are always in time"


def test_a_revision_and_a_refill_take_in_what_was_added() -> None:
    world = far_world()
    world.give(a_request((B1, "KTI", 10), consent=True))
    world.settle()
    world.give(a_revision(consent=True, added=an_addition("LP-BBB", 2)))
    world.settle()
    assert {line.lot for line in world.request().lines} == {"LA", "LB"}
    assert [entry.facility for entry in world.bodies(FestivalChanged)[0].lead_days] == ["LP-AAA", "LP-BBB"]
    world = far_world()
    until = world.now + timedelta(hours=6)
    refill = Replenish(festival=ODOP, request="R9", until=until, added=an_addition("LP-BBB", 2))
    assert kinds(world.give(refill))[-1] == "FestivalChanged"


def test_a_refused_plan_leaves_the_festival_as_it_was() -> None:
    world = far_world()
    assert world.refusal(a_request((B1, "NIX", 10), added=an_addition("LP-BBB", 1)))[0] == "demands"
    assert world.one(Festival, ODOP).parcel_days == {"LP-AAA": 1}
    many = an_addition("LP-BBB", 1).model_copy(
        update={"lead_days": tuple(LeadTime(facility=f"LP-{code}", days=1) for code in product_codes(1001))}
    )
    assert world.refusal(a_request((B1, "KTI", 10), added=many)) == ("added", CommandRefusal.TOO_MANY)


# changes


def test_days_place_and_zone_change_until_something_was_sent() -> None:
    world = a_world()
    moved = a_change(place="Ende", zone="Asia/Jakarta", first_day=date(2023, 4, 21), last_day=date(2023, 4, 22))
    changed, first, second = world.give(moved)
    assert changed == FestivalChanged(
        festival=ODOP,
        name="Festival ODOP",
        place="Ende",
        zone="Asia/Jakarta",
        first_day=date(2023, 4, 21),
        last_day=date(2023, 4, 22),
    )
    assert [first, second] == [
        BoothChanged(booth=booth, name=f"Booth {booth}", zone="Asia/Jakarta") for booth in (B1, B2)
    ]
    festival = world.one(Festival, ODOP)
    assert (festival.place, festival.last_day) == ("Ende", date(2023, 4, 22))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (a_change(place="Ende"), "place"),
        (a_change(zone="Asia/Jakarta"), "zone"),
        (a_change(first_day=TODAY + timedelta(days=1)), "first_day"),
        (a_change(last_day=LAST_DAY - timedelta(days=1)), "last_day"),
    ],
)
def test_once_something_was_sent_place_and_days_stay(change: ChangeFestival, field: str) -> None:
    world = a_world()
    assert kinds(world.give(change))[0] == "FestivalChanged"
    world = sent(a_world())
    assert world.refusal(change) == (field, CommandRefusal.WRONG_STATE)


def test_a_running_festival_is_extended_and_plans_parcels_and_prices_follow() -> None:
    world = sent(a_world())
    world.now = NOON + timedelta(days=2)  # the last day
    late = ChangePrice(
        festival=ODOP, booth=B1, product="KTI", price_rupiah=9, valid_from=world.now + timedelta(days=1)
    )
    assert world.refusal(late) == ("valid_from", CommandRefusal.WRONG_DAYS)
    [changed] = world.give(a_change(last_day=LAST_DAY + timedelta(days=2)))
    assert isinstance(changed, FestivalChanged)
    assert kinds(world.give(late)) == ["PricesChanged"]


def test_a_parcel_that_came_too_late_comes_in_time_after_an_extension() -> None:
    world = FestivalWorld()
    world.give(an_announcement(lead_days=(LeadTime(facility="LP-AAA", days=2),)))
    world.give(a_booth(B1))
    world.make("L1", 20)
    world.give(a_request((B1, "KTI", 5)))
    world.now = NOON + timedelta(days=1)  # two days on the way from here: after the last day
    assert world.refusal(a_request((B1, "KTI", 5), request="R2"))[1] is CommandRefusal.NOTHING_TO_PLAN
    world.give(a_change(last_day=LAST_DAY + timedelta(days=2)))
    assert "AllocationPlanned" in kinds(world.give(a_request((B1, "KTI", 5), request="R2")))


def test_lead_times_are_replaced_with_the_place() -> None:
    world = a_world()
    lead_days = (LeadTime(facility="LP-AAA", days=4),)
    world.give(a_change(place="Ende", lead_days=lead_days))
    assert world.one(Festival, ODOP).lead_days == (("LP-AAA", 4),)
    used = (CatalogueRevision(entry="facility/LP-AAA", revision=3),)
    [changed] = world.give(a_change(lead_days=lead_days, island="timor", catalogue=used))
    assert isinstance(changed, FestivalChanged)
    assert (changed.catalogue, changed.lead_days) == (used, lead_days)
    assert world.one(Festival, ODOP).island == "timor"
    # Days that the organiser names without an island are no longer those of the catalogue.
    world.give(a_change(lead_days=lead_days))
    assert world.one(Festival, ODOP).island is None


def test_a_new_day_in_doubt_needs_a_yes_too() -> None:
    change = a_change(first_day=TODAY - timedelta(days=9), last_day=TODAY - timedelta(days=8))
    world = a_world()
    assert world.refusal(change) == ("last_day", CommandRefusal.NOT_CONFIRMED)
    assert kinds(world.give(change.model_copy(update={"confirmed": True}))) == ["FestivalChanged"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (a_change(), ("festival", CommandRefusal.MISSING)),
        (a_change(name="Festival ODOP"), ("festival", CommandRefusal.MISSING)),
        (a_change(name=" "), ("name", CommandRefusal.MISSING)),
        (a_change(zone="Europe/Paris"), ("zone", CommandRefusal.BAD_NAME)),
        (a_change(last_day=TODAY - timedelta(days=1)), ("last_day", CommandRefusal.WRONG_DAYS)),
        (a_change(lead_days=(LeadTime(facility="lp-aaa", days=1),)), ("lead_days", CommandRefusal.BAD_NAME)),
    ],
)
def test_a_wrong_change_is_refused(change: ChangeFestival, expected: tuple[str, CommandRefusal]) -> None:
    assert a_world().refusal(change) == expected


@pytest.mark.parametrize("end", [a_closing(), CancelFestival(festival=ODOP)])
def test_only_the_name_of_a_festival_that_ended_can_change(end: Body) -> None:
    world = a_world(end)
    assert world.refusal(a_change(place="Ende"))[1] is CommandRefusal.WRONG_STATE
    [changed] = world.give(a_change(name="Pekan"))
    assert isinstance(changed, FestivalChanged)
    assert (changed.festival, changed.name) == (ODOP, "Pekan")


def test_a_booth_is_renamed_in_any_state_and_keeps_its_id() -> None:
    for ends in ((), (a_closing(),), (a_closing(), a_sell_through())):
        world = a_world(*ends)
        renamed = world.give(RenameBooth(festival=ODOP, booth=B1, name="Stan tenun"))
        assert renamed == [BoothChanged(booth=B1, name="Stan tenun", zone="Asia/Makassar")]
        assert world.one(Booth, B1).name == "Stan tenun"
        assert world.refusal(RenameBooth(festival=ODOP, booth=B1, name=" ")) == ("name", CommandRefusal.MISSING)


# products


def test_a_product_is_added_to_an_open_booth_with_the_next_price_list() -> None:
    world = a_world(a_booth("ODOP.B3", "KTI"))
    used = (CatalogueRevision(entry="product/SVR", revision=4),)
    body = AddProduct(
        festival=ODOP, booth="ODOP.B3", product="SVR", price_rupiah=5_000, category="tenun", catalogue=used
    )
    assert world.give(body) == [
        PricesChanged(
            booth="ODOP.B3",
            revision=2,
            valid_from=NOON,
            prices=(
                Price(product="KTI", price_rupiah=10_000),
                Price(product="SVR", price_rupiah=5_000, category="tenun"),
            ),
            catalogue=used,
        )
    ]
    assert world.refusal(body) == ("product", CommandRefusal.ALREADY_EXISTS)
    assert world.refusal(body.model_copy(update={"product": "svr"})) == ("product", CommandRefusal.BAD_NAME)


def test_a_planned_price_is_not_overtaken_by_an_added_product() -> None:
    world = a_world()
    evening = NOON + timedelta(hours=5)
    world.give(ChangePrice(festival=ODOP, booth=B1, product="KTI", price_rupiah=1, valid_from=evening))
    body = AddProduct(festival=ODOP, booth=B1, product="SVR", price_rupiah=5_000)
    assert world.refusal(body) == ("valid_from", CommandRefusal.OUT_OF_RANGE)
    assert kinds(world.give(body.model_copy(update={"valid_from": evening}))) == ["PricesChanged"]


@pytest.mark.parametrize("end", [a_closing(), CancelFestival(festival=ODOP)])
def test_a_closed_booth_gets_no_more_products(end: Body) -> None:
    body = AddProduct(festival=ODOP, booth=B1, product="SVR", price_rupiah=5_000)
    assert a_world(end).refusal(body)[1] is CommandRefusal.WRONG_STATE


def test_a_booth_has_at_most_five_hundred_products() -> None:
    codes = builders.product_codes(501)
    world = a_world(a_booth("ODOP.B3", *codes[:500]))
    body = AddProduct(festival=ODOP, booth="ODOP.B3", product=codes[500], price_rupiah=5_000)
    assert world.refusal(body) == ("product", CommandRefusal.TOO_MANY)
