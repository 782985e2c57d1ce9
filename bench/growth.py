"""Growth: what an event costs when inventory has worked few or very many before.

All sizes get the same events, few beside the smallest, or it would be another size by the end: each adds a ledger
entry, and a quarter a lot. With the usual 20,000 the 10 thousand become 15 thousand lots and 30 thousand entries, the
100 thousand 105 and 120, and the million is a million still.
"""

from bson import Binary

from bench import backlog
from bench.children import run
from bench.place import Place
from bench.report import Figure, Said, Tell
from bench.runners.job import Job
from shared import envelope
from shared.mongo import Database, Mongo

EVENTS = 20_000
SIZES = (10_000, 100_000, 1_000_000)
GOAL = 1.15
GOAL_MEGABYTES = 150.0
PAGE = 5000


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """The same events about lots drawn from all that there are."""
    figures = []
    cost: dict[int, float] = {}
    for size in SIZES:
        tell(f"growth: {size} lots and ledger entries")
        async with place.round() as settings:
            mongo = Mongo(settings)
            await backlog.keep(mongo.database("inventory"), backlog.known_lots(size))
            await _worked_before(mongo.database("inventory"), size)
            await mongo.close()
            ends = await backlog.fill(settings, backlog.events(events, size))
            [ran] = await run(place.folder, "bench.runners.karya", [Job.of("inventory", ends)], settings)
        cost[size] = ran.seconds / ran.events * 1000
        figures += [
            Figure(f"{size}: ms per event", cost[size]),
            Figure(f"{size}: CPU ms per event", ran.cpu_seconds / ran.events * 1000),
            Figure(f"{size}: MB resident, peak", ran.megabytes, GOAL_MEGABYTES, at_most=True),
        ]
    figures.append(Figure("largest / smallest: ms per event", cost[SIZES[-1]] / cost[SIZES[0]], GOAL, at_most=True))
    return Said("growth", tuple(figures))


async def _worked_before(database: Database, count: int) -> None:
    for first in range(0, count, PAGE):
        await database["ledger"].insert_many(
            [
                {
                    "_id": f"karya/production {envelope.derived_id('before', 'ledger', number)}",
                    "digest": Binary(number.to_bytes(16)),
                    "lane": "karya.inventory.lot/000",
                    "batch": 0,
                }
                for number in range(first, min(first + PAGE, count))
            ]
        )
