"""Every bench by its name."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import catchup
from bench.place import Place
from bench.report import Said, Tell
from deploy.stack import choose_stack
from shared.errors import KaryaError

BENCHES: dict[str, tuple[Callable[[Place, int, Tell], Awaitable[Said]], int]] = {
    "catch-up": (catchup.measure, catchup.EVENTS),
}


class UnknownBench(KaryaError):
    """There is no bench of this name."""


async def run(folder: Path, names: Sequence[str], events: int | None, tell: Tell) -> list[Said]:
    """These benches, or all, one after the other on one stack. Raises UnknownBench, BenchFailed."""
    for name in names:
        if name not in BENCHES:
            raise UnknownBench(f"There is no bench {name}; there are {', '.join(BENCHES)}.")
    # Clients say much about topics that were made a moment ago, and send again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    tell("starting Kafka and MongoDB")
    with choose_stack(folder / "stack") as stack:
        place = Place(stack, folder)
        return [await BENCHES[name][0](place, events or BENCHES[name][1], tell) for name in names or BENCHES]
