"""Which facility gives how much: every facility's fair share of all that the booths can take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.festival.domain.planning.booths import BoothIntake, Intake
from services.festival.domain.planning.max_min import Claim, balance_shares
from services.festival.domain.planning.network import Network
from services.festival.domain.planning.terms import EarlierShare

FacilityPieces = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Supplier:
    """What a facility offers by product, what it gave before, and its programme weight."""

    id: str
    offers: Mapping[str, int]
    before: EarlierShare
    weight: int

    @property
    def claim(self) -> Claim:
        most = sum(self.offers.values())
        return Claim(most, (most + self.before.offered) * self.weight, self.before.allocated)


def max_min_shares(givers: Sequence[Supplier], booths: Sequence[BoothIntake]) -> FacilityPieces:
    """Pieces by facility and product: the most that the booths can take, and of all such plans the fairest. Of
    equal shares the one that offered less (weight counted in) is raised first, as one piece lifts it more; then the
    smaller id."""
    givers = sorted(givers, key=lambda giver: (giver.claim.of, giver.id))
    names = sorted({product for giver in givers for product in giver.offers} | {p for b in booths for p in b.asks})
    nodes = {product: len(givers) + number for number, product in enumerate(names)}
    bound = [booth for booth in booths if booth.bound]
    intake = Intake(bound, nodes, len(givers) + len(names))
    network = Network(intake.nodes)
    intake.add_edge(network, {})
    taken = _supply_taken(network, intake, nodes, givers, booths)
    edges: list[dict[str, int]] = [{} for _ in givers]
    pieces = [0] * len(givers)
    for product, (whole, total) in taken.items():
        offering = [(n, giver.offers[product]) for n, giver in enumerate(givers) if product in giver.offers]
        for n, offered in offering:
            # The same part of every offer: a start not far from fair.
            qty = -(-offered * total // whole)
            whole -= offered
            total -= qty
            edges[n][product] = network.add_edge(n, nodes[product], offered - qty, qty)
            pieces[n] += qty
    balance_shares(network, [giver.claim for giver in givers], pieces)
    return {
        giver.id: {product: network.cap[edge ^ 1] for product, edge in sorted(mine.items())}
        for giver, mine in zip(givers, edges, strict=True)
    }


def _supply_taken(
    network: Network,
    intake: Intake,
    nodes: Mapping[str, int],
    givers: Sequence[Supplier],
    booths: Sequence[BoothIntake],
) -> dict[str, tuple[int, int]]:
    """By product: what is offered in all, and how much of it the booths take if they take as much as they can.
    Booths that no rule binds take first: nothing that they take keeps another product out."""
    offered: dict[str, int] = {}
    for giver in givers:
        for product, qty in giver.offers.items():
            offered[product] = offered.get(product, 0) + qty
    free: dict[str, int] = {}
    for booth in booths:
        if not booth.bound:
            for product, qty in booth.asks.items():
                free[product] = free.get(product, 0) + qty
    rest = {product: max(0, qty - free.get(product, 0)) for product, qty in offered.items()}
    excess = {nodes[product]: qty for product, qty in rest.items()}
    network.push(excess, intake.room)
    return {product: (qty, qty - excess[nodes[product]]) for product, qty in offered.items()}
