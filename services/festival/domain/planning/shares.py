"""How much each facility gives: its max-min fair share of the pieces that the booths can take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.festival.domain.planning.booths import BoothIntake, Intake
from services.festival.domain.planning.max_min import Claim, balance_shares
from services.festival.domain.planning.network import Network
from services.festival.domain.planning.terms import EarlierShare

FacilityPieces = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Supplier:
    """A facility: its offer by product, its share in earlier plans, and its programme weight."""

    id: str
    offers: Mapping[str, int]
    earlier: EarlierShare
    weight: int

    @property
    def claim(self) -> Claim:
        most = sum(self.offers.values())
        return Claim(most, (most + self.earlier.offered) * self.weight, self.earlier.allocated)


def max_min_shares(suppliers: Sequence[Supplier], booths: Sequence[BoothIntake]) -> FacilityPieces:
    """Pieces by facility and product: the most that the booths can take, divided max-min fairly.

    Of equal shares the smaller offer × weight is raised first, as one piece lifts it more; then the smaller id.
    """
    suppliers = sorted(suppliers, key=lambda supplier: (supplier.claim.of, supplier.id))
    products = sorted(
        {product for supplier in suppliers for product in supplier.offers}
        | {product for booth in booths for product in booth.asks}
    )
    nodes = {product: len(suppliers) + number for number, product in enumerate(products)}
    constrained = [booth for booth in booths if booth.constrained]
    intake = Intake(constrained, nodes, len(suppliers) + len(products))
    network = Network(intake.nodes)
    intake.add_edges(network, {})
    supply = _supply_taken(network, intake, nodes, suppliers, booths)
    edges: list[dict[str, int]] = [{} for _ in suppliers]
    pieces = [0] * len(suppliers)
    for product, (whole, total) in supply.items():
        offers = [(n, supplier.offers[product]) for n, supplier in enumerate(suppliers) if product in supplier.offers]
        for n, offered in offers:
            # The same part of every offer is a start close to the fair flow.
            qty = -(-offered * total // whole)
            whole -= offered
            total -= qty
            edges[n][product] = network.add_edge(n, nodes[product], offered - qty, qty)
            pieces[n] += qty
    balance_shares(network, [supplier.claim for supplier in suppliers], pieces)
    return {
        supplier.id: {product: network.cap[edge ^ 1] for product, edge in sorted(row.items())}
        for supplier, row in zip(suppliers, edges, strict=True)
    }


def _supply_taken(
    network: Network,
    intake: Intake,
    nodes: Mapping[str, int],
    suppliers: Sequence[Supplier],
    booths: Sequence[BoothIntake],
) -> dict[str, tuple[int, int]]:
    """By product: the pieces offered in all, and the most of them that the booths together can take.

    Unconstrained booths take first: their intake of one product never displaces another.
    """
    offered: dict[str, int] = {}
    for supplier in suppliers:
        for product, qty in supplier.offers.items():
            offered[product] = offered.get(product, 0) + qty
    unconstrained: dict[str, int] = {}
    for booth in booths:
        if not booth.constrained:
            for product, qty in booth.asks.items():
                unconstrained[product] = unconstrained.get(product, 0) + qty
    remainder = {product: max(0, qty - unconstrained.get(product, 0)) for product, qty in offered.items()}
    excess = {nodes[product]: qty for product, qty in remainder.items()}
    network.push(excess, intake.room)
    return {product: (qty, qty - excess[nodes[product]]) for product, qty in offered.items()}
