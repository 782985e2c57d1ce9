"""Sales of a festival by booth, and the decision of disputes."""

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from shared.wording import Message


def routes(desk: Desk) -> APIRouter:
    """The router of sales."""
    router = APIRouter()

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        return await desk.show(
            request,
            "sales.html",
            person,
            festival,
            status,
            sales=await desk.organiser.sales(person, festival),
            booths={booth.booth: booth for booth in await desk.organiser.booths(person, festival)},
            problem=problem,
            is_live=True,
        )

    @router.get("/festivals/{festival}/sales")
    async def sales(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/sales")
    async def resolve(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        lot = sent.get("lot", "")
        body = {"booth": sent.get("booth", ""), "outcome": sent.get("outcome", "")} | ({"lot": lot} if lot else {})
        place = ("festivals", festival, "disputes", sent.get("sale", ""), "resolve")
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/sales", again=again)

    return router
