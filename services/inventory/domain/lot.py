"""A lot and its balance: recorded + corrected = on hand + reserved + dispatched - returned + written off."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from shared.events.inventory import (
    RESERVATIONS,
    DispatchOrdered,
    LossRecorded,
    LotRecallReached,
    OrderRefusal,
    ReleaseCause,
    ReleaseRequested,
    ReservationRefused,
    ReservationReleased,
    ReservationRequested,
    ReturnReceived,
    StockOrderRefused,
    StockReturned,
    StockWrittenOff,
)
from shared.events.language import Body, Publication
from shared.events.production import (
    LOT_ANSWERS,
    CorrectionRefused,
    CorrectionRequested,
    LotCorrected,
    LotRecalled,
    LotRecorded,
)

Change = tuple["Lot", list[Publication]]


class ReservationStatus(StrEnum):
    """What became of a reservation. Each is held once, and released or dispatched at most once."""

    HELD = "held"
    RELEASED = "released"
    DISPATCHED = "dispatched"


# Asked for so often that looking them up in the enum, slow in Python 3.11, showed in every event's cost.
HELD, DISPATCHED = ReservationStatus.HELD, ReservationStatus.DISPATCHED


@dataclass(frozen=True, slots=True)
class Reservation:
    """`qty` pieces of the lot that were promised to one booth."""

    id: str
    festival: str
    request: str
    booth: str
    qty: int
    status: ReservationStatus


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot's balance in pieces. What is reserved and dispatched follows from the reservations, so that no
    counter can drift from them."""

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

    @property
    def reserved(self) -> int:
        return sum([r.qty for r in self.reservations if r.status is HELD])

    @property
    def dispatched(self) -> int:
        return sum([r.qty for r in self.reservations if r.status is DISPATCHED])


def record(made: LotRecorded) -> Change:
    """The new lot; production has given it a number that no other lot has."""
    lot = Lot(
        id=made.lot,
        facility=made.facility,
        product=made.product,
        category=made.category,
        made_on=made.made_on,
        best_before=made.best_before,
        recorded=made.qty,
        on_hand=made.qty,
    )
    return lot, []


def correct(lot: Lot, request: CorrectionRequested) -> Change:
    """More or fewer pieces than were recorded; fewer only as far as they are on hand."""
    answer = CorrectionRefused if lot.on_hand + request.change < 0 else LotCorrected
    if answer is LotCorrected:
        lot = revise(lot, on_hand=lot.on_hand + request.change, corrected=lot.corrected + request.change)
    said = answer(
        facility=lot.facility,
        lot=lot.id,
        correction=request.correction,
        change=request.change,
        on_hand=lot.on_hand,
    )
    return lot, [LOT_ANSWERS.of(said)]


def recall(lot: Lot, request: LotRecalled) -> Change:
    """Nothing more of the lot is promised or sent. What was promised is released, and every festival that was
    promised or sent some hears of it."""
    if lot.recalled:
        return lot, []
    held = [r for r in lot.reservations if r.status is ReservationStatus.HELD]
    said = [RESERVATIONS.of(reservation_released(lot, r, ReleaseCause.RECALLED)) for r in held]
    for festival in sorted({r.festival for r in lot.reservations if r.status is not ReservationStatus.RELEASED}):
        sent = {
            r.booth for r in lot.reservations if (r.festival, r.status) == (festival, ReservationStatus.DISPATCHED)
        }
        reached = LotRecallReached(festival=festival, lot=lot.id, reason=request.reason, booths=tuple(sorted(sent)))
        said.append(RESERVATIONS.of(reached))
    freed = tuple(
        replace(r, status=ReservationStatus.RELEASED) if r.status is ReservationStatus.HELD else r
        for r in lot.reservations
    )
    on_hand = lot.on_hand + sum(r.qty for r in held)
    return revise(lot, recalled=True, on_hand=on_hand, reservations=freed), said


def receive_return(lot: Lot, order: ReturnReceived) -> Change:
    """Pieces that came home are on hand again; no more can come home than was sent."""
    if lot.returned + order.qty > lot.dispatched:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.MORE_THAN_SENT)]
    said = StockReturned(festival=order.festival, order=order.order, lot=lot.id, booth=order.booth, qty=order.qty)
    home = revise(lot, on_hand=lot.on_hand + order.qty, returned=lot.returned + order.qty)
    return home, [RESERVATIONS.of(said)]


def write_off(lot: Lot, order: LossRecorded) -> Change:
    """Pieces on hand that are spoilt or gone are written off."""
    if order.qty > lot.on_hand:
        return lot, [order_refused(lot, order.festival, order.order, OrderRefusal.SHORT)]
    said = StockWrittenOff(festival=order.festival, order=order.order, lot=lot.id, qty=order.qty)
    left = revise(lot, on_hand=lot.on_hand - order.qty, written_off=lot.written_off + order.qty)
    return left, [RESERVATIONS.of(said)]


def refuse_unknown_lot(body: Body) -> list[Publication]:
    """The answer about a lot that nobody has recorded. Raises TypeError for what only a known lot can bring."""
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
        case ReturnReceived() | LossRecorded():
            order = body.order
        case other:
            raise TypeError(f"{type(other).__name__} before its LotRecorded, though both have one key and topic")
    said = StockOrderRefused(
        festival=body.festival, order=order, lot=body.lot, reason=OrderRefusal.UNKNOWN_LOT, on_hand=0
    )
    return [RESERVATIONS.of(said)]


def revise(
    lot: Lot,
    *,
    on_hand: int | None = None,
    corrected: int | None = None,
    returned: int | None = None,
    written_off: int | None = None,
    recalled: bool | None = None,
    reservations: tuple[Reservation, ...] | None = None,
) -> Lot:
    """The lot with these changes, as its next revision."""
    # Not `replace`, which looks at each field again: nearly every event comes by here.
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
    )


def reservation_released(lot: Lot, reservation: Reservation, cause: ReleaseCause) -> ReservationReleased:
    return ReservationReleased(
        festival=reservation.festival,
        request=reservation.request,
        reservation=reservation.id,
        lot=lot.id,
        booth=reservation.booth,
        qty=reservation.qty,
        cause=cause,
    )


def order_refused(lot: Lot, festival: str, order: str, reason: OrderRefusal) -> Publication:
    said = StockOrderRefused(festival=festival, order=order, lot=lot.id, reason=reason, on_hand=lot.on_hand)
    return RESERVATIONS.of(said)
