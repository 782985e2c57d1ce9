"""Catch-up: how fast inventory works a backlog, relative to a minimal consumer (the floor) and to other frameworks.

All contestants work the same records on the same servers, one after the other. Each has its own database and
consumer group, with the same initial content. Slow ones get fewer records: their rate does not depend on the number.

Karya runs first and last, the floor second and second to last: the servers fill up meanwhile, and no contestant must
gain by empty ones. Their figures are the means of both runs. Karya with other batch sizes is shown only relative to
Karya.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from aiokafka import TopicPartition

from lab.bench import backlog
from lab.bench.children import ROOT, run
from lab.bench.environment import BenchEnvironment
from lab.bench.meter import RunResult
from lab.bench.peers import kafka_streams, usual
from lab.bench.report import BenchResult, Figure, OnProgress, server_figures
from lab.bench.runners import floor
from lab.bench.runners.job import Job
from shared.mongo import Mongo
from shared.settings import Settings

EVENTS = 200_000
# The most events for slow contestants: enough for a steady rate.
FEW = 2_000
# Besides the default `max_batch`.
BATCHES = (500, 8000)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that works the backlog. `max_batch`: None keeps the setting."""

    name: str
    module: str
    group: str
    variant: str = ""
    slow: bool = False
    python: str = sys.executable
    max_batch: int | None = None
    needs: Callable[[], str] = str

    @property
    def lacks(self) -> str:
        """Why it can't run here, in a few words; empty if it can."""
        return self.needs() if Path(self.python).exists() else "`make bench` installs it"


OURS = Contestant("Karya", "lab.bench.runners.karya", "inventory")
FLOOR = Contestant("floor", "lab.bench.runners.floor", "floor")
READING = Contestant("floor with reads", "lab.bench.runners.floor", "reading", floor.READS)
BARE = Contestant("floor, bare ledger", "lab.bench.runners.floor", "bare", floor.BARE)
PAGED = Contestant("floor, paged ledger", "lab.bench.runners.floor", "paged", floor.PAGED)
USUAL = Contestant("usual", "lab.bench.peers.usual", "usual", slow=True)
WORKERS = Contestant("usual, 12 workers", "lab.bench.peers.usual", "workers", usual.WORKERS, slow=True)
# Their libraries are in a virtual environment of their own, which `make bench` creates.
PEERS_PYTHON = ROOT / ".karya" / "peers" / "bin" / "python"
QUIX = Contestant("Quix Streams", "lab.bench.peers.quix", "quix", python=str(PEERS_PYTHON))
FAUST = Contestant("faust-streaming", "lab.bench.peers.faust_streaming", "faust", python=str(PEERS_PYTHON))
STREAMS = Contestant("Kafka Streams", "lab.bench.peers.kafka_streams", "streams", needs=kafka_streams.lacks)
STREAMS_VIEW = replace(STREAMS, name="Kafka Streams, view", group="streams-view", variant=kafka_streams.VIEW)
SIZED = tuple(Contestant(f"Karya, batches of {n}", OURS.module, OURS.group, max_batch=n) for n in BATCHES)
FLOOR_AGAIN = replace(FLOOR, group="floor-again")
VARIANTS = (READING, BARE, PAGED)
CONTESTANTS = (OURS, FLOOR, *VARIANTS, QUIX, FAUST, USUAL, WORKERS, *SIZED, FLOOR_AGAIN, OURS)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant. `server_seconds`: the servers' CPU time for it, if known."""

    result: RunResult
    server_seconds: float | None


# By the contestant's name, in the order of the first runs.
Runs = Mapping[str, Sequence[Run]]


async def measure(
    env: BenchEnvironment, events: int, on_progress: OnProgress, contestants: Sequence[Contestant] = CONTESTANTS
) -> BenchResult:
    """The rate of every contestant over `events` events, and Karya's rate relative to it."""
    runs: dict[str, list[Run]] = {}
    missing = [contestant.name for contestant in contestants if not contestant.installed]
    few = min(events, FEW)
    lot_count = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
    async with env.namespace() as settings, env.namespace() as slowly:
        on_progress(f"catch-up: publishing {events} events")
        ends = await backlog.publish(settings, backlog.events(events, lot_count))
        ends_slow = await backlog.publish(slowly, backlog.events(few, lot_count))
        for contestant in contestants:
            if not contestant.installed:
                continue
            on_progress(f"catch-up: {contestant.name}")
            if contestant.module == OURS.module and OURS.name in runs:
                # A service's group and database have its name: a second run needs topics of its own too.
                async with env.namespace() as own:
                    own_ends = await backlog.publish(own, backlog.events(events, lot_count))
                    run = await _measure_contestant(env, own, contestant, own_ends, lot_count)
            elif contestant.slow:
                run = await _measure_contestant(env, slowly, contestant, ends_slow, lot_count)
            else:
                run = await _measure_contestant(env, settings, contestant, ends, lot_count)
            runs.setdefault(contestant.name, []).append(run)
    figures = [figure for name, runs_of_one in runs.items() for figure in mean_figures(name, runs_of_one)]
    return BenchResult("catch-up", (*figures, *ratio_figures(runs)), missing_note(missing))


