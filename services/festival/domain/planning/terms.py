"""What is planned with and what a plan is made of. Quantities are pieces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shared.events.festival import LineReason, LotReason, PlanRule


@dataclass(frozen=True, slots=True)
class RequestDemand:
    """`qty` pieces of a product that one booth would like. A booth names a product once. If that is the rest of a
    demand, that was `asked` pieces, of which `missing` more can't be had already: sentences speak of all of it."""

    booth: str
    product: str
    qty: int
    asked: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class AvailableLot:
    """`qty` pieces of a lot that may be planned; `revision` is the balance that says so."""

    lot: str
    facility: str
    product: str
    qty: int
    made_on: date
    best_before: date | None
    revision: int


@dataclass(frozen=True, slots=True)
class EarlierShare:
    """Pieces that a facility offered and was allocated in earlier plans of the same request."""

    offered: int = 0
    allocated: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The hard rules beside stock and demand, and what is fair. What is not named here is not bounded.

    A lot must be good beyond `last_day`. A parcel from a facility is `lead_days` on its way and has `days_left`
    to come. A booth takes `capacity` pieces, and of the products of one category (`categories`: by booth and
    product) as many as `limits` says of that booth and category. A facility's share is measured by its programme
    weight: with weight 2 it is due twice the share of one with 1, which is what all have that `weights` does not
    name.
    `even`: what there is of a product is first spread evenly over the booths that asked for it, at the price of more
    shipments.
    """

    last_day: date | None = None
    days_left: int | None = None
    lead_days: Mapping[str, int] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[tuple[str, str], str] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    spread_evenly: bool = False


@dataclass(frozen=True, slots=True)
class Allotment:
    """`qty` pieces of a lot for a booth, and why from this facility and of this lot (not known of old plans)."""

    booth: str
    lot: AvailableLot
    qty: int
    why: LineReason | None = None
    first: LotReason | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Pieces that a facility offered and is allocated, earlier plans included, and why not more: in English and in
    Indonesian."""

    facility: str
    offered: int
    allocated: int
    reason: str
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class ExcludedStock:
    """`qty` pieces of a facility that rules kept out of the plan: all of `rules` would have to give way."""

    facility: str
    product: str
    rules: tuple[PlanRule, ...]
    qty: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """The fewest rules that together leave a demand `short`, and which pieces they keep out."""

    booth: str
    product: str
    short: int
    rules: tuple[PlanRule, ...]
    kept: tuple[ExcludedStock, ...]
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`offers`: pieces by facility and product that this plan could have taken. `short`: what is missing, and of
    each the conflict. `shipments`: facility-booth pairs; no plan in which each facility gives as many
    pieces (and, if `even`, each booth gets as many) has less than `shipments_at_least`."""

    allotments: tuple[Allotment, ...]
    shares: tuple[Share, ...]
    short: tuple[RequestDemand, ...]
    offers: Mapping[tuple[str, str], int]
    conflicts: tuple[Conflict, ...] = ()
    shipments: int = 0
    shipments_at_least: int = 0
