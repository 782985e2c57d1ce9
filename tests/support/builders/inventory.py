"""Events about one lot, valid by default."""

from datetime import UTC, date, datetime

from shared.events.inventory import (
    DispatchOrdered,
    LossRecorded,
    ReleaseRequested,
    ReservationRequested,
    ReturnReceived,
)
from shared.events.language import Body, Event
from shared.events.production import (
    CorrectionRequested,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    WithdrawalRequested,
)

LOT = "LP-KPG-KTI-260418-001-X"
NOON = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)


def an_event(body: Body, id: str = "e1") -> Event:
    return Event(id=id, source="karya/test", key=LOT, time=NOON, logged_at=NOON, body=body)


def a_lot_recorded(qty: int = 10) -> LotRecorded:
    return LotRecorded(
        lot=LOT, facility="LP-KPG", product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 18)
    )


def a_reservation(id: str = "r1", qty: int = 4, festival: str = "F1", booth: str = "F1.B1") -> ReservationRequested:
    return ReservationRequested(
        lot=LOT, reservation=id, festival=festival, booth=booth, request=f"{festival}/q1", qty=qty
    )


def a_release(id: str = "r1", festival: str = "F1") -> ReleaseRequested:
    return ReleaseRequested(lot=LOT, reservation=id, festival=festival)


def a_dispatch(id: str = "r1", festival: str = "F1") -> DispatchOrdered:
    return DispatchOrdered(lot=LOT, reservation=id, festival=festival, shipment=f"{festival}/s1")


def a_return(qty: int = 1, order: str = "o1") -> ReturnReceived:
    return ReturnReceived(lot=LOT, order=order, festival="F1", booth="F1.B1", qty=qty)


def a_loss(qty: int = 1, order: str = "o1") -> LossRecorded:
    return LossRecorded(lot=LOT, order=order, festival="F1", qty=qty)


def a_correction(change: int, id: str = "c1") -> CorrectionRequested:
    return CorrectionRequested(lot=LOT, facility="LP-KPG", correction=id, change=change)


def a_recall() -> LotRecalled:
    return LotRecalled(lot=LOT, facility="LP-KPG", reason="made up for a test")


def a_lift() -> LotRecallLifted:
    return LotRecallLifted(lot=LOT, facility="LP-KPG", reason="made up for a test")


def a_withdrawal(id: str = "w1") -> WithdrawalRequested:
    return WithdrawalRequested(lot=LOT, facility="LP-KPG", withdrawal=id)
