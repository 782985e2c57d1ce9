"""Pages of the outbox that were left behind, and how they are published all the same.

A transaction that this process gave up may still be committed by the server, after the recovery of its lane has read
the outbox. The next transaction of the lane finds the fence moved then. But a lane without new records has none.
"""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from shared.retry import PASSING
from shared.runtime.lanes import Lanes
from shared.runtime.relay import Relay
from shared.runtime.storage import RuntimeStore, lane_id

log = structlog.get_logger()

# Far longer than a page lies in the outbox of a service that keeps up.
LOOK_SECONDS = 5.0


class LeftPages:
    """Finds left pages of the running lanes of one service, and has these lanes recovered, which publishes them."""

    def __init__(self, store: RuntimeStore, relay: Relay, groups: Callable[[], Iterable[Lanes]]) -> None:
        self._store = store
        self._relay = relay
        self._groups = groups
        self._seen: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look every few seconds, for ever. The next look retries after a passing fault."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except PASSING as fault:
                log.warning("outbox_look_failed", fault=repr(fault)[:300])

    async def look(self) -> None:
        """Recover each running lane whose first page was there at the last look, too, and is not the relay's."""
        pages = await self._store.first_pages()
        seen, self._seen = self._seen, frozenset(pages.values())
        for lanes in self._groups():
            running = {lane_id(lanes.group, partition): partition for partition in lanes.running}
            left = {lane: pages[lane] for lane in running.keys() & pages.keys() if pages[lane] in seen}
            left = {lane: page for lane, page in left.items() if not self._relay.holds(lane, page)}
            if left:
                log.error("outbox_pages_left", pages=sorted(left.values()))
                async with lanes.working:
                    lanes.invalidate(running[lane] for lane in left)
