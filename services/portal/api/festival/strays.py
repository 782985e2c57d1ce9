"""Strays: sales of tills that named a booth which nobody has opened."""

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk
from services.portal.api.filters import declared
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from shared.nearest import nearest
from shared.wording import Message


def routes(desk: Desk) -> APIRouter:
    """The router of strays."""
    router = APIRouter()

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        is_narrowed = request.query_params.get("likely") == "yes"
        booths = await desk.organiser.booths(person, festival)
        names = {booth.booth: (booth.name,) for booth in booths}
        strays = [
            (stray, next(iter(nearest(stray.booth, names)), None)) for stray in await desk.organiser.strays(person)
        ]
        return await desk.show(
            request,
            "strays.html",
            person,
            festival,
            status,
            booths=booths,
            strays=[(stray, likely) for stray, likely in strays if likely or not is_narrowed],
            is_narrowed=is_narrowed,
            problem=problem,
        )

    @router.get("/festivals/{festival}/strays", dependencies=[declared("likely")])
    async def strays(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/strays")
    async def move(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        place = ("festivals", festival, "booths", sent.get("booth", ""), "strays")
        body = {"stray": sent.get("stray", "")}
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/strays", again=again)

    return router
