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

from services.sales.domain import Booth, Sale, Settlement
from services.sales.domain.booth import BoothLot
from services.sales.domain.sale import SaleStatus, entity_id
from services.sales.domain.settlement import Percentages
from services.sales.handlers import BOOTH as FAMILY
from services.sales.handlers import facility
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    DisputeOutcome,
    DisputeResolved,
    LotWithdrawn,
    Price,
)
from shared.events.language import Body, Deadline, DeadlineReached, Event, Publication
from shared.events.sales import (
    SALE_SHARES,
    BoothCounted,
    LotCount,
    SaleReported,
    SaleVoided,
    TillClosed,
)
from shared.family import Collection, Family
from shared.state import Hint, Key, State

ODOP = "ODOP"
B1, B2 = "ODOP.B1", "ODOP.B2"
NOON = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)
DEADLINE = NOON + timedelta(hours=48)
PERCENTAGES = Percentages(60, 25, 15)
MONEY = facility(PERCENTAGES)
PRICE = 10_001
_UTC = CodecOptions[Mapping[str, Any]](tz_aware=True, tzinfo=UTC)

B = TypeVar("B", bound=Body)
E = TypeVar("E")


def an_opening(booth: str = B1, **changed: Any) -> BoothOpened:
    prices = (Price(product="KTI", price_rupiah=PRICE), Price(product="KUE", price_rupiah=5_000))
    given: dict[str, Any] = {"festival": ODOP, "name": "Booth", "prices": prices, "tills": ("T1", "T2")}
    return BoothOpened(**{"booth": booth} | given | changed)


def a_stocking(lot: str = "L1", qty: int = 10, booth: str = B1, **changed: Any) -> BoothStocked:
    given: dict[str, Any] = {"festival": ODOP, "facility": "LP-A", "product": "KTI", "made_on": date(2023, 4, 1)}
    return BoothStocked(**given | {"booth": booth, "lot": lot, "qty": qty} | changed)


def a_loss(qty: int, lot: str = "L1", booth: str = B1) -> BoothStockLost:
    return BoothStockLost(booth=booth, lot=lot, qty=qty)


def a_move(qty: int, lot: str = "L1", booth: str = B1) -> BoothStockMoved:
    return BoothStockMoved(booth=booth, lot=lot, qty=qty, to=B2)


def a_withdrawal(lot: str = "L1", booth: str = B1) -> LotWithdrawn:
    return LotWithdrawn(booth=booth, lot=lot, reason="mould")


def a_closing(booth: str = B1, deadline: datetime = DEADLINE) -> BoothClosing:
    return BoothClosing(booth=booth, festival=ODOP, deadline=deadline)


def a_word(sale: str, outcome: DisputeOutcome = DisputeOutcome.ACCEPTED, booth: str = B1) -> DisputeResolved:
    return DisputeResolved(booth=booth, sale=sale, outcome=outcome)


def a_sale(seq: int = 1, lot: str | None = "L1", qty: int = 1, **changed: Any) -> SaleReported:
    given: dict[str, Any] = {"booth": B1, "till": "T1", "product": "KTI", "unit_price_rupiah": PRICE, "sold_at": NOON}
    return SaleReported(**given | {"seq": seq, "lot": lot, "qty": qty} | changed)


def a_void(sale: str, seq: int = 2, till: str = "T1", booth: str = B1) -> SaleVoided:
    return SaleVoided(booth=booth, till=till, seq=seq, sale=sale, voided_at=NOON)


def a_count(seq: int = 2, till: str = "T1", booth: str = B1, **lots: int) -> BoothCounted:
    counted = tuple(LotCount(lot=lot, qty=qty) for lot, qty in lots.items())
    return BoothCounted(booth=booth, till=till, seq=seq, lots=counted)


def a_last_word(seq: int, till: str = "T1", booth: str = B1) -> TillClosed:
    return TillClosed(booth=booth, till=till, seq=seq, last_seq=seq)


