"""Festival's orders to inventory, inventory's answers, and the balance of every lot."""

from datetime import date
from enum import StrEnum

from shared.events.language import Body, Count, Id, Qty, Text, Topic, TypedNumber


class ReservationRequested(Body):
    """Hold all of `qty` pieces of the lot for one booth, or none."""

    lot: Id
    reservation: Id
    festival: Id
    booth: Id
    request: Id
    qty: Qty


class ReleaseRequested(Body):
    """Return a held reservation to the stock on hand."""

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


class ReturnRecounted(Body):
    """The count of pieces that came home from `booth` changes by `change`."""

    lot: Id
    order: Id
    festival: Id
    booth: Id
    change: TypedNumber


class SurplusCounted(Body):
    """`qty` pieces of the lot were counted at `booth` beyond those sent to it, over all its shipments and transfers.

    The number replaces earlier ones of this booth. `shipment` or `transfer`: whose count it follows from.
    """

    lot: Id
    order: Id
    festival: Id
    booth: Id
    qty: Count
    shipment: Id | None = None
    transfer: Id | None = None


class LossRecorded(Body):
    """`qty` pieces on hand at the facility are spoilt or missing."""

    lot: Id
    order: Id
    festival: Id
    qty: Qty
    reason: Text = ""


class StockChanged(Body):
    """The lot's whole balance, in pieces. The highest `revision` is valid.

    recorded + corrected = on_hand + reserved + dispatched - returned + written_off

    `found`: pieces counted at booths beyond those dispatched. dispatched + found - returned are away.
    `withdrawn`: the lot's report was withdrawn, so there is no such lot. Its pieces are part of `corrected`.
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
    found: Count = 0
    withdrawn: bool = False


class OrderRefusal(StrEnum):
    """The reason why inventory did not carry out an order."""

    UNKNOWN_LOT = "unknown_lot"
    RECALLED = "recalled"
    SHORT = "short"
    NO_RESERVATION = "no_reservation"
    MORE_THAN_SENT = "more_than_sent"


class ReleaseCause(StrEnum):
    """The cause of a release: an order, or a recall of the lot."""

    ORDERED = "ordered"
    RECALLED = "recalled"


class StockReserved(Body):
    """The pieces are held for the booth."""

    festival: Id
    request: Id
    reservation: Id
    lot: Id
    booth: Id
    qty: Qty


class ReservationRefused(Body):
    """Nothing was held; `on_hand` pieces could have been. `product`: for planning the shortage again."""

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
    """The held pieces are on hand again."""

    festival: Id
    request: Id
    reservation: Id
    lot: Id
    booth: Id
    qty: Qty
    cause: ReleaseCause


class StockDispatched(Body):
    """The held pieces left the facility with the shipment."""

    festival: Id
    request: Id
    reservation: Id
    shipment: Id
    lot: Id
    booth: Id
    qty: Qty


class StockReturned(Body):
    """Pieces that came home are on hand again."""

    festival: Id
    order: Id
    lot: Id
    booth: Id
    qty: Qty


class StockReturnRecounted(Body):
    """The pieces on hand and the pieces that came home from `booth` changed by `change`, as they were counted
    again."""

    festival: Id
    order: Id
    lot: Id
    booth: Id
    change: TypedNumber


class StockFound(Body):
    """`qty` pieces of the lot were found at `booth` beyond those sent to it. Inventory knows the lot."""

    festival: Id
    order: Id
    lot: Id
    booth: Id
    qty: Count
    facility: Id
    product: Id
    made_on: date
    best_before: date | None
    shipment: Id | None = None
    transfer: Id | None = None


class StockWrittenOff(Body):
    """Lost pieces were taken off the stock on hand."""

    festival: Id
    order: Id
    lot: Id
    qty: Qty


class StockOrderRefused(Body):
    """A release, dispatch, return, recount or loss that inventory can't carry out. `order` is the reservation's id
    for a release or dispatch, otherwise the order's own id."""

    festival: Id
    order: Id
    lot: Id
    reason: OrderRefusal
    on_hand: Count


class LotRecallReached(Body):
    """A recalled lot was promised or sent to this festival. Held reservations are released, each with an event of its
    own. `booths` may hold pieces of the lot."""

    festival: Id
    lot: Id
    reason: Text
    booths: tuple[Id, ...]


class LotRecallLiftReached(Body):
    """The recall of a lot that was sent to this festival is lifted. `booths` may hold pieces of the lot."""

    festival: Id
    lot: Id
    reason: Text
    booths: tuple[Id, ...]


STOCK_ORDERS = Topic(
    "karya.stock-orders.v1",
    "lot",
    (
        ReservationRequested,
        ReleaseRequested,
        DispatchOrdered,
        ReturnReceived,
        ReturnRecounted,
        SurplusCounted,
        LossRecorded,
    ),
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
        StockReturnRecounted,
        StockFound,
        StockWrittenOff,
        StockOrderRefused,
        LotRecallReached,
        LotRecallLiftReached,
    ),
)
