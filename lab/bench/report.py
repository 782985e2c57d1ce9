"""What benches say: figures, some with a goal."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

Tell: TypeAlias = Callable[[str], None]
# From here on nothing after the point is shown.
WHOLE = 1000
# Of one service, resident.
GOAL_MEGABYTES = 150.0


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

    @property
    def verdict(self) -> str:
        """Whether it reached its goal, in one word; nothing without a goal."""
        if self.goal is None:
            return ""
        return "missed" if self.missed else "met"

    @property
    def shown(self) -> str:
        """Four digits that count, and of large ones all before the point."""
        return f"{self.value:,.0f}" if abs(self.value) >= WHOLE else f"{self.value:.4g}"

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
    """All figures of one bench. `note`: what to know when reading them. `amount`: how much it did, as it counts."""

    bench: str
    figures: tuple[Figure, ...]
    note: str = ""
    amount: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "bench": self.bench,
            "amount": self.amount,
            "note": self.note,
            "figures": [figure.as_dict() for figure in self.figures],
        }


@dataclass(frozen=True, slots=True)
class Head:
    """What was measured, when, and where. `commit`: None outside of a checkout; `+` behind it: with changes. `load`:
    processes that wanted to run in the minute, five and fifteen before it began; other work than the bench's."""

    commit: str | None
    at: datetime
    cores: int | None
    load: tuple[float, float, float] | None

    @classmethod
    def now(cls, checkout: Path) -> "Head":
        """Of this moment, which is before anything is measured."""
        load = os.getloadavg() if hasattr(os, "getloadavg") else None
        return cls(_commit(checkout), datetime.now(UTC), os.cpu_count(), load)

    def as_dict(self) -> dict[str, Any]:
        load = None if self.load is None else [round(one, 2) for one in self.load]
        return {
            "commit": self.commit,
            "at": self.at.isoformat(timespec="seconds"),
            "cores": self.cores,
            "load_before": load,
        }


def as_dict(head: Head, results: Iterable[Said]) -> dict[str, Any]:
    """One run as JSON types."""
    return {"head": head.as_dict(), "benches": [result.as_dict() for result in results]}


def _commit(checkout: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    told = [
        subprocess.run(
            [git, "-C", str(checkout), *arguments], capture_output=True, text=True, check=False
        ).stdout.strip()
        for arguments in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    ]
    return told[0] + ("+" if told[1] else "") or None
