"""What booths can still take, of anything and of one category."""

from collections.abc import Iterable
from dataclasses import replace

from services.festival.domain.planning import Rules
from services.festival.domain.replenishment.terms import Move


class Room:
    """The room that rules leave, less what was taken since."""

    def __init__(self, rules: Rules) -> None:
        self._categories = rules.categories
        self.capacity = dict(rules.capacity)
        self.limits = dict(rules.limits)

    def fits(self, booth: str, product: str, qty: int) -> int:
        """How many of so many pieces the booth can take."""
        category = booth, self._category(booth, product)
        return max(0, min(qty, self.capacity.get(booth, qty), self.limits.get(category, qty)))

    def take(self, booth: str, product: str, qty: int) -> None:
        category = booth, self._category(booth, product)
        if booth in self.capacity:
            self.capacity[booth] -= qty
        if category in self.limits:
            self.limits[category] -= qty

    def _category(self, booth: str, product: str) -> str:
        return self._categories.get((booth, product), "")


def rules_after(rules: Rules, moves: Iterable[Move]) -> Rules:
    """The rules with the room that the moves leave."""
    room = Room(rules)
    for move in moves:
        room.take(move.to, move.product, move.qty)
    return replace(rules, capacity=room.capacity, limits=room.limits)