class World:
    """Both families, with what goes from booth to facility in a queue per booth that a test empties as it likes.

    An event is worked once, as the ledger has it; entities are kept as the documents that they become.
    """

    def __init__(self) -> None:
        self.said: list[Body] = []
        self.deadlines: dict[str, Deadline] = {}
        self.shares: dict[str, deque[Body]] = defaultdict(deque)
        self._documents: dict[type[Any], dict[str, bytes]] = defaultdict(dict)
        self._worked: set[tuple[str, str]] = set()
        self._count = 0

    def give(self, *bodies: Body) -> list[Body]:
        """What sales says to these events, one after the other."""
        return [said for body in bodies for said in self.tell(body)]

    def tell(self, body: Body, id: str | None = None, source: str = "test") -> list[Body]:
        """What sales says to an event of a booth: nothing if it was worked before."""
        id = id or self._next_id()
        if (source, id) in self._worked:
            return []
        self._worked.add((source, id))
        key = next(topic.key_of(body) for topic in FAMILY.topics if type(body) in topic.bodies)
        said: list[Body] = []
        for output in self._decide(FAMILY, Event(id, source, key, NOON, NOON, body)):
            if isinstance(output, Deadline):
                self.deadlines[output.id] = output
                continue
            said.append(output.body)
            if output.topic is SALE_SHARES:
                self.shares[key].append(output.body)
        self.said += said
        return said

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
            said
            for booth in sorted(self.shares)
            for _ in range(len(self.shares[booth]))
            for said in self.pass_on(booth)
        ]

    def settle_up(self, body: Body) -> list[Body]:
        event = Event(self._next_id(), "sales", SALE_SHARES.key_of(body), NOON, NOON, body)
        outputs = self._decide(MONEY, event)
        said = [output.body for output in outputs if isinstance(output, Publication)]
        assert len(said) == len(outputs)
        self.said += said
        return said

    # what is so

    def all(self, entity: type[E]) -> list[E]:
        collection = _collection(entity)
        documents = (bson.decode(raw, _UTC) for _, raw in sorted(self._documents[entity].items()))
        return [collection.from_document(document) for document in documents]

    def booth(self, id: str = B1) -> Booth:
        return next(booth for booth in self.all(Booth) if booth.id == id)

    def lot(self, lot: str = "L1", booth: str = B1) -> BoothLot:
        found = self.booth(booth).holds(lot)
        assert found is not None
        return found

    def sale(self, sale: str, booth: str = B1) -> Sale:
        return next(one for one in self.all(Sale) if one.id == entity_id(booth, sale))

    def status(self, sale: str, booth: str = B1) -> SaleStatus:
        return self.sale(sale, booth).status

    def settlement(self, facility: str = "LP-A") -> Settlement:
        return next(one for one in self.all(Settlement) if one.facility == facility)

    def heard(self, kind: type[B]) -> list[B]:
        return [body for body in self.said if isinstance(body, kind)]

    def _next_id(self) -> str:
        self._count += 1
        return str(UUID(int=self._count))

    def _decide(self, family: Family, event: Event) -> list[Publication | Deadline]:
        touched = self._touched(family, event)
        state, outputs = family.decide(State(touched), event)
        # A batch loads what all its events touch: what is there besides must not sway the decision.
        everything = {(c.entity, entity.id): entity for c in family.collections for entity in self.all(c.entity)}
        crowded, again = family.decide(State({**touched, **everything}), event)
        assert again == outputs
        assert crowded.changes == state.changes
        for (kind, id), entity in state.changes.items():
            document = {"_id": id, **_collection(kind).to_document(entity)}
            self._documents[kind][id] = bson.encode(document)
            assert _collection(kind).from_document(bson.decode(self._documents[kind][id], _UTC)) == entity
        return outputs

    def _touched(self, family: Family, event: Event) -> dict[Key, Any]:
        found: dict[Key, Any] = {}
        for one in family.touches(event):
            documents = self._documents[one.entity]
            collection = _collection(one.entity)
            if isinstance(one, Hint):
                for id, raw in documents.items():
                    document = bson.decode(raw, _UTC)
                    if document[one.field] == one.value:
                        found[one.entity, id] = collection.from_document(document)
            elif one.id in documents:
                found[one.entity, one.id] = collection.from_document(bson.decode(documents[one.id], _UTC))
            else:
                found.setdefault((one.entity, one.id), None)
        return found


def _collection(entity: type[E]) -> Collection[Any]:
    return next(c for family in (FAMILY, MONEY) for c in family.collections if c.entity is entity)


def open_booth(qty: int = 10, **lots: int) -> World:
    """A booth that is open and holds `qty` pieces of L1, and of what other `lots` are named, all by LP-A."""
    world = World()
    world.give(an_opening(), *[a_stocking(lot, pieces) for lot, pieces in {"L1": qty, **lots}.items() if pieces])
    world.said.clear()
    return world
