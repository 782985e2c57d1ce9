"""Descriptions of events about a lot, in words for people."""

from collections.abc import Iterable, Iterator

from shared.events.festival import (
    AllocationPlanned,
    AllocationRevised,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    Discrepancy,
    LotRecounted,
    LotReinstated,
    LotWithdrawn,
    ShipmentReceived,
    ShipmentRecounted,
    TransferReceived,
    TransferRecounted,
)
from shared.events.inventory import (
    DispatchOrdered,
    LotRecallLiftReached,
    LotRecallReached,
    ReleaseRequested,
    ReservationRefused,
    ReservationReleased,
    ReservationRequested,
    ReturnRecounted,
    StockDispatched,
    StockFound,
    StockOrderRefused,
    StockReserved,
    StockReturned,
    StockReturnRecounted,
    StockWrittenOff,
    SurplusCounted,
)
from shared.events.language import Body
from shared.events.production import (
    CorrectionRefused,
    LiftRecall,
    LotCorrected,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawReport,
)


def describe(body: Body, lot: str) -> Iterator[str]:
    """The descriptions of the event for the lot; none if another event describes the same fact better."""
    match body:
        case ProductionReported():
            yield f"{body.qty} pieces of {body.product} reported, made on {body.made_on}"
        case LotRecorded():
            keeps = f", best before {body.best_before}" if body.best_before else ""
            yield f"{body.qty} pieces recorded{keeps}"
        case ProductionCorrected():
            yield f"correction by {body.change:+} asked for{_because(body.reason)}"
        case LotCorrected():
            yield f"corrected by {body.change:+}: {body.on_hand} on hand"
        case CorrectionRefused():
            yield f"correction by {body.change:+} refused: only {body.on_hand} on hand"
        case RecallLot():
            yield f"recall asked for{_because(body.reason)}"
        case LotRecalled():
            yield f"recalled{_because(body.reason)}"
        case _:
            yield from _describe_taken_back(body, lot)


def _describe_taken_back(body: Body, lot: str) -> Iterator[str]:
    match body:
        case LiftRecall():
            yield f"lifting of the recall asked for{_because(body.reason)}"
        case LotRecallLifted():
            yield f"recall lifted{_because(body.reason)}"
        case WithdrawReport():
            yield f"withdrawal of the report asked for{_because(body.reason)}"
        case ReportWithdrawn():
            yield f"report withdrawn: {body.qty} pieces on hand are none any more"
        case WithdrawalRefused():
            yield f"withdrawal of the report refused: {body.promised} pieces are reserved or were sent"
        case _:
            yield from _describe_plan(body, lot)


def _describe_plan(body: Body, lot: str) -> Iterator[str]:
    match body:
        case AllocationPlanned():
            for line in body.lines:
                if line.lot == lot:
                    again = " again" if body.replan else ""
                    yield f"{line.qty} planned{again} for {line.booth}, {line.reservation}"
        case AllocationRevised():
            for given_back in body.back:
                if given_back.lot == lot:
                    does = "goes back" if body.carried_out else "would go back"
                    yield f"{given_back.qty} for {given_back.booth} {does}, {given_back.reservation}: {body.reason}"
        case ShipmentReceived():
            for counted, expected in _counts(body.discrepancies, lot):
                yield f"{counted} of {expected} counted at {body.booth}, shipment {body.shipment}"
        case ShipmentRecounted():
            for stocked in body.lots:
                if stocked.lot == lot:
                    yield f"{stocked.qty} of shipment {body.shipment} at {body.booth} by recount {body.revision}"
        case TransferRecounted():
            for stocked in body.lots:
                if stocked.lot == lot:
                    yield f"{stocked.qty} of transfer {body.transfer} at {body.to} by recount {body.revision}"
        case TransferReceived():
            for counted, expected in _counts(body.discrepancies, lot):
                yield f"{counted} of {expected} counted at {body.to}, transfer {body.transfer}"
        case _:
            yield from _describe_stock(body)


def _describe_stock(body: Body) -> Iterator[str]:
    match body:
        case ReservationRequested() | ReleaseRequested() | DispatchOrdered() | ReturnRecounted() | SurplusCounted():
            return  # inventory's answer describes it
        case StockReserved():
            yield f"{body.qty} reserved for {body.booth}, {body.reservation}"
        case ReservationRefused():
            yield f"{body.qty} refused for {body.booth}: {_words(body.reason)}, {body.on_hand} on hand"
        case ReservationReleased():
            yield f"{body.qty} for {body.booth} released ({_words(body.cause)}), {body.reservation}"
        case StockDispatched():
            yield f"{body.qty} sent to {body.booth}, shipment {body.shipment}"
        case StockReturned():
            yield f"{body.qty} came home from {body.booth}"
        case StockReturnRecounted():
            yield f"count of what came home from {body.booth} changed by {body.change:+}"
        case StockFound():
            yield f"{body.qty} found at {body.booth} beyond those sent"
        case StockWrittenOff():
            yield f"{body.qty} written off at the facility"
        case StockOrderRefused():
            yield f"order {body.order} refused: {_words(body.reason)}, {body.on_hand} on hand"
        case LotRecallReached():
            at = ", ".join(body.booths)
            yield f"recall reached {body.festival}" + (f" and what was sent to {at}" if at else "")
        case LotRecallLiftReached():
            at = ", ".join(body.booths)
            yield f"lifting of the recall reached {body.festival}, and what was sent to {at}"
        case _:
            yield from _describe_booth_stock(body)


def _describe_booth_stock(body: Body) -> Iterator[str]:
    match body:
        case BoothStocked():
            yield f"{body.qty} counted in at {body.booth}"
        case LotRecounted():
            yield f"{body.qty} at {body.booth} in all, by recount {body.revision} of the lot"
        case BoothStockLost():
            yield f"{body.qty} lost at {body.booth}"
        case BoothStockMoved():
            yield f"{body.qty} moved from {body.booth} to {body.to}"
        case LotWithdrawn():
            yield f"withdrawn at {body.booth}{_because(body.reason)}"
        case LotReinstated():
            yield f"for sale again at {body.booth}{_because(body.reason)}"
        case _:
            return


def _counts(discrepancies: Iterable[Discrepancy], lot: str) -> Iterator[tuple[int, int]]:
    """Pieces counted and sent, for each discrepancy of the lot."""
    return ((discrepancy.counted, discrepancy.sent) for discrepancy in discrepancies if discrepancy.lot == lot)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _words(value: str) -> str:
    return str(value).replace("_", " ")
