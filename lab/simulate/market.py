"""The records of one booth's tills, from the booth's stock. Pure: the same seed gives the same sales."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from lab.simulate.device import SimulatedDevice
from lab.simulate.prices import PriceLists
from lab.simulate.records import GeneratedRecord, new_id
from lab.simulate.shelves import ShelfLot, Shelves
from shared.events.amounts import net_amounts, value
from shared.events.festival import AddTill, OpenBooth, StrikeTill, VoidSale
from shared.events.language import Body
from shared.events.sales import BoothCounted, LotCount, PaymentKind, ProductCount, ReceiptLine, VoidedLine

VOIDED_IN_THOUSAND = 10
UNLABELLED_IN_THOUSAND = 80
MISTYPED_IN_THOUSAND = 2
MISREAD_IN_THOUSAND = 2
DISCOUNTED_IN_THOUSAND = 40
HAGGLED_IN_THOUSAND = 5
# Pieces that a typing error adds.
MISTYPED_PIECES = 500
# From this part of the morning on, a device that breaks or vanishes has no network.
_OFFLINE_AFTER = 0.7


class Trouble(StrEnum):
    """The trouble of a booth's second till. `OFFLINE`: no network until the festival is over. `REPLACED`: the
    device breaks at noon and sends its unsent records late. `LOST`: it vanishes at noon with its unsent records."""

    NONE = "none"
    OFFLINE = "offline"
    REPLACED = "replaced"
    LOST = "lost"


class Counting(StrEnum):
    """How the booth is counted when it closes: each lot by its label, the goods of a product together, or not."""

    BY_LABEL = "by label"
    BY_PRODUCT = "by product"
    NOT = "not"


class _IssuedReceipt(NamedTuple):
    """A receipt: its id, how it was paid, the net rupiah of each line."""

    id: str
    payment: PaymentKind
    net: Sequence[int]


@dataclass(slots=True)
class Market:
    """The sales of one booth.

    `unlabelled` counts pieces. `lost` counts sales that vanish with a device. `misread` maps a sale whose label was
    read wrongly to the right lot, or to None if nothing was sold. `opening`: how often the booth opened.
    """

    booth: OpenBooth
    rng: random.Random
    trouble: Trouble = Trouble.NONE
    counting: Counting = Counting.BY_LABEL
    receipts: int = 0
    sales: int = 0
    unlabelled: int = 0
    lost: int = 0
    sold_out: dict[str, datetime] = field(default_factory=dict)
    misread: dict[str, str | None] = field(default_factory=dict)
    opening: int = 1
    _prices: PriceLists = field(init=False)
    _devices: list[SimulatedDevice] = field(init=False)
    _retired: list[SimulatedDevice] = field(default_factory=list)
    _shelves: Shelves = field(default_factory=Shelves)
    _unvoided: list[VoidSale] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._prices = PriceLists(self.booth.prices)
        self._devices = [self._new_device(till) for till in self.booth.tills]
        self._devices[-1].online = self.trouble is not Trouble.OFFLINE

    # --- the booth's stock and prices

    def stock(self, lot: str, product: str, made_on: date, qty: int) -> None:
        """The booth received `qty` pieces of the lot."""
        self._shelves.add(lot, product, made_on, qty)

    def remove(self, lot: str, qty: int) -> int:
        """Remove up to `qty` pieces of the lot without a sale. Returns how many were removed."""
        return self._shelves.remove(lot, qty)

    def withdraw(self, lot: str) -> None:
        """The lot was recalled: it is no longer sold."""
        self._shelves.withdraw(lot)

    def reprice(self, product: str, rupiah: int, valid_from: datetime) -> None:
        """Publish the next price list: the product has another price from `valid_from` on."""
        self._prices.change(product, rupiah, valid_from)

    def largest_lot(self) -> ShelfLot:
        """The sellable lot with the most pieces."""
        return self._shelves.largest()

    @property
    def sellable(self) -> int:
        """Pieces that can be sold."""
        return self._shelves.sellable

    @property
    def physical_stock(self) -> dict[str, int]:
        """Pieces of each lot that are physically at the booth."""
        return {shelf_lot.lot: shelf_lot.qty for shelf_lot in self._shelves}

    # --- the day of the booth

    def sell_before_stock(self, product: str, at: datetime) -> list[GeneratedRecord]:
        """A sale before sales knows that the booth holds anything."""
        device = self._devices[0]
        self._issue(device, at, [self._line(device, 1, None, product, 1, at)])
        return device.drain()

    def sell(self, part: float, start: datetime, end: datetime) -> list[GeneratedRecord]:
        """Sell `part` of the sellable pieces, spread from `start` to `end`."""
        before = self.sellable
        target = round(before * part)
        records: list[GeneratedRecord] = []
        while (sold := before - self.sellable) < target and self.sellable:
            at = start + (end - start) * (sold / max(1, target))
            device = self.rng.choice(self._devices)
            if device is self._devices[-1] and sold > _OFFLINE_AFTER * target:
                self._cut_off(device)
            chance = self.rng.randrange(1000)
            if chance < MISTYPED_IN_THOUSAND and not device.doomed:
                self._sell_mistyped(device, at)
            elif chance < MISTYPED_IN_THOUSAND + MISREAD_IN_THOUSAND and not device.doomed:
                self._sell_misread(device, at)
            else:
                self._sell_basket(device, at)
            records += self._drain()
        return records

    def sell_withdrawn(self, shelf_lot: ShelfLot, at: datetime) -> list[GeneratedRecord]:
        """A piece of a recalled lot, sold before the till received the recall."""
        device = self._devices[0]
        self._issue(device, at, [self._line(device, 1, shelf_lot.lot, shelf_lot.product, 1, at)])
        shelf_lot.qty -= 1
        return device.drain()

    def pause_at_noon(self, at: datetime) -> list[GeneratedRecord]:
        """An interim count, and cash taken to a safe place. A broken device is replaced under the same name."""
        first, last = self._devices[0], self._devices[-1]
        first.record(BoothCounted, at, counted_at=at, final=False, lots=_lot_counts(self._shelves))
        for device in self._devices:
            device.drop(at)
        if self.trouble is Trouble.REPLACED:
            self._retired.append(last)
            self._devices[-1] = self._new_device(last.till)
            self._devices[-1].introduce(at)
        return self._drain()

    def replace_lost_device(self) -> list[Body]:
        """The organiser's commands after a device vanished: strike it, and add another till in its place."""
        if self.trouble is not Trouble.LOST:
            return []
        lost, till = self._devices.pop(), f"T{len(self.booth.tills) + 1}"
        self._retired.append(lost)
        self._devices.append(self._new_device(till))
        festival, booth = self.booth.festival, self.booth.booth
        return [
            StrikeTill(festival=festival, booth=booth, till=lost.till, device=lost.id, reason="hilang"),
            AddTill(festival=festival, booth=booth, till=till),
        ]

    def void_mistyped(self) -> list[VoidSale]:
        """The organiser's voids of mistyped pieces since the last call."""
        voids, self._unvoided = self._unvoided, []
        return voids

    def close(self, at: datetime) -> list[GeneratedRecord]:
        """The final count of goods and drawers, and each device's last record."""
        first = self._devices[0]
        shelf_lots = [] if self.counting is Counting.NOT else list(self._shelves)
        if self.counting is Counting.BY_PRODUCT:
            products = tuple(
                ProductCount(product=product, qty=sum(lot.qty for lot in shelf_lots if lot.product == product))
                for product in self._prices.products
            )
            first.record(BoothCounted, at, counted_at=at, products=products)
        elif shelf_lots:
            first.record(BoothCounted, at, counted_at=at, lots=_lot_counts(shelf_lots))
        for device in (*self._retired, *self._devices):
            if not device.doomed:
                device.close(at, self.opening)
        return self._drain()

    @property
    def late_records(self) -> list[GeneratedRecord]:
        """Records of devices without a network, which they send when the festival is over."""
        devices = [*self._retired, *self._devices]
        return [record for device in devices if not device.doomed for record in device.unsent]

    @property
    def lost_records(self) -> dict[str, list[GeneratedRecord]]:
        """What nobody ever reads of devices that vanished, by device."""
        return {device.id: device.unsent for device in self._retired if device.doomed}

    # --- one sale

    def _sell_basket(self, device: SimulatedDevice, at: datetime) -> None:
        basket: list[tuple[ReceiptLine, ShelfLot]] = []
        for number in range(1, 1 + self.rng.choices((1, 2, 3), (75, 18, 7))[0]):
            if not self.sellable:
                break
            shelf_lot = self._shelves.choose(self.rng)
            qty = min(shelf_lot.qty, self.rng.choices((1, 2, 3), (75, 18, 7))[0])
            labelled = self.rng.randrange(1000) >= UNLABELLED_IN_THOUSAND
            line = self._line(device, number, shelf_lot.lot if labelled else None, shelf_lot.product, qty, at)
            basket.append((line, shelf_lot))
            self._hand_over(shelf_lot, qty, at)
        receipt = self._issue(device, at, [line for line, _ in basket])
        if self.rng.randrange(1000) < VOIDED_IN_THOUSAND * len(basket) and not device.doomed:
            line, shelf_lot = self.rng.choice(basket)
            qty = self.rng.randint(1, line.qty)
            voider = self.rng.choice([device for device in self._devices if not device.doomed])
            self._void(voider, at, receipt, line, qty)
            shelf_lot.qty += qty

    def _sell_mistyped(self, device: SimulatedDevice, at: datetime) -> None:
        """Far too many pieces are typed. The cashier voids them at once, or the organiser does later."""
        shelf_lot = self._shelves.choose(self.rng)
        line = self._line(device, 1, shelf_lot.lot, shelf_lot.product, 1 + MISTYPED_PIECES, at)
        receipt = self._issue(device, at, [line])
        self._hand_over(shelf_lot, 1, at)
        if self.rng.random() < 0.5:
            self._void(device, at, receipt, line, MISTYPED_PIECES)
            return
        self._unvoided.append(
            VoidSale(
                festival=self.booth.festival,
                booth=self.booth.booth,
                receipt=receipt.id,
                line=line.line,
                qty=MISTYPED_PIECES,
                reason="salah ketik",
            )
        )

    def _sell_misread(self, device: SimulatedDevice, at: datetime) -> None:
        """A sale of a lot that is not at the booth: its label was read wrongly. Half of them sold nothing at all."""
        shelf_lot = self._shelves.choose(self.rng)
        line = self._line(device, 1, f"{shelf_lot.lot}-salah", shelf_lot.product, 1, at)
        sale = f"{self._issue(device, at, [line]).id}/{line.line}"
        sold = self.rng.random() < 0.5
        self.misread[sale] = shelf_lot.lot if sold else None
        if sold:
            self._hand_over(shelf_lot, 1, at)

    def _issue(self, device: SimulatedDevice, at: datetime, lines: Sequence[ReceiptLine]) -> _IssuedReceipt:
        gross, discounts = [line.gross_rupiah for line in lines], [line.discount_rupiah for line in lines]
        due = sum(gross) - sum(discounts)
        discount = min(due, 1_000) if self.rng.randrange(1000) < DISCOUNTED_IN_THOUSAND else 0
        [kind] = self.rng.choices((PaymentKind.CASH, PaymentKind.QRIS, PaymentKind.OTHER), (60, 35, 5))
        id = device.issue(at, kind, due - discount, lines=tuple(lines), discount_rupiah=discount)
        if device.doomed:
            self.lost += len(lines)
        else:
            self.receipts += 1
            self.sales += len(lines)
            self.unlabelled += sum(line.qty for line in lines if line.lot is None)
        return _IssuedReceipt(id, kind, net_amounts(gross, discounts, discount))

    def _void(
        self, device: SimulatedDevice, at: datetime, receipt: _IssuedReceipt, line: ReceiptLine, qty: int
    ) -> None:
        net = receipt.net[line.line - 1]
        rupiah = net - value(net, line.qty, line.qty - qty)
        lines = (VoidedLine(line=line.line, qty=qty),)
        device.void(at, receipt.payment, rupiah, receipt=receipt.id, lines=lines, reason="batal")

    def _line(
        self, device: SimulatedDevice, number: int, lot: str | None, product: str, qty: int, at: datetime
    ) -> ReceiptLine:
        if device.online:
            # A device without a network receives no new price list.
            device.price_list = self._prices.current_revision(at)
        list_price = self._prices.price(product, device.price_list)
        haggled = self.rng.randrange(1000) < HAGGLED_IN_THOUSAND
        price = list_price * 9 // 10 if haggled else list_price
        discounted = self.rng.randrange(1000) < DISCOUNTED_IN_THOUSAND
        return ReceiptLine(
            line=number,
            lot=lot,
            product=product,
            qty=qty,
            unit_price_rupiah=price,
            discount_rupiah=qty * price // 1000 * 100 if discounted else 0,
            price_reason="cacat kecil" if haggled else "",
        )

    def _hand_over(self, shelf_lot: ShelfLot, qty: int, at: datetime) -> None:
        shelf_lot.qty -= qty
        if not self._shelves.sellable_of(shelf_lot.product):
            self.sold_out.setdefault(shelf_lot.product, at)

    # --- devices

    def _new_device(self, till: str) -> SimulatedDevice:
        return SimulatedDevice(self.booth.booth, till, new_id(self.rng), self.rng)

    def _cut_off(self, device: SimulatedDevice) -> None:
        if not self._retired and self.trouble in (Trouble.REPLACED, Trouble.LOST):
            device.online, device.doomed = False, self.trouble is Trouble.LOST

    def _drain(self) -> list[GeneratedRecord]:
        return [record for device in self._devices for record in device.drain()]


def _lot_counts(shelf_lots: Iterable[ShelfLot]) -> tuple[LotCount, ...]:
    return tuple(LotCount(lot=shelf_lot.lot, qty=shelf_lot.qty) for shelf_lot in shelf_lots)
