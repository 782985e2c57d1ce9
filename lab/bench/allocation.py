"""Compares the fair plan with first come, first served and with a proportional split. All quantities are made up.

`python -m lab.bench.allocation` prints the tables of docs/allocation.md and draws its pictures.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random

from lab.bench.planner import LAST_DAY, PlanCase, make_case
from services.festival.domain.planning import AvailableLot, RequestDemand, Rules, good_on, plan

DOCS = Path(__file__).parents[2] / "docs"
# Pieces by facility, booth and product.
Sent = dict[tuple[str, str, str], int]
Plan = Callable[[Sequence[RequestDemand], Sequence[AvailableLot], Rules], Sent]

FEW = PlanCase("12 facilities, 5 booths", 12, 8, 3, 4, 5, 5, 20, 60)
MANY = PlanCase("60 facilities, 25 booths", 60, 20, 4, 6, 25, 8, 20, 60)
TIGHT = PlanCase(
    "60 facilities, 25 booths with capacities and category limits", 60, 20, 4, 6, 25, 8, 20, 60, tight=True
)
LARGE = PlanCase("500 facilities, 300 booths", 500, 40, 5, 6, 300, 8, 20, 40)
SHOWN = MANY


@dataclass(frozen=True, slots=True)
class MethodOutcome:
    """The result of one method. `shares`: the sent part of each facility's offer, ascending. `filled`: the part of
    all demand that was sent."""

    method: str
    shares: list[float]
    filled: float
    shipments: int

    @property
    def jain(self) -> float:
        """Jain's fairness index: 1 if all shares are equal, 1 / n if one facility has everything."""
        return sum(self.shares) ** 2 / (len(self.shares) * sum(share**2 for share in self.shares))


class RemainingStock:
    """The stock of facilities and the room of booths, for the two simple methods. It enforces the same hard rules."""

    def __init__(self, stock: Sequence[AvailableLot], rules: Rules) -> None:
        self.stock: dict[str, dict[str, int]] = {}
        for lot in stock:
            too_late = rules.days_left is not None and rules.lead_days.get(lot.facility, 0) > rules.days_left
            if not too_late and good_on(lot.best_before, LAST_DAY):
                stock_of_product = self.stock.setdefault(lot.product, {})
                stock_of_product[lot.facility] = stock_of_product.get(lot.facility, 0) + lot.qty
        self.rules = rules
        self.booths: dict[str, int] = {}
        self.categories: dict[tuple[str, str], int] = {}
        self.sent: Sent = {}

    def send(self, facility: str, demand: RequestDemand, qty: int) -> int:
        """Send up to `qty` pieces, as stock and the booth's limits allow. Returns how many were sent."""
        category = demand.booth, self.rules.categories.get((demand.booth, demand.product), "")
        qty = min(
            qty,
            self.stock[demand.product][facility],
            self.rules.capacity[demand.booth] - self.booths.get(demand.booth, 0)
            if demand.booth in self.rules.capacity
            else qty,
            self.rules.limits[category] - self.categories.get(category, 0) if category in self.rules.limits else qty,
        )
        if qty <= 0:
            return 0
        self.stock[demand.product][facility] -= qty
        self.booths[demand.booth] = self.booths.get(demand.booth, 0) + qty
        self.categories[category] = self.categories.get(category, 0) + qty
        key = facility, demand.booth, demand.product
        self.sent[key] = self.sent.get(key, 0) + qty
        return qty


