"""Events that booths and tills need (festival -> sales, tills)."""

from datetime import date

from shared.events.catalogue import CatalogueRevision
from shared.events.festival.organiser import CountedLot, DisputeOutcome, Price
from shared.events.language import Body, CommandId, Count, Id, Qty, Text, Topic, Utc


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


class BoothChanged(Body):
    """The booth's name and its festival's zone from now on."""

    booth: Id
    name: Text
    zone: Id


class PricesChanged(Body):
    """The booth's whole price list of this `revision`, valid from `valid_from` on.

    `catalogue`: the revisions that category and name of an added product are from.
    """

    booth: Id
    revision: Qty
    valid_from: Utc
    prices: tuple[Price, ...]
    catalogue: tuple[CatalogueRevision, ...] = ()


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


class LotRecounted(Body):
    """`qty` pieces of the lot were counted in at the booth in all. The number replaces all earlier ones of the lot.

    The highest `revision` of a lot is valid. The lot may be new to the booth. The event may also come after the booth
    was closed.
    """

    booth: Id
    festival: Id
    lot: Id
    facility: Id
    product: Id
    made_on: date
    qty: Count
    revision: Qty


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


class LotReinstated(Body):
    """The recall of the lot is lifted: the booth may sell it again."""

    booth: Id
    lot: Id
    reason: Text


class DisputeResolved(Body):
    """The organiser's decision on the disputed or waiting pieces of a sale. Sales answers an `order`."""

    booth: Id
    sale: Id
    outcome: DisputeOutcome
    lot: Id | None = None
    order: Id | None = None


class BoothForwarded(Body):
    """Records that tills send for `booth` are to count at booth `to`. Sales answers to `festival`.

    With `merge`, `booth` is a booth of the festival that was opened by mistake. Otherwise no festival has opened it.
    `order`: the id of the organiser's command.
    """

    booth: Id
    to: Id
    festival: Id
    order: CommandId
    merge: bool = False


class BoothClosing(Body):
    """No more stock will come but by a recount. Tills have until `deadline` to send records. `opening`: it ends this
    opening of the booth, the first being 1."""

    booth: Id
    festival: Id
    deadline: Utc
    opening: Qty = 1


class ReopeningRequested(Body):
    """The organiser wants to sell again at a booth that was closed, and sales decides.

    `opening`: the number of the new opening. `home`: pieces that went home from the booth since the last opening, and
    can't be sold there.
    """

    booth: Id
    festival: Id
    order: Id
    opening: Qty
    home: tuple[CountedLot, ...] = ()


BOOTH_STOCK = Topic(
    "karya.booth-stock.v1",
    "booth",
    (
        BoothOpened,
        BoothChanged,
        PricesChanged,
        TillAdded,
        TillStruck,
        BoothStocked,
        LotRecounted,
        BoothStockLost,
        BoothStockMoved,
        LotWithdrawn,
        LotReinstated,
        DisputeResolved,
        VoidOrdered,
        BoothForwarded,
        BoothClosing,
        ReopeningRequested,
    ),
)
