"""Inventory's answers in the words of the sequential model."""

from collections.abc import Sequence

from shared.events.inventory import (
    LotRecallLiftReached,
    LotRecallReached,
    ReleaseCause,
    ReservationRefused,
    ReservationReleased,
    StockDispatched,
    StockOrderRefused,
    StockReserved,
    StockReturned,
    StockWrittenOff,
)
from shared.events.language import Body
from shared.events.production import CorrectionRefused, LotCorrected, ReportWithdrawn, WithdrawalRefused
from tests.support.history.spec import Answer


def answer_of(bodies: Sequence[Body]) -> Answer:
    """The answer that these events are together. Raises ValueError for several where one order has one answer."""
    if any(isinstance(body, LotRecallReached) for body in bodies):
        return ("recalled", *sorted(body.reservation for body in bodies if isinstance(body, ReservationReleased)))
    [body] = bodies
    match body:
        case StockReserved():
            return "reserved", body.qty
        case ReservationRefused() | StockOrderRefused():
            return "refused", body.reason.value, body.on_hand
        case ReservationReleased(cause=ReleaseCause.ORDERED):
            return "released", body.qty
        case StockDispatched():
            return "dispatched", body.qty
        case StockReturned():
            return "returned", body.qty
        case StockWrittenOff():
            return "written_off", body.qty
        case LotCorrected():
            return "corrected", body.on_hand
        case CorrectionRefused():
            return "correction_refused", body.on_hand
        case LotRecallLiftReached():
            return ("lifted",)
        case ReportWithdrawn():
            return "withdrawn", body.qty
        case WithdrawalRefused():
            return "withdrawal_refused", body.promised
        case other:
            raise TypeError(f"{type(other).__name__} answers no order")
