"""The tills of a chaos run: each sells, voids and counts, whatever happens, and keeps all of it in its spool."""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from edge.spool import RecordPlace, SpooledRecord
from edge.till.till import Till, owner
from lab.chaos.pace import Pace, Tally
from shared.errors import SpoolFailed
from shared.events.amounts import value
from shared.events.festival import BOOTH_STOCK, BoothOpened, BoothStocked, LotWithdrawn, PricesChanged
from shared.events.language import Body
from shared.events.sales import (
    SALES,
    BoothCounted,
    CashCounted,
    CashDropped,
    DeviceHeard,
    DeviceIntroduced,
    DrawerOpened,
    LotCount,
    Payment,
    PaymentKind,
    ProductCount,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from shared.retry import attempts

# All made up: rupiah, and how often something is done.
PRICE = 5_000
FLOAT_RUPIAH = 200_000
SOLD_UNSEEN = 0.02  # with nothing on the shelves
UNLABELLED = 0.1
VOIDED = 0.02
VOIDED_TOO_MUCH = 0.001  # more pieces than were sold
COUNTED = 0.004
DROPPED = 0.004
MISTYPED = 0.0005
MISREAD = 0.002
TYPED_PIECES = 9_999
REMEMBERED = 500


class Voidable(NamedTuple):
    """A line of a receipt that nobody has voided yet: pieces, and their net rupiah."""

    receipt: str
    line: int
    qty: int
    net_rupiah: int


@dataclass(slots=True)
class Stand:
    """What the people of a booth share. `voidable`: by any of its tills. `to_void`: what the organiser is to void.
    `misread`: sales whose label was read wrongly, with the right lot. `seen`: lots that are known to have come."""

    festival: str
    products: Sequence[str]
    tills: int
    voidable: deque[Voidable] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    to_void: list[Voidable] = field(default_factory=list)
    misread: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def misread_of(self, lot: str) -> int:
        """Pieces of the lot's product that were sold under a wrong label: they are not there, though the books may
        not tell that yet."""
        product = self.seen.get(lot)
        return sum(1 for right in self.misread.values() if self.seen[right] == product)


@dataclass(eq=False)
class TillAgent:
    """One device at a booth: it sells what it has heard of, now and then more, now and then without a label.

    `over` ends its selling, `closed` its sending once nothing waits. While it is `offline` it sends nothing. An agent
    that is `alone` keeps its receipts from its stand, so that nobody voids them or answers for them.
    """

    till: Till
    stand: Stand
    rng: random.Random
    tally: Tally
    over: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    offline: bool = False
    alone: bool = False
    _left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _products: dict[str, str] = field(default_factory=dict)
    _prices: dict[str, int] = field(default_factory=dict)
    _price_list: int = 0
    _heard: int = 0
    _drawer: str | None = None
    _cash_rupiah: int = 0
    _mistyped: Voidable | None = None

    @property
    def selling(self) -> bool:
        return not self.over.is_set()

    @property
    def known(self) -> bool:
        """Whether it has heard that sales knows of it."""
        heard = (one.body for one in self.till.spool.received(SALES))
        return any(isinstance(body, DeviceHeard) and body.device == self.till.spool.device for body in heard)

    async def work(self, rate: float) -> None:
        """Sell until it is over."""
        pace = Pace(rate)
        while self.selling:
            await pace.tick(self.rng)
            self.act()

    def act(self) -> None:
        """One record, if the spool takes it; none while there is nothing to sell."""
        try:
            self._act()
        except SpoolFailed:
            self.tally.refused_by_spool += 1

    async def close(self, *, count: bool) -> None:
        """The last words of the device, as soon as its spool takes them; with the goods' `count` or without."""
        at = datetime.now(UTC)
        words: list[Callable[[], object]] = []
        if (drawer := self._drawer) is not None:
            words.append(lambda: self._close_drawer(at, drawer))
        if count:
            words.append(lambda: self._count(at, final=True))
        words.append(lambda: self._say(at, lambda place: TillClosed(**place, last_seq=place["seq"])))
        for word in words:
            async for _ in attempts():
                try:
                    word()
                    break
                except SpoolFailed:
                    self.tally.refused_by_spool += 1

    def introduce(self) -> None:
        """The device is there, and has recorded nothing else yet."""
        at = datetime.now(UTC)
        self._say(at, lambda place: DeviceIntroduced(**place, introduced_at=at))

    def restored(self, folder: Path, rng: random.Random) -> "TillAgent":
        """Somebody goes on from a copy of this device's spool, as it is now, while this one goes on too."""
        copy = owner(folder, self.till.booth, self.till.name).path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        self.till.spool.save(copy)
        other = TillAgent(Till(folder, self.till.booth, self.till.name), self.stand, rng, self.tally)
        other._drawer, other._cash_rupiah = self._drawer, self._cash_rupiah
        return other

    def listen(self) -> None:
        """Take note of what was heard of the booth since the last time."""
        heard = self.till.spool.received(BOOTH_STOCK)
        for one in heard[self._heard :]:
            match one.body:
                case BoothOpened() as body:
                    self._price_list = max(self._price_list, 1)
                    self._prices = {price.product: price.price_rupiah for price in body.prices} | self._prices
                case PricesChanged() as body:
                    self._price_list = body.revision
                    self._prices |= {price.product: price.price_rupiah for price in body.prices}
                case BoothStocked() as body:
                    # Its part of it: the others have the rest.
                    self._left[body.lot] += body.qty // self.stand.tills
                    self._products[body.lot] = body.product
                    self.stand.seen[body.lot] = body.product
                case LotWithdrawn() as body:
                    self._left.pop(body.lot, None)
        self._heard = len(heard)

    # --- one record each

    def _act(self) -> None:
        at, chance = datetime.now(UTC), self.rng.random()
        if self._drawer is None:
            self._open_drawer(at)
        elif self._mistyped is not None:
            self._undo(at, self._mistyped)
        elif chance < VOIDED:
            self._void(at)
        elif chance < VOIDED + COUNTED:
            self._count(at, final=self.rng.random() < 0.5)
        elif chance < VOIDED + COUNTED + DROPPED:
            self._drop(at, self._drawer)
        else:
            self._sell(at)

    def _open_drawer(self, at: datetime) -> None:
        cashier = f"K{self.rng.randint(1, 40):02}"
        said = self._say(
            at, lambda place: DrawerOpened(**place, cashier=cashier, float_rupiah=FLOAT_RUPIAH, opened_at=at)
        )
        self._drawer, self._cash_rupiah = said.id, FLOAT_RUPIAH

    def _drop(self, at: datetime, drawer: str) -> None:
        rupiah = self.rng.randint(1, 50_000)
        self._say(at, lambda place: CashDropped(**place, drawer=drawer, rupiah=rupiah, dropped_at=at))
        self._cash_rupiah -= rupiah

    def _close_drawer(self, at: datetime, drawer: str) -> None:
        expected, counted = self._cash_rupiah, max(0, self._cash_rupiah + self.rng.choice((0, 0, 500, -2_000)))
        self._say(
            at,
            lambda place: CashCounted(
                **place, drawer=drawer, counted_rupiah=counted, expected_rupiah=expected, counted_at=at
            ),
        )
        self._drawer = None

    def _count(self, at: datetime, *, final: bool) -> None:
        """Somebody counts some of the lots, as well as it can be done in a crowd."""
        lots = self.rng.sample(sorted(self._left), min(len(self._left), self.rng.randint(0, 20)))
        counts = tuple(
            LotCount(lot=lot, qty=max(0, self._left[lot] * self.stand.tills - self.rng.randint(0, 9))) for lot in lots
        )
        products: tuple[ProductCount, ...] = ()
        if self.rng.random() < 0.3:
            products = (ProductCount(product=self.rng.choice(self.stand.products), qty=self.rng.randint(0, 50)),)
        self._say(at, lambda place: BoothCounted(**place, counted_at=at, final=final, lots=counts, products=products))

    def _void(self, at: datetime) -> None:
        """Some pieces of any receipt of the booth come back; now and then more than were sold."""
        if not self.stand.voidable:
            return
        place = self.rng.randrange(len(self.stand.voidable))
        line = self.stand.voidable[place]
        too_much = self.rng.random() < VOIDED_TOO_MUCH / VOIDED
        qty = line.qty + 1 if too_much else self.rng.randint(1, line.qty)
        self._say_void(at, line, qty)
        if not too_much:
            del self.stand.voidable[place]

    def _undo(self, at: datetime, mistyped: Voidable) -> None:
        """The cashier sees that far too many pieces were typed, or leaves it to the organiser."""
        if self.rng.random() < 0.5:
            self._say_void(at, mistyped, mistyped.qty - 1)
        else:
            self.stand.to_void.append(mistyped._replace(qty=mistyped.qty - 1))
        self._mistyped = None

    def _say_void(self, at: datetime, line: Voidable, qty: int) -> None:
        refund = self.rng.choice((PaymentKind.CASH, PaymentKind.QRIS))
        rupiah = line.net_rupiah - value(line.net_rupiah, line.qty, max(0, line.qty - qty))
        self._say(
            at,
            lambda place: ReceiptVoided(
                **place,
                receipt=line.receipt,
                lines=(VoidedLine(line=line.line, qty=qty),),
                refund=refund,
                refund_rupiah=rupiah,
                drawer=self._drawer,
                voided_at=at,
            ),
        )
        if refund is PaymentKind.CASH:
            self._cash_rupiah -= rupiah

    def _sell(self, at: datetime) -> None:
        lots = [lot for lot, left in self._left.items() if left > 0]
        if not lots and self.rng.random() > SOLD_UNSEEN:
            return
        if lots and self.rng.random() < MISTYPED:
            self._sell_mistyped(at, self.rng.choice(lots))
            return
        if self.stand.seen and self.rng.random() < MISREAD:
            self._sell_misread(at)
            return
        lines, taken = [], dict[str, int]()
        for number in range(1, 1 + self.rng.choice((1, 1, 1, 2, 3))):
            lot = self.rng.choice(lots) if lots else None
            product = self._products[lot] if lot is not None else self.rng.choice(self.stand.products)
            qty = self.rng.choice((1, 1, 1, 2, 3))
            if lot is not None:
                taken[lot] = taken.get(lot, 0) + qty
            label = lot if self.rng.random() > UNLABELLED else None
            lines.append(self._line(number, label, product, qty))
        discount = self.rng.choice((0,) * 9 + (500,))
        _, voidable = self._say_receipt(at, lines, discount)
        for lot, qty in taken.items():
            self._left[lot] -= qty
        if not self.alone:
            self.stand.voidable += voidable

    def _sell_mistyped(self, at: datetime, lot: str) -> None:
        line = self._line(1, lot, self._products[lot], TYPED_PIECES)
        _, [sold] = self._say_receipt(at, [line], 0)
        if not self.alone:
            self._mistyped = sold

    def _sell_misread(self, at: datetime) -> None:
        lot = self.rng.choice(sorted(self.stand.seen))
        said, _ = self._say_receipt(at, [self._line(1, f"{lot}-X", self.stand.seen[lot], 1)], 0)
        if not self.alone:
            self.stand.misread[f"{said.id}/1"] = lot

    def _line(self, number: int, lot: str | None, product: str, qty: int) -> ReceiptLine:
        price = self._prices.get(product, PRICE)
        haggled = self.rng.random() < 0.01
        return ReceiptLine(
            line=number,
            lot=lot,
            product=product,
            qty=qty,
            unit_price_rupiah=price - 333 if haggled else price,
            discount_rupiah=self.rng.choice((0,) * 9 + (101,)),
            price_reason="made up" if haggled else "",
        )

    def _say_receipt(
        self, at: datetime, lines: Sequence[ReceiptLine], discount: int
    ) -> tuple[SpooledRecord, list[Voidable]]:
        kind = self.rng.choice((PaymentKind.CASH, PaymentKind.CASH, PaymentKind.QRIS))
        due = sum(line.gross_rupiah - line.discount_rupiah for line in lines) - discount
        paid = (
            Payment(kind=kind, given_rupiah=due, change_rupiah=0) if kind is PaymentKind.CASH else Payment(kind=kind)
        )
        said = self._say(
            at,
            lambda place: ReceiptIssued(
                **place,
                lines=tuple(lines),
                discount_rupiah=discount,
                payment=paid,
                drawer=self._drawer,
                price_list=self._price_list,
                sold_at=at,
            ),
        )
        assert isinstance(said.body, ReceiptIssued), "it was just said"
        if kind is PaymentKind.CASH:
            self._cash_rupiah += due
        nets = zip(lines, said.body.net_rupiah, strict=True)
        return said, [Voidable(said.id, line.line, line.qty, net) for line, net in nets]

    def _say(self, at: datetime, write: Callable[[dict[str, Any]], Body]) -> SpooledRecord:
        def body(place: RecordPlace) -> Body:
            return write(
                {
                    "booth": self.till.booth,
                    "till": self.till.name,
                    "device": place.device,
                    "seq": place.number,
                    "previous": place.previous,
                }
            )

        said = self.till.spool.append(body, at)
        self.tally.recorded += 1
        return said
