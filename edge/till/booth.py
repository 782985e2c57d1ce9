"""A till's view of its booth: price lists, its slice of the stock, withdrawn lots. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from edge.till.receipts import Receipts
from shared.events.festival import (
    BoothChanged,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    LotRecounted,
    LotReinstated,
    LotWithdrawn,
    Price,
    PricesChanged,
    TillAdded,
    TillStruck,
)
from shared.events.language import Body
from shared.events.sales import BoothRedirected, BoothReopened, DeviceHeard


@dataclass(frozen=True, slots=True)
class StockedLot:
    """A lot at the booth, in pieces. `stocked`: of the whole booth, without lost or moved pieces; `slice`: of this
    till."""

    id: str
    product: str
    made_on: date
    stocked: int
    slice: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class KnownPrices:
    """A price list: rupiah per piece by product. `revision` 0: no list is known. `names`: for people, by product."""

    revision: int
    valid_from: datetime | None
    prices: Mapping[str, int]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoothView:
    """The booth as one device knows it. `sold_by_lot` and `sold_by_product`: pieces that this device sold, without
    voids. `listed`: the booth names this till; `struck`: the booth no longer waits for this device. `closing`: the
    deadline for records, if the booth was closed; `opening`: how often it opened. `redirected`: further records count
    at another booth."""

    festival: str | None
    name: str | None
    zone: str | None
    listed: bool
    struck: bool
    closing: datetime | None
    opening: int
    price_lists: Sequence[KnownPrices]
    lots: Mapping[str, StockedLot]
    withdrawn: frozenset[str]
    sold_by_lot: Mapping[str, int]
    sold_by_product: Mapping[str, int]
    redirected: BoothRedirected | None = None

    def prices_at(self, moment: datetime) -> KnownPrices:
        """The price list of the highest revision that is valid at `moment`."""
        valid = [
            price_list
            for price_list in self.price_lists
            if price_list.valid_from is None or price_list.valid_from <= moment
        ]
        return max(valid, key=lambda prices: prices.revision, default=KnownPrices(0, None, {}))

    def lots_of(self, product: str) -> list[StockedLot]:
        """The product's lots at the booth, oldest first."""
        lots = (lot for lot in self.lots.values() if lot.product == product)
        return sorted(lots, key=lambda lot: (lot.made_on, lot.id))

    def left_of(self, product: str) -> int:
        """The pieces of the product that this till may still sell; below zero when it sold more."""
        return sum(lot.slice for lot in self.lots_of(product) if not lot.withdrawn) - self._sold_of(product)

    def left_of_lot(self, lot: str) -> int:
        """The pieces of the lot that this till may still sell."""
        stocked_lot = self.lots.get(lot)
        return (stocked_lot.slice if stocked_lot and not stocked_lot.withdrawn else 0) - self.sold_by_lot.get(lot, 0)

    def _sold_of(self, product: str) -> int:
        withdrawn = sum(self.sold_by_lot.get(lot.id, 0) for lot in self.lots_of(product) if lot.withdrawn)
        return self.sold_by_product.get(product, 0) - withdrawn


def view(till: str, device: str, bodies: Iterable[Body], receipts: Receipts) -> BoothView:
    """The booth as `device`, at the place of till `till`, knows it from the received events and its receipts."""
    booth = _BoothState()
    for body in bodies:
        booth.apply(body)
    holders = booth.holders(till, device)
    opened = booth.opened
    return BoothView(
        festival=opened.festival if opened else None,
        name=booth.name,
        zone=booth.zone,
        listed=till in booth.tills,
        struck=(till, device) in booth.struck or (till, None) in booth.struck,
        closing=booth.closing.deadline if booth.closing and booth.closing.opening >= booth.opening else None,
        opening=booth.opening,
        price_lists=tuple(booth.price_lists.values()),
        lots={
            id: StockedLot(
                id=id,
                product=first.product,
                made_on=first.made_on,
                stocked=booth.stocked[id],
                slice=_slice(booth.stocked[id], holders, (till, device)),
                withdrawn=id in booth.withdrawn,
            )
            for id, first in booth.lots.items()
        },
        withdrawn=frozenset(booth.withdrawn),
        sold_by_lot=receipts.sold_by_lot(),
        sold_by_product=receipts.sold_by_product(),
        redirected=booth.redirected if booth.redirected and (booth.redirected.merged or opened is None) else None,
    )


