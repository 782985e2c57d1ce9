"""A booth as sales knows it: its stock, the records of its tills, and its progress towards settlement.

The pieces of every lot add up: stocked + beyond = sold + lost + moved + unsold. `beyond` and `unsold` are never both
above zero.
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
from shared.events.festival import BoothStocked, BoothStockMoved, LotRecounted
from shared.events.language import Publication
from shared.events.sales import SALE_SHARES, ShareOpened


class BoothStatus(StrEnum):
    """`UNKNOWN`: tills have sent records, but festival has not announced the booth as open."""

    UNKNOWN = "unknown"
    OPEN = "open"
    CLOSING = "closing"
    SETTLED = "settled"


class StockCount(NamedTuple):
    """Pieces that were left at a moment (UTC). Of two counts the later one wins; of two at the same moment the
    larger."""

    at: datetime
    qty: int


@dataclass(frozen=True, slots=True)
class BoothLot:
    """One lot at one booth, in pieces and rupiah.

    `moved`: pieces sent to other booths, or home before the booth was reopened. `label_...`: sold by label, or
    assigned to the lot by the organiser; `named_qty` is the assigned part. `after_qty`: the part of `label_qty` that
    was sold after the final count. `pool_...`: the lot's share of the unlabelled sales. `withdrawn`: the reason of a
    recall. `recount`: the revision of the recount that `stocked` follows, without later arrivals.
    """

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
    recount: int = 0

    def with_sales(self, qty: int, rupiah: int, named: int, after: int) -> "BoothLot":
        """The lot with additional sales by label.

        `named` of the pieces were assigned by the organiser, and `after` of them were sold after the final count. The
        positional constructor takes a third of the time of `replace`, and every sale needs it.
        """
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
            self.recount,
        )

    @property
    def sold(self) -> int:
        return self.label_qty + self.pool_qty

    @property
    def sold_rupiah(self) -> int:
        return self.label_rupiah + self.pool_rupiah

    @property
    def unsold(self) -> int:
        """Pieces that can still be sold."""
        return max(0, self.stocked - self.lost - self.moved - self.sold)

    @property
    def beyond(self) -> int:
        """Pieces that were sold, lost or moved in excess of the pieces stocked."""
        return max(0, self.sold + self.lost + self.moved - self.stocked)

    @property
    def unlabelled_stock(self) -> int:
        """Pieces in stock beyond the labelled sales: the source of unlabelled sales."""
        return max(0, self.stocked - self.lost - self.moved - self.label_qty)

    @property
    def net_received(self) -> int:
        """Pieces stocked and not moved to another booth: the most that the lot's facility is credited with."""
        return max(0, self.stocked - self.moved)

    @property
    def creditable(self) -> int:
        """Pieces received beyond the labelled sales, lost ones included: the upper limit of unlabelled sales."""
        return max(0, self.net_received - self.label_qty)

    @property
    def unexplained(self) -> int:
        """Unsold pieces that the latest count did not find."""
        return max(0, self.unsold - self.latest.qty) if self.latest is not None else 0