def first_come(demands: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    """Facilities in random order: each gives all that is still wanted when its turn comes."""
    remaining = RemainingStock(stock, rules)
    unmet = {(demand.booth, demand.product): demand.qty for demand in demands}
    facilities = sorted({lot.facility for lot in stock})
    Random(7).shuffle(facilities)
    for facility in facilities:
        for demand in demands:
            if facility in remaining.stock.get(demand.product, {}):
                unmet[demand.booth, demand.product] -= remaining.send(
                    facility, demand, unmet[demand.booth, demand.product]
                )
    return remaining.sent


def proportional(demands: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    """Every demand is split among the facilities with the product, in proportion to their stock. The remainder of
    rounding goes to the largest fractions."""
    remaining = RemainingStock(stock, rules)
    initial = {product: dict(stock_of_product) for product, stock_of_product in remaining.stock.items()}
    for demand in demands:
        stock_of_product = initial.get(demand.product, {})
        total = sum(stock_of_product.values())
        if not total:
            continue
        parts = {
            facility: Fraction(min(demand.qty, total) * qty, total) for facility, qty in stock_of_product.items()
        }
        pieces = {facility: int(part) for facility, part in parts.items()}
        missing = min(demand.qty, total) - sum(pieces.values())
        for facility in sorted(parts, key=lambda code: (pieces[code] - parts[code], code))[:missing]:
            pieces[facility] += 1
        lacking = demand.qty
        for facility, qty in sorted(pieces.items()):
            lacking -= remaining.send(facility, demand, qty)
        for facility in sorted(stock_of_product):
            lacking -= remaining.send(facility, demand, lacking)
    return remaining.sent


def evenly(demands: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    return fair(demands, stock, replace(rules, spread_evenly=True))


def fair(demands: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    pieces: Sent = {}
    for chosen in plan(demands, stock, rules=rules).allotments:
        key = chosen.lot.facility, chosen.booth, chosen.lot.product
        pieces[key] = pieces.get(key, 0) + chosen.qty
    return pieces


METHODS: dict[str, Plan] = {
    "first come, first served": first_come,
    "proportional split": proportional,
    "Karya": fair,
    "Karya, booths evenly": evenly,
}
# The last method has the same shares as the one before it.
DRAWN = dict(zip(METHODS, ("#b3541e", "#7a7a7a", "#1f6f8b"), strict=False))


def outcomes(size: PlanCase) -> list[MethodOutcome]:
    demands, stock, rules = make_case(size)
    offered = {share.facility: share.offered for share in plan(demands, stock, rules=rules).shares if share.offered}
    total = sum(demand.qty for demand in demands)
    results = []
    for method, planned in METHODS.items():
        pieces = planned(demands, stock, rules)
        received = dict.fromkeys(offered, 0)
        for (facility, _, _), qty in pieces.items():
            received[facility] += qty
        shares = sorted(received[facility] / offered[facility] for facility in offered)
        pairs = len({(facility, booth) for facility, booth, _ in pieces})
        results.append(MethodOutcome(method, shares, sum(pieces.values()) / total, pairs))
    return results


def table(size: PlanCase, outcomes: Sequence[MethodOutcome]) -> str:
    rows = [
        f"| {outcome.method} | {outcome.jain:.3f} | {outcome.shares[0]:.1%} "
        f"| {outcome.filled:.1%} | {outcome.shipments} |"
        for outcome in outcomes
    ]
    head = "| method | Jain's index | lowest share | demand filled | shipments |\n|---|---|---|---|---|"
    return f"**{size.name}**\n\n{head}\n" + "\n".join(rows) + "\n"


def share_curves(outcomes: Sequence[MethodOutcome]) -> str:
    """A picture of all shares, ascending, with one line for each method."""
    lines = []
    for n, outcome in enumerate(outcome for outcome in outcomes if outcome.method in DRAWN):
        last = len(outcome.shares) - 1
        points = " ".join(
            f"{60 + 520 * at / last:.1f},{260 - 220 * share:.1f}" for at, share in enumerate(outcome.shares)
        )
        colour = DRAWN[outcome.method]
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        lines.append(f'<rect x="{70 + 190 * n}" y="296" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{88 + 190 * n}" y="307">{outcome.method}</text>')
    for part in (0, 0.5, 1):
        y = 260 - 220 * part
        lines.insert(0, f'<line x1="60" y1="{y}" x2="580" y2="{y}" stroke="#ddd"/>')
        lines.append(f'<text x="52" y="{y + 4}" text-anchor="end">{part:.0%}</text>')
    lines.append(
        '<text x="320" y="282" text-anchor="middle">facilities, from the smallest share to the largest</text>'
    )
    return svg_picture("Each facility's share of what it offered", 640, 320, lines)


def share_bars(cases: Sequence[tuple[PlanCase, Sequence[MethodOutcome]]]) -> str:
    """A picture of the lowest share in each case by each method."""
    lines = []
    for row, (size, outcomes) in enumerate(cases):
        top = 44 + 92 * row
        lines.append(f'<text x="20" y="{top}" font-weight="bold">{size.name}</text>')
        for n, outcome in enumerate(outcome for outcome in outcomes if outcome.method in DRAWN):
            y = top + 10 + 22 * n
            lines.append(f'<text x="170" y="{y + 12}" text-anchor="end">{outcome.method}</text>')
            width = max(1, 380 * outcome.shares[0])
            lines.append(f'<rect x="180" y="{y}" width="{width:.1f}" height="15" fill="{DRAWN[outcome.method]}"/>')
            lines.append(f'<text x="{186 + width:.1f}" y="{y + 12}">{outcome.shares[0]:.1%}</text>')
    return svg_picture("The lowest share of any facility", 640, 40 + 92 * len(cases), lines)


def svg_picture(title: str, width: int, height: int, lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}"\n'
        f'     font-family="sans-serif" font-size="12" fill="#222">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="20" y="22" font-size="15">{title}</text>\n{body}\n</svg>\n'
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cases = [(size, outcomes(size)) for size in (FEW, MANY, TIGHT, LARGE)]
    for size, outcomes in cases:
        print(table(size, outcomes))
    outcomes_shown = next(outcomes for size, outcomes in cases if size is SHOWN)
    (DOCS / "allocation-shares.svg").write_text(share_curves(outcomes_shown), encoding="utf-8")
    (DOCS / "allocation-lowest.svg").write_text(share_bars(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
