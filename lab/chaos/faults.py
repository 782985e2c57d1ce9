"""What goes wrong when: drawn from a seed, so that the same seed gives the same plan of faults."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from deploy.local.server import Server
from edge.spool import Spool
from lab.chaos.crew import Crew, Member
from lab.chaos.load import Load
from lab.chaos.outage import Outage
from lab.chaos.proxy import Line, Proxy
from lab.chaos.terminals import TerminalAgent

T = TypeVar("T")

LEAST_INSTANCES = 2
MOST_INSTANCES = 4
LONGEST = 9.0  # seconds; longer than a group waits for an instance, so that a frozen one wakes up replaced
FULL_PAGES = 1  # of SQLite: fewer than any spool has, so that nothing more fits
NO_BOUND = 2**31 - 1
SYNCED_WITHIN = 60.0
SYNCED_LOOK = 0.2


class Kind(StrEnum):
    """One kind of fault each."""

    KILL = "service killed"
    KILL_GROUP = "whole service group killed"
    FREEZE = "service frozen, then thawed"
    FREEZE_GROUP = "whole service group frozen, then thawed"
    JOIN = "instance joined"
    LEAVE = "instance left"
    KILL_KAFKA = "Kafka killed"
    FREEZE_KAFKA = "Kafka frozen, then thawed"
    KILL_MONGO = "MongoDB killed"
    FREEZE_MONGO = "MongoDB frozen, then thawed"
    CUT = "connections reset"
    STALL = "connections stalled"
    SLOW = "connections slowed"
    HALF_OPEN = "connections half open"
    SKEW = "a terminal's clock wrong"
    DISK_FULL = "a terminal's disk full"
    SPOOL_FULL = "a till's spool full"


# How often, against each other.
WEIGHTS = {
    Kind.KILL: 5,
    Kind.KILL_GROUP: 2,
    Kind.FREEZE: 4,
    Kind.FREEZE_GROUP: 2,
    Kind.JOIN: 3,
    Kind.LEAVE: 3,
    Kind.KILL_KAFKA: 2,
    Kind.FREEZE_KAFKA: 1,
    Kind.KILL_MONGO: 2,
    Kind.FREEZE_MONGO: 1,
    Kind.CUT: 4,
    Kind.STALL: 3,
    Kind.SLOW: 3,
    Kind.HALF_OPEN: 3,
    Kind.SKEW: 2,
    Kind.DISK_FULL: 2,
    Kind.SPOOL_FULL: 2,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault `after` seconds of the run, which `lasts` seconds; `pick` chooses its victim among those that there are
    then."""

    kind: Kind
    after: float
    lasts: float
    pick: float


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault as it was: seconds of the run when it began and ended, and the services that it could be felt at. Of
    one that only a terminal or till felt: how long after its end Kafka had all that its spool held then, None if that
    took too long."""

    kind: Kind
    target: str
    began: float
    ended: float
    services: tuple[str, ...]
    synced: float | None = None


class _Begun(NamedTuple):
    """Whom it met, the services or the spool that it could be felt at, and what ends it."""

    target: str
    services: tuple[str, ...] = ()
    mend: Callable[[], Awaitable[None]] | None = None
    spool: Spool | None = None


def plan(seed: int, seconds: float, every: float) -> list[Planned]:
    """Faults about `every` seconds, each kind once before the weights decide."""
    rng = random.Random(f"faults {seed}")
    first = list(Kind)
    rng.shuffle(first)
    faults: list[Planned] = []
    after = every
    while after < seconds - every:
        kind = first.pop() if first else rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        faults.append(Planned(kind, after, rng.uniform(1.0, LONGEST), rng.random()))
        after += rng.uniform(0.5, 1.5) * every
    return faults


@dataclass(slots=True)
class Place:
    """Where faults happen. `lines`: the proxies of each service to each server, by (service, server)."""

    crew: Crew
    load: Load
    kafka: Server
    mongo: Server
    lines: dict[tuple[str, str], Proxy]
    clock: Callable[[], float]
    injected: list[Injected] = field(default_factory=list)
    _syncing: list[asyncio.Task[None]] = field(default_factory=list)
    _mending: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _outages: dict[Kind, Outage] = field(init=False)

    def __post_init__(self) -> None:
        self._outages = {Kind.KILL_KAFKA: Outage(self.kafka), Kind.KILL_MONGO: Outage(self.mongo)}

    async def inject(self, planned: Planned) -> None:
        """Let it happen and, after its time, be over. What meets nobody (no till sells yet, no room for one more
        instance) was no fault."""
        began = self.clock()
        begun = await self._begin(planned)
        if begun is None:
            return
        if begun.mend is not None:
            self._mending.append(begun.mend)
            await asyncio.sleep(planned.lasts)
            if begun.mend in self._mending:
                self._mending.remove(begun.mend)
                await begun.mend()
        over = Injected(planned.kind, begun.target, began, self.clock(), begun.services)
        if begun.spool is None:
            self.injected.append(over)
        else:
            # The next fault does not wait for it.
            self._syncing.append(asyncio.create_task(self._tell_synced(over, begun.spool)))

    async def synced(self) -> None:
        """Wait until terminals and tills have felt their faults no more, or for too long."""
        await asyncio.gather(*self._syncing)

    async def _tell_synced(self, over: Injected, spool: Spool) -> None:
        self.injected.append(replace(over, synced=await self._synced(spool)))

    async def _synced(self, spool: Spool) -> float | None:
        began, last = self.clock(), spool.counts().records
        while (now := self.clock() - began) < SYNCED_WITHIN:
            # Their numbers have no gaps.
            if all(said.number > last for said in spool.pending(1)):
                return now
            await asyncio.sleep(SYNCED_LOOK)
        return None

    async def mend(self) -> None:
        """End whatever still lasts, and see that every service has an instance."""
        while self._mending:
            await self._mending.pop()()
        await self.crew.restore()

    async def _begin(self, planned: Planned) -> _Begun | None:
        everything = tuple(self.crew.services)
        match planned.kind:
            case Kind.KILL:
                member = self._member(planned)
                await self.crew.kill([member])
                return _Begun(member.name, (member.service,), self._again(member.service))
            case Kind.KILL_GROUP:
                service = _pick(planned, everything)
                await self.crew.kill(self.crew.of(service))
                return _Begun(service, (service,), self._again(service))
            case Kind.FREEZE:
                member = self._member(planned)
                return _Begun(member.name, (member.service,), self._freeze([member]))
            case Kind.FREEZE_GROUP:
                service = _pick(planned, everything)
                return _Begun(service, (service,), self._freeze(self.crew.of(service)))
            case Kind.JOIN:
                service = _pick(planned, everything)
                if len(self.crew.of(service)) >= MOST_INSTANCES:
                    return None
                await self.crew.join(service)
                return _Begun(service, (service,))
            case Kind.LEAVE:
                member = self._member(planned)
                await self.crew.leave(member)
                return _Begun(member.name, (member.service,), self._again(member.service))
            case Kind.KILL_KAFKA | Kind.KILL_MONGO:
                server = self.kafka if planned.kind is Kind.KILL_KAFKA else self.mongo
                outage = self._outages[planned.kind]
                await outage.begin()
                return _Begun(server.name, everything, outage.end)
            case Kind.FREEZE_KAFKA | Kind.FREEZE_MONGO:
                server = self.kafka if planned.kind is Kind.FREEZE_KAFKA else self.mongo
                server.freeze()
                return _Begun(server.name, everything, _now(server.thaw))
            case Kind.CUT:
                (service, server_name), line = _pick(planned, sorted(self.lines.items(), key=lambda one: one[0]))
                line.cut()
                return _Begun(f"{service} to {server_name}", (service,))
            case Kind.STALL | Kind.SLOW | Kind.HALF_OPEN:
                (service, server_name), line = _pick(planned, sorted(self.lines.items(), key=lambda one: one[0]))
                state = {Kind.STALL: Line.STALLED, Kind.SLOW: Line.SLOW, Kind.HALF_OPEN: Line.HALF_OPEN}[planned.kind]
                line.set(state, delay=0.05)
                return _Begun(f"{service} to {server_name}", (service,), _now(lambda: line.set(Line.OPEN)))
            case Kind.SKEW:
                agent = self._terminal(planned)
                agent.skew = timedelta(hours=48 * planned.pick - 24)
                return _Begun(agent.terminal.name, mend=_now(lambda: _right(agent)), spool=agent.terminal.spool)
            case Kind.DISK_FULL:
                agent = self._terminal(planned)
                _limit(agent.terminal.spool, FULL_PAGES)
                return _Begun(
                    agent.terminal.name,
                    mend=_now(lambda: _limit(agent.terminal.spool, NO_BOUND)),
                    spool=agent.terminal.spool,
                )
            case Kind.SPOOL_FULL:
                if not self.load.selling:
                    return None
                till = _pick(planned, self.load.selling).till
                _limit(till.spool, FULL_PAGES)
                return _Begun(
                    f"{till.booth} {till.name}", mend=_now(lambda: _limit(till.spool, NO_BOUND)), spool=till.spool
                )

    def _member(self, planned: Planned) -> Member:
        return _pick(planned, [member for service in self.crew.services for member in self.crew.of(service)])

    def _terminal(self, planned: Planned) -> TerminalAgent:
        return _pick(planned, self.load.terminals)

    def _freeze(self, members: Sequence[Member]) -> Callable[[], Awaitable[None]]:
        for member in members:
            self.crew.freeze(member)

        async def thaw() -> None:
            for member in members:
                self.crew.thaw(member)

        return thaw

    def _again(self, service: str) -> Callable[[], Awaitable[None]]:
        """A service that has lost instances gets one back, and has two at least then."""

        async def join() -> None:
            for _ in range(max(1, LEAST_INSTANCES - len(self.crew.of(service)))):
                if len(self.crew.of(service)) < MOST_INSTANCES:
                    await self.crew.join(service)

        return join


def by_kind(faults: Sequence[Injected]) -> Iterator[tuple[Kind, list[Injected]]]:
    """The faults of each kind that there were."""
    for kind in Kind:
        of = [fault for fault in faults if fault.kind is kind]
        if of:
            yield kind, of


def _right(agent: TerminalAgent) -> None:
    agent.skew = timedelta()


def _limit(spool: Spool, pages: int) -> None:
    # SQLite itself then says that the disk is full, as it would of a real one.
    spool._db.execute(f"pragma max_page_count = {pages}")


def _now(act: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    async def mend() -> None:
        act()

    return mend


def _pick(planned: Planned, among: Sequence[T]) -> T:
    return among[int(planned.pick * len(among))]
