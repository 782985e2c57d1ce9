"""Services as in production: processes with their HTTP API."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

import httpx

from deploy.local.services import environment
from lab.bench.children import TAIL, BenchFailed, start_python
from lab.bench.meter import cpu_seconds, peak_megabytes
from shared.settings import Settings

READY_WITHIN = 60.0
LOOK = 0.005


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that works all its lanes. `seconds`: from the start of its process until it was ready. `url`: of its
    HTTP API."""

    name: str
    child: Popen[bytes]
    seconds: float
    url: str

    @property
    def megabytes(self) -> float:
        return peak_megabytes(self.child.pid)

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds([self.child.pid])


@asynccontextmanager
async def serving(
    folder: Path, names: Sequence[str], settings: Settings
) -> AsyncIterator[Mapping[str, RunningService]]:
    """Start these services one after the other; the block's end stops them. Raises BenchFailed."""
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


async def _start(folder: Path, name: str, settings: Settings, children: list[Popen[bytes]]) -> RunningService:
    mark = f"{name}-{uuid4().hex[:6]}"
    log, port = folder / f"{mark}.log", folder / f"{mark}.port"
    variables = {**environment(settings), "KARYA_HTTP_PORT_FILE": str(port)}
    began = time.monotonic()
    child = start_python(log, ["-m", f"services.{name}.app"], variables)
    children.append(child)
    async with httpx.AsyncClient(timeout=5) as client:
        while not await _ready(client, port):
            if child.poll() is not None or time.monotonic() - began > READY_WITHIN:
                raise BenchFailed(f"{name} did not get ready:\n{log.read_text(errors='replace')[-TAIL:]}")
            await asyncio.sleep(LOOK)
    return RunningService(name, child, time.monotonic() - began, f"http://127.0.0.1:{_port_number(port)}")


async def _ready(client: httpx.AsyncClient, port: Path) -> bool:
    if not (number := _port_number(port)):
        return False
    try:
        answer = await client.get(f"http://127.0.0.1:{number}/health/ready")
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def _port_number(port: Path) -> str:
    return port.read_text() if port.exists() else ""
