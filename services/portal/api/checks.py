"""What operators have checked: every invariant across all services, and databases made anew beside the live ones."""

from fastapi import APIRouter, Request, Response

from services.portal.api.filters import FILES
from services.portal.api.forms import Sent
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import GivenCommand, Services, answers
from services.portal.clients.services import OPERATIONS
from shared.access.rights import Action
from shared.wording import Message

RUNNING = "running"


def routes(pages: Pages, services: Services) -> APIRouter:
    """The router of both pages."""
    router = APIRouter(dependencies=[FILES])

    @router.get("/operator/checks")
    async def checks(request: Request, person: Visited) -> Response:
        answer = await services.page(person.token, OPERATIONS, "verification")
        return pages.render(
            request,
            "checks.html",
            person=person,
            last=answers.VERIFICATION.validate_python(answer),
            may_run=person.caller.may(Action.RUN_CHECKS, {}),
        )

    @router.post("/operator/checks")
    async def check(person: Visited) -> Response:
        await services.ask(person.token, OPERATIONS, "verification", body={})
        return redirect("/operator/checks")

    async def rebuilds_page(
        request: Request, person: Person, status: int = 200, problem: Message | None = None
    ) -> Response:
        rows = answers.REBUILDS.validate_python(await services.page(person.token, OPERATIONS, "rebuilds"))
        return pages.render(
            request,
            "rebuilds.html",
            status=status,
            person=person,
            rows=rows,
            running=next((row for row in rows if row.status == RUNNING), None),
            different=[row for row in rows if row.ok is False],
            same=[row for row in rows if row.ok],
            may_run=person.caller.may(Action.RUN_CHECKS, {}),
            problem=problem,
        )

    @router.get("/operator/rebuilds")
    async def rebuilds(request: Request, person: Visited) -> Response:
        return await rebuilds_page(request, person)

    @router.post("/operator/rebuilds")
    async def rebuild(request: Request, person: Visited, sent: Sent) -> Response:
        answer = await services.ask(person.token, OPERATIONS, "rebuilds", sent.get("service", ""), body={})
        if isinstance(answer, GivenCommand):
            return await rebuilds_page(request, person, 409, answer.refusal)
        return redirect("/operator/rebuilds")

    return router
