"""Services under test: in this process, or as a process of their own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import httpx
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest
from pymongo import AsyncMongoClient

from deploy.local import process
from deploy.local.services import environment
from deploy.topics import SERVICES
from shared.kafka import topic_name
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.outputs import OUTPUTS, tail
from tests.support.waiting import eventually

READY_WITHIN = 60.0
END_WITHIN = 20.0


@asynccontextmanager
async def run_service(name: str, settings: Settings, *, ready: bool = True) -> AsyncIterator[Service]:
    """The service in this process, without HTTP; stopped in order at the end. Waits until it works its lanes,
    unless `ready` is False."""
    service = Service(name, import_module(f"services.{name}.handlers").PROCESSORS, settings)
    try:
        await service.start()
        if ready:
            await eventually(service.readiness_failures, equals=[], within=READY_WITHIN)
        yield service
    finally:
        await service.stop()


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A service in a process of its own, and where it writes."""

    child: subprocess.Popen[bytes]
    log: Path
    port_file: Path

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    @property
    def url(self) -> str:
        """Where its HTTP API is; only once it is ready."""
        return f"http://127.0.0.1:{self.port_file.read_text()}"

    @property
    def output(self) -> str:
        """The end of what it has written."""
        return tail(self.log)

    async def ready(self, within: float = READY_WITHIN) -> None:
        """Wait until it works its lanes. Raises AssertionError with its output when it ends or takes too long."""
        async with httpx.AsyncClient(timeout=5) as client:
            try:
                await eventually(lambda: self._health(client), equals="ready", within=within)
            except AssertionError as late:
                raise AssertionError(f"the service is not ready: {late}\nIts output:\n{self.output}") from None

    async def ended(self, within: float = END_WITHIN) -> int:
        """Wait for its end; its exit code. Raises subprocess.TimeoutExpired."""
        return await asyncio.to_thread(self.child.wait, within)

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        self.child.kill()
        await self.ended()

    async def stop(self) -> int:
        """Ask it to end (SIGTERM), by force when it takes too long; its exit code."""
        self.child.send_signal(signal.SIGTERM)
        try:
            return await self.ended()
        except subprocess.TimeoutExpired:
            self.child.kill()
            return await self.ended()

    async def _health(self, client: httpx.AsyncClient) -> str:
        assert self.alive, f"it ended with exit code {self.child.returncode}"
        if not self.port_file.exists() or not self.port_file.read_text():
            return "no port yet"
        try:
            answer = await client.get(f"{self.url}/health/ready")
        except httpx.TransportError as fault:
            return repr(fault)
        return "ready" if answer.status_code == 200 else answer.text


@asynccontextmanager
async def service_process(
    name: str,
    settings: Settings,
    extra_env: Mapping[str, str] | None = None,
    *,
    folder: Path,
    command: Sequence[str] = (),
    ready: bool = True,
) -> AsyncIterator[ServiceProcess]:
    """The service as `python -m services.<name>.app`, or as python with `command`; ended at the end of the block,
    and with this process however that ends. Its log and port file lie in `folder`."""
    mark = f"{name}-{uuid4().hex[:6]}"
    log, port_file = folder / f"{mark}.log", folder / f"{mark}.port"
    variables = {**environment(settings), "KARYA_HTTP_PORT_FILE": str(port_file), **(extra_env or {})}
    program = [sys.executable, *(command or ("-m", f"services.{name}.app"))]
    root = Path(__file__).parents[2]
    env = shutil.which("env")
    assert env is not None
    spelled = [f"{variable}={value}" for variable, value in variables.items()]
    child = process.spawn([env, *_unset(), *spelled, *program], folder=root, log=log, tied=True)
    running = ServiceProcess(child, log, port_file)
    OUTPUTS.add(log)
    try:
        if ready:
            await running.ready()
        yield running
    finally:
        if running.alive:
            await running.stop()


async def end_open_transactions(settings: Settings) -> None:
    """What a killed client left open is rolled back now. A server does it by itself, after a minute
    (`transactionLifetimeLimitSeconds`)."""
    async with AsyncMongoClient[dict[str, object]](settings.mongo) as client:
        await client.admin.command({"killAllSessions": []})


async def forget_members(settings: Settings) -> None:
    """Kafka takes the members of all groups for gone now. It does so by itself, after the session timeout of those
    that were killed. A member that lives joins again."""
    groups = [topic_name(settings, processor.group) for processors in SERVICES.values() for processor in processors]
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        node = await admin.find_coordinator(groups[0])
        for group in groups:
            # One at a time: aiokafka can't read an answer about two.
            [answer] = await admin.describe_consumer_groups([group], node)
            [(error, _group, _state, _type, _protocol, members, *_)] = answer.groups
            assert not error, group
            for member, *_ in members:
                left = await admin._send_request(LeaveGroupRequest(group, member), node)
                assert not left.error_code, group
    finally:
        await admin.close()


def _unset() -> list[str]:
    """Nothing of the surroundings may reach a service under test."""
    return [f"--unset={name}" for name in os.environ if name.startswith("KARYA_")]
