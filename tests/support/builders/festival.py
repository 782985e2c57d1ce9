"""Events of a festival, valid by default, and a small world: the festival's rules in a shell of dictionaries, with
inventory's own rules answering as late and in as odd an order as a test likes."""

import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from string import ascii_uppercase
from typing import Any, TypeVar
from uuid import UUID

import bson
from bson.codec_options import CodecOptions

from services.festival.domain import (
    Booth,
    BoothSales,
    Command,
    Festival,
    Replenishment,
    Request,
    Shipment,
    StockView,
    Transfer,
)
from services.festival.domain.allocation.lines import StoredLines
from services.festival.domain.allocation.request import PlanTerms
from services.festival.domain.command import CommandStatus
from services.festival.handlers import FESTIVAL as PROCESSOR
from services.festival.handlers import LOT as VIEW_PROCESSOR
from services.inventory.domain import Lot
from services.inventory.handlers import LOT as INVENTORY_PROCESSOR
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    FESTIVAL_DEADLINES,
    AcceptPlan,
    AnnounceFestival,
    CloseBooth,
    CloseFestival,
    CommandRefusal,
    CountedLot,
    Demand,
    OpenBooth,
    Price,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecountReturn,
    RecountShipment,
    RecountTransfer,
    ReopenBooth,
    RequestAllocation,
    ReviseAllocation,
    SendShipment,
    SendTransfer,
)
from shared.events.inventory import INVENTORY, RESERVATIONS, STOCK_ORDERS, ReservationRequested
from shared.events.language import Body, Deadline, DeadlineReached, Event, Publication
from shared.events.production import LotRecalled, LotRecallLifted, LotRecorded
from shared.events.sales import (
    LotSoFar,
    ProductSoFar,
    SellThroughCounted,
    SellThroughSoFar,
    SoldThrough,
)
from shared.runtime.processor import Collection, Document, Processor
from shared.runtime.state import Ref, State
from tests.support import reading
from tests.support.requests import whole_requests

ODOP = "ODOP"
B1, B2 = "ODOP.B1", "ODOP.B2"
NOON = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)
LAST_DAY = date(2023, 4, 20)

_UTC = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=UTC)

B = TypeVar("B", bound=Body)
E = TypeVar("E")


def product_codes(count: int) -> list[str]:
    """AAA, AAB and so on."""
    letters = itertools.product(ascii_uppercase, repeat=3)
    return ["".join(code) for code in itertools.islice(letters, count)]


def an_announcement(festival: str = ODOP, **changed: Any) -> AnnounceFestival:
    defaults: dict[str, Any] = {
        "festival": festival,
        "name": f"Festival {festival}",
        "place": "Kupang",
        "zone": "Asia/Makassar",
        "first_day": date(2023, 4, 18),
        "last_day": LAST_DAY,
        # Tests run in any year.
        "confirmed": True,
    }
    return AnnounceFestival(**defaults | changed)


def a_booth(booth: str = B1, *products: str, **changed: Any) -> OpenBooth:
    prices = tuple(Price(product=product, price_rupiah=10_000) for product in products or ("KTI", "KRJ", "KUE"))
    defaults: dict[str, Any] = {
        "festival": booth.rpartition(".")[0],
        "booth": booth,
        "name": f"Booth {booth}",
        "prices": prices,
        "tills": (f"{booth}.T1",),
    }
    return OpenBooth(**defaults | changed)


def a_request(*demands: tuple[str, str, int], request: str = "R1", **changed: Any) -> RequestAllocation:
    wishes = tuple(Demand(booth=booth, product=product, qty=qty) for booth, product, qty in demands)
    defaults: dict[str, Any] = {"festival": ODOP, "request": request, "demands": wishes, "consent": True}
    return RequestAllocation(**defaults | changed)


def an_accept(request: str = "R1", festival: str = ODOP) -> AcceptPlan:
    return AcceptPlan(festival=festival, request=request)


def a_shipment(shipment: str = "S1", facility: str = "LP-AAA", booth: str = B1, **changed: Any) -> SendShipment:
    defaults: dict[str, Any] = {"festival": booth.rpartition(".")[0], "request": "R1"}
    return SendShipment(**defaults | {"shipment": shipment, "facility": facility, "booth": booth} | changed)


