"""Progress and lag over time: the longest standstill, and the recovery time after each fault."""

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
from lab.chaos.faults import FaultKind, InjectedFault, by_kind
from ops.verify.log import TopicLog
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.retry import PASSING
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings
from shared.timeouts import hard_timeout

SAMPLE_EVERY = 0.5
SAMPLE_WITHIN = 2.0

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """At `at` seconds of the run: where each topic ended, and how far each service had worked it."""

    at: float
    ends: Offsets
    worked: Mapping[str, Offsets]

    @property
    def events(self) -> int:
        """All records in all topics."""
        return sum(self.ends.values())

    @property
    def events_per_second(self) -> float:
        """The mean from the beginning of the run until then."""
        return self.events / self.at if self.at > 0 else 0.0

    def lag(self, service: str) -> int:
        return sum(max(0, self.ends.get(part, 0) - offset) for part, offset in self.worked[service].items())


class Recovery(NamedTuple):
    """Seconds from the end of a fault until the system had recovered, for the faults of one kind. `never`: how many
    had not at the last sample."""

    median: float
    longest: float
    never: int


@dataclass(slots=True)
class ProgressMonitor:
    """Takes samples twice a second, past the proxies. A sample that fails (a server is down) is left out."""

    settings: Settings
    clock: Callable[[], float]
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """Take samples until it is cancelled."""
        mongo = Mongo(self.settings)
        names = sorted(
            {topic.name for processors in SERVICES.values() for processor in processors for topic in processor.topics}
        )
        try:
            async with TopicLog(self.settings, names) as log:
                while True:
                    # While a server is down there is nothing to sample.
                    with suppress(*PASSING):
                        self.samples.append(await hard_timeout(SAMPLE_WITHIN, self._sample(mongo, log)))
                    await asyncio.sleep(SAMPLE_EVERY)
        finally:
            await mongo.close()

    async def _sample(self, mongo: Mongo, log: TopicLog) -> Sample:
        at = self.clock()
        ends = await log.ends()
        worked: dict[str, dict[TopicPartition, int]] = {}
        for service, processors in SERVICES.items():
            store = RuntimeStore(mongo.database(service))
            worked[service] = {
                TopicPartition(name, partition): lane.offsets.get(name, 0)
                for processor in processors
                for partition, lane in (await store.lanes(processor.group, range(self.settings.partitions))).items()
                for name in (topic_name(self.settings, topic.name) for topic in processor.topics)
            }
        return Sample(at, ends, worked)

    @property
    def longest_standstill(self) -> float:
        """The longest time, in seconds, in which no service worked a record although some waited.

        Work done during a gap between samples counts as done at its end. So the result is never too short, and too
        long by less than the gap.
        """
        longest, since = 0.0, None
        for before, sample in pairwise(self.samples):
            moved = sample.worked != before.worked
            waits = any(sample.lag(service) for service in sample.worked)
            # A server was down, or the event loop was busy.
            gap = sample.at - before.at > SAMPLE_WITHIN + 2 * SAMPLE_EVERY
            if gap or (waits and not moved):
                since = before.at if since is None else since
                longest = max(longest, sample.at - since)
            if moved or not (gap or waits):
                since = None
        return longest

    def recovery(self, fault: InjectedFault) -> float | None:
        """Seconds from the end of the fault until its services had worked every record that existed then.

        For a terminal or till: until it had sent every record that it held then. None if the run ended before.
        """
        if not fault.services:
            return fault.synced
        after = [sample for sample in self.samples if sample.at >= fault.ended]
        if not after:
            return None
        ends = after[0].ends
        for sample in after:
            if all(_worked(sample, service, ends) for service in fault.services):
                return sample.at - fault.ended
        return None

    def recoveries(self, faults: Sequence[InjectedFault]) -> dict[FaultKind, Recovery]:
        """The recovery from each kind of fault that happened."""
        recoveries: dict[FaultKind, Recovery] = {}
        for kind, faults_of_kind in by_kind(faults):
            times = [time for fault in faults_of_kind if (time := self.recovery(fault)) is not None]
            never = len(faults_of_kind) - len(times)
            recoveries[kind] = Recovery(median(times or [inf]), max(times, default=inf), never)
        return recoveries


def _worked(sample: Sample, service: str, ends: Offsets) -> bool:
    return all(offset >= ends.get(part, 0) for part, offset in sample.worked[service].items())
