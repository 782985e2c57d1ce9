"""Spread: the rate of one, two and four instances of inventory on the same lanes."""

from typing import NamedTuple

from lab.bench import backlog
from lab.bench.children import run
from lab.bench.environment import BenchEnvironment
from lab.bench.meter import RunResult
from lab.bench.report import GOAL_MEGABYTES, BenchResult, Figure, OnProgress, server_figures
from lab.bench.runners.job import Job
from shared.mongo import Mongo

EVENTS = 100_000
INSTANCES = (1, 2, 4)
TOO_FEW = "Too few events: the first instance finished before the last one started, so there is no joint rate."


class JointRate(NamedTuple):
    """Events per second of all instances while all of them worked, and for how many seconds they did."""

    pace: float
    seconds: float


async def measure(env: BenchEnvironment, events: int, on_progress: OnProgress) -> BenchResult:
    """Events per second of all instances together while all of them work, and CPU time per event."""
    figures: list[Figure] = []
    paces: dict[int, float] = {}
    note = ""
    for count in INSTANCES:
        on_progress(f"spread: {count} of inventory")
        async with env.namespace() as settings:
            lot_count = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
            ends = await backlog.publish(settings, backlog.events(events, lot_count))
            mongo = Mongo(settings)
            await backlog.insert_lots(mongo.database("inventory"), backlog.known_lots(lot_count))
            await mongo.close()
            before = env.server_cpu_seconds()
            results = await run(env.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)] * count, settings)
            after = env.server_cpu_seconds()
        joint = joint_rate(results)
        if joint is None:
            note = TOO_FEW
        else:
            paces[count] = joint.pace
            figures += [Figure(f"{count}: events/s", joint.pace), Figure(f"{count}: s together", joint.seconds)]
            # Without a joint rate of one instance there is nothing to compare with.
            if 1 in paces:
                figures.append(Figure(f"{count}: relative to 1", joint.pace / paces[1]))
        figures += [
            Figure(f"{count}: CPU ms per event", sum(result.cpu_seconds for result in results) / events * 1000),
            *server_figures(str(count), before, after, events),
            Figure(
                f"{count}: MB resident, peak of the largest",
                max(result.megabytes for result in results),
                GOAL_MEGABYTES,
                at_most=True,
            ),
        ]
    return BenchResult("spread", tuple(figures), note)


def joint_rate(results: list[RunResult]) -> JointRate | None:
    """The rate from the start of the last instance to the end of the first. None when they never worked at the same
    time."""
    first = max(result.progress[0][0] for result in results)
    last = min(result.progress[-1][0] for result in results)
    if last <= first:
        return None
    return JointRate(sum(result.at(last) - result.at(first) for result in results) / (last - first), last - first)
