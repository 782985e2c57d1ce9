"""The fair planner: which facility sends which lot to which booth. Pure, importable alone.

A plan is, in this order:
1. within the hard rules: stock, whole pieces, what booths asked, and `Rules`;
2. max-min fair: the facilities' shares (allocated ÷ offered ÷ weight), sorted from the smallest up, are
   lexicographically the largest that there are. A facility offers, of each product, what it has or what was asked,
   whichever is less. Exact, in whole pieces, for every size of plan;
3. the most pieces. This follows from 2: whoever could still be raised would be;
4. few shipments (facility-booth pairs). To find the fewest is NP-hard: a greedy search that then takes away what it
   can, and a bound below every plan that is as fair;
5. within a facility, soonest to spoil first, then oldest;
6. the same every time, whatever the order of what it is given. Ties: of equal shares the facility that offered less
   (times its weight) is raised first, then the smaller id; lots by id.
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
    "late_facilities",
    "plan",
    "refused_conflict",
]

_NO_RULES = Rules()
K = TypeVar("K")


def plan(
    wanted: Sequence[RequestDemand],
    stock: Iterable[AvailableLot],
    before: Mapping[str, EarlierShare] | None = None,
    rules: Rules = _NO_RULES,
) -> Plan:
    """The fair plan for what is `wanted` out of `stock`, in pieces.

    `before` holds, by facility, what earlier plans of the same request gave: shares count it in.
    """
    asked = _totals((want.product, want.qty) for want in wanted)
    shelves, kept = eligible_stock(stock, asked, rules)
    offered = offers(shelves, asked)
    booths = booth_intakes(wanted, rules)
    givers = [
        Supplier(facility, of, (before or {}).get(facility, EarlierShare()), rules.weights.get(facility, 1))
        for facility, of in offered.items()
    ]
    pieces = max_min_shares(givers, booths)
    filled = fill(booths, _by_product(pieces), spread_evenly=rules.spread_evenly)
    carried = assign_pairs(offered, pieces, booths, filled, spread_evenly=rules.spread_evenly)
    served = _totals(((booth, p), qty) for (_, booth), row in carried.items() for p, qty in row.items())
    gave = _totals(((facility, p), qty) for (facility, _), row in carried.items() for p, qty in row.items())
    return Plan(
        allotments=tuple(_allotments(carried, shelves)),
        shares=tuple(explain_shares(givers, before or {}, gave, asked, served, kept)),
        short=tuple(
            RequestDemand(want.booth, want.product, missing)
            for want in wanted
            if (missing := want.qty - served.get((want.booth, want.product), 0))
        ),
        offers={(facility, product): qty for facility, of in offered.items() for product, qty in of.items()},
        conflicts=tuple(explain_conflicts(wanted, booths, served, kept)),
        shipments=len(carried),
        shipments_at_least=fewest_pairs(offered, pieces, booths, filled, spread_evenly=rules.spread_evenly),
    )


def _totals(counts: Iterable[tuple[K, int]]) -> dict[K, int]:
    totals: dict[K, int] = {}
    for name, qty in counts:
        totals[name] = totals.get(name, 0) + qty
    return totals


def _by_product(pieces: FacilityPieces) -> dict[str, int]:
    return _totals((product, qty) for of in pieces.values() for product, qty in of.items())


def _allotments(carried: PairFlows, shelves: LotsByFacility) -> Iterator[Allotment]:
    """The lots for every pair, each facility's in the order in which they should leave."""
    offering = _totals((product, 1) for row in shelves.values() for product in row)
    bound_for: dict[tuple[str, str], list[tuple[str, int, LineReason]]] = defaultdict(list)
    for (facility, booth), row in carried.items():
        for product, qty in row.items():
            together = LineReason.TOGETHER if len(row) > 1 else LineReason.SHARE
            why = LineReason.ONLY if offering[product] == 1 else together
            bound_for[facility, product].append((booth, qty, why))
    for (facility, product), parcels in sorted(bound_for.items()):
        lots = iter(dispatch_order(shelves[facility][product]))
        lot, first = next(lots), LotReason.ONLY
        if len(shelves[facility][product]) > 1:
            first = LotReason.OLDEST if lot.best_before is None else LotReason.SPOILS_FIRST
        left = lot.qty
        for booth, qty, why in parcels:
            while qty > left:
                if left:
                    yield Allotment(booth, lot, left, why, first)
                    qty -= left
                lot, first = next(lots), LotReason.NEXT
                left = lot.qty
            yield Allotment(booth, lot, qty, why, first)
            left -= qty
