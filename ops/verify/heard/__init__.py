"""What the topics said, cut down while they are read to what the checks ask for."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ops.verify.heard.sales import SalesHeard
from ops.verify.heard.tills import TillsHeard
from ops.verify.heard.words import Json, Pair, Sum, Triple, Word, keep_last
from shared.events.festival import BoothOpened, PricesChanged, TillAdded, TillStruck
from shared.events.sales import TILL

__all__ = ["BoothTold", "Heard", "Json", "Pair", "Sum", "Triple", "Word"]


class ToldList(NamedTuple):
    """A price list as festival told it."""

    valid_from: datetime | None
    prices: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class BoothTold:
    """What festival told tills and sales of a booth: the tills it `opened` with, those that it has now, those that
    were ever `struck`, and the price lists by revision."""

    opened: tuple[str, ...] = ()
    tills: tuple[str, ...] = ()
    struck: set[str] = field(default_factory=set)
    lists: dict[int, ToldList] = field(default_factory=dict)


@dataclass(slots=True)
class Heard:
    """By topic. `said` counts inventory's answers by the event's name, then by reservation; `settled_by`: the id of
    the event that settled a booth; `deadlines`: ids of the deadlines that were reached."""

    balances: dict[str, Json] = field(default_factory=dict)
    said: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    answers: Counter[str] = field(default_factory=Counter)
    booths: dict[str, BoothTold] = field(default_factory=lambda: defaultdict(BoothTold))
    tills: TillsHeard = field(default_factory=TillsHeard)
    sales: SalesHeard = field(default_factory=SalesHeard)
    sell_through: dict[str, Json] = field(default_factory=dict)
    sold_told: dict[str, list[Mapping[str, int]]] = field(default_factory=lambda: defaultdict(list))
    so_far: dict[str, Json] = field(default_factory=dict)
    settled_by: dict[str, str] = field(default_factory=dict)
    deadlines: set[str] = field(default_factory=set)
    settlements: dict[Pair, Json] = field(default_factory=dict)
    demand: dict[Pair, Json] = field(default_factory=dict)

    def hear(self, word: Word) -> None:
        """One event, each once."""
        hearing = _HEARING.get(word.type)
        if hearing is not None:
            hearing(self, word)

    def _balance(self, word: Word) -> None:
        body = word.json
        keep_last(self.balances, body["lot"], body)

    def _answer_to_order(self, word: Word) -> None:
        self.said[word.type][word.json["reservation"]] += 1

    def _answer_to_report(self, word: Word) -> None:
        body = word.json
        # Who used the id of an older report hears that; the older one keeps its one answer.
        if body.get("reason") != "id_reused":
            self.answers[body["report"]] += 1

    def _opened(self, word: Word) -> None:
        body = BoothOpened.model_validate_json(word.value)
        booth = self.booths[body.booth]
        booth.opened = booth.tills = body.tills
        booth.lists[1] = ToldList(None, tuple((price.product, price.price_rupiah) for price in body.prices))

    def _prices_changed(self, word: Word) -> None:
        body = PricesChanged.model_validate_json(word.value)
        prices = tuple((price.product, price.price_rupiah) for price in body.prices)
        self.booths[body.booth].lists[body.revision] = ToldList(body.valid_from, prices)

    def _till_added(self, word: Word) -> None:
        body = TillAdded.model_validate_json(word.value)
        booth = self.booths[body.booth]
        booth.tills = (*booth.tills, body.till)

    def _till_struck(self, word: Word) -> None:
        body = TillStruck.model_validate_json(word.value)
        if body.device is None:
            booth = self.booths[body.booth]
            booth.tills = tuple(till for till in booth.tills if till != body.till)
            booth.struck.add(body.till)

    def _sell_through(self, word: Word) -> None:
        body = word.json
        keep_last(self.sell_through, body["booth"], body)
        self.sold_told[body["booth"]].append({lot["lot"]: lot["sold"] for lot in body["lots"]})
        if body["revision"] == 1:
            self.settled_by[body["booth"]] = word.cause

    def _so_far(self, word: Word) -> None:
        body = word.json
        keep_last(self.so_far, body["booth"], body)

    def _deadline(self, word: Word) -> None:
        self.deadlines.add(word.id)

    def _settlement(self, word: Word) -> None:
        body = word.json
        keep_last(self.settlements, (body["facility"], body["festival"]), body)

    def _demand(self, word: Word) -> None:
        body = word.json
        keep_last(self.demand, (body["facility"], body["festival"]), body)


_HEARING: Mapping[str, Callable[[Heard, Word], Any]] = {
    "StockChanged": Heard._balance,
    "StockReserved": Heard._answer_to_order,
    "ReservationRefused": Heard._answer_to_order,
    "ReservationReleased": Heard._answer_to_order,
    "StockDispatched": Heard._answer_to_order,
    "ReportAccepted": Heard._answer_to_report,
    "ReportRejected": Heard._answer_to_report,
    "BoothOpened": Heard._opened,
    "PricesChanged": Heard._prices_changed,
    "TillAdded": Heard._till_added,
    "TillStruck": Heard._till_struck,
    "VoidOrdered": lambda heard, word: heard.tills.order_void(word),
    "DisputeResolved": lambda heard, word: heard.tills.resolve(word),
    **{body.__name__: lambda heard, word: heard.tills.record(word) for body in TILL.bodies},
    "SaleAccounted": lambda heard, word: heard.sales.account(word),
    "VoidRefused": lambda heard, word: heard.tills.refuse_void(word),
    "DeviceHeard": lambda heard, word: heard.sales.hear_device(word),
    "SaleShared": lambda heard, word: heard.sales.share(word),
    "PoolAdjusted": lambda heard, word: heard.sales.adjust(word),
    "SellThroughCounted": Heard._sell_through,
    "SellThroughSoFar": Heard._so_far,
    "DeadlineReached": Heard._deadline,
    "SettlementIssued": Heard._settlement,
    "SettlementCorrected": Heard._settlement,
    "DemandSignalled": Heard._demand,
    "SalePublished": lambda heard, word: heard.sales.publish(word),
    "AdjustmentPublished": lambda heard, word: heard.sales.publish(word),
}
