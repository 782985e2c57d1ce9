"""The intake of booths (demands, category limits, capacities) as a flow network behind the products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.festival.domain.planning.max_min import Claim, water_fill
from services.festival.domain.planning.network import Network
from services.festival.domain.planning.terms import RequestDemand, Rules

BoothPieces: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class BoothIntake:
    """A booth as the planner sees it.

    `asks`: pieces by product. `limits`: by category, its products and the most pieces of them; only limits below the
    demand. `capacity`: pieces, at most the whole demand.
    """

    id: str
    asks: Mapping[str, int]
    limits: tuple[tuple[tuple[str, ...], int], ...]
    capacity: int

    @property
    def constrained(self) -> bool:
        """Whether a rule keeps the booth from taking its whole demand."""
        return bool(self.limits) or self.capacity < sum(self.asks.values())


def booth_intakes(demands: Sequence[RequestDemand], rules: Rules) -> list[BoothIntake]:
    """The intake of every booth with a demand, by id."""
    asks: dict[str, dict[str, int]] = {}
    for demand in demands:
        asks.setdefault(demand.booth, {})[demand.product] = demand.qty
    return [_booth_intake(id, dict(sorted(products.items())), rules) for id, products in sorted(asks.items())]


def _booth_intake(id: str, asks: Mapping[str, int], rules: Rules) -> BoothIntake:
    whole = sum(asks.values())
    groups: dict[str, list[str]] = {}
    if rules.limits:
        for product in asks:
            groups.setdefault(rules.categories.get((id, product), ""), []).append(product)
    limits = tuple(
        (tuple(products), rules.limits[id, category])
        for category, products in sorted(groups.items())
        if rules.limits.get((id, category), whole) < sum(asks[product] for product in products)
    )
    return BoothIntake(id, asks, limits, max(0, min(whole, rules.capacity.get(id, whole))))


class Intake:
    """The edges into booths, in a network from node `first` on.

    `sources` names the node that a demand is served from: by product, or by booth and product.
    """

    def __init__(self, booths: Sequence[BoothIntake], sources: Mapping[Any, int], first: int) -> None:
        self.booths = booths
        self.sources = sources
        self.nodes = first
        self.ends: dict[str, int] = {}
        self.room: dict[int, int] = {}
        self.edges: dict[tuple[str, str], int] = {}
        self._limits: dict[tuple[str, str], int] = {}
        for booth in booths:
            self.ends[booth.id] = self.nodes
            self.nodes += 1 + len(booth.limits)

    def add_edges(self, network: Network, filled: BoothPieces, *, full: bool = False) -> None:
        """Add the booths' edges to the network, with the flow that they are `filled` with. `full` leaves no room for
        more."""
        for booth in self.booths:
            end = self.ends[booth.id]
            flow = {product: filled.get((booth.id, product), 0) for product in booth.asks}
            entry = dict.fromkeys(booth.asks, end)
            for node, (products, limit) in enumerate(booth.limits, end + 1):
                used = sum(flow[product] for product in products)
                edge = network.add_edge(node, end, 0 if full else limit - used, used)
                for product in products:
                    entry[product] = node
                    self._limits[booth.id, product] = edge
            for product, demand in booth.asks.items():
                source = self.sources.get((booth.id, product), self.sources.get(product))
                if source is not None:
                    room = 0 if full else demand - flow[product]
                    self.edges[booth.id, product] = network.add_edge(source, entry[product], room, flow[product])
            self.room[end] = 0 if full else booth.capacity - sum(flow.values())

    def path(self, booth: str, product: str) -> Iterator[int]:
        """The edges from the product's source to the booth's end."""
        yield self.edges[booth, product]
        if (booth, product) in self._limits:
            yield self._limits[booth, product]

    def flows(self, network: Network) -> dict[tuple[str, str], int]:
        """Pieces by booth and product."""
        return {pair: network.cap[edge ^ 1] for pair, edge in self.edges.items()}


def fill(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], *, spread_evenly: bool
) -> dict[tuple[str, str], int]:
    """Pieces by booth and product, when the booths take all of `supply` (by product).

    Either each booth gets an even part of its demand, as far as rules allow, or few booths are served in full. The
    booths together must be able to take the supply.
    """
    parts = _fill_evenly(booths, supply) if spread_evenly else _fill_in_full(booths, supply)
    filled: dict[tuple[str, str], int] = {}
    for booth in booths:
        intake = {product: parts.get((booth.id, product), 0) for product in booth.asks}
        for products, limit in booth.limits:
            intake.update(_cap_evenly({product: intake[product] for product in products}, limit))
        for product, qty in _cap_evenly(intake, booth.capacity).items():
            filled[booth.id, product] = qty
    if spread_evenly:
        _spread_remainder(booths, supply, filled)
    return _place_remainder(booths, supply, filled)


def _spread_remainder(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], filled: dict[tuple[str, str], int]
) -> None:
    """Add to `filled`, product by product, the supply that rules cut off: evenly, to booths with room."""
    room = {booth.id: booth.capacity for booth in booths}
    for (id, _), qty in filled.items():
        room[id] -= qty
    for product, remainder in sorted(_remainder(supply, filled).items()):
        if not remainder:
            continue
        askers = sorted(
            (booth for booth in booths if product in booth.asks), key=lambda booth: (booth.asks[product], booth.id)
        )
        claims = [
            Claim(
                min(room[booth.id], _headroom(booth, product, filled)),
                booth.asks[product],
                filled.get((booth.id, product), 0),
            )
            for booth in askers
        ]
        for booth, qty in zip(askers, water_fill(remainder, claims), strict=True):
            filled[booth.id, product] = filled.get((booth.id, product), 0) + qty
            room[booth.id] -= qty


def _headroom(booth: BoothIntake, product: str, filled: BoothPieces) -> int:
    """How many more pieces of the product the booth's demand and limits allow."""
    most = booth.asks[product] - filled.get((booth.id, product), 0)
    for products, limit in booth.limits:
        if product in products:
            most = min(most, limit - sum(filled.get((booth.id, other), 0) for other in products))
    return most


