"""A catalogue as festival knows it, and commands that need it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from services.festival.domain.festival import Festival
from shared.events.catalogue import EntryFact, FacilitySet, LeadTimeSet, ProductSet, TermSet
from shared.events.festival import AnnounceFestival, OpenBooth, Price

NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = date(2026, 4, 18)


def a_facility(code: str, island: str | None, **changed: Any) -> FacilitySet:
    defaults = {"facility_kind": "lapas", "name": code, "zone": "Asia/Makassar", "products": ("KTI",)}
    common = {"entry": f"facility/{code}", "revision": 2, "changed_at": NOW, "command": "c1", "island": island}
    return FacilitySet(**{**defaults, **common, **changed})


def a_product(code: str, name: str, **changed: Any) -> ProductSet:
    defaults = {"category": "tenun", "unit": "helai", "max_qty": 200, "revision": 3}
    return ProductSet(
        **{"entry": f"product/{code}", "name": name, "changed_at": NOW, "command": "c1", **defaults, **changed}
    )


def an_island(code: str) -> TermSet:
    return TermSet(entry=f"island/{code}", revision=1, name=code.capitalize(), changed_at=NOW, command="c1")


def a_lead_time(start: str, end: str, days: int, **changed: Any) -> LeadTimeSet:
    defaults = {"entry": f"lead-time/{start}/{end}", "revision": 4, "changed_at": NOW, "command": "c1"}
    return LeadTimeSet(**{**defaults, "days": days, **changed})


def facts(*given: EntryFact) -> dict[str, EntryFact]:
    return {fact.entry: fact for fact in given}


def an_announcement(**changed: Any) -> AnnounceFestival:
    defaults = {"festival": "ODOP", "name": "ODOP", "place": "Kupang", "zone": "Asia/Makassar"}
    return AnnounceFestival(**{**defaults, "first_day": DAY, "last_day": DAY, **changed})


def a_booth(*products: str, **changed: Any) -> OpenBooth:
    prices = tuple(Price(product=product, price_rupiah=1000) for product in products)
    return OpenBooth(
        **{"festival": "ODOP", "booth": "ODOP.B1", "name": "B1", "prices": prices, "tills": ("T1",)} | changed
    )


KNOWN = facts(
    an_island("timor"),
    an_island("jawa"),
    a_facility("PR-KPG", "timor"),
    a_facility("LP-BAA", "rote"),
    a_facility("LP-OLD", "rote", retired_at=NOW),
    a_facility("LP-NIL", None),
    a_lead_time("timor", "jawa", 5),
    a_lead_time("rote", "jawa", 7),
    a_lead_time("timor", "timor", 1),
    a_product("KTI", "Kain tenun ikat"),
    a_product("TTN", "Tas tenun", retired_at=NOW),
    a_product("SVR", "Suvenir", category="kerajinan-tangan"),
)  # fmt: skip


def a_festival(**changed: Any) -> Festival:
    return replace(Festival("ODOP", "ODOP", "Kupang", "Asia/Makassar", DAY, DAY), **changed)
