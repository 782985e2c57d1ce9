"""Events that booths and tills need (festival -> sales, tills)."""

from datetime import date

from shared.events.catalogue import CatalogueRevision
from shared.events.festival.organiser import DisputeOutcome, Price
from shared.events.language import Body, Id, Qty, Text, Topic, Utc


class BoothOpened(Body):
    """A booth opens. `prices` are revision 1 of the price list. `zone` is the festival's, e.g. `Asia/Makassar`.

    `catalogue`: the revisions that categories and names are from.
    """

    booth: Id
    festival: Id
    name: Text
    prices: tuple[Price, ...]
    tills: tuple[Id, ...]
    zone: Id = "Asia/Jakarta"
    catalogue: tuple[CatalogueRevision, ...] = ()


class PricesChanged(Body):
    """The booth's whole price list of this `revision`, valid from `valid_from` on."""

    booth: Id
    revision: Qty
    valid_from: Utc
    prices: tuple[Price, ...]


class TillAdded(Body):
    """The booth sells from one more till."""

    booth: Id
    till: Id


class TillStruck(Body):
    """The booth no longer waits for this device, or for its branch number `branch` (from 1). Without `device`, it
    waits for no device of this till's name."""

    booth: Id
    till: Id
    device: Id | None = None
    branch: Qty | None = None


class VoidOrdered(Body):
    """The organiser voids pieces of a sale."""

    booth: Id
    receipt: Id
    line: Qty
    qty: Qty


class BoothStocked(Body):
    """`qty` pieces of the lot were counted in at the booth. `made_on` orders lots from old to new."""

    booth: Id
    festival: Id
    lot: Id
    facility: Id
    product: Id
    made_on: date
    qty: Qty


class BoothStockLost(Body):
    """`qty` pieces at the booth are spoilt or missing, and can't be sold."""

    booth: Id
    lot: Id
    qty: Qty


class BoothStockMoved(Body):
    """`qty` pieces left the booth for booth `to`, and can't be sold here. BoothStocked follows there after the
    count."""

    booth: Id
    lot: Id
    qty: Qty
    to: Id


class LotWithdrawn(Body):
    """The lot is recalled and must not be sold at the booth."""

    booth: Id
    lot: Id
    reason: Text


class DisputeResolved(Body):
    """The organiser's decision on the disputed pieces of a sale."""

    booth: Id
    sale: Id
    outcome: DisputeOutcome
    lot: Id | None = None


class BoothClosing(Body):
    """No more stock will come. Tills have until `deadline` to send records."""

    booth: Id
    festival: Id
    deadline: Utc


BOOTH_STOCK = Topic(
    "karya.booth-stock.v1",
    "booth",
    (
        BoothOpened,
        PricesChanged,
        TillAdded,
        TillStruck,
        BoothStocked,
        BoothStockLost,
        BoothStockMoved,
        LotWithdrawn,
        DisputeResolved,
        VoidOrdered,
        BoothClosing,
    ),
)
