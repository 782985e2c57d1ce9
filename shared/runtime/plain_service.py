"""A running service without processors: it keeps documents, and all that it does begins with a request."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from shared.causes import cause_of
from shared.mongo import Mongo
from shared.retry import PASSING, attempts
from shared.settings import Settings
from shared.timeouts import hard_timeout

log = structlog.get_logger()

REACHED_WITHIN = 60.0
# Short: the service calls itself ready for so long after its server went away.
PULSE = 1.0
PULSE_WITHIN = 2.0
CLOSE_WITHIN = 1.0
STARTING = "starting"


class PlainService:
    """A service by its name and its database, with `start`, `stop` and its health."""

    def __init__(self, name: str, settings: Settings, *, database: str | None = None) -> None:
        """`database`: whose answer tells that the server is there, if not that of the service's own name."""
        self.name = name
        self.settings = settings
        self.mongo = Mongo(settings)
        self.database = self.mongo.database(database or name)
        self.stopping = asyncio.Event()
        self.failed = False
        self._preparations: list[Callable[[], Awaitable[object]]] = []
        self._closings: list[Callable[[], Awaitable[object]]] = [self.mongo.close]
        self._chores: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._away: list[str] = []

    def add_preparation(self, prepare: Callable[[], Awaitable[object]]) -> None:
        """What is done before the service has started, such as the making of indexes. It must be safe to repeat."""
        self._preparations.append(prepare)

    def add_closing(self, close: Callable[[], Awaitable[object]]) -> None:
        """What is closed at the stop, such as a client."""
        self._closings.append(close)

    def add_chore(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work that goes on beside requests, from the start to the stop. It must not end by itself."""
        self._chores[name] = work

    async def start(self) -> None:
        """Prepare the documents. Raises PyMongoError when the server stays away."""
        fault: BaseException | None = None
        async for attempt in attempts(within=REACHED_WITHIN):
            try:
                for prepare in self._preparations:
                    await prepare()
            except PASSING as passing:
                log.warning("servers_awaited", attempt=attempt, fault=repr(passing)[:300])
                fault = passing
            else:
                chores = {"pulse": self._pulse, **self._chores}
                self._tasks = [asyncio.create_task(work(), name=name) for name, work in chores.items()]
                log.info("service_started")
                return
        assert fault is not None
        raise fault

    async def stop(self) -> None:
        """Close all clients, each within a second."""
        self.stopping.set()
        for task in self._tasks:
            task.cancel()
        for close in reversed(self._closings):
            try:
                await hard_timeout(CLOSE_WITHIN, close())
            except PASSING as fault:
                log.warning("shutdown_step_failed", part="clients", fault=repr(fault)[:300])
        log.info("service_stopped")

    def liveness_failures(self) -> list[str]:
        """Sentences on tasks that ended in this process and should not have. Only a new process helps."""
        return [f"{task.get_name()} has ended" for task in self._tasks if task.done()]

    def startup_failures(self) -> list[str]:
        """Sentences on what the start still waits for."""
        return self.liveness_failures() if self._tasks else [STARTING]

    def readiness_failures(self) -> list[str]:
        """Sentences on why the service is not ready; empty when it is."""
        return [*self.startup_failures(), *self._away]

    async def _pulse(self) -> None:
        """Ask the database, for ever. A service without requests would not notice that it is away."""
        while True:
            failure = await self._mongo_failure()
            self._away = [failure] if failure is not None else []
            await asyncio.sleep(PULSE)

    async def _mongo_failure(self) -> str | None:
        try:
            # A real read: a server that answers a ping may still refuse this database.
            await hard_timeout(PULSE_WITHIN, self.database["pulse"].find_one({}))
        except PASSING as fault:
            return f"MongoDB does not answer: {cause_of(fault)}"
        return None
