"""Services as people run them: processes with their HTTP API."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

import httpx
import psutil

from deploy.local.services import environment
from lab.bench.children import TAIL, BenchFailed, start
from lab.bench.meter import peak_megabytes
from shared.settings import Settings

READY_WITHIN = 60.0
LOOK = 0.005


@dataclass(frozen=True, slots=True)
class Served:
    """A service that was ready `seconds` after its process was started: at work on all its lanes."""

    name: str
    child: Popen[bytes]
    seconds: float

    @property
    def megabytes(self) -> float:
        return peak_megabytes(self.child.pid)

    @property
    def cpu_seconds(self) -> float:
        times = psutil.Process(self.child.pid).cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def serving(folder: Path, names: Sequence[str], settings: Settings) -> AsyncIterator[Mapping[str, Served]]:
    """These services, started one after the other; ended with the block. Raises BenchFailed."""
    children: list[Popen[bytes]] = []
    try:
        served = {}
        for name in names:
            served[name] = await _start(folder, name, settings, children)
        yield served
    finally:
        for child in children:
            child.terminate()
        for child in children:
            await asyncio.to_thread(child.wait)


async def _start(folder: Path, name: str, settings: Settings, children: list[Popen[bytes]]) -> Served:
    mark = f"{name}-{uuid4().hex[:6]}"
    log, port = folder / f"{mark}.log", folder / f"{mark}.port"
    variables = {**environment(settings), "KARYA_HTTP_PORT_FILE": str(port)}
    began = time.monotonic()
    child = start(log, ["-m", f"services.{name}.app"], variables)
    children.append(child)
    async with httpx.AsyncClient(timeout=5) as client:
        while not await _ready(client, port):
            if child.poll() is not None or time.monotonic() - began > READY_WITHIN:
                raise BenchFailed(f"{name} did not get ready:\n{log.read_text(errors='replace')[-TAIL:]}")
            await asyncio.sleep(LOOK)
    return Served(name, child, time.monotonic() - began)


async def _ready(client: httpx.AsyncClient, port: Path) -> bool:
    if not (number := _written(port)):
        return False
    try:
        answer = await client.get(f"http://127.0.0.1:{number}/health/ready")
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def _written(port: Path) -> str:
    return port.read_text() if port.exists() else ""
