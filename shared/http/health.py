"""Whether a service lives, has started and works all its lanes."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from shared.http.problems import problem
from shared.runtime.service import Service

NOT_YET: dict[int | str, dict[str, Any]] = {503: {"description": "No: `detail` says what keeps it from that"}}


def health(service: Service) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Does all of the process live? If not, only a new process helps", responses=NOT_YET)
    async def live() -> JSONResponse:
        return _healthy("alive", service.liveness_failures())

    @router.get(
        "/started", summary="Has the service come to work all its lanes once, and does it live?", responses=NOT_YET
    )
    async def started() -> JSONResponse:
        return _healthy("started", service.startup_failures())

    @router.get(
        "/ready", summary="Does the service work all its lanes, and what keeps it from that?", responses=NOT_YET
    )
    async def ready() -> JSONResponse:
        return _healthy("ready", service.readiness_failures())

    return router


def _healthy(status: str, troubles: Sequence[str]) -> JSONResponse:
    return problem(503, f"Not {status}", "; ".join(troubles)) if troubles else JSONResponse({"status": status})
