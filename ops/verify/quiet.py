"""Quiet: every record is worked, everything that was to be said is said, and no deadline is overdue.

The invariants across databases hold only then. Quiet must be seen twice with the same ends of all topics: between
two services an event is nowhere but in Kafka, and a single look could miss it on its way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import TopicPartition

from deploy.topics import SERVICES, all_topics, read_topics
from ops.verify.log import Ends, Log
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.retry import attempts
from shared.runtime.storage import RuntimeStore, lane_id
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """Where all topics ended at one moment, and what was not done then, in words."""

    ends: Ends
    waits: tuple[str, ...]


async def wait_until_quiet(
    settings: Settings,
    mongo: Mongo,
    log: Log,
    *,
    within: float,
    on_wait: Callable[[Look], None],
    every: float = 1.0,
) -> Look:
    """The last look: quiet, or after `within` seconds what still waits. `on_wait` hears of every look before;
    there are at most `every` seconds between two."""
    seen: Look | None = None
    async for _ in attempts(within=within, first=0.1, most=every):
        now = await look(settings, mongo, log)
        if seen is not None and not now.waits and not seen.waits and now.ends == seen.ends:
            return now
        seen = now
        on_wait(now)
    # Once at least, however short the time was.
    last = await look(settings, mongo, log)
    if last.waits or seen is None or last.ends == seen.ends:
        return last
    return Look(last.ends, ("records still come in",))


async def look(settings: Settings, mongo: Mongo, log: Log) -> Look:
    """One look. The ends are read first: what is done by the databases' word is then at most newer."""
    ends = await log.ends()
    behind = _Behind(log, ends)
    waits = [f"there is no topic {name}; `karya topics` makes it" for name in log.missing]
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
                    waits.append(f"{service} has {to_work} records of {topic.name} to work")
            names = [lane_id(processor.group, p) for p in lanes]
            overdue = len(await store.due(names, datetime.now(UTC)))
            if overdue:
                waits.append(f"{service} has {overdue} deadlines that are overdue")
        said = await database["outbox"].count_documents({})
        if said:
            waits.append(f"{service} has {said} records in its outbox")
    return Look(ends, tuple(waits))


class _Behind:
    """How far lanes are behind the ends of one look. Whether records lie between, or only what a transaction left, is
    asked until some were found: it takes a fetch each, and one is enough for all to wait."""

    def __init__(self, log: Log, ends: Ends) -> None:
        self._log = log
        self._ends = ends
        self._found = False

    async def count(self, nexts: Mapping[TopicPartition, int]) -> int:
        """Offsets that are still to be worked, at most, from these on."""
        behind = 0
        for part, next in nexts.items():
            end = self._ends.get(part, 0)
            if next < end:
                first = next if self._found else await self._log.first(part, next, end)
                self._found = self._found or first < end
                behind += end - first
        return behind


def topic_names() -> list[str]:
    """Every topic, dead-letter topics included, without prefix."""
    return [*(topic.name for topic in all_topics()), *(f"{name}.dlq" for name in sorted(read_topics()))]
