"""Events of a booth, valid by default, and a small world: the rules of sales in a shell of dictionaries.

All quantities and prices are made up.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import bson
from bson.codec_options import CodecOptions

from services.sales.domain import Booth, Receipt, Settlement
from services.sales.domain.booth import BoothLot
from services.sales.domain.receipt import Sale, SaleStatus, entity_id
from services.sales.domain.settlement import Percentages
from services.sales.handlers import BOOTH as PROCESSOR
from services.sales.handlers import by_facility
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    CountedLot,
    DisputeOutcome,
    DisputeResolved,
    LotRecounted,
    LotReinstated,
    LotWithdrawn,
    Price,
    PricesChanged,
    ReopeningRequested,
    TillAdded,
    TillStruck,
    VoidOrdered,
)
from shared.events.language import Body, Deadline, DeadlineReached, Event, Publication
from shared.events.sales import (
    SALE_SHARES,
    SALES_DEADLINES,
    BoothCounted,
    CashCounted,
    CashDropped,
    DeviceIntroduced,
    DrawerOpened,
    LotCount,
    Payment,
    PaymentKind,
    PoolAdjusted,
    ProductCount,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    SaleShared,
    TillClosed,
    TillRecord,
    VoidedLine,
)
from shared.runtime.processor import Collection, Document, Processor
from tests.support import reading

ODOP = "ODOP"
B1, B2 = "ODOP.B1", "ODOP.B2"
NOON = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)
DEADLINE = NOON + timedelta(hours=48)
PERCENTAGES = Percentages(60, 25, 15)
MONEY = by_facility(PERCENTAGES)
PRICE = 10_001
_UTC = CodecOptions[Mapping[str, Any]](tz_aware=True, tzinfo=UTC)

B = TypeVar("B", bound=Body)
E = TypeVar("E")


def an_opening(booth: str = B1, **changed: Any) -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=PRICE), Price(product="KUE", price_rupiah=5_000))
    defaults: dict[str, Any] = {"festival": ODOP, "name": "Booth", "prices": prices, "tills": ("T1", "T2")}
    return BoothOpened(**{"booth": booth} | defaults | changed)


def a_stocking(lot: str = "L1", qty: int = 10, booth: str = B1, **changed: Any) -> BoothStocked:
    defaults: dict[str, Any] = {"festival": ODOP, "facility": "LP-A", "product": "KTI", "made_on": date(2023, 4, 1)}
    return BoothStocked(**defaults | {"booth": booth, "lot": lot, "qty": qty} | changed)


def a_recount(qty: int, lot: str = "L1", revision: int = 1, booth: str = B1, **changed: Any) -> LotRecounted:
    """The lot's whole count at the booth."""
    fields: dict[str, Any] = {"festival": ODOP, "facility": "LP-A", "product": "KTI", "made_on": date(2023, 4, 1)}
    return LotRecounted(**fields | {"booth": booth, "lot": lot, "qty": qty, "revision": revision} | changed)


def a_loss(qty: int, lot: str = "L1", booth: str = B1) -> BoothStockLost:
    return BoothStockLost(booth=booth, lot=lot, qty=qty)


def a_move(qty: int, lot: str = "L1", booth: str = B1) -> BoothStockMoved:
    return BoothStockMoved(booth=booth, lot=lot, qty=qty, to=B2)


def a_reinstatement(lot: str = "L1", booth: str = B1) -> LotReinstated:
    return LotReinstated(booth=booth, lot=lot, reason="the wrong lot")


def a_withdrawal(lot: str = "L1", booth: str = B1) -> LotWithdrawn:
    return LotWithdrawn(booth=booth, lot=lot, reason="mould")


def a_closing(booth: str = B1, deadline: datetime = DEADLINE) -> BoothClosing:
    return BoothClosing(booth=booth, festival=ODOP, deadline=deadline)


def a_reopening(booth: str = B1, opening: int = 2, order: str = "o1", **home: int) -> ReopeningRequested:
    counts = tuple(CountedLot(lot=lot, qty=qty) for lot, qty in home.items())
    return ReopeningRequested(booth=booth, festival=ODOP, order=order, opening=opening, home=counts)


