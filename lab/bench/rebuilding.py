"""Rebuild: the rate at which inventory's database is rebuilt from Kafka, relative to the service and to the floor.

The replay ends when the last event is in the new database; reading the log counts. "With comparison" also includes
the comparison with the live database, document by document. The floor begins with an empty database too.
"""

import time

from lab.bench import backlog
from lab.bench.catchup import FLOOR
from lab.bench.children import run
from lab.bench.environment import BenchEnvironment
from lab.bench.report import BenchResult, Figure, OnProgress
from lab.bench.runners import floor
from lab.bench.runners.job import Job
from ops.rebuild import rebuild

EVENTS = 1_000_000


async def measure(env: BenchEnvironment, events: int, on_progress: OnProgress) -> BenchResult:
    """Events per second of `karya rebuild`: replay, comparison with the live database, and with all topics."""
    replayed_at = 0.0

    def progress(_: int, __: int) -> None:
        nonlocal replayed_at
        replayed_at = time.monotonic()

    async with env.namespace() as settings:
        lot_count = max(1, events // backlog.EVENTS_PER_KNOWN_LOT)
        on_progress("rebuild: recording the lots")
        ends = await backlog.publish(settings, backlog.lot_recordings(lot_count))
        await run(env.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], settings)
        on_progress(f"rebuild: working {events} events")
        ends |= await backlog.publish(settings, backlog.events(events, lot_count))
        [service] = await run(env.folder, "lab.bench.runners.karya", [Job.of("inventory", ends)], settings)
        on_progress("rebuild")
        began = time.monotonic()
        rebuilt = await rebuild(settings, "inventory", on_progress=progress)
        ended = time.monotonic()
        # After the rebuild: the floor publishes to the same topics, and its events are no service's.
        on_progress("rebuild: the floor works the same events")
        [floor_result] = await run(env.folder, FLOOR.module, [Job.of(FLOOR.group, ends, floor.FRESH)], settings)
    replay, comparison = (rebuilt.replayed.records / (at - began) for at in (replayed_at, ended))
    return BenchResult(
        "rebuild",
        (
            Figure("replay: events/s", replay),
            Figure("with comparison: events/s", comparison),
            Figure("service: events/s", service.per_second),
            Figure("floor: events/s", floor_result.per_second),
            Figure("replay / service", replay / service.per_second),
            Figure("replay / floor", replay / floor_result.per_second),
            Figure("with comparison / service", comparison / service.per_second),
            Figure("with comparison / floor", comparison / floor_result.per_second),
            Figure(
                "differences", len(rebuilt.lost) + len(rebuilt.doubled) + len(rebuilt.mismatched), 0, at_most=True
            ),
        ),
    )
