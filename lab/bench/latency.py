"""Latency: from the acknowledgement of what a terminal or till said to the moment when a consumer can read what
became of it, beside the same hops made raw.

A report passes two services (production, inventory). A sale passes one (sales) until its till is answered, and that
one twice, from booth to facility, until it is public. Each raw hop is a process that consumes,
commits one transaction, and produces. Beside the labelled sale of one piece there are, at one rate, a basket of
several makers' pieces, of which the first that can be read counts, and a piece without a label.

A low rate lasts longer, so that it gives as many samples as others: with the usual 8 seconds at least 2,000 of each.
p99.9 is told only of 2,000 samples and more; of fewer it would be their maximum.

Whether a rate lasts is told by how long after the last acknowledgement all was read: where more is said than is
worked that is much more than the usual wait.

Of the services also their memory, and their CPU and that of the servers for each report or sale: all that they do at
this rate from the first until all were read, waiting for more included. What the servers do for the bench's own
producer and consumer is in it, for raw hops as for services.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lab.bench.children import BenchFailed, Runner
from lab.bench.place import Place
from lab.bench.report import GOAL_MEGABYTES, Figure, Said, Tell
from lab.bench.runners import raw
from lab.bench.runners.job import Job
from lab.bench.serving import Served, serving
from lab.bench.spoken import BOOTHS, MAKERS, Words, baskets, openings, reports, sales, unlabelled
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
# For each second asked for a rate gives so many samples at least, but lasts no longer than LONGEST because of it.
SAMPLES = 250
LONGEST = 40
SAMPLES_FOR_RARE = 2000
# Not counted: connections, caches and the first transactions.
WARM_SECONDS = 2
LOST_AFTER = 30.0
PERCENTILES = {"p50": 0.5, "p99": 0.99}
RARE = {"p99.9": 0.999}


@dataclass(slots=True)
class Stopwatch:
    """When each event, by its trace, was acknowledged and when its effect was read."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)

    def milliseconds(self) -> list[float]:
        """All, sorted."""
        return sorted((self.read[trace] - at) * 1000 for trace, at in self.acknowledged.items())

    @property
    def behind(self) -> float:
        """Seconds from the last acknowledgement until all was read."""
        return max(0.0, max(self.read[trace] for trace in self.acknowledged) - max(self.acknowledged.values()))


