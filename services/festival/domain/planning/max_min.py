"""Max-min fairness in whole pieces: which facility's flow is raised when the total is limited.

The vectors of pieces that a network can carry from its facilities are an integral polymatroid. The largest sorted
vector of shares is found by decomposition (Fujishige, 1980; Groenevelt, 1991). First the total is divided as if
nothing else were bounded. Where the network can't carry that, the smallest cut splits the facilities into two groups.
Neither group can take over flow from the other, so each is divided again by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.festival.domain.planning.network import Network


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim to up to `most` more pieces. The share after `n` of them is (`base` + `n`) / `of`."""

    most: int
    of: int
    base: int = 0


def water_fill(total: int, claims: Sequence[Claim]) -> list[int]:
    """`total` pieces divided among claims, in their order: each next piece goes to the smallest share.

    Of equal shares the first claim comes first. If the claims add up to less than `total`, each gets its `most`.
    """
    if total >= sum(claim.most for claim in claims):
        return [claim.most for claim in claims]
    # Two different shares differ by at least 1 / (of × of). So between two levels t / scale lie at most one
    # value of a share and one step of each claim.
    scale = max(claim.of for claim in claims) ** 2 + 1
    terms = [(claim.most, claim.of, claim.base) for claim in claims]

    def raised_to(t: int) -> list[int]:
        """The pieces that raise every share to level t / scale."""
        return [0 if (n := -(-t * of // scale) - base) < 0 else n if n < most else most for most, of, base in terms]

    low, high = 0, scale
    while high - low > 1:
        middle = (low + high) // 2
        if sum(raised_to(middle)) <= total:
            low = middle
        else:
            high = middle
    pieces, next_pieces = raised_to(low), raised_to(high)
    remainder = total - sum(pieces)
    for at, (now, after) in enumerate(zip(pieces, next_pieces, strict=True)):
        if remainder and after > now:
            pieces[at] += 1
            remainder -= 1
    return pieces


def balance_shares(network: Network, claims: Sequence[Claim], pieces: list[int]) -> None:
    """Change a maximum flow into the max-min fair one of the same total. `network` and `pieces` change in place.

    `pieces[n]` is the flow from facility `n`, at node `n`. Of equal shares the smaller number is raised first.
    """
    parts = 1
    groups = [list(range(len(claims)))]
    while groups:
        group = groups.pop()
        targets = water_fill(sum(pieces[facility] for facility in group), [claims[facility] for facility in group])
        to_raise = {
            facility: target - pieces[facility]
            for facility, target in zip(group, targets, strict=True)
            if target > pieces[facility]
        }
        to_lower = {
            facility: pieces[facility] - target
            for facility, target in zip(group, targets, strict=True)
            if target < pieces[facility]
        }
        if not to_raise:
            continue
        target = dict(zip(group, targets, strict=True))
        cut = network.push(to_raise, to_lower)
        for facility in group:
            pieces[facility] = target[facility] - to_raise.get(facility, 0) + to_lower.get(facility, 0)
        if not cut:
            continue
        for node in cut:
            network.part[node] = parts
        groups.append([facility for facility in group if network.part[facility] == parts])
        groups.append([facility for facility in group if network.part[facility] != parts])
        parts += 1