def _remainder(supply: Mapping[str, int], filled: BoothPieces) -> dict[str, int]:
    remainder = dict(supply)
    for (_, product), qty in filled.items():
        remainder[product] = remainder.get(product, 0) - qty
    return remainder


def _place_remainder(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], filled: dict[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """`filled` with the supply that rules cut off: other booths take it and may make room by giving up pieces."""
    remainder = _remainder(supply, filled)
    if not any(remainder.values()):
        return filled
    nodes = {product: number for number, product in enumerate(sorted(remainder))}
    intake = Intake(booths, nodes, len(nodes))
    network = Network(intake.nodes)
    intake.add_edges(network, filled)
    network.push({nodes[product]: qty for product, qty in remainder.items()}, intake.room)
    return intake.flows(network)


def _fill_evenly(booths: Sequence[BoothIntake], supply: Mapping[str, int]) -> dict[tuple[str, str], int]:
    parts: dict[tuple[str, str], int] = {}
    for product, total in supply.items():
        askers = sorted((booth.asks[product], booth.id) for booth in booths if product in booth.asks)
        claims = [Claim(demand, demand) for demand, _ in askers]
        for (_, id), qty in zip(askers, water_fill(total, claims), strict=True):
            parts[id, product] = qty
    return parts


def _fill_in_full(booths: Sequence[BoothIntake], supply: Mapping[str, int]) -> dict[tuple[str, str], int]:
    remainder = dict(supply)
    parts: dict[tuple[str, str], int] = {}
    for booth in sorted(booths, key=lambda booth: (-booth.capacity, booth.id)):
        intake = {product: min(demand, remainder.get(product, 0)) for product, demand in booth.asks.items()}
        for products, limit in booth.limits:
            intake.update(_cap_evenly({product: intake[product] for product in products}, limit))
        for product, qty in _cap_evenly(intake, booth.capacity).items():
            parts[booth.id, product] = qty
            remainder[product] = remainder.get(product, 0) - qty
    return parts


def _cap_evenly(parts: dict[str, int], limit: int) -> dict[str, int]:
    """The pieces of `parts` that fit the limit: the same share of each."""
    if sum(parts.values()) <= limit:
        return parts
    return dict(zip(parts, water_fill(limit, [Claim(qty, max(1, qty)) for qty in parts.values()]), strict=True))
