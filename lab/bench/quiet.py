"""Whether the machine did anything else during a bench: load averages, and the processor time of other programs."""

import os
import time
from dataclasses import dataclass
from typing import Any

import psutil

# More than this share of the machine's processors makes a run busy.
BUSY_SHARE = 0.1
# Where the share is not known: this load average for each core, before the run.
BUSY_LOAD = 0.5


@dataclass(frozen=True, slots=True)
class MachineUse:
    """Load averages of a minute before and after a run; that after has the run's own load in it. `others`: the share
    of all processors that other programs used, None if the run's servers are not its own processes."""

    cores: int
    load_before: float
    load_after: float
    others: float | None

    @property
    def busy(self) -> bool:
        if self.others is None:
            return self.load_before > BUSY_LOAD * self.cores
        return self.others > BUSY_SHARE

    @property
    def sentence(self) -> str:
        loads = f"Load {self.load_before:.2f} before, {self.load_after:.2f} after, on {self.cores} cores"
        others = "" if self.others is None else f"; other programs used {self.others:.0%} of them"
        warning = " The machine was busy: read only the ratios, and with doubt." if self.busy else ""
        return f"{loads}{others}.{warning}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "load_before": round(self.load_before, 2),
            "load_after": round(self.load_after, 2),
            "others": None if self.others is None else round(self.others, 3),
            "busy": self.busy,
        }


class MachineWatch:
    """Watches the machine from its creation on."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._moment = time.monotonic()
        self._others = _cpu_of_all() - cpu_of_ours()

    def end(self, *, servers_are_ours: bool = True) -> MachineUse:
        """What was used since."""
        cores = os.cpu_count() or 1
        seconds = (time.monotonic() - self._moment) * cores
        others = max(0.0, _cpu_of_all() - cpu_of_ours() - self._others) / seconds
        return MachineUse(cores, self._load, os.getloadavg()[0], others if servers_are_ours else None)


def _cpu_of_all() -> float:
    times = psutil.cpu_times()
    # Time that the host gave to other machines counts as others'.
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


def cpu_of_ours() -> float:
    """CPU seconds of this process and all its descendants, also of those that have ended and were waited for."""
    this = psutil.Process()
    total = 0.0
    for process in (this, *this.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
