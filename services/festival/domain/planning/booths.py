"""What booths can take: their demands, category limits and capacities, as a network behind the products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.festival.domain.planning.max_min import Claim, water_fill
from services.festival.domain.planning.network import Network
from services.festival.domain.planning.terms import RequestDemand, Rules

BoothPieces: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class BoothIntake:
    """`asks`: pieces by product. `limits`: by category, the products and how many pieces of them; only such as
    bind. `capacity`: pieces; all that is asked if that is less."""

    id: str
    asks: Mapping[str, int]
    limits: tuple[tuple[tuple[str, ...], int], ...]
    capacity: int

    @property
    def bound(self) -> bool:
        """Whether the booth can't take all that it asked."""
        return bool(self.limits) or self.capacity < sum(self.asks.values())


def booth_intakes(wanted: Sequence[RequestDemand], rules: Rules) -> list[BoothIntake]:
    """The booths that want something, by id."""
    asks: dict[str, dict[str, int]] = {}
    for want in wanted:
        asks.setdefault(want.booth, {})[want.product] = want.qty
    return [_booth_intake(id, dict(sorted(of.items())), rules) for id, of in sorted(asks.items())]


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
    """The ways into booths, in a network from node `first` on. What a booth asked of a product comes from the node
    that `sources` names for the product, or for booth and product."""

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

    def add_edge(self, network: Network, filled: BoothPieces, *, full: bool = False) -> None:
        """Join the booths' edges, with what they are `filled` with already, and room for no more if they are
        `full`."""
        for booth in self.booths:
            end = self.ends[booth.id]
            there = {product: filled.get((booth.id, product), 0) for product in booth.asks}
            entry = dict.fromkeys(booth.asks, end)
            for node, (products, limit) in enumerate(booth.limits, end + 1):
                inside = sum(there[product] for product in products)
                edge = network.add_edge(node, end, 0 if full else limit - inside, inside)
                for product in products:
                    entry[product] = node
                    self._limits[booth.id, product] = edge
            for product, asked in booth.asks.items():
                source = self.sources.get((booth.id, product), self.sources.get(product))
                if source is not None:
                    more = 0 if full else asked - there[product]
                    self.edges[booth.id, product] = network.add_edge(source, entry[product], more, there[product])
            self.room[end] = 0 if full else booth.capacity - sum(there.values())

    def path(self, booth: str, product: str) -> Iterator[int]:
        """The edges from the source of the product to the booth's end."""
        yield self.edges[booth, product]
        if (booth, product) in self._limits:
            yield self._limits[booth, product]

    def flows(self, network: Network) -> dict[tuple[str, str], int]:
        return {pair: network.cap[edge ^ 1] for pair, edge in self.edges.items()}


def fill(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], *, spread_evenly: bool
) -> dict[tuple[str, str], int]:
    """All of `supply` (by product, as much as the booths can take together) given to the booths, by booth and
    product: each an even part of what it asked, as far as rules let; or else few booths, but these in full."""
    parts = _fill_evenly(booths, supply) if spread_evenly else _fill_in_full(booths, supply)
    filled: dict[tuple[str, str], int] = {}
    for booth in booths:
        mine = {product: parts.get((booth.id, product), 0) for product in booth.asks}
        for products, limit in booth.limits:
            mine.update(_cap_evenly({product: mine[product] for product in products}, limit))
        for product, qty in _cap_evenly(mine, booth.capacity).items():
            filled[booth.id, product] = qty
    if spread_evenly:
        _spread_remainder(booths, supply, filled)
    return _place_remainder(booths, supply, filled)


def _spread_remainder(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], filled: dict[tuple[str, str], int]
) -> None:
    """What rules cut off goes to other booths that have room, evenly as well: added to `filled`, product by
    product."""
    room = {booth.id: booth.capacity for booth in booths}
    for (id, _), qty in filled.items():
        room[id] -= qty
    for product, left in sorted(_remainder(supply, filled).items()):
        if not left:
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
        for booth, qty in zip(askers, water_fill(left, claims), strict=True):
            filled[booth.id, product] = filled.get((booth.id, product), 0) + qty
            room[booth.id] -= qty


def _headroom(booth: BoothIntake, product: str, filled: BoothPieces) -> int:
    """How many pieces more of the product its wish and its limits let the booth take."""
    most = booth.asks[product] - filled.get((booth.id, product), 0)
    for products, limit in booth.limits:
        if product in products:
            most = min(most, limit - sum(filled.get((booth.id, one), 0) for one in products))
    return most


def _remainder(supply: Mapping[str, int], filled: BoothPieces) -> dict[str, int]:
    left = dict(supply)
    for (_, product), qty in filled.items():
        left[product] = left.get(product, 0) - qty
    return left


def _place_remainder(
    booths: Sequence[BoothIntake], supply: Mapping[str, int], filled: dict[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """What rules cut off goes to other booths, who may have to make room for it."""
    left = _remainder(supply, filled)
    if not any(left.values()):
        return filled
    nodes = {product: number for number, product in enumerate(sorted(left))}
    intake = Intake(booths, nodes, len(nodes))
    network = Network(intake.nodes)
    intake.add_edge(network, filled)
    network.push({nodes[product]: qty for product, qty in left.items()}, intake.room)
    return intake.flows(network)


def _fill_evenly(booths: Sequence[BoothIntake], supply: Mapping[str, int]) -> dict[tuple[str, str], int]:
    parts: dict[tuple[str, str], int] = {}
    for product, there in supply.items():
        askers = sorted((booth.asks[product], booth.id) for booth in booths if product in booth.asks)
        claims = [Claim(asked, asked) for asked, _ in askers]
        for (_, id), qty in zip(askers, water_fill(there, claims), strict=True):
            parts[id, product] = qty
    return parts


def _fill_in_full(booths: Sequence[BoothIntake], supply: Mapping[str, int]) -> dict[tuple[str, str], int]:
    left = dict(supply)
    parts: dict[tuple[str, str], int] = {}
    for booth in sorted(booths, key=lambda booth: (-booth.capacity, booth.id)):
        mine = {product: min(asked, left.get(product, 0)) for product, asked in booth.asks.items()}
        for products, limit in booth.limits:
            mine.update(_cap_evenly({product: mine[product] for product in products}, limit))
        for product, qty in _cap_evenly(mine, booth.capacity).items():
            parts[booth.id, product] = qty
            left[product] = left.get(product, 0) - qty
    return parts


def _cap_evenly(parts: dict[str, int], limit: int) -> dict[str, int]:
    """As much of each as the limit lets: evenly."""
    if sum(parts.values()) <= limit:
        return parts
    return dict(zip(parts, water_fill(limit, [Claim(qty, max(1, qty)) for qty in parts.values()]), strict=True))
