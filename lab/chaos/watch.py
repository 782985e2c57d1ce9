"""Progress and lag over time: how long nothing moved, and how long a fault was felt after it was over."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from statistics import median
from typing import NamedTuple

from aiokafka import TopicPartition

from deploy.topics import SERVICES
from lab.chaos.faults import Injected, Kind, by_kind
from ops.verify.log import Log
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.retry import PASSING
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings
from shared.timeouts import hard_timeout

EVERY = 0.5
WITHIN = 2.0

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """At `at` seconds of the run: up to where each topic reached, and up to where each service had worked it."""

    at: float
    ends: Offsets
    worked: Mapping[str, Offsets]

    @property
    def events(self) -> int:
        """All records that there were."""
        return sum(self.ends.values())

    @property
    def events_per_second(self) -> float:
        """Of the run until then."""
        return self.events / self.at if self.at > 0 else 0.0

    def lag(self, service: str) -> int:
        return sum(max(0, self.ends.get(part, 0) - offset) for part, offset in self.worked[service].items())


class Recovery(NamedTuple):
    """How long the faults of one kind were felt after their end, in seconds; `never`: how many of them still were at
    the last look."""

    median: float
    longest: float
    never: int


@dataclass(slots=True)
class Watch:
    """Looks twice a second, past the proxies. A look that fails (a server is down) is left out."""

    settings: Settings
    clock: Callable[[], float]
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """For ever."""
        mongo = Mongo(self.settings)
        names = sorted({topic.name for processors in SERVICES.values() for f in processors for topic in f.topics})
        try:
            async with Log(self.settings, names) as log:
                while True:
                    # While a server is down there is nothing to see.
                    with suppress(*PASSING):
                        self.samples.append(await hard_timeout(WITHIN, self._look(mongo, log)))
                    await asyncio.sleep(EVERY)
        finally:
            await mongo.close()

    async def _look(self, mongo: Mongo, log: Log) -> Sample:
        at = self.clock()
        ends = await log.ends()
        worked: dict[str, dict[TopicPartition, int]] = {}
        for service, processors in SERVICES.items():
            store = RuntimeStore(mongo.database(service))
            worked[service] = {
                TopicPartition(full, p): lane.offsets.get(full, 0)
                for processor in processors
                for p, lane in (await store.lanes(processor.group, range(self.settings.partitions))).items()
                for full in (topic_name(self.settings, topic.name) for topic in processor.topics)
            }
        return Sample(at, ends, worked)

    @property
    def longest_standstill(self) -> float:
        """The most seconds in which no service worked anything, though something waited. Where nobody could look,
        what moved counts as moved at the end: never too short, too long by less than the time without a look."""
        longest, since = 0.0, None
        for before, sample in pairwise(self.samples):
            moved = sample.worked != before.worked
            waits = any(sample.lag(service) for service in sample.worked)
            # No look for a while: a server was down, or nobody had time to look.
            blind = sample.at - before.at > WITHIN + 2 * EVERY
            if blind or (waits and not moved):
                since = before.at if since is None else since
                longest = max(longest, sample.at - since)
            if moved or not (blind or waits):
                since = None
        return longest

    def recovery(self, fault: Injected) -> float | None:
        """Seconds from the end of the fault until its services had worked all that was there then, or its terminal or
        till had said all that it held then; None if the run ended before."""
        if not fault.services:
            return fault.synced
        after = [sample for sample in self.samples if sample.at >= fault.ended]
        if not after:
            return None
        there = after[0].ends
        for sample in after:
            if all(_worked(sample, service, there) for service in fault.services):
                return sample.at - fault.ended
        return None

    def recoveries(self, faults: Sequence[Injected]) -> dict[Kind, Recovery]:
        """Of each kind that there was."""
        found: dict[Kind, Recovery] = {}
        for kind, of in by_kind(faults):
            times = [time for fault in of if (time := self.recovery(fault)) is not None]
            found[kind] = Recovery(median(times or [inf]), max(times, default=inf), len(of) - len(times))
        return found


def _worked(sample: Sample, service: str, there: Offsets) -> bool:
    return all(offset >= there.get(part, 0) for part, offset in sample.worked[service].items())