class LotSum(NamedTuple):
    """Pieces and rupiah of one lot."""

    lot: str
    qty: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The unlabelled sales of one product at the booth, in pieces and rupiah.

    `after_qty`: pieces sold after the latest final count. `from_sales`: the lots' sums over the parts of single
    sales. `adjusted`: the latest published difference from these sums. `final`, `latest`: counts of goods without a
    label. `counted`: a final count supports the shares.
    """

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
    """Counts of a lot that is not stocked yet. `product`: as in the lot number; None if the id is no lot number."""

    lot: str
    product: str | None
    final: StockCount | None
    latest: StockCount | None


@dataclass(frozen=True, slots=True)
class EarlyVoid:
    """A void that came before its receipt. `till` is None if the organiser ordered the void."""

    receipt: str
    line: int
    qty: int
    till: str | None


class RefusedOrder(NamedTuple):
    """A void by the organiser that was refused, because only `left` pieces could still be voided."""

    receipt: str
    line: int
    qty: int
    left: int


@dataclass(frozen=True, slots=True)
class InterimState:
    """The interim reports that festival has received while the booth was open.

    `revision`: their number. `quarters`: the quarters of an hour that they covered, counted since 1970, the latest
    report last. `sold_out`: the products reported as sold out.
    """

    revision: int = 0
    quarters: tuple[int, ...] = ()
    sold_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reopening:
    """A request to reopen the booth as opening number `opening`, by festival's `order`.

    `home`: pieces by lot that went home. `asked`: the facilities that were asked to hold their settlements, and
    `held` those that do.
    """

    order: str
    opening: int
    home: tuple[tuple[str, int], ...] = ()
    asked: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class Forwarding(NamedTuple):
    """The booth at which the booth's further records count, and the number of records forwarded so far.

    `reached`: the records kept before are forwarded in parts, and those up to this number are through. None: all are.
    """

    to: str
    records: int
    reached: int | None = None


@dataclass(frozen=True, slots=True)
class Booth:
    """One booth with its lots, devices, drawers and open sales.

    `tills` are the tills that festival named, without `struck_tills`. `devices` are the devices that have sent
    records. `waiting` (receipt ids) and `disputed` (sale ids) are in order of arrival. `facilities` have been sent
    ShareOpened. `receipts`: the number of receipts accepted. `early_strikes`: devices struck before their first
    record. `shelves`: the times at which goods came and were sold. `opening`: how often the booth opened.
    `reopening`: a request that waits for facilities.
    """

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
    forwarding: Forwarding | None = None
    opening: int = 1
    reopening: Reopening | None = None

    def find_lot(self, lot: str) -> BoothLot | None:
        """The booth's lot with this id, or None."""
        return next((booth_lot for booth_lot in self.lots if booth_lot.lot == lot), None)

    def lots_of(self, product: str) -> list[BoothLot]:
        """The booth's lots of the product."""
        return [lot for lot in self.lots if lot.product == product]

    def pool(self, product: str) -> Pool | None:
        """The booth's pool of the product, or None if nothing was sold unlabelled."""
        return next((pool for pool in self.pools if pool.product == product), None)

    def available(self, product: str) -> int:
        """Pieces of the product, over all lots, that no sale is recorded for."""
        pool = self.pool(product)
        return max(
            0, sum(lot.unlabelled_stock for lot in self.lots_of(product)) - (pool.qty if pool is not None else 0)
        )

    @property
    def records(self) -> int:
        """The number of records received from the booth's devices."""
        return sum(last - first + 1 for device in self.devices for first, last in device.seen)

    @property
    def unmoved(self) -> int:
        """The number of records that count at no booth, since no festival has opened this one."""
        if self.status is not BoothStatus.UNKNOWN:
            return 0
        if self.forwarding is None:
            return self.records
        return 0 if self.forwarding.reached is None else self.records - self.forwarding.records

    @property
    def complete(self) -> bool:
        """Whether every till's records have arrived.

        Each device's branches must be closed without gaps, or struck. Each till that festival named must have sent
        records, or be struck. Devices of a booth whose records are forwarded go on at the other booth.
        """
        if self.forwarding is not None:
            return True
        if not (self.tills or self.struck_tills):
            return False
        heard_tills = {device.till for device in self.devices if not device.given_up}
        return all(till in heard_tills for till in self.tills) and all(device.complete for device in self.devices)


def with_lot(booth: Booth, lot: BoothLot) -> Booth:
    """The booth with this lot in place of the lot of the same id."""
    return replace(booth, lots=tuple(lot if other.lot == lot.lot else other for other in booth.lots))


def with_pool(booth: Booth, pool: Pool) -> Booth:
    """The booth with this pool in place of the product's former pool, or added to its pools."""
    if booth.pool(pool.product) is None:
        return replace(booth, pools=(*booth.pools, pool))
    return replace(booth, pools=tuple(pool if other.product == pool.product else other for other in booth.pools))


def stock_lot(booth: Booth, body: BoothStocked, at: datetime) -> tuple[Booth, list[Publication]]:
    """The booth after pieces were counted in at this time, and the publications that follow.

    The first lot of a facility publishes ShareOpened: the facility's settlement then waits for this booth.
    """
    shelves = shelf.stock_in(booth.shelves, body.facility, body.product, at, body.qty)
    still_sold_out = tuple(product for product in booth.interim.sold_out if product != body.product)
    interim = replace(booth.interim, sold_out=still_sold_out)
    booth = replace(booth, festival=body.festival, shelves=shelves, interim=interim)
    booth, publications = add_lot(booth, BoothLot(body.lot, body.facility, body.product, body.made_on))
    booth_lot = booth.find_lot(body.lot)
    assert booth_lot is not None, "it was just taken in"
    return with_lot(booth, replace(booth_lot, stocked=booth_lot.stocked + body.qty)), publications


