"""What one process did of a backlog, and what it took. Made in that process, read by the bench."""

import json
import time
from dataclasses import asdict, dataclass, field

import psutil

# A line of a runner's output that begins so is its result.
MARK = "RAN "


@dataclass(frozen=True, slots=True)
class Ran:
    """`progress`: events done so far at moments of the machine's monotonic clock, from the first to the last."""

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
        return Ran(time.process_time() - self.cpu, megabytes(), tuple(self.progress))


def megabytes() -> float:
    """What this process holds in memory."""
    return psutil.Process().memory_info().rss / 1e6
