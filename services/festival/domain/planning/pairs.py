"""Which facility serves which booth. The fewest pairs are sought, not promised: with fixed charges this is NP-hard.

Booths are served one after the other, each by the facility that can bring most of what it still lacks, until it
lacks nothing. What a facility gives may change while it does so, if others make up for it: its total may not.
Then `thin` takes away every pair that the others can do without. `fewest` is a bound below all such plans.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush, nlargest
from itertools import accumulate

from services.festival.domain.planning.booths import BoothIntake, BoothPieces, Intake
from services.festival.domain.planning.network import Network
from services.festival.domain.planning.shares import FacilityPieces

PairFlows = dict[tuple[str, str], dict[str, int]]

# How many facilities are looked at for one booth; how many nodes to find pairs that can be spared, for each pair that
# there is and for one search; and with how many edges none is sought. Steps, not time, so that a plan is the same on
# every machine.
SCORES = 200_000
LEAST_CANDIDATES = 16
SPARED = 100
NEAR = 1000
TOO_LARGE = 25_000


def assign_pairs(
    offers: FacilityPieces,
    given: FacilityPieces,
    booths: Sequence[BoothIntake],
    filled: BoothPieces,
    *,
    spread_evenly: bool,
) -> PairFlows:
    """Pieces by facility and booth, and product: each facility gives as many in all as in `given`, of each product
    no more than it offers. Each booth gets what it is `filled` with; if not `even`, perhaps something else."""
    needs: dict[str, dict[str, int]] = {}
    for (booth, product), qty in filled.items():
        if qty:
            needs.setdefault(booth, {})[product] = qty
    carried = _Assignment(offers, given).serve(needs)
    return _drop_spare_pairs(carried, offers, booths, spread_evenly=spread_evenly)


def fewest_pairs(
    offers: FacilityPieces,
    given: FacilityPieces,
    booths: Sequence[BoothIntake],
    filled: BoothPieces,
    *,
    spread_evenly: bool,
) -> int:
    """No plan in which each facility gives as many in all as in `given` (and, if `even`, each booth gets what it is
    `filled` with) has fewer pairs: whoever gives or gets so much needs at least so many partners, were each of them
    to take or bring as much as it could."""
    totals = {facility: sum(of.values()) for facility, of in given.items() if any(of.values())}
    could = _pair_limits(offers, totals, booths)
    from_all = sum(_partners_needed(could[facility].values(), total) for facility, total in totals.items())
    if not spread_evenly:
        whole = sum(totals.values())
        return max(from_all, _partners_needed((booth.capacity for booth in booths), whole) if whole else 0)
    gets: dict[str, int] = {}
    for (booth, _), qty in filled.items():
        gets[booth] = gets.get(booth, 0) + qty
    to_all = sum(
        _partners_needed((could[facility].get(booth, 0) for facility in totals), whole)
        for booth, whole in gets.items()
        if whole
    )
    return max(from_all, to_all)


def _pair_limits(
    offers: FacilityPieces, totals: Mapping[str, int], booths: Sequence[BoothIntake]
) -> dict[str, dict[str, int]]:
    """By facility and booth: no more than this can go from one to the other."""
    askers: dict[str, list[tuple[str, int]]] = {}
    for booth in booths:
        for product, asked in booth.asks.items():
            askers.setdefault(product, []).append((booth.id, asked))
    most = {booth.id: booth.capacity for booth in booths}
    if sum(len(askers.get(product, ())) for facility in totals for product in offers[facility]) > SCORES:
        return {
            facility: {booth: min(total, room) for booth, room in most.items()} for facility, total in totals.items()
        }
    could: dict[str, dict[str, int]] = {}
    for facility, total in totals.items():
        row: dict[str, int] = {}
        for product, offered in offers[facility].items():
            for id, asked in askers.get(product, ()):
                row[id] = row.get(id, 0) + (asked if asked < offered else offered)
        could[facility] = {booth: min(qty, total, most[booth]) for booth, qty in row.items()}
    return could


def _partners_needed(pieces: Iterable[int], qty: int) -> int:
    """How many of the largest it takes to have `qty`."""
    return bisect_left(list(accumulate(sorted(pieces, reverse=True))), qty) + 1


class _Assignment:
    """Facilities and products by number. `now`: what a facility would give of each product, as things stand;
    `left`: what it could. Sets of facilities are the bits of a number: to find one who could stand in is one `&`."""

    def __init__(self, offers: FacilityPieces, given: FacilityPieces) -> None:
        self.names = sorted(offers)
        products = sorted({product for of in offers.values() for product in of})
        self.products = products
        self.number = {product: number for number, product in enumerate(products)}
        self.left = [[offers[name].get(product, 0) for product in products] for name in self.names]
        self.now = [[given[name].get(product, 0) for product in products] for name in self.names]
        self.total = [sum(row) for row in self.now]
        self.offering = [0] * len(products)
        self.giving = [0] * len(products)
        self.roomy = [0] * len(products)
        for f in range(len(self.names)):
            for p in range(len(products)):
                if self.left[f][p]:
                    self._mark(f, p)

    def _mark(self, f: int, p: int) -> None:
        bit, now, left = 1 << f, self.now[f][p], self.left[f][p]
        self.offering[p] = self.offering[p] | bit if left else self.offering[p] & ~bit
        self.giving[p] = self.giving[p] | bit if now else self.giving[p] & ~bit
        self.roomy[p] = self.roomy[p] | bit if left > now else self.roomy[p] & ~bit

    def serve(self, needs: Mapping[str, Mapping[str, int]]) -> PairFlows:
        carried: PairFlows = {}
        most = max(LEAST_CANDIDATES, SCORES // max(1, sum(len(need) for need in needs.values())))
        for booth in sorted(needs, key=lambda booth: (-sum(needs[booth].values()), booth)):
            need = {self.number[product]: qty for product, qty in needs[booth].items()}
            while need:
                for f, p, qty in self._round(need, most):
                    row = carried.setdefault((self.names[f], booth), {})
                    row[self.products[p]] = row.get(self.products[p], 0) + qty
        return carried

    def _round(self, need: dict[int, int], most: int) -> Iterator[tuple[int, int, int]]:
        """Who can bring most comes first; how much that is only falls, so it is worked out anew when it is due."""
        queue = [(*self._rank(f, need), f) for f in self._candidates(need, most)]
        heapify(queue)
        moved = False
        while queue and need:
            rank = heappop(queue)
            f = rank[-1]
            again = (*self._rank(f, need), f)
            if not again[0]:
                continue
            if queue and again > queue[0]:
                heappush(queue, again)
                continue
            for p, qty in self._bring(f, need):
                moved = True
                yield f, p, qty
        if need and not moved:
            p = min(need)
            f = (self.giving[p] & -self.giving[p]).bit_length() - 1
            qty = min(need[p], self.now[f][p])
            self._take(f, p, qty, need)
            yield f, p, qty

    def _rank(self, f: int, need: Mapping[int, int]) -> tuple[int, int]:
        """Most brought first; of equals who then has least left, so that big ones stay whole."""
        row, total = self.left[f], self.total[f]
        could = 0
        for p, qty in need.items():
            has = row[p]
            could += has if has < qty else qty
        could = min(could, total)
        return -could, total - could

    def _candidates(self, need: Iterable[int], most: int) -> list[int]:
        some = 0
        for p in need:
            some |= self.offering[p]
        total = self.total
        found = [f for f, bit in enumerate(bin(some)[:1:-1]) if bit == "1" and total[f]]
        return found if len(found) <= most else nlargest(most, found, key=total.__getitem__)

    def _bring(self, f: int, need: dict[int, int]) -> list[tuple[int, int]]:
        """All that facility `f` can bring of what is needed."""
        now, left = self.now[f], self.left[f]
        spare = {p: qty - min(qty, need.get(p, 0)) for p, qty in enumerate(now) if qty > need.get(p, 0)}
        for p, qty in need.items():
            lacking = min(qty, left[p]) - now[p]
            if lacking > 0 and spare:
                self._exchange(f, p, lacking, spare)
        brought = [(p, min(qty, now[p])) for p, qty in need.items() if now[p]]
        for p, qty in brought:
            self._take(f, p, qty, need)
        return brought

    def _exchange(self, f: int, p: int, lacking: int, spare: dict[int, int]) -> None:
        """Let `f` give more of `p` and less of what it can spare, and others the other way round."""
        not_me = ~(1 << f)
        for q in list(spare):
            while lacking and (able := self.giving[p] & self.roomy[q] & not_me):
                other = (able & -able).bit_length() - 1
                theirs = self.now[other]
                qty = min(lacking, spare[q], theirs[p], self.left[other][q] - theirs[q])
                self.now[f][p] += qty
                self.now[f][q] -= qty
                theirs[p] -= qty
                theirs[q] += qty
                for who in (f, other):
                    self._mark(who, p)
                    self._mark(who, q)
                lacking -= qty
                spare[q] -= qty
                if not spare[q]:
                    del spare[q]
                    break
            if not lacking:
                return

    def _take(self, f: int, p: int, qty: int, need: dict[int, int]) -> None:
        self.now[f][p] -= qty
        self.left[f][p] -= qty
        self.total[f] -= qty
        self._mark(f, p)
        need[p] -= qty
        if not need[p]:
            del need[p]


def _drop_spare_pairs(
    carried: PairFlows, offers: FacilityPieces, booths: Sequence[BoothIntake], *, spread_evenly: bool
) -> PairFlows:
    """Without the pairs that the others can do without, smallest first."""
    asks = {booth.id: len(booth.asks) for booth in booths}
    if sum(asks[booth] for _, booth in carried) > TOO_LARGE:
        return dict(sorted(carried.items()))
    sizes = sorted((sum(row.values()), pair) for pair, row in carried.items())
    routes = _OpenPairs(carried, offers, booths, spread_evenly=spread_evenly)
    open_pairs = Counter(facility for facility, _ in carried)
    spared: set[tuple[str, str]] = set()
    for _, pair in sizes:
        if routes.network.seen > SPARED * len(carried):
            break
        if open_pairs[pair[0]] > 1 and routes.close(pair):
            open_pairs[pair[0]] -= 1
            spared.add(pair)
    return routes.carried(pair for pair in carried if pair not in spared)


class _OpenPairs:
    """facility → what it offers of a product → what a booth asked of it → the booth, along the pairs that are open.
    If `even`, every booth keeps what it gets; else it may get other pieces, within its rules."""

    def __init__(
        self, carried: PairFlows, offers: FacilityPieces, booths: Sequence[BoothIntake], *, spread_evenly: bool
    ) -> None:
        self.facilities = {facility: number for number, facility in enumerate(sorted({f for f, _ in carried}))}
        shelves = [(f, p) for f in self.facilities for p in offers[f]]
        nodes = {shelf: number for number, shelf in enumerate(shelves, len(self.facilities))}
        wants = [(booth.id, product) for booth in booths for product in booth.asks]
        self.wants = {want: number for number, want in enumerate(wants, len(self.facilities) + len(shelves))}
        out = dict.fromkeys(shelves, 0)
        filled = dict.fromkeys(wants, 0)
        for (facility, booth), row in carried.items():
            for product, qty in row.items():
                out[facility, product] += qty
                filled[booth, product] += qty
        self.intake = Intake(booths, self.wants, len(self.facilities) + len(shelves) + len(wants))
        self.network = Network(self.intake.nodes)
        self.intake.add_edge(self.network, filled, full=spread_evenly)
        self.shelf = {
            (f, p): self.network.add_edge(self.facilities[f], node, offers[f][p] - out[f, p], out[f, p])
            for (f, p), node in nodes.items()
        }
        asks = {booth.id: booth.asks for booth in booths}
        self.edges: dict[tuple[str, str], dict[str, int]] = {}
        for (facility, booth), row in carried.items():
            self.edges[facility, booth] = {
                product: self.network.add_edge(
                    nodes[facility, product],
                    self.wants[booth, product],
                    asked - row.get(product, 0),
                    row.get(product, 0),
                )
                for product, asked in asks[booth].items()
                if product in offers[facility]
            }

    def close(self, pair: tuple[str, str]) -> bool:
        """Send along other open pairs what goes along this one. If that can't be, it stays open."""
        facility, booth = pair
        network, intake = self.network, self.intake
        cap, end = network.cap, intake.ends[booth]
        network.moves.clear()
        closed = [(edge, cap[edge], cap[edge ^ 1]) for edge in self.edges[pair].values()]
        ways: list[tuple[int, int]] = []
        for product, edge in self.edges[pair].items():
            if qty := cap[edge ^ 1]:
                ways += [(along, qty) for along in (self.shelf[facility, product], *intake.path(booth, product))]
            cap[edge] = cap[edge ^ 1] = 0
        for along, qty in ways:
            cap[along] += qty
            cap[along ^ 1] -= qty
        moved = sum(flow for _, _, flow in closed)
        room = dict(intake.room)
        intake.room[end] += moved
        if not network.push({self.facilities[facility]: moved}, intake.room, NEAR):
            return True
        intake.room = room
        network.undo_moves()
        for along, qty in ways:
            cap[along] -= qty
            cap[along ^ 1] += qty
        for edge, left, flow in closed:
            cap[edge], cap[edge ^ 1] = left, flow
        return False

    def carried(self, pairs: Iterable[tuple[str, str]]) -> PairFlows:
        cap = self.network.cap
        rows = {
            pair: {product: cap[edge ^ 1] for product, edge in self.edges[pair].items() if cap[edge ^ 1]}
            for pair in pairs
        }
        return {pair: row for pair, row in sorted(rows.items()) if row}
