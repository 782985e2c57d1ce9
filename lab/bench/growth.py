"""Growth: the cost of an event when inventory keeps few or very many lots and ledger entries.

All sizes get the same events about the same number of lots, spread evenly over all lots. So a batch reads as many
documents at each size, and only the number of documents between them differs. Events add ledger entries and lots: the
smallest size grows a few times itself, and stays far from the next.

All sizes are filled before anything is measured. Then they are measured in turn, from the smallest to the largest and
back: no size always follows the million inserts, or has the quiet minute. Of its runs each size shows the fastest,
since disturbances only make a run slower. Of the memory it shows the most.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bson import Binary

from lab.bench import backlog
from lab.bench.children import run
from lab.bench.environment import BenchEnvironment
from lab.bench.meter import RunResult
from lab.bench.report import GOAL_MEGABYTES, BenchResult, Figure, OnProgress, server_figures
from lab.bench.runners.job import Job
from services.inventory.handlers import PROCESSORS
from shared.derivation import named_id
from shared.mongo import Database, Mongo
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

EVENTS = 20_000
SIZES = (10_000, 100_000, 1_000_000)
# How many lots the orders are about, at every size.
TOUCHED = 10_000
ROUNDS = 2
GOAL = 1.15
PAGE = 5000


@dataclass(slots=True)
class GrowthCase:
    """One size, with the result of each run and the servers' figures for it, if known."""

    size: int
    settings: Settings
    runs: list[tuple[RunResult, list[Figure]]] = field(default_factory=list)

    @property
    def best(self) -> tuple[RunResult, list[Figure]]:
        return min(self.runs, key=lambda run: run[0].seconds / run[0].events)

    @property
    def milliseconds(self) -> float:
        return self.best[0].seconds / self.best[0].events * 1000

    @property
    def megabytes(self) -> float:
        return max(result.megabytes for result, _ in self.runs)

    def figures(self) -> list[Figure]:
        result, servers = self.best
        return [
            Figure(f"{self.size}: ms per event", self.milliseconds),
            Figure(f"{self.size}: CPU ms per event", result.cpu_seconds / result.events * 1000),
            *servers,
            Figure(f"{self.size}: MB resident, peak", self.megabytes, GOAL_MEGABYTES, at_most=True),
        ]


async def measure(env: BenchEnvironment, events: int, on_progress: OnProgress) -> BenchResult:
    """Measure every size with `events` events in each run."""
    async with AsyncExitStack() as stack:
        sizes = []
        for size in SIZES:
            on_progress(f"growth: inserting {size} lots and ledger entries")
            case = GrowthCase(size, await stack.enter_async_context(env.namespace()))
            await _fill_database(case)
            sizes.append(case)
        for number in range(ROUNDS):
            for case in reversed(sizes) if number % 2 else sizes:
                on_progress(f"growth: {case.size} lots and ledger entries, run {number + 1} of {ROUNDS}")
                await _measure_run(env, case, events, number)
    return BenchResult("growth", tuple(comparison_figures(sizes)))


def comparison_figures(sizes: Sequence[GrowthCase]) -> list[Figure]:
    """The figures of each size, then the largest relative to the smallest."""
    small, large = sizes[0], sizes[-1]
    return [
        *(figure for case in sizes for figure in case.figures()),
        Figure("largest / smallest: ms per event", large.milliseconds / small.milliseconds, GOAL, at_most=True),
        Figure("largest / smallest: MB resident, peak", large.megabytes / small.megabytes),
    ]


async def _fill_database(case: GrowthCase) -> None:
    mongo = Mongo(case.settings)
    try:
        database = mongo.database("inventory")
        # Indexes first: otherwise the service would build them over a million documents while it is measured.
        await RuntimeStore(database).prepare(PROCESSORS)
        await asyncio.gather(
            backlog.insert_lots(database, backlog.known_lots(case.size)), _insert_ledger_entries(database, case.size)
        )
    finally:
        await mongo.close()


async def _measure_run(env: BenchEnvironment, case: GrowthCase, events: int, number: int) -> None:
    touched = min(TOUCHED, case.size)
    records = backlog.events(events, touched, seed=number, every=case.size // touched, first=number * events)
    ends = await backlog.publish(case.settings, records)
    before = env.server_cpu_seconds()
    [result] = await run(env.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], case.settings)
    case.runs.append((result, server_figures(str(case.size), before, env.server_cpu_seconds(), result.events)))


async def _insert_ledger_entries(database: Database, count: int) -> None:
    for first in range(0, count, PAGE):
        await database["ledger"].insert_many(
            [
                {
                    "_id": f"karya/production {named_id('before', 'ledger', number)}",
                    "digest": Binary(number.to_bytes(16)),
                    "lane": "karya.inventory.lot/000",
                    "batch": 0,
                }
                for number in range(first, min(first + PAGE, count))
            ]
        )
