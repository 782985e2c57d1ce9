"""The service instances of a chaos run: they join, leave, freeze and die."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.server import Server, StackError
from deploy.local.services import ServiceKind, environment
from deploy.topics import SERVICES
from shared.http.server import NOT_STARTED
from shared.settings import Settings

FIRST_PORT = 18100
SUPERVISE_SECONDS = 0.5
ANSWER_SECONDS = 1.0
LEAVE_SECONDS = 10.0


@dataclass(eq=False, slots=True)
class Instance:
    """One running instance of a service."""

    service: str
    server: Server

    @property
    def name(self) -> str:
        return self.server.name

    @property
    def url(self) -> str:
        return self.server.address


@dataclass(frozen=True, slots=True)
class Exit:
    """How an instance ended. `seconds`: from the request to end until it ended; None if nobody had asked it to."""

    name: str
    code: int | None
    seconds: float | None = None

    @property
    def bad(self) -> bool:
        return self.code != 0 or self.seconds is None or self.seconds > LEAVE_SECONDS

    def __str__(self) -> str:
        after = "" if self.seconds is None else f" after {self.seconds:.1f} s"
        return f"{self.name} ended with {self.code}{after}"


class Instances:
    """All living instances. `folder` keeps their logs."""

    def __init__(self, folder: Path, settings: dict[str, Settings], programs: dict[str, list[str]]) -> None:
        """`settings`: of each service, since each reaches the servers through its own proxies. `programs`: programs
        to run instead of some services' own."""
        self._folder = folder
        self._settings = settings
        self._programs = programs
        self._count = 0
        self._instances: list[Instance] = []
        self.exits: list[Exit] = []
        self.liveness_failures: list[str] = []
        self.restarts = 0

    def of_service(self, service: str) -> list[Instance]:
        """The living instances of a service."""
        return [instance for instance in self._instances if instance.service == service]

    @property
    def services(self) -> Iterable[str]:
        return SERVICES

    async def join(self, service: str) -> Instance:
        """Start one more instance; it is listed once its process exists. Raises StackError."""
        self._count += 1
        folder = self._folder / f"{service}-{self._count}"
        kind = ServiceKind(service, folder, environment(self._settings[service]), self._programs.get(service, ()))
        server = Server(kind, port=FIRST_PORT + self._count, tied=True, on_change=lambda: None)
        await asyncio.to_thread(server.launch)
        # Not before the launch: the supervisor would take an instance without a process for one that has ended.
        instance = Instance(service, server)
        self._instances.append(instance)
        return instance

    async def leave(self, instance: Instance) -> None:
        """Ask it to end (SIGTERM), wait, and keep its exit."""
        self.thaw(instance)
        self._instances.remove(instance)
        self.exits.append(await asyncio.to_thread(_end, instance))

    async def kill(self, instances: Iterable[Instance]) -> None:
        """SIGKILL, all at once."""
        victims = list(instances)
        for instance in victims:
            self._instances.remove(instance)
        await asyncio.gather(*(asyncio.to_thread(instance.server.kill) for instance in victims))

    def freeze(self, instance: Instance) -> None:
        instance.server.freeze()

    def thaw(self, instance: Instance) -> None:
        instance.server.thaw()

    async def supervise(self) -> None:
        """Replace instances that ended by themselves or report that they are not alive, as an orchestrator does.
        Runs until it is cancelled."""
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as http:
            while True:
                await asyncio.sleep(SUPERVISE_SECONDS)
                await self._replace_ended()
                await self._replace_dead(http)

    async def _replace_ended(self) -> None:
        # One at a time: a fault may remove another instance while this one is replaced.
        while ended := next((instance for instance in self._instances if not instance.server.alive), None):
            self._instances.remove(ended)
            code = await asyncio.to_thread(ended.server.await_end)
            if code == NOT_STARTED:
                self.restarts += 1
            else:
                self.exits.append(Exit(ended.name, code))
            await self.join(ended.service)

    async def _replace_dead(self, http: httpx.AsyncClient) -> None:
        for instance in list(self._instances):
            if (reason := await _liveness_failure(http, instance)) is not None and instance in self._instances:
                self.liveness_failures.append(f"{instance.name} was not alive: {reason}")
                await self.kill([instance])
                await self.join(instance.service)

    async def restore(self) -> None:
        """Thaw every instance, and start one of each service that has none."""
        for instance in self._instances:
            self.thaw(instance)
        for service in self.services:
            if not self.of_service(service):
                await self.join(service)

    async def wait_ready(self) -> None:
        """Wait until every living instance works its lanes. Raises StackError with the log of one that does not."""
        for instance in self._instances:
            await asyncio.to_thread(instance.server.wait_ready)

    async def dismiss(self) -> None:
        """End all instances, one after the other."""
        for instance in list(self._instances):
            try:
                await self.leave(instance)
            except StackError:
                await self.kill([instance])


async def _liveness_failure(http: httpx.AsyncClient, instance: Instance) -> str | None:
    """The instance's own report that it is not alive. Without an answer None: it may be frozen, or still starting."""
    try:
        answer = await http.get(f"{instance.url}/health/live")
    except httpx.TransportError:
        return None
    return None if answer.is_success else answer.text


def _end(instance: Instance) -> Exit:
    # Measured in the waiting thread: the event loop is busy, and its delays are not the instance's time.
    began = time.monotonic()
    instance.server.terminate()
    code = instance.server.await_end()
    return Exit(instance.name, code, time.monotonic() - began)
