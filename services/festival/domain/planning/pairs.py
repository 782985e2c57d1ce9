"""Which facility serves which booth, with few pairs. The fewest are not promised: with fixed charges this is NP-hard.

Booths are served one after the other. Each is served by the facility that can bring most of its remaining need, until
the need is met. A facility's products may change on the way if other facilities compensate; its total may not.
Then `_drop_spare_pairs` removes every pair whose flow fits along the others. `fewest_pairs` is a lower bound.
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

# Limits of the search, in steps and not in time, so that a plan is the same on every machine.
# SCORES, LEAST_CANDIDATES: the facilities considered for one booth. SPARED, NEAR: the nodes that the search for spare
# pairs may visit, per pair and per search. TOO_LARGE: with more edges no spare pair is sought.
SCORES = 200_000
LEAST_CANDIDATES = 16
SPARED = 100
NEAR = 1000
TOO_LARGE = 25_000


def assign_pairs(
    offers: FacilityPieces,
    supplied: FacilityPieces,
    booths: Sequence[BoothIntake],
    filled: BoothPieces,
    *,
    spread_evenly: bool,
) -> PairFlows:
    """Pieces by facility and booth, and product.

    Each facility gives as many in all as in `supplied`, and of each product no more than it offers. Each booth gets
    the pieces that it is `filled` with. Without `spread_evenly`, other pieces may replace them.
    """
    needs: dict[str, dict[str, int]] = {}
    for (booth, product), qty in filled.items():
        if qty:
            needs.setdefault(booth, {})[product] = qty
    flows = _Assignment(offers, supplied).serve(needs)
    return _drop_spare_pairs(flows, offers, booths, spread_evenly=spread_evenly)


def fewest_pairs(
    offers: FacilityPieces,
    supplied: FacilityPieces,
    booths: Sequence[BoothIntake],
    filled: BoothPieces,
    *,
    spread_evenly: bool,
) -> int:
    """A lower bound on the pairs of every plan with the same total of each facility as in `supplied`.

    With `spread_evenly` the pieces of each booth in `filled` are the same too. A facility or booth needs at least as
    many partners as if each of them carried the most that it can.
    """
    totals = {facility: sum(row.values()) for facility, row in supplied.items() if any(row.values())}
    limits = _pair_limits(offers, totals, booths)
    pairs_of_facilities = sum(
        _partners_needed(limits[facility].values(), total) for facility, total in totals.items()
    )
    if not spread_evenly:
        whole = sum(totals.values())
        return max(pairs_of_facilities, _partners_needed((booth.capacity for booth in booths), whole) if whole else 0)
    intakes: dict[str, int] = {}
    for (booth, _), qty in filled.items():
        intakes[booth] = intakes.get(booth, 0) + qty
    pairs_of_booths = sum(
        _partners_needed((limits[facility].get(booth, 0) for facility in totals), whole)
        for booth, whole in intakes.items()
        if whole
    )
    return max(pairs_of_facilities, pairs_of_booths)


def _pair_limits(
    offers: FacilityPieces, totals: Mapping[str, int], booths: Sequence[BoothIntake]
) -> dict[str, dict[str, int]]:
    """Upper bounds by facility and booth on the pieces that one can send to the other."""
    askers: dict[str, list[tuple[str, int]]] = {}
    for booth in booths:
        for product, demand in booth.asks.items():
            askers.setdefault(product, []).append((booth.id, demand))
    capacities = {booth.id: booth.capacity for booth in booths}
    if sum(len(askers.get(product, ())) for facility in totals for product in offers[facility]) > SCORES:
        return {
            facility: {booth: min(total, room) for booth, room in capacities.items()}
            for facility, total in totals.items()
        }
    limits: dict[str, dict[str, int]] = {}
    for facility, total in totals.items():
        row: dict[str, int] = {}
        for product, offered in offers[facility].items():
            for id, demand in askers.get(product, ()):
                row[id] = row.get(id, 0) + (demand if demand < offered else offered)
        limits[facility] = {booth: min(qty, total, capacities[booth]) for booth, qty in row.items()}
    return limits


def _partners_needed(pieces: Iterable[int], qty: int) -> int:
    """How many of the largest of `pieces` add up to at least `qty`."""
    return bisect_left(list(accumulate(sorted(pieces, reverse=True))), qty) + 1


class _Assignment:
    """The greedy search, with facilities and products by number.

    `current`: the pieces of each product that a facility is to give; `left`: the pieces that it could give. Sets of
    facilities are bits of an integer, so that one `&` finds a facility that can compensate.
    """

    def __init__(self, offers: FacilityPieces, supplied: FacilityPieces) -> None:
        self.names = sorted(offers)
        products = sorted({product for row in offers.values() for product in row})
        self.products = products
        self.number = {product: number for number, product in enumerate(products)}
        self.left = [[offers[name].get(product, 0) for product in products] for name in self.names]
        self.current = [[supplied[name].get(product, 0) for product in products] for name in self.names]
        self.total = [sum(row) for row in self.current]
        self.offering = [0] * len(products)
        self.giving = [0] * len(products)
        self.roomy = [0] * len(products)
        for f in range(len(self.names)):
            for p in range(len(products)):
                if self.left[f][p]:
                    self._mark(f, p)

    def _mark(self, f: int, p: int) -> None:
        bit, current, limit = 1 << f, self.current[f][p], self.left[f][p]
        self.offering[p] = self.offering[p] | bit if limit else self.offering[p] & ~bit
        self.giving[p] = self.giving[p] | bit if current else self.giving[p] & ~bit
        self.roomy[p] = self.roomy[p] | bit if limit > current else self.roomy[p] & ~bit

    def serve(self, needs: Mapping[str, Mapping[str, int]]) -> PairFlows:
        """The flows that meet the needs of the booths: pieces by booth and product."""
        flows: PairFlows = {}
        most_candidates = max(LEAST_CANDIDATES, SCORES // max(1, sum(len(need) for need in needs.values())))
        for booth in sorted(needs, key=lambda booth: (-sum(needs[booth].values()), booth)):
            need = {self.number[product]: qty for product, qty in needs[booth].items()}
            while need:
                for f, p, qty in self._round(need, most_candidates):
                    row = flows.setdefault((self.names[f], booth), {})
                    row[self.products[p]] = row.get(self.products[p], 0) + qty
        return flows

    def _round(self, need: dict[int, int], most_candidates: int) -> Iterator[tuple[int, int, int]]:
        """Yield facility, product and pieces, the facility that can bring most first.

        A rank can only fall, so it is computed anew only when it comes up.
        """
        queue = [(*self._rank(f, need), f) for f in self._candidates(need, most_candidates)]
        heapify(queue)
        moved = False
        while queue and need:
            rank = heappop(queue)
            f = rank[-1]
            current = (*self._rank(f, need), f)
            if not current[0]:
                continue
            if queue and current > queue[0]:
                heappush(queue, current)
                continue
            for p, qty in self._bring(f, need):
                moved = True
                yield f, p, qty
        if need and not moved:
            p = min(need)
            f = (self.giving[p] & -self.giving[p]).bit_length() - 1
            qty = min(need[p], self.current[f][p])
            self._take(f, p, qty, need)
            yield f, p, qty

    def _rank(self, f: int, need: Mapping[int, int]) -> tuple[int, int]:
        """A sort key: most pieces first; of equals the facility with least left, so that large offers stay whole."""
        row, total = self.left[f], self.total[f]
        brings = 0
        for p, qty in need.items():
            offered = row[p]
            brings += offered if offered < qty else qty
        brings = min(brings, total)
        return -brings, total - brings

    def _candidates(self, need: Iterable[int], most: int) -> list[int]:
        offering = 0
        for p in need:
            offering |= self.offering[p]
        total = self.total
        candidates = [f for f, bit in enumerate(bin(offering)[:1:-1]) if bit == "1" and total[f]]
        return candidates if len(candidates) <= most else nlargest(most, candidates, key=total.__getitem__)

    def _bring(self, f: int, need: dict[int, int]) -> list[tuple[int, int]]:
        """Move all pieces of the need that facility `f` can bring; return them by product."""
        current, limits = self.current[f], self.left[f]
        spare = {p: qty - min(qty, need.get(p, 0)) for p, qty in enumerate(current) if qty > need.get(p, 0)}
        for p, qty in need.items():
            lacking = min(qty, limits[p]) - current[p]
            if lacking > 0 and spare:
                self._swap(f, p, lacking, spare)
        brought = [(p, min(qty, current[p])) for p, qty in need.items() if current[p]]
        for p, qty in brought:
            self._take(f, p, qty, need)
        return brought

    def _swap(self, f: int, p: int, lacking: int, spare: dict[int, int]) -> None:
        """Let `f` give more of `p` and less of its spare products, and other facilities the opposite."""
        not_me = ~(1 << f)
        for q in list(spare):
            while lacking and (partners := self.giving[p] & self.roomy[q] & not_me):
                other = (partners & -partners).bit_length() - 1
                theirs = self.current[other]
                qty = min(lacking, spare[q], theirs[p], self.left[other][q] - theirs[q])
                self.current[f][p] += qty
                self.current[f][q] -= qty
                theirs[p] -= qty
                theirs[q] += qty
                for facility in (f, other):
                    self._mark(facility, p)
                    self._mark(facility, q)
                lacking -= qty
                spare[q] -= qty
                if not spare[q]:
                    del spare[q]
                    break
            if not lacking:
                return

    def _take(self, f: int, p: int, qty: int, need: dict[int, int]) -> None:
        self.current[f][p] -= qty
        self.left[f][p] -= qty
        self.total[f] -= qty
        self._mark(f, p)
        need[p] -= qty
        if not need[p]:
            del need[p]


def _drop_spare_pairs(
    flows: PairFlows, offers: FacilityPieces, booths: Sequence[BoothIntake], *, spread_evenly: bool
) -> PairFlows:
    """The flows without spare pairs. The smallest pairs are tried first."""
    products_asked = {booth.id: len(booth.asks) for booth in booths}
    if sum(products_asked[booth] for _, booth in flows) > TOO_LARGE:
        return dict(sorted(flows.items()))
    sizes = sorted((sum(row.values()), pair) for pair, row in flows.items())
    routes = _OpenPairs(flows, offers, booths, spread_evenly=spread_evenly)
    open_pairs = Counter(facility for facility, _ in flows)
    spared: set[tuple[str, str]] = set()
    for _, pair in sizes:
        if routes.network.visited > SPARED * len(flows):
            break
        if open_pairs[pair[0]] > 1 and routes.close(pair):
            open_pairs[pair[0]] -= 1
            spared.add(pair)
    return routes.flows(pair for pair in flows if pair not in spared)


class _OpenPairs:
    """The network facility → its offer of a product → a booth's demand of it → the booth, along open pairs.

    With `spread_evenly` every booth keeps its pieces. Otherwise other pieces may replace them, within its rules.
    """

    def __init__(
        self, flows: PairFlows, offers: FacilityPieces, booths: Sequence[BoothIntake], *, spread_evenly: bool
    ) -> None:
        self.facilities = {facility: number for number, facility in enumerate(sorted({f for f, _ in flows}))}
        shelves = [(f, p) for f in self.facilities for p in offers[f]]
        nodes = {shelf: number for number, shelf in enumerate(shelves, len(self.facilities))}
        demands = [(booth.id, product) for booth in booths for product in booth.asks]
        self.demands = {demand: number for number, demand in enumerate(demands, len(self.facilities) + len(shelves))}
        supplied = dict.fromkeys(shelves, 0)
        filled = dict.fromkeys(demands, 0)
        for (facility, booth), row in flows.items():
            for product, qty in row.items():
                supplied[facility, product] += qty
                filled[booth, product] += qty
        self.intake = Intake(booths, self.demands, len(self.facilities) + len(shelves) + len(demands))
        self.network = Network(self.intake.nodes)
        self.intake.add_edges(self.network, filled, full=spread_evenly)
        self.shelf = {
            (f, p): self.network.add_edge(self.facilities[f], node, offers[f][p] - supplied[f, p], supplied[f, p])
            for (f, p), node in nodes.items()
        }
        asks = {booth.id: booth.asks for booth in booths}
        self.edges: dict[tuple[str, str], dict[str, int]] = {}
        for (facility, booth), row in flows.items():
            self.edges[facility, booth] = {
                product: self.network.add_edge(
                    nodes[facility, product],
                    self.demands[booth, product],
                    demand - row.get(product, 0),
                    row.get(product, 0),
                )
                for product, demand in asks[booth].items()
                if product in offers[facility]
            }

    def close(self, pair: tuple[str, str]) -> bool:
        """Close the pair if the other open pairs can carry its flow; return whether they can."""
        facility, booth = pair
        network, intake = self.network, self.intake
        cap, end = network.cap, intake.ends[booth]
        network.moves.clear()
        closed = [(edge, cap[edge], cap[edge ^ 1]) for edge in self.edges[pair].values()]
        path_flows: list[tuple[int, int]] = []
        for product, edge in self.edges[pair].items():
            if qty := cap[edge ^ 1]:
                path_flows += [(step, qty) for step in (self.shelf[facility, product], *intake.path(booth, product))]
            cap[edge] = cap[edge ^ 1] = 0
        for step, qty in path_flows:
            cap[step] += qty
            cap[step ^ 1] -= qty
        moved = sum(flow for _, _, flow in closed)
        room = dict(intake.room)
        intake.room[end] += moved
        if not network.push({self.facilities[facility]: moved}, intake.room, NEAR):
            return True
        intake.room = room
        network.undo_moves()
        for step, qty in path_flows:
            cap[step] -= qty
            cap[step ^ 1] += qty
        for edge, capacity, flow in closed:
            cap[edge], cap[edge ^ 1] = capacity, flow
        return False

    def flows(self, pairs: Iterable[tuple[str, str]]) -> PairFlows:
        """The pieces by pair and product, without empty pairs."""
        cap = self.network.cap
        rows = {
            pair: {product: cap[edge ^ 1] for product, edge in self.edges[pair].items() if cap[edge ^ 1]}
            for pair in pairs
        }
        return {pair: row for pair, row in sorted(rows.items()) if row}
