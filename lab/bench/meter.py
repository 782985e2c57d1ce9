"""What one process did of a backlog, and what it took. Made in that process, read by the bench."""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from aiokafka import TopicPartition

# A line of a runner's output that begins so is its result.
MARK = "RAN "


@dataclass(frozen=True, slots=True)
class Ran:
    """`progress`: events done so far at moments of the machine's monotonic clock, from the first to the last.
    `megabytes`: the most that the process held in memory."""

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
        """Events done by then, between two looks as if at an even pace."""
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
    def of_line(cls, line: str) -> "Ran":
        said = json.loads(line.removeprefix(MARK))
        return cls(said["cpu_seconds"], said["megabytes"], tuple((at, done) for at, done in said["progress"]))


@dataclass(slots=True)
class Meter:
    """Begins when it is made."""

    progress: list[tuple[float, int]] = field(default_factory=lambda: [(time.monotonic(), 0)])
    cpu: float = field(default_factory=time.process_time)

    def done(self, events: int) -> None:
        """So many by now."""
        if events != self.progress[-1][1]:
            self.progress.append((time.monotonic(), events))

    def end(self) -> Ran:
        """All is done now, up to the last acknowledgement."""
        self.progress.append((time.monotonic(), self.progress[-1][1]))
        return Ran(time.process_time() - self.cpu, peak_megabytes(os.getpid()), tuple(self.progress))


@dataclass(slots=True)
class Worked:
    """How many events one process worked, by the offsets where its lanes go on. A lane that comes to it has behind it
    what others worked, or an earlier run: only what is added while it is here counts."""

    events: int = 0
    nexts: Mapping[TopicPartition, int] = field(default_factory=dict)

    def look(self, nexts: Mapping[TopicPartition, int]) -> int:
        """All events so far, now that the lanes which are here go on at `nexts`."""
        self.events += sum(next - self.nexts.get(part, next) for part, next in nexts.items())
        self.nexts = nexts
        return self.events


def peak_megabytes(pid: int) -> float:
    """The most that a process has held in memory so far; what it holds now, where the system does not keep that."""
    try:
        # Not `ru_maxrss`: that of a new process begins with what its starter held.
        [kibibytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    return int(kibibytes) * 1024 / 1e6
