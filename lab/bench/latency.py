"""Latency: from the acknowledgement of a record until a consumer can read its effect, relative to raw hops.

A report passes two services (production, inventory). A sale passes one service (sales) until its till is answered,
and the same one twice, from booth to facility, until it is public. A raw hop is a process that consumes, commits one
transaction, and produces. At one rate there are also a basket with pieces of several makers, of which the first
readable effect counts, and an unlabelled piece.

A low rate is measured for longer, so that it gives as many samples: with the default 8 seconds at least 2,000.
p99.9 needs 2,000 samples; with fewer it would be their maximum.

A rate is sustained if all effects are read soon after the last acknowledgement. At a higher rate the backlog grows,
and that time is much longer than the median latency.

Figures of a service are its memory, and its CPU time and the servers' for each record. CPU time counts from the first
record until all effects were read, idle polling included. The servers' share for the bench's own producer and
consumer is included too, for raw hops as for services.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from statistics import median

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lab.bench.children import BenchFailed, Runner
from lab.bench.environment import BenchEnvironment
from lab.bench.report import GOAL_MEGABYTES, BenchResult, Figure, OnProgress, ratio_figures
from lab.bench.runners import raw
from lab.bench.runners.job import Job
from lab.bench.serving import RunningService, serving
from lab.bench.workload import BOOTHS, MAKERS, WorkloadRecord, baskets, openings, reports, sales, unlabelled
from services.sales.handlers import BOOTH
from shared import envelope
from shared.events.festival import BOOTH_STOCK
from shared.events.inventory import INVENTORY
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import PUBLIC_SALES, SALES, TILL
from shared.kafka import partition_for, producer, reader, topic_name
from shared.mongo import Mongo
from shared.retry import attempts
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

RATES = (50, 200, 1000)
GOAL_AT = 200
ONE_RATE = (GOAL_AT,)
GOALS = {"p50": 1.5, "p99": 2.0}
SECONDS = 8
# At the rates with goals, alternated; elsewhere there is one.
ROUNDS = 3
# Samples that a rate gives at least for each requested second; but it is extended to LONGEST seconds at most.
SAMPLES = 250
LONGEST = 40
SAMPLES_FOR_RARE = 2000
# Warm-up, not counted: connections, caches and the first transactions.
WARM_SECONDS = 2
LOST_AFTER = 30.0
PERCENTILES = {"p50": 0.5, "p99": 0.99}
RARE = {"p99.9": 0.999}


@dataclass(slots=True)
class Stopwatch:
    """When the time of each record began, and when its effect was read, by its trace id."""

    started: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)

    def milliseconds(self) -> list[float]:
        """All latencies, ascending."""
        return sorted((self.read[trace] - at) * 1000 for trace, at in self.started.items())

    @property
    def drain_seconds(self) -> float:
        """Seconds from the last acknowledgement until every effect was read."""
        return max(0.0, max(self.read[trace] for trace in self.started) - max(self.started.values()))

    async def until_all_read(self) -> None:
        """Wait until every effect is read. Raises BenchFailed when none more comes."""
        missing, last = len(self.started), time.monotonic()
        while unread := len(self.started.keys() - self.read.keys()):
            if unread < missing:
                missing, last = unread, time.monotonic()
            if time.monotonic() - last > LOST_AFTER:
                raise BenchFailed(f"{unread} of {len(self.started)} records had no effect")
            await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """The result of one rate: latencies, ascending; seconds until all was read; servers' CPU per record, if known."""

    milliseconds: list[float]
    drain_seconds: float
    servers_microseconds: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """The CPU time of one service per record, and its memory."""

    service: str
    cpu_microseconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class LatencyRound:
    """Services and raw hops, one after the other, and what the services cost."""

    services: LatencyResult
    raw_hops: LatencyResult
    costs: Sequence[Cost]


