"""Spread: one, two and four instances of inventory over the same lanes."""

from typing import NamedTuple

from lab.bench import backlog
from lab.bench.children import run
from lab.bench.meter import Ran
from lab.bench.place import Place
from lab.bench.report import GOAL_MEGABYTES, Figure, Said, Tell, servers
from lab.bench.runners.job import Job
from shared.mongo import Mongo

EVENTS = 100_000
INSTANCES = (1, 2, 4)
TOO_FEW = "Too few events: the first had done before the last came, so there is no pace of all together."


class Together(NamedTuple):
    """Events per second of all while all were at work, and for how many seconds they were."""

    pace: float
    seconds: float


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """Events per second of all together while all are at work, and CPU per event."""
    figures: list[Figure] = []
    paces: dict[int, float] = {}
    note = ""
    for count in INSTANCES:
        tell(f"spread: {count} of inventory")
        async with place.round() as settings:
            known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
            ends = await backlog.fill(settings, backlog.events(events, known))
            mongo = Mongo(settings)
            await backlog.keep(mongo.database("inventory"), backlog.known_lots(known))
            await mongo.close()
            before = place.server_seconds()
            ran = await run(place.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)] * count, settings)
            after = place.server_seconds()
        found = together(ran)
        if found is None:
            note = TOO_FEW
        else:
            paces[count] = found.pace
            figures += [Figure(f"{count}: events/s", found.pace), Figure(f"{count}: s together", found.seconds)]
            # Nothing is relative to one that has no pace.
            if 1 in paces:
                figures.append(Figure(f"{count}: relative to 1", found.pace / paces[1]))
        figures += [
            Figure(f"{count}: CPU ms per event", sum(one.cpu_seconds for one in ran) / events * 1000),
            *servers(str(count), before, after, events),
            Figure(
                f"{count}: MB resident, peak of the largest",
                max(one.megabytes for one in ran),
                GOAL_MEGABYTES,
                at_most=True,
            ),
        ]
    return Said("spread", tuple(figures), note)


def together(ran: list[Ran]) -> Together | None:
    """From the moment when the last had come to work to the moment when the first had done; None when they never
    worked at the same time."""
    first = max(one.progress[0][0] for one in ran)
    last = min(one.progress[-1][0] for one in ran)
    if last <= first:
        return None
    return Together(sum(one.at(last) - one.at(first) for one in ran) / (last - first), last - first)
