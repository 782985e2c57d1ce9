"""Access control: an open stack and a secured one in turn, and signatures a second on one core.

`open`: plain Kafka and MongoDB, nobody needs a token, and no record is signed. `secure`: the stack of `karya up
--secure`, with TLS, users and their rights. Each till is enrolled, shows a token and signs each record, and nothing
else is taken.

A round starts a new stack of each kind, one after the other, so that neither gains by a quiet moment. Of each round
comes a ratio, and the figures are medians over the rounds.

- Start: from nothing until all six services are ready.
- Latency: of one sale in a request, from its signing until a subscriber can read the public event.
- Catch-up: the backlog of all tills at once, in requests of 500 records that were signed before. It is `published`
  when a subscriber has read the event of the last sale.
"""

import asyncio
import base64
import gzip
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias

import httpx

from deploy.local.server import Server
from deploy.local.services import IDENTITY, LocalServices
from deploy.local.stack import LocalStack
from deploy.secure.subscribers import streams_of_subscribers
from deploy.seed import set_up
from lab.accounts import made_account, wait_for_roles
from lab.bench.children import BenchFailed
from lab.bench.environment import BenchEnvironment
from lab.bench.latency import PERCENTILES, Stopwatch, percentile, reading_effects, stock_booths
from lab.bench.meter import cpu_seconds
from lab.bench.report import BenchResult, Figure, OnProgress, ratio_figures
from lab.bench.serving import READY_WITHIN
from lab.bench.workload import BOOTHS, WorkloadRecord, sales
from lab.enrolment import Enrolment
from shared import envelope
from shared.access.device_session import DeviceSession
from shared.access.rights import Grant
from shared.access.session import Bearer
from shared.access.signatures import (
    HEADER,
    PrivateKey,
    SignedContent,
    new_device_key,
    public_key_of,
    sign,
    verify,
)
from shared.events.identity import Curve, PublicKey, Role
from shared.events.sales import PUBLIC_SALES, TILL
from shared.kafka import topic_name
from shared.retry import attempts
from shared.settings import AccessControl, Settings, UnsignedRecords
from shared.trust import trusted
from shared.wording import Message

ROUNDS = 3
# No round begins that would end later, if it took as long as the longest before it.
LONGEST = 460.0
# Sales before the measurement, so many at each till: the gateway hears of a new till a moment after identity.
WARM = 2
WINDOW = 500
ANSWERED_WITHIN = 30
TYPE = {"Content-Type": "application/cloudevents-batch+json"}


class SideLoad(NamedTuple):
    """How much a round does on each stack, and how long it signs and checks by each curve."""

    records: int = 6_000
    rate: int = 25
    seconds: int = 12
    signing_seconds: float = 0.5


class Measured(NamedTuple):
    """What a figure tells."""

    name: str
    unit: str


# What one stack gave in one round.
Side: TypeAlias = Mapping[Measured, float]
# With its trace id.
TracedRecord: TypeAlias = tuple[str, WorkloadRecord]
USUAL = SideLoad()


@dataclass(frozen=True, slots=True)
class TillClient:
    """A till of the bench; without a key it is not enrolled."""

    booth: str
    auth: httpx.Auth | None = None
    key: PrivateKey | None = None

    def event(self, record: WorkloadRecord, trace: str) -> dict[str, str]:
        """The record as a CloudEvent, signed now if the till has a key."""
        value, source = envelope.encode(record.body), f"till/{self.booth}/{self.booth}-T1"
        headers = envelope.headers(
            id=record.id,
            source=source,
            topic=TILL,
            body=record.body,
            time=_now(),
            trace=f"00-{trace}-{trace[:16]}-01",
        )
        event = {name.removeprefix("ce_"): text.decode() for name, text in headers}
        event["datacontenttype"] = event.pop("content-type")
        if self.key is not None:
            event[HEADER] = sign(self.key, SignedContent.of(headers, self.booth.encode(), value))
        return event | {"partitionkey": self.booth, "data_base64": base64.b64encode(value).decode()}