def a_receipt(shipment: str = "S1", booth: str = B1, *, lose_unnamed: bool = True, **counted: int) -> ReceiveShipment:
    """`counted` by lot; a lot's name may hold `_` for `-`."""
    return ReceiveShipment(
        festival=booth.rpartition(".")[0],
        shipment=shipment,
        booth=booth,
        counted=_counted(counted),
        lose_unnamed=lose_unnamed,
    )


def a_recount(shipment: str = "S1", booth: str = B1, **counted: int) -> RecountShipment:
    """`counted` as in a receipt."""
    festival = booth.rpartition(".")[0]
    return RecountShipment(festival=festival, shipment=shipment, booth=booth, counted=_counted(counted))


def a_transfer_recount(transfer: str = "T1", booth: str = B2, **counted: int) -> RecountTransfer:
    """`counted` as in a receipt."""
    festival = booth.rpartition(".")[0]
    return RecountTransfer(festival=festival, transfer=transfer, booth=booth, counted=_counted(counted))


def a_return_recount(lot: str, qty: int, booth: str = B1) -> RecountReturn:
    return RecountReturn(festival=booth.rpartition(".")[0], booth=booth, lot=lot, qty=qty)


def a_transfer(transfer: str = "T1", booth: str = B1, to: str = B2, **lots: int) -> SendTransfer:
    """`lots` as in a receipt."""
    festival, counted = booth.rpartition(".")[0], _counted(lots)
    return SendTransfer(festival=festival, transfer=transfer, booth=booth, to=to, lots=counted)


def an_arrival(
    transfer: str = "T1", booth: str = B2, *, lose_unnamed: bool = True, **counted: int
) -> ReceiveTransfer:
    """`counted` as in a receipt."""
    return ReceiveTransfer(
        festival=booth.rpartition(".")[0],
        transfer=transfer,
        booth=booth,
        counted=_counted(counted),
        lose_unnamed=lose_unnamed,
    )


def a_report(
    booth: str = B1, revision: int = 1, hours: Iterable[tuple[str, int, int]] = (), **sold: int
) -> SellThroughSoFar:
    """`hours`: product, clock hour and pieces; `sold` as in a receipt."""
    by_product: dict[str, dict[int, int]] = defaultdict(dict)
    for product, hour, qty in hours:
        by_product[product][hour] = qty
    return SellThroughSoFar(
        festival=booth.rpartition(".")[0],
        booth=booth,
        at=NOON,
        revision=revision,
        lots=tuple(LotSoFar(lot=lot.replace("_", "-"), sold=qty) for lot, qty in sold.items()),
        products=tuple(
            ProductSoFar(product=product, hours=tuple(of), sold=tuple(of.values()), minutes=(60,) * len(of))
            for product, of in by_product.items()
        ),
    )


def _counted(lots: Mapping[str, int]) -> tuple[CountedLot, ...]:
    return tuple(CountedLot(lot=lot.replace("_", "-"), qty=qty) for lot, qty in lots.items())


def a_return(lot: str, qty: int, booth: str = B1, *, final: bool = True) -> ReceiveReturn:
    return ReceiveReturn(festival=booth.rpartition(".")[0], booth=booth, lot=lot, qty=qty, final=final)


def a_revision(*without: str, request: str = "R1", festival: str = ODOP, **changed: Any) -> ReviseAllocation:
    return ReviseAllocation(**{"festival": festival, "request": request, "without": without} | changed)


def a_booth_closing(booth: str = B1, **changed: Any) -> CloseBooth:
    return CloseBooth(**{"festival": booth.rpartition(".")[0], "booth": booth} | changed)


def a_reopening(booth: str = B1) -> ReopenBooth:
    return ReopenBooth(festival=booth.rpartition(".")[0], booth=booth)


def a_closing(festival: str = ODOP, **changed: Any) -> CloseFestival:
    return CloseFestival(**{"festival": festival} | changed)


def a_sell_through(
    booth: str = B1,
    revision: int = 1,
    disputed: tuple[str, ...] = (),
    seen: Mapping[str, tuple[int, int]] | None = None,
    **sold: int,
) -> Body:
    """`sold` as in a receipt; `seen`: pieces by lot that were counted, and those unexplained."""
    counts = seen or {}
    lots = tuple(
        SoldThrough(
            lot=lot.replace("_", "-"),
            stocked=qty,
            sold=qty,
            lost=0,
            unsold=0,
            counted=counts[lot][0] if lot in counts else None,
            unexplained=counts[lot][1] if lot in counts else 0,
        )
        for lot, qty in sold.items()
    )
    return SellThroughCounted(
        festival=booth.rpartition(".")[0], booth=booth, revision=revision, lots=lots, disputed=disputed
    )


