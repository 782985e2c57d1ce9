"""A chaos run from the empty stack to the reckoning."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from deploy.local import kafka, process
from deploy.local.stack import LocalStack
from deploy.topics import SERVICES, make_topics
from lab.chaos.crew import Crew
from lab.chaos.faults import LEAST_INSTANCES, Injected, Kind, Place, by_kind, plan
from lab.chaos.load import Load
from lab.chaos.model import Reckoning, reckon
from lab.chaos.pace import Tally
from lab.chaos.proxy import Proxy
from lab.chaos.told import Told
from lab.chaos.watch import Recovery, Watch
from ops.verify import Report, verify
from shared.errors import KaryaError
from shared.retry import PASSING
from shared.settings import Settings
from shared.timeouts import ignore_result

EVERY = 5.0  # seconds between two faults, about
LEAST_RATE = 300.0  # records of all inputs a second; with fewer a run says little
QUIET_WITHIN = 180.0
END_WITHIN = 240.0
LET_GO_WITHIN = 30.0
FIRST_LISTENER = 18300
FIRST_SERVER = 18400


@dataclass(slots=True)
class ChaosReport:
    """What was done, what went wrong, and what it did. Times in seconds. `events` at the end, `events_per_second`
    while there were faults. `restarts`: instances that did not reach a server when they started, and were started
    again. `stuck`: what did not come to its end."""

    seed: int
    minutes: float
    faults: list[Injected] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    acknowledged: int = 0
    events: int = 0
    events_per_second: float = 0.0
    reckoning: Reckoning = field(default_factory=Reckoning)
    verify: Report = field(default_factory=Report)
    standstill: float = 0.0
    recoveries: Mapping[Kind, Recovery] = field(default_factory=dict)
    restarts: int = 0
    bad_exits: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.verify.ok and self.reckoning.ok and not self.bad_exits and not self.stuck

    @property
    def below_rate(self) -> bool:
        """Whether the load was too small to prove much; no fault of the promise, since a machine may be slow."""
        return self.events_per_second < LEAST_RATE

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "seed": self.seed,
            "minutes": self.minutes,
            "sent": self.tally.recorded,
            "acknowledged": self.acknowledged,
            "events": self.events,
            "events_per_second": round(self.events_per_second, 1),
            "below_rate": self.below_rate,
            "tally": asdict(self.tally),
            "faults": {kind.value: len(of) for kind, of in by_kind(self.faults)},
            "lost": self.reckoning.lost,
            "doubled": self.reckoning.doubled,
            "torn": self.reckoning.torn,
            "longest_standstill_seconds": round(self.standstill, 1),
            "recovery_seconds": {
                # JSON has no infinity.
                kind.value: {
                    "median": round(one.median, 1) if isfinite(one.median) else None,
                    "longest": round(one.longest, 1) if isfinite(one.longest) else None,
                    "never": one.never,
                }
                for kind, one in self.recoveries.items()
            },
            "restarts": self.restarts,
            "bad_exits": self.bad_exits,
            "stuck": self.stuck,
            "verify": self.verify.as_dict(),
        }


async def run(
    folder: Path,
    *,
    minutes: float,
    seed: int,
    rate: float,
    tell: Callable[[str], None],
    programs: Mapping[str, list[str]] | None = None,
) -> ChaosReport:
    """Faults for `minutes` under `rate` records a second, then the reckoning. `tell` hears what happens now.

    `programs`: what to run in place of a service's own program, for some. Raises StackError.
    """
    report = ChaosReport(seed, minutes)
    _listen_apart(folder)
    tell("starting Kafka and MongoDB behind proxies")
    async with _stack(folder) as (stack, direct, lines, told):
        await make_topics(direct)
        crew = Crew(folder / "services", told, dict(programs or {}))
        try:
            tell("starting the services")
            await asyncio.gather(*(crew.join(service) for service in crew.services for _ in range(LEAST_INSTANCES)))
            await crew.ready()
            acknowledged = await _storm(report, folder, direct, stack, crew, lines, rate, tell)
            tell("waiting until everything is worked off, then checking every invariant")
            try:
                report.verify = await verify(direct, within=QUIET_WITHIN)
                await reckon(direct, acknowledged, report.reckoning, whole=not report.stuck)
            except (KaryaError, *PASSING) as fault:
                # What was seen before is worth telling all the same.
                report.stuck.append(f"The reckoning came to no end: {fault!r}")
        finally:
            await crew.dismiss()
        report.bad_exits = [str(exit) for exit in crew.exits if exit.bad] + crew.dead
    return report


async def _storm(
    report: ChaosReport,
    folder: Path,
    settings: Settings,
    stack: LocalStack,
    crew: Crew,
    lines: dict[tuple[str, str], Proxy],
    rate: float,
    tell: Callable[[str], None],
) -> Told:
    """The faults under load. Returns what terminals and tills were acknowledged for in the end."""
    began = time.monotonic()

    def clock() -> float:
        return time.monotonic() - began

    load = Load(
        folder / "devices", settings, lambda: [member.url for member in crew.of("festival")], report.seed, rate
    )
    report.tally = load.tally
    watch = Watch(settings, clock)
    place = Place(crew, load, stack.kafka, stack.mongo, lines, clock)
    watching, loading = asyncio.create_task(watch.run()), asyncio.create_task(load.run())
    supervising = asyncio.create_task(crew.supervise())
    seconds = report.minutes * 60
    working, injecting = {watching, loading, supervising}, set[asyncio.Task[None]]()
    try:
        for planned in plan(report.seed, seconds, EVERY):
            await _until(clock, planned.after, working, injecting)
            tell(f"{clock():4.0f} s of {seconds:.0f}: {planned.kind}; {load.tally.recorded} records so far")
            injecting.add(asyncio.create_task(place.inject(planned)))
        await _until(clock, seconds, working, injecting)
        report.events_per_second = watch.samples[-1].events_per_second if watch.samples else 0.0
        await asyncio.gather(*injecting)
        await place.mend()
        await place.synced()
        tell("the faults are over; tills close, stock goes home")
        load.stopping.set()
        ended = await _ended(loading, load.tally)
        if not ended:
            report.stuck.append(f"For {END_WITHIN:.0f} s without faults nothing of the load went on.")
            _tell_of_tasks(folder / "stuck.log")
        report.faults = place.injected
        report.standstill = watch.longest_standstill
        report.recoveries = watch.recoveries(place.injected)
        report.events = watch.samples[-1].events if watch.samples else 0
        told = Told()
        for said in load.acknowledged():
            told.hear(said)
        for void in load.ordered:
            told.order(void)
        report.acknowledged = len(told.records)
        if ended:
            kept = load.tally.recorded - load.tally.vanished
            report.reckoning.lost += unaccounted(kept, report.acknowledged)
        return told
    finally:
        report.restarts = crew.restarts
        for task in working | injecting:
            task.cancel()
        # What is stuck may not hear that it is cancelled.
        over, _ = await asyncio.wait(working | injecting, timeout=LET_GO_WITHIN)
        for task in over:
            ignore_result(task)
        load.close()


def unaccounted(recorded: int, acknowledged: int) -> list[str]:
    """What a spool took and has no longer, or never had acknowledged though nothing waits any more."""
    if recorded == acknowledged:
        return []
    return [
        f"terminals and tills recorded {recorded} times, but their spools hold {acknowledged} acknowledged records"
    ]


async def _ended(loading: asyncio.Task[None], tally: Tally) -> bool:
    """Wait until the load has ended; False when nothing of it went on for a while. Each command is given once, so
    whoever waits for an answer that never comes gives no more of them."""
    done = (-1, -1)
    while not loading.done():
        now = tally.festivals_closed, tally.commands
        if now == done:
            return False
        done = now
        await asyncio.wait([loading], timeout=END_WITHIN)
    await loading
    return True


def _tell_of_tasks(path: Path) -> None:
    """Where each task of this process stands, for whoever looks for what hangs."""
    with path.open("w") as file:
        for task in asyncio.all_tasks():
            task.print_stack(file=file)


async def _until(
    clock: Callable[[], float],
    moment: float,
    working: set[asyncio.Task[None]],
    injecting: set[asyncio.Task[None]],
) -> None:
    """Wait for the moment; what a fault or those at work raise is raised here, faults that are over are let go."""
    running = working | injecting
    while running and (left := moment - clock()) > 0:
        ended, running = await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            await task
        injecting -= ended


def _listen_apart(folder: Path) -> None:
    """What the load's own Kafka clients say of the faults goes to a file: it is no news to whoever looks on."""
    folder.mkdir(parents=True, exist_ok=True)
    said = logging.getLogger("aiokafka")
    said.propagate = False
    said.addHandler(logging.FileHandler(folder / "clients.log"))


