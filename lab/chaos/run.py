"""A chaos run from the empty stack to the reckoning."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from deploy.local import kafka, process
from deploy.local.stack import LocalStack
from deploy.seed import set_up
from deploy.topics import SERVICES
from lab.accounts import made_account, wait_for_roles
from lab.chaos.expected import ExpectedState
from lab.chaos.faults import FaultKind, InjectedFault, by_kind, plan
from lab.chaos.fronts import Fronts
from lab.chaos.injector import MIN_INSTANCES, FaultInjector
from lab.chaos.instances import Instances
from lab.chaos.load import Load, LoadAccess, organisers_of
from lab.chaos.progress import ProgressMonitor, Recovery
from lab.chaos.proxy import Proxy
from lab.chaos.reckoning import Reckoning, reckon
from lab.chaos.routes import GatewayRoutes, KafkaRoutes
from lab.chaos.tally import Tally
from lab.enrolment import Enrolment
from ops.verify import VerifyReport, verify
from ops.verify.signatures import signatures
from shared.access.rights import Grant
from shared.access.session import GivenToken
from shared.errors import KaryaError
from shared.events.identity import ANY, Role
from shared.retry import PASSING
from shared.settings import AccessControl, DeviceRoute, Settings, UnsignedRecords
from shared.timeouts import ignore_result

FAULT_EVERY = 5.0  # seconds between two faults, about
MIN_RATE = 300.0  # events a second; a run with fewer proves little
QUIET_WITHIN = 180.0
STUCK_AFTER = 240.0
CANCEL_WITHIN = 30.0
FIRST_LISTENER = 18300
FIRST_SERVER = 18400
# Services that clients reach at one address, whatever instances there are.
FRONTED = ("identity", "gateway")
CLIENTS = "clients"
OWNER = (Grant(Role.ADMINISTRATOR),)
ORGANISER = (Grant(Role.ORGANISER, ANY),)


@dataclass(slots=True)
class ChaosReport:
    """The faults of a run, the load, and every difference that was found.

    Times are in seconds. `events` is counted at the end, `events_per_second` during the faults. `restarts`: instances
    that did not reach a server at their start, and were started again. `stuck`: parts of the run that did not end.
    """

    seed: int
    minutes: float
    faults: list[InjectedFault] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    acknowledged: int = 0
    events: int = 0
    events_per_second: float = 0.0
    reckoning: Reckoning = field(default_factory=Reckoning)
    verify: VerifyReport = field(default_factory=VerifyReport)
    standstill: float = 0.0
    recoveries: Mapping[FaultKind, Recovery] = field(default_factory=dict)
    restarts: int = 0
    bad_exits: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.verify.ok and self.reckoning.ok and not self.bad_exits and not self.stuck

    @property
    def below_rate(self) -> bool:
        """Whether the load was too small to prove much. That is no failure: the machine may be slow."""
        return self.events_per_second < MIN_RATE

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
            "faults": {kind.value: len(faults) for kind, faults in by_kind(self.faults)},
            "lost": self.reckoning.lost,
            "doubled": self.reckoning.doubled,
            "torn": self.reckoning.mismatched,
            "longest_standstill_seconds": round(self.standstill, 1),
            "recovery_seconds": {
                # JSON has no infinity.
                kind.value: {
                    "median": round(recovery.median, 1) if isfinite(recovery.median) else None,
                    "longest": round(recovery.longest, 1) if isfinite(recovery.longest) else None,
                    "never": recovery.never,
                }
                for kind, recovery in self.recoveries.items()
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
    on_progress: Callable[[str], None],
    route: DeviceRoute = DeviceRoute.GATEWAY,
    programs: Mapping[str, list[str]] | None = None,
    secure: bool = False,
) -> ChaosReport:
    """Inject faults for `minutes` under `rate` records a second, then reckon. `on_progress` gets sentences to show.

    `route`: over the gateway, where each device is enrolled and each request needs a token, or Kafka itself without
    tokens. `programs`: programs to run instead of some services' own. `secure`: on a secured stack, where each
    service is a user of its own. What the load writes to Kafka itself is the administrator's. Raises StackError.
    """
    report = ChaosReport(seed, minutes)
    _redirect_client_logs(folder)
    on_progress("starting Kafka and MongoDB behind proxies")
    stacked = _stack(folder, route, secure=secure)
    async with stacked as (stack, direct, proxies, proxied, fronts), AsyncExitStack() as opened:
        await set_up(direct)
        access = await _access(direct, proxies, minutes, opened)
        instances = Instances(folder / "services", proxied, dict(programs or {}))
        fronts.lead_to(instances)
        try:
            on_progress("starting the services")
            await asyncio.gather(
                *(instances.join(service) for service in instances.services for _ in range(MIN_INSTANCES))
            )
            await instances.wait_ready()
            for account in access.organisers:
                await wait_for_roles(account, *ORGANISER)
            expected = await _inject_faults(
                report, folder, direct, access, stack, instances, proxies, rate, on_progress
            )
            on_progress("waiting until every record is worked, then checking every invariant")
            try:
                report.verify = await verify(direct, within=QUIET_WITHIN)
                if report.verify.quiet:
                    checks = (*report.verify.checks, await signatures(direct))
                    report.verify = replace(report.verify, checks=checks)
                await reckon(direct, expected, report.reckoning, complete=not report.stuck)
            except (KaryaError, *PASSING) as fault:
                # The report is still worth showing: it has what was found before.
                report.stuck.append(f"The reckoning did not end: {fault!r}")
        finally:
            await instances.dismiss()
        report.bad_exits = [str(exit) for exit in instances.exits if exit.bad] + instances.liveness_failures
    return report


async def _inject_faults(
    report: ChaosReport,
    folder: Path,
    settings: Settings,
    access: LoadAccess,
    stack: LocalStack,
    instances: Instances,
    proxies: dict[tuple[str, str], Proxy],
    rate: float,
    on_progress: Callable[[str], None],
) -> ExpectedState:
    """Inject the faults under load, and end the load. Returns the state that follows from what Kafka acknowledged."""
    began = time.monotonic()

    def clock() -> float:
        return time.monotonic() - began

    def festival_urls() -> list[str]:
        return [instance.url for instance in instances.of_service("festival")]

    load = Load(folder / "devices", settings, access, festival_urls, report.seed, rate)
    report.tally = load.tally
    monitor = ProgressMonitor(settings, clock)
    injector = FaultInjector(instances, load, stack.kafka, stack.mongo, proxies, clock)
    monitoring, loading = asyncio.create_task(monitor.run()), asyncio.create_task(load.run())
    supervising = asyncio.create_task(instances.supervise())
    seconds = report.minutes * 60
    working, injecting = {monitoring, loading, supervising}, set[asyncio.Task[None]]()
    try:
        for planned in plan(report.seed, seconds, FAULT_EVERY):
            await _until(clock, planned.after, working, injecting)
            on_progress(f"{clock():4.0f} s of {seconds:.0f}: {planned.kind}; {load.tally.recorded} records so far")
            injecting.add(asyncio.create_task(injector.inject(planned)))
        await _until(clock, seconds, working, injecting)
        report.events_per_second = monitor.samples[-1].events_per_second if monitor.samples else 0.0
        await asyncio.gather(*injecting)
        await injector.end_all()
        await injector.wait_synced()
        on_progress("the faults are over; tills close, stock is brought home")
        load.stopping.set()
        ended = await _ended(loading, load.tally)
        if not ended:
            report.stuck.append(f"The load made no progress for {STUCK_AFTER:.0f} s without faults.")
            _write_stacks(folder / "stuck.log")
        report.faults = injector.injected
        report.standstill = monitor.longest_standstill
        report.recoveries = monitor.recoveries(injector.injected)
        report.events = monitor.samples[-1].events if monitor.samples else 0
        expected = ExpectedState()
        for record in load.acknowledged():
            expected.add_record(record)
        for void in load.ordered:
            expected.add_void(void)
        report.acknowledged = len(expected.records)
        if ended:
            recorded = load.tally.recorded - load.tally.vanished
            report.reckoning.lost += unaccounted(recorded, report.acknowledged)
        return expected
    finally:
        report.restarts = instances.restarts
        for task in working | injecting:
            task.cancel()
        # A stuck task may ignore its cancellation.
        ended_tasks, _ = await asyncio.wait(working | injecting, timeout=CANCEL_WITHIN)
        for task in ended_tasks:
            ignore_result(task)
        load.close()


def unaccounted(recorded: int, acknowledged: int) -> list[str]:
    """A sentence if spools lost records, or hold unacknowledged ones although no record waits any more."""
    if recorded == acknowledged:
        return []
    return [
        f"terminals and tills recorded {recorded} times, but their spools hold {acknowledged} acknowledged records"
    ]


async def _ended(loading: asyncio.Task[None], tally: Tally) -> bool:
    """Wait until the load has ended. False if it gave no command for a while: each command is counted once, however
    often it is repeated."""
    before = (-1, -1)
    while not loading.done():
        now = tally.festivals_closed, tally.commands
        if now == before:
            return False
        before = now
        await asyncio.wait([loading], timeout=STUCK_AFTER)
    await loading
    return True


def _write_stacks(path: Path) -> None:
    """Write the stack of each task of this process, to find what hangs."""
    with path.open("w") as file:
        for task in asyncio.all_tasks():
            task.print_stack(file=file)


async def _until(
    clock: Callable[[], float],
    moment: float,
    working: set[asyncio.Task[None]],
    injecting: set[asyncio.Task[None]],
) -> None:
    """Wait for the moment. An error of any task is raised here; injections that have ended leave the set."""
    running = working | injecting
    while running and (remaining := moment - clock()) > 0:
        ended, running = await asyncio.wait(running, timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            await task
        injecting -= ended


def _redirect_client_logs(folder: Path) -> None:
    """Write the logs of the load's own Kafka clients to a file: during faults they are no news."""
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("aiokafka")
    logger.propagate = False
    logger.addHandler(logging.FileHandler(folder / "clients.log"))