async def measure(env: BenchEnvironment, rounds: int, on_progress: OnProgress, load: SideLoad = USUAL) -> BenchResult:
    """Signatures a second of both curves; start, latency and catch-up of an open and of a secured stack.

    There are fewer rounds if so many would take too long. Raises BenchFailed and StackError.
    """
    signatures: list[Mapping[str, float]] = []
    pairs: list[tuple[Side, Side]] = []
    began, longest = time.monotonic(), 0.0
    while len(pairs) < rounds and time.monotonic() - began + longest < LONGEST:
        round_began, label = time.monotonic(), f"secure, round {len(pairs) + 1} of {rounds}"
        on_progress(f"{label}: signatures")
        signatures.append(signatures_per_second(load.signing_seconds))
        on_progress(f"{label}: open")
        open_side = await _measure_side(env.folder / "open", load, secure=False)
        on_progress(f"{label}: secure")
        pairs.append((open_side, await _measure_side(env.folder / "secure", load, secure=True)))
        longest = max(longest, time.monotonic() - round_began)
    figures = [Figure(name, median(row[name] for row in signatures)) for name in signatures[0]]
    return BenchResult("secure", (*figures, *side_figures(pairs)), rounds_note(len(pairs), rounds))


def rounds_note(done: int, wished: int) -> str:
    """Why there are fewer rounds than were wished; empty if there are not."""
    if done == wished:
        return ""
    return f"Only {done} of {wished} rounds were measured: another one would have ended after {LONGEST:.0f} s."


def signatures_per_second(seconds: float) -> Mapping[str, float]:
    """How many records a second one core signs and checks by each curve, measured for so long each."""
    found = {}
    record = next(sales())
    headers = envelope.headers(id=record.id, source="till/H1.B00/T1", topic=TILL, body=record.body, time=_now())
    content = SignedContent.of(headers, b"H1.B00", envelope.encode(record.body))
    for curve in Curve:
        key = new_device_key(curve)
        public, signature = public_key_of(key), sign(key, content)

        def sign_one(key: PrivateKey = key) -> None:
            sign(key, content)

        def check_one(signature: str = signature, public: PublicKey = public) -> None:
            verify(signature, content, public)

        found[f"{curve.value}: signed a second"] = _per_second(sign_one, seconds)
        found[f"{curve.value}: checked a second"] = _per_second(check_one, seconds)
    return found


def side_figures(pairs: Sequence[tuple[Side, Side]]) -> list[Figure]:
    """The medians of both kinds of stack and of the ratios of each round; with several rounds also the bounds."""
    figures = []
    for measure in pairs[0][0]:
        open_values, secure_values = ([side[measure] for side in sides] for sides in zip(*pairs, strict=True))
        ratios = [secure / open for open, secure in zip(open_values, secure_values, strict=True)]
        figures += [
            Figure(f"{measure.name}: open, {measure.unit}", median(open_values)),
            Figure(f"{measure.name}: secure, {measure.unit}", median(secure_values)),
            *ratio_figures(f"{measure.name}: secure / open", ratios),
        ]
    return figures


def _per_second(act: Callable[[], object], seconds: float) -> float:
    began = time.process_time()
    done = 0
    while (elapsed := time.process_time() - began) < seconds:
        for _ in range(100):
            act()
        done += 100
    return done / elapsed


