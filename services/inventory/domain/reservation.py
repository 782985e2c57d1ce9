"""Reservations: checking the stock and holding it is one decision, so nothing is promised twice."""

from dataclasses import replace

from services.inventory.domain.lot import (
    Change,
    Lot,
    Reservation,
    ReservationStatus,
    order_refused,
    reservation_released,
    revise,
)
from shared.events.inventory import (
    RESERVATIONS,
    DispatchOrdered,
    OrderRefusal,
    ReleaseCause,
    ReleaseRequested,
    ReservationRefused,
    ReservationRequested,
    StockDispatched,
    StockReserved,
)


def reserve(lot: Lot, request: ReservationRequested) -> Change:
    """Hold all of it or none. A reservation that was asked for before changes nothing."""
    if _find(lot, request.reservation) is not None:
        return lot, []
    if lot.recalled or request.qty > lot.on_hand:
        refusal = ReservationRefused(
            festival=request.festival,
            request=request.request,
            reservation=request.reservation,
            lot=lot.id,
            product=lot.product,
            booth=request.booth,
            qty=request.qty,
            on_hand=0 if lot.recalled else lot.on_hand,
            reason=OrderRefusal.RECALLED if lot.recalled else OrderRefusal.SHORT,
        )
        return lot, [RESERVATIONS.of(refusal)]
    held = Reservation(
        request.reservation, request.festival, request.request, request.booth, request.qty, ReservationStatus.HELD
    )
    said = StockReserved(
        festival=held.festival,
        request=held.request,
        reservation=held.id,
        lot=lot.id,
        booth=held.booth,
        qty=held.qty,
    )
    promised = revise(lot, on_hand=lot.on_hand - held.qty, reservations=(*lot.reservations, held))
    return promised, [RESERVATIONS.of(said)]


def release(lot: Lot, request: ReleaseRequested) -> Change:
    """Give a held reservation back. One that a recall has released already has been answered."""
    found = _find(lot, request.reservation)
    if found is not None and found.status is ReservationStatus.RELEASED:
        return lot, []
    if found is None or found.status is not ReservationStatus.HELD:
        return lot, [order_refused(lot, request.festival, request.reservation, OrderRefusal.NO_RESERVATION)]
    said = RESERVATIONS.of(reservation_released(lot, found, ReleaseCause.ORDERED))
    freed = _with(lot, replace(found, status=ReservationStatus.RELEASED))
    return revise(lot, on_hand=lot.on_hand + found.qty, reservations=freed), [said]


def dispatch(lot: Lot, order: DispatchOrdered) -> Change:
    """Held pieces leave the facility."""
    found = _find(lot, order.reservation)
    if found is None or found.status is not ReservationStatus.HELD:
        reason = OrderRefusal.RECALLED if lot.recalled else OrderRefusal.NO_RESERVATION
        return lot, [order_refused(lot, order.festival, order.reservation, reason)]
    said = StockDispatched(
        festival=found.festival,
        request=found.request,
        reservation=found.id,
        shipment=order.shipment,
        lot=lot.id,
        booth=found.booth,
        qty=found.qty,
    )
    return revise(lot, reservations=_with(lot, replace(found, status=ReservationStatus.DISPATCHED))), [
        RESERVATIONS.of(said)
    ]


def _find(lot: Lot, id: str) -> Reservation | None:
    return next((r for r in lot.reservations if r.id == id), None)


def _with(lot: Lot, changed: Reservation) -> tuple[Reservation, ...]:
    return tuple(changed if r.id == changed.id else r for r in lot.reservations)
