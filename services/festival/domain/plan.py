"""The fair planner: which facility sends which lot to which booth. Pure, importable alone.

Fair is max-min: of all plans in whole pieces, the one whose facility shares (allocated ÷ offered), sorted from the
smallest up, are lexicographically largest. A facility offers, of each product, what it has or what was asked,
whichever is less. What facilities can give together is a flow facility → product and so an integral polymatroid;
there the greedy rule is exact (Federgruen and Groenevelt, 1986): always raise the smallest share by one piece, and
leave alone for good who can't be raised. `_fill` takes that greedy's steps many at a time.

Ties, in this order: of facilities with equal shares the one that offered less is raised first (one piece lifts it
more), then the smaller id. Booths share what there is of a product by the same rule. A booth is served by a
facility that sends it something already, then by the one with most pieces left, then by id. Within a facility
lots leave soonest-to-expire first, then oldest, then by id.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Wanted:
    """`qty` pieces of a product that one booth would like. A booth names a product once."""

    booth: str
    product: str
    qty: int


@dataclass(frozen=True, slots=True)
class Available:
    """`qty` pieces of a lot that may be planned; `revision` is the balance that says so."""

    lot: str
    facility: str
    product: str
    qty: int
    made_on: date
    best_before: date | None
    revision: int


@dataclass(frozen=True, slots=True)
class Before:
    """Pieces that a facility offered and was allocated in earlier plans of the same request."""

    offered: int = 0
    allocated: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """`qty` pieces of a lot for a booth."""

    booth: str
    lot: Available
    qty: int


@dataclass(frozen=True, slots=True)
class Share:
    """Pieces that a facility offered and is allocated, earlier plans included, and why not more."""

    facility: str
    offered: int
    allocated: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`offers`: pieces by facility and product that this plan could have taken. `short`: what is missing."""

    chosen: tuple[Chosen, ...]
    shares: tuple[Share, ...]
    short: tuple[Wanted, ...]
    offers: Mapping[tuple[str, str], int]


Offers = Mapping[str, Mapping[str, int]]
Lots = Mapping[tuple[str, str], Sequence[Available]]


def plan(wanted: Sequence[Wanted], stock: Iterable[Available], before: Mapping[str, Before] | None = None) -> Plan:
    """The fair plan for what is `wanted` out of `stock`, in pieces.

    `before` holds, by facility, what earlier plans of the same request gave: shares count it in.
    """
    asked = _totals((want.product, want.qty) for want in wanted)
    lots = _lots(stock, asked)
    offers: dict[str, dict[str, int]] = defaultdict(dict)
    for (facility, product), queue in sorted(lots.items()):
        offers[facility][product] = min(asked[product], sum(lot.qty for lot in queue))
    flow = _fill(offers, asked, before or {})
    served = _served(wanted, flow)
    return Plan(
        chosen=tuple(_choose(served, flow, lots)),
        shares=tuple(_shares(offers, flow, before or {})),
        short=tuple(
            Wanted(want.booth, want.product, want.qty - served[want.booth, want.product])
            for want in wanted
            if want.qty > served[want.booth, want.product]
        ),
        offers={(facility, product): qty for facility, of in offers.items() for product, qty in of.items()},
    )


