"""The announcement of a festival."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.forms import Sent
from services.portal.api.pages import redirect
from services.portal.api.people import People, Person, Visited
from shared import typed
from shared.errors import WrongEntry
from shared.events.identity import Role
from shared.events.zones import FESTIVAL_ZONES
from shared.wording import Message

ROLE_LOOKS = 20
LOOK_AGAIN_SECONDS = 0.5
NOT_CONFIRMED = "not_confirmed"


def routes(desk: Desk, people: People) -> APIRouter:
    """The router of the announcement."""
    router = APIRouter()

    def form_page(
        request: Request,
        person: Person,
        status: int = 200,
        sent: Mapping[str, str] | None = None,
        problem: Message | None = None,
        doubted: bool = False,
    ) -> Response:
        return desk.pages.render(
            request,
            "announce.html",
            status=status,
            person=person,
            zones=FESTIVAL_ZONES,
            sent=sent or {},
            problem=problem,
            doubted=doubted,
        )

    @router.get("/festivals/announce")
    async def form(request: Request, person: Visited) -> Response:
        return form_page(request, person)

    @router.post("/festivals/announce")
    async def announce(request: Request, person: Visited, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return form_page(request, person, status, sent, message)

        festival = sent.get("festival", "").strip().upper()
        body = {name: sent.get(name, "").strip() for name in ("name", "place", "zone", "first_day", "last_day")}
        missing = [name for name, value in {"festival": festival, **body}.items() if not value]
        if missing:
            return await refused_entry(again, WrongEntry(Message("Fill in every field.")))
        try:
            weights = typed.pairs(sent.get("weights", "").split(), "PR-KPG=2", typed.facility)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        body_and_id = {
            "festival": festival,
            **body,
            "island": sent.get("island", "").strip() or None,
            "weights": [{"facility": facility, "weight": weight} for facility, weight in weights.items()],
            "confirmed": sent.get("confirmed") == "yes",
        }
        given = await desk.command(person, sent, "festivals", body=body_and_id)
        if given.refusal is not None:
            return form_page(request, person, 409, sent, given.refusal, given.reason == NOT_CONFIRMED)
        await _wait_for_role(request, person, festival)
        return redirect(f"/festivals/{festival}")

    async def _wait_for_role(request: Request, person: Person, festival: str) -> None:
        """Whoever announces a festival becomes its organiser, a moment later."""
        for _ in range(ROLE_LOOKS):
            if person.session is None or festival in person.scopes(Role.ORGANISER):
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            person = await people.renew(person, request)

    return router
