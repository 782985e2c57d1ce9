"""Rebuilds over HTTP: a service's database made anew from Kafka beside the live one, which stays as it is."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from ops.service.letters import UNNAMED
from ops.service.runs import Runs, WorkerRun
from ops.service.verification import NEVER, SentencePage, Start, fault_of
from ops.service.worker import DONE, OF, REBUILD
from shared.http.access import caller_of
from shared.http.commands import parse_command
from shared.http.endpoints import body_openapi
from shared.http.problems import TITLE, PageRefused, problem
from shared.wording import Message


class RebuildPage(BaseModel):
    """The last rebuild of a service since this process started. `status`: `never`, `running`, `failed` or `done`.
    `done`, `of`: records worked so far, and all. `ok`: the rebuilt database is the same as the live one.
    `differences`: sentences on the first of what differs."""

    service: str
    status: str
    actor: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    done: int | None = None
    of: int | None = None
    ok: bool | None = None
    differences: list[SentencePage] = []
    fault: SentencePage | None = None


class StartRebuild(Start):
    """Nothing but the service, which the path names."""

    service: str


def routes(runs: Runs) -> APIRouter:
    """The router of rebuilds."""
    router = APIRouter(tags=["rebuilds"])

    @router.get("/rebuilds", summary="The last rebuild of each service, and its progress")
    async def many() -> list[RebuildPage]:
        from deploy.topics import SERVICES

        return [_page(service, runs.last(_name(service))) for service in SERVICES]

    @router.post(
        "/rebuilds/{service}",
        status_code=202,
        response_model=RebuildPage,
        summary="Rebuild a service's database beside the live one, and compare the two",
        openapi_extra=body_openapi("/rebuilds/{service}", StartRebuild),
    )
    async def start(request: Request, service: str) -> Response | RebuildPage:
        from deploy.topics import SERVICES

        await parse_command(request, StartRebuild)
        if service not in SERVICES:
            raise PageRefused(404, Message("There is no service {service} with a database.", service=service))
        running = runs.running(f"{REBUILD} ")
        if running is not None and running != _name(service):
            busy = running.removeprefix(f"{REBUILD} ")
            return problem(
                409, TITLE, Message("{service} is being rebuilt. Wait until that has ended.", service=busy)
            )
        return _page(service, runs.start(_name(service), caller_of(request).subject or UNNAMED, REBUILD, service))

    return router


def _name(service: str) -> str:
    return f"{REBUILD} {service}"


def _page(service: str, run: WorkerRun | None) -> RebuildPage:
    if run is None:
        return RebuildPage(service=service, status=NEVER)
    progress, report = run.progress or {}, run.report or {}
    return RebuildPage(
        service=service,
        status=run.status,
        actor=run.actor,
        started_at=run.started_at,
        finished_at=run.finished_at,
        done=report.get("records", progress.get(DONE)),
        of=report.get("records", progress.get(OF)),
        ok=report.get("ok"),
        differences=[*report.get("torn", []), *report.get("lost", []), *report.get("doubled", [])],
        fault=fault_of(run),
    )