@dataclass(frozen=True, slots=True)
class Timed:
    """What one rate showed: the waits, sorted; how far behind it ended; the servers' CPU for each, if known."""

    milliseconds: list[float]
    behind: float
    servers_microseconds: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took one service to work what was said."""

    service: str
    cpu_microseconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Road:
    """What is said on `into`, and where its effect can be read after `hops` steps. `makers`: whose goods are at each
    booth."""

    name: str
    into: Topic
    out: Topic
    services: tuple[str, ...]
    said: Callable[[], Iterator[Words]]
    makers: int = 1
    rates: tuple[int, ...] = RATES
    hops: int = 1


REPORT = Road("report", TERMINAL, INVENTORY, ("production", "inventory"), reports, hops=2)
# What the till hears. The public event of a sale is the next step's, which is the facility's.
SALE = Road("sale", TILL, SALES, ("sales",), sales)
PUBLIC = Road("public sale", TILL, PUBLIC_SALES, ("sales",), sales, rates=ONE_RATE, hops=2)
BASKET = Road("basket", TILL, SALES, ("sales",), baskets, MAKERS, ONE_RATE)
UNLABELLED = Road("unlabelled sale", TILL, SALES, ("sales",), unlabelled, MAKERS, ONE_RATE)


async def measure(place: Place, seconds: int, tell: Tell) -> Said:
    """Percentiles in ms, of both roads and of as many raw hops, at each rate; and what it took the services."""
    figures: list[Figure] = []
    for road in (REPORT, SALE, PUBLIC, BASKET, UNLABELLED):
        for rate in road.rates:
            long = lasting(rate, seconds)
            tell(f"latency: {road.name} at {rate}/s, {long} s each")
            ours, costs = await _ours(place, road, rate, long)
            bare = await _raw(place, road, rate, long)
            at_rate = f"{road.name} at {rate}/s"
            figures += compared(at_rate, ours.milliseconds, bare.milliseconds, with_goals=with_goals(road, rate))
            figures += [
                Figure(f"{at_rate}: s until all was read", ours.behind),
                Figure(f"{at_rate}: raw s until all was read", bare.behind),
            ]
            for who, timed in (("servers", ours), ("servers of raw", bare)):
                if timed.servers_microseconds is not None:
                    figures.append(Figure(f"{at_rate}, {who}: CPU µs per {road.name}", timed.servers_microseconds))
            for cost in costs:
                what = f"{at_rate}, {cost.service}"
                figures += [
                    Figure(f"{what}: CPU µs per {road.name}", cost.cpu_microseconds),
                    Figure(f"{what}: MB resident, peak", cost.megabytes, GOAL_MEGABYTES, at_most=True),
                ]
    return Said("latency", tuple(figures))


def with_goals(road: Road, rate: int) -> bool:
    """The goals are for reports and labelled sales."""
    return rate == GOAL_AT and road in (REPORT, SALE)


def lasting(rate: int, seconds: int) -> int:
    """How many seconds this rate is measured when `seconds` were asked for: longer when it gives few samples."""
    return max(seconds, min(LONGEST, math.ceil(seconds * SAMPLES / rate)))


def compared(what: str, ours: Sequence[float], bare: Sequence[float], *, with_goals: bool) -> list[Figure]:
    """Percentiles of sorted milliseconds, side by side; the rare ones only when there are enough to know them."""
    figures = [Figure(f"{what}: samples", len(ours))]
    for name, share in PERCENTILES.items() if len(ours) < SAMPLES_FOR_RARE else (PERCENTILES | RARE).items():
        mine, theirs = of(ours, share), of(bare, share)
        goal = GOALS.get(name) if with_goals else None
        figures += [
            Figure(f"{what}, {name}: ms", mine),
            Figure(f"{what}, {name}: raw ms", theirs),
            Figure(f"{what}, {name}: Karya / raw", mine / theirs, goal, at_most=True),
        ]
    return figures


def of(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


async def _ours(place: Place, road: Road, rate: int, seconds: int) -> tuple[Timed, list[Cost]]:
    async with place.round() as settings, serving(place.folder, road.services, settings) as served:
        if road.into is TILL:
            await _stock_booths(settings, road.makers)
        before = {name: one.cpu_seconds for name, one in served.items()}
        timed = await _timed(place, settings, road, topic_name(settings, road.out.name), rate, seconds)
        said = rate * (WARM_SECONDS + seconds)
        return timed, [_cost(one, before[name], said) for name, one in served.items()]


def _cost(one: Served, cpu_before: float, said: int) -> Cost:
    return Cost(one.name, (one.cpu_seconds - cpu_before) / said * 1e6, one.megabytes)


async def _raw(place: Place, road: Road, rate: int, seconds: int) -> Timed:
    async with place.round() as settings:
        # Topics that are there anyway: from the first over one between to the last.
        names = [topic_name(settings, one.name) for one in (road.into, BOOTH_STOCK, road.out)]
        steps = [names[0], *names[1 : road.hops], names[2]]
        async with _hops(place, settings, steps):
            return await _timed(place, settings, road, steps[-1], rate, seconds)


@asynccontextmanager
async def _hops(place: Place, settings: Settings, steps: Sequence[str]) -> AsyncIterator[None]:
    runners = [
        Runner(place.folder, raw.__name__, Job.of(f"hop{index}", {TopicPartition(into, 0): 0}, out), settings)
        for index, (into, out) in enumerate(pairwise(steps))
    ]
    try:
        for runner in runners:
            await runner.said(raw.READY)
        yield
    finally:
        for runner in runners:
            runner.end()


async def _timed(place: Place, settings: Settings, road: Road, out: str, rate: int, seconds: int) -> Timed:
    watch = Stopwatch()
    consumer = reader(settings)
    client = producer(settings)
    await asyncio.gather(consumer.start(), client.start())
    parts = [TopicPartition(out, partition) for partition in range(settings.partitions)]
    consumer.assign(parts)
    await consumer.seek_to_beginning(*parts)
    hearing = asyncio.create_task(_hear(consumer, watch))
    before = place.server_seconds()
    try:
        said = zip((f"{number:032x}" for number in count(1)), road.said(), strict=False)
        await _say(settings, road, client, watch, said, rate, WARM_SECONDS)
        warm = set(watch.acknowledged)
        await _say(settings, road, client, watch, said, rate, seconds)
        until = time.monotonic() + LOST_AFTER
        while watch.acknowledged.keys() - watch.read.keys():
            if time.monotonic() > until:
                missing = len(watch.acknowledged.keys() - watch.read.keys())
                raise BenchFailed(f"{missing} of {len(watch.acknowledged)} events came to nothing")
            await asyncio.sleep(0.05)
        after = place.server_seconds()
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, consumer.stop(), client.stop(), return_exceptions=True)
    used = None if before is None or after is None else (after - before) / len(watch.acknowledged) * 1e6
    for trace in warm:
        del watch.acknowledged[trace]
    return Timed(watch.milliseconds(), watch.behind, used)


async def _say(
    settings: Settings,
    road: Road,
    client: AIOKafkaProducer,
    watch: Stopwatch,
    said: Iterator[tuple[str, Words]],
    rate: int,
    seconds: int,
) -> None:
    """`rate` a second at an even pace, each acknowledged by itself."""
    name = topic_name(settings, road.into.name)
    began = time.monotonic()
    partitions = settings.partitions
    waiting: list[asyncio.Task[None]] = []
    while len(waiting) < rate * seconds:
        due = int((time.monotonic() - began) * rate) + 1
        while len(waiting) < min(due, rate * seconds):
            trace, words = next(said)
            waiting.append(asyncio.create_task(_send(client, name, road.into, partitions, trace, words, watch)))
        await asyncio.sleep(max(0.0, began + len(waiting) / rate - time.monotonic()))
    await asyncio.gather(*waiting)


async def _send(
    client: AIOKafkaProducer, name: str, topic: Topic, partitions: int, trace: str, words: Words, watch: Stopwatch
) -> None:
    headers = envelope.headers(
        id=words.id,
        source="bench",
        topic=topic,
        body=words.body,
        time=datetime.now(UTC),
        trace=f"00-{trace}-{trace[:16]}-01",
    )
    key = topic.key_of(words.body)
    await client.send_and_wait(
        name, envelope.encode(words.body), key.encode(), partition_for(key, partitions), headers=headers
    )
    watch.acknowledged[trace] = time.monotonic()


async def _hear(consumer: AIOKafkaConsumer, watch: Stopwatch) -> None:
    while True:
        fetched = await consumer.getmany(timeout_ms=1000)
        now = time.monotonic()
        for records in fetched.values():
            for record in records:
                trace = envelope.header(record.headers, "traceparent")
                if trace is not None:
                    watch.read.setdefault(trace.split("-")[1], now)


async def _stock_booths(settings: Settings, makers: int) -> None:
    client = producer(settings)
    await client.start()
    try:
        name = topic_name(settings, BOOTH_STOCK.name)
        for number, body in enumerate(openings(makers), 1):
            # Another trace than what is said afterwards has.
            trace = f"{1:016x}{number:016x}"
            words = Words(f"opening-{number}", body)
            await _send(client, name, BOOTH_STOCK, settings.partitions, trace, words, Stopwatch())
    finally:
        await client.stop()
    await _worked(settings, (1 + makers) * BOOTHS)


async def _worked(settings: Settings, count: int) -> None:
    """Wait until sales has worked so many records about booths: a sale that comes before them is one in dispute."""
    mongo = Mongo(settings)
    store, name = RuntimeStore(mongo.database("sales")), topic_name(settings, BOOTH_STOCK.name)
    try:
        async for _ in attempts(within=LOST_AFTER):
            lanes = await store.lanes(BOOTH.group, range(settings.partitions))
            if sum(lane.offsets.get(name, 0) for lane in lanes.values()) == count:
                return
        raise BenchFailed(f"sales did not hear of its {BOOTHS} booths")
    finally:
        await mongo.close()
