"""Rebuild: inventory's database built anew from Kafka, beside what the service and the floor took to work the same
events.

The pace of the replay is until the last event is in the new database, reading the log first included; with the
comparison it is until that has been held against the live one, document by document, too. The floor begins with an
empty database as well.
"""

import time

from lab.bench import backlog
from lab.bench.catchup import FLOOR
from lab.bench.children import run
from lab.bench.place import Place
from lab.bench.report import Figure, Said, Tell
from lab.bench.runners import floor
from lab.bench.runners.job import Job
from ops.rebuild import rebuild

EVENTS = 1_000_000


async def measure(place: Place, events: int, tell: Tell) -> Said:
    """Events per second of `karya rebuild`: replay, comparison with the live database, and with all topics."""
    replayed_at = 0.0

    def progress(_: int, __: int) -> None:
        nonlocal replayed_at
        replayed_at = time.monotonic()

    async with place.round() as settings:
        known = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
        tell("rebuild: the lots are recorded")
        ends = await backlog.fill(settings, backlog.recorded(known))
        await run(place.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], settings)
        tell(f"rebuild: {events} events are worked")
        ends |= await backlog.fill(settings, backlog.events(events, known))
        [ran] = await run(place.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], settings)
        tell("rebuild")
        began = time.monotonic()
        found = await rebuild(settings, "inventory", on_progress=progress)
        ended = time.monotonic()
        # After the rebuild: what the floor says to the same topics is nothing that a service said.
        tell("rebuild: the floor works the same events")
        [bare] = await run(place.folder, FLOOR.module, [Job.of(FLOOR.group, ends, floor.FRESH)], settings)
    replay, pace = (found.replayed.records / (at - began) for at in (replayed_at, ended))
    return Said(
        "rebuild",
        (
            Figure("replay: events/s", replay),
            Figure("with comparison: events/s", pace),
            Figure("service: events/s", ran.per_second),
            Figure("floor: events/s", bare.per_second),
            Figure("replay / service", replay / ran.per_second),
            Figure("replay / floor", replay / bare.per_second),
            Figure("with comparison / service", pace / ran.per_second),
            Figure("with comparison / floor", pace / bare.per_second),
            Figure("differences", len(found.lost) + len(found.doubled) + len(found.torn), 0, at_most=True),
        ),
    )