def a_word(
    sale: str,
    outcome: DisputeOutcome = DisputeOutcome.ACCEPTED,
    booth: str = B1,
    lot: str | None = None,
    order: str | None = None,
) -> DisputeResolved:
    return DisputeResolved(booth=booth, sale=sale, outcome=outcome, lot=lot, order=order)


def an_order(receipt: str, qty: int = 1, line: int = 1, booth: str = B1) -> VoidOrdered:
    return VoidOrdered(booth=booth, receipt=receipt, line=line, qty=qty)


def a_strike(till: str = "T1", device: str | None = None, branch: int | None = None, booth: str = B1) -> TillStruck:
    return TillStruck(booth=booth, till=till, device=device, branch=branch)


def a_till_more(till: str, booth: str = B1) -> TillAdded:
    return TillAdded(booth=booth, till=till)


def new_prices(revision: int, valid_from: datetime = NOON, booth: str = B1, **prices: int) -> PricesChanged:
    listed = tuple(Price(product=product, price_rupiah=rupiah) for product, rupiah in prices.items())
    return PricesChanged(booth=booth, revision=revision, valid_from=valid_from, prices=listed)


def a_line(lot: str | None = "L1", qty: int = 1, line: int = 1, **changed: Any) -> ReceiptLine:
    defaults: dict[str, Any] = {"product": "KTI", "unit_price_rupiah": PRICE}
    return ReceiptLine(**defaults | {"lot": lot, "qty": qty, "line": line} | changed)


def a_receipt(seq: int = 1, *lines: ReceiptLine, **changed: Any) -> ReceiptIssued:
    defaults: dict[str, Any] = {
        "booth": B1,
        "till": "T1",
        "payment": Payment(kind=PaymentKind.CASH),
        "sold_at": NOON,
        "lines": lines or (a_line(),),
    }
    defaults |= {"seq": seq} | changed
    return ReceiptIssued(**defaults | _place(defaults))


def a_sale(seq: int = 1, lot: str | None = "L1", qty: int = 1, **changed: Any) -> ReceiptIssued:
    """A receipt of one line."""
    names = {"product", "unit_price_rupiah", "price_reason"}
    of_line = {name: value for name, value in changed.items() if name in names}
    return a_receipt(seq, a_line(lot, qty, **of_line), **{k: v for k, v in changed.items() if k not in names})


def a_void(
    receipt: str, seq: int = 2, till: str = "T1", booth: str = B1, qty: int = 1, line: int = 1, **changed: Any
) -> ReceiptVoided:
    lines = (VoidedLine(line=line, qty=qty),)
    defaults = {
        "booth": booth,
        "till": till,
        "seq": seq,
        "receipt": receipt,
        "refund_rupiah": qty * PRICE,
        "voided_at": NOON,
        "lines": lines,
    } | changed
    return ReceiptVoided(**defaults | _place(defaults))


def a_count(
    seq: int = 2,
    till: str = "T1",
    booth: str = B1,
    at: datetime = NOON,
    final: bool = True,
    products: dict[str, int] | None = None,
    **lots: int,
) -> BoothCounted:
    defaults: dict[str, Any] = {"booth": booth, "till": till, "seq": seq, "counted_at": at, "final": final}
    counted = tuple(LotCount(lot=lot, qty=qty) for lot, qty in lots.items())
    by_product = tuple(ProductCount(product=product, qty=qty) for product, qty in (products or {}).items())
    return BoothCounted(**defaults | _place(defaults) | {"lots": counted, "products": by_product})


def a_last_word(seq: int, till: str = "T1", booth: str = B1, **changed: Any) -> TillClosed:
    defaults: dict[str, Any] = {"booth": booth, "till": till, "seq": seq, "last_seq": seq} | changed
    return TillClosed(**defaults | _place(defaults))


def an_introduction(seq: int = 1, till: str = "T1", booth: str = B1, **changed: Any) -> DeviceIntroduced:
    defaults: dict[str, Any] = {"booth": booth, "till": till, "seq": seq, "introduced_at": NOON} | changed
    return DeviceIntroduced(**defaults | _place(defaults))


def a_drawer(seq: int, rupiah: int, cashier: str = "K1", till: str = "T1", **changed: Any) -> DrawerOpened:
    """Opened by a cashier with so much in it. Its record's id is the drawer's."""
    defaults = {"booth": B1, "till": till, "seq": seq, "cashier": cashier, "float_rupiah": rupiah, "opened_at": NOON}
    defaults |= changed
    return DrawerOpened(**defaults | _place(defaults))


