"""The pages of festivals: the list, and a festival with its steps."""

from fastapi import APIRouter, Request, Response

from services.portal.api.files import FILE
from services.portal.api.filters import declared, narrowed
from services.portal.api.organiser import Organiser
from services.portal.api.pages import Pages
from services.portal.api.people import Person, Visited
from services.portal.domain.steps import steps_of
from shared.access.rights import Action, Limit


def routes(pages: Pages, organiser: Organiser) -> APIRouter:
    """The router of festivals."""
    router = APIRouter()

    @router.get("/festivals", dependencies=[declared(FILE, "status")])
    async def festivals(request: Request, person: Visited) -> Response:
        rows = await organiser.festivals(person)
        shown, filters = narrowed(rows, request.query_params, {"status": lambda row: row.status})
        return pages.render(request, "festivals.html", person=person, festivals=rows, shown=shown, filters=filters)

    @router.get("/festivals/{festival}")
    async def festival(request: Request, person: Visited, festival: str) -> Response:
        row = await organiser.festival(person, festival)
        if not may_read(person, festival):
            return pages.render(request, "festival_outside.html", person=person, festival=row)
        progress = await organiser.progress(person, row)
        return pages.render(
            request,
            "festival.html",
            person=person,
            festival=row,
            base=f"/festivals/{festival}",
            progress=progress,
            steps=steps_of(progress),
            is_live=True,
        )

    return router


def may_read(person: Person, festival: str) -> bool:
    """Whether the festival service will show this person more than the festival itself."""
    return person.caller.may(Action.READ_FESTIVAL, {Limit.FESTIVAL: festival})
