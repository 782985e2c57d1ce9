"""The HTTP application of a service, and the process that serves it."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp

from shared import gc_tuning
from shared.faults import fault_message
from shared.http.access import CallerSource, SigningKeys, access_control, bearers
from shared.http.admission import Admission, BodyRule, body_rule
from shared.http.answer_headers import SECURITY, AnswerHeaders
from shared.http.audit import audit
from shared.http.backlog import backlog
from shared.http.connections import Bounds, bounded_protocol
from shared.http.docs import docs
from shared.http.filters import refuse_unknown_filters
from shared.http.health import health
from shared.http.identity_keys import IdentityKeys
from shared.http.problems import TITLE, PageRefused, problem, with_problems
from shared.http.rates import Rates
from shared.http.served import Served
from shared.http.tls import HANDSHAKE_SECONDS, SecuredAddress, server_context
from shared.http.unsafe_settings import unsafe
from shared.runtime.service import Service
from shared.settings import Settings
from shared.timeouts import await_stack
from shared.wording import Message

log = structlog.get_logger()

TASK_END_SECONDS = 0.5
NOT_STARTED = 3  # exit code of a process that did not reach its servers
# After a stop signal: seconds for open requests, and for a start that still waits for a server.
REQUEST_GRACE_SECONDS = 1
START_CANCEL_SECONDS = 1.0
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


class _Application(FastAPI):
    security: Mapping[str, str] = SECURITY

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document with the problems that the service really answers."""
        return with_problems(super().openapi())

    def build_middleware_stack(self) -> ASGIApp:
        # Around all: a middleware that is added lies within the one that answers to a bug.
        return AnswerHeaders(super().build_middleware_stack(), self.security)


def application(service: Service, title: str, router: APIRouter, signing_keys: SigningKeys | None = None) -> FastAPI:
    """The HTTP application of a service's API, with its page `/docs`.

    `signing_keys`: where the keys of access tokens come from, if not from identity over HTTP.
    """
    keys = signing_keys or IdentityKeys(service.settings.identity_url)
    app = bare_application(service, title, [router], bearers(keys, service.settings.issuer))
    pages = [Depends(refuse_unknown_filters)]
    app.include_router(audit(service), dependencies=pages)
    app.include_router(backlog(service), dependencies=pages)
    app.include_router(docs(title, app.openapi))
    return app


def bare_application(
    service: Served,
    title: str,
    routers: Iterable[APIRouter],
    callers: CallerSource,
    *,
    rules: Callable[[str, str], BodyRule] = body_rule,
    security: Mapping[str, str] = SECURITY,
) -> FastAPI:
    """The service's HTTP application. Its start starts the service, and its stop stops the service.

    `routers`: with no router in them, since each that is around a route has it analysed anew. `callers`: how the
    caller of a request is known. `rules`: the bodies that each method and path take. `security`: the security headers
    of its answers.

    It answers while the service still waits for its servers. If the service fails to start, the process sends SIGTERM
    to itself.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(service.start())
        starting.add_done_callback(partial(_end_if_failed, service))
        try:
            yield
        finally:
            starting.cancel()
            await asyncio.wait({starting}, timeout=START_CANCEL_SECONDS)
            await service.stop()

    # The framework's own pages load scripts from another host.
    app = _Application(
        title=title,
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        # Its own route of the document would know neither rights nor rates.
        openapi_url=None,
        dependencies=[Depends(access_control(service.name, service.settings, callers, Rates(service.settings)))],
    )
    app.security = security
    app.add_middleware(Admission, names=service.settings.names, rules=rules)
    pages = [Depends(refuse_unknown_filters)]
    for router in routers:
        app.include_router(router, dependencies=pages)
    app.include_router(health(service), dependencies=pages)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # The framework lists only the methods of the path's first route.
            headers["Allow"] = allowed_methods(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        return problem(error.status_code, TITLE, _sentence(error), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [_error(detail) for detail in error.errors()]
        return problem(422, Message("The request is not valid"), Message("See `errors`."), errors=errors)

    @app.exception_handler(PyMongoError)
    async def on_database(_: Request, fault: PyMongoError) -> JSONResponse:
        log.warning("database_request_failed", fault=repr(fault)[:300])
        detail = Message("Nothing was changed. Please try again later.")
        return problem(503, Message("The database does not answer"), detail)

    @app.exception_handler(ClientDisconnect)
    async def on_disconnect(_request: Request, _fault: ClientDisconnect) -> Response:
        # Nobody reads this. Without it each client that goes away would look like a bug in the log.
        return Response(status_code=400)

    @app.exception_handler(Exception)
    async def on_bug(_request: Request, _fault: Exception) -> JSONResponse:
        # The log has the exception. A stranger need not know it.
        return problem(500, TITLE, Message("This is a fault of the service. Its log says more."))

    return app


def allowed_methods(request: Request) -> str:
    """The methods of the path, for the `Allow` header."""
    scope, routes = request.scope, request.app.routes
    methods = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


def _end_if_failed(service: Served, starting: asyncio.Task[None]) -> None:
    if not starting.cancelled() and (fault := starting.exception()) is not None:
        log.critical("service_not_started", exc_info=fault)
        service.failed = True
        signal.raise_signal(signal.SIGTERM)


def _sentence(error: HTTPException) -> Message:
    """The sentence of a service, or one for those of the framework."""
    if isinstance(error, PageRefused):
        return error.message
    match error.status_code:
        case 404:
            return Message("There is no such page here; /docs lists all.")
        case 405:
            return Message("This page can't do that; `Allow` says what it can do.")
    return Message("This request can't be answered (status {status}).", status=error.status_code)


def _error(detail: Mapping[str, Any]) -> dict[str, Any]:
    message = fault_message(detail)
    return {
        "field": _field_name(detail["loc"]),
        "message": message.english,
        "template": message.template,
        "values": message.plain_values,
    }


def _field_name(location: Sequence[str | int]) -> str:
    """The field's name without `body.`, as in the `field` of a refused command."""
    parts = location[1:] if location[0] == "body" and len(location) > 1 else location
    return ".".join(map(str, parts))


