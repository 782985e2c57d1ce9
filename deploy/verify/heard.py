"""What the topics said, cut down while they are read to what the checks ask for.

Bodies that services wrote are read as plain JSON: they were checked against their models when they were made, and
a look at everything has to be quick.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json

from shared.events.language import Id

Json: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = tuple[str, str]
K = TypeVar("K")

# What anyone may see. Said here once more, so that a field which slips into the model is found out.
PUBLIC = frozenset({"sale", "facility", "festival", "product", "lot", "qty", "amount_rupiah", "sold_at"})


@dataclass(frozen=True, slots=True)
class Told:
    """A sale as a till told it."""

    id: str
    source: str
    booth: Id
    till: Id
    qty: int
    amount_rupiah: int


@dataclass(slots=True)
class Sum:
    """Pieces and rupiah."""

    qty: int = 0
    rupiah: int = 0

    def add(self, qty: int, rupiah: int, sign: int = 1) -> None:
        self.qty += sign * qty
        self.rupiah += sign * rupiah


@dataclass(slots=True)
class Heard:
    """By topic. `said` counts answers: by the event's name, then by reservation, or by (booth, sale)."""

    balances: dict[str, Json] = field(default_factory=dict)
    said: dict[str, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    answers: Counter[str] = field(default_factory=Counter)
    told: list[Told] = field(default_factory=list)
    voided: set[Pair] = field(default_factory=set)
    sell_through: dict[str, Json] = field(default_factory=dict)
    so_far: dict[str, Json] = field(default_factory=dict)
    shares: dict[Pair, Sum] = field(default_factory=lambda: defaultdict(Sum))
    settlements: dict[Pair, Json] = field(default_factory=dict)
    demand: dict[Pair, Json] = field(default_factory=dict)
    public: dict[Pair, Sum] = field(default_factory=lambda: defaultdict(Sum))
    public_sales: Counter[str] = field(default_factory=Counter)
    too_public: list[str] = field(default_factory=list)

    def hear(self, type: str, event_id: str, value: bytes) -> None:
        """One event, each once: `type` without its version, `event_id` as `<source> <id>`."""
        hearing = _HEARING.get(type)
        if hearing is not None:
            hearing(self, type, event_id, from_json(value))

    def _balance(self, _type: str, _id: str, body: Json) -> None:
        _keep_last(self.balances, body["lot"], body)

    def _answer_to_order(self, type: str, _id: str, body: Json) -> None:
        self.said[type][body["reservation"]] += 1

    def _answer_to_report(self, _type: str, _id: str, body: Json) -> None:
        # Who used the id of an older report hears that; the older one keeps its one answer.
        if body.get("reason") != "id_reused":
            self.answers[body["report"]] += 1

    def _told(self, _type: str, id: str, body: Json) -> None:
        source, sale = id.split(" ", 1)
        amount = body["qty"] * body["unit_price_rupiah"]
        self.told.append(Told(sale, source, body["booth"], body["till"], body["qty"], amount))

    def _voided(self, _type: str, _id: str, body: Json) -> None:
        self.voided.add((body["booth"], body["sale"]))

    def _answer_to_sale(self, type: str, _id: str, body: Json) -> None:
        self.said[type][body["booth"], body["sale"]] += 1

    def _sell_through(self, _type: str, _id: str, body: Json) -> None:
        _keep_last(self.sell_through, body["booth"], body)

    def _so_far(self, _type: str, _id: str, body: Json) -> None:
        _keep_last(self.so_far, body["booth"], body)

    def _share(self, type: str, _id: str, body: Json) -> None:
        sign = 1 if type == "ShareEarned" else -1
        self.shares[body["facility"], body["festival"]].add(body["qty"], body["amount_rupiah"], sign)

    def _settlement(self, _type: str, _id: str, body: Json) -> None:
        _keep_last(self.settlements, (body["facility"], body["festival"]), body)

    def _demand(self, _type: str, _id: str, body: Json) -> None:
        _keep_last(self.demand, (body["facility"], body["festival"]), body)

    def _public(self, type: str, _id: str, body: Json) -> None:
        sign = 1 if type == "SalePublished" else -1
        self.public[body["facility"], body["festival"]].add(body["qty"], body["amount_rupiah"], sign)
        self.public_sales[body["sale"]] += sign
        if more := body.keys() - PUBLIC:
            self.too_public.append(f"{type} of sale {body['sale']} shows {', '.join(sorted(more))}")


def _keep_last(known: dict[K, Json], key: K, body: Json) -> None:
    if key not in known or known[key]["revision"] < body["revision"]:
        known[key] = body


_HEARING = {
    "StockChanged": Heard._balance,
    "StockReserved": Heard._answer_to_order,
    "ReservationRefused": Heard._answer_to_order,
    "ReservationReleased": Heard._answer_to_order,
    "StockDispatched": Heard._answer_to_order,
    "ReportAccepted": Heard._answer_to_report,
    "ReportRejected": Heard._answer_to_report,
    "SaleReported": Heard._told,
    "SaleVoided": Heard._voided,
    "SaleRecorded": Heard._answer_to_sale,
    "SaleDisputed": Heard._answer_to_sale,
    "SaleVoidRecorded": Heard._answer_to_sale,
    "SellThroughCounted": Heard._sell_through,
    "SellThroughSoFar": Heard._so_far,
    "ShareEarned": Heard._share,
    "ShareReversed": Heard._share,
    "SettlementIssued": Heard._settlement,
    "SettlementCorrected": Heard._settlement,
    "DemandSignalled": Heard._demand,
    "SalePublished": Heard._public,
    "SaleWithdrawn": Heard._public,
}
