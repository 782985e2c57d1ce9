"""The evidence from the topics, reduced while reading to the facts that the checks need."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ops.verify.topic_evidence.accounts import AccountEvidence
from ops.verify.topic_evidence.event import Json, Pair, PublishedEvent, Sum, Triple, keep_latest
from ops.verify.topic_evidence.plans import PlanEvidence
from ops.verify.topic_evidence.sales import SalesEvidence
from ops.verify.topic_evidence.tills import TillEvidence
from shared.events.festival import BoothOpened, PricesChanged, TillAdded, TillStruck

__all__ = ["AnnouncedBooth", "Json", "Pair", "PublishedEvent", "Sum", "TopicEvidence", "Triple"]


class AnnouncedPrices(NamedTuple):
    """A price list as festival published it."""

    valid_from: datetime | None
    prices: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class AnnouncedBooth:
    """A booth as festival published it: the tills at its opening (`opened`), its present `tills`, all tills ever
    `struck`, and the price lists by revision."""

    opened: tuple[str, ...] = ()
    tills: tuple[str, ...] = ()
    struck: set[str] = field(default_factory=set)
    lists: dict[int, AnnouncedPrices] = field(default_factory=dict)


@dataclass(slots=True)
class TopicEvidence:
    """The published facts by subject. `counts`: the number of events of each kind. `order_answers` counts inventory's
    answers by the event's name, then by reservation; `sold_history`: every published sell-through of a booth, in
    pieces by lot; `settled_by`: the id of the event that settled a booth last; `deadlines`: ids of the deadlines that
    were reached; `held`: the last event about each record of a revoked device, by device and record."""

    counts: Counter[str] = field(default_factory=Counter)
    balances: dict[str, Json] = field(default_factory=dict)
    order_answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    answers: Counter[str] = field(default_factory=Counter)
    booths: dict[str, AnnouncedBooth] = field(default_factory=lambda: defaultdict(AnnouncedBooth))
    tills: TillEvidence = field(default_factory=TillEvidence)
    sales: SalesEvidence = field(default_factory=SalesEvidence)
    accounts: AccountEvidence = field(default_factory=AccountEvidence)
    sell_through: dict[str, Json] = field(default_factory=dict)
    sold_history: dict[str, list[Mapping[str, int]]] = field(default_factory=lambda: defaultdict(list))
    interim_sales: dict[str, Json] = field(default_factory=dict)
    settled_by: dict[str, str] = field(default_factory=dict)
    deadlines: set[str] = field(default_factory=set)
    held: dict[Pair, str] = field(default_factory=dict)
    settlements: dict[Pair, Json] = field(default_factory=dict)
    demand: dict[Pair, Json] = field(default_factory=dict)
    plans: PlanEvidence = field(default_factory=PlanEvidence)

    def add(self, event: PublishedEvent) -> None:
        """Take in one event. Each event is added once; of one that no check needs only the number counts."""
        self.counts[event.type] += 1
        match event.type:
            case "StockChanged":
                body = event.json
                keep_latest(self.balances, body["lot"], body)
            case "StockReserved" | "ReservationRefused" | "ReservationReleased" | "StockDispatched":
                self.order_answers[event.type][event.json["reservation"]] += 1
            case "ReportAccepted" | "ReportRejected":
                body = event.json
                # This refusal answers the report that reused an id, and not the older one.
                if body.get("reason") != "id_reused":
                    self.answers[body["report"]] += 1
            case "SellThroughCounted":
                self._add_sell_through(event)
            case "ReopeningGranted":
                # What was counted at the end of the former opening is no longer valid.
                booth_id = event.json["booth"]
                self.sell_through.pop(booth_id, None)
                self.settled_by.pop(booth_id, None)
            case "SellThroughSoFar":
                body = event.json
                keep_latest(self.interim_sales, body["booth"], body)
            case "DeadlineReached":
                self.deadlines.add(event.id)
            case "RecordHeld" | "HeldRecordReleased" | "HeldRecordRefused":
                # All events about a record lie in one partition.
                self.held[event.json["device"], event.json["record"]] = event.type
            case "SettlementIssued" | "SettlementCorrected":
                body = event.json
                keep_latest(self.settlements, (body["facility"], body["festival"]), body)
            case "DemandSignalled":
                body = event.json
                keep_latest(self.demand, (body["facility"], body["festival"]), body)
            case "AllocationPlanned" | "AllocationRevised" | "ReplenishmentProposed":
                self.plans.add(event)
            case "BoothOpened" | "PricesChanged" | "TillAdded" | "TillStruck":
                self._add_announcement(event)
            case _:
                self.tills.add(event)
                self.sales.add(event)
                self.accounts.add(event)

    def _add_sell_through(self, event: PublishedEvent) -> None:
        body = event.json
        keep_latest(self.sell_through, body["booth"], body)
        self.sold_history[body["booth"]].append({lot["lot"]: lot["sold"] for lot in body["lots"]})
        # The topic has the reports of a booth in their order.
        self.settled_by.setdefault(body["booth"], event.cause)

    def _add_announcement(self, event: PublishedEvent) -> None:
        match event.type:
            case "BoothOpened":
                opened = BoothOpened.model_validate_json(event.value)
                booth = self.booths[opened.booth]
                booth.opened = booth.tills = opened.tills
                prices = tuple((price.product, price.price_rupiah) for price in opened.prices)
                booth.lists[1] = AnnouncedPrices(None, prices)
            case "PricesChanged":
                changed = PricesChanged.model_validate_json(event.value)
                prices = tuple((price.product, price.price_rupiah) for price in changed.prices)
                self.booths[changed.booth].lists[changed.revision] = AnnouncedPrices(changed.valid_from, prices)
            case "TillAdded":
                added = TillAdded.model_validate_json(event.value)
                booth = self.booths[added.booth]
                booth.tills = (*booth.tills, added.till)
            case "TillStruck":
                struck = TillStruck.model_validate_json(event.value)
                if struck.device is None:
                    booth = self.booths[struck.booth]
                    booth.tills = tuple(till for till in booth.tills if till != struck.till)
                    booth.struck.add(struck.till)
