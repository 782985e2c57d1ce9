"""Start: from a new process until the service reports that it works all its lanes."""

import asyncio
import statistics
import sys
import time

from deploy.topics import SERVICES
from lab.bench.environment import BenchEnvironment
from lab.bench.report import GOAL_MEGABYTES, BenchResult, Figure, OnProgress
from lab.bench.serving import serving

TIMES = 5
GOAL_SECONDS = 1.5


async def measure(env: BenchEnvironment, times: int, on_progress: OnProgress) -> BenchResult:
    """The median of several starts of each service, and of its imports alone."""
    figures = []
    async with env.namespace() as settings:
        for name in SERVICES:
            on_progress(f"start: {name}")
            starts, imports, megabytes = [], [], 0.0
            for _ in range(times):
                async with serving(env.folder, [name], settings) as served:
                    starts.append(served[name].seconds)
                    megabytes = max(megabytes, served[name].megabytes)
                imports.append(await _imported(f"services.{name}.app"))
            figures += [
                Figure(f"{name}: s to ready", statistics.median(starts), GOAL_SECONDS, at_most=True),
                Figure(f"{name}: s of imports", statistics.median(imports)),
                Figure(f"{name}: MB resident, peak", megabytes, GOAL_MEGABYTES, at_most=True),
            ]
    return BenchResult("start", tuple(figures))


async def _imported(module: str) -> float:
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {module}")
    await child.wait()
    return time.monotonic() - began
