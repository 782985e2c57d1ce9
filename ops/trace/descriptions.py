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
from shared.wording import Message


def describe(body: Body, lot: str) -> Iterator[Message]:
    """The descriptions of the event for the lot; none if another event describes the same fact better."""
    match body:
        case ProductionReported():
            yield Message(
                "{qty} pieces of {product} reported, made on {made_on}",
                qty=body.qty,
                product=body.product,
                made_on=str(body.made_on),
            )
        case LotRecorded():
            if body.best_before:
                yield Message(
                    "{qty} pieces recorded, best before {best_before}",
                    qty=body.qty,
                    best_before=str(body.best_before),
                )
            else:
                yield Message("{qty} pieces recorded", qty=body.qty)
        case ProductionCorrected():
            yield Message(
                "correction by {change} asked for{reason}", change=f"{body.change:+}", reason=_because(body.reason)
            )
        case LotCorrected():
            yield Message("corrected by {change}: {on_hand} on hand", change=f"{body.change:+}", on_hand=body.on_hand)
        case CorrectionRefused():
            yield Message(
                "correction by {change} refused: only {on_hand} on hand",
                change=f"{body.change:+}",
                on_hand=body.on_hand,
            )
        case RecallLot():
            yield Message("recall asked for{reason}", reason=_because(body.reason))
        case LotRecalled():
            yield Message("recalled{reason}", reason=_because(body.reason))
        case _:
            yield from _describe_taken_back(body, lot)


def _describe_taken_back(body: Body, lot: str) -> Iterator[Message]:
    match body:
        case LiftRecall():
            yield Message("lifting of the recall asked for{reason}", reason=_because(body.reason))
        case LotRecallLifted():
            yield Message("recall lifted{reason}", reason=_because(body.reason))
        case WithdrawReport():
            yield Message("withdrawal of the report asked for{reason}", reason=_because(body.reason))
        case ReportWithdrawn():
            yield Message("report withdrawn: {qty} pieces on hand are none any more", qty=body.qty)
        case WithdrawalRefused():
            yield Message(
                "withdrawal of the report refused: {promised} pieces are reserved or were sent",
                promised=body.promised,
            )
        case _:
            yield from _describe_plan(body, lot)


def _describe_plan(body: Body, lot: str) -> Iterator[Message]:
    match body:
        case AllocationPlanned():
            for line in body.lines:
                if line.lot == lot:
                    place = {"booth": line.booth, "reservation": line.reservation}
                    if body.replan:
                        yield Message("{qty} planned again for {booth}, {reservation}", qty=line.qty, **place)
                    else:
                        yield Message("{qty} planned for {booth}, {reservation}", qty=line.qty, **place)
        case AllocationRevised():
            for given_back in body.back:
                if given_back.lot == lot:
                    does = Message("goes back") if body.carried_out else Message("would go back")
                    yield Message(
                        "{qty} for {booth} {does}, {reservation}: {reason}",
                        qty=given_back.qty,
                        booth=given_back.booth,
                        does=does,
                        reservation=given_back.reservation,
                        reason=body.reason,
                        reason_id=body.reason_id,
                    )
        case ShipmentReceived():
            for counted, expected in _counts(body.discrepancies, lot):
                yield Message(
                    "{counted} of {expected} counted at {booth}, shipment {shipment}",
                    counted=counted,
                    expected=expected,
                    booth=body.booth,
                    shipment=body.shipment,
                )
        case ShipmentRecounted():
            for stocked in body.lots:
                if stocked.lot == lot:
                    yield Message(
                        "{qty} of shipment {shipment} at {booth} by recount {revision}",
                        qty=stocked.qty,
                        shipment=body.shipment,
                        booth=body.booth,
                        revision=body.revision,
                    )
        case TransferRecounted():
            for stocked in body.lots:
                if stocked.lot == lot:
                    yield Message(
                        "{qty} of transfer {transfer} at {booth} by recount {revision}",
                        qty=stocked.qty,
                        transfer=body.transfer,
                        booth=body.to,
                        revision=body.revision,
                    )
        case TransferReceived():
            for counted, expected in _counts(body.discrepancies, lot):
                yield Message(
                    "{counted} of {expected} counted at {booth}, transfer {transfer}",
                    counted=counted,
                    expected=expected,
                    booth=body.to,
                    transfer=body.transfer,
                )
        case _:
            yield from _describe_stock(body)


