"""The results of benches: figures, some with a goal."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from lab.bench.quiet import MachineUse

OnProgress: TypeAlias = Callable[[str], None]
# From this value on no decimals are shown.
WHOLE = 1000
# Resident memory of one service.
GOAL_MEGABYTES = 150.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. With a goal it should be at least, or `at_most`, that."""

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
        """Whether the goal is met, in one word; empty without a goal."""
        if self.goal is None:
            return ""
        return "missed" if self.missed else "met"

    @property
    def shown(self) -> str:
        """Four significant digits; of large numbers all digits before the point."""
        return f"{self.value:,.0f}" if abs(self.value) >= WHOLE else f"{self.value:.4g}"

    def as_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"name": self.name, "value": float(f"{self.value:.4g}")}
        if self.goal is not None:
            fields |= {"goal": self.goal, "at_most": self.at_most, "met": not self.missed}
        return fields


def server_figures(name: str, before: float | None, after: float | None, events: int) -> list[Figure]:
    """The servers' CPU time per event, from their CPU seconds before and after; empty where they are not known."""
    if before is None or after is None:
        return []
    return [Figure(f"{name}: servers' CPU ms per event", (after - before) / events * 1000)]


def ratio_figures(
    name: str, ratios: Sequence[float], goal: float | None = None, *, at_most: bool = False
) -> list[Figure]:
    """The median of the rounds' ratios; with several rounds also the lowest and the highest."""
    figures = [Figure(name, median(ratios), goal, at_most)]
    if len(ratios) > 1:
        figures += [Figure(f"{name}, lowest", min(ratios)), Figure(f"{name}, highest", max(ratios))]
    return figures


@dataclass(frozen=True, slots=True)
class BenchResult:
    """All figures of one bench. `note`: a caveat for the reader. `amount`: how much it did, in its own unit.
    `machine`: what else the machine did meanwhile."""

    bench: str
    figures: tuple[Figure, ...]
    note: str = ""
    amount: int | None = None
    machine: MachineUse | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "bench": self.bench,
            "amount": self.amount,
            "note": self.note,
            "machine": self.machine and self.machine.as_dict(),
            "figures": [figure.as_dict() for figure in self.figures],
        }


@dataclass(frozen=True, slots=True)
class RunHead:
    """The commit, time and machine of a run.

    `commit`: None outside of a checkout; a `+` at its end marks uncommitted changes. `load`: the load averages before
    the run, which show the other work of the machine.
    """

    commit: str | None
    at: datetime
    cores: int | None
    load: tuple[float, float, float] | None

    @classmethod
    def now(cls, checkout: Path) -> "RunHead":
        """The context at this moment; call it before the first measurement."""
        load = os.getloadavg() if hasattr(os, "getloadavg") else None
        return cls(_commit(checkout), datetime.now(UTC), os.cpu_count(), load)

    def as_dict(self) -> dict[str, Any]:
        load = None if self.load is None else [round(value, 2) for value in self.load]
        return {
            "commit": self.commit,
            "at": self.at.isoformat(timespec="seconds"),
            "cores": self.cores,
            "load_before": load,
        }


def as_dict(head: RunHead, results: Iterable[BenchResult]) -> dict[str, Any]:
    """One run in JSON types."""
    return {"head": head.as_dict(), "benches": [result.as_dict() for result in results]}


def _commit(checkout: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    outputs = [
        subprocess.run(
            [git, "-C", str(checkout), *arguments], capture_output=True, text=True, check=False
        ).stdout.strip()
        for arguments in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    ]
    return outputs[0] + ("+" if outputs[1] else "") or None