@dataclass(frozen=True, slots=True)
class Route:
    """Records on `input_topic`, whose effect can be read on `output_topic` after `hops` steps. `makers`: how many
    makers' goods each booth has."""

    name: str
    input_topic: Topic
    output_topic: Topic
    services: tuple[str, ...]
    records: Callable[[], Iterator[WorkloadRecord]]
    makers: int = 1
    rates: tuple[int, ...] = RATES
    hops: int = 1


REPORT = Route("report", TERMINAL, INVENTORY, ("production", "inventory"), reports, hops=2)
# The event that the till receives. The public event of a sale comes from the next step, the facility's.
SALE = Route("sale", TILL, SALES, ("sales",), sales)
PUBLIC = Route("public sale", TILL, PUBLIC_SALES, ("sales",), sales, rates=ONE_RATE, hops=2)
BASKET = Route("basket", TILL, SALES, ("sales",), baskets, MAKERS, ONE_RATE)
UNLABELLED = Route("unlabelled sale", TILL, SALES, ("sales",), unlabelled, MAKERS, ONE_RATE)


async def measure(env: BenchEnvironment, seconds: int, on_progress: OnProgress) -> BenchResult:
    """Percentiles in ms of each route and of as many raw hops, at each rate; CPU time and memory of the services."""
    figures: list[Figure] = []
    for route in (REPORT, SALE, PUBLIC, BASKET, UNLABELLED):
        for rate in route.rates:
            duration, rounds = duration_of(rate, seconds), ROUNDS if has_goals(route, rate) else 1
            pairs: list[LatencyRound] = []
            for number in range(rounds):
                on_progress(f"latency: {route.name} at {rate}/s, {duration} s each, round {number + 1} of {rounds}")
                if number % 2 == 0:
                    services, costs = await _measure_services(env, route, rate, duration)
                    raw_hops = await _measure_raw_hops(env, route, rate, duration)
                else:
                    raw_hops = await _measure_raw_hops(env, route, rate, duration)
                    services, costs = await _measure_services(env, route, rate, duration)
                pairs.append(LatencyRound(services, raw_hops, costs))
            figures += route_figures(route, rate, pairs)
    return BenchResult("latency", tuple(figures))


def route_figures(route: Route, rate: int, rounds: Sequence[LatencyRound]) -> list[Figure]:
    """The figures of one route and rate over its rounds: medians, but of memory the most."""
    at_rate = f"{route.name} at {rate}/s"
    figures = percentile_figures(
        at_rate,
        [(pair.services.milliseconds, pair.raw_hops.milliseconds) for pair in rounds],
        has_goals=has_goals(route, rate),
    )
    figures += [
        Figure(f"{at_rate}: s until all was read", median(pair.services.drain_seconds for pair in rounds)),
        Figure(f"{at_rate}: raw s until all was read", median(pair.raw_hops.drain_seconds for pair in rounds)),
    ]
    for subject, results in (
        ("servers", [pair.services for pair in rounds]),
        ("servers of raw", [pair.raw_hops for pair in rounds]),
    ):
        known = [result.servers_microseconds for result in results if result.servers_microseconds is not None]
        if known:
            figures.append(Figure(f"{at_rate}, {subject}: CPU µs per {route.name}", median(known)))
    for costs in zip(*(pair.costs for pair in rounds), strict=True):
        label = f"{at_rate}, {costs[0].service}"
        figures += [
            Figure(f"{label}: CPU µs per {route.name}", median(cost.cpu_microseconds for cost in costs)),
            Figure(
                f"{label}: MB resident, peak", max(cost.megabytes for cost in costs), GOAL_MEGABYTES, at_most=True
            ),
        ]
    return figures


def has_goals(route: Route, rate: int) -> bool:
    """Whether the goals apply: to reports and labelled sales at one rate."""
    return rate == GOAL_AT and route in (REPORT, SALE)


