"""Events and a small catalogue for production's tests: valid by default, override what the test is about."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.production.handlers import by_facility
from shared.events.catalogue import FacilityListed, ProductListed, SetFacility, SetProduct
from shared.events.language import Body, Deadline, Event, Publication
from shared.events.production import (
    CorrectionRefused,
    LiftRecall,
    LotCorrected,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawReport,
)
from shared.runtime.state import Entities, OwnedQuery, Ref, State

NOW = datetime(2023, 4, 18, 2, 0, tzinfo=UTC)
TODAY = date(2023, 4, 18)
SKEW = timedelta(minutes=15)
MAKER = "p.MAKERPSEUDONYM"

PRODUCTS: dict[str, dict[str, Any]] = {
    "KRJ": {"name": "Kerajinan tangan", "category": "kerajinan-tangan", "unit": "buah", "max_qty": 500},
    "KTI": {"name": "Kain tenun ikat", "category": "tenun", "unit": "helai", "max_qty": 200},
    "KBS": {
        "name": "Kue basah",
        "category": "jajanan-khas",
        "unit": "potong",
        "max_qty": 5000,
        "shelf_life_days": 2,
    },
}
SVR: dict[str, Any] = {"name": "Suvenir", "category": "kerajinan-tangan", "unit": "buah", "max_qty": 2000}
FACILITIES = {"LP-KPG": ("KRJ",), "PR-KPG": ("KBS", "KTI")}
PROCESSOR = by_facility(SKEW)
BEFORE = NOW - timedelta(days=500)


def facility_listed(facility: str = "PR-KPG", **changed: Any) -> FacilityListed:
    defaults: dict[str, Any] = {
        "facility": facility,
        "revision": 1,
        "facility_kind": "lapas",
        "name": facility,
        "zone": "Asia/Makassar",
        "products": FACILITIES.get(facility, ()),
        "changed_at": BEFORE,
    }
    return FacilityListed(**defaults | changed)


def product_listed(product: str = "KTI", facility: str = "PR-KPG", **changed: Any) -> ProductListed:
    defaults: dict[str, Any] = {"facility": facility, "product": product, "revision": 1, "changed_at": BEFORE}
    return ProductListed(**defaults | PRODUCTS.get(product, {}) | changed)


def seed_commands(makers: Mapping[str, Sequence[str]]) -> Iterator[SetProduct | SetFacility]:
    """The seed of a catalogue with these facilities and their products."""
    for product in sorted({product for products in makers.values() for product in products}):
        yield SetProduct(entry=f"product/{product}", seed=True, **{**PRODUCTS, "SVR": SVR}[product])
    for facility, products in makers.items():
        yield SetFacility(
            entry=f"facility/{facility}",
            facility_kind="lapas",
            name=facility,
            zone="Asia/Makassar",
            products=tuple(products),
            seed=True,
        )


def a_production_report(**changed: Any) -> ProductionReported:
    defaults: dict[str, Any] = {
        "facility": "PR-KPG",
        "terminal": "PR-KPG.T1",
        "product": "KTI",
        "qty": 12,
        "made_on": TODAY,
        "maker": MAKER,
    }
    return ProductionReported(**defaults | changed)


def a_correction_report(lot: str, change: int = 1, **changed: Any) -> ProductionCorrected:
    defaults: dict[str, Any] = {"facility": "PR-KPG", "terminal": "PR-KPG.T1", "lot": lot, "change": change}
    return ProductionCorrected(**defaults | changed)


def recalled(lot: str, **changed: Any) -> RecallLot:
    defaults: dict[str, Any] = {"facility": "PR-KPG", "terminal": "PR-KPG.T1", "lot": lot, "reason": "mouldy"}
    return RecallLot(**defaults | changed)


def lifted(lot: str, **changed: Any) -> LiftRecall:
    fields: dict[str, Any] = {
        "facility": "PR-KPG",
        "terminal": "PR-KPG.T1",
        "lot": lot,
        "reason": "the wrong lot was recalled",
    }
    return LiftRecall(**fields | changed)


def withdrawn(lot: str, **changed: Any) -> WithdrawReport:
    fields: dict[str, Any] = {"facility": "PR-KPG", "terminal": "PR-KPG.T1", "lot": lot, "reason": "it was cloth"}
    return WithdrawReport(**fields | changed)


def gone(lot: str, withdrawal: str, qty: int = 12) -> ReportWithdrawn:
    return ReportWithdrawn(facility=lot[:6], lot=lot, withdrawal=withdrawal, qty=qty)


def kept_promised(lot: str, withdrawal: str, promised: int = 4) -> WithdrawalRefused:
    return WithdrawalRefused(facility=lot[:6], lot=lot, withdrawal=withdrawal, promised=promised)


def an_accepted_correction(lot: str, correction: str, change: int = 1) -> LotCorrected:
    return LotCorrected(facility=lot[:6], lot=lot, correction=correction, change=change, on_hand=5)


def a_refused_correction(lot: str, correction: str, change: int = -1) -> CorrectionRefused:
    return CorrectionRefused(facility=lot[:6], lot=lot, correction=correction, change=change, on_hand=0)


def an_event(
    body: Body, *, id: str, at: datetime = NOW, source: str = "terminal/PR-KPG.T1", time: datetime | None = None
) -> Event:
    facility: str = body.facility  # type: ignore[attr-defined]
    return Event(id=id, source=source, key=facility, time=time or at, logged_at=at, body=body)


class Production:
    """What the shell does for production: it loads what an event reads, decides, and keeps the outcome."""

    def __init__(self, *, with_catalogue: bool = True) -> None:
        self.entities: dict[tuple[type[Any], str], Any] = {}
        self._count = 0
        for facility, products in FACILITIES.items() if with_catalogue else ():
            for body in (facility_listed(facility), *(product_listed(code, facility) for code in products)):
                self.give(body, id=f"seed-{facility}-{getattr(body, 'product', '')}")

    def give(
        self,
        body: Body,
        *,
        id: str | None = None,
        at: datetime = NOW,
        source: str = "t",
        time: datetime | None = None,
    ) -> list[Body]:
        """The bodies that production publishes when it works this event."""
        event = an_event(body, id=id or self.next_id(), at=at, source=source, time=time)
        reads = PROCESSOR.reads(event)
        loaded: dict[Any, Any] = {read: self.entities.get(read) for read in reads if isinstance(read, Ref)}
        results: dict[Any, list[str]] = {}
        for query in (read for read in reads if isinstance(read, OwnedQuery)):
            matching = [entity for entity in self.all(query.entity) if query.matches(entity)]
            results[query] = [entity.id for entity in matching]
            loaded.update({(query.entity, entity.id): entity for entity in matching})
        state, published = PROCESSOR.decide(State(Entities(loaded, results), reads), event)
        self.entities.update(state.changes)
        return list(_bodies(published))

    def next_id(self) -> str:
        self._count += 1
        return str(UUID(int=self._count))

    def all(self, entity: type[Any]) -> list[Any]:
        return [instance for (kind, _), instance in self.entities.items() if kind is entity]


def _bodies(published: Iterable[Publication | Deadline]) -> Iterator[Body]:
    for publication in published:
        assert isinstance(publication, Publication)
        yield publication.body
