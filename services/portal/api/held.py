"""Held records: what revoked devices have signed, and an operator's release or refusal."""

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response

from services.portal.api.files import table_of
from services.portal.api.filters import FILES
from services.portal.api.forms import CHANGED, SEEN, Form, Sent
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import Services, answers
from services.portal.domain.answers import HeldRow, UndecidedDevice
from shared import typed
from shared.access.rights import Action
from shared.errors import WrongEntry
from shared.translation import tr
from shared.wording import Message

GATEWAY = "gateway"
HELD = "held"
# The page shows the first records of each device; its file has all.
COLUMNS = ["place", "device", "record", "kind", "recorded_at", "held_at"]
DECISIONS = ("release", "refuse")
NEEDS_REASON = Message("Type why the records are refused.")


def routes(pages: Pages, services: Services) -> APIRouter:
    """The router of held records."""
    router = APIRouter(dependencies=[FILES])

    async def page(request: Request, person: Person, status: int = 200, problem: Message | None = None) -> Response:
        rows = answers.HELD.validate_python(await services.rows(person.token, GATEWAY, "held"))
        waiting = list(by_device(row for row in rows if row.status == HELD))
        records = (row for device in waiting for row in device.records)
        return pages.render(
            request,
            "held.html",
            status=status,
            person=person,
            waiting=waiting,
            decided=[row for row in rows if row.status != HELD],
            may_decide=person.caller.may(Action.DECIDE_HELD, {}),
            problem=problem,
            files={HELD: table_of(tr("held-records"), COLUMNS, records)},
        )

    @router.get("/operator/held")
    async def held(request: Request, person: Visited) -> Response:
        return await page(request, person)

    @router.post("/operator/held")
    async def decide(request: Request, person: Visited, sent: Sent) -> Response:
        decision, reason = sent.get("decision", ""), sent.get("reason", "").strip()
        if decision not in DECISIONS:
            return await page(request, person, 422, Message("This form is not known here."))
        if decision == "refuse" and not reason:
            return await page(request, person, 422, NEEDS_REASON)
        # A lost device may be in wrong hands: what came since the page was shown was decided by nobody.
        rows = answers.HELD.validate_python(await services.rows(person.token, GATEWAY, "held"))
        waiting = by_device(row for row in rows if row.status == HELD)
        if any(has_more(device, sent) for device in waiting):
            return await page(request, person, 409, CHANGED)
        body = {"device": sent.get("device", "")} | ({"reason": reason} if decision == "refuse" else {})
        place = ("held", sent.get("place", ""), decision)
        given = await services.command(person.token, GATEWAY, *place, body=body, id=sent.get("command", ""))
        if given.refusal is not None:
            return await page(request, person, 409, given.refusal)
        return redirect("/operator/held")

    return router


def has_more(device: UndecidedDevice, sent: Form) -> bool:
    """Whether the form is about this device, and its page has not shown all of its records."""
    try:
        shown = typed.whole(sent.get(SEEN, ""))
    except WrongEntry:
        shown = 0
    return (device.place, device.device) == (sent.get("place"), sent.get("device")) and device.newest > shown


def by_device(rows: Iterable[HeldRow]) -> Iterable[UndecidedDevice]:
    """The records by place and device, each in the order in which its device made them."""
    records: dict[tuple[str, str], list[HeldRow]] = {}
    for row in rows:
        records.setdefault((row.place, row.device), []).append(row)
    for (place, device), held_rows in sorted(records.items()):
        yield UndecidedDevice(place, device, tuple(sorted(held_rows, key=lambda row: (row.seq or 0, row.number))))
