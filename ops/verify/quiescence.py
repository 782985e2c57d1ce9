"""Quiescence: every record is worked, every outbox is empty, and no deadline is overdue.

The invariants across databases hold only then. Two observations with the same ends of all topics are needed. An event
on its way between two services is only in Kafka, so a single observation could miss it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import TopicPartition

from deploy.topics import SERVICES
from ops.verify.log import Ends, TopicLog
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.retry import attempts
from shared.runtime.storage import RuntimeStore, lane_id
from shared.settings import Settings
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class Observation:
    """The ends of all topics at one moment, and a sentence for each kind of pending work (`waits`)."""

    ends: Ends
    waits: tuple[Message, ...]


async def wait_until_quiet(
    settings: Settings,
    mongo: Mongo,
    log: TopicLog,
    *,
    within: float,
    on_wait: Callable[[Observation], None],
    every: float = 1.0,
) -> Observation:
    """Observe until two observations agree on quiescence, or `within` seconds are over, and return the last one.
    `on_wait` gets every observation before it. Observations are at most `every` seconds apart."""
    previous: Observation | None = None
    async for _ in attempts(within=within, first=0.1, most=every):
        current = await observe(settings, mongo, log)
        if previous is not None and not current.waits and not previous.waits and current.ends == previous.ends:
            return current
        previous = current
        on_wait(current)
    # At least one observation, even for a very short time.
    last = await observe(settings, mongo, log)
    if last.waits or previous is None or last.ends == previous.ends:
        return last
    return Observation(last.ends, (Message("records still come in"),))


async def observe(settings: Settings, mongo: Mongo, log: TopicLog) -> Observation:
    """Make one observation. The ends are read first, so that the databases can only be newer than them."""
    ends = await log.ends()
    behind = _Behind(log, ends)
    waits = [Message("there is no topic {name}; `karya topics` makes it", name=name) for name in log.missing]
    for service, processors in SERVICES.items():
        database = mongo.database(service)
        store = RuntimeStore(database)
        for processor in processors:
            lanes = await store.lanes(processor.group, range(len(log.of(ends, processor.topics[0].name))))
            for topic in processor.topics:
                full = topic_name(settings, topic.name)
                to_work = await behind.count(
                    {TopicPartition(full, p): lane.offsets.get(full, 0) for p, lane in lanes.items()}
                )
                if to_work:
                    waits.append(
                        Message(
                            "{service} has {count:record|records} of {topic} to work",
                            service=service,
                            count=to_work,
                            topic=topic.name,
                        )
                    )
            names = [lane_id(processor.group, p) for p in lanes]
            overdue = len(await store.due(names, datetime.now(UTC)))
            if overdue:
                waits.append(
                    Message(
                        "{service} has {count:overdue deadline|overdue deadlines}", service=service, count=overdue
                    )
                )
        waiting = await database["outbox"].count_documents({})
        if waiting:
            waits.append(
                Message("{service} has {count:record|records} in its outbox", service=service, count=waiting)
            )
    return Observation(ends, tuple(waits))


class _Behind:
    """The lag of lanes behind the ends of one observation. The offsets between may hold transaction markers only. A
    fetch per partition checks that, until the first real record is found: one is enough to wait."""

    def __init__(self, log: TopicLog, ends: Ends) -> None:
        self._log = log
        self._ends = ends
        self._found = False

    async def count(self, nexts: Mapping[TopicPartition, int]) -> int:
        """An upper bound on the records from these offsets on that are still to be worked."""
        behind = 0
        for part, next in nexts.items():
            end = self._ends.get(part, 0)
            if next < end:
                first = next if self._found else await self._log.first(part, next, end)
                self._found = self._found or first < end
                behind += end - first
        return behind
