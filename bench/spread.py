"""Spread: one, two and four instances of inventory over the same lanes."""

from bench import backlog
from bench.children import run
from bench.meter import Ran
from bench.place import Place
from bench.report import Figure, Said, Tell, servers
from bench.runners.job import Job
from shared.mongo import Mongo

EVENTS = 100_000
INSTANCES = (1, 2, 4)


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """Events per second of all together while all are at work, and CPU per event."""
    figures = []
    alone = 0.0
    for count in INSTANCES:
        tell(f"spread: {count} of inventory")
        async with place.round() as settings:
            known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
            ends = await backlog.fill(settings, backlog.events(events, known))
            mongo = Mongo(settings)
            await backlog.keep(mongo.database("inventory"), backlog.known_lots(known))
            await mongo.close()
            before = place.server_seconds()
            ran = await run(place.folder, "bench.runners.karya", [Job.of("inventory", ends)] * count, settings)
            after = place.server_seconds()
        pace = together(ran)
        alone = alone or pace
        figures += [
            Figure(f"{count}: events/s", pace),
            Figure(f"{count}: relative to 1", pace / alone),
            Figure(f"{count}: CPU ms per event", sum(one.cpu_seconds for one in ran) / events * 1000),
            *servers(str(count), before, after, events),
            Figure(f"{count}: MB resident, peak of the largest", max(one.megabytes for one in ran)),
        ]
    return Said("spread", tuple(figures))


def together(ran: list[Ran]) -> float:
    """Events per second from the moment when the last had come to work to the moment when the first had done."""
    first = max(one.progress[0][0] for one in ran)
    last = min(one.progress[-1][0] for one in ran)
    return sum(one.at(last) - one.at(first) for one in ran) / (last - first)
