"""A booth as sales knows it: what it holds, what its tills have said, and how far it is on its way to be settled.

Of every lot, in pieces: stocked + beyond = sold + lost + moved + unsold, and never both beyond and unsold.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from services.sales.domain import shelf
from services.sales.domain.device import Device
from services.sales.domain.drawer import Drawers
from services.sales.domain.prices import PriceList
from services.sales.domain.shelf import Shelves
from shared.events.festival import BoothStocked, BoothStockMoved
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, ShareOpened


class BoothStatus(StrEnum):
    """`UNKNOWN`: tills were heard, but festival has not said yet that the booth is open."""

    UNKNOWN = "unknown"
    OPEN = "open"
    CLOSING = "closing"
    SETTLED = "settled"


class StockCount(NamedTuple):
    """Pieces that were left at a moment (UTC). Of two counts the later one wins, of two at once the larger."""

    at: datetime
    qty: int


@dataclass(frozen=True, slots=True)
class BoothLot:
    """One lot at one booth, in pieces and rupiah. `moved`: to other booths. `label_...`: sold by a label or by the
    organiser's word, of which `named_qty` pieces by the latter; `after_qty`: what of it was sold after the moment of
    the final count. `pool_...`: its share of the unlabelled sales. `withdrawn`: why, if the lot was recalled."""

    lot: str
    facility: str
    product: str
    made_on: date
    stocked: int = 0
    lost: int = 0
    moved: int = 0
    label_qty: int = 0
    label_rupiah: int = 0
    named_qty: int = 0
    after_qty: int = 0
    pool_qty: int = 0
    pool_rupiah: int = 0
    withdrawn: str | None = None
    final: StockCount | None = None
    latest: StockCount | None = None

    def with_sales(self, qty: int, rupiah: int, named: int, after: int) -> "BoothLot":
        """The lot with so much more sold by label, of which `named` pieces by the organiser's word and `after` pieces
        after the final count. Each field by its place, in a third of the time that `replace` takes: every sale comes
        by here."""
        return BoothLot(
            self.lot,
            self.facility,
            self.product,
            self.made_on,
            self.stocked,
            self.lost,
            self.moved,
            self.label_qty + qty,
            self.label_rupiah + rupiah,
            self.named_qty + named,
            self.after_qty + after,
            self.pool_qty,
            self.pool_rupiah,
            self.withdrawn,
            self.final,
            self.latest,
        )

    @property
    def sold(self) -> int:
        return self.label_qty + self.pool_qty

    @property
    def sold_rupiah(self) -> int:
        return self.label_rupiah + self.pool_rupiah

    @property
    def unsold(self) -> int:
        """What can still be sold."""
        return max(0, self.stocked - self.lost - self.moved - self.sold)

    @property
    def beyond(self) -> int:
        return max(0, self.sold + self.lost + self.moved - self.stocked)

    @property
    def unlabelled_stock(self) -> int:
        """Pieces that are there beyond the labelled sales: what unlabelled sales can come from."""
        return max(0, self.stocked - self.lost - self.moved - self.label_qty)

    @property
    def net_received(self) -> int:
        """Pieces that came and did not leave for another booth: the most that its facility is credited with."""
        return max(0, self.stocked - self.moved)

    @property
    def creditable(self) -> int:
        """Pieces that came beyond the labelled sales, also if they count as lost: the most that unlabelled sales can
        be of."""
        return max(0, self.net_received - self.label_qty)

    @property
    def unexplained(self) -> int:
        """Unsold pieces that the last count did not see."""
        return max(0, self.unsold - self.latest.qty) if self.latest is not None else 0


class LotSum(NamedTuple):
    """Pieces and rupiah of one lot."""

    lot: str
    qty: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The unlabelled sales of one product at the booth, in pieces and rupiah. `after_qty`: pieces sold after the
    latest final count. `told`: what the parts of single sales give each lot; `adjusted`: what was last published
    beyond that. `final`, `latest`: counts of goods without a label. `counted`: a final count stands behind the
    shares."""

    product: str
    qty: int = 0
    rupiah: int = 0
    after_qty: int = 0
    from_sales: tuple[LotSum, ...] = ()
    adjusted: tuple[LotSum, ...] = ()
    final: StockCount | None = None
    latest: StockCount | None = None
    counted: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class EarlyCount:
    """Counts of a lot that was not stocked yet. `product`: what its number says; None: it is no lot number."""

    lot: str
    product: str | None
    final: StockCount | None
    latest: StockCount | None


@dataclass(frozen=True, slots=True)
class EarlyVoid:
    """A void that came before its receipt. `till` None: the organiser asked."""

    receipt: str
    line: int
    qty: int
    till: str | None


class RefusedOrder(NamedTuple):
    """A void by the organiser that could not be done: `left` pieces could still be voided."""

    receipt: str
    line: int
    qty: int
    left: int


@dataclass(frozen=True, slots=True)
class InterimState:
    """What festival was told while the booth was open: how often, in which quarters of an hour (counted since 1970,
    the latest told last), and which products it knows to be sold out."""

    revision: int = 0
    quarters: tuple[int, ...] = ()
    sold_out: tuple[str, ...] = ()


class StrayMove(NamedTuple):
    """Where a stray booth's records were published as well, and how many records there were by then."""

    to: str
    records: int


