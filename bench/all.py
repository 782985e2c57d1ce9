"""Every bench by its name, with how much it does unless told otherwise: events, seconds, starts, or plans."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import catchup, core, growth, latency, planning, rebuilding, spread, starting
from bench.place import Place
from bench.report import Said, Tell
from deploy.stack import choose_stack
from shared.errors import KaryaError

BENCHES: dict[str, tuple[Callable[[Place, int, Tell], Awaitable[Said]], int]] = {
    "in-memory": (core.measure, core.EVENTS),
    "catch-up": (catchup.measure, catchup.EVENTS),
    "latency": (latency.measure, latency.SECONDS),
    "growth": (growth.measure, growth.EVENTS),
    "rebuild": (rebuilding.measure, rebuilding.EVENTS),
    "spread": (spread.measure, spread.EVENTS),
    "planner": (planning.measure, planning.RUNS),
    "start": (starting.measure, starting.TIMES),
}


class UnknownBench(KaryaError):
    """There is no bench of this name."""


async def run(folder: Path, names: Sequence[str], amount: int | None, tell: Tell) -> list[Said]:
    """These benches, or all, one after the other on one stack. Raises UnknownBench, BenchFailed."""
    for name in names:
        if name not in BENCHES:
            raise UnknownBench(f"There is no bench {name}; there are {', '.join(BENCHES)}.")
    # Clients say much about topics that were made a moment ago, and send again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    tell("starting Kafka and MongoDB")
    with choose_stack(folder / "stack") as stack:
        place = Place(stack, folder)
        return [await BENCHES[name][0](place, amount or BENCHES[name][1], tell) for name in names or BENCHES]
