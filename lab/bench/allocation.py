"""The fair plan beside first come, first served and a proportional split: `python -m lab.bench.allocation` prints the
tables of docs/allocation.md and draws its pictures. All stock and wishes are made up."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random

from lab.bench.planner import LAST_DAY, Size, made
from services.festival.domain.planning import AvailableLot, RequestDemand, Rules, plan

DOCS = Path(__file__).parents[2] / "docs"
Sent = dict[tuple[str, str, str], int]
Plan = Callable[[Sequence[RequestDemand], Sequence[AvailableLot], Rules], Sent]

FEW = Size("12 facilities, 5 booths", 12, 8, 3, 4, 5, 5, 20, 60)
MANY = Size("60 facilities, 25 booths", 60, 20, 4, 6, 25, 8, 20, 60)
TIGHT = Size("60 facilities, 25 booths with capacities and category limits", 60, 20, 4, 6, 25, 8, 20, 60, tight=True)
LARGE = Size("500 facilities, 300 booths", 500, 40, 5, 6, 300, 8, 20, 40)
SHOWN = MANY


@dataclass(frozen=True, slots=True)
class Outcome:
    """`shares` from the smallest up, in parts of one; `filled`: the part of all demand."""

    method: str
    shares: list[float]
    filled: float
    shipments: int

    @property
    def jain(self) -> float:
        """Jain's index: 1 if all shares are equal, 1 / n if one has everything."""
        return sum(self.shares) ** 2 / (len(self.shares) * sum(share**2 for share in self.shares))


class Shop:
    """What facilities have and booths still take, for the two plain methods: they hold the same hard rules."""

    def __init__(self, stock: Sequence[AvailableLot], rules: Rules) -> None:
        self.has: dict[str, dict[str, int]] = {}
        for lot in stock:
            late = rules.days_left is not None and rules.lead_days.get(lot.facility, 0) > rules.days_left
            spoilt = lot.best_before is not None and lot.best_before <= LAST_DAY
            if not late and not spoilt:
                of = self.has.setdefault(lot.product, {})
                of[lot.facility] = of.get(lot.facility, 0) + lot.qty
        self.rules = rules
        self.booths: dict[str, int] = {}
        self.kinds: dict[tuple[str, str], int] = {}
        self.sent: Sent = {}

    def send(self, facility: str, want: RequestDemand, qty: int) -> int:
        """As many as there are and the booth may take; how many that is."""
        kind = want.booth, self.rules.categories.get((want.booth, want.product), "")
        qty = min(
            qty,
            self.has[want.product][facility],
            self.rules.capacity.get(want.booth, qty) - self.booths.get(want.booth, 0)
            if want.booth in self.rules.capacity
            else qty,
            self.rules.limits[kind] - self.kinds.get(kind, 0) if kind in self.rules.limits else qty,
        )
        if qty <= 0:
            return 0
        self.has[want.product][facility] -= qty
        self.booths[want.booth] = self.booths.get(want.booth, 0) + qty
        self.kinds[kind] = self.kinds.get(kind, 0) + qty
        key = facility, want.booth, want.product
        self.sent[key] = self.sent.get(key, 0) + qty
        return qty


