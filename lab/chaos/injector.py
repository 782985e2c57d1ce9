"""How each fault begins and ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple, TypeAlias, TypeVar

from deploy.local.server import Server
from edge.spool import Spool
from lab.chaos.faults import FaultKind, InjectedFault, PlannedFault
from lab.chaos.instances import Instance, Instances
from lab.chaos.load import Load
from lab.chaos.outage import Outage
from lab.chaos.proxy import LinkState, Proxy
from lab.chaos.terminals import TerminalAgent

T = TypeVar("T")

MIN_INSTANCES = 2
MAX_INSTANCES = 4
FULL_PAGES = 1  # of SQLite: fewer than any spool has, so that nothing more fits
NO_LIMIT = 2**31 - 1
SLOW_SECONDS = 0.05  # for each chunk
SYNCED_WITHIN = 60.0
SYNCED_EVERY = 0.2

LINK_STATES = {
    FaultKind.STALL: LinkState.STALLED,
    FaultKind.SLOW: LinkState.SLOW,
    FaultKind.HALF_OPEN: LinkState.HALF_OPEN,
}

EndFault: TypeAlias = Callable[[], Awaitable[None]]


class _ActiveFault(NamedTuple):
    """The target of a fault, the services or the spool that it affects, and what ends it (None: ended already)."""

    target: str
    services: tuple[str, ...] = ()
    end: EndFault | None = None
    spool: Spool | None = None


@dataclass(slots=True)
class FaultInjector:
    """Injects planned faults. `proxies`: of each service to each server, by (service, server)."""

    instances: Instances
    load: Load
    kafka: Server
    mongo: Server
    proxies: dict[tuple[str, str], Proxy]
    clock: Callable[[], float]
    injected: list[InjectedFault] = field(default_factory=list)
    _syncing: list[asyncio.Task[None]] = field(default_factory=list)
    _unended: list[EndFault] = field(default_factory=list)
    _outages: dict[FaultKind, Outage] = field(init=False)

    def __post_init__(self) -> None:
        self._outages = {FaultKind.KILL_KAFKA: Outage(self.kafka), FaultKind.KILL_MONGO: Outage(self.mongo)}

    async def inject(self, planned: PlannedFault) -> None:
        """Begin the fault, and end it after its time. Without a target (no till sells yet, no room for one more
        instance) nothing happens, and nothing is listed."""
        began = self.clock()
        active = await self._begin(planned)
        if active is None:
            return
        if active.end is not None:
            self._unended.append(active.end)
            await asyncio.sleep(planned.lasts)
            if active.end in self._unended:
                self._unended.remove(active.end)
                await active.end()
        fault = InjectedFault(planned.kind, active.target, began, self.clock(), active.services)
        if active.spool is None:
            self.injected.append(fault)
        else:
            # A task of its own: the next fault does not wait for it.
            self._syncing.append(asyncio.create_task(self._add_when_synced(fault, active.spool)))

    async def wait_synced(self) -> None:
        """Wait until the affected spools are synced, or their time is over."""
        await asyncio.gather(*self._syncing)

    async def end_all(self) -> None:
        """End every fault that still lasts, and give every service an instance."""
        while self._unended:
            await self._unended.pop()()
        await self.instances.restore()

    async def _add_when_synced(self, fault: InjectedFault, spool: Spool) -> None:
        self.injected.append(replace(fault, synced=await self._seconds_to_sync(spool)))

    async def _seconds_to_sync(self, spool: Spool) -> float | None:
        began, last = self.clock(), spool.counts().records
        while (elapsed := self.clock() - began) < SYNCED_WITHIN:
            # Record numbers have no gaps.
            if all(record.number > last for record in spool.pending(1)):
                return elapsed
            await asyncio.sleep(SYNCED_EVERY)
        return None

    async def _begin(self, planned: PlannedFault) -> _ActiveFault | None:
        match planned.kind:
            case FaultKind.KILL | FaultKind.FREEZE | FaultKind.LEAVE:
                return await self._begin_instance_fault(planned)
            case FaultKind.KILL_GROUP | FaultKind.FREEZE_GROUP | FaultKind.JOIN:
                return await self._begin_group_fault(planned)
            case FaultKind.KILL_KAFKA | FaultKind.FREEZE_KAFKA | FaultKind.KILL_MONGO | FaultKind.FREEZE_MONGO:
                return await self._begin_server_fault(planned)
            case FaultKind.CUT | FaultKind.STALL | FaultKind.SLOW | FaultKind.HALF_OPEN:
                return self._begin_link_fault(planned)
            case FaultKind.SKEW | FaultKind.DISK_FULL:
                return self._begin_terminal_fault(planned)
            case FaultKind.SPOOL_FULL:
                return self._begin_till_fault(planned)

    async def _begin_instance_fault(self, planned: PlannedFault) -> _ActiveFault:
        services = self.instances.services
        living = [instance for service in services for instance in self.instances.of_service(service)]
        instance = _pick(planned, living)
        if planned.kind is FaultKind.FREEZE:
            return _ActiveFault(instance.name, (instance.service,), self._freeze([instance]))
        if planned.kind is FaultKind.KILL:
            await self.instances.kill([instance])
        else:
            await self.instances.leave(instance)
        return _ActiveFault(instance.name, (instance.service,), self._refill_group(instance.service))

    async def _begin_group_fault(self, planned: PlannedFault) -> _ActiveFault | None:
        service = _pick(planned, tuple(self.instances.services))
        group = self.instances.of_service(service)
        if planned.kind is FaultKind.FREEZE_GROUP:
            return _ActiveFault(service, (service,), self._freeze(group))
        if planned.kind is FaultKind.KILL_GROUP:
            await self.instances.kill(group)
            return _ActiveFault(service, (service,), self._refill_group(service))
        if len(group) >= MAX_INSTANCES:
            return None
        await self.instances.join(service)
        return _ActiveFault(service, (service,))

    async def _begin_server_fault(self, planned: PlannedFault) -> _ActiveFault:
        services = tuple(self.instances.services)
        server = self.kafka if planned.kind in (FaultKind.KILL_KAFKA, FaultKind.FREEZE_KAFKA) else self.mongo
        outage = self._outages.get(planned.kind)
        if outage is None:
            server.freeze()
            return _ActiveFault(server.name, services, _awaitable(server.thaw))
        await outage.begin()
        return _ActiveFault(server.name, services, outage.end)

    def _begin_link_fault(self, planned: PlannedFault) -> _ActiveFault:
        (service, server), proxy = _pick(planned, sorted(self.proxies.items(), key=lambda item: item[0]))
        target = f"{service} to {server}"
        if planned.kind is FaultKind.CUT:
            proxy.cut()
            return _ActiveFault(target, (service,))
        proxy.set_state(LINK_STATES[planned.kind], delay=SLOW_SECONDS)
        return _ActiveFault(target, (service,), _awaitable(lambda: proxy.set_state(LinkState.OPEN)))

    def _begin_terminal_fault(self, planned: PlannedFault) -> _ActiveFault:
        agent = _pick(planned, self.load.terminals)
        spool = agent.terminal.spool
        if planned.kind is FaultKind.SKEW:
            agent.skew = timedelta(hours=48 * planned.pick - 24)
            return _ActiveFault(agent.terminal.name, end=_awaitable(lambda: _reset_clock(agent)), spool=spool)
        _limit_pages(spool, FULL_PAGES)
        return _ActiveFault(agent.terminal.name, end=_awaitable(lambda: _limit_pages(spool, NO_LIMIT)), spool=spool)

    def _begin_till_fault(self, planned: PlannedFault) -> _ActiveFault | None:
        if not self.load.selling:
            return None
        till = _pick(planned, self.load.selling).till
        _limit_pages(till.spool, FULL_PAGES)
        return _ActiveFault(
            f"{till.booth} {till.name}",
            end=_awaitable(lambda: _limit_pages(till.spool, NO_LIMIT)),
            spool=till.spool,
        )

    def _freeze(self, instances: Sequence[Instance]) -> EndFault:
        for instance in instances:
            self.instances.freeze(instance)

        async def thaw() -> None:
            for instance in instances:
                self.instances.thaw(instance)

        return thaw

    def _refill_group(self, service: str) -> EndFault:
        """Ends the loss of instances: one joins again, or as many as bring the service to the minimum."""

        async def join() -> None:
            for _ in range(max(1, MIN_INSTANCES - len(self.instances.of_service(service)))):
                if len(self.instances.of_service(service)) < MAX_INSTANCES:
                    await self.instances.join(service)

        return join


def _reset_clock(agent: TerminalAgent) -> None:
    agent.skew = timedelta()


def _limit_pages(spool: Spool, pages: int) -> None:
    # SQLite then reports a full disk, as it would for a real one.
    spool._db.execute(f"pragma max_page_count = {pages}")


def _awaitable(act: Callable[[], object]) -> EndFault:
    async def end() -> None:
        act()

    return end


def _pick(planned: PlannedFault, among: Sequence[T]) -> T:
    return among[int(planned.pick * len(among))]
