"""Access control: signatures a second on one core, and the gateway with tokens and signatures beside an open one.

`open`: nobody needs a token, and no record is signed. `secure`: each till is enrolled, shows a token and signs each
record, and nothing else is taken.

A sale's latency is that of one request with one receipt, from its signing until the till has the answer of sales. The
catch-up is the backlog of all tills at once, in requests of 500 records that were signed before. Both kinds run once,
one after the other: the ratios tell more than the figures.
"""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import httpx

from deploy.local import process
from lab.accounts import made_account, wait_for_roles
from lab.bench.children import BenchFailed
from lab.bench.environment import BenchEnvironment
from lab.bench.latency import percentile, stock_booths
from lab.bench.report import BenchResult, Figure, OnProgress
from lab.bench.serving import RunningService, serving
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
from shared.events.identity import Curve, Role
from shared.events.sales import TILL
from shared.retry import attempts
from shared.settings import AccessControl, Settings, UnsignedRecords
from shared.trust import trusted

RECORDS = 6_000
# Sales of which the latency is measured, for so many records of the catch-up.
SALES_IN = 20
RATE = 25
WARM = 24
WINDOW = 500
SIGNING_SECONDS = 1.0
ANSWERED_WITHIN = 30
IDENTITY_PORT = 18_700
TYPE = {"Content-Type": "application/cloudevents-batch+json"}


@dataclass(frozen=True, slots=True)
class TillClient:
    """A till of the bench; without a key it is not enrolled."""

    booth: str
    auth: httpx.Auth | None = None
    key: PrivateKey | None = None

    def event(self, record: WorkloadRecord) -> dict[str, str]:
        """The record as a CloudEvent, signed now if the till has a key."""
        value, source = envelope.encode(record.body), f"till/{self.booth}/{self.booth}-T1"
        headers = envelope.headers(id=record.id, source=source, topic=TILL, body=record.body, time=datetime.now(UTC))
        event = {name.removeprefix("ce_"): text.decode() for name, text in headers}
        event["datacontenttype"] = event.pop("content-type")
        if self.key is not None:
            event[HEADER] = sign(self.key, SignedContent.of(headers, self.booth.encode(), value))
        return event | {"partitionkey": self.booth, "data_base64": base64.b64encode(value).decode()}


@dataclass(frozen=True, slots=True)
class Side:
    """What was measured on one kind of stack. `milliseconds` ascend. `gateway_microseconds`: CPU per record of the
    catch-up."""

    milliseconds: Sequence[float]
    stored_per_second: float
    gateway_microseconds: float
    starts: Mapping[str, float]


async def measure(env: BenchEnvironment, records: int, on_progress: OnProgress) -> BenchResult:
    """Signatures a second of both curves; latency of a sale, catch-up of `records` and start, open and secure."""
    on_progress("secure: signatures")
    figures = [figure for curve in Curve for figure in signature_figures(curve, SIGNING_SECONDS)]
    sides = {}
    for name, secure in (("open", False), ("secure", True)):
        on_progress(f"secure: the gateway, {name}")
        sides[name] = await _measure_side(env, records, secure=secure)
    return BenchResult("secure", (*figures, *side_figures(sides["open"], sides["secure"])))


def signature_figures(curve: Curve, seconds: float) -> list[Figure]:
    """How many records a second one core signs and checks, measured for so long each."""
    key = new_device_key(curve)
    record = next(sales())
    headers = envelope.headers(id=record.id, source="till/H1.B00/T1", topic=TILL, body=record.body, time=_now())
    content = SignedContent.of(headers, b"H1.B00", envelope.encode(record.body))
    public, signature = public_key_of(key), sign(key, content)
    return [
        Figure(f"{curve.value}: signed a second", _per_second(lambda: sign(key, content), seconds)),
        Figure(f"{curve.value}: checked a second", _per_second(lambda: verify(signature, content, public), seconds)),
    ]


def side_figures(open_side: Side, secure_side: Side) -> list[Figure]:
    """The figures of both kinds of stack, and secure relative to open."""
    figures = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        open_time, secure_time = (percentile(side.milliseconds, share) for side in (open_side, secure_side))
        figures += _compared(f"sale until the till is answered, {name}", "ms", open_time, secure_time)
    figures += _compared("catch-up", "records/s stored", open_side.stored_per_second, secure_side.stored_per_second)
    figures += _compared(
        "catch-up, gateway", "CPU µs per record", open_side.gateway_microseconds, secure_side.gateway_microseconds
    )
    for service, seconds in open_side.starts.items():
        figures += _compared(f"start, {service}", "s to ready", seconds, secure_side.starts[service])
    return figures


