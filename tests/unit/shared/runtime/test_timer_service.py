"""The clock writes under the fence, as the step does."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import pytest

from services.sales.handlers import BOOTH
from shared.errors import FenceMoved
from shared.mongo import Mongo
from shared.runtime.lanes import Lanes
from shared.runtime.relay import Relay
from shared.runtime.storage import ChangeSet, Lane, RuntimeStore, Timer
from shared.runtime.timer_service import TimerService

LANE = Lane(BOOTH.group, 1, next_out=7, batches=3, cluster="c")
NOW = datetime(2026, 4, 18, 9, tzinfo=UTC)


class World:
    """Lanes, a ledger and a relay of wood: one deadline is due, and every write is refused since its lane moved."""

    cluster = "c"

    def __init__(self) -> None:
        self.written: list[tuple[ChangeSet, Mapping[int, Lane] | None]] = []
        self.offered = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    def fence(self, partitions: Iterable[int]) -> dict[int, Lane]:
        return dict.fromkeys(partitions, LANE)

    async def due(self, lanes: object, now: datetime, session: object = None) -> list[Timer]:
        return [Timer(f"{BOOTH.group} d", LANE.id, "F1.B1", "d", now)]

    async def write(self, writes: ChangeSet, session: object, fence: Mapping[int, Lane] | None) -> None:
        self.written.append((writes, fence))
        raise FenceMoved("made up for a test")

    def offer(self, outbox: list[object]) -> None:
        self.offered += len(outbox)


async def test_a_deadline_is_said_under_the_fence_or_not_at_all() -> None:
    world = World()
    timers = TimerService(
        BOOTH,
        prefix="",
        mongo=cast("Mongo", world),
        store=cast("RuntimeStore", world),
        lanes=cast("Lanes", world),
        relay=cast("Relay", world),
    )
    with pytest.raises(FenceMoved):
        await timers._fire({1}, NOW)
    [(writes, fence)] = world.written
    assert fence == {1: LANE}
    assert writes.lanes[1].next_out == LANE.next_out + 1
    assert world.offered == 0