class _Flow:
    """Pieces on their way from givers to products. Raising one giver may move others to their other products."""

    def __init__(self, offers: Offers, room: Mapping[str, int]) -> None:
        self.room = dict(room)
        self.left = {giver: dict(of) for giver, of in offers.items()}
        self.given = {giver: dict.fromkeys(of, 0) for giver, of in offers.items()}

    def copy(self) -> "_Flow":
        twin = _Flow({}, self.room)
        twin.left = {giver: dict(of) for giver, of in self.left.items()}
        twin.given = {giver: dict(of) for giver, of in self.given.items()}
        return twin

    def total(self, giver: str) -> int:
        return sum(self.given[giver].values())

    def push(self, giver: str, qty: int) -> frozenset[str]:
        """Raise the giver by up to `qty`. If that fails: the givers (itself too) who give all they can together."""
        while qty > 0:
            via, freed, end = self._search(giver)
            if end is None:
                return frozenset(freed)
            path = list(_steps(via, freed, end))
            taken = (self.given[g][old] for g, _, old in path if old is not None)
            moved = min(qty, self.room[end], *(self.left[g][product] for g, product, _ in path), *taken)
            for g, product, old in path:
                self.left[g][product] -= moved
                self.given[g][product] += moved
                if old is not None:
                    self.left[g][old] += moved
                    self.given[g][old] -= moved
            self.room[end] -= moved
            qty -= moved
        return frozenset()

    def _search(self, start: str) -> tuple[dict[str, str], dict[str, str | None], str | None]:
        """Breadth first for a product with room. `via`: product to who would give it; `freed`: giver to the
        product that it would give less of instead (None for the start)."""
        via: dict[str, str] = {}
        freed: dict[str, str | None] = {start: None}
        queue = deque([start])
        while queue:
            giver = queue.popleft()
            for product, left in self.left[giver].items():
                if left == 0 or product in via:
                    continue
                via[product] = giver
                if self.room[product] > 0:
                    return via, freed, product
                for other, given in self.given.items():
                    if other not in freed and given.get(product, 0) > 0:
                        freed[other] = product
                        queue.append(other)
        return via, freed, None


def _steps(
    via: Mapping[str, str], freed: Mapping[str, str | None], end: str
) -> Iterator[tuple[str, str, str | None]]:
    """Backwards along the path: who gives which product, and which one less of."""
    product: str | None = end
    while product is not None:
        giver = via[product]
        yield giver, product, freed[giver]
        product = freed[giver]


