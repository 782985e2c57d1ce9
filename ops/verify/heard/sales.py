"""What sales told of each sale, of unlabelled sales, and what of them is public."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ops.verify.heard.words import Json, K, Pair, Sum, Triple, Word

# What anyone may see. Said here once more, so that a field which slips into a model is found out.
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
    """The last word on one sale: its highest `revision`, and how `often` the sale was told. `value` is the JSON."""

    revision: int
    often: int
    value: bytes


class VoidStep(NamedTuple):
    """Pieces voided and rupiah returned so far when `revision` was told, because of the event `cause`."""

    revision: int
    voided: int
    returned_rupiah: int
    cause: str


class LastWord(NamedTuple):
    """The last word on what a facility has in a sale, or in the adjustments of a product, by lot."""

    revision: int
    festival: str
    product: str
    qty: int
    rupiah: int
    lots: _Lots


@dataclass(slots=True)
class SalesHeard:
    """`snapshots` and `void_steps` by booth and sale; `changes`: the sums of all changes by facility and festival;
    `shares` by booth, sale and facility, `adjustments` by booth, product and facility; `public` by the public id and
    the facility; `sequences`: how often each number of a facility was used."""

    snapshots: dict[Pair, Snapshot] = field(default_factory=dict)
    void_steps: dict[Pair, list[VoidStep]] = field(default_factory=lambda: defaultdict(list))
    devices: Counter[Triple] = field(default_factory=Counter)
    changes: dict[Pair, Sum] = field(default_factory=lambda: defaultdict(Sum))
    shares: dict[Triple, LastWord] = field(default_factory=dict)
    adjustments: dict[Triple, LastWord] = field(default_factory=dict)
    public: dict[Pair, LastWord] = field(default_factory=dict)
    sequences: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    too_public: list[str] = field(default_factory=list)

    def account(self, word: Word) -> None:
        body = word.json
        pair, revision = (body["booth"], body["sale"]), body["revision"]
        known = self.snapshots.get(pair, Snapshot(0, 0, b""))
        last = (revision, word.value) if revision > known.revision else (known.revision, known.value)
        self.snapshots[pair] = Snapshot(last[0], known.often + 1, last[1])
        if body.get("voided"):
            step = VoidStep(revision, body["voided"], body.get("returned_rupiah", 0), word.cause)
            self.void_steps[pair].append(step)

    def hear_device(self, word: Word) -> None:
        body = word.json
        self.devices[body["booth"], body["device"], body["till"]] += 1

    def share(self, word: Word) -> None:
        body = word.json
        self._change(body)
        _keep(self.shares, (body["booth"], body["sale"], body["facility"]), body, body["qty"], body["amount_rupiah"])

    def adjust(self, word: Word) -> None:
        body = word.json
        self._change(body)
        key = (body["booth"], body["product"], body["facility"])
        _keep(self.adjustments, key, body, body["adjusted_qty"], body["adjusted_rupiah"])

    def publish(self, word: Word) -> None:
        body = word.json
        id = body["sale"] if word.type == "SalePublished" else body["adjustment"]
        _keep(self.public, (id, body["facility"]), body, body["qty"], body["amount_rupiah"])
        self.sequences[body["facility"]][body["sequence"]] += 1
        more = (body.keys() - PUBLIC[word.type]).union(*(lot.keys() - PUBLIC_LOT for lot in body["lots"]))
        if more:
            self.too_public.append(f"{word.type} {id} shows {', '.join(sorted(more))}")

    def _change(self, body: Json) -> None:
        self.changes[body["facility"], body["festival"]].add(body["change_qty"], body["change_rupiah"])


def _keep(known: dict[K, LastWord], key: K, body: Json, qty: int, rupiah: int) -> None:
    if key in known and known[key].revision >= body["revision"]:
        return
    lots = tuple((lot["lot"], lot["qty"], lot["amount_rupiah"]) for lot in body["lots"])
    known[key] = LastWord(body["revision"], body["festival"], body["product"], qty, rupiah, lots)
