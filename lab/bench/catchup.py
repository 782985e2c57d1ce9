"""Catch-up: how fast inventory works a backlog, relative to a minimal consumer (the floor) and to other frameworks.

All contestants work the same records on the same servers, one after the other. Each has its own database and
consumer group, with the same initial content. Slow ones get fewer records: their rate does not depend on the number.

There are several rounds, and each lets all of them run: one in their order, the next in the reverse one. The servers
fill up meanwhile, and no contestant must gain by empty ones. Rates are medians. A ratio is of one round, and is shown
as the median of the rounds with the lowest and the highest. Karya with other batch sizes is shown only relative to
Karya.
"""

import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from aiokafka import TopicPartition

from lab.bench import backlog
from lab.bench.children import ROOT, run
from lab.bench.environment import BenchEnvironment
from lab.bench.meter import RunResult
from lab.bench.peers import kafka_streams, usual
from lab.bench.report import BenchResult, Figure, OnProgress, ratio_figures, server_figures
from lab.bench.runners import floor
from lab.bench.runners.job import Job
from shared.mongo import Mongo
from shared.settings import Settings

EVENTS = 100_000
ROUNDS = 3
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
LOGGING = Contestant("floor, commit log", "lab.bench.runners.floor", "logging", floor.LOG)
USUAL = Contestant("usual", "lab.bench.peers.usual", "usual", slow=True)
WORKERS = Contestant("usual, 12 workers", "lab.bench.peers.usual", "workers", usual.WORKERS, slow=True)
# Their libraries are in a virtual environment of their own, which `make bench` creates.
PEERS_PYTHON = ROOT / ".karya" / "peers" / "bin" / "python"
QUIX = Contestant("Quix Streams", "lab.bench.peers.quix", "quix", python=str(PEERS_PYTHON))
FAUST = Contestant("faust-streaming", "lab.bench.peers.faust_streaming", "faust", python=str(PEERS_PYTHON))
STREAMS = Contestant("Kafka Streams", "lab.bench.peers.kafka_streams", "streams", needs=kafka_streams.lacks)
STREAMS_VIEW = replace(STREAMS, name="Kafka Streams, view", group="streams-view", variant=kafka_streams.VIEW)
SIZED = tuple(Contestant(f"Karya, batches of {n}", OURS.module, OURS.group, max_batch=n) for n in BATCHES)
VARIANTS = (READING, BARE, PAGED, LOGGING)
CONTESTANTS = (OURS, FLOOR, *VARIANTS, STREAMS, STREAMS_VIEW, QUIX, FAUST, USUAL, WORKERS, *SIZED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant. `server_seconds`: the servers' CPU time for it, if known."""

    result: RunResult
    server_seconds: float | None


# By the contestant's name, in the order of the first runs.
Runs = Mapping[str, Sequence[Run]]


async def measure(
    env: BenchEnvironment,
    events: int,
    on_progress: OnProgress,
    contestants: Sequence[Contestant] = CONTESTANTS,
    rounds: int = ROUNDS,
) -> BenchResult:
    """The rate of every contestant over `events` events, and Karya's rate relative to it."""
    missing = {contestant.name: contestant.lacks for contestant in contestants if contestant.lacks}
    present = [contestant for contestant in contestants if contestant.name not in missing]
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in present}
    for number in range(rounds):
        label = f"catch-up, round {number + 1} of {rounds}"
        order = present if number % 2 == 0 else present[::-1]
        async for name, one_run in _round(env, events, order, label, on_progress):
            runs[name].append(one_run)
    figures = [figure for name, runs_of_one in runs.items() for figure in contestant_figures(name, runs_of_one)]
    return BenchResult("catch-up", (*figures, *relative_figures(runs)), missing_note(missing))


async def _round(
    env: BenchEnvironment, events: int, contestants: Sequence[Contestant], label: str, on_progress: OnProgress
) -> AsyncIterator[tuple[str, Run]]:
    """Every contestant once, in this order, with its name."""
    few = min(events, FEW)
    lot_count = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
    async with env.namespace() as settings, env.namespace() as slowly:
        on_progress(f"{label}: publishing {events} events")
        ends = await backlog.publish(settings, backlog.events(events, lot_count))
        ends_slow = await backlog.publish(slowly, backlog.events(few, lot_count))
        for contestant in contestants:
            on_progress(f"{label}: {contestant.name}")
            if contestant.module == OURS.module and contestant != OURS:
                # A service's group and database have its name: another run needs topics of its own too.
                async with env.namespace() as own:
                    own_ends = await backlog.publish(own, backlog.events(events, lot_count))
                    run = await _measure_contestant(env, own, contestant, own_ends, lot_count)
            elif contestant.slow:
                run = await _measure_contestant(env, slowly, contestant, ends_slow, lot_count)
            else:
                run = await _measure_contestant(env, settings, contestant, ends, lot_count)
            yield contestant.name, run


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


def missing_note(missing: Mapping[str, str]) -> str:
    """Who was not measured, and why: what each lacks by its name."""
    if not missing:
        return ""
    return f"Not measured: {'; '.join(f'{name}, {lack}' for name, lack in missing.items())}."


def contestant_figures(name: str, runs: Sequence[Run]) -> list[Figure]:
    """The figures of one contestant over its runs; none for Karya with other batch sizes."""
    if name in (variant.name for variant in SIZED):
        return []
    events = sum(run.result.events for run in runs)
    server_seconds = [run.server_seconds for run in runs if run.server_seconds is not None]
    return [
        Figure(f"{name}: events/s", median(run.result.per_second for run in runs)),
        Figure(f"{name}: CPU ms per event", sum(run.result.cpu_seconds for run in runs) / events * 1000),
        *server_figures(name, 0.0, sum(server_seconds) if len(server_seconds) == len(runs) else None, events),
        Figure(f"{name}: MB resident, peak", max(run.result.megabytes for run in runs)),
    ]


def relative_figures(runs: Runs) -> list[Figure]:
    """Karya's rate relative to the others, and the variants of Karya and of the floor relative to theirs."""
    goals = {FLOOR.name: 0.85, USUAL.name: 40.0, QUIX.name: 1.0, FAUST.name: 1.0}
    sized = [variant.name for variant in SIZED if variant.name in runs]
    peers = [name for name in runs if name != OURS.name and name not in sized]
    pairs = [(OURS.name, name) for name in peers] if OURS.name in runs else []
    pairs += [(name, OURS.name) for name in sized]
    if FLOOR.name in runs:
        pairs += [(variant.name, FLOOR.name) for variant in VARIANTS if variant.name in runs]
    figures: list[Figure] = []
    for name, other in pairs:
        # Of one round: the machine changes from one to the next.
        ratios = [
            run.result.per_second / beside.result.per_second
            for run, beside in zip(runs[name], runs[other], strict=True)
        ]
        goal = goals.get(other) if name == OURS.name else None
        figures += ratio_figures(f"{name} / {other}", ratios, goal)
    return figures