async def _measure_contestant(
    env: BenchEnvironment,
    settings: Settings,
    contestant: Contestant,
    ends: Mapping[TopicPartition, int],
    lot_count: int,
) -> Run:
    await keep_lots(settings, contestant.group, lot_count)
    before = env.server_cpu_seconds()
    result = await run_contestant(env, settings, contestant, ends)
    after = env.server_cpu_seconds()
    return Run(result, None if before is None or after is None else after - before)


async def run_contestant(
    env: BenchEnvironment, settings: Settings, contestant: Contestant, ends: Mapping[TopicPartition, int]
) -> RunResult:
    """Let the contestant work the backlog up to `ends`. Raises BenchFailed, also when it stops early."""
    if contestant.max_batch is not None:
        settings = settings.model_copy(update={"max_batch": contestant.max_batch})
    [result] = await run(
        env.folder,
        contestant.module,
        [Job.of(contestant.group, ends, contestant.variant)],
        settings,
        contestant.python,
    )
    return result


async def keep_lots(settings: Settings, group: str, lot_count: int) -> None:
    """The lots that are known before the first event, in a contestant's database."""
    mongo = Mongo(settings)
    try:
        await backlog.insert_lots(mongo.database(group), backlog.known_lots(lot_count))
    finally:
        await mongo.close()


def missing_note(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    return f"Not installed here (`make bench` does it), so not measured: {', '.join(missing)}."


def mean_rate(runs: Sequence[Run]) -> float:
    """The mean events per second of these runs."""
    return mean(run.result.per_second for run in runs)


def mean_figures(name: str, runs: Sequence[Run]) -> list[Figure]:
    """The figures of one contestant over its runs; none for Karya with other batch sizes."""
    if name in (variant.name for variant in SIZED):
        return []
    events = sum(run.result.events for run in runs)
    server_seconds = [run.server_seconds for run in runs if run.server_seconds is not None]
    return [
        Figure(f"{name}: events/s", mean_rate(runs)),
        Figure(f"{name}: CPU ms per event", sum(run.result.cpu_seconds for run in runs) / events * 1000),
        *server_figures(name, 0.0, sum(server_seconds) if len(server_seconds) == len(runs) else None, events),
        Figure(f"{name}: MB resident, peak", max(run.result.megabytes for run in runs)),
    ]


def ratio_figures(runs: Runs) -> list[Figure]:
    """Karya's rate relative to the others, and the variants of Karya and of the floor relative to theirs."""
    karya = runs[OURS.name]
    goals = {FLOOR.name: 0.85, USUAL.name: 40.0, QUIX.name: 1.0, FAUST.name: 1.0}
    sized = [variant.name for variant in SIZED if variant.name in runs]
    peers = [name for name in runs if name != OURS.name and name not in sized]
    figures = [Figure(f"Karya / {name}", mean_rate(karya) / mean_rate(runs[name]), goals.get(name)) for name in peers]
    figures += [Figure(f"{name} / Karya", mean_rate(runs[name]) / mean_rate(karya)) for name in sized]
    if FLOOR.name not in runs:
        return figures
    floor_runs = runs[FLOOR.name]
    figures += [
        Figure(f"{variant.name} / floor", mean_rate(runs[variant.name]) / mean_rate(floor_runs))
        for variant in VARIANTS
        if variant.name in runs
    ]
    # The first run of Karya with the first of the floor: they ran one after the other.
    pairs = sorted(
        karya_run.result.per_second / floor_run.result.per_second
        for karya_run, floor_run in zip(karya, floor_runs, strict=False)
    )
    return [
        *figures,
        Figure("Karya / floor, the lower of two", pairs[0]),
        Figure("Karya / floor, the higher of two", pairs[-1]),
    ]
