"""Reservations. One decision checks the stock and holds it, so that no piece is promised twice."""

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
    """Hold all of the pieces or none. A repeated reservation changes nothing."""
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
    reservation = Reservation(
        request.reservation, request.festival, request.request, request.booth, request.qty, ReservationStatus.HELD
    )
    reserved = StockReserved.model_construct(
        festival=reservation.festival,
        request=reservation.request,
        reservation=reservation.id,
        lot=lot.id,
        booth=reservation.booth,
        qty=reservation.qty,
    )
    revised_lot = revise(lot, on_hand=lot.on_hand - reservation.qty, reservations=(*lot.reservations, reservation))
    return revised_lot, [RESERVATIONS.of(reserved)]


def release(lot: Lot, request: ReleaseRequested) -> Change:
    """Return a held reservation to the stock. A reservation that a recall has released needs no second answer."""
    reservation = _find(lot, request.reservation)
    if reservation is not None and reservation.status is ReservationStatus.RELEASED:
        return lot, []
    if reservation is None or reservation.status is not ReservationStatus.HELD:
        return lot, [order_refused(lot, request.festival, request.reservation, OrderRefusal.NO_RESERVATION)]
    publication = RESERVATIONS.of(reservation_released(lot, reservation, ReleaseCause.ORDERED))
    reservations = _with(lot, replace(reservation, status=ReservationStatus.RELEASED))
    return revise(lot, on_hand=lot.on_hand + reservation.qty, reservations=reservations), [publication]


def dispatch(lot: Lot, order: DispatchOrdered) -> Change:
    """Send held pieces out of the facility."""
    reservation = _find(lot, order.reservation)
    if reservation is None or reservation.status is not ReservationStatus.HELD:
        reason = OrderRefusal.RECALLED if lot.recalled else OrderRefusal.NO_RESERVATION
        return lot, [order_refused(lot, order.festival, order.reservation, reason)]
    dispatched = StockDispatched.model_construct(
        festival=reservation.festival,
        request=reservation.request,
        reservation=reservation.id,
        shipment=order.shipment,
        lot=lot.id,
        booth=reservation.booth,
        qty=reservation.qty,
    )
    return revise(lot, reservations=_with(lot, replace(reservation, status=ReservationStatus.DISPATCHED))), [
        RESERVATIONS.of(dispatched)
    ]


def _find(lot: Lot, id: str) -> Reservation | None:
    return next((reservation for reservation in lot.reservations if reservation.id == id), None)


def _with(lot: Lot, changed: Reservation) -> tuple[Reservation, ...]:
    return tuple(changed if reservation.id == changed.id else reservation for reservation in lot.reservations)
