"""What benches say: figures, some with a goal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. With a goal it should be at least (`at_most`: at most) that."""

    name: str
    value: float
    goal: float | None = None
    at_most: bool = False

    @property
    def missed(self) -> bool:
        if self.goal is None:
            return False
        return self.value > self.goal if self.at_most else self.value < self.goal

    def as_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"name": self.name, "value": float(f"{self.value:.4g}")}
        if self.goal is not None:
            said |= {"goal": self.goal, "at_most": self.at_most, "met": not self.missed}
        return said


def servers(name: str, before: float | None, after: float | None, events: int) -> list[Figure]:
    """What the servers' CPU seconds before and after say of each event; nothing where they are not known."""
    if before is None or after is None:
        return []
    return [Figure(f"{name}: servers' CPU ms per event", (after - before) / events * 1000)]


@dataclass(frozen=True, slots=True)
class Said:
    """All figures of one bench. `note`: what to know when reading them."""

    bench: str
    figures: tuple[Figure, ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"bench": self.bench, "note": self.note, "figures": [figure.as_dict() for figure in self.figures]}
