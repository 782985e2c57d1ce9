"""The progress, CPU time and memory of one process. The process writes them, the bench reads them."""

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from aiokafka import TopicPartition

# The line of a runner's output that begins with this is its result.
MARK = "RAN "


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of one process. `progress`: moments of the monotonic clock, with the events worked by then.
    `megabytes`: its peak memory."""

    cpu_seconds: float
    megabytes: float
    progress: tuple[tuple[float, int], ...]

    @property
    def seconds(self) -> float:
        return self.progress[-1][0] - self.progress[0][0]

    @property
    def events(self) -> int:
        return self.progress[-1][1] - self.progress[0][1]

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    def at(self, moment: float) -> float:
        """Events worked by this moment, interpolated between two samples."""
        before = self.progress[0]
        for after in self.progress:
            if after[0] >= moment:
                share = (moment - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 1.0
                return before[1] + max(0.0, share) * (after[1] - before[1])
            before = after
        return before[1]

    def line(self) -> str:
        return MARK + json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: str) -> "RunResult":
        fields = json.loads(line.removeprefix(MARK))
        return cls(fields["cpu_seconds"], fields["megabytes"], tuple((at, done) for at, done in fields["progress"]))


@dataclass(slots=True)
class Meter:
    """Measures this process from the creation of the meter on."""

    progress: list[tuple[float, int]] = field(default_factory=lambda: [(time.monotonic(), 0)])
    cpu: float = field(default_factory=time.process_time)

    def advance(self, events: int) -> None:
        """`events` is how many are worked by now."""
        if events != self.progress[-1][1]:
            self.progress.append((time.monotonic(), events))

    def end(self) -> RunResult:
        """Everything is worked and acknowledged now. Returns the result."""
        self.progress.append((time.monotonic(), self.progress[-1][1]))
        return RunResult(time.process_time() - self.cpu, peak_megabytes(os.getpid()), tuple(self.progress))


@dataclass(slots=True)
class EventCounter:
    """Counts the events that one process works, from the next offsets of its lanes.

    Another process or an earlier run may have worked the lane before: only offsets that are added here count.
    """

    events: int = 0
    nexts: Mapping[TopicPartition, int] = field(default_factory=dict)

    def update(self, nexts: Mapping[TopicPartition, int]) -> int:
        """All events so far; `nexts` are the next offsets of the lanes that this process has now."""
        self.events += sum(next - self.nexts.get(part, next) for part, next in nexts.items())
        self.nexts = nexts
        return self.events


def peak_megabytes(pid: int) -> float:
    """Peak memory of a process so far; its present memory where the system does not record the peak."""
    try:
        # Not `ru_maxrss`: in a new process it starts with the memory of its parent.
        [kibibytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    return int(kibibytes) * 1024 / 1e6


def cpu_seconds(pids: Iterable[int]) -> float:
    """The CPU time of these processes so far, together."""
    return sum(times.user + times.system for times in (psutil.Process(pid).cpu_times() for pid in pids))