def serve(app: FastAPI, service: Served) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order. Raises SystemExit: 3 if the service never started.

    A port setting of 0 takes a free port. Nothing is served with settings that open the service to a network.
    """
    settings = service.settings
    if reasons := unsafe(settings):
        log.critical("service_not_started", reasons=reasons)
        raise SystemExit(NOT_STARTED)
    listening = listen(settings.http_host, settings.http_port)
    if settings.http_port_file is not None:
        settings.http_port_file.write_text(str(listening.getsockname()[1]))
    try:
        secured = _secured_address(settings)
    except OSError as fault:
        log.critical("service_not_started", tls=f"{settings.tls_host}:{settings.tls_port}", fault=repr(fault)[:300])
        raise SystemExit(NOT_STARTED) from None
    server = _Server(server_config(app, settings), service, secured)
    gc_tuning.relax()
    server.run(sockets=[listening])
    raise SystemExit(server.exit_code)


def _secured_address(settings: Settings) -> SecuredAddress | None:
    """The second address of the settings, if they have one. Raises OSError, also for a file without a certificate."""
    if not settings.tls_host or settings.tls_certificate is None:
        return None
    context = server_context(settings.tls_certificate)
    return SecuredAddress(listen(settings.tls_host, settings.tls_port), context)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is a free one. Raises OSError.

    An answer goes out in two writes. Without this option the second waits for the client's acknowledgement of the
    first, which a client delays by 40 ms. Python's event loop does not set it on connections of such a socket.
    """
    listening = socket.create_server((host, port))
    # Accepted connections take the option over.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def server_config(app: ASGIApp, settings: Settings, bounds: Bounds | None = None) -> uvicorn.Config:
    """uvicorn's configuration. `bounds`: others than those of the settings."""
    bounds = bounds or Bounds(connections=settings.http_connections)
    return uvicorn.Config(
        app,
        # No other protocol has the bounds.
        http=bounded_protocol(bounds),
        ws="none",
        timeout_keep_alive=bounds.idle_seconds,
        forwarded_allow_ips=settings.http_proxies,
        server_header=False,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=REQUEST_GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Served, secured: SecuredAddress | None = None) -> None:
        super().__init__(config)
        self._service = service
        self._secured = secured

    @property
    def exit_code(self) -> int:
        return 0 if self.started and not self._service.failed else NOT_STARTED

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets)
        current = asyncio.current_task()
        if hanging := await _cancel([task for task in asyncio.all_tasks() if task is not current]):
            # Python would wait for these tasks forever.
            log.critical("tasks_hang", at=[await_stack(task) for task in hanging])
            logging.shutdown()
            os._exit(self.exit_code)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._secured is None:
            return
        # uvicorn encrypts at all of its sockets or at none. It closes this server with its own.
        loop = asyncio.get_running_loop()
        self.servers.append(
            await loop.create_server(
                self._connection,
                sock=self._secured.listening,
                ssl=self._secured.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                backlog=self.config.backlog,
            )
        )

    def _connection(self) -> asyncio.Protocol:
        """A new connection, with the same bounds as at the other address."""
        kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stopping.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again after a stop. Here an orderly stop has exit code 0.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> Collection[asyncio.Task[Any]]:
    """Cancel the tasks. Returns those that have not ended within TASK_END_SECONDS."""
    for task in tasks:
        task.cancel()
    return (await asyncio.wait(tasks, timeout=TASK_END_SECONDS))[1] if tasks else ()
