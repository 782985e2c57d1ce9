"""What every service's HTTP API has in common: health, problem details, and commands that become events.

A command is validated, appended to Kafka as an event, and answered `202` with where to look; or, with
`Prefer: wait=SECONDS`, by what became of it if that was seen within the wait.
"""

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import uvicorn
from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared import envelope
from shared.events.language import Body, Topic
from shared.kafka import partition_for, topic_name
from shared.retry import attempts
from shared.service import Service

MOST_WAIT = 30.0
Prefer = Annotated[str | None, Header(description="`wait=5`: answer with the outcome if it is seen in time")]
CommandId = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,200}$", description="the same key is the same command"),
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: done, or refused with the field and the reason."""

    done: bool
    field: str | None = None
    reason: str | None = None
    message: str | None = None


FindOutcome = Callable[[str], Awaitable[Outcome | None]]


class Commands:
    """Appends commands to one topic and looks for their outcome with `find`, by the command's id."""

    def __init__(self, service: Service, topic: Topic, source: str, find: FindOutcome) -> None:
        self._service = service
        self._topic = topic
        self._source = source
        self._find = find

    async def append(self, body: Body, prefer: str | None, id: str | None) -> JSONResponse:
        """202 with the place to look, 200 if done within the wait, 409 if refused within it."""
        id = id or str(uuid4())
        settings, producer = self._service.settings, self._service.commands
        name = topic_name(settings, self._topic.name)
        key = self._topic.key_of(body)
        headers = envelope.headers(id=id, source=self._source, topic=self._topic, body=body, time=datetime.now(UTC))
        partition = partition_for(key, len(await producer.partitions_for(name)))
        async with asyncio.timeout(10):
            await producer.send_and_wait(name, envelope.encode(body), key.encode(), partition, headers=headers)
        return await self.answer(id, _wait(prefer))

    async def answer(self, id: str, wait: float = 0) -> JSONResponse:
        """What is known of the command `id`, looking again for at most `wait` seconds."""
        outcome = await self._find(id)
        if outcome is None and wait:
            async for _ in attempts(within=wait, first=0.02, most=0.2):
                if (outcome := await self._find(id)) is not None:
                    break
        place = f"/commands/{id}"
        if outcome is None:
            return JSONResponse({"command": id, "status": "accepted", "look": place}, 202, {"Location": place})
        if outcome.done:
            return JSONResponse({"command": id, "status": "done"}, 200)
        return problem(
            409,
            "The command was refused",
            outcome.message or "",
            command=id,
            field=outcome.field,
            reason=outcome.reason,
        )


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """An RFC 9457 answer."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(content, status, media_type="application/problem+json")


def application(service: Service, title: str, router: APIRouter) -> FastAPI:
    """The service's HTTP application; starting it starts the service, stopping it stops the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await service.start()
            yield
        finally:
            await service.stop()

    app = FastAPI(title=title, version="1", lifespan=lifespan)
    app.include_router(router)
    app.include_router(_health(service))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "The request can't be answered", str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        return problem(422, "The request is not valid", "See `errors`.", errors=wrong)

    return app


def serve(app: FastAPI, service: Service) -> None:
    """Run until SIGTERM or SIGINT, then stop in order. A free port is taken when the setting is 0."""
    settings = service.settings
    listening = socket.create_server((settings.http_host, settings.http_port))
    if settings.http_port_file is not None:
        settings.http_port_file.write_text(str(listening.getsockname()[1]))
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    server.run(sockets=[listening])
    if not server.started:
        raise SystemExit(3)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again after an orderly stop; for us an orderly stop is exit code 0.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _health(service: Service) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Is the process alive?")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/ready", summary="Does the service work all its lanes, and what keeps it from that?")
    async def ready() -> JSONResponse:
        troubles = service.troubles()
        if troubles:
            return problem(503, "Not ready", "; ".join(troubles))
        return JSONResponse({"status": "ready"})

    return router


def _wait(prefer: str | None) -> float:
    found = re.search(r"\bwait=(\d{1,3})\b", prefer or "")
    return min(float(found[1]), MOST_WAIT) if found else 0.0
