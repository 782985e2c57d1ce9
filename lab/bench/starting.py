"""Start: from a new process to a service that says it is ready: at work on all its lanes."""

import asyncio
import statistics
import sys
import time

from deploy.topics import SERVICES
from lab.bench.place import Place
from lab.bench.report import GOAL_MEGABYTES, Figure, Said, Tell
from lab.bench.serving import serving

TIMES = 5
GOAL_SECONDS = 1.5


async def measure(place: Place, times: int, tell: Tell) -> Said:
    """The middle of several starts of each service, and of the imports alone."""
    figures = []
    async with place.round() as settings:
        for name in SERVICES:
            tell(f"start: {name}")
            took, imports, megabytes = [], [], 0.0
            for _ in range(times):
                async with serving(place.folder, [name], settings) as served:
                    took.append(served[name].seconds)
                    megabytes = max(megabytes, served[name].megabytes)
                imports.append(await _imported(f"services.{name}.app"))
            figures += [
                Figure(f"{name}: s to ready", statistics.median(took), GOAL_SECONDS, at_most=True),
                Figure(f"{name}: s of imports", statistics.median(imports)),
                Figure(f"{name}: MB resident, peak", megabytes, GOAL_MEGABYTES, at_most=True),
            ]
    return Said("start", tuple(figures))


async def _imported(module: str) -> float:
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {module}")
    await child.wait()
    return time.monotonic() - began
