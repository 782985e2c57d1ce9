"""The planner's bench: time and memory of each made-up case, in a process of its own."""

from lab.bench.children import figures_of
from lab.bench.environment import BenchEnvironment
from lab.bench.planner import CASES, PlanCase, PlanTiming
from lab.bench.report import BenchResult, Figure, OnProgress

RUNS = 5
NOTE = "The planner alone, without servers."


async def measure(_: BenchEnvironment, runs: int, on_progress: OnProgress) -> BenchResult:
    """The median of several plans of each case."""
    on_progress("planner")
    # A separate process: the imports of this one would count as the planner's memory.
    rows = await figures_of("lab.bench.planner", runs)
    sizes = {size.name: size for size in CASES}
    timings = [PlanTiming(**row) for row in rows]
    return BenchResult(
        "planner", tuple(figure for timing in timings for figure in figures(sizes[timing.case], timing)), NOTE
    )


def figures(size: PlanCase, timing: PlanTiming) -> list[Figure]:
    """Time and memory of one case, each with its goal, if any."""
    goal = None if size.seconds is None else 1000 * size.seconds
    return [
        Figure(f"{size.name}: ms", 1000 * timing.seconds, goal, at_most=True),
        Figure(f"{size.name}: MB", timing.megabytes, size.megabytes, at_most=True),
    ]
