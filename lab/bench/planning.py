"""The fair planner: how long it takes and what memory its process needs, for each of its made-up cases."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE

from lab.bench.children import ROOT, BenchFailed
from lab.bench.place import Place
from lab.bench.planner import SIZES, Size, Took
from lab.bench.report import Figure, Said, Tell

RUNS = 5
NOTE = "The planner by itself, without servers; one request to the service takes no case as large as the last four."


async def measure(_: Place, runs: int, tell: Tell) -> Said:
    """The middle of several plans of each size."""
    tell("planner")
    # A program of its own: what this process has imported would count as the planner's memory.
    program = (sys.executable, "-m", "lab.bench.planner", "--json", "--runs", str(runs))
    child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdin=DEVNULL, stdout=PIPE)
    output = (await child.communicate())[0]
    if not output:
        raise BenchFailed(f"lab.bench.planner ended with exit code {child.returncode} and without figures.")
    sizes = {size.name: size for size in SIZES}
    took = [Took(**one) for one in json.loads(output)]
    return Said("planner", tuple(figure for one in took for figure in figures(sizes[one.case], one)), NOTE)


def figures(size: Size, took: Took) -> list[Figure]:
    """Each with the goal that was promised for the size, if any."""
    goal = None if size.seconds is None else 1000 * size.seconds
    return [
        Figure(f"{size.name}: ms", 1000 * took.seconds, goal, at_most=True),
        Figure(f"{size.name}: MB", took.megabytes, size.megabytes, at_most=True),
    ]
