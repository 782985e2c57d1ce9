"""The tills of a chaos run: each sells, voids and counts, whatever happens, and keeps every record in its spool."""

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
from lab.chaos.tally import Tally
from lab.chaos.ticker import Ticker
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

# Made up: rupiah, and the probability of each action.
PRICE = 5_000
FLOAT_RUPIAH = 200_000
SOLD_UNSEEN = 0.02  # with no stock known
UNLABELLED = 0.1
VOIDED = 0.02
VOIDED_TOO_MUCH = 0.001  # more pieces than the line has
COUNTED = 0.004
DROPPED = 0.004
MISTYPED = 0.0005
MISREAD = 0.002
TYPED_PIECES = 9_999
REMEMBERED = 500


class Voidable(NamedTuple):
    """A line of a receipt that nobody has voided yet: its pieces and their net rupiah."""

    receipt: str
    line: int
    qty: int
    net_rupiah: int


@dataclass(slots=True)
class SharedBooth:
    """State that the tills of a booth share.

    `voidable`: lines that any of them may void. `to_void`: lines that the organiser is to void. `misread`: sales
    whose label was read wrongly, with the right lot. `stocked`: the products of all lots that came, by lot.
    """

    festival: str
    products: Sequence[str]
    tills: int
    voidable: deque[Voidable] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    to_void: list[Voidable] = field(default_factory=list)
    misread: dict[str, str] = field(default_factory=dict)
    stocked: dict[str, str] = field(default_factory=dict)

    def misread_pieces(self, lot: str) -> int:
        """Pieces of the lot's product that were sold under a wrong label. They are gone, although festival may still
        count them as left."""
        product = self.stocked.get(lot)
        return sum(1 for right_lot in self.misread.values() if self.stocked[right_lot] == product)


