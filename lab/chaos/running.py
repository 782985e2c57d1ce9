"""Devices at work: the tasks in which terminals and tills record and sync."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.sync import KafkaRoute
from edge.terminal.terminal import Terminal
from edge.till.till import Till
from lab.chaos.tally import Tally
from lab.chaos.tills import SharedBooth, TillAgent
from shared.errors import NotReached, SpoolFailed
from shared.settings import Settings

SYNC_SECONDS = 1.0


class Syncing:
    """Syncs the spools of terminals and tills with Kafka, about once a second each."""

    def __init__(self, settings: Settings, rng: random.Random, tally: Tally) -> None:
        self._route = KafkaRoute(settings)
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
                    await device.sync(self._route, wait=0)
                    on_synced()
                    if last and device.spool.counts().pending == 0:
                        return
            except (NotReached, SpoolFailed):
                # A full disk takes no answers either; the fault that filled it ends later.
                self._tally.syncs_failed += 1
            await asyncio.sleep(SYNC_SECONDS * self._rng.uniform(0.5, 1.5))


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
