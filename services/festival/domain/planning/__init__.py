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

from services.festival.domain.planning.booths import booths_of, fill
from services.festival.domain.planning.pairs import Carried, fewest, paired
from services.festival.domain.planning.reasons import conflicts, refused, shares
from services.festival.domain.planning.shares import Giver, Pieces, given
from services.festival.domain.planning.stock import Shelves, late, leaving, offers, shelve
from services.festival.domain.planning.terms import (
    Available,
    Before,
    Chosen,
    Conflict,
    Kept,
    Plan,
    Rules,
    Share,
    Wanted,
)
from shared.events.festival import LineReason, LotReason

__all__ = [
    "Available",
    "Before",
    "Chosen",
    "Conflict",
    "Kept",
    "Plan",
    "Rules",
    "Share",
    "Wanted",
    "late",
    "plan",
    "refused",
]

_NO_RULES = Rules()
K = TypeVar("K")


def plan(
    wanted: Sequence[Wanted],
    stock: Iterable[Available],
    before: Mapping[str, Before] | None = None,
    rules: Rules = _NO_RULES,
) -> Plan:
    """The fair plan for what is `wanted` out of `stock`, in pieces.

    `before` holds, by facility, what earlier plans of the same request gave: shares count it in.
    """
    asked = _totals((want.product, want.qty) for want in wanted)
    shelves, kept = shelve(stock, asked, rules)
    offered = offers(shelves, asked)
    booths = booths_of(wanted, rules)
    givers = [
        Giver(facility, of, (before or {}).get(facility, Before()), rules.weights.get(facility, 1))
        for facility, of in offered.items()
    ]
    pieces = given(givers, booths)
    filled = fill(booths, _products(pieces), even=rules.even)
    carried = paired(offered, pieces, booths, filled, even=rules.even)
    served = _totals(((booth, p), qty) for (_, booth), row in carried.items() for p, qty in row.items())
    gave = _totals(((facility, p), qty) for (facility, _), row in carried.items() for p, qty in row.items())
    return Plan(
        chosen=tuple(_lines(carried, shelves)),
        shares=tuple(shares(givers, before or {}, gave, asked, served, kept)),
        short=tuple(
            Wanted(want.booth, want.product, missing)
            for want in wanted
            if (missing := want.qty - served.get((want.booth, want.product), 0))
        ),
        offers={(facility, product): qty for facility, of in offered.items() for product, qty in of.items()},
        conflicts=tuple(conflicts(wanted, booths, served, kept)),
        shipments=len(carried),
        shipments_at_least=fewest(offered, pieces, booths, filled, even=rules.even),
    )


def _totals(counts: Iterable[tuple[K, int]]) -> dict[K, int]:
    totals: dict[K, int] = {}
    for name, qty in counts:
        totals[name] = totals.get(name, 0) + qty
    return totals


def _products(pieces: Pieces) -> dict[str, int]:
    return _totals((product, qty) for of in pieces.values() for product, qty in of.items())


def _lines(carried: Carried, shelves: Shelves) -> Iterator[Chosen]:
    """The lots for every pair, each facility's in the order in which they should leave."""
    offering = _totals((product, 1) for row in shelves.values() for product in row)
    bound_for: dict[tuple[str, str], list[tuple[str, int, LineReason]]] = defaultdict(list)
    for (facility, booth), row in carried.items():
        for product, qty in row.items():
            together = LineReason.TOGETHER if len(row) > 1 else LineReason.SHARE
            why = LineReason.ONLY if offering[product] == 1 else together
            bound_for[facility, product].append((booth, qty, why))
    for (facility, product), parcels in sorted(bound_for.items()):
        lots = iter(leaving(shelves[facility][product]))
        lot, first = next(lots), LotReason.ONLY
        if len(shelves[facility][product]) > 1:
            first = LotReason.OLDEST if lot.best_before is None else LotReason.SPOILS_FIRST
        left = lot.qty
        for booth, qty, why in parcels:
            while qty > left:
                if left:
                    yield Chosen(booth, lot, left, why, first)
                    qty -= left
                lot, first = next(lots), LotReason.NEXT
                left = lot.qty
            yield Chosen(booth, lot, qty, why, first)
            left -= qty
