"""Events and a small catalogue for production's tests: valid by default, override what the test is about."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.production.domain.catalogue import Catalogue, Facility, Product
from services.production.handlers import processor
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
from shared.runtime.state import Entities, Ref, State

WITA = ZoneInfo("Asia/Makassar")
NOW = datetime(2023, 4, 18, 2, 0, tzinfo=UTC)
TODAY = date(2023, 4, 18)
SKEW = timedelta(minutes=15)
MAKER = "p.MAKERPSEUDONYM"

CATALOGUE = Catalogue(
    facilities={
        "LP-KPG": Facility("LP-KPG", "lapas", "Lapas Kupang", WITA, frozenset({"KRJ"})),
        "PR-KPG": Facility("PR-KPG", "lapas perempuan", "Lapas Perempuan", WITA, frozenset({"KBS", "KTI"})),
    },
    products={
        "KRJ": Product("KRJ", "Kerajinan tangan", "kerajinan-tangan", "buah", max_qty=500),
        "KTI": Product("KTI", "Kain tenun ikat", "tenun", "helai", max_qty=200),
        "KBS": Product("KBS", "Kue basah", "jajanan-khas", "potong", 5000, timedelta(days=2)),
    },
)
PROCESSOR = processor(CATALOGUE, SKEW)


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
    given: dict[str, Any] = {
        "facility": "PR-KPG",
        "terminal": "PR-KPG.T1",
        "lot": lot,
        "reason": "the wrong lot was recalled",
    }
    return LiftRecall(**given | changed)


def withdrawn(lot: str, **changed: Any) -> WithdrawReport:
    given: dict[str, Any] = {"facility": "PR-KPG", "terminal": "PR-KPG.T1", "lot": lot, "reason": "it was cloth"}
    return WithdrawReport(**given | changed)


def gone(lot: str, withdrawal: str, qty: int = 12) -> ReportWithdrawn:
    return ReportWithdrawn(facility=lot[:6], lot=lot, withdrawal=withdrawal, qty=qty)


def kept_promised(lot: str, withdrawal: str, promised: int = 4) -> WithdrawalRefused:
    return WithdrawalRefused(facility=lot[:6], lot=lot, withdrawal=withdrawal, promised=promised)


def an_accepted_correction(lot: str, correction: str, change: int = 1) -> LotCorrected:
    return LotCorrected(facility=lot[:6], lot=lot, correction=correction, change=change, on_hand=5)


def a_refused_correction(lot: str, correction: str, change: int = -1) -> CorrectionRefused:
    return CorrectionRefused(facility=lot[:6], lot=lot, correction=correction, change=change, on_hand=0)


def an_event(body: Body, *, id: str, at: datetime = NOW, source: str = "terminal/PR-KPG.T1") -> Event:
    facility: str = body.facility  # type: ignore[attr-defined]
    return Event(id=id, source=source, key=facility, time=at, logged_at=at, body=body)


class Production:
    """What the shell does for production: it loads what an event reads, decides, and keeps the outcome."""

    def __init__(self) -> None:
        self.entities: dict[tuple[type[Any], str], Any] = {}
        self._count = 0

    def give(self, body: Body, *, id: str | None = None, at: datetime = NOW, source: str = "t") -> list[Body]:
        """The bodies that production publishes when it works this event."""
        event = an_event(body, id=id or self.next_id(), at=at, source=source)
        reads = PROCESSOR.reads(event)
        loaded = {read: self.entities.get(read) for read in reads if isinstance(read, Ref)}
        state, published = PROCESSOR.decide(State(Entities(loaded), reads), event)
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
