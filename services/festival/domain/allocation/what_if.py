"""A plan that waits to be accepted, beside the plan that other terms would give now. Nothing changes by it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.request import Request, RequestStatus, shortfalls
from services.festival.domain.booth import Booth
from services.festival.domain.festival import Festival
from services.festival.domain.line import COUNTED, AllocationLine
from services.festival.domain.planning import Conflict, plan
from services.festival.domain.stock import StockView, lot_of


@dataclass(frozen=True, slots=True)
class OtherTerms:
    """What a plan would be made by instead. `weights`: of facilities that are to have another weight than now.
    `spread_evenly` None: as the request has it."""

    without: tuple[str, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    spread_evenly: bool | None = None


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """The pieces of a facility in the plan that waits and by other terms, and why there are not more."""

    facility: str
    offered: int
    before: int
    after: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class BoothDifference:
    """The pieces that a booth gets of a product in the plan that waits and by other terms. `reason`: of what is short
    then."""

    booth: str
    product: str
    asked: int
    before: int
    after: int
    reason: str = ""
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The difference that other terms make, in pieces and in shipments (facility-booth pairs)."""

    planned_before: int
    planned_after: int
    shipments_before: int
    shipments_after: int
    shares: tuple[ShareDifference, ...]
    booths: tuple[BoothDifference, ...]


def may_be_asked(request: Request) -> bool:
    """Whether the request has a plan that waits to be accepted."""
    return request.status is RequestStatus.PROPOSED


def what_if(
    festival: Festival,
    request: Request,
    stock: Iterable[StockView],
    booths: Iterable[Booth],
    promised: Iterable[AllocationLine],
    at: datetime,
    terms: OtherTerms,
) -> WhatIf:
    """The plan of the request by other terms, beside the plan that waits.

    `stock`: what there is to plan of its products. `booths`: those that ask, less what they have sold. `promised`:
    the lines of other requests that are still to come to them.
    """
    weights = {**dict(festival.weights), **dict(terms.weights)}
    rules = planning_rules(
        festival,
        at,
        booths,
        promised,
        spread_evenly=request.spread_evenly if terms.spread_evenly is None else terms.spread_evenly,
        day=request.day,
    )
    rules = replace(rules, weights=weights, left_out=frozenset(terms.without))
    other = plan(request.demands, map(lot_of, stock), {}, rules)
    lines = [line for line in request.lines if line.status in COUNTED]
    before = Counter[str]()
    for line in lines:
        before[line.facility] += line.qty
    after = {share.facility: share for share in other.shares}
    shares = [
        ShareDifference(
            facility=facility,
            offered=share.offered if share is not None else 0,
            before=before[facility],
            after=share.allocated if share is not None else 0,
            reason=share.reason if share is not None else "",
            reason_id=share.reason_id if share is not None else "",
        )
        for facility in sorted(after.keys() | before.keys())
        for share in (after.get(facility),)
    ]
    return WhatIf(
        planned_before=sum(before.values()),
        planned_after=sum(allotment.qty for allotment in other.allotments),
        shipments_before=len({(line.facility, line.booth) for line in lines}),
        shipments_after=other.shipments,
        shares=tuple(shares),
        booths=tuple(_booths(request, {(gap.booth, gap.product): gap.qty for gap in other.short}, other.conflicts)),
    )


def _booths(
    request: Request, short: dict[tuple[str, str], int], conflicts: Iterable[Conflict]
) -> Iterable[BoothDifference]:
    short_before = {(gap.booth, gap.product): gap.short for gap in shortfalls(request)}
    why = {(conflict.booth, conflict.product): conflict for conflict in conflicts}
    for demand in request.demands:
        pair = (demand.booth, demand.product)
        conflict = why.get(pair)
        yield BoothDifference(
            *pair,
            asked=demand.qty,
            before=demand.qty - short_before.get(pair, 0),
            after=demand.qty - short.get(pair, 0),
            reason=conflict.reason if conflict is not None else "",
            reason_id=conflict.reason_id if conflict is not None else "",
        )
