"""The input of a plan and its parts. Quantities are pieces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shared.events.festival import LineReason, LotReason, PlanRule


@dataclass(frozen=True, slots=True)
class RequestDemand:
    """`qty` pieces of a product that one booth asks for. A booth names a product once.

    If this is the rest of a demand, `asked` is the whole demand and `missing` the further pieces already known to be
    missing. Explanations speak of the whole.
    """

    booth: str
    product: str
    qty: int
    asked: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class AvailableLot:
    """`qty` pieces of a lot that a plan may use, by revision `revision` of its balance."""

    lot: str
    facility: str
    product: str
    qty: int
    made_on: date
    best_before: date | None
    revision: int


def good_on(best_before: date | None, day: date | None) -> bool:
    """Whether a lot is good on a day: until its best-before day is over. A lot without one does not spoil."""
    return best_before is None or day is None or best_before >= day


@dataclass(frozen=True, slots=True)
class EarlierShare:
    """Pieces that a facility offered and was allocated in earlier plans of the same request."""

    offered: int = 0
    allocated: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The hard rules beside stock and demand, and the measure of fairness. A missing entry bounds nothing.

    - A lot must be good on `last_day`; its best-before day itself is good.
    - A parcel from a facility takes `lead_days`, and there are `days_left`. A facility that is not named there sends
      in time, or too late if `unknown_is_late`.
    - Nothing comes from the facilities that are `left_out`.
    - A booth takes `capacity` pieces. `limits`: its pieces of one category, by booth and category. `categories`: by
      booth and product.
    - `weights`: programme weights by facility, 1 if not named. With weight 2 a facility is due twice the share.
    - `spread_evenly`: a product is first spread evenly over the booths that asked for it, at the price of more
      shipments.
    """

    last_day: date | None = None
    days_left: int | None = None
    lead_days: Mapping[str, int] = field(default_factory=dict)
    unknown_is_late: bool = False
    left_out: frozenset[str] = frozenset()
    capacity: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[tuple[str, str], str] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    spread_evenly: bool = False


@dataclass(frozen=True, slots=True)
class Allotment:
    """`qty` pieces of a lot for a booth. `why` explains the facility and `first` the lot; old plans have neither."""

    booth: str
    lot: AvailableLot
    qty: int
    why: LineReason | None = None
    first: LotReason | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Pieces that a facility offered and is allocated, earlier plans included.

    `reason`, and `reason_id` in Indonesian, say why it is not allocated more.
    """

    facility: str
    offered: int
    allocated: int
    reason: str
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class ExcludedStock:
    """`qty` pieces of a facility that all of `rules` together kept out of the plan."""

    facility: str
    product: str
    rules: tuple[PlanRule, ...]
    qty: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """The rules that leave a demand `short` pieces short, with every rule that keeps stock out, and that stock."""

    booth: str
    product: str
    short: int
    rules: tuple[PlanRule, ...]
    kept: tuple[ExcludedStock, ...]
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, with its explanation.

    - `offers`: the pieces by facility and product that it could have taken.
    - `short`: the missing pieces; `conflicts` has the reason of each.
    - `shipments`: its facility-booth pairs. No plan with the same pieces of each facility (with `spread_evenly` also
      of each booth) has fewer than `shipments_at_least`.
    """

    allotments: tuple[Allotment, ...]
    shares: tuple[Share, ...]
    short: tuple[RequestDemand, ...]
    offers: Mapping[tuple[str, str], int]
    conflicts: tuple[Conflict, ...] = ()
    shipments: int = 0
    shipments_at_least: int = 0
