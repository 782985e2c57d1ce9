"""The close of a festival: what is missing, what comes home, and what each facility gets."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import REFUSED, Desk, refused_entry, seen
from services.portal.api.filters import FILES
from services.portal.api.forms import CHANGED, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import BoothLotRow, BoothRow
from services.portal.domain.sales_answers import AwaitedDevice, awaited
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

SETTLED = "settled"
CLOSING = "closing"


def routes(desk: Desk) -> APIRouter:
    """The router of the close."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        booths = await desk.organiser.booths(person, festival)
        awaits = await _awaited(person, festival, booths)
        left = _left(booths)
        return await desk.show(
            request,
            "close.html",
            person,
            festival,
            status,
            missing=await desk.organiser.missing(person, festival),
            left=left,
            seen=" ".join(_mark(booth, lot) for booth, lot in left),
            returned=[(booth, lot) for booth in booths for lot in booth.lots if lot.returned],
            awaited=awaits,
            # No till is waited for: the services still exchange what they know of a closing booth.
            is_working=not awaits and any(booth.status == CLOSING for booth in booths),
            settlements=await desk.organiser.settlements(person, festival=festival),
            problem=problem,
        )

    async def _awaited(person: Person, festival: str, booths: Sequence[BoothRow]) -> list[AwaitedDevice]:
        if all(booth.status == SETTLED for booth in booths):
            return []
        selling = await desk.organiser.selling_booths(person, festival)
        return list(awaited({booth.booth: booth for booth in booths}, selling))

    @router.get("/festivals/{festival}/close")
    async def show(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/close")
    async def close(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        try:
            hours = typed.whole(sent.get("till_hours", ""))
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        place = ("festivals", festival, "close")
        then = f"/festivals/{festival}/close"
        return await desk.give(person, sent, *place, body={"till_hours": hours}, then=then, again=again)

    @router.post("/festivals/{festival}/returns")
    async def count_return(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        try:
            qty = typed.whole(sent.get("qty", ""))
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        body = {
            "booth": sent.get("booth", ""),
            "lot": sent.get("lot", ""),
            "qty": qty,
            "final": sent.get("more") != "yes",
        }
        place = ("festivals", festival, "returns")
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/close", again=again)

    @router.post("/festivals/{festival}/returns/all")
    async def return_all(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        left = _left(await desk.organiser.booths(person, festival))
        shown = [(booth, lot) for booth, lot in left if _mark(booth, lot) in seen(sent)]
        if left and not shown:
            return await again(REFUSED, CHANGED)
        commands = (
            (
                ("festivals", festival, "returns"),
                {"booth": booth.booth, "lot": lot.lot, "qty": lot.left, "final": True},
            )
            for booth, lot in shown
        )
        return await desk.give_all(person, sent, commands, f"/festivals/{festival}/close", again)

    @router.post("/festivals/{festival}/returns/recount")
    async def recount_return(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        try:
            qty = typed.whole(sent.get("qty", ""))
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        booth, _, lot = sent.get("returned", "").partition(" ")
        place = ("festivals", festival, "returns", "recount")
        body = {"booth": booth, "lot": lot, "qty": qty}
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/close", again=again)

    return router


def _left(booths: Sequence[BoothRow]) -> list[tuple[BoothRow, BoothLotRow]]:
    """The lots of settled booths with pieces that have not come home."""
    return [(booth, lot) for booth in booths if booth.status == SETTLED for lot in booth.lots if lot.left > 0]


def _mark(booth: BoothRow, lot: BoothLotRow) -> str:
    """Tells what is left of a lot from every other one, also from the same with other pieces."""
    return f"{booth.booth}/{lot.lot}/{lot.left}"