def _fill(offers: Offers, room: Mapping[str, int], before: Mapping[str, Before]) -> _Flow:
    """The max-min fair flow.

    A level `t / scale` stands for the moment of the greedy when every share below it has been raised once more.
    Each round finds the highest level that still can be had and freezes those who can't go beyond it. A set of
    givers that was found to give all it can is a bound for good and spares most of the flow computations.
    """
    caps = {giver: sum(of.values()) for giver, of in offers.items()}
    earlier = {giver: before.get(giver, Before()) for giver in offers}
    offered = {giver: cap + earlier[giver].offered for giver, cap in caps.items()}
    # Two different shares differ by at least 1 / (offered × offered): no level hides two steps of the greedy.
    scale = max(offered.values(), default=0) ** 2 + 1
    frozen: dict[str, int] = {}
    bounds: list[tuple[frozenset[str], int]] = []
    flow = _Flow(offers, room)

    def goal(giver: str, t: int) -> int:
        if giver in frozen:
            return frozen[giver]
        raised = -(-t * offered[giver] // scale) - earlier[giver].allocated
        return max(0, min(caps[giver], raised))

    def within_bounds(t: int) -> bool:
        return all(sum(goal(giver, t) for giver in givers) <= bound for givers, bound in bounds)

    low = 0
    order = sorted(offers, key=lambda giver: (offered[giver], giver))
    while True:
        while True:
            level = _last(within_bounds, low, scale)
            trial = flow.copy()
            tight = _push_all(trial, [(giver, goal(giver, level) - flow.total(giver)) for giver in order])
            if not tight:
                break
            bounds.append((tight, sum(trial.total(giver) for giver in tight)))
        flow = trial
        if level == scale:
            return flow
        for giver in order:
            more = goal(giver, level + 1) - flow.total(giver)
            for stuck in flow.push(giver, more):
                frozen.setdefault(stuck, flow.total(stuck))
        low = level + 1


def _push_all(flow: _Flow, pushes: Iterable[tuple[str, int]]) -> frozenset[str]:
    for giver, qty in pushes:
        tight = flow.push(giver, qty)
        if tight:
            return tight
    return frozenset()


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number from `low` to `high` for which `holds`, which is true at `low` and never comes back."""
    if holds(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _totals(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, qty in sorted(counts):
        totals[name] = totals.get(name, 0) + qty
    return totals


def _lots(stock: Iterable[Available], asked: Mapping[str, int]) -> Lots:
    """The lots that matter by facility and product, in the order in which they should leave."""
    lots: dict[tuple[str, str], list[Available]] = defaultdict(list)
    for lot in stock:
        if lot.product in asked and lot.qty > 0:
            lots[lot.facility, lot.product].append(lot)
    for queue in lots.values():
        queue.sort(key=lambda lot: (lot.best_before or date.max, lot.made_on, lot.lot))
    return lots


def _served(wanted: Sequence[Wanted], flow: _Flow) -> dict[tuple[str, str], int]:
    """Pieces by booth and product: what there is of a product, shared fairly by what each booth asked."""
    there = _totals((product, qty) for given in flow.given.values() for product, qty in given.items())
    served: dict[tuple[str, str], int] = {}
    for product in sorted({want.product for want in wanted}):
        asks = {want.booth: {product: want.qty} for want in wanted if want.product == product}
        booths = _fill(asks, {product: there.get(product, 0)}, {})
        served.update({(booth, product): booths.total(booth) for booth in asks})
    return served


def _choose(served: Mapping[tuple[str, str], int], flow: _Flow, lots: Lots) -> Iterator[Chosen]:
    """Match booths with facilities, few pairs first, and take the lots."""
    supply: dict[str, dict[str, int]] = defaultdict(dict)
    for facility, given in flow.given.items():
        for product, qty in given.items():
            if qty > 0:
                supply[product][facility] = qty
    shelves = {pair: deque((lot, lot.qty) for lot in queue) for pair, queue in lots.items()}
    pairs: set[tuple[str, str]] = set()
    # Products with few givers first: their pairs are forced, and others can then use them too.
    for product in sorted(supply, key=lambda product: (len(supply[product]), product)):
        left = supply[product]
        needs = sorted((-qty, booth) for (booth, of), qty in served.items() if of == product)
        for need, booth in needs:
            missing = -need
            while missing > 0:
                facility = min(left, key=lambda f: ((f, booth) not in pairs, -left[f], f))
                qty = min(missing, left[facility])
                pairs.add((facility, booth))
                yield from _take(shelves[facility, product], booth, qty)
                missing -= qty
                left[facility] -= qty
                if left[facility] == 0:
                    del left[facility]


def _take(shelf: deque[tuple[Available, int]], booth: str, qty: int) -> Iterator[Chosen]:
    while qty > 0:
        lot, left = shelf.popleft()
        taken = min(qty, left)
        if taken < left:
            shelf.appendleft((lot, left - taken))
        yield Chosen(booth, lot, taken)
        qty -= taken


def _shares(offers: Offers, flow: _Flow, before: Mapping[str, Before]) -> Iterator[Share]:
    for facility in sorted(offers):
        earlier = before.get(facility, Before())
        offered = earlier.offered + sum(offers[facility].values())
        allocated = earlier.allocated + flow.total(facility)
        yield Share(facility, offered, allocated, _reason(facility, offered, allocated, flow))


def _reason(facility: str, offered: int, allocated: int, flow: _Flow) -> str:
    full = [product for product, left in flow.left[facility].items() if left > 0]
    if allocated == offered:
        return f"All {offered} pieces that it could offer of what was asked are taken."
    got = f"{allocated} of {offered} pieces ({allocated * 100 // offered} %)"
    if not full:
        return f"{got}: all that it has left of what was asked is taken."
    others = sorted(
        other
        for other, given in flow.given.items()
        if other != facility and any(given.get(product, 0) > 0 for product in full)
    )
    enough = f"{got}: no more was asked of {_names(full)}"
    if not others:
        return f"{enough}."
    return f"{enough}, which {_names(others)} can give too; the smallest share is made as large as it can be."


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
