"""Health endpoints: whether a service is alive, has started, and works all its lanes."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from shared.http.problems import problem
from shared.runtime.service import Service
from shared.wording import Message, as_message

UNHEALTHY: dict[int | str, dict[str, Any]] = {503: {"description": "No; `detail` names the causes"}}


def health(service: Service) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Is every part of the process alive? If not, restart it", responses=UNHEALTHY)
    async def live() -> JSONResponse:
        return _status_response("alive", Message("Not alive"), service.liveness_failures())

    @router.get("/started", summary="Has the service started: has it worked all its lanes once?", responses=UNHEALTHY)
    async def started() -> JSONResponse:
        return _status_response("started", Message("Not started"), service.startup_failures())

    @router.get("/ready", summary="Does the service work all its lanes now?", responses=UNHEALTHY)
    async def ready() -> JSONResponse:
        return _status_response("ready", Message("Not ready"), service.readiness_failures())

    return router


def _status_response(status: str, title: Message, failures: Sequence[str]) -> JSONResponse:
    return problem(503, title, as_message("; ".join(failures))) if failures else JSONResponse({"status": status})
