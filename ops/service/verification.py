"""A verification over HTTP: started by an operator, its progress, and each invariant with what breaks it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from ops.service.letters import UNNAMED
from ops.service.runs import Runs, WorkerRun
from ops.service.worker import CHECKING, VERIFY, WAITS
from shared.events.language import Body
from shared.http.access import caller_of
from shared.http.commands import parse_command
from shared.http.endpoints import body_openapi

NEVER = "never"


class SentencePage(BaseModel):
    """A sentence on what was found, or why a run has found nothing; with the template for translations."""

    detail: str
    template: str
    values: dict[str, Any]


class CheckPage(BaseModel):
    """One invariant. `about`: what must hold. `looked_at`: comparisons; `broken`: sentences on the first of
    `broken_total` violations; `notes` are no violations."""

    name: str
    about: str
    looked_at: int
    ok: bool
    broken: list[SentencePage]
    broken_total: int
    notes: list[SentencePage]


class VerificationPage(BaseModel):
    """The last verification since this process started. `status`: `never`, `running`, `failed` or `done`. `ok`: every
    event was worked and every invariant holds. `waits`: what is not worked yet. `is_checking`: the wait is over."""

    status: str
    actor: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_checking: bool = False
    ok: bool | None = None
    waits: list[SentencePage] = []
    checks: list[CheckPage] = []
    fault: SentencePage | None = None


class Start(Body):
    """Nothing: the path says it all."""


def routes(runs: Runs) -> APIRouter:
    """The router of the verification."""
    router = APIRouter(tags=["verification"])

    @router.get("/verification", summary="The last verification of all services, and its progress")
    async def last() -> VerificationPage:
        return _page(runs.last(VERIFY))

    @router.post(
        "/verification",
        status_code=202,
        summary="Verify all services: the one that runs goes on",
        openapi_extra=body_openapi("/verification", Start),
    )
    async def start(request: Request) -> VerificationPage:
        await parse_command(request, Start)
        return _page(runs.start(VERIFY, caller_of(request).subject or UNNAMED, VERIFY))

    return router


def fault_of(run: WorkerRun) -> SentencePage | None:
    """Why the run has found nothing."""
    if run.fault is None:
        return None
    return SentencePage(detail=run.fault.english, template=run.fault.template, values=run.fault.plain_values)


def _page(run: WorkerRun | None) -> VerificationPage:
    if run is None:
        return VerificationPage(status=NEVER)
    progress, report = run.progress or {}, run.report or {}
    return VerificationPage(
        status=run.status,
        actor=run.actor,
        started_at=run.started_at,
        finished_at=run.finished_at,
        is_checking=bool(progress.get(CHECKING)),
        ok=report.get("ok"),
        waits=report.get("waits", progress.get(WAITS, [])),
        checks=report.get("checks", []),
        fault=fault_of(run),
    )
