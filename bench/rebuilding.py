"""Rebuild: inventory's database built anew from Kafka, beside what the service and the floor took to work the same
events."""

import time

from bench import backlog
from bench.catchup import FLOOR
from bench.children import run
from bench.place import Place
from bench.report import Figure, Said, Tell
from bench.runners.job import Job
from deploy.rebuild import rebuild

EVENTS = 1_000_000


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """Events per second of `karya rebuild`: replay, comparison with the live database, and with all topics."""
    async with place.round() as settings:
        known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
        tell("rebuild: the lots are recorded")
        ends = await backlog.fill(settings, backlog.recorded(known))
        await run(place.folder, "bench.runners.karya", [Job.of("inventory", ends)], settings)
        tell(f"rebuild: {events} events are worked")
        ends |= await backlog.fill(settings, backlog.events(events, known))
        [ran] = await run(place.folder, "bench.runners.karya", [Job.of("inventory", ends)], settings)
        tell("rebuild")
        began = time.monotonic()
        found = await rebuild(settings, "inventory")
        seconds = time.monotonic() - began
        # After the rebuild: what the floor says to the same topics is nothing that a service said.
        tell("rebuild: the floor works the same events")
        [bare] = await run(place.folder, FLOOR.module, [Job.of(FLOOR.group, ends)], settings)
    pace = found.replayed.records / seconds
    return Said(
        "rebuild",
        (
            Figure("events/s", pace),
            Figure("service: events/s", ran.per_second),
            Figure("floor: events/s", bare.per_second),
            Figure("rebuild / service", pace / ran.per_second),
            Figure("rebuild / floor", pace / bare.per_second),
            Figure("differences", len(found.lost) + len(found.doubled) + len(found.torn), 0, at_most=True),
        ),
    )
