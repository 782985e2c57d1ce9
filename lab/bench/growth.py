"""Growth: what an event costs when inventory has worked few or very many before.

All sizes get the same events, about as many lots, which lie evenly among all that there are: so a batch touches as
many documents at each size, and what differs is how many others lie between them. Each event adds a ledger entry, and
a quarter a lot, so the smallest grows a few times itself; it stays far from the next.

All are put in before anything is measured, then worked in turn, from the smallest to the largest and back: no size
always has the quiet minute, or the server just after a million inserts. Of its runs each shows the quickest, since
whatever disturbs makes one slower and never quicker; of the memory it shows the most.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bson import Binary

from lab.bench import backlog
from lab.bench.children import run
from lab.bench.meter import Ran
from lab.bench.place import Place
from lab.bench.report import GOAL_MEGABYTES, Figure, Said, Tell, servers
from lab.bench.runners.job import Job
from services.inventory.handlers import PROCESSORS
from shared.derivation import derived_id
from shared.mongo import Database, Mongo
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

EVENTS = 20_000
SIZES = (10_000, 100_000, 1_000_000)
# What the orders are about, at every size.
TOUCHED = 10_000
ROUNDS = 2
GOAL = 1.15
PAGE = 5000


@dataclass(slots=True)
class Grown:
    """One size, and what each of its runs took: the process, and the servers' figure for it, if known."""

    size: int
    settings: Settings
    runs: list[tuple[Ran, list[Figure]]] = field(default_factory=list)

    @property
    def best(self) -> tuple[Ran, list[Figure]]:
        return min(self.runs, key=lambda one: one[0].seconds / one[0].events)

    @property
    def milliseconds(self) -> float:
        return self.best[0].seconds / self.best[0].events * 1000

    @property
    def megabytes(self) -> float:
        return max(ran.megabytes for ran, _ in self.runs)

    def figures(self) -> list[Figure]:
        ran, of_servers = self.best
        return [
            Figure(f"{self.size}: ms per event", self.milliseconds),
            Figure(f"{self.size}: CPU ms per event", ran.cpu_seconds / ran.events * 1000),
            *of_servers,
            Figure(f"{self.size}: MB resident, peak", self.megabytes, GOAL_MEGABYTES, at_most=True),
        ]


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """The same events about as many lots, drawn evenly from all that there are. `events`: in each of the runs."""
    async with AsyncExitStack() as stack:
        sizes = []
        for size in SIZES:
            tell(f"growth: {size} lots and ledger entries are put in")
            one = Grown(size, await stack.enter_async_context(place.round()))
            await _grow(one)
            sizes.append(one)
        for number in range(ROUNDS):
            for one in reversed(sizes) if number % 2 else sizes:
                tell(f"growth: {one.size} lots and ledger entries, run {number + 1} of {ROUNDS}")
                await _work(place, one, events, number)
    return Said("growth", tuple(compared(sizes)))


def compared(sizes: Sequence[Grown]) -> list[Figure]:
    """Each size, then the largest in terms of the smallest."""
    small, large = sizes[0], sizes[-1]
    return [
        *(figure for one in sizes for figure in one.figures()),
        Figure("largest / smallest: ms per event", large.milliseconds / small.milliseconds, GOAL, at_most=True),
        Figure("largest / smallest: MB resident, peak", large.megabytes / small.megabytes),
    ]


async def _grow(one: Grown) -> None:
    mongo = Mongo(one.settings)
    try:
        database = mongo.database("inventory")
        # Before the lots: a service that starts would build them over a million documents, and be measured meanwhile.
        await RuntimeStore(database).prepare(PROCESSORS)
        await asyncio.gather(backlog.keep(database, backlog.known_lots(one.size)), _worked_before(database, one.size))
    finally:
        await mongo.close()


async def _work(place: Place, one: Grown, events: int, number: int) -> None:
    touched = min(TOUCHED, one.size)
    waiting = backlog.events(events, touched, seed=number, every=one.size // touched, first=number * events)
    ends = await backlog.fill(one.settings, waiting)
    before = place.server_seconds()
    [ran] = await run(place.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], one.settings)
    one.runs.append((ran, servers(str(one.size), before, place.server_seconds(), ran.events)))


async def _worked_before(database: Database, count: int) -> None:
    for first in range(0, count, PAGE):
        await database["ledger"].insert_many(
            [
                {
                    "_id": f"karya/production {derived_id('before', 'ledger', number)}",
                    "digest": Binary(number.to_bytes(16)),
                    "lane": "karya.inventory.lot/000",
                    "batch": 0,
                }
                for number in range(first, min(first + PAGE, count))
            ]
        )
