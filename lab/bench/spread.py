"""Spread: the rate of one, two and four processes of inventory on the same lanes, in alternated rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from lab.bench import backlog
from lab.bench.children import run
from lab.bench.environment import BenchEnvironment
from lab.bench.meter import RunResult
from lab.bench.report import GOAL_MEGABYTES, BenchResult, Figure, OnProgress, ratio_figures, server_figures
from lab.bench.runners.job import Job
from shared.mongo import Mongo

EVENTS = 100_000
INSTANCES = (1, 2, 4)
ROUNDS = 3
TOO_FEW = "Too few events: the first instance finished before the last one started, so there is no joint rate."


class JointRate(NamedTuple):
    """Events per second of all instances while all of them worked, and for how many seconds they did."""

    pace: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SpreadRun:
    """The results of so many processes that worked the backlog together, and the servers' CPU seconds, if known."""

    results: Sequence[RunResult]
    server_seconds: float | None

    @property
    def joint(self) -> JointRate | None:
        return joint_rate(self.results)


async def measure(env: BenchEnvironment, events: int, on_progress: OnProgress, rounds: int = ROUNDS) -> BenchResult:
    """Events per second of all instances together while all of them work, and CPU time per event."""
    runs: dict[int, list[SpreadRun]] = {count: [] for count in INSTANCES}
    for number in range(rounds):
        for count in INSTANCES if number % 2 == 0 else INSTANCES[::-1]:
            on_progress(f"spread, round {number + 1} of {rounds}: {count} of inventory")
            runs[count].append(await _run(env, events, count))
    figures = [figure for count in INSTANCES for figure in spread_figures(count, runs, events)]
    too_few = any(run.joint is None for of_count in runs.values() for run in of_count)
    return BenchResult("spread", tuple(figures), TOO_FEW if too_few else "")


async def _run(env: BenchEnvironment, events: int, count: int) -> SpreadRun:
    async with env.namespace() as settings:
        lot_count = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
        ends = await backlog.publish(settings, backlog.events(events, lot_count))
        mongo = Mongo(settings)
        await backlog.insert_lots(mongo.database("inventory"), backlog.known_lots(lot_count))
        await mongo.close()
        before = env.server_cpu_seconds()
        results = await run(env.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)] * count, settings)
        after = env.server_cpu_seconds()
    return SpreadRun(results, None if before is None or after is None else after - before)


def spread_figures(count: int, runs: Mapping[int, Sequence[SpreadRun]], events: int) -> list[Figure]:
    """The figures of so many processes; ratios are of one round, where both have a joint rate."""
    name, own, figures = str(count), runs[count], list[Figure]()
    if joints := [joint for run in own if (joint := run.joint) is not None]:
        figures += [
            Figure(f"{name}: events/s", median(joint.pace for joint in joints)),
            Figure(f"{name}: s together", median(joint.seconds for joint in joints)),
        ]
    pairs = [(run.joint, alone.joint) for run, alone in zip(own, runs[1], strict=True)] if count > 1 else []
    if ratios := [joint.pace / alone.pace for joint, alone in pairs if joint is not None and alone is not None]:
        figures += ratio_figures(f"{name}: relative to 1", ratios)
    server_seconds = [run.server_seconds for run in own if run.server_seconds is not None]
    worked = events * len(own)
    return [
        *figures,
        Figure(
            f"{name}: CPU ms per event",
            sum(result.cpu_seconds for run in own for result in run.results) / worked * 1000,
        ),
        *server_figures(name, 0.0, sum(server_seconds) if len(server_seconds) == len(own) else None, worked),
        Figure(
            f"{name}: MB resident, peak of the largest",
            max(result.megabytes for run in own for result in run.results),
            GOAL_MEGABYTES,
            at_most=True,
        ),
    ]


def joint_rate(results: Sequence[RunResult]) -> JointRate | None:
    """The rate from the start of the last instance to the end of the first. None when they never worked at the same
    time."""
    first = max(result.progress[0][0] for result in results)
    last = min(result.progress[-1][0] for result in results)
    if last <= first:
        return None
    return JointRate(sum(result.at(last) - result.at(first) for result in results) / (last - first), last - first)
