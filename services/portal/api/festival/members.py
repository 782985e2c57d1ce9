"""People and devices of a festival: invitations of organisers and cashiers, and codes that enrol tills."""

from fastapi import APIRouter, Request, Response

from services.portal.api.codes import GivenCode, give_code
from services.portal.api.festival.desk import REFUSED, Desk
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from shared.wording import Message


def routes(desk: Desk) -> APIRouter:
    """The router of people and devices."""
    router = APIRouter()

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        given: GivenCode | None = None,
        problem: Message | None = None,
    ) -> Response:
        return await desk.show(
            request,
            "members.html",
            person,
            festival,
            status,
            booths=await desk.organiser.booths(person, festival),
            devices=await desk.organiser.devices(person, festival=festival),
            given=given,
            problem=problem,
        )

    @router.get("/festivals/{festival}/people")
    async def members(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/people")
    async def invite(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        given = await give_code(desk.services, person, sent)
        if isinstance(given, Message):
            return await page(request, person, festival, REFUSED, problem=given)
        # Shown here and not on a page of its own: a code is not in an address.
        return await page(request, person, festival, given=given)

    return router
