"""Incidents of tills during a festival: one is replaced, one is lost, and one goes on twice from a copy."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from lab.chaos.organiser import OrganiserClient
from lab.chaos.running import SYNC_SECONDS, RunningTill, TillRunner
from lab.chaos.tally import Tally
from lab.chaos.tills import TillAgent
from shared.errors import SpoolFailed
from shared.retry import attempts

OFFLINE_SECONDS = 2.0  # how long a till that breaks sells without a network before
VANISHING = 12  # records that are lost with a till

T = TypeVar("T")

# Happens to one of the running tills of a festival, and may add or remove some.
Incident: TypeAlias = Callable[[TillAgent, list[RunningTill]], Awaitable[None]]


class Incidents:
    """The incidents of one festival. `new_till`: the name of the till that takes the place of a lost one."""

    def __init__(self, client: OrganiserClient, runner: TillRunner, tally: Tally, new_till: str) -> None:
        self._client = client
        self._runner = runner
        self._tally = tally
        self._new_till = new_till

    @property
    def all(self) -> tuple[Incident, ...]:
        return (self.replace, self.lose, self.copy)

    async def replace(self, agent: TillAgent, running: list[RunningTill]) -> None:
        """The device loses its network, then breaks, and another device goes on under its name. It sends its records
        when the festival is over."""
        agent.offline = True
        await asyncio.sleep(OFFLINE_SECONDS)
        agent.stop_selling.set()
        other = self._runner.new_agent(agent.till.booth, agent.till.name, agent.shared, "replaced")
        running.append(self._runner.start(other))

    async def lose(self, agent: TillAgent, running: list[RunningTill]) -> None:
        """The device vanishes with its last records. The organiser strikes and revokes it, and another till takes its
        place."""
        [lost] = [till for till in running if till.agent is agent]
        # The organiser strikes a device by the id that sales shows.
        async for _ in attempts(most=SYNC_SECONDS):
            if agent.known_to_sales:
                break
        agent.stop_selling.set()
        agent.stop_syncing.set()
        await asyncio.gather(lost.selling, lost.syncing)
        agent.detached = True
        for _ in range(VANISHING):
            agent.record()
        self._tally.vanished += agent.till.spool.counts().pending
        running.remove(lost)
        booth = agent.till.booth
        path = f"/festivals/{agent.shared.festival}/booths/{booth}/tills"
        await self._client.command(f"{path}/{agent.till.name}/strike", {"device": agent.till.spool.device})
        await self._runner.revoke(agent)
        await self._client.command(path, {"till": self._new_till})
        running.append(self._runner.start(self._runner.new_agent(booth, self._new_till, agent.shared)))

    async def copy(self, agent: TillAgent, running: list[RunningTill]) -> None:
        """A second device goes on from a copy of the spool: two branches of records under one device id."""
        rng = self._runner.rng_of(f"{agent.till.booth} restored")
        other = await self._when_spool_has_room(lambda: agent.copy(self._runner.folder / "restored", rng))
        running.append(self._runner.start(other))

    async def _when_spool_has_room(self, act: Callable[[], T]) -> T:
        async for _ in attempts():
            try:
                return act()
            except SpoolFailed:
                self._tally.refused_by_spool += 1
        raise AssertionError("attempts without a bound do not end")
