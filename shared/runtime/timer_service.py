"""Durable timers: turns deadlines that are due into DeadlineReached events, through their lane's outbox.

A rule has no clock. It asks for a deadline and reads DeadlineReached like any other event. One transaction deletes
the timer and writes the event. The event's id follows from deadline and due time, so it takes effect once.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from shared import envelope
from shared.derivation import named_id
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
    """Fires the timers of the running lanes of one processor."""

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
        """Fire due timers every half second, for ever. The next round retries after a passing fault."""
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.fire(datetime.now(UTC))
            except (*PASSING, FenceMoved) as fault:
                log.warning("timer_retry", group=self._processor.group, fault=repr(fault)[:300])

    async def fire(self, now: datetime) -> None:
        """Fire every timer that is due at `now` in a running lane."""
        lanes = {lane_id(self._processor.group, p): p for p in self._lanes.running}
        timers = await self._store.due(list(lanes), now)
        if timers:
            partitions = {lanes[timer.lane] for timer in timers}
            async with self._lanes.working:
                await self._lanes.run_cancellable(self._fire(partitions, now), partitions)

    async def _fire(self, partitions: set[int], now: datetime) -> None:
        async with self._mongo.transaction() as session:
            fence = self._lanes.fence(partitions)
            changes = ChangeSet({p: replace(lane, cluster=self._lanes.cluster) for p, lane in fence.items()})
            by_lane: dict[str, Lane] = {lane.id: lane for lane in fence.values()}
            for timer in await self._store.due(list(by_lane), now, session):
                changes.send(by_lane[timer.lane].partition, [self._reached(timer)])
                changes.deadlines_reached.append(timer.id)
            await self._store.write(changes, session, fence)
        self._lanes.committed(changes)
        self._relay.offer(changes.outbox)

    def _reached(self, timer: Timer) -> OutboxRecord:
        topic = self._processor.deadlines
        assert topic is not None, f"{self._processor.group} keeps deadlines but names no topic for them"
        body = DeadlineReached(key=timer.key, deadline=timer.deadline, due=timer.due)
        headers = envelope.headers(
            id=reached_id(timer.id, timer.due),
            source=f"karya/{self._processor.service}",
            topic=topic,
            body=body,
            time=timer.due,
            cause=timer.deadline,
        )
        return OutboxRecord(self._prefix + topic.name, None, timer.key.encode(), envelope.encode(body), headers)


def reached_id(timer_id: str, due: datetime) -> str:
    """The id of the DeadlineReached event of this timer (`<group> <deadline id>`)."""
    return named_id(timer_id, envelope.rfc3339(due), 0)