def recount_lot(booth: Booth, body: LotRecounted, at: datetime) -> tuple[Booth, list[Publication]]:
    """The booth after a lot's arrivals were counted again, and the publications; an older recount changes nothing.

    Sales beyond a lower count stay recorded: the lot's `beyond` then rises.
    """
    held = booth.find_lot(body.lot)
    if held is not None and held.recount >= body.revision:
        return booth, []
    booth = replace(booth, festival=body.festival)
    booth, publications = add_lot(booth, BoothLot(body.lot, body.facility, body.product, body.made_on))
    held = booth.find_lot(body.lot)
    assert held is not None, "it was just taken in"
    change = body.qty - held.stocked
    shelves = shelf.restock(booth.shelves, body.facility, body.product, at, change)
    interim = booth.interim
    if change > 0:
        still_sold_out = tuple(product for product in interim.sold_out if product != body.product)
        interim = replace(interim, sold_out=still_sold_out)
    booth = replace(booth, shelves=shelves, interim=interim)
    return with_lot(booth, replace(held, stocked=body.qty, recount=body.revision)), publications


def add_lot(booth: Booth, lot: BoothLot) -> tuple[Booth, list[Publication]]:
    """The booth with this lot added, unless the booth has it; and ShareOpened for the first lot of a facility."""
    if booth.find_lot(lot.lot) is not None:
        return booth, []
    early = next((count for count in booth.early_counts if count.lot == lot.lot), None)
    if early is not None:
        lot = replace(lot, final=early.final, latest=early.latest)
        booth = replace(booth, early_counts=tuple(count for count in booth.early_counts if count is not early))
    booth = replace(booth, lots=(*booth.lots, lot))
    if lot.facility in booth.facilities:
        return booth, []
    assert booth.festival is not None, "a booth with goods belongs to a festival"
    opened = ShareOpened(facility=lot.facility, festival=booth.festival, booth=booth.id)
    return replace(booth, facilities=(*booth.facilities, lot.facility)), [SALE_SHARES.of(opened)]


def lose_stock(booth: Booth, lot: str, qty: int) -> Booth:
    """The booth after pieces were lost. Raises LookupError for a lot that was never stocked.

    Sales of these pieces stay recorded: the lot's `beyond` then rises.
    """
    booth_lot = booth.find_lot(lot)
    if booth_lot is None:
        # One topic brings the stocking first. A parked key keeps the loss until the stock is known.
        raise LookupError(f"booth {booth.id} can't lose pieces of {lot}: the lot was never stocked there")
    return with_lot(booth, replace(booth_lot, lost=booth_lot.lost + qty))


def move_stock(booth: Booth, body: BoothStockMoved, at: datetime) -> Booth:
    """The booth after pieces left for another booth at this time. Raises LookupError for a lot that was never
    stocked.

    Sales of these pieces stay recorded, as with losses.
    """
    return move_away(booth, body.lot, body.qty, at)


def move_away(booth: Booth, lot: str, qty: int, at: datetime) -> Booth:
    """The booth after pieces left it at this time, for another booth or for home. Raises LookupError as
    `move_stock` does."""
    booth_lot = booth.find_lot(lot)
    if booth_lot is None:
        raise LookupError(f"booth {booth.id} can't move pieces of {lot}: the lot was never stocked there")
    shelves = shelf.move_out(booth.shelves, booth_lot.facility, booth_lot.product, at, qty)
    return with_lot(replace(booth, shelves=shelves), replace(booth_lot, moved=booth_lot.moved + qty))


def withdraw_lot(booth: Booth, lot: str, reason: str) -> Booth:
    """The booth after the lot was recalled. For a lot still on its way, festival repeats the recall after its
    arrival."""
    booth_lot = booth.find_lot(lot)
    if booth_lot is None or booth_lot.withdrawn is not None:
        return booth
    return with_lot(booth, replace(booth_lot, withdrawn=reason))


def reinstate_lot(booth: Booth, lot: str) -> Booth:
    """The booth after the recall of the lot was lifted."""
    booth_lot = booth.find_lot(lot)
    if booth_lot is None or booth_lot.withdrawn is None:
        return booth
    return with_lot(booth, replace(booth_lot, withdrawn=None))