def _compared(name: str, unit: str, open_value: float, secure_value: float) -> list[Figure]:
    return [
        Figure(f"{name}: open, {unit}", open_value),
        Figure(f"{name}: secure, {unit}", secure_value),
        Figure(f"{name}: secure / open", secure_value / open_value),
    ]


def _per_second(act: Callable[[], object], seconds: float) -> float:
    began = time.process_time()
    count = 0
    while (elapsed := time.process_time() - began) < seconds:
        for _ in range(100):
            act()
        count += 100
    return count / elapsed


async def _measure_side(env: BenchEnvironment, records: int, *, secure: bool) -> Side:
    async with env.namespace() as plain:
        port = process.free_port(IDENTITY_PORT)
        settings = plain.model_copy(
            update={
                "access": AccessControl.TOKENS if secure else AccessControl.OPEN,
                "unsigned": UnsignedRecords.REFUSED if secure else UnsignedRecords.ALLOWED,
                "identity_url": f"http://127.0.0.1:{port}",
                # All tills of the bench have one address.
                "http_rate": 0,
                "http_rate_strangers": 0,
            }
        )
        identity = settings.model_copy(update={"http_port": port})
        async with (
            serving(env.folder, ["identity"], identity) as first,
            serving(env.folder, ["gateway", "sales"], settings) as others,
        ):
            await stock_booths(settings, 1)
            gateway = others["gateway"]
            async with (
                httpx.AsyncClient(base_url=gateway.url, timeout=60, verify=trusted()) as http,
                _tills(settings, secure=secure) as tills,
            ):
                workload = sales()
                await _sell(http, tills, workload, WARM, RATE)
                times = await _sell(http, tills, workload, max(WARM, records // SALES_IN), RATE)
                rate, cpu = await _catch_up(http, gateway, tills, workload, records)
            starts = {name: service.seconds for name, service in {**first, **others}.items()}
            return Side(sorted(times), rate, cpu, starts)


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


async def _sell(
    http: httpx.AsyncClient,
    tills: Mapping[str, TillClient],
    workload: Iterator[WorkloadRecord],
    count: int,
    rate: int,
) -> list[float]:
    """Sell at an even rate. Returns the milliseconds of each sale until its till was answered."""

    async def sell(till: TillClient, record: WorkloadRecord) -> float:
        async for _ in attempts(within=ANSWERED_WITHIN):
            began = time.monotonic()
            rows = await _post(http, till, [till.event(record)], {"Prefer": f"wait={ANSWERED_WITHIN}"})
            if "outcome" in rows[0]:
                return (time.monotonic() - began) * 1000
            # The gateway hears of a new till a moment after identity.
            if rows[0].get("reason") != "unknown_device":
                raise BenchFailed(f"a sale was answered {rows[0]}")
        raise BenchFailed("the gateway did not hear of a till")

    began = time.monotonic()
    selling = []
    for number, record in enumerate(islice(workload, count)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        selling.append(asyncio.create_task(sell(tills[TILL.key_of(record.body)], record)))
    return await asyncio.gather(*selling)


async def _catch_up(
    http: httpx.AsyncClient,
    gateway: RunningService,
    tills: Mapping[str, TillClient],
    workload: Iterator[WorkloadRecord],
    count: int,
) -> tuple[float, float]:
    """Send the backlog of all tills at once. Returns the records stored a second, and the gateway's CPU µs."""
    backlogs: dict[str, list[dict[str, str]]] = {booth: [] for booth in tills}
    for record in islice(workload, count):
        booth = TILL.key_of(record.body)
        backlogs[booth].append(tills[booth].event(record))

    async def sync(till: TillClient, backlog: Sequence[dict[str, str]]) -> None:
        for start in range(0, len(backlog), WINDOW):
            rows = await _post(http, till, backlog[start : start + WINDOW], {})
            if wrong := [row for row in rows if row["status"] != "stored"]:
                raise BenchFailed(f"a record of a backlog was answered {wrong[0]}")

    began, cpu = time.monotonic(), gateway.cpu_seconds
    await asyncio.gather(*(sync(tills[booth], backlog) for booth, backlog in backlogs.items()))
    return count / (time.monotonic() - began), (gateway.cpu_seconds - cpu) / count * 1e6


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
        raise BenchFailed(f"the gateway answered {answer.status_code}: {answer.text}")
    rows: list[dict[str, object]] = answer.json()
    return rows


def _session(settings: Settings, key: PrivateKey) -> DeviceSession:
    return DeviceSession(settings.identity_url, lambda: key)


def _now() -> datetime:
    return datetime.now(UTC)
