"""The service instances of a chaos run: they join, leave, freeze and die."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.server import Server, StackError
from deploy.local.services import PREFERRED_PORTS, ServiceKind, environment
from shared.http.server import NOT_STARTED
from shared.settings import Settings

FIRST_PORT = 18100
SUPERVISED_SECONDS = 0.5
ANSWER_SECONDS = 1.0
LEAVE_SECONDS = 10.0


@dataclass(eq=False, slots=True)
class Member:
    """One instance."""

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
    """How an instance ended; `seconds` after it was asked to, None if nobody had asked."""

    name: str
    code: int | None
    seconds: float | None = None

    @property
    def bad(self) -> bool:
        return self.code != 0 or self.seconds is None or self.seconds > LEAVE_SECONDS

    def __str__(self) -> str:
        after = "" if self.seconds is None else f" after {self.seconds:.1f} s"
        return f"{self.name} ended with {self.code}{after}"


class Crew:
    """All instances that live, by service. `folder` keeps what each has written."""

    def __init__(self, folder: Path, settings: dict[str, Settings], program: dict[str, list[str]]) -> None:
        """`settings`: of each service, since each has lines of its own to its servers; `program`: what to run
        instead of a service's own program, for some."""
        self._folder = folder
        self._settings = settings
        self._program = program
        self._count = 0
        self._members: list[Member] = []
        self.exits: list[Exit] = []
        self.dead: list[str] = []
        self.restarts = 0

    def of(self, service: str) -> list[Member]:
        """The living instances of a service."""
        return [member for member in self._members if member.service == service]

    @property
    def services(self) -> Iterable[str]:
        return PREFERRED_PORTS

    async def join(self, service: str) -> Member:
        """Start one more instance, which is one of the crew once its process is there. Raises StackError."""
        self._count += 1
        folder = self._folder / f"{service}-{self._count}"
        kind = ServiceKind(service, folder, environment(self._settings[service]), self._program.get(service, ()))
        server = Server(kind, port=FIRST_PORT + self._count, tied=True, on_change=lambda: None)
        await asyncio.to_thread(server.launch)
        # Not before: whoever supervises would take one that has no process yet for one that has ended.
        member = Member(service, server)
        self._members.append(member)
        return member

    async def leave(self, member: Member) -> None:
        """Ask it to end (SIGTERM) and wait; how it ended is noted."""
        self.thaw(member)
        self._members.remove(member)
        self.exits.append(await asyncio.to_thread(_end, member))

    async def kill(self, members: Iterable[Member]) -> None:
        """SIGKILL, all at once."""
        dying = list(members)
        for member in dying:
            self._members.remove(member)
        await asyncio.gather(*(asyncio.to_thread(member.server.kill) for member in dying))

    def freeze(self, member: Member) -> None:
        member.server.freeze()

    def thaw(self, member: Member) -> None:
        member.server.thaw()

    async def supervise(self) -> None:
        """For ever: start an instance anew that has ended by itself or says that it is not alive, as an orchestrator
        does."""
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as http:
            while True:
                await asyncio.sleep(SUPERVISED_SECONDS)
                await self._replace_ended()
                await self._replace_dead(http)

    async def _replace_ended(self) -> None:
        # One at a time: a fault may take another away while this one is replaced.
        while ended := next((member for member in self._members if not member.server.alive), None):
            self._members.remove(ended)
            code = await asyncio.to_thread(ended.server.await_end)
            if code == NOT_STARTED:
                self.restarts += 1
            else:
                self.exits.append(Exit(ended.name, code))
            await self.join(ended.service)

    async def _replace_dead(self, http: httpx.AsyncClient) -> None:
        for member in list(self._members):
            if (death := await _death(http, member)) is not None and member in self._members:
                self.dead.append(f"{member.name} was not alive: {death}")
                await self.kill([member])
                await self.join(member.service)

    async def restore(self) -> None:
        """Nothing is frozen, and every service has an instance."""
        for member in self._members:
            self.thaw(member)
        for service in self.services:
            if not self.of(service):
                await self.join(service)

    async def ready(self) -> None:
        """Wait until every living instance works its lanes. Raises StackError with the log of one that does not."""
        for member in self._members:
            await asyncio.to_thread(member.server.wait_ready)

    async def dismiss(self) -> None:
        """End all, in order."""
        for member in list(self._members):
            try:
                await self.leave(member)
            except StackError:
                await self.kill([member])


async def _death(http: httpx.AsyncClient, member: Member) -> str | None:
    """What it says of itself when it is not alive. One that does not answer may be frozen, or not there yet."""
    try:
        answer = await http.get(f"{member.url}/health/live")
    except httpx.TransportError:
        return None
    return None if answer.is_success else answer.text


def _end(member: Member) -> Exit:
    # In the thread that waits: this process is busy, and how long it takes to look up is not the instance's time.
    began = time.monotonic()
    member.server.terminate()
    code = member.server.await_end()
    return Exit(member.name, code, time.monotonic() - began)