async def _access(
    settings: Settings, proxies: Mapping[tuple[str, str], Proxy], minutes: float, opened: AsyncExitStack
) -> LoadAccess:
    """How the load reaches Karya. With tokens its accounts are made, which identity may not have worked yet."""
    if settings.access is AccessControl.OPEN:
        return LoadAccess(KafkaRoutes(settings), [GivenToken(None)])
    identity = settings.identity_url
    owner = await made_account(settings, identity, "owner", OWNER)
    organisers = [
        await made_account(settings, identity, f"organiser.{number}", ORGANISER)
        for number in range(1, organisers_of(minutes) + 1)
    ]
    enrolment = Enrolment(identity, owner)
    opened.push_async_callback(enrolment.close)
    return LoadAccess(GatewayRoutes(identity, _address(proxies["gateway", CLIENTS]), enrolment), organisers)


def _address(proxy: Proxy) -> str:
    return f"http://127.0.0.1:{proxy.port}"


@asynccontextmanager
async def _stack(
    folder: Path, route: DeviceRoute, *, secure: bool
) -> AsyncIterator[tuple[LocalStack, Settings, dict[tuple[str, str], Proxy], dict[str, Settings], Fronts]]:
    """The stack, settings past the proxies, the proxies, the settings of each service through its proxies, and what
    leads clients to the instances of identity and gateway."""
    rng = random.Random(str(folder))
    async with AsyncExitStack() as opened:
        proxies: dict[tuple[str, str], Proxy] = {}
        listeners = []
        for n, service in enumerate(SERVICES):
            port = process.free_port(FIRST_LISTENER + 10 * n + rng.randrange(10))
            proxies[service, "kafka"] = proxy = await opened.enter_async_context(Proxy(port))
            listeners.append(kafka.Listener(f"LINE{n}", port, proxy.port))
        # Not the preferred ports: another stack would take them while a server is down.
        mongo_port, kafka_port = (process.free_port(FIRST_SERVER + 100 * n + rng.randrange(100)) for n in range(2))
        stack = LocalStack(
            folder / "stack", kafka_port=kafka_port, mongo_port=mongo_port, listeners=listeners, secure=secure
        )
        await asyncio.to_thread(stack.start)
        opened.callback(stack.stop)
        for service in SERVICES:
            proxies[service, "mongo"] = await opened.enter_async_context(Proxy(stack.mongo.port))
        direct, fronts = stack.addresses.settings(), Fronts(rng)
        if route is DeviceRoute.KAFKA:
            direct = direct.model_copy(update={"access": AccessControl.OPEN})
        else:
            for service in FRONTED:
                front = Proxy(partial(fronts.port_of, service))
                proxies[service, CLIENTS] = await opened.enter_async_context(front)
            direct = direct.model_copy(
                update={
                    "access": AccessControl.TOKENS,
                    "unsigned": UnsignedRecords.REFUSED,
                    "identity_url": _address(proxies["identity", CLIENTS]),
                    # The whole load has one address and few accounts.
                    "http_rate": 0,
                    "http_rate_strangers": 0,
                }
            )
        proxied = {
            service: stack.addresses.as_principal(service, direct).model_copy(
                update={
                    "kafka": f"127.0.0.1:{proxies[service, 'kafka'].port}",
                    "mongo": stack.mongo.kind.address(proxies[service, "mongo"].port),
                    "session_timeout_ms": 6000,
                }
            )
            for service in SERVICES
        }
        yield stack, direct, proxies, proxied, fronts
