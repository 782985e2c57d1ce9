"""Changes of what was announced, and the cancelling of a festival."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import REFUSED, Desk
from services.portal.api.forms import Form, Sent
from services.portal.api.pages import redirect
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import FestivalRow
from shared.events.zones import FESTIVAL_ZONES
from shared.wording import Message

NOT_CONFIRMED = "not_confirmed"
# What the page has shown: somebody else may have changed it since, and that change stays.
WAS = "was-"
FIELDS = ("name", "place", "zone", "first_day", "last_day")


def routes(desk: Desk) -> APIRouter:
    """The router of changes."""
    router = APIRouter()

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        sent: Form | None = None,
        problem: Message | None = None,
        doubted: bool = False,
    ) -> Response:
        return await desk.show(
            request,
            "change.html",
            person,
            festival,
            status,
            zones=FESTIVAL_ZONES,
            fields=FIELDS,
            sent=sent or {},
            problem=problem,
            doubted=doubted,
        )

    @router.get("/festivals/{festival}/change")
    async def form(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/change")
    async def change(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        row = await desk.organiser.festival(person, festival)
        body = {**_changed(row, sent), "confirmed": sent.get("confirmed") == "yes"}
        given = await desk.command(person, sent, "festivals", festival, "change", body=body)
        if given.refusal is not None:
            doubted = given.reason == NOT_CONFIRMED
            return await page(request, person, festival, REFUSED, sent, given.refusal, doubted)
        return redirect(f"/festivals/{festival}")

    @router.post("/festivals/{festival}/cancel")
    async def cancel(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, sent, message)

        body = {"reason": sent.get("reason", "").strip()}
        then = f"/festivals/{festival}"
        return await desk.give(person, sent, "festivals", festival, "cancel", body=body, then=then, again=again)

    return router


def _changed(festival: FestivalRow, sent: Mapping[str, str]) -> dict[str, str]:
    """The fields that are not as they were shown. The island of parcels is not shown, and so only ever new."""
    typed_values = {name: sent.get(name, "").strip() for name in (*FIELDS, "island")}
    former = {name: sent.get(f"{WAS}{name}", str(getattr(festival, name))) for name in FIELDS} | {"island": ""}
    return {name: value for name, value in typed_values.items() if value and value != former[name]}
