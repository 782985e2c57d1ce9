"""People and devices of a festival: invitations, roles of accounts, codes that enrol tills, and lost devices."""

from collections.abc import Mapping
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from services.portal.api.codes import IDENTITY, GivenCode, give_code
from services.portal.api.festival.desk import REFUSED, Desk
from services.portal.api.filters import FILES
from services.portal.api.forms import Sent
from services.portal.api.pages import redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import GivenCommand
from shared.wording import Message

GRANT, WITHDRAW, REVOKE = "grant", "withdraw", "revoke"


def routes(desk: Desk) -> APIRouter:
    """The router of people and devices."""
    router = APIRouter(dependencies=[FILES])

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
        if (kind := sent.get("kind")) in (GRANT, WITHDRAW, REVOKE):
            done = await (_revoke(person, sent) if kind == REVOKE else _change_role(person, sent, str(kind)))
            if done.refusal is not None:
                return await page(request, person, festival, REFUSED, problem=done.refusal)
            return redirect(f"/festivals/{festival}/people")
        given = await give_code(desk.services, person, sent)
        if isinstance(given, Message):
            return await page(request, person, festival, REFUSED, problem=given)
        # Shown here and not on a page of its own: a code is not in an address.
        return await page(request, person, festival, given=given)

    async def _revoke(person: Person, sent: Mapping[str, str]) -> GivenCommand:
        """Revoke a lost device for good."""
        body = {"reason": sent.get("reason", "").strip()}
        place = ("devices", sent.get("device", ""), "revoke")
        answer = await desk.services.ask(person.token, IDENTITY, *place, body=body)
        return answer if isinstance(answer, GivenCommand) else GivenCommand()

    async def _change_role(person: Person, sent: Mapping[str, str], verb: str) -> GivenCommand:
        """Grant a role to an account that its owner has named, or withdraw it."""
        role, _, scope = sent.get("role", "").partition(":")
        place = ("accounts", sent.get("account", "").strip() or "-", "roles", verb)
        return await desk.services.command(
            person.token,
            IDENTITY,
            *place,
            body={"role": role, "scope": scope},
            id=sent.get("command") or str(uuid4()),
        )

    return router
