"""A lot and its balance: recorded + corrected = on hand + reserved + dispatched - returned + written off."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from shared.events.inventory import (
    RESERVATIONS,
    DispatchOrdered,
    LossRecorded,
    LotRecallLiftReached,
    LotRecallReached,
    OrderRefusal,
    ReleaseCause,
    ReleaseRequested,
    ReservationRefused,
    ReservationReleased,
    ReservationRequested,
    ReturnReceived,
    ReturnRecounted,
    StockOrderRefused,
    StockReturned,
    StockWrittenOff,
    SurplusCounted,
)
from shared.events.language import Body, Publication
from shared.events.production import (
    LOT_ANSWERS,
    CorrectionRefused,
    CorrectionRequested,
    LotCorrected,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawalRequested,
)

Change = tuple["Lot", list[Publication]]


class ReservationStatus(StrEnum):
    """The state of a reservation. Each is held once, and released or dispatched at most once."""

    HELD = "held"
    RELEASED = "released"
    DISPATCHED = "dispatched"


# Module names, because the slow member access of Python 3.11 enums costs time with every event.
HELD, DISPATCHED = ReservationStatus.HELD, ReservationStatus.DISPATCHED


@dataclass(frozen=True, slots=True)
class Reservation:
    """`qty` pieces of the lot, promised to one booth."""

    id: str
    festival: str
    request: str
    booth: str
    qty: int
    status: ReservationStatus


@dataclass(frozen=True, slots=True)
class Find:
    """`qty` pieces of the lot, counted at one booth beyond those that were sent to it."""

    festival: str
    booth: str
    qty: int


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot's balance in pieces.

    `reserved` and `dispatched` are sums over the reservations, so that no counter can differ from them. `found` is a
    sum over the booths. Found pieces count only as a bound of what can come home: dispatched + found - returned >= 0.
    `withdrawn`: its report was withdrawn, so there is no such lot.
    """

    id: str
    facility: str
    product: str
    category: str
    made_on: date
    best_before: date | None
    recorded: int
    on_hand: int
    corrected: int = 0
    returned: int = 0
    written_off: int = 0
    recalled: bool = False
    revision: int = 1
    reservations: tuple[Reservation, ...] = ()
    finds: tuple[Find, ...] = ()
    withdrawn: bool = False

    @property
    def found(self) -> int:
        return sum([find.qty for find in self.finds])

    @property
    def away(self) -> int:
        """Pieces that can still come home."""
        return self.dispatched + self.found - self.returned

    @property
    def reserved(self) -> int:
        return sum([reservation.qty for reservation in self.reservations if reservation.status is HELD])

    @property
    def dispatched(self) -> int:
        return sum([reservation.qty for reservation in self.reservations if reservation.status is DISPATCHED])


def record(recording: LotRecorded) -> Change:
    """The new lot. Production guarantees that its number is unique."""
    lot = Lot(
        id=recording.lot,
        facility=recording.facility,
        product=recording.product,
        category=recording.category,
        made_on=recording.made_on,
        best_before=recording.best_before,
        recorded=recording.qty,
        on_hand=recording.qty,
    )
    return lot, []


def correct(lot: Lot, request: CorrectionRequested) -> Change:
    """The lot after a correction of the recorded pieces. A correction below zero on hand, or of a withdrawn lot, is
    refused."""
    answer = CorrectionRefused if lot.withdrawn or lot.on_hand + request.change < 0 else LotCorrected
    if answer is LotCorrected:
        lot = revise(lot, on_hand=lot.on_hand + request.change, corrected=lot.corrected + request.change)
    body = answer.model_construct(
        facility=lot.facility,
        lot=lot.id,
        correction=request.correction,
        change=request.change,
        on_hand=lot.on_hand,
    )
    return lot, [LOT_ANSWERS.of(body)]


def recall(lot: Lot, request: LotRecalled) -> Change:
    """The recalled lot, which no rule reserves or dispatches any more.

    Held reservations are released. Every festival with a reservation, a dispatch or a find receives LotRecallReached.
    """
    if lot.recalled:
        return lot, []
    held_reservations = [
        reservation for reservation in lot.reservations if reservation.status is ReservationStatus.HELD
    ]
    publications = [
        RESERVATIONS.of(reservation_released(lot, reservation, ReleaseCause.RECALLED))
        for reservation in held_reservations
    ]
    booths = _booths_reached(lot)
    for festival in sorted(booths.keys() | {reservation.festival for reservation in held_reservations}):
        reached = LotRecallReached(
            festival=festival, lot=lot.id, reason=request.reason, booths=tuple(sorted(booths.get(festival, ())))
        )
        publications.append(RESERVATIONS.of(reached))
    freed = tuple(
        replace(reservation, status=ReservationStatus.RELEASED)
        if reservation.status is ReservationStatus.HELD
        else reservation
        for reservation in lot.reservations
    )
    on_hand = lot.on_hand + sum(reservation.qty for reservation in held_reservations)
    return revise(lot, recalled=True, on_hand=on_hand, reservations=freed), publications


def lift_recall(lot: Lot, request: LotRecallLifted) -> Change:
    """The lot that may be reserved again. What the recall released stays released.

    Every festival with a dispatch or a find receives LotRecallLiftReached.
    """
    if not lot.recalled:
        return lot, []
    publications = [
        RESERVATIONS.of(
            LotRecallLiftReached(festival=festival, lot=lot.id, reason=request.reason, booths=tuple(sorted(at)))
        )
        for festival, at in sorted(_booths_reached(lot).items())
    ]
    return revise(lot, recalled=False), publications


