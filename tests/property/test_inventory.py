"""Inventory under any orders: every lot adds up, and behaves as the sequential model of a lot does."""

from collections import defaultdict
from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from services.inventory.domain import Lot
from services.inventory.domain.lot import ReservationStatus
from services.inventory.handlers import PROCESSORS
from shared import envelope
from shared.errors import Unusable
from shared.events.inventory import (
    RESERVATIONS,
    STOCK_ORDERS,
    DispatchOrdered,
    LossRecorded,
    ReleaseRequested,
    ReservationRequested,
    ReturnReceived,
)
from shared.events.language import Body, Event
from shared.events.production import (
    LOT_ANSWERS,
    PRODUCTION,
    CorrectionRequested,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    WithdrawalRequested,
)
from tests.support.examples import examples
from tests.support.history.answers import answer_of
from tests.support.history.spec import Answer, Kind, Order, Stock, step
from tests.support.invariants.inventory import check_lots, check_publications
from tests.support.machine import Machine, which
from tests.support.shell import ServiceShell

FACILITY = "LP-KPG"
LOTS = ("L0", "L1")
lots = st.sampled_from(LOTS)
pieces = st.integers(1, 9)
orders = st.builds(
    Order,
    st.sampled_from([Kind.RESERVE, Kind.RESERVE, Kind.RELEASE, Kind.DISPATCH, Kind.RETURN, Kind.LOSE]),
    st.sampled_from("abcd"),
    pieces,
)


class InventoryMachine(Machine):
    """Production's events keep their order per lot, festival's orders theirs; between them there is none."""

    def setup(self) -> None:
        self.inventory = ServiceShell(self.kafka, PROCESSORS)
        self.services = [self.inventory]

    @initialize(qty=st.integers(1, 30), early=st.lists(st.tuples(lots, orders), max_size=3))
    def two_lots(self, qty: int, early: list[tuple[str, Order]]) -> None:
        self.festival_orders(early)
        for lot in LOTS:
            # Production numbers a lot once; its outbox may say so twice, with one id.
            body = LotRecorded(
                lot=lot, facility=FACILITY, product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 1)
            )
            self.kafka.say(PRODUCTION, body)

    @rule(changes=st.lists(st.tuples(lots, st.integers(-9, 9)), min_size=1, max_size=3))
    def production_corrects(self, changes: list[tuple[str, int]]) -> None:
        for lot, change in changes:
            id = self.kafka.next_id()
            body = CorrectionRequested(lot=lot, facility=FACILITY, correction=id, change=change)
            self.kafka.say(PRODUCTION, body, id=id)

    @rule(lot=lots, n=which)
    def production_recalls(self, lot: str, n: int) -> None:
        if n < 6:
            self.kafka.say(PRODUCTION, LotRecalled(lot=lot, facility=FACILITY, reason="made up"))
        elif n < 9:
            self.kafka.say(PRODUCTION, LotRecallLifted(lot=lot, facility=FACILITY, reason="made up"))

    @rule(lot=lots, n=which)
    def production_withdraws(self, lot: str, n: int) -> None:
        if n < 3:
            id = self.kafka.next_id()
            self.kafka.say(PRODUCTION, WithdrawalRequested(lot=lot, facility=FACILITY, withdrawal=id), id=id)

    @rule(pairs=st.lists(st.tuples(lots, orders), min_size=1, max_size=8))
    def festival_orders(self, pairs: list[tuple[str, Order]]) -> None:
        for lot, order in pairs:
            id = self.kafka.next_id()
            self.kafka.say(STOCK_ORDERS, body_of(lot, order, id), id=id)

    def check(self) -> None:
        check_lots(self.inventory)

    def check_at_rest(self) -> None:
        check_publications(self.inventory)
        if not self.had_bugs:
            self.check_against_the_model()

    def check_against_the_model(self) -> None:
        """Each lot's orders, in the order in which its lane worked them, have the model's answers and its end."""
        answers = answers_by_cause(self.inventory)
        stocks: dict[str, Stock] = {}
        for event in self.inventory.worked_in_order(self.inventory.lines[0]):
            body = event.body
            if isinstance(body, LotRecorded):
                stocks[body.lot] = Stock(body.qty)
            elif event.key in stocks:
                order = order_of(event)
                stocks[event.key], answer = step(stocks[event.key], order)
                assert answers.get(event.id) == answer, order
        for lot in self.inventory.all(Lot):
            stock = stocks[lot.id]
            held = frozenset((r.id, r.qty) for r in lot.reservations if r.status is ReservationStatus.HELD)
            sent = frozenset((r.id, r.qty) for r in lot.reservations if r.status is ReservationStatus.DISPATCHED)
            assert (lot.on_hand, held, sent) == (stock.on_hand, stock.held, stock.sent)
            assert (lot.returned, lot.recalled) == (stock.returned, stock.recalled)
            assert lot.withdrawn == stock.withdrawn


def answers_by_cause(inventory: ServiceShell) -> dict[str, Answer]:
    """What inventory answered, by the id of the order."""
    published: dict[str, list[Event]] = defaultdict(list)
    ids: set[str] = set()
    for topic in (RESERVATIONS, LOT_ANSWERS):
        for record in inventory.kafka.records(topic.name):
            try:
                event = envelope.decode(topic, record)
            except Unusable:
                continue
            if event.id not in ids and event.source == "karya/inventory":
                ids.add(event.id)
                published[envelope.header(record.headers, "causationid") or ""].append(event)
    return {cause: answer_of([event.body for event in events]) for cause, events in published.items()}


def body_of(lot: str, order: Order, id: str) -> Body:
    """The event that asks festival's order of a lot; the lot is part of a reservation's name."""
    reservation = f"F1/q-{lot}.{order.reservation}"
    match order.kind:
        case Kind.RESERVE:
            return ReservationRequested(
                lot=lot, reservation=reservation, festival="F1", booth="F1.B1", request=f"q-{lot}", qty=order.qty
            )
        case Kind.RELEASE:
            return ReleaseRequested(lot=lot, reservation=reservation, festival="F1")
        case Kind.DISPATCH:
            return DispatchOrdered(lot=lot, reservation=reservation, festival="F1", shipment="S1")
        case Kind.RETURN:
            return ReturnReceived(lot=lot, order=id, festival="F1", booth="F1.B1", qty=order.qty)
        case Kind.LOSE:
            return LossRecorded(lot=lot, order=id, festival="F1", qty=order.qty)
        case other:
            raise ValueError(f"festival can't order {other}")


def order_of(event: Event) -> Order:
    match event.body:
        case CorrectionRequested() as body:
            return Order(Kind.CORRECT, qty=body.change)
        case LotRecalled():
            return Order(Kind.RECALL)
        case LotRecallLifted():
            return Order(Kind.LIFT)
        case WithdrawalRequested():
            return Order(Kind.WITHDRAW)
        case ReservationRequested() as body:
            return Order(Kind.RESERVE, body.reservation, body.qty)
        case ReleaseRequested() as body:
            return Order(Kind.RELEASE, body.reservation)
        case DispatchOrdered() as body:
            return Order(Kind.DISPATCH, body.reservation)
        case ReturnReceived() as body:
            return Order(Kind.RETURN, qty=body.qty)
        case LossRecorded() as body:
            return Order(Kind.LOSE, qty=body.qty)
        case other:
            raise TypeError(type(other).__name__)


TestInventory = InventoryMachine.TestCase
TestInventory.settings = examples(120)