@dataclass(frozen=True, slots=True)
class RunningSide:
    """A stack with its six services. `settings`: its administrator's. `starts`: how long its start took."""

    local: LocalStack
    services: LocalServices
    settings: Settings
    starts: Side

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far: of the gateway, of Kafka and MongoDB."""
        gateway = self.services.servers["gateway"]
        return _cpu_seconds([gateway]), _cpu_seconds(self.local.servers)


@asynccontextmanager
async def _running(folder: Path, *, secure: bool) -> AsyncIterator[RunningSide]:
    """Start an empty stack and its services; the block's end stops them. Raises BenchFailed and StackError."""
    # A failed run leaves its logs.
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    with LocalStack(folder / "stack", secure=secure) as local:
        servers_seconds = time.monotonic() - began
        settings = local.addresses.settings().model_copy(
            update={
                "access": AccessControl.TOKENS if secure else AccessControl.OPEN,
                "unsigned": UnsignedRecords.REFUSED if secure else UnsignedRecords.ALLOWED,
                "log_level": "WARNING",
                # All tills of the bench have one address.
                "http_rate": 0,
                "http_rate_strangers": 0,
            }
        )
        await set_up(settings)
        topics_seconds = time.monotonic() - began - servers_seconds
        with LocalServices(folder / "services", settings, secrets=local.secrets) as services:
            await _until_ready(services)
            seconds = time.monotonic() - began
            starts = {
                Measured("start", "s until all is ready"): seconds,
                Measured("start, Kafka and MongoDB", "s"): servers_seconds,
                Measured("start, topics and rights", "s"): topics_seconds,
                Measured("start, services", "s"): seconds - servers_seconds - topics_seconds,
            }
            settings = settings.model_copy(update={"identity_url": services.urls[IDENTITY]})
            yield RunningSide(local, services, settings, starts)


async def _until_ready(services: LocalServices) -> None:
    troubles: Mapping[str, Message | None] = {}
    async for _ in attempts(within=READY_WITHIN, most=0.1):
        troubles = await asyncio.to_thread(services.troubles)
        if not any(troubles.values()):
            return
    raise BenchFailed(f"The services did not get ready: {troubles}")


def _cpu_seconds(servers: Iterable[Server]) -> float:
    return cpu_seconds(server.pid for server in servers if server.pid is not None)


async def _measure_side(folder: Path, load: SideLoad, *, secure: bool) -> Side:
    async with _running(folder, secure=secure) as side:
        await stock_booths(side.settings, 1)
        stopwatch = Stopwatch()
        [principal] = streams_of_subscribers(side.settings)
        subscriber = side.local.addresses.as_principal(principal, side.settings)
        async with (
            httpx.AsyncClient(base_url=side.services.urls["gateway"], timeout=60, verify=trusted()) as http,
            _tills(side.settings, secure=secure) as tills,
            reading_effects(subscriber, topic_name(side.settings, PUBLIC_SALES.name), stopwatch),
        ):
            workload = zip((f"{number:032x}" for number in count(1)), sales(), strict=False)
            await _warm_up(http, tills, islice(workload, WARM * BOOTHS))
            await _sell(http, tills, stopwatch, islice(workload, load.rate * load.seconds), load.rate)
            await stopwatch.until_all_read()
            times = stopwatch.milliseconds()
            latency = {
                Measured(f"latency, {name}", "ms"): percentile(times, share) for name, share in PERCENTILES.items()
            }
            backlog = list(islice(workload, load.records))
            return {**side.starts, **latency, **await _catch_up(http, tills, stopwatch, backlog, side.cpu)}


@asynccontextmanager
async def _tills(settings: Settings, *, secure: bool) -> AsyncIterator[Mapping[str, TillClient]]:
    """The till of each booth."""
    booths = [f"H1.B{number:02}" for number in range(BOOTHS)]
    if not secure:
        yield {booth: TillClient(booth) for booth in booths}
        return
    owner = await made_account(settings, settings.identity_url, "bench", [Grant(Role.ADMINISTRATOR)])
    await wait_for_roles(owner, Grant(Role.ADMINISTRATOR))
    enrolment = Enrolment(settings.identity_url, owner)
    try:
        tills = {}
        for booth in booths:
            key = new_device_key()
            await enrolment.enrol(key, Role.TILL, booth, f"{booth}-T1")
            tills[booth] = TillClient(booth, Bearer(_session(settings, key)), key)
        yield tills
    finally:
        await enrolment.close()


