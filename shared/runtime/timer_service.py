"""Deadlines: turns those that are due into DeadlineReached events, through their lane's outbox.

`decide` has no clock: it asks for a deadline and hears of it as of any other event. A deadline is deleted in the
transaction that says so, and its event's id follows from deadline and due time, so it is said once in effect.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from shared import envelope
from shared.derivation import derived_id, derived_ids
from shared.errors import FenceMoved
from shared.events.language import DeadlineReached
from shared.mongo import Mongo
from shared.retry import PASSING
from shared.runtime.lanes import Lanes
from shared.runtime.processor import Processor
from shared.runtime.relay import Relay
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord, RuntimeStore, Timer, lane_id

log = structlog.get_logger()

TICK = 0.5


class TimerService:
    """Watches the deadlines of the lanes of one processor that this instance works."""

    def __init__(
        self, processor: Processor, *, prefix: str, mongo: Mongo, store: RuntimeStore, lanes: Lanes, relay: Relay
    ) -> None:
        self._processor = processor
        self._prefix = prefix
        self._mongo = mongo
        self._store = store
        self._lanes = lanes
        self._relay = relay

    async def run(self) -> None:
        """Look every half second, for ever. A passing fault is tried again at the next look."""
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.look(datetime.now(UTC))
            except (*PASSING, FenceMoved) as fault:
                log.warning("timer_retry", group=self._processor.group, fault=repr(fault)[:300])

    async def look(self, now: datetime) -> None:
        """Say every deadline that is due at `now` in a lane that we work."""
        lanes = {lane_id(self._processor.group, p): p for p in self._lanes.running}
        found = await self._store.due(list(lanes), now)
        if found:
            concerned = {lanes[due.lane] for due in found}
            async with self._lanes.working:
                await self._lanes.hold(self._say(concerned, now), concerned)

    async def _say(self, partitions: set[int], now: datetime) -> None:
        async with self._mongo.transaction() as session:
            fence = self._lanes.fence(partitions)
            writes = ChangeSet({p: replace(lane, cluster=self._lanes.cluster) for p, lane in fence.items()})
            by_lane: dict[str, Lane] = {lane.id: lane for lane in fence.values()}
            for due in await self._store.due(list(by_lane), now, session):
                writes.send(by_lane[due.lane].partition, [self._reached(due)])
                writes.deadlines_reached.append(due.id)
            await self._store.write(writes, session, fence)
        self._lanes.committed(writes)
        self._relay.offer(writes.outbox)

    def _reached(self, due: Timer) -> OutboxRecord:
        topic = self._processor.deadlines
        assert topic is not None, f"{self._processor.group} keeps deadlines but names no topic for them"
        body = DeadlineReached(key=due.key, deadline=due.deadline, due=due.due)
        headers = envelope.headers(
            id=reached_id(due.id, due.due),
            source=f"karya/{self._processor.service}",
            topic=topic,
            body=body,
            time=due.due,
            cause=due.deadline,
        )
        return OutboxRecord(self._prefix + topic.name, None, due.key.encode(), envelope.encode(body), headers)


def reached_id(due_id: str, due: datetime) -> str:
    """The id of the event that says that this deadline (`<group> <deadline id>`) has been reached."""
    return derived_id(due_id, envelope.rfc3339(due), 0)


def reached_ids(due_id: str, due: datetime) -> tuple[str, ...]:
    """The id of that event by every derivation, for readers of logs that may be older."""
    return derived_ids(due_id, envelope.rfc3339(due), 0)