@asynccontextmanager
async def _stack(
    folder: Path,
) -> AsyncIterator[tuple[LocalStack, Settings, dict[tuple[str, str], Proxy], dict[str, Settings]]]:
    """The stack, settings past the proxies, the proxies, and the settings of each service through its own."""
    rng = random.Random(str(folder))
    async with AsyncExitStack() as opened:
        lines: dict[tuple[str, str], Proxy] = {}
        listeners = []
        for n, service in enumerate(SERVICES):
            port = process.free_port(FIRST_LISTENER + 10 * n + rng.randrange(10))
            lines[service, "kafka"] = proxy = await opened.enter_async_context(Proxy(port))
            listeners.append(kafka.Listener(f"LINE{n}", port, proxy.port))
        # Not the ports that every stack prefers: another one would take them while a server is down.
        mongo_port, kafka_port = (process.free_port(FIRST_SERVER + 100 * n + rng.randrange(100)) for n in range(2))
        stack = LocalStack(folder / "stack", kafka_port=kafka_port, mongo_port=mongo_port, listeners=listeners)
        await asyncio.to_thread(stack.start)
        opened.callback(stack.stop)
        for service in SERVICES:
            lines[service, "mongo"] = await opened.enter_async_context(Proxy(stack.mongo.port))
        direct = Settings(kafka=stack.addresses.kafka, mongo=stack.addresses.mongo)
        told = {
            service: direct.model_copy(
                update={
                    "kafka": f"127.0.0.1:{lines[service, 'kafka'].port}",
                    "mongo": stack.mongo.kind.address(lines[service, "mongo"].port),
                    "session_timeout_ms": 6000,
                }
            )
            for service in SERVICES
        }
        yield stack, direct, lines, told
