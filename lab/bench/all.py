"""Every bench by its name, with how much it does unless told otherwise: events, seconds, starts, or plans."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from deploy.stack import choose_stack
from lab.bench import catchup, core, growth, latency, planning, rebuilding, spread, starting
from lab.bench.place import Place
from lab.bench.report import Said, Tell
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


class AmountOfSeveral(KaryaError):
    """An amount was given for more than one bench, and theirs are not of one kind."""


def chosen(names: Sequence[str]) -> list[str]:
    """These benches, or all when none is named. Raises UnknownBench."""
    for name in names:
        if name not in BENCHES:
            raise UnknownBench(f"There is no bench {name}; there are {', '.join(BENCHES)}.")
    return list(names or BENCHES)


def check_amount(names: Sequence[str], amount: int | None) -> None:
    """Raises AmountOfSeveral: events of one bench are seconds or starts of another."""
    if amount is not None and len(names) != 1:
        usual = ", ".join(f"{name} {BENCHES[name][1]:,}" for name in names)
        raise AmountOfSeveral(
            f"--amount counts events, seconds, starts or plans, so it goes with one bench: name the one meant. "
            f"Without it they do: {usual}."
        )


async def run(
    folder: Path, names: Sequence[str], amount: int | None, tell: Tell, measured: Callable[[Said], None]
) -> None:
    """These benches one after the other on one stack. What each found goes to `measured` at once, so that one which
    fails takes no figure of those before it along. Raises BenchFailed."""
    # Clients say much about topics that were made a moment ago, and send again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    tell("starting Kafka and MongoDB")
    with choose_stack(folder / "stack") as stack:
        place = Place(stack, folder)
        for name in names:
            measure, usual = BENCHES[name]
            told = await measure(place, amount or usual, tell)
            measured(replace(told, amount=amount or usual))