# A till's name and the device at its place; None while no device of the till is known.
_Holder = tuple[str, str | None]


def _slice(stocked: int, holders: Sequence[_Holder], holder: _Holder) -> int:
    """The holder's part of `stocked`: equal parts, and one piece of the remainder for each of the first holders."""
    if holder not in holders:
        return 0
    part, over = divmod(max(stocked, 0), len(holders))
    return part + (1 if holders.index(holder) < over else 0)


@dataclass(slots=True)
class _BoothState:
    opened: BoothOpened | None = None
    name: str | None = None
    zone: str | None = None
    closing: BoothClosing | None = None
    opening: int = 1
    tills: set[str] = field(default_factory=set)
    devices: set[_Holder] = field(default_factory=set)
    struck: set[_Holder] = field(default_factory=set)
    price_lists: dict[int, KnownPrices] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    lots: dict[str, BoothStocked | LotRecounted] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    stocked: dict[str, int] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    redirected: BoothRedirected | None = None

    def apply(self, body: Body) -> None:
        match body:
            case BoothOpened():
                self.opened = body
                self.name, self.zone = body.name, body.zone
                self.tills.update(body.tills)
                self._add_list(1, None, body.prices)
            case BoothChanged():
                self.name, self.zone = body.name, body.zone
            case PricesChanged():
                self._add_list(body.revision, body.valid_from, body.prices)
            case TillAdded():
                self.tills.add(body.till)
            case TillStruck():
                # A device that lost only a branch continues.
                if body.branch is None:
                    self.struck.add((body.till, body.device))
            case DeviceHeard():
                self.devices.add((body.till, body.device))
            case BoothStocked():
                self._count(body, self.counted.get(body.lot, 0) + body.qty)
            case LotRecounted():
                self._count(body, body.qty)
            case BoothStockLost() | BoothStockMoved():
                self.stocked[body.lot] = self.stocked.get(body.lot, 0) - body.qty
            case LotWithdrawn():
                self.withdrawn.add(body.lot)
            case LotReinstated():
                self.withdrawn.discard(body.lot)
            case BoothClosing():
                self.closing = body
            case BoothReopened():
                # The topics of festival and sales have no order between them.
                self.opening = max(self.opening, body.opening)
            case BoothRedirected():
                self.redirected = body

    def _count(self, body: BoothStocked | LotRecounted, counted: int) -> None:
        """Set the pieces of the lot that were counted in, in all."""
        self.lots.setdefault(body.lot, body)
        self.stocked[body.lot] = self.stocked.get(body.lot, 0) + counted - self.counted.get(body.lot, 0)
        self.counted[body.lot] = counted

    def _add_list(self, revision: int, valid_from: datetime | None, prices: Sequence[Price]) -> None:
        # A list that changes prices need not repeat the names.
        self.names.update({price.product: price.name for price in prices if price.name})
        rupiah = {price.product: price.price_rupiah for price in prices}
        self.price_lists[revision] = KnownPrices(revision, valid_from, rupiah, self.names)

    def holders(self, till: str, device: str) -> list[_Holder]:
        """The holders that share the stock, in the same order at every till: each device, and each name without a
        device. A booth that is not open yet has none."""
        if self.opened is None:
            return []
        devices = self.devices | {(till, device)}
        names = self.tills - {name for name, _ in devices}
        waiting: set[_Holder] = {*devices, *((name, None) for name in names)}
        holders = [
            (name, device_id) for name, device_id in waiting if not {(name, device_id), (name, None)} & self.struck
        ]
        return sorted(holders, key=lambda holder: (holder[0], holder[1] or ""))
