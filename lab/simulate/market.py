"""What is sold at one booth, from what the booth holds. Pure: the same seed gives the same sales."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from lab.simulate.device import SimulatedDevice
from lab.simulate.goods import GOODS
from lab.simulate.season import Spoken, new_id
from shared.events.amounts import net_amounts, value
from shared.events.festival import AddTill, OpenBooth, StrikeTill, VoidSale
from shared.events.language import Body
from shared.events.sales import BoothCounted, LotCount, PaymentKind, ProductCount, ReceiptLine, VoidedLine

VOIDED_IN_THOUSAND = 10
UNLABELLED_IN_THOUSAND = 80
OVERSOLD_IN_THOUSAND = 2
MISREAD_IN_THOUSAND = 2
DISCOUNTED_IN_THOUSAND = 40
HAGGLED_IN_THOUSAND = 5
# Pieces that a slip of the finger adds.
TYPED_TOO_MANY = 500
# From this part of the morning on, a device that breaks or vanishes has no network.
_CUT_OFF_AFTER = 0.7


class Trouble(StrEnum):
    """What happens to the second till of a booth. `OFFLINE`: no network until the festival is over. `REPLACED`: the
    device breaks at noon, and what it has not sent comes late. `LOST`: it vanishes at noon with all of that."""

    NONE = "none"
    OFFLINE = "offline"
    REPLACED = "replaced"
    LOST = "lost"


class Counting(StrEnum):
    """How the booth is counted when it closes: each lot by its label, the goods of a product together, or not."""

    BY_LABEL = "by label"
    BY_PRODUCT = "by product"
    NOT = "not"


@dataclass(slots=True)
class Shelf:
    """Pieces of one lot that are still to be sold."""

    lot: str
    product: str
    made_on: date
    left: int


class Price(NamedTuple):
    """Rupiah for a piece by the list of this revision, which is valid from then on (None: from the opening)."""

    revision: int
    rupiah: int
    valid_from: datetime | None = None


class _Issued(NamedTuple):
    """A receipt: its id, how it was paid, the net rupiah of each line."""

    receipt: str
    payment: PaymentKind
    net: Sequence[int]


@dataclass(slots=True)
class Market:
    """The sales of one booth. `unlabelled` in pieces; `lost` are sales that nobody will hear of. `misread`: sales
    whose label was read wrongly, with the right lot; None: nothing was sold."""

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
    _mistyped: list[VoidSale] = field(default_factory=list)
    _shelves: dict[str, list[Shelf]] = field(default_factory=lambda: defaultdict(list))
    _aside: list[Shelf] = field(default_factory=list)
    _prices: dict[str, list[Price]] = field(default_factory=dict)
    _devices: list[SimulatedDevice] = field(default_factory=list)
    _retired: list[SimulatedDevice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._prices = {price.product: [Price(1, price.price_rupiah)] for price in self.booth.prices}
        self._devices = [self._device(till) for till in self.booth.tills]
        self._devices[-1].online = self.trouble is not Trouble.OFFLINE

    def stock(self, lot: str, product: str, made_on: date, qty: int) -> None:
        """The booth received `qty` pieces of the lot."""
        shelves = self._shelves[product]
        known = next((shelf for shelf in shelves if shelf.lot == lot), None)
        if known is not None:
            known.left += qty
            return
        shelves.append(Shelf(lot, product, made_on, qty))
        shelves.sort(key=lambda shelf: (shelf.made_on, shelf.lot))

    def take(self, lot: str, qty: int) -> int:
        """So many pieces of the lot are gone otherwise, or all if there are fewer: how many that is."""
        for shelf in self._all():
            if shelf.lot == lot:
                qty = min(qty, shelf.left)
                shelf.left -= qty
                return qty
        return 0

    def withdraw(self, lot: str) -> None:
        """The lot was recalled: it is sold no more."""
        for shelves in self._shelves.values():
            self._aside += [shelf for shelf in shelves if shelf.lot == lot]
            shelves[:] = [shelf for shelf in shelves if shelf.lot != lot]

    def reprice(self, product: str, rupiah: int, valid_from: datetime) -> None:
        """The product has another price from then on: the next price list."""
        revision = 1 + max(price.revision for prices in self._prices.values() for price in prices)
        self._prices[product].append(Price(revision, rupiah, valid_from))

    @property
    def left(self) -> int:
        """Pieces that can be sold."""
        return sum(shelf.left for shelves in self._shelves.values() for shelf in shelves)

    @property
    def there(self) -> dict[str, int]:
        """Pieces of each lot that are physically at the booth."""
        return {shelf.lot: shelf.left for shelf in self._all()}

    @property
    def held(self) -> list[Spoken]:
        """What devices have recorded without a network, and will send when the festival is over."""
        devices = [*self._retired, *self._devices]
        return [record for device in devices if not device.doomed for record in device.unsent]

    def early(self, product: str, at: datetime) -> list[Spoken]:
        """A sale before the booth is known to hold anything."""
        device = self._devices[0]
        self._issue(device, at, [self._line(device, 1, None, product, 1, at)])
        return device.taken()

    def sell(self, part: float, start: datetime, end: datetime) -> list[Spoken]:
        """Sell `part` of all that is left, spread from `start` to `end`."""
        target = round(self.left * part)
        began, spoken = self.left, list[Spoken]()
        while (sold := began - self.left) < target and self.left:
            at = start + (end - start) * (sold / max(1, target))
            device = self.rng.choice(self._devices)
            if device is self._devices[-1] and sold > _CUT_OFF_AFTER * target:
                self._cut_off(device)
            chance = self.rng.randrange(1000)
            if chance < OVERSOLD_IN_THOUSAND and not device.doomed:
                self._sell_mistyped(device, at)
            elif chance < OVERSOLD_IN_THOUSAND + MISREAD_IN_THOUSAND and not device.doomed:
                self._sell_misread(device, at)
            else:
                self._sell_basket(device, at)
            for one in self._devices:
                spoken += one.taken()
        return spoken

    def fullest(self) -> Shelf:
        """The lot of which most is left."""
        return max((s for shelves in self._shelves.values() for s in shelves), key=lambda s: (s.left, s.lot))

    def sell_withdrawn(self, shelf: Shelf, at: datetime) -> list[Spoken]:
        """A piece of a recalled lot that was sold before the till had heard of it."""
        device = self._devices[0]
        self._issue(device, at, [self._line(device, 1, shelf.lot, shelf.product, 1, at)])
        shelf.left -= 1
        return device.taken()

    def noon(self, at: datetime) -> list[Spoken]:
        """Goods are counted for information, and much money is taken away. A broken device is replaced by one under
        the same name."""
        first, last = self._devices[0], self._devices[-1]
        counted = [LotCount(lot=shelf.lot, qty=shelf.left) for shelf in self._all()]
        first.say(BoothCounted, at, counted_at=at, final=False, lots=tuple(counted))
        for device in self._devices:
            device.drop(at)
        if self.trouble is Trouble.REPLACED:
            self._retired.append(last)
            self._devices[-1] = self._device(last.till)
            self._devices[-1].introduce(at)
        return [record for device in self._devices for record in device.taken()]

    def found_lost(self) -> list[Body]:
        """The organiser's word on a device that vanished: another till sells in its place."""
        if self.trouble is not Trouble.LOST:
            return []
        lost, name = self._devices.pop(), f"T{len(self.booth.tills) + 1}"
        self._retired.append(lost)
        self._devices.append(self._device(name))
        festival, booth = self.booth.festival, self.booth.booth
        return [
            StrikeTill(festival=festival, booth=booth, till=lost.till, device=lost.id, reason="hilang"),
            AddTill(festival=festival, booth=booth, till=name),
        ]

    def mistyped(self) -> list[VoidSale]:
        """Pieces that nobody bought, as the organiser finds them on the receipts since the last time."""
        found, self._mistyped = self._mistyped, []
        return found

    def close(self, at: datetime) -> list[Spoken]:
        """The last words: what is left was counted, drawers too, and each device closes."""
        first = self._devices[0]
        shelves = [shelf for shelf in self._all() if self.counting is not Counting.NOT]
        if self.counting is Counting.BY_PRODUCT:
            left = {product: sum(s.left for s in shelves if s.product == product) for product in self._prices}
            products = tuple(ProductCount(product=product, qty=qty) for product, qty in left.items())
            first.say(BoothCounted, at, counted_at=at, products=products)
        elif shelves:
            lots = tuple(LotCount(lot=shelf.lot, qty=shelf.left) for shelf in shelves)
            first.say(BoothCounted, at, counted_at=at, lots=lots)
        for device in (*self._retired, *self._devices):
            if not device.doomed:
                device.close(at)
        return [record for device in self._devices for record in device.taken()]

    # --- what is sold

    def _sell_basket(self, device: SimulatedDevice, at: datetime) -> None:
        bought: list[tuple[ReceiptLine, Shelf]] = []
        for number in range(1, 1 + self.rng.choices((1, 2, 3), (75, 18, 7))[0]):
            if not self.left:
                break
            shelf = self._choose()
            qty = min(shelf.left, self.rng.choices((1, 2, 3), (75, 18, 7))[0])
            labelled = self.rng.randrange(1000) >= UNLABELLED_IN_THOUSAND
            line = self._line(device, number, shelf.lot if labelled else None, shelf.product, qty, at)
            bought.append((line, shelf))
            self._go(shelf, qty, at)
        issued = self._issue(device, at, [line for line, _ in bought])
        if self.rng.randrange(1000) < VOIDED_IN_THOUSAND * len(bought) and not device.doomed:
            line, shelf = self.rng.choice(bought)
            qty = self.rng.randint(1, line.qty)
            self._void(self.rng.choice([one for one in self._devices if not one.doomed]), at, issued, line, qty)
            shelf.left += qty

    def _sell_mistyped(self, device: SimulatedDevice, at: datetime) -> None:
        """Far too many pieces are typed: the cashier sees it at once, or the organiser later."""
        shelf = self._choose()
        line = self._line(device, 1, shelf.lot, shelf.product, 1 + TYPED_TOO_MANY, at)
        issued = self._issue(device, at, [line])
        self._go(shelf, 1, at)
        if self.rng.random() < 0.5:
            self._void(device, at, issued, line, TYPED_TOO_MANY)
            return
        self._mistyped.append(
            VoidSale(
                festival=self.booth.festival,
                booth=self.booth.booth,
                receipt=issued.receipt,
                line=line.line,
                qty=TYPED_TOO_MANY,
                reason="salah ketik",
            )
        )

    def _sell_misread(self, device: SimulatedDevice, at: datetime) -> None:
        """The label is read wrongly: no such lot is at the booth. Now and then nothing was sold at all."""
        shelf = self._choose()
        line = self._line(device, 1, f"{shelf.lot}-salah", shelf.product, 1, at)
        sale = f"{self._issue(device, at, [line]).receipt}/{line.line}"
        really = self.rng.random() < 0.5
        self.misread[sale] = shelf.lot if really else None
        if really:
            self._go(shelf, 1, at)

    def _issue(self, device: SimulatedDevice, at: datetime, lines: Sequence[ReceiptLine]) -> _Issued:
        gross, discounts = [line.gross_rupiah for line in lines], [line.discount_rupiah for line in lines]
        due = sum(gross) - sum(discounts)
        discount = min(due, 1_000) if self.rng.randrange(1000) < DISCOUNTED_IN_THOUSAND else 0
        [kind] = self.rng.choices((PaymentKind.CASH, PaymentKind.QRIS, PaymentKind.OTHER), (60, 35, 5))
        receipt = device.issue(at, kind, due - discount, lines=tuple(lines), discount_rupiah=discount)
        if device.doomed:
            self.lost += len(lines)
        else:
            self.receipts += 1
            self.sales += len(lines)
            self.unlabelled += sum(line.qty for line in lines if line.lot is None)
        return _Issued(receipt, kind, net_amounts(gross, discounts, discount))

    def _void(self, device: SimulatedDevice, at: datetime, issued: _Issued, line: ReceiptLine, qty: int) -> None:
        net = issued.net[line.line - 1]
        rupiah = net - value(net, line.qty, line.qty - qty)
        lines = (VoidedLine(line=line.line, qty=qty),)
        device.void(at, issued.payment, rupiah, receipt=issued.receipt, lines=lines, reason="batal")

    def _line(
        self, device: SimulatedDevice, number: int, lot: str | None, product: str, qty: int, at: datetime
    ) -> ReceiptLine:
        listed = self._listed(device, product, at)
        haggled = self.rng.randrange(1000) < HAGGLED_IN_THOUSAND
        price = listed * 9 // 10 if haggled else listed
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

    def _listed(self, device: SimulatedDevice, product: str, at: datetime) -> int:
        """Rupiah for a piece by the list that the device knows. One without a network hears of no new list."""
        if device.online:
            known = [price for prices in self._prices.values() for price in prices]
            device.price_list = max(
                price.revision for price in known if price.valid_from is None or price.valid_from <= at
            )
        return [price for price in self._prices[product] if price.revision <= device.price_list][-1].rupiah

    def _go(self, shelf: Shelf, qty: int, at: datetime) -> None:
        shelf.left -= qty
        if not any(one.left for one in self._shelves[shelf.product]):
            self.sold_out.setdefault(shelf.product, at)

    def _choose(self) -> Shelf:
        products = [product for product, shelves in self._shelves.items() if any(s.left for s in shelves)]
        weights = [GOODS[p].liking * sum(s.left for s in self._shelves[p]) ** 0.5 for p in products]
        [product] = self.rng.choices(products, weights)
        return self.rng.choice([shelf for shelf in self._shelves[product] if shelf.left])

    def _all(self) -> Iterator[Shelf]:
        for shelves in self._shelves.values():
            yield from shelves
        yield from self._aside

    def _device(self, till: str) -> SimulatedDevice:
        return SimulatedDevice(self.booth.booth, till, new_id(self.rng), self.rng)

    def _cut_off(self, device: SimulatedDevice) -> None:
        if not self._retired and self.trouble in (Trouble.REPLACED, Trouble.LOST):
            device.online, device.doomed = False, self.trouble is Trouble.LOST


def interleaved(streams: Sequence[Sequence[Spoken]]) -> list[Spoken]:
    """One stream of many, each in its own order, all advancing alike."""
    order = sorted(
        ((n + 1) / (len(stream) + 1), which, n) for which, stream in enumerate(streams) for n in range(len(stream))
    )
    return [streams[which][n] for _, which, n in order]