def _booths_reached(lot: Lot) -> dict[str, set[str]]:
    """The booths to which pieces were sent or at which some were found, by festival."""
    booths: dict[str, set[str]] = {}
    for reservation in lot.reservations:
        if reservation.status is DISPATCHED:
            booths.setdefault(reservation.festival, set()).add(reservation.booth)
    for find in lot.finds:
        booths.setdefault(find.festival, set()).add(find.booth)
    return booths


def withdraw(lot: Lot, request: WithdrawalRequested) -> Change:
    """The lot without its pieces on hand, as it was reported by mistake. Refused while any piece is promised."""
    if promised_qty := lot.reserved + lot.dispatched + lot.found:
        refusal = WithdrawalRefused(
            facility=lot.facility, lot=lot.id, withdrawal=request.withdrawal, promised=promised_qty
        )
        return lot, [LOT_ANSWERS.of(refusal)]
    withdrawal = ReportWithdrawn(facility=lot.facility, lot=lot.id, withdrawal=request.withdrawal, qty=lot.on_hand)
    if not lot.withdrawn:
        lot = replace(revise(lot, on_hand=0, corrected=lot.corrected - lot.on_hand), withdrawn=True)
    return lot, [LOT_ANSWERS.of(withdrawal)]


def receive_return(lot: Lot, order: ReturnReceived) -> Change:
    """The lot after pieces came home; they are on hand again. More pieces than are away are refused."""
    if order.qty > lot.away:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.MORE_THAN_SENT)]
    returned = StockReturned(festival=order.festival, order=order.order, lot=lot.id, booth=order.booth, qty=order.qty)
    revised_lot = revise(lot, on_hand=lot.on_hand + order.qty, returned=lot.returned + order.qty)
    return revised_lot, [RESERVATIONS.of(returned)]


def write_off(lot: Lot, order: LossRecorded) -> Change:
    """The lot after pieces on hand were lost. More pieces than are on hand are refused."""
    if order.qty > lot.on_hand:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.SHORT)]
    written_off = StockWrittenOff(festival=order.festival, order=order.order, lot=lot.id, qty=order.qty)
    revised_lot = revise(lot, on_hand=lot.on_hand - order.qty, written_off=lot.written_off + order.qty)
    return revised_lot, [RESERVATIONS.of(written_off)]


def refuse_unknown_lot(body: Body) -> list[Publication]:
    """The refusal for a lot that is not recorded. Raises TypeError for events that follow only a LotRecorded."""
    match body:
        case ReservationRequested() as request:
            return [
                RESERVATIONS.of(
                    ReservationRefused(
                        festival=request.festival,
                        request=request.request,
                        reservation=request.reservation,
                        lot=request.lot,
                        product=None,
                        booth=request.booth,
                        qty=request.qty,
                        on_hand=0,
                        reason=OrderRefusal.UNKNOWN_LOT,
                    )
                )
            ]
        case ReleaseRequested() | DispatchOrdered():
            order = body.reservation
        case ReturnReceived() | ReturnRecounted() | SurplusCounted() | LossRecorded():
            order = body.order
        case other:
            raise TypeError(f"{type(other).__name__} came before its LotRecorded, though both have one key and topic")
    refusal = StockOrderRefused(
        festival=body.festival, order=order, lot=body.lot, reason=OrderRefusal.UNKNOWN_LOT, on_hand=0
    )
    return [RESERVATIONS.of(refusal)]


def revise(
    lot: Lot,
    *,
    on_hand: int | None = None,
    corrected: int | None = None,
    returned: int | None = None,
    written_off: int | None = None,
    recalled: bool | None = None,
    reservations: tuple[Reservation, ...] | None = None,
    finds: tuple[Find, ...] | None = None,
) -> Lot:
    """The lot with these changes, as its next revision."""
    # The positional constructor is faster than `replace`, and nearly every event needs it.
    return Lot(
        lot.id,
        lot.facility,
        lot.product,
        lot.category,
        lot.made_on,
        lot.best_before,
        lot.recorded,
        lot.on_hand if on_hand is None else on_hand,
        lot.corrected if corrected is None else corrected,
        lot.returned if returned is None else returned,
        lot.written_off if written_off is None else written_off,
        lot.recalled if recalled is None else recalled,
        lot.revision + 1,
        lot.reservations if reservations is None else reservations,
        lot.finds if finds is None else finds,
        lot.withdrawn,
    )


def reservation_released(lot: Lot, reservation: Reservation, cause: ReleaseCause) -> ReservationReleased:
    """The event of a released reservation."""
    return ReservationReleased.model_construct(
        festival=reservation.festival,
        request=reservation.request,
        reservation=reservation.id,
        lot=lot.id,
        booth=reservation.booth,
        qty=reservation.qty,
        cause=cause,
    )


def order_refused(lot: Lot, festival: str, order: str, reason: OrderRefusal) -> Publication:
    """The refusal of a festival's order about this lot."""
    refusal = StockOrderRefused(festival=festival, order=order, lot=lot.id, reason=reason, on_hand=lot.on_hand)
    return RESERVATIONS.of(refusal)
