"""Evidence from sales: snapshots of sales, changes of unlabelled sales, and the public stream."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ops.verify.topic_evidence.event import Json, K, Pair, PublishedEvent, Sum, Triple
from shared.wording import Message

# The public fields, repeated here so that a check finds a private field added to a public model.
PUBLIC = {
    "SalePublished": frozenset(
        {
            "sale",
            "facility",
            "festival",
            "product",
            "revision",
            "sequence",
            "lots",
            "qty",
            "amount_rupiah",
            "sold_at",
        }
    ),
    "AdjustmentPublished": frozenset(
        {
            "adjustment",
            "facility",
            "festival",
            "product",
            "revision",
            "sequence",
            "cause",
            "counted",
            "lots",
            "qty",
            "amount_rupiah",
        }
    ),
}
PUBLIC_LOT = frozenset({"lot", "qty", "amount_rupiah"})

_Lots: TypeAlias = tuple[tuple[str, int, int], ...]


class Snapshot(NamedTuple):
    """The latest snapshot of one sale: its `revision`, the JSON `value`, and how `often` the sale was published."""

    revision: int
    often: int
    value: bytes


class VoidStep(NamedTuple):
    """The pieces voided and rupiah returned up to `revision`, which the event `cause` brought about."""

    revision: int
    voided: int
    returned_rupiah: int
    cause: str


class LatestAmounts(NamedTuple):
    """The latest amounts of a facility in a sale, or in the adjustments of a product, by lot."""

    revision: int
    festival: str
    product: str
    qty: int
    rupiah: int
    lots: _Lots


@dataclass(slots=True)
class SalesEvidence:
    """`snapshots` and `void_steps` by booth and sale; `changes`: sums of all changes by facility and festival;
    `shares` by booth, sale and facility; `adjustments` by booth, product and facility; `public` by public id and
    facility; `sequences`: how often each sequence number of a facility was used; `too_public`: a sentence for each
    private field that was published."""

    snapshots: dict[Pair, Snapshot] = field(default_factory=dict)
    void_steps: dict[Pair, list[VoidStep]] = field(default_factory=lambda: defaultdict(list))
    devices: Counter[Triple] = field(default_factory=Counter)
    changes: dict[Pair, Sum] = field(default_factory=lambda: defaultdict(Sum))
    shares: dict[Triple, LatestAmounts] = field(default_factory=dict)
    adjustments: dict[Triple, LatestAmounts] = field(default_factory=dict)
    public: dict[Pair, LatestAmounts] = field(default_factory=dict)
    sequences: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    too_public: list[Message] = field(default_factory=list)

    def add(self, event: PublishedEvent) -> None:
        """Take in an event of sales; other events are ignored."""
        match event.type:
            case "SaleAccounted":
                self._account(event)
            case "SaleShared":
                self._share(event.json)
            case "PoolAdjusted":
                self._adjust(event.json)
            case "SalePublished" | "AdjustmentPublished":
                self._publish(event)
            case "DeviceHeard":
                body = event.json
                self.devices[body["booth"], body["device"], body["till"]] += 1

    def _account(self, event: PublishedEvent) -> None:
        body = event.json
        pair, revision = (body["booth"], body["sale"]), body["revision"]
        snapshot = self.snapshots.get(pair, Snapshot(0, 0, b""))
        last = (revision, event.value) if revision > snapshot.revision else (snapshot.revision, snapshot.value)
        self.snapshots[pair] = Snapshot(last[0], snapshot.often + 1, last[1])
        if body.get("voided"):
            step = VoidStep(revision, body["voided"], body.get("returned_rupiah", 0), event.cause)
            self.void_steps[pair].append(step)

    def _share(self, body: Json) -> None:
        self._change(body)
        _keep(self.shares, (body["booth"], body["sale"], body["facility"]), body, body["qty"], body["amount_rupiah"])

    def _adjust(self, body: Json) -> None:
        self._change(body)
        key = (body["booth"], body["product"], body["facility"])
        _keep(self.adjustments, key, body, body["adjusted_qty"], body["adjusted_rupiah"])

    def _publish(self, event: PublishedEvent) -> None:
        body = event.json
        id = body["sale"] if event.type == "SalePublished" else body["adjustment"]
        _keep(self.public, (id, body["facility"]), body, body["qty"], body["amount_rupiah"])
        self.sequences[body["facility"]][body["sequence"]] += 1
        extra = (body.keys() - PUBLIC[event.type]).union(*(lot.keys() - PUBLIC_LOT for lot in body["lots"]))
        if extra:
            self.too_public.append(
                Message("{type} {id} shows {fields}", type=event.type, id=id, fields=", ".join(sorted(extra)))
            )

    def _change(self, body: Json) -> None:
        self.changes[body["facility"], body["festival"]].add(body["change_qty"], body["change_rupiah"])


def _keep(latest: dict[K, LatestAmounts], key: K, body: Json, qty: int, rupiah: int) -> None:
    if key in latest and latest[key].revision >= body["revision"]:
        return
    lots = tuple((lot["lot"], lot["qty"], lot["amount_rupiah"]) for lot in body["lots"])
    latest[key] = LatestAmounts(body["revision"], body["festival"], body["product"], qty, rupiah, lots)