def a_drop(seq: int, drawer: str, rupiah: int, till: str = "T1", booth: str = B1) -> CashDropped:
    defaults = {"booth": booth, "till": till, "seq": seq, "drawer": drawer, "rupiah": rupiah, "dropped_at": NOON}
    return CashDropped(**defaults | _place(defaults))


def a_cash_count(
    seq: int, drawer: str, rupiah: int, expected: int, at: datetime = NOON, till: str = "T1", booth: str = B1
) -> CashCounted:
    defaults: dict[str, Any] = {"booth": booth, "till": till, "seq": seq, "drawer": drawer, "counted_at": at}
    return CashCounted(**defaults | _place(defaults) | {"counted_rupiah": rupiah, "expected_rupiah": expected})


def record_id(device: str, seq: int) -> str:
    """The ce_id that a device's record has by default."""
    return f"{device}-{seq}"


def _place(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Device and predecessor, unless they are given: each till is one device, whose records follow each other."""
    device = defaults.get("device", f"{defaults['booth']}-{defaults['till']}")
    previous = record_id(device, defaults["seq"] - 1) if defaults["seq"] > 1 else None
    return {"device": device, "previous": defaults.get("previous", previous)}


class SalesWorld:
    """Both processors, with what goes from booth to facility in a queue per booth that a test empties as it likes.

    An event is worked once, as the ledger has it; entities are kept as the documents that they become.
    """

    def __init__(self) -> None:
        self.published: list[Body] = []
        self.deadlines: dict[str, Deadline] = {}
        self.shares: dict[str, deque[Body]] = defaultdict(deque)
        self.answers: deque[Body] = deque()
        self._documents: dict[type[Any], dict[str, bytes]] = defaultdict(dict)
        self._worked: set[tuple[str, str]] = set()
        self._ids: dict[tuple[str, int], str] = {}
        self._count = 0

    def give(self, *bodies: Body) -> list[Body]:
        """What sales says to these events, one after the other."""
        return [answer for body in bodies for answer in self.tell(body)]

    def tell(self, body: Body, id: str | None = None, source: str = "test", subject: str | None = None) -> list[Body]:
        """The answers of sales to an event of a booth: none if it was worked before. `subject`: the id of the record
        that it stands for, if it is a mended copy."""
        if id is None:
            id = record_id(body.device, body.seq) if isinstance(body, TillRecord) else self._next_id()
        if (source, id) in self._worked:
            return []
        if isinstance(body, TillRecord):
            body = self._linked(body, subject or id)
        self._worked.add((source, id))
        key = next(topic.key_of(body) for topic in PROCESSOR.topics if type(body) in topic.bodies)
        bodies: list[Body] = []
        for output in self._decide(PROCESSOR, Event(id, source, key, NOON, NOON, body, subject)):
            if isinstance(output, Deadline):
                self.deadlines[output.id] = output
                continue
            bodies.append(output.body)
            if output.topic is SALE_SHARES:
                self.shares[key].append(output.body)
        self.published += bodies
        return bodies

    def sell(self, id: str, seq: int = 1, lot: str | None = "L1", qty: int = 1, **changed: Any) -> list[Body]:
        """The sale `id` is reported."""
        body = a_sale(seq, lot, qty, **changed)
        return self.tell(body, id, f"till/{body.booth}/{body.till}")

    def fire(self, booth: str = B1) -> list[Body]:
        """The booth's deadline passes."""
        due = self.deadlines.pop(booth)
        return self.tell(DeadlineReached(key=due.key, deadline=due.id, due=due.due))

    def pass_on(self, booth: str) -> list[Body]:
        """The next word of the booth reaches the facility that it is for."""
        return self.settle_up(self.shares[booth].popleft())

    def pass_all_on(self) -> list[Body]:
        """Every booth's words reach the facilities, booth by booth."""
        return [
            answer
            for booth in sorted(self.shares)
            for _ in range(len(self.shares[booth]))
            for answer in self.pass_on(booth)
        ]

    def hear_all(self) -> list[Body]:
        """Everything between booths and facilities arrives."""
        bodies: list[Body] = []
        while self.answers or any(self.shares.values()):
            bodies += self.pass_all_on()
            while self.answers:
                bodies += self.tell(self.answers.popleft())
        return bodies

    def settle_up(self, body: Body) -> list[Body]:
        event = Event(self._next_id(), "sales", SALE_SHARES.key_of(body), NOON, NOON, body)
        outputs = self._decide(MONEY, event)
        bodies = []
        for output in outputs:
            assert isinstance(output, Publication)
            bodies.append(output.body)
            if output.topic is SALES_DEADLINES:
                self.answers.append(output.body)
        self.published += bodies
        return bodies

    # what is so

    def all(self, entity: type[E]) -> list[E]:
        collection = _collection(entity)
        documents = (bson.decode(raw, _UTC) for _, raw in sorted(self._documents[entity].items()))
        return [collection.from_document(document) for document in documents]

    def booth(self, id: str = B1) -> Booth:
        return next(booth for booth in self.all(Booth) if booth.id == id)

    def lot(self, lot: str = "L1", booth: str = B1) -> BoothLot:
        booth_lot = self.booth(booth).find_lot(lot)
        assert booth_lot is not None
        return booth_lot

    def receipt(self, receipt: str, booth: str = B1) -> Receipt:
        return next(candidate for candidate in self.all(Receipt) if candidate.id == entity_id(booth, receipt))

    def sale(self, receipt: str, booth: str = B1, line: int = 1) -> Sale:
        return self.receipt(receipt, booth).sales[line - 1]

    def status(self, sale: str, booth: str = B1) -> SaleStatus:
        return self.sale(sale, booth).status

    def settlement(self, facility: str = "LP-A") -> Settlement:
        return next(settlement for settlement in self.all(Settlement) if settlement.facility == facility)

    def bodies(self, kind: type[B]) -> list[B]:
        return [body for body in self.published if isinstance(body, kind)]

    def pieces(self, booth: str = B1) -> dict[str, tuple[int, int]]:
        """Pieces sold of each lot: by label, and of the pool."""
        return {lot.lot: (lot.label_qty, lot.pool_qty) for lot in self.booth(booth).lots}

    def earned(self, facility: str, booth: str = B1) -> tuple[int, int]:
        """Pieces and rupiah that the booth told the facility of, in all changes."""
        changes = [*self.bodies(SaleShared), *self.bodies(PoolAdjusted)]
        mine = [change for change in changes if (change.facility, change.booth) == (facility, booth)]
        return sum(change.change_qty for change in mine), sum(change.change_rupiah for change in mine)

    def _linked(self, body: TillRecord, id: str) -> TillRecord:
        """The record, following the one that its device was heard with under the number before, whatever its id."""
        self._ids[body.device, body.seq] = id
        before = self._ids.get((body.device, body.seq - 1))
        if before is None or body.previous != record_id(body.device, body.seq - 1):
            return body
        return body.model_copy(update={"previous": before})

    def _next_id(self) -> str:
        self._count += 1
        return str(UUID(int=self._count))

    def _decide(self, processor: Processor, event: Event) -> list[Publication | Deadline]:
        state, outputs = processor.decide(reading.state(processor, event, self._stored), event)
        # A batch loads what all its events read: what is there besides must not sway the decision.
        everything = {(kind, instance.id): instance for kind in processor.readable for instance in self.all(kind)}
        crowded, again = processor.decide(reading.state(processor, event, self._stored, crowd=everything), event)
        assert again == outputs
        assert crowded.changes == state.changes
        for (kind, id), entity in state.changes.items():
            document = {"_id": id, **_collection(kind).to_document(entity)}
            self._documents[kind][id] = bson.encode(document)
            assert _collection(kind).from_document(bson.decode(self._documents[kind][id], _UTC)) == entity
        return outputs

    def _stored(self, collection: Collection[Any]) -> Mapping[str, Document]:
        return reading.Stored(self._documents[collection.entity])


def _collection(entity: type[E]) -> Collection[Any]:
    return next(c for processor in (PROCESSOR, MONEY) for c in processor.collections if c.entity is entity)


def open_booth(qty: int = 10, **lots: int) -> SalesWorld:
    """A booth that is open and holds `qty` pieces of L1, and of what other `lots` are named, all by LP-A."""
    world = SalesWorld()
    world.give(an_opening(), *[a_stocking(lot, pieces) for lot, pieces in {"L1": qty, **lots}.items() if pieces])
    world.published.clear()
    return world
