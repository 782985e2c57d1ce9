"""Health endpoints: whether a service is alive, has started, and works all its lanes."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from shared.http.problems import problem
from shared.http.served import Served
from shared.loopback import is_loopback
from shared.wording import Message, as_message

UNHEALTHY: dict[int | str, dict[str, Any]] = {
    503: {"description": "No; to a caller on the machine of the service `detail` names the causes"}
}
# Causes name addresses and topics, which strangers need not know. An orchestrator needs the status alone.
NOT_TOLD = Message("The causes are told to callers on the machine of this service.")
# A proxy on this machine passes on the requests of others, and says so in one of these.
PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def health(service: Served) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Is every part of the process alive? If not, restart it", responses=UNHEALTHY)
    async def live(request: Request) -> JSONResponse:
        return _status_response(request, "alive", Message("Not alive"), service.liveness_failures())

    @router.get("/started", summary="Has the service started: has it worked all its lanes once?", responses=UNHEALTHY)
    async def started(request: Request) -> JSONResponse:
        return _status_response(request, "started", Message("Not started"), service.startup_failures())

    @router.get("/ready", summary="Does the service work all its lanes now?", responses=UNHEALTHY)
    async def ready(request: Request) -> JSONResponse:
        return _status_response(request, "ready", Message("Not ready"), service.readiness_failures())

    return router


def _status_response(request: Request, status: str, title: Message, failures: Sequence[str]) -> JSONResponse:
    if not failures:
        return JSONResponse({"status": status})
    return problem(503, title, as_message("; ".join(failures)) if _is_local(request) else NOT_TOLD)


def _is_local(request: Request) -> bool:
    """Whether the caller itself is on this machine."""
    client = request.client
    return client is not None and is_loopback(client.host) and not any(name in request.headers for name in PASSED_ON)
