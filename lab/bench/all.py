"""Every bench by its name, with its default amount: events, seconds, starts, runs or rounds."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from deploy.stack import Stack, choose_stack
from lab.bench import catchup, core, growth, latency, line_costs, planning, rebuilding, secure, spread, starting
from lab.bench.environment import BenchEnvironment
from lab.bench.quiet import MachineWatch
from lab.bench.report import BenchResult, OnProgress
from shared.errors import KaryaError

BENCHES: dict[str, tuple[Callable[[BenchEnvironment, int, OnProgress], Awaitable[BenchResult]], int]] = {
    "in-memory": (core.measure, core.EVENTS),
    "catch-up": (catchup.measure, catchup.EVENTS),
    "latency": (latency.measure, latency.SECONDS),
    "growth": (growth.measure, growth.EVENTS),
    "rebuild": (rebuilding.measure, rebuilding.EVENTS),
    "spread": (spread.measure, spread.EVENTS),
    "planner": (planning.measure, planning.RUNS),
    "lines": (line_costs.measure, line_costs.RUNS),
    "start": (starting.measure, starting.TIMES),
    "secure": (secure.measure, secure.ROUNDS),
}


class UnknownBench(KaryaError):
    """No bench has this name."""


class AmountOfSeveral(KaryaError):
    """An amount was given for several benches, which count different things."""


def selected(names: Sequence[str]) -> list[str]:
    """The named benches, or all when none is named. Raises UnknownBench."""
    for name in names:
        if name not in BENCHES:
            raise UnknownBench(f"There is no bench {name}; there are {', '.join(BENCHES)}.")
    return list(names or BENCHES)


def check_amount(names: Sequence[str], amount: int | None) -> None:
    """Raises AmountOfSeveral when an amount is given for several benches, which count different things."""
    if amount is not None and len(names) != 1:
        defaults = ", ".join(f"{name} {BENCHES[name][1]:,}" for name in names)
        raise AmountOfSeveral(
            f"--amount counts events, seconds, starts, runs or rounds, so it needs exactly one bench: name it. "
            f"Defaults: {defaults}."
        )


async def run(
    folder: Path,
    names: Sequence[str],
    amount: int | None,
    on_progress: OnProgress,
    on_result: Callable[[BenchResult], None],
) -> None:
    """Run the benches one after the other, on one stack if they start none of their own.

    Each result goes to `on_result` at once, so that a later failure loses no figures. Raises BenchFailed.
    """
    # Clients warn about topics that are only just created, and retry.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with ExitStack() as opened:

        def start_stack() -> Stack:
            on_progress("starting Kafka and MongoDB")
            return opened.enter_context(choose_stack(folder / "stack"))

        env = BenchEnvironment(folder, start_stack)
        for name in names:
            measure, default = BENCHES[name]
            watch = MachineWatch()
            result = await measure(env, amount or default, on_progress)
            machine = watch.end(servers_are_ours=env.servers_are_ours)
            on_result(replace(result, amount=amount or default, machine=machine))
