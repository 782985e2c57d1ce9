"""Max-min fair in whole pieces: whose flow is raised when all can't have what they could.

The vectors of pieces that a network can carry from its givers are an integral polymatroid, and there the largest
sorted vector of shares is found by decomposition (Fujishige, 1980; Groenevelt, 1991): share out the whole as if
nothing but the total were bounded; where the network can't follow, the smallest cut splits the givers into those who
give too little and the rest, neither can help the other, and each is shared out again by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.festival.domain.planning.network import Network


@dataclass(frozen=True, slots=True)
class Claim:
    """One who is to have up to `most` pieces more. Its share after `n` of them is (`base` + `n`) / `of`."""

    most: int
    of: int
    base: int = 0


def water_fill(total: int, claims: Sequence[Claim]) -> list[int]:
    """`total` pieces shared out: always one more to who has the smallest share, of equals to who comes first.
    All that is claimed if that is not more than `total`."""
    if total >= sum(claim.most for claim in claims):
        return [claim.most for claim in claims]
    # Two different shares differ by at least 1 / (of × of): between two levels t / scale no two of them lie, and
    # nobody has two steps there.
    scale = max(claim.of for claim in claims) ** 2 + 1
    terms = [(claim.most, claim.of, claim.base) for claim in claims]

    def raised(t: int) -> list[int]:
        """Whoever is below level t / scale has been raised to it."""
        return [0 if (n := -(-t * of // scale) - base) < 0 else n if n < most else most for most, of, base in terms]

    low, high = 0, scale
    while high - low > 1:
        middle = (low + high) // 2
        if sum(raised(middle)) <= total:
            low = middle
        else:
            high = middle
    pieces, above = raised(low), raised(high)
    left = total - sum(pieces)
    for at, (now, then) in enumerate(zip(pieces, above, strict=True)):
        if left and then > now:
            pieces[at] += 1
            left -= 1
    return pieces


def balance_shares(network: Network, claims: Sequence[Claim], pieces: list[int]) -> None:
    """Change a largest flow, with `pieces` from giver `n` at node `n`, into the fair one with the same total; both
    are changed in place. Of equal shares the giver with the smaller number is raised first."""
    parts = 1
    todo = [list(range(len(claims)))]
    while todo:
        givers = todo.pop()
        fair = water_fill(sum(pieces[giver] for giver in givers), [claims[giver] for giver in givers])
        more = {giver: due - pieces[giver] for giver, due in zip(givers, fair, strict=True) if due > pieces[giver]}
        less = {giver: pieces[giver] - due for giver, due in zip(givers, fair, strict=True) if due < pieces[giver]}
        if not more:
            continue
        due = dict(zip(givers, fair, strict=True))
        cut = network.push(more, less)
        for giver in givers:
            pieces[giver] = due[giver] - more.get(giver, 0) + less.get(giver, 0)
        if not cut:
            continue
        for node in cut:
            network.part[node] = parts
        todo.append([giver for giver in givers if network.part[giver] == parts])
        todo.append([giver for giver in givers if network.part[giver] != parts])
        parts += 1
