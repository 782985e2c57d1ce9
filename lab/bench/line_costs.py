"""The bench of the cost of a line of a request, from plan to close, in a process of its own."""

from collections.abc import Sequence

from lab.bench.children import figures_of
from lab.bench.environment import BenchEnvironment
from lab.bench.lines import GROWTH, StepCost, grown
from lab.bench.report import BenchResult, Figure, OnProgress

RUNS = 3
NOTE = "Festival's rules in memory, an event at a time, without servers: no times of a service."


async def measure(_: BenchEnvironment, runs: int, on_progress: OnProgress) -> BenchResult:
    """The quickest of several runs of each size of request."""
    on_progress("lines of a plan")
    rows = await figures_of("lab.bench.lines", runs)
    return BenchResult("lines", tuple(figures([StepCost(**row) for row in rows])), NOTE)


def figures(costs: Sequence[StepCost]) -> list[Figure]:
    """The time of a line in each step and size, and how much a line of the large request costs of a small one's."""
    times = [Figure(f"{cost.case}, {cost.step}: µs a line", cost.microseconds) for cost in costs]
    growth = grown(costs, lambda cost: cost.microseconds)
    return times + [
        Figure(f"{step}: a line of the large request ÷ of the small", ratio, GROWTH, at_most=True)
        for step, ratio in growth.items()
    ]
