"""The fair planner: which facility sends which lot to which booth. Pure, importable alone.

A plan has these properties, in this order:
1. It keeps the hard rules: stock, whole pieces, the booths' demands, and `Rules`.
2. It is max-min fair. A facility's share is allocated ÷ offered ÷ weight. Of each product a facility offers its stock
   or the demand, whichever is less. Sorted from the smallest up, the shares are lexicographically the largest
   possible. This is exact, in whole pieces, for every size of plan.
3. It allocates the most pieces. This follows from 2: a share that could still rise would have risen.
4. It has few shipments (facility-booth pairs). The minimum is NP-hard. A greedy search finds pairs, then removes
   spare ones. A lower bound tells how far the minimum can be.
5. Each facility sends the lots that spoil soonest first, then the oldest.
6. It is deterministic, whatever the order of the input. Of equal shares, the facility with the smaller offer × weight
   is raised first, then the one with the smaller id. Lots are ordered by id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from services.festival.domain.planning.booths import booth_intakes, fill
from services.festival.domain.planning.pairs import PairFlows, assign_pairs, fewest_pairs
from services.festival.domain.planning.reasons import explain_conflicts, explain_shares, refused_conflict
from services.festival.domain.planning.shares import FacilityPieces, Supplier, max_min_shares
from services.festival.domain.planning.stock import (
    LotsByFacility,
    dispatch_order,
    eligible_stock,
    late_facilities,
    offers,
)
from services.festival.domain.planning.terms import (
    Allotment,
    AvailableLot,
    Conflict,
    EarlierShare,
    ExcludedStock,
    Plan,
    RequestDemand,
    Rules,
    Share,
    good_on,
)
from shared.events.festival import LineReason, LotReason

__all__ = [
    "Allotment",
    "AvailableLot",
    "Conflict",
    "EarlierShare",
    "ExcludedStock",
    "Plan",
    "RequestDemand",
    "Rules",
    "Share",
    "good_on",
    "late_facilities",
    "plan",
    "refused_conflict",
]

_NO_RULES = Rules()
K = TypeVar("K")


def plan(
    demands: Sequence[RequestDemand],
    stock: Iterable[AvailableLot],
    earlier: Mapping[str, EarlierShare] | None = None,
    rules: Rules = _NO_RULES,
) -> Plan:
    """The fair plan for `demands` out of `stock`, in pieces.

    `earlier` holds, by facility, the pieces of earlier plans of the same request. Shares include them.
    """
    requested = _totals((demand.product, demand.qty) for demand in demands)
    lots, excluded = eligible_stock(stock, requested, rules)
    offered = offers(lots, requested)
    booths = booth_intakes(demands, rules)
    suppliers = [
        Supplier(facility, products, (earlier or {}).get(facility, EarlierShare()), rules.weights.get(facility, 1))
        for facility, products in offered.items()
    ]
    pieces = max_min_shares(suppliers, booths)
    filled = fill(booths, _by_product(pieces), spread_evenly=rules.spread_evenly)
    flows = assign_pairs(offered, pieces, booths, filled, spread_evenly=rules.spread_evenly)
    served = _totals(((booth, p), qty) for (_, booth), row in flows.items() for p, qty in row.items())
    supplied = _totals(((facility, p), qty) for (facility, _), row in flows.items() for p, qty in row.items())
    return Plan(
        allotments=tuple(_allotments(flows, lots)),
        shares=tuple(explain_shares(suppliers, earlier or {}, supplied, requested, served, excluded)),
        short=tuple(
            RequestDemand(demand.booth, demand.product, short)
            for demand in demands
            if (short := demand.qty - served.get((demand.booth, demand.product), 0))
        ),
        offers={
            (facility, product): qty for facility, products in offered.items() for product, qty in products.items()
        },
        conflicts=tuple(explain_conflicts(demands, booths, served, excluded)),
        shipments=len(flows),
        shipments_at_least=fewest_pairs(offered, pieces, booths, filled, spread_evenly=rules.spread_evenly),
    )


def _totals(counts: Iterable[tuple[K, int]]) -> dict[K, int]:
    totals: dict[K, int] = {}
    for name, qty in counts:
        totals[name] = totals.get(name, 0) + qty
    return totals


def _by_product(pieces: FacilityPieces) -> dict[str, int]:
    return _totals((product, qty) for row in pieces.values() for product, qty in row.items())


def _allotments(flows: PairFlows, lots_by_facility: LotsByFacility) -> Iterator[Allotment]:
    """The lots for every facility-booth pair, in dispatch order of each facility."""
    facilities_offering = _totals((product, 1) for row in lots_by_facility.values() for product in row)
    parcels_of: dict[tuple[str, str], list[tuple[str, int, LineReason]]] = defaultdict(list)
    for (facility, booth), row in flows.items():
        for product, qty in row.items():
            other_reason = LineReason.TOGETHER if len(row) > 1 else LineReason.SHARE
            why = LineReason.ONLY if facilities_offering[product] == 1 else other_reason
            parcels_of[facility, product].append((booth, qty, why))
    for (facility, product), parcels in sorted(parcels_of.items()):
        lots = iter(dispatch_order(lots_by_facility[facility][product]))
        lot, first = next(lots), LotReason.ONLY
        if len(lots_by_facility[facility][product]) > 1:
            first = LotReason.OLDEST if lot.best_before is None else LotReason.SPOILS_FIRST
        unsent = lot.qty
        for booth, qty, why in parcels:
            while qty > unsent:
                if unsent:
                    yield Allotment(booth, lot, unsent, why, first)
                    qty -= unsent
                lot, first = next(lots), LotReason.NEXT
                unsent = lot.qty
            yield Allotment(booth, lot, qty, why, first)
            unsent -= qty
