"""MongoDB stops under full load: memory stays flat, nothing is read on, and all is worked off afterwards.

`python -m tests.support.backpressure --seconds 300` does it for as long as you like, on a stack of its own, and
prints the figures; exit code 1 when a service grew. What reports and orders it sends is made up.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path

import httpx
import psutil

from deploy.local.server import Server
from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support import loads
from tests.support.probe import Probe, ProbeRecord, a_probe
from tests.support.running import ServiceProcess, end_open_transactions, service_process
from tests.support.servers import frozen_server, killed_server, settings_on
from tests.support.undisturbed import all_worked, assert_undisturbed
from tests.support.waiting import eventually

# What production records goes to inventory, so that the one's output is the other's load too.
AT_WORK = ("production", "inventory")
STOPPED: dict[str, Callable[[Server], AbstractContextManager[None]]] = {
    "frozen": frozen_server,
    "killed": killed_server,
}
WARM_WITH = 4000
SLICE = 0.1
SAMPLED_EVERY = 0.5
WORKED_OFF_WITHIN = 240.0
MIB = 1024 * 1024
# Far above what was seen (under 1 MiB), far below what a load would need if it were kept.
MOST_GROWTH_MIB = 16.0


@dataclass(slots=True)
class Memory:
    """Resident MiB of one process: when MongoDB stopped, and the highest in each half of its absence."""

    before: float
    first_half: float = 0.0
    second_half: float = 0.0

    @property
    def growth(self) -> float:
        return max(self.first_half, self.second_half) - self.before


@dataclass(slots=True)
class Figures:
    """What was seen. `sent`: records while MongoDB was away, which is until `least_sent` were sent and `seconds` are
    over."""

    how: str
    seconds: float
    rate: float
    least_sent: int = 0
    sent: int = 0
    worked_off_seconds: float = 0.0
    memory: dict[str, Memory] = field(default_factory=dict)

    @property
    def grown(self) -> list[str]:
        """The services that did not keep their size, each in a sentence."""
        return [
            f"{name} grew by {memory.growth:.1f} MiB while MongoDB was away ({MOST_GROWTH_MIB:.0f} are too much)."
            for name, memory in self.memory.items()
            if memory.growth >= MOST_GROWTH_MIB
        ]


class SteadyLoad:
    """Sends `rate` records a second, as long as it runs."""

    def __init__(self, probe: Probe, rate: float) -> None:
        self.sent = 0
        self._probe = probe
        self._rate = rate
        self._work = _taking_turns(*(loads.after(name) for name in AT_WORK))

    async def send(self, count: int) -> None:
        await loads.send_at_once(self._probe, islice(self._work, count))
        self.sent += count

    async def run(self) -> None:
        began, before = time.monotonic(), self.sent
        while True:
            due = int((time.monotonic() - began) * self._rate) - (self.sent - before)
            if due > 0:
                await self.send(due)
            await asyncio.sleep(SLICE)


async def stop_under_load(figures: Figures, stack: LocalStack, settings: Settings, folder: Path) -> None:
    """MongoDB is `figures.how` for so many seconds under that load; what is seen is noted there.

    Raises AssertionError when anything was lost or doubled, or a service took itself for ready, or for dead.
    """
    async with AsyncExitStack() as open_:
        probe = await open_.enter_async_context(a_probe(settings))
        mongo = Mongo(settings)
        open_.push_async_callback(mongo.close)
        processes = {
            name: await open_.enter_async_context(service_process(name, settings, folder=folder)) for name in AT_WORK
        }

        async def is_worked() -> bool:
            return all([await all_worked(name, settings, probe, mongo.database(name)) for name in AT_WORK])

        for name in AT_WORK:
            await loads.send_at_once(probe, loads.before(name))
        load = SteadyLoad(probe, figures.rate)
        await load.send(WARM_WITH)
        await eventually(is_worked, within=60)
        async with _running(load.run()):
            with STOPPED[figures.how](stack.mongo):
                await _watch(figures, processes, load)
        began = time.monotonic()
        await end_open_transactions(settings)
        await eventually(is_worked, within=WORKED_OFF_WITHIN)
        figures.worked_off_seconds = time.monotonic() - began
        for name in AT_WORK:
            await assert_undisturbed(name, settings, probe, mongo.database(name))


async def _watch(figures: Figures, processes: dict[str, ServiceProcess], load: SteadyLoad) -> None:
    began, sent = time.monotonic(), load.sent
    measured = {name: psutil.Process(process.pid) for name, process in processes.items()}
    figures.memory = {name: Memory(_resident(process)) for name, process in measured.items()}
    for process in processes.values():
        # Another cause of a moment, such as a slow answer of Kafka, would pass before this one is noticed.
        await eventually(lambda process=process: _misses_mongo(process), equals=True)
    while (passed := time.monotonic() - began) < figures.seconds or load.sent - sent <= figures.least_sent:
        for name, process in measured.items():
            memory = figures.memory[name]
            if passed < figures.seconds / 2:
                memory.first_half = max(memory.first_half, _resident(process))
            else:
                memory.second_half = max(memory.second_half, _resident(process))
        for running in processes.values():
            assert await _misses_mongo(running)
            assert (await _answer(running, "live")).status_code == 200, "a new process would find the same"
        await asyncio.sleep(SAMPLED_EVERY)
    figures.sent = load.sent - sent


def _resident(process: psutil.Process) -> float:
    resident: int = process.memory_info().rss
    return resident / MIB


async def _misses_mongo(process: ServiceProcess) -> bool:
    """The service is not ready, and says that MongoDB is the cause."""
    answer = await _answer(process, "ready")
    return answer.status_code == 503 and "MongoDB does not answer" in answer.text


async def _answer(process: ServiceProcess, question: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.get(f"{process.url}/health/{question}")


def _taking_turns(*works: Iterator[ProbeRecord]) -> Iterator[ProbeRecord]:
    return chain.from_iterable(zip(*works, strict=True))


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--rate", type=float, default=300.0, help="records a second")
    parser.add_argument("--how", choices=sorted(STOPPED), default="frozen")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder) / "stack") as stack:
        settings = settings_on(stack, "backpressure")
        await make_topics(settings)
        figures = Figures(asked.how, asked.seconds, asked.rate)
        try:
            await stop_under_load(figures, stack, settings, Path(folder))
        finally:
            print(json.dumps(asdict(figures), indent=2))
    if figures.grown:
        sys.exit("\n".join(figures.grown))


if __name__ == "__main__":
    asyncio.run(_main())