def first_come(wanted: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    """Facilities come one after the other, and whoever comes gives all that is still wanted."""
    shop = Shop(stock, rules)
    left = {(want.booth, want.product): want.qty for want in wanted}
    came = sorted({lot.facility for lot in stock})
    Random(7).shuffle(came)
    for facility in came:
        for want in wanted:
            if facility in shop.has.get(want.product, {}):
                left[want.booth, want.product] -= shop.send(facility, want, left[want.booth, want.product])
    return shop.sent


def proportional(wanted: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    """Every demand is split among those who have the product, in proportion to what they have; what rounding leaves
    goes to the largest remainders."""
    shop = Shop(stock, rules)
    had = {product: dict(of) for product, of in shop.has.items()}
    for want in wanted:
        of = had.get(want.product, {})
        whole = sum(of.values())
        if not whole:
            continue
        parts = {facility: Fraction(min(want.qty, whole) * qty, whole) for facility, qty in of.items()}
        pieces = {facility: int(part) for facility, part in parts.items()}
        missing = min(want.qty, whole) - sum(pieces.values())
        for facility in sorted(parts, key=lambda one: (pieces[one] - parts[one], one))[:missing]:
            pieces[facility] += 1
        lacking = want.qty
        for facility, qty in sorted(pieces.items()):
            lacking -= shop.send(facility, want, qty)
        for facility in sorted(of):
            lacking -= shop.send(facility, want, lacking)
    return shop.sent


def evenly(wanted: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    return fair(wanted, stock, replace(rules, spread_evenly=True))


def fair(wanted: Sequence[RequestDemand], stock: Sequence[AvailableLot], rules: Rules) -> Sent:
    sent: Sent = {}
    for one in plan(wanted, stock, rules=rules).allotments:
        key = one.lot.facility, one.booth, one.lot.product
        sent[key] = sent.get(key, 0) + one.qty
    return sent


METHODS: dict[str, Plan] = {
    "first come, first served": first_come,
    "proportional split": proportional,
    "Karya": fair,
    "Karya, booths evenly": evenly,
}
# The last has the same shares as the one before.
DRAWN = dict(zip(METHODS, ("#b3541e", "#7a7a7a", "#1f6f8b"), strict=False))


def outcomes(size: Size) -> list[Outcome]:
    wanted, stock, rules = made(size)
    offered = {share.facility: share.offered for share in plan(wanted, stock, rules=rules).shares if share.offered}
    asked = sum(want.qty for want in wanted)
    found = []
    for method, planned in METHODS.items():
        sent = planned(wanted, stock, rules)
        got = dict.fromkeys(offered, 0)
        for (facility, _, _), qty in sent.items():
            got[facility] += qty
        shares = sorted(got[facility] / offered[facility] for facility in offered)
        pairs = len({(facility, booth) for facility, booth, _ in sent})
        found.append(Outcome(method, shares, sum(sent.values()) / asked, pairs))
    return found


def table(size: Size, found: Sequence[Outcome]) -> str:
    rows = [
        f"| {one.method} | {one.jain:.3f} | {one.shares[0]:.1%} | {one.filled:.1%} | {one.shipments} |"
        for one in found
    ]
    head = "| method | Jain's index | lowest share | demand filled | shipments |\n|---|---|---|---|---|"
    return f"**{size.name}**\n\n{head}\n" + "\n".join(rows) + "\n"


def curves(found: Sequence[Outcome]) -> str:
    """Every facility's share, from the smallest up, one line a method."""
    lines = []
    for n, one in enumerate(one for one in found if one.method in DRAWN):
        last = len(one.shares) - 1
        points = " ".join(
            f"{60 + 520 * at / last:.1f},{260 - 220 * share:.1f}" for at, share in enumerate(one.shares)
        )
        colour = DRAWN[one.method]
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        lines.append(f'<rect x="{70 + 190 * n}" y="296" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{88 + 190 * n}" y="307">{one.method}</text>')
    for part in (0, 0.5, 1):
        y = 260 - 220 * part
        lines.insert(0, f'<line x1="60" y1="{y}" x2="580" y2="{y}" stroke="#ddd"/>')
        lines.append(f'<text x="52" y="{y + 4}" text-anchor="end">{part:.0%}</text>')
    lines.append(
        '<text x="320" y="282" text-anchor="middle">facilities, from the smallest share to the largest</text>'
    )
    return picture("Each facility's share of what it offered", 640, 320, lines)


def bars(found: Sequence[tuple[Size, Sequence[Outcome]]]) -> str:
    """The lowest share of each case and method."""
    lines = []
    for row, (size, outcomes_of) in enumerate(found):
        top = 44 + 92 * row
        lines.append(f'<text x="20" y="{top}" font-weight="bold">{size.name}</text>')
        for n, one in enumerate(one for one in outcomes_of if one.method in DRAWN):
            y = top + 10 + 22 * n
            lines.append(f'<text x="170" y="{y + 12}" text-anchor="end">{one.method}</text>')
            width = max(1, 380 * one.shares[0])
            lines.append(f'<rect x="180" y="{y}" width="{width:.1f}" height="15" fill="{DRAWN[one.method]}"/>')
            lines.append(f'<text x="{186 + width:.1f}" y="{y + 12}">{one.shares[0]:.1%}</text>')
    return picture("The lowest share of any facility", 640, 40 + 92 * len(found), lines)


def picture(title: str, width: int, height: int, lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}"\n'
        f'     font-family="sans-serif" font-size="12" fill="#222">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="20" y="22" font-size="15">{title}</text>\n{body}\n</svg>\n'
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    found = [(size, outcomes(size)) for size in (FEW, MANY, TIGHT, LARGE)]
    for size, one in found:
        print(table(size, one))
    shown = next(one for size, one in found if size is SHOWN)
    (DOCS / "allocation-shares.svg").write_text(curves(shown), encoding="utf-8")
    (DOCS / "allocation-lowest.svg").write_text(bars(found), encoding="utf-8")


if __name__ == "__main__":
    main()
