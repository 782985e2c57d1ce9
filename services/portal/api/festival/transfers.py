"""Transfers: pieces that move between booths, counted at both ends."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.counting import (
    BoothArrival,
    receive_by_form,
    recount_by_form,
    rows_of,
    show_arrival,
)
from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.forms import Form, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.parcels import next_name
from services.portal.domain.steps import SENT
from services.portal.domain.stock_answers import TransferRow
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

QTY = "qty-"


def routes(desk: Desk) -> APIRouter:
    """The router of transfers."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request,
        person: Person,
        festival: str,
        giver: str,
        status: int = 200,
        sent: Form | None = None,
        problem: Message | None = None,
    ) -> Response:
        transfers = await desk.organiser.transfers(person, festival)
        booths = await desk.organiser.booths(person, festival)
        shown, filters = narrowed(transfers, request.query_params, {"status": lambda row: row.status})
        return await desk.show(
            request,
            "transfers.html",
            person,
            festival,
            status,
            transfers=transfers,
            shown=shown,
            filters=filters,
            booths=booths,
            giver=next((booth for booth in booths if booth.booth == giver), None),
            proposed=next_name("T", [row.transfer for row in transfers]),
            sent=sent or {},
            problem=problem,
        )

    async def transfer_page(
        request: Request,
        person: Person,
        festival: str,
        transfer: str,
        status: int = 200,
        sent: Form | None = None,
        counted: Mapping[str, int] | None = None,
        problem: Message | None = None,
    ) -> Response:
        # Asked for anew: of several commands the first may be done, though a later one was refused.
        row = await desk.organiser.transfer(person, festival, transfer)
        arrival, on_the_way = _arrival(festival, row), row.status == SENT
        return await show_arrival(
            desk, request, person, arrival, status, sent, counted, problem, is_on_the_way=on_the_way, transfer=row
        )

    @router.get("/festivals/{festival}/transfers", dependencies=[declared("status")])
    async def transfers(request: Request, person: Visited, festival: str, booth: str = "") -> Response:
        return await page(request, person, festival, booth)

    @router.post("/festivals/{festival}/transfers")
    async def send(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, sent.get("booth", ""), status, sent, message)

        try:
            body = _sent(sent)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        then = f"/festivals/{festival}/transfers/{body['transfer']}"
        return await desk.give(person, sent, "festivals", festival, "transfers", body=body, then=then, again=again)

    @router.get("/festivals/{festival}/transfers/{transfer}")
    async def transfer(request: Request, person: Visited, festival: str, transfer: str) -> Response:
        return await transfer_page(request, person, festival, transfer)

    @router.post("/festivals/{festival}/transfers/{transfer}")
    async def receive(request: Request, person: Visited, festival: str, transfer: str, sent: Sent) -> Response:
        arrival = _arrival(festival, await desk.organiser.transfer(person, festival, transfer))
        shown = partial(transfer_page, request, person, festival, transfer)
        return await receive_by_form(desk, person, sent, arrival, shown)

    @router.post("/festivals/{festival}/transfers/{transfer}/recount")
    async def recount(request: Request, person: Visited, festival: str, transfer: str, sent: Sent) -> Response:
        arrival = _arrival(festival, await desk.organiser.transfer(person, festival, transfer))
        shown = partial(transfer_page, request, person, festival, transfer)
        return await recount_by_form(desk, person, sent, arrival, shown)

    return router


def _arrival(festival: str, row: TransferRow) -> BoothArrival:
    return BoothArrival(festival, "transfers", row.transfer, row.lots, row.to)


def _sent(sent: Mapping[str, str]) -> dict[str, Any]:
    """The body of SendTransfer. Raises WrongEntry."""
    counts = {
        name.removeprefix(QTY): qty
        for name, text in sent.items()
        if name.startswith(QTY) and text.strip() and (qty := typed.whole(text))
    }
    if not counts:
        raise WrongEntry(Message("Type how many pieces of at least one lot leave the booth."))
    return {
        "transfer": sent.get("transfer", "").strip().upper(),
        "booth": sent.get("booth", ""),
        "to": sent.get("to", ""),
        "lots": rows_of(counts),
    }
