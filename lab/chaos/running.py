"""Devices at work: the tasks in which terminals and tills record and sync."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from edge.terminal.terminal import Terminal
from edge.till.till import Till
from lab.chaos.routes import DeviceRoutes
from lab.chaos.tally import Tally
from lab.chaos.tills import SharedBooth, TillAgent
from lab.enrolment import EnrolmentFailed
from shared.errors import NotAnswered, NotReached, SpoolFailed
from shared.retry import attempts

SYNC_SECONDS = 1.0
# Identity is not there, or has not worked the right of whoever gives the code. A device's token needs it as well.
NOT_ENROLLED = (EnrolmentFailed, NotAnswered, httpx.TransportError)


class Syncing:
    """Syncs the spools of terminals and tills, about once a second each."""

    def __init__(self, routes: DeviceRoutes, rng: random.Random, tally: Tally) -> None:
        self._routes = routes
        self._rng = rng
        self._tally = tally

    async def run(
        self,
        device: Terminal | Till,
        stop: asyncio.Event,
        offline: Callable[[], bool] = lambda: False,
        on_synced: Callable[[], None] = lambda: None,
    ) -> None:
        """Sync until `stop` is set and no record waits; skip it while the device is `offline`."""
        while True:
            last = stop.is_set()
            try:
                if not offline():
                    await device.sync(await self._routes.route(device.spool), wait=0)
                    on_synced()
                    if last and device.spool.counts().pending == 0:
                        return
            except (NotReached, SpoolFailed, *NOT_ENROLLED):
                # A full disk takes no answers either; the fault that filled it ends later.
                self._tally.syncs_failed += 1
            await asyncio.sleep(SYNC_SECONDS * self._rng.uniform(0.5, 1.5))

    async def revoke(self, device: Till) -> None:
        """Revoke a lost device, as soon as identity answers."""
        async for _ in attempts():
            try:
                await self._routes.revoke(device.spool)
                return
            except NOT_ENROLLED:
                self._tally.syncs_failed += 1


@dataclass(frozen=True, slots=True, eq=False)
class RunningTill:
    """A device, with the tasks in which it sells and syncs."""

    agent: TillAgent
    selling: asyncio.Task[None]
    syncing: asyncio.Task[None]

    async def finish(self, *, count: bool) -> None:
        """Write its closing records, and let it sync everything. `count`: it counts the goods too."""
        await self.agent.close(count=count)
        self.agent.offline = False
        self.agent.stop_syncing.set()


class TillRunner:
    """Starts the tills of all festivals; each records `rate` times a second."""

    def __init__(
        self,
        folder: Path,
        syncing: Syncing,
        group: asyncio.TaskGroup,
        rng_of: Callable[[str], random.Random],
        tally: Tally,
        rate: float,
    ) -> None:
        """`rng_of` returns the random numbers for one purpose."""
        self.folder = folder
        self.rng_of = rng_of
        self.agents: list[TillAgent] = []
        self._syncing = syncing
        self._group = group
        self._tally = tally
        self._rate = rate

    async def revoke(self, agent: TillAgent) -> None:
        """Let nothing more count that the lost device signs."""
        await self._syncing.revoke(agent.till)

    def new_agent(self, booth: str, name: str, shared: SharedBooth, subfolder: str = "") -> TillAgent:
        """A new device under this till's name. `subfolder` keeps its spool apart from an earlier device's."""
        rng = self.rng_of(f"{booth}.{name}{subfolder}")
        agent = TillAgent(Till(self.folder / subfolder, booth, name), shared, rng, self._tally)
        # The first sync would introduce the device too, but the tally would miss that record.
        agent.introduce()
        return agent

    def start(self, agent: TillAgent) -> RunningTill:
        """Let the device sell and sync in tasks of the group."""
        self.agents.append(agent)
        selling = self._group.create_task(agent.work(self._rate))
        syncing = self._group.create_task(
            self._syncing.run(agent.till, agent.stop_syncing, lambda: agent.offline, agent.apply_events)
        )
        return RunningTill(agent, selling, syncing)
