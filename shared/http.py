"""What every service's HTTP API has in common: health, problem details, and commands that become events.

A command is validated, appended to Kafka as an event, and answered `202` with where to look; or, with
`Prefer: wait=SECONDS`, by what became of it if that was seen within the wait.
"""

import asyncio
import logging
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import Annotated, Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from shared import envelope, garbage
from shared.admission import TOO_LARGE, Admission
from shared.duplicates import NAME_TWICE, name_twice
from shared.errors import NotReached
from shared.events.language import MAX_VALUE_BYTES, Body, Topic, in_words
from shared.problem import TITLE, problem, with_problems
from shared.retry import attempts
from shared.runtime.service import Service
from shared.within import where

log = structlog.get_logger()

MOST_WAIT = 30.0
ENDED_WITHIN = 0.5
NOT_STARTED = 3  # how a process ends that did not reach its servers
# When the service is asked to stop: what a request under way, or a start that waits for a server, still gets.
ANSWERED_WITHIN = 1
GIVEN_UP_WITHIN = 1.0
NOT_YET: dict[int | str, dict[str, Any]] = {503: {"description": "No: `detail` says what keeps it from that"}}
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
Prefer = Annotated[str | None, Header(description="`wait=5`: answer with the outcome if it is seen in time")]
CommandId = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,200}$", description="the same key is the same command"),
]

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: done, or refused with the field and the reason."""

    done: bool
    field: str | None = None
    reason: str | None = None
    message: str | None = None


class Taken(BaseModel):
    """`status` is `accepted` or `done`; `look` is the place that says what became of the command."""

    command: str
    status: str
    look: str


# By the command's id; None as long as it has no outcome.
FindOutcome = Callable[[str], Awaitable[Outcome | None]]


class Commands:
    """Appends commands to one topic and looks for their outcome with `find`, by the command's id."""

    def __init__(self, service: Service, topic: Topic, source: str, find: FindOutcome) -> None:
        self._service = service
        self._topic = topic
        self._source = source
        self._find = find

    async def append(self, body: Body, prefer: str | None, id: str | None) -> JSONResponse:
        """202 with the place to look, or within the wait asked for 200 if it was done and 409 if it was refused.

        413 and 422 for what would be a dead letter: too large, or an id that another command had before.
        503 if Kafka did not answer: the command may have arrived or not, so that its id is in the answer, to
        repeat it with. A command known already is not appended again.
        """
        value = envelope.encode(body)
        if len(value) > MAX_VALUE_BYTES:
            return problem(413, TITLE, TOO_LARGE)
        known = await self._known(id) if id is not None else None
        id = id or str(uuid4())
        if known is None:
            headers = envelope.headers(
                id=id, source=self._source, topic=self._topic, body=body, time=datetime.now(UTC)
            )
            try:
                await self._service.append(self._topic, self._topic.key_of(body), value, headers)
            except NotReached as fault:
                log.warning("command_not_appended", command=id, fault=str(fault)[:300])
                detail = "Kafka did not answer. Repeat the command with this id as Idempotency-Key: it counts once."
                return problem(503, "The command may not have been taken", detail, command=id)
        outcome = await self._outcome(id, _wait(prefer))
        if outcome is not None:
            # Whose outcome it is is certain only now: two with one id may have been on their way at once.
            known = await self._known(id) or known
        if known is not None and known != envelope.digest(value):
            detail = "Another command had this Idempotency-Key before. Give each command its own, best a UUID."
            return problem(422, "The Idempotency-Key is in use", detail, command=id)
        return _answer(id, outcome)

    async def _known(self, id: str) -> bytes | None:
        """The digest of the body that our command `id` was worked with, if it was and the database says so."""
        entry = f"{self._source} {id}"
        try:
            return (await self._service.ledger.known([entry])).get(entry)
        except PyMongoError as fault:
            log.warning("command_not_looked_up", command=id, fault=repr(fault)[:300])
            return None

    async def _outcome(self, id: str, wait: float) -> Outcome | None:
        if not wait:
            return None
        looking = asyncio.create_task(self._look(id))
        stopping = asyncio.create_task(self._service.stopping.wait())
        try:
            await asyncio.wait({looking, stopping}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            return looking.result() if looking.done() else None
        finally:
            looking.cancel()
            stopping.cancel()

    async def _look(self, id: str) -> Outcome | None:
        # The command is in Kafka by now: whatever the database answers, the client must not hear that it failed.
        async for _ in attempts(first=0.02, most=0.2):
            try:
                if (outcome := await self._find(id)) is not None:
                    return outcome
            except PyMongoError as fault:
                log.warning("command_not_looked_up", command=id, fault=repr(fault)[:300])
        return None


async def command_in(request: Request, model: type[B]) -> B:
    """The command of this model in a request: the JSON body, and what the path says for fields of their names.

    Raises RequestValidationError that names the field, also for one that the model does not have or that comes twice:
    what is said here is meant, and nothing of it is passed over. Raises HTTPException for a body that is not taken.
    """
    raw = await request.body()
    try:
        said = from_json(raw or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise RequestValidationError([_wrong((), f"The body is no JSON: {error}")]) from None
    if not isinstance(said, dict):
        raise RequestValidationError([_wrong((), "The body must be a JSON object.")])
    if raw and (twice := name_twice(raw)) is not None:
        raise RequestValidationError([_wrong(twice, NAME_TWICE)])
    wrong = [_wrong((name,), "There is no such field.") for name in said.keys() - model.model_fields.keys()]
    for name, value in request.path_params.items():
        if said.setdefault(name, value) != value:
            wrong.append(_wrong((name,), "The body says another one than the path."))
    try:
        # As JSON again: only there a strict model takes a date or a list from what JSON has for them.
        body = model.model_validate_json(to_json(said))
    except ValidationError as error:
        wrong += [
            {"type": one["type"], "loc": ("body", *one["loc"]), "msg": in_words(one["msg"])}
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise RequestValidationError(wrong) from None
    if wrong:
        raise RequestValidationError(wrong)
    return body


def _wrong(place: tuple[str | int, ...], message: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("body", *place), "msg": message}


def _answer(id: str, outcome: Outcome | None) -> JSONResponse:
    place = f"/commands/{quote(id, safe='')}"
    if outcome is None:
        return JSONResponse(Taken(command=id, status="accepted", look=place).model_dump(), 202, {"Location": place})
    if outcome.done:
        return JSONResponse(Taken(command=id, status="done", look=place).model_dump())
    detail = outcome.message or ""
    return problem(
        409, "The command was refused", detail, command=id, look=place, field=outcome.field, reason=outcome.reason
    )


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """With all that it really answers."""
        return with_problems(super().openapi())


def application(service: Service, title: str, router: APIRouter) -> FastAPI:
    """The service's HTTP application; starting it starts the service, stopping it stops the service. It answers while
    the service still waits for its servers, and ends (SIGTERM to itself) when they stay away."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(service.start())
        starting.add_done_callback(partial(_end_if_failed, service))
        try:
            yield
        finally:
            starting.cancel()
            await asyncio.wait({starting}, timeout=GIVEN_UP_WITHIN)
            await service.stop()

    app = _Application(title=title, version="1", lifespan=lifespan, redirect_slashes=False)
    app.add_middleware(Admission, names=service.settings.names)
    app.include_router(router)
    app.include_router(_health(service))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # Of all routes of this path: the framework names those of the first one.
            headers["Allow"] = ", ".join(_allowed(app, request.scope))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        return problem(error.status_code, TITLE, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [{"field": _field(e["loc"]), "message": e["msg"]} for e in error.errors()]
        return problem(422, "The request is not valid", "See `errors`.", errors=wrong)

    @app.exception_handler(PyMongoError)
    async def on_database(_: Request, fault: PyMongoError) -> JSONResponse:
        log.warning("database_fault", fault=repr(fault)[:300])
        return problem(503, "The database does not answer", "Nothing was changed. Try again in a while.")

    return app


def _allowed(app: FastAPI, scope: Scope) -> list[str]:
    """The methods that the path takes."""
    routed = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)
    }
    return sorted(routed | {"OPTIONS"} | ({"HEAD"} if "GET" in routed else set()))


def _end_if_failed(service: Service, starting: asyncio.Task[None]) -> None:
    if not starting.cancelled() and (fault := starting.exception()) is not None:
        log.critical("service_not_started", exc_info=fault)
        service.failed = True
        signal.raise_signal(signal.SIGTERM)


def _field(place: Sequence[str | int]) -> str:
    """As the body calls it: a refused command's `field` has no `body.` before it either."""
    parts = place[1:] if place[0] == "body" and len(place) > 1 else place
    return ".".join(map(str, parts))


def serve(app: FastAPI, service: Service) -> None:
    """Run until SIGTERM or SIGINT, then stop in order; SystemExit with 3 if the service never started. A free port is
    taken when the setting is 0."""
    settings = service.settings
    listening = socket.create_server((settings.http_host, settings.http_port))
    if settings.http_port_file is not None:
        settings.http_port_file.write_text(str(listening.getsockname()[1]))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=ANSWERED_WITHIN
    )
    server = _Server(config, service)
    garbage.look_seldom()
    server.run(sockets=[listening])
    raise SystemExit(server.exit_code)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    @property
    def exit_code(self) -> int:
        return 0 if self.started and not self._service.failed else NOT_STARTED

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets)
        own = asyncio.current_task()
        if hanging := await _cancelled([task for task in asyncio.all_tasks() if task is not own]):
            # Python would wait for them for ever.
            log.critical("tasks_hang", at=[where(task) for task in hanging])
            logging.shutdown()
            os._exit(self.exit_code)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stopping.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again after an orderly stop; for us an orderly stop is exit code 0.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _cancelled(tasks: Collection[asyncio.Task[Any]]) -> Collection[asyncio.Task[Any]]:
    """Cancel them all. Returns those that have not ended a moment later."""
    for task in tasks:
        task.cancel()
    return (await asyncio.wait(tasks, timeout=ENDED_WITHIN))[1] if tasks else ()


def _health(service: Service) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Does all of the process live? If not, only a new process helps", responses=NOT_YET)
    async def live() -> JSONResponse:
        return _healthy("alive", service.deaths())

    @router.get(
        "/started", summary="Has the service come to work all its lanes once, and does it live?", responses=NOT_YET
    )
    async def started() -> JSONResponse:
        return _healthy("started", service.unstarted())

    @router.get(
        "/ready", summary="Does the service work all its lanes, and what keeps it from that?", responses=NOT_YET
    )
    async def ready() -> JSONResponse:
        return _healthy("ready", service.troubles())

    return router


def _healthy(status: str, troubles: Sequence[str]) -> JSONResponse:
    return problem(503, f"Not {status}", "; ".join(troubles)) if troubles else JSONResponse({"status": status})


def _wait(prefer: str | None) -> float:
    found = re.search(r"\bwait=(\d{1,6})\b", prefer or "")
    return min(float(found[1]), MOST_WAIT) if found else 0.0