def duration_of(rate: int, seconds: int) -> int:
    """How many seconds this rate is measured if `seconds` are requested: longer when it gives few samples."""
    return max(seconds, min(LONGEST, math.ceil(seconds * SAMPLES / rate)))


def percentile_figures(
    label: str, rounds: Sequence[tuple[Sequence[float], Sequence[float]]], *, has_goals: bool
) -> list[Figure]:
    """Percentiles of ascending milliseconds of services and raw hops, and their ratios, over the rounds; p99.9 only
    with enough samples in each."""
    samples = min(len(service_times) for service_times, _ in rounds)
    figures = [Figure(f"{label}: samples", samples)]
    for name, share in PERCENTILES.items() if samples < SAMPLES_FOR_RARE else (PERCENTILES | RARE).items():
        pairs = [(percentile(service, share), percentile(raw_times, share)) for service, raw_times in rounds]
        goal = GOALS.get(name) if has_goals else None
        figures += [
            Figure(f"{label}, {name}: ms", median(service for service, _ in pairs)),
            Figure(f"{label}, {name}: raw ms", median(raw_time for _, raw_time in pairs)),
            *ratio_figures(
                f"{label}, {name}: Karya / raw",
                [service / raw_time for service, raw_time in pairs],
                goal,
                at_most=True,
            ),
        ]
    return figures


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


async def _measure_services(
    env: BenchEnvironment, route: Route, rate: int, seconds: int
) -> tuple[LatencyResult, list[Cost]]:
    async with env.namespace() as settings, serving(env.folder, route.services, settings) as running:
        if route.input_topic is TILL:
            await stock_booths(settings, route.makers)
        before = {name: service.cpu_seconds for name, service in running.items()}
        result = await _measure(env, settings, route, topic_name(settings, route.output_topic.name), rate, seconds)
        record_count = rate * (WARM_SECONDS + seconds)
        return result, [_cost(service, before[name], record_count) for name, service in running.items()]


def _cost(service: RunningService, cpu_before: float, record_count: int) -> Cost:
    return Cost(service.name, (service.cpu_seconds - cpu_before) / record_count * 1e6, service.megabytes)


async def _measure_raw_hops(env: BenchEnvironment, route: Route, rate: int, seconds: int) -> LatencyResult:
    async with env.namespace() as settings:
        # Existing topics serve for the hops: the first, one in between, and the last.
        names = [topic_name(settings, topic.name) for topic in (route.input_topic, BOOTH_STOCK, route.output_topic)]
        steps = [names[0], *names[1 : route.hops], names[2]]
        async with _running_hops(env, settings, steps):
            return await _measure(env, settings, route, steps[-1], rate, seconds)


@asynccontextmanager
async def _running_hops(env: BenchEnvironment, settings: Settings, steps: Sequence[str]) -> AsyncIterator[None]:
    runners = [
        Runner(env.folder, raw.__name__, Job.of(f"hop{index}", {TopicPartition(into, 0): 0}, out), settings)
        for index, (into, out) in enumerate(pairwise(steps))
    ]
    try:
        for runner in runners:
            await runner.wait_for_output(raw.READY)
        yield
    finally:
        for runner in runners:
            runner.end()


async def _measure(
    env: BenchEnvironment, settings: Settings, route: Route, out: str, rate: int, seconds: int
) -> LatencyResult:
    stopwatch = Stopwatch()
    async with producer(settings) as client, reading_effects(settings, out, stopwatch):
        before = env.server_cpu_seconds()
        records = zip((f"{number:032x}" for number in count(1)), route.records(), strict=False)
        await _send_at_rate(settings, route, client, stopwatch, records, rate, WARM_SECONDS)
        warm = set(stopwatch.started)
        await _send_at_rate(settings, route, client, stopwatch, records, rate, seconds)
        await stopwatch.until_all_read()
        after = env.server_cpu_seconds()
    used = None if before is None or after is None else (after - before) / len(stopwatch.started) * 1e6
    for trace in warm:
        del stopwatch.started[trace]
    return LatencyResult(stopwatch.milliseconds(), stopwatch.drain_seconds, used)


