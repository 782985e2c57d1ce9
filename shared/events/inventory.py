"""Festival's orders to inventory, inventory's answers, and the balance of every lot for anyone."""

from datetime import date
from enum import StrEnum

from shared.events.language import Body, Count, Id, Qty, Text, Topic, TypedNumber


class ReservationRequested(Body):
    """Hold `qty` pieces of the lot for one booth, whole or not at all."""

    lot: Id
    reservation: Id
    festival: Id
    booth: Id
    request: Id
    qty: Qty


class ReleaseRequested(Body):
    """Give an open reservation back to what is on hand."""

    lot: Id
    reservation: Id
    festival: Id


class DispatchOrdered(Body):
    """The reserved pieces leave the facility with `shipment`."""

    lot: Id
    reservation: Id
    festival: Id
    shipment: Id


class ReturnReceived(Body):
    """`qty` pieces came home from `booth`, as counted."""

    lot: Id
    order: Id
    festival: Id
    booth: Id
    qty: Qty


class LossRecorded(Body):
    """`qty` pieces on hand at the facility are spoilt or gone."""

    lot: Id
    order: Id
    festival: Id
    qty: Qty
    reason: Text = ""


class StockChanged(Body):
    """The lot's whole balance, in pieces. The highest `revision` is the truth.

    recorded + corrected = on_hand + reserved + dispatched - returned + written_off
    """

    lot: Id
    revision: Count
    facility: Id
    product: Id
    category: Id
    made_on: date
    best_before: date | None
    recalled: bool
    recorded: Count
    corrected: TypedNumber
    on_hand: Count
    reserved: Count
    dispatched: Count
    returned: Count
    written_off: Count


class OrderRefusal(StrEnum):
    """Why inventory did not carry out an order."""

    UNKNOWN_LOT = "unknown_lot"
    RECALLED = "recalled"
    SHORT = "short"
    NO_RESERVATION = "no_reservation"
    MORE_THAN_SENT = "more_than_sent"


class ReleaseCause(StrEnum):
    """Who wanted the reservation gone."""

    ORDERED = "ordered"
    RECALLED = "recalled"


class StockReserved(Body):
    festival: Id
    request: Id
    reservation: Id
    lot: Id
    booth: Id
    qty: Qty


class ReservationRefused(Body):
    """Nothing was held; `on_hand` is what could have been. `product` so that the shortage can be replanned."""

    festival: Id
    request: Id
    reservation: Id
    lot: Id
    product: Id | None
    booth: Id
    qty: Qty
    on_hand: Count
    reason: OrderRefusal


class ReservationReleased(Body):
    festival: Id
    request: Id
    reservation: Id
    lot: Id
    booth: Id
    qty: Qty
    cause: ReleaseCause


class StockDispatched(Body):
    festival: Id
    request: Id
    reservation: Id
    shipment: Id
    lot: Id
    booth: Id
    qty: Qty


class StockReturned(Body):
    """The pieces that came home are on hand again."""

    festival: Id
    order: Id
    lot: Id
    booth: Id
    qty: Qty


class StockWrittenOff(Body):
    festival: Id
    order: Id
    lot: Id
    qty: Qty


class StockOrderRefused(Body):
    """A release, dispatch, return or loss that inventory can't carry out. `order` is the id it was given:
    the reservation's for a release or dispatch, else the order's own."""

    festival: Id
    order: Id
    lot: Id
    reason: OrderRefusal
    on_hand: Count


class LotRecallReached(Body):
    """A recalled lot was promised or sent to this festival. Open reservations are released (each says so);
    `booths` are those that may hold pieces of it."""

    festival: Id
    lot: Id
    reason: Text
    booths: tuple[Id, ...]


STOCK_ORDERS = Topic(
    "karya.stock-orders.v1",
    "lot",
    (ReservationRequested, ReleaseRequested, DispatchOrdered, ReturnReceived, LossRecorded),
)
INVENTORY = Topic("karya.inventory.v1", "lot", (StockChanged,))
RESERVATIONS = Topic(
    "karya.reservations.v1",
    "festival",
    (
        StockReserved,
        ReservationRefused,
        ReservationReleased,
        StockDispatched,
        StockReturned,
        StockWrittenOff,
        StockOrderRefused,
        LotRecallReached,
    ),
)