def _describe_stock(body: Body) -> Iterator[Message]:
    match body:
        case ReservationRequested() | ReleaseRequested() | DispatchOrdered() | ReturnRecounted() | SurplusCounted():
            return  # inventory's answer describes it
        case StockReserved():
            yield Message(
                "{qty} reserved for {booth}, {reservation}",
                qty=body.qty,
                booth=body.booth,
                reservation=body.reservation,
            )
        case ReservationRefused():
            yield Message(
                "{qty} refused for {booth}: {reason:word}, {on_hand} on hand",
                qty=body.qty,
                booth=body.booth,
                reason=_words(body.reason),
                on_hand=body.on_hand,
            )
        case ReservationReleased():
            yield Message(
                "{qty} for {booth} released ({cause:word}), {reservation}",
                qty=body.qty,
                booth=body.booth,
                cause=_words(body.cause),
                reservation=body.reservation,
            )
        case StockDispatched():
            yield Message(
                "{qty} sent to {booth}, shipment {shipment}", qty=body.qty, booth=body.booth, shipment=body.shipment
            )
        case StockReturned():
            yield Message("{qty} came home from {booth}", qty=body.qty, booth=body.booth)
        case StockReturnRecounted():
            yield Message(
                "count of what came home from {booth} changed by {change}",
                booth=body.booth,
                change=f"{body.change:+}",
            )
        case StockFound():
            yield Message("{qty} found at {booth} beyond those sent", qty=body.qty, booth=body.booth)
        case StockWrittenOff():
            yield Message("{qty} written off at the facility", qty=body.qty)
        case StockOrderRefused():
            yield Message(
                "order {order} refused: {reason:word}, {on_hand} on hand",
                order=body.order,
                reason=_words(body.reason),
                on_hand=body.on_hand,
            )
        case LotRecallReached():
            at = ", ".join(body.booths)
            if at:
                yield Message(
                    "recall reached {festival} and what was sent to {booths}", festival=body.festival, booths=at
                )
            else:
                yield Message("recall reached {festival}", festival=body.festival)
        case LotRecallLiftReached():
            yield Message(
                "lifting of the recall reached {festival}, and what was sent to {booths}",
                festival=body.festival,
                booths=", ".join(body.booths),
            )
        case _:
            yield from _describe_booth_stock(body)


def _describe_booth_stock(body: Body) -> Iterator[Message]:
    match body:
        case BoothStocked():
            yield Message("{qty} counted in at {booth}", qty=body.qty, booth=body.booth)
        case LotRecounted():
            yield Message(
                "{qty} at {booth} in all, by recount {revision} of the lot",
                qty=body.qty,
                booth=body.booth,
                revision=body.revision,
            )
        case BoothStockLost():
            yield Message("{qty} lost at {booth}", qty=body.qty, booth=body.booth)
        case BoothStockMoved():
            yield Message("{qty} moved from {booth} to {to}", qty=body.qty, booth=body.booth, to=body.to)
        case LotWithdrawn():
            yield Message("withdrawn at {booth}{reason}", booth=body.booth, reason=_because(body.reason))
        case LotReinstated():
            yield Message("for sale again at {booth}{reason}", booth=body.booth, reason=_because(body.reason))
        case _:
            return


def _counts(discrepancies: Iterable[Discrepancy], lot: str) -> Iterator[tuple[int, int]]:
    """Pieces counted and sent, for each discrepancy of the lot."""
    return ((discrepancy.counted, discrepancy.sent) for discrepancy in discrepancies if discrepancy.lot == lot)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _words(value: str) -> str:
    return str(value).replace("_", " ")