class FestivalWorld:
    """Festivals and inventory, with everything between them in queues that a test empties as it likes.

    Answers and balances of one lot keep their order, as their lane does; those of different lots have none.
    """

    def __init__(self) -> None:
        self.now = NOON
        self.lots: dict[str, Lot] = {}
        self.published: list[Body] = []
        self.deadlines: dict[str, Deadline] = {}
        self.wishes: deque[Body] = deque()
        self.asked_of_sales: deque[Body] = deque()
        self.orders: dict[str, deque[Body]] = defaultdict(deque)
        self.answers: dict[str, deque[Body]] = defaultdict(deque)
        self.balances: dict[str, deque[Body]] = defaultdict(deque)
        self._documents: dict[type[Any], dict[str, bytes]] = defaultdict(dict)
        # Each document as the store reads it back, so that a look at the world decodes none of them again.
        self._entities: dict[type[Any], dict[str, Any]] = defaultdict(dict)
        self._count = 0

    # what happens

    def give(self, body: Body, id: str | None = None) -> list[Body]:
        """What festival says to an event: a command, an answer, a report, a deadline."""
        key = next(topic.key_of(body) for topic in PROCESSOR.topics if type(body) in topic.bodies)
        event = Event(id or self.next_id(), "test", key, self.now, self.now, body)
        outputs = self._decide(PROCESSOR, event)
        bodies: list[Body] = []
        for output in outputs:
            if isinstance(output, Deadline):
                self.deadlines[output.id] = output
                continue
            bodies.append(output.body)
            if output.topic is STOCK_ORDERS:
                self.orders[STOCK_ORDERS.key_of(output.body)].append(output.body)
            else:
                assert output.topic in (FESTIVAL, BOOTH_STOCK, FESTIVAL_DEADLINES)
            if output.topic is FESTIVAL_DEADLINES:
                self.wishes.append(output.body)
            if output.topic is BOOTH_STOCK and getattr(output.body, "order", None) is not None:
                self.asked_of_sales.append(output.body)
        self.published += bodies
        return bodies

    def make(self, lot: str, qty: int, facility: str = "LP-AAA", product: str = "KTI", **changed: Any) -> None:
        """A new lot, known to inventory and seen by festival."""
        defaults: dict[str, Any] = {"category": "tenun", "made_on": date(2023, 4, 1), "best_before": None}
        made = LotRecorded(**defaults | {"lot": lot, "facility": facility, "product": product, "qty": qty} | changed)
        self.tell_inventory(lot, made)
        self.see(lot)

    def take(self, lot: str, qty: int, festival: str = "OTHER") -> None:
        """Somebody else reserves pieces; festival's view does not know yet."""
        id = f"{festival}/x.{self.next_id()}"
        order = ReservationRequested(
            lot=lot, reservation=id, festival=festival, booth=f"{festival}.B", request="x", qty=qty
        )
        self.tell_inventory(lot, order)

    def recall(self, lot: str) -> None:
        self.tell_inventory(lot, LotRecalled(lot=lot, facility=self.lots[lot].facility, reason="mould"))

    def lift_recall(self, lot: str) -> None:
        lifted = LotRecallLifted(lot=lot, facility=self.lots[lot].facility, reason="the wrong lot")
        self.tell_inventory(lot, lifted)

    def tell_inventory(self, lot: str, body: Body) -> None:
        lot_before = self.lots.get(lot)
        state = State.of(lot_before) if lot_before else State.of(absent=(Ref(Lot, lot),))
        state, outputs = INVENTORY_PROCESSOR.decide(
            state, Event(self.next_id(), "test", lot, self.now, self.now, body)
        )
        after = state.get(Lot, lot)
        assert after is not None
        self.lots[lot] = after
        for output in outputs:
            assert isinstance(output, Publication)
            queue = self.balances if output.topic is INVENTORY else self.answers
            if output.topic is INVENTORY or output.topic is RESERVATIONS:
                queue[lot].append(output.body)

    def carry_out(self, lot: str) -> None:
        """Inventory works the next order for the lot."""
        self.tell_inventory(lot, self.orders[lot].popleft())

    def hear(self, lot: str) -> list[Body]:
        """Festival takes inventory's next answer about the lot."""
        answer = self.answers[lot].popleft()
        if RESERVATIONS.key_of(answer) == "OTHER":
            return []
        return self.give(answer)

    def see(self, lot: str) -> None:
        """Festival's view takes in all balances of the lot."""
        while self.balances[lot]:
            body = self.balances[lot].popleft()
            assert not self._decide(VIEW_PROCESSOR, Event(self.next_id(), "test", lot, self.now, self.now, body))

    def hear_itself(self) -> list[Body]:
        """Festival takes the next of what it told itself."""
        return self.give(self.wishes.popleft())

    def fire(self, deadline: str) -> list[Body]:
        due = self.deadlines.pop(deadline)
        self.now = max(self.now, due.due)
        return self.give(DeadlineReached(key=due.key, deadline=due.id, due=due.due))

    def settle(self) -> None:
        """Everything on its way arrives, in the order of lots."""
        while any(self.orders.values()) or any(self.answers.values()) or self.wishes:
            while self.wishes:
                self.hear_itself()
            for lot in sorted(self.lots):
                while self.orders[lot]:
                    self.carry_out(lot)
                while self.answers[lot]:
                    self.hear(lot)
        for lot in sorted(self.lots):
            self.see(lot)

    # what is so

    def all(self, entity: type[E]) -> list[E]:
        if entity is Request:
            parts = (self._entities[kind].values() for kind in (Request, PlanTerms, StoredLines))
            return whole_requests(*parts)  # type: ignore[return-value]
        return [instance for _, instance in sorted(self._entities[entity].items())]

    def one(self, entity: type[E], id: str) -> E:
        return next(instance for instance in self.all(entity) if instance.id == id)  # type: ignore[attr-defined]

    def request(self, name: str = "R1", festival: str = ODOP) -> Request:
        return self.one(Request, f"{festival}/{name}")

    def refusal(self, body: Body) -> tuple[str, CommandRefusal]:
        """Field and reason with which festival refuses this command, having changed nothing but its fate."""
        before = self._snapshot()
        id = self.next_id()
        bodies = self.give(body, id)
        assert [type(answer).__name__ for answer in bodies] == ["CommandRefused"], bodies
        assert self._snapshot() == before
        command = self.one(Command, id)
        assert command.outcome is CommandStatus.REFUSED
        assert command.wrong is not None
        assert command.wrong.message
        return command.wrong.field, command.wrong.reason

    def bodies(self, kind: type[B]) -> list[B]:
        return [body for body in self.published if isinstance(body, kind)]

    def next_id(self) -> str:
        self._count += 1
        return str(UUID(int=self._count))

    def _snapshot(self) -> dict[type[Any], dict[str, bytes]]:
        of_requests = (Request, PlanTerms, StoredLines)
        kinds = (Booth, BoothSales, Festival, Replenishment, *of_requests, Shipment, StockView, Transfer)
        return {kind: dict(self._documents[kind]) for kind in kinds}

    def _decide(self, processor: Processor, event: Event) -> list[Publication | Deadline]:
        state, outputs = processor.decide(reading.state(processor, event, self._stored), event)
        # A batch loads what all its events read: what is there besides must not sway the decision.
        everything = {
            (kind, id): instance for kind in processor.readable for id, instance in self._entities[kind].items()
        }
        crowded, again = processor.decide(reading.state(processor, event, self._stored, crowd=everything), event)
        assert again == outputs
        assert crowded.changes == state.changes
        for (kind, id), entity in state.changes.items():
            collection = _collection(kind)
            raw = bson.encode({"_id": id, **collection.to_document(entity)})
            read_back = collection.from_document(_read(raw))
            assert read_back == entity
            self._documents[kind][id] = raw
            self._entities[kind][id] = read_back
        return outputs

    def _stored(self, collection: Collection[Any]) -> Mapping[str, Document]:
        return reading.Stored(self._documents[collection.entity])


def _collection(entity: type[Any]) -> Collection[Any]:
    return PROCESSOR.readable[entity]


def _read(raw: bytes) -> dict[str, Any]:
    return bson.decode(raw, _UTC)


def a_world(*bodies: Body) -> FestivalWorld:
    """A festival with two booths, and what else is given to it."""
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1), a_booth(B2), *bodies):
        world.give(body)
    return world


def kinds(bodies: Iterable[Body]) -> list[str]:
    return [type(body).__name__ for body in bodies]