@dataclass(eq=False)
class TillAgent:
    """One device at a booth. It sells the stock that it knows of, now and then more, now and then without a label.

    `stop_selling` ends its selling. `stop_syncing` ends its syncing once no record waits. While it is `offline` it
    does not sync. A `detached` agent does not share its receipts, so that nobody voids them.
    """

    till: Till
    shared: SharedBooth
    rng: random.Random
    tally: Tally
    stop_selling: asyncio.Event = field(default_factory=asyncio.Event)
    stop_syncing: asyncio.Event = field(default_factory=asyncio.Event)
    offline: bool = False
    detached: bool = False
    _left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _products: dict[str, str] = field(default_factory=dict)
    _prices: dict[str, int] = field(default_factory=dict)
    _price_list: int = 0
    _applied_events: int = 0
    _drawer: str | None = None
    _cash_rupiah: int = 0
    _mistyped: Voidable | None = None

    @property
    def selling(self) -> bool:
        return not self.stop_selling.is_set()

    @property
    def known_to_sales(self) -> bool:
        """Whether it has received an event by which sales names this device."""
        bodies = (event.body for event in self.till.spool.received(SALES))
        return any(isinstance(body, DeviceHeard) and body.device == self.till.spool.device for body in bodies)

    async def work(self, rate: float) -> None:
        """Record `rate` times a second until `stop_selling` is set."""
        ticker = Ticker(rate)
        while self.selling:
            await ticker.tick(self.rng)
            self.record()

    def record(self) -> None:
        """Write one record at random, if the spool accepts it; none while there is nothing to sell."""
        try:
            self._record()
        except SpoolFailed:
            self.tally.refused_by_spool += 1

    async def close(self, *, count: bool) -> None:
        """Write the closing records, as soon as the spool accepts them; `count`: a count of the goods among them."""
        at = datetime.now(UTC)
        steps: list[Callable[[], object]] = []
        if (drawer := self._drawer) is not None:
            steps.append(lambda: self._close_drawer(at, drawer))
        if count:
            steps.append(lambda: self._count(at, final=True))
        steps.append(lambda: self._append(at, lambda place: TillClosed(**place, last_seq=place["seq"])))
        for step in steps:
            async for _ in attempts():
                try:
                    step()
                    break
                except SpoolFailed:
                    self.tally.refused_by_spool += 1

    def introduce(self) -> None:
        """Write the device's first record."""
        at = datetime.now(UTC)
        self._append(at, lambda place: DeviceIntroduced(**place, introduced_at=at))

    def copy(self, folder: Path, rng: random.Random) -> "TillAgent":
        """Another agent that goes on from a copy of this device's spool, as it is now."""
        path = owner(folder, self.till.booth, self.till.name).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.till.spool.save(path)
        other = TillAgent(Till(folder, self.till.booth, self.till.name), self.shared, rng, self.tally)
        other._drawer, other._cash_rupiah = self._drawer, self._cash_rupiah
        return other

    def apply_events(self) -> None:
        """Apply the booth's events that came since the last call: prices, stock, withdrawals."""
        events = self.till.spool.received(BOOTH_STOCK)
        for event in events[self._applied_events :]:
            match event.body:
                case BoothOpened() as body:
                    self._price_list = max(self._price_list, 1)
                    self._prices = {price.product: price.price_rupiah for price in body.prices} | self._prices
                case PricesChanged() as body:
                    self._price_list = body.revision
                    self._prices |= {price.product: price.price_rupiah for price in body.prices}
                case BoothStocked() as body:
                    # The tills of a booth divide its stock between them.
                    self._left[body.lot] += body.qty // self.shared.tills
                    self._products[body.lot] = body.product
                    self.shared.stocked[body.lot] = body.product
                case LotWithdrawn() as body:
                    self._left.pop(body.lot, None)
        self._applied_events = len(events)

    # --- one record each

    def _record(self) -> None:
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
        record = self._append(
            at, lambda place: DrawerOpened(**place, cashier=cashier, float_rupiah=FLOAT_RUPIAH, opened_at=at)
        )
        self._drawer, self._cash_rupiah = record.id, FLOAT_RUPIAH

    def _drop(self, at: datetime, drawer: str) -> None:
        rupiah = self.rng.randint(1, 50_000)
        self._append(at, lambda place: CashDropped(**place, drawer=drawer, rupiah=rupiah, dropped_at=at))
        self._cash_rupiah -= rupiah

    def _close_drawer(self, at: datetime, drawer: str) -> None:
        expected, counted = self._cash_rupiah, max(0, self._cash_rupiah + self.rng.choice((0, 0, 500, -2_000)))
        self._append(
            at,
            lambda place: CashCounted(
                **place, drawer=drawer, counted_rupiah=counted, expected_rupiah=expected, counted_at=at
            ),
        )
        self._drawer = None

    def _count(self, at: datetime, *, final: bool) -> None:
        """Count some of the lots, with errors as in a crowd."""
        lots = self.rng.sample(sorted(self._left), min(len(self._left), self.rng.randint(0, 20)))
        counts = tuple(
            LotCount(lot=lot, qty=max(0, self._left[lot] * self.shared.tills - self.rng.randint(0, 9)))
            for lot in lots
        )
        products: tuple[ProductCount, ...] = ()
        if self.rng.random() < 0.3:
            products = (ProductCount(product=self.rng.choice(self.shared.products), qty=self.rng.randint(0, 50)),)
        self._append(
            at, lambda place: BoothCounted(**place, counted_at=at, final=final, lots=counts, products=products)
        )

    def _void(self, at: datetime) -> None:
        """Void some pieces of any receipt of the booth, now and then more than were sold."""
        if not self.shared.voidable:
            return
        index = self.rng.randrange(len(self.shared.voidable))
        line = self.shared.voidable[index]
        too_much = self.rng.random() < VOIDED_TOO_MUCH / VOIDED
        qty = line.qty + 1 if too_much else self.rng.randint(1, line.qty)
        self._append_void(at, line, qty)
        if not too_much:
            del self.shared.voidable[index]

    def _undo(self, at: datetime, mistyped: Voidable) -> None:
        """Void the mistyped pieces, or leave that to the organiser."""
        if self.rng.random() < 0.5:
            self._append_void(at, mistyped, mistyped.qty - 1)
        else:
            self.shared.to_void.append(mistyped._replace(qty=mistyped.qty - 1))
        self._mistyped = None

    def _append_void(self, at: datetime, line: Voidable, qty: int) -> None:
        refund = self.rng.choice((PaymentKind.CASH, PaymentKind.QRIS))
        rupiah = line.net_rupiah - value(line.net_rupiah, line.qty, max(0, line.qty - qty))
        self._append(
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
        lots = [lot for lot, pieces in self._left.items() if pieces > 0]
        if not lots and self.rng.random() > SOLD_UNSEEN:
            return
        if lots and self.rng.random() < MISTYPED:
            self._sell_mistyped(at, self.rng.choice(lots))
            return
        if self.shared.stocked and self.rng.random() < MISREAD:
            self._sell_misread(at)
            return
        lines: list[ReceiptLine] = []
        sold: dict[str, int] = {}
        for number in range(1, 1 + self.rng.choice((1, 1, 1, 2, 3))):
            lot = self.rng.choice(lots) if lots else None
            product = self._products[lot] if lot is not None else self.rng.choice(self.shared.products)
            qty = self.rng.choice((1, 1, 1, 2, 3))
            if lot is not None:
                sold[lot] = sold.get(lot, 0) + qty
            label = lot if self.rng.random() > UNLABELLED else None
            lines.append(self._line(number, label, product, qty))
        discount = self.rng.choice((0,) * 9 + (500,))
        _, voidable = self._append_receipt(at, lines, discount)
        for lot, qty in sold.items():
            self._left[lot] -= qty
        if not self.detached:
            self.shared.voidable += voidable

    def _sell_mistyped(self, at: datetime, lot: str) -> None:
        line = self._line(1, lot, self._products[lot], TYPED_PIECES)
        _, [voidable] = self._append_receipt(at, [line], 0)
        if not self.detached:
            self._mistyped = voidable

    def _sell_misread(self, at: datetime) -> None:
        lot = self.rng.choice(sorted(self.shared.stocked))
        record, _ = self._append_receipt(at, [self._line(1, f"{lot}-X", self.shared.stocked[lot], 1)], 0)
        if not self.detached:
            self.shared.misread[f"{record.id}/1"] = lot

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

    def _append_receipt(
        self, at: datetime, lines: Sequence[ReceiptLine], discount: int
    ) -> tuple[SpooledRecord, list[Voidable]]:
        kind = self.rng.choice((PaymentKind.CASH, PaymentKind.CASH, PaymentKind.QRIS))
        due = sum(line.gross_rupiah - line.discount_rupiah for line in lines) - discount
        paid = (
            Payment(kind=kind, given_rupiah=due, change_rupiah=0) if kind is PaymentKind.CASH else Payment(kind=kind)
        )
        record = self._append(
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
        assert isinstance(record.body, ReceiptIssued), "it was just recorded"
        if kind is PaymentKind.CASH:
            self._cash_rupiah += due
        nets = zip(lines, record.body.net_rupiah, strict=True)
        return record, [Voidable(record.id, line.line, line.qty, net) for line, net in nets]

    def _append(self, at: datetime, write: Callable[[dict[str, Any]], Body]) -> SpooledRecord:
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

        record = self.till.spool.append(body, at)
        self.tally.recorded += 1
        return record
