"""Goods that are spoilt or gone at a facility, as its staff record them."""

from collections.abc import Mapping
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from services.portal.api.forms import Sent
from services.portal.api.organiser import FESTIVAL, Organiser
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import Services
from services.portal.domain.steps import CANCELLED, CLOSED
from services.portal.store import PublicNames
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message, as_message


def routes(pages: Pages, organiser: Organiser, services: Services, names: PublicNames) -> APIRouter:
    """The router of losses at facilities."""
    router = APIRouter()

    async def page(
        request: Request,
        person: Person,
        facility: str,
        status: int = 200,
        sent: Mapping[str, str] | None = None,
        problem: Message | None = None,
    ) -> Response:
        festivals = await organiser.festivals(person)
        return pages.render(
            request,
            "facility_losses.html",
            status=status,
            person=person,
            facility=facility,
            names=names,
            lots=[lot for lot in await organiser.lots(person, facility) if lot.on_hand > 0],
            festivals=[row for row in festivals if row.status not in (CLOSED, CANCELLED)],
            sent=sent or {},
            problem=problem,
        )

    @router.get("/facilities/{facility}/losses")
    async def form(request: Request, person: Visited, facility: str, lot: str = "") -> Response:
        return await page(request, person, facility, sent={"lot": lot})

    @router.post("/facilities/{facility}/losses")
    async def record(request: Request, person: Visited, facility: str, sent: Sent) -> Response:
        try:
            qty = typed.whole(sent.get("qty", ""))
        except WrongEntry as wrong:
            return await page(request, person, facility, 422, sent, as_message(wrong.message))
        body = {
            "lot": sent.get("lot", ""),
            "place": "facility",
            "qty": qty,
            "reason": sent.get("reason", "").strip(),
        }
        place = ("festivals", sent.get("festival", "") or "-", "losses")
        id = sent.get("command") or str(uuid4())
        given = await services.command(person.token, FESTIVAL, *place, body=body, id=id)
        if given.refusal is not None:
            return await page(request, person, facility, 409, sent, given.refusal)
        return redirect(f"/facilities/{facility}")

    return router