async def _send_at_rate(
    settings: Settings,
    route: Route,
    client: AIOKafkaProducer,
    stopwatch: Stopwatch,
    records: Iterator[tuple[str, WorkloadRecord]],
    rate: int,
    seconds: int,
) -> None:
    """Send `rate` records a second, evenly spaced, each acknowledged by itself."""
    name = topic_name(settings, route.input_topic.name)
    began = time.monotonic()
    partitions = settings.partitions
    sends: list[asyncio.Task[None]] = []
    while len(sends) < rate * seconds:
        due = int((time.monotonic() - began) * rate) + 1
        while len(sends) < min(due, rate * seconds):
            trace, record = next(records)
            sends.append(
                asyncio.create_task(_send(client, name, route.input_topic, partitions, trace, record, stopwatch))
            )
        await asyncio.sleep(max(0.0, began + len(sends) / rate - time.monotonic()))
    await asyncio.gather(*sends)


async def _send(
    client: AIOKafkaProducer,
    name: str,
    topic: Topic,
    partitions: int,
    trace: str,
    record: WorkloadRecord,
    stopwatch: Stopwatch,
) -> None:
    headers = envelope.headers(
        id=record.id,
        source="bench",
        topic=topic,
        body=record.body,
        time=datetime.now(UTC),
        trace=f"00-{trace}-{trace[:16]}-01",
    )
    key = topic.key_of(record.body)
    await client.send_and_wait(
        name, envelope.encode(record.body), key.encode(), partition_for(key, partitions), headers=headers
    )
    stopwatch.started[trace] = time.monotonic()


@asynccontextmanager
async def reading_effects(settings: Settings, topic: str, stopwatch: Stopwatch) -> AsyncIterator[None]:
    """Read this topic from its beginning for the duration of the block."""
    consumer = reader(settings)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, partition) for partition in range(settings.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        reading = asyncio.create_task(_read_effects(consumer, stopwatch))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    finally:
        await consumer.stop()


async def _read_effects(consumer: AIOKafkaConsumer, stopwatch: Stopwatch) -> None:
    while True:
        fetched = await consumer.getmany(timeout_ms=1000)
        now = time.monotonic()
        for records in fetched.values():
            for record in records:
                trace = envelope.header(record.headers, "traceparent")
                if trace is not None:
                    stopwatch.read.setdefault(trace.split("-")[1], now)


async def stock_booths(settings: Settings, makers: int) -> None:
    """Open and stock the booths of the workload, and wait until sales has worked that. Raises BenchFailed."""
    client = producer(settings)
    await client.start()
    try:
        name = topic_name(settings, BOOTH_STOCK.name)
        for number, body in enumerate(openings(makers), 1):
            # A trace id that no measured record has.
            trace = f"{1:016x}{number:016x}"
            record = WorkloadRecord(f"opening-{number}", body)
            await _send(client, name, BOOTH_STOCK, settings.partitions, trace, record, Stopwatch())
    finally:
        await client.stop()
    await _wait_until_worked(settings, (1 + makers) * BOOTHS)


async def _wait_until_worked(settings: Settings, count: int) -> None:
    """Wait until sales has worked so many records about booths: an earlier sale would end in dispute."""
    mongo = Mongo(settings)
    store, name = RuntimeStore(mongo.database("sales")), topic_name(settings, BOOTH_STOCK.name)
    try:
        async for _ in attempts(within=LOST_AFTER):
            lanes = await store.lanes(BOOTH.group, range(settings.partitions))
            if sum(lane.offsets.get(name, 0) for lane in lanes.values()) == count:
                return
        raise BenchFailed(f"sales did not work the events of its {BOOTHS} booths")
    finally:
        await mongo.close()