@dataclass(frozen=True, slots=True)
class Booth:
    """`tills` are those that festival named, without those in `struck_tills`; `devices` are those that spoke.
    `waiting` are receipts' ids and `disputed` sales' ids, in the order in which they came; `facilities` were told
    ShareOpened. `receipts`: how many were taken in. `early_strikes`: devices that were struck before they were heard.
    `shelves`: when goods came and were sold."""

    id: str
    festival: str | None = None
    name: str | None = None
    zone: str | None = None
    price_lists: tuple[PriceList, ...] = ()
    tills: tuple[str, ...] = ()
    struck_tills: tuple[str, ...] = ()
    status: BoothStatus = BoothStatus.UNKNOWN
    deadline: datetime | None = None
    lots: tuple[BoothLot, ...] = ()
    pools: tuple[Pool, ...] = ()
    early_counts: tuple[EarlyCount, ...] = ()
    devices: tuple[Device, ...] = ()
    drawers: Drawers = ()
    receipts: int = 0
    early_voids: tuple[EarlyVoid, ...] = ()
    waiting: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    shelves: Shelves = ()
    revision: int = 0
    interim: InterimState = InterimState()
    early_strikes: tuple[str, ...] = ()
    refused_orders: tuple[RefusedOrder, ...] = ()
    moved: StrayMove | None = None

    def find_lot(self, lot: str) -> BoothLot | None:
        return next((held for held in self.lots if held.lot == lot), None)

    def lots_of(self, product: str) -> list[BoothLot]:
        return [lot for lot in self.lots if lot.product == product]

    def pool(self, product: str) -> Pool | None:
        return next((pool for pool in self.pools if pool.product == product), None)

    def available(self, product: str) -> int:
        """Pieces of the product that no sale was recorded for, whatever lot they are of."""
        pool = self.pool(product)
        return max(
            0, sum(lot.unlabelled_stock for lot in self.lots_of(product)) - (pool.qty if pool is not None else 0)
        )

    @property
    def records(self) -> int:
        """How many records of its devices were heard."""
        return sum(last - first + 1 for device in self.devices for first, last in device.seen)

    @property
    def complete(self) -> bool:
        """Every branch of every device heard has closed with nothing missing, or was struck, and each till that
        festival named was heard or struck."""
        if not (self.tills or self.struck_tills):
            return False
        heard = {device.till for device in self.devices if not device.given_up}
        return all(till in heard for till in self.tills) and all(device.complete for device in self.devices)


def with_lot(booth: Booth, lot: BoothLot) -> Booth:
    """The booth with this lot in place of what it held of it."""
    return replace(booth, lots=tuple(lot if held.lot == lot.lot else held for held in booth.lots))


def with_pool(booth: Booth, pool: Pool) -> Booth:
    """The booth with this pool in place of the product's former one."""
    if booth.pool(pool.product) is None:
        return replace(booth, pools=(*booth.pools, pool))
    return replace(booth, pools=tuple(pool if known.product == pool.product else known for known in booth.pools))


def stock_lot(booth: Booth, body: BoothStocked, at: datetime) -> tuple[Booth, list[Publication]]:
    """Pieces were counted in at the booth, at this time. With the first of a facility, its settlement waits for this
    booth."""
    shelves = shelf.stock_in(booth.shelves, body.facility, body.product, at, body.qty)
    still_out = tuple(product for product in booth.interim.sold_out if product != body.product)
    so_far = replace(booth.interim, sold_out=still_out)
    booth = replace(booth, festival=body.festival, shelves=shelves, interim=so_far)
    booth, said = add_lot(booth, BoothLot(body.lot, body.facility, body.product, body.made_on))
    held = booth.find_lot(body.lot)
    assert held is not None, "it was just taken in"
    return with_lot(booth, replace(held, stocked=held.stocked + body.qty)), said


def add_lot(booth: Booth, lot: BoothLot) -> tuple[Booth, list[Publication]]:
    """The booth with this lot among its lots, unless it is there already; and ShareOpened if it is the first of its
    facility."""
    if booth.find_lot(lot.lot) is not None:
        return booth, []
    early = next((count for count in booth.early_counts if count.lot == lot.lot), None)
    if early is not None:
        lot = replace(lot, final=early.final, latest=early.latest)
        booth = replace(booth, early_counts=tuple(count for count in booth.early_counts if count is not early))
    booth = replace(booth, lots=(*booth.lots, lot))
    if lot.facility in booth.facilities:
        return booth, []
    assert booth.festival is not None, "who holds goods belongs to a festival"
    said = ShareOpened(facility=lot.facility, festival=booth.festival, booth=booth.id)
    return replace(booth, facilities=(*booth.facilities, lot.facility)), [SALE_SHARES.of(said)]


def lose_stock(booth: Booth, lot: str, qty: int) -> Booth:
    """Pieces can't be sold. That some of them were sold before undoes no sale: the lot is then `beyond`."""
    held = booth.find_lot(lot)
    if held is None:
        # Festival says this after it stocked the lot, on one topic: parking the key is what makes it whole again.
        raise LookupError(f"{booth.id} is to lose pieces of {lot}, which it was never stocked with")
    return with_lot(booth, replace(held, lost=held.lost + qty))


def move_stock(booth: Booth, body: BoothStockMoved, at: datetime) -> Booth:
    """Pieces have left for another booth, at this time. As with lost ones, no sale is undone by it."""
    held = booth.find_lot(body.lot)
    if held is None:
        raise LookupError(f"{booth.id} is to give away pieces of {body.lot}, which it was never stocked with")
    shelves = shelf.move_out(booth.shelves, held.facility, held.product, at, body.qty)
    return with_lot(replace(booth, shelves=shelves), replace(held, moved=held.moved + body.qty))


def withdraw_lot(booth: Booth, lot: str, reason: str) -> Booth:
    """The lot was recalled. Of one that is still on its way here festival says it again once it has come."""
    held = booth.find_lot(lot)
    if held is None or held.withdrawn is not None:
        return booth
    return with_lot(booth, replace(held, withdrawn=reason))