async def _warm_up(http: httpx.AsyncClient, tills: Mapping[str, TillClient], records: Iterable[TracedRecord]) -> None:
    """Sell one after the other, each until its till was answered."""
    for trace, record in records:
        till = tills[TILL.key_of(record.body)]
        row: dict[str, object] = {}
        async for _ in attempts(within=ANSWERED_WITHIN):
            [row] = await _post(http, till, [till.event(record, trace)], {"Prefer": f"wait={ANSWERED_WITHIN}"})
            # The gateway hears of a new till a moment after identity.
            if row.get("reason") != "unknown_device":
                break
        if "outcome" not in row:
            raise BenchFailed(f"A sale was answered {row}.")


async def _sell(
    http: httpx.AsyncClient,
    tills: Mapping[str, TillClient],
    stopwatch: Stopwatch,
    records: Iterable[TracedRecord],
    rate: int,
) -> None:
    """Sell at an even rate, each sale by itself, until all are stored."""

    async def sell(trace: str, record: WorkloadRecord) -> None:
        stopwatch.started[trace] = time.monotonic()
        till = tills[TILL.key_of(record.body)]
        await _store(http, till, [till.event(record, trace)])

    began = time.monotonic()
    selling = []
    for number, (trace, record) in enumerate(records):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        selling.append(asyncio.create_task(sell(trace, record)))
    await asyncio.gather(*selling)


async def _catch_up(
    http: httpx.AsyncClient,
    tills: Mapping[str, TillClient],
    stopwatch: Stopwatch,
    records: Sequence[TracedRecord],
    cpu: Callable[[], tuple[float, float]],
) -> Side:
    """Send the backlog of all tills at once, and wait until all of it is published."""
    backlogs: dict[str, list[dict[str, str]]] = {booth: [] for booth in tills}
    for trace, record in records:
        booth = TILL.key_of(record.body)
        backlogs[booth].append(tills[booth].event(record, trace))

    async def sync(till: TillClient, backlog: Sequence[dict[str, str]]) -> None:
        for start in range(0, len(backlog), WINDOW):
            await _store(http, till, backlog[start : start + WINDOW])

    gateway_before, servers_before = cpu()
    began = time.monotonic()
    stopwatch.started.update((trace, began) for trace, _ in records)
    await asyncio.gather(*(sync(tills[booth], backlog) for booth, backlog in backlogs.items()))
    stored_seconds = time.monotonic() - began
    await stopwatch.until_all_read()
    published_seconds = max(stopwatch.read[trace] for trace, _ in records) - began
    gateway_after, servers_after = cpu()
    return {
        Measured("catch-up", "records/s published"): len(records) / published_seconds,
        Measured("catch-up, intake", "records/s stored"): len(records) / stored_seconds,
        Measured("catch-up, gateway", "CPU µs per record"): (gateway_after - gateway_before) / len(records) * 1e6,
        Measured("catch-up, Kafka and MongoDB", "CPU µs per record"): (servers_after - servers_before)
        / len(records)
        * 1e6,
    }


async def _store(http: httpx.AsyncClient, till: TillClient, events: Sequence[dict[str, str]]) -> None:
    for row in await _post(http, till, events, {}):
        if row["status"] != "stored":
            raise BenchFailed(f"A record was answered {row}.")


async def _post(
    http: httpx.AsyncClient, till: TillClient, events: Sequence[dict[str, str]], headers: Mapping[str, str]
) -> list[dict[str, object]]:
    body = json.dumps(events).encode()
    packed = {"Content-Encoding": "gzip"} if len(events) > 1 else {}
    answer = await http.post(
        "/intake",
        content=gzip.compress(body) if packed else body,
        headers={**TYPE, **packed, **headers},
        auth=till.auth or httpx.USE_CLIENT_DEFAULT,
    )
    if answer.status_code != httpx.codes.OK:
        raise BenchFailed(f"The gateway answered {answer.status_code}: {answer.text}")
    rows: list[dict[str, object]] = answer.json()
    return rows


def _session(settings: Settings, key: PrivateKey) -> DeviceSession:
    return DeviceSession(settings.identity_url, lambda: key)


def _now() -> datetime:
    return datetime.now(UTC)
