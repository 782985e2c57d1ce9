"""The booths of a festival: what they hold and sell, and a form that opens one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.parcels import next_name
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

PRICE = "price-"


def routes(desk: Desk) -> APIRouter:
    """The router of booths."""
    router = APIRouter()

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        sent: Mapping[str, str] | None = None,
        problem: Message | None = None,
    ) -> Response:
        booths = await desk.organiser.booths(person, festival)
        return await desk.show(
            request,
            "booths.html",
            person,
            festival,
            status,
            booths=booths,
            products=await desk.organiser.products(person),
            proposed=next_name("B", [booth.short for booth in booths]),
            sent=sent or {},
            problem=problem,
        )

    @router.get("/festivals/{festival}/booths")
    async def booths(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/booths")
    async def open_booth(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, sent, message)

        try:
            body = _opened(festival, sent)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        place = ("festivals", festival, "booths")
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/booths", again=again)

    async def booth_page(
        request: Request,
        person: Person,
        festival: str,
        booth: str,
        status: int = 200,
        problem: Message | None = None,
    ) -> Response:
        return await desk.show(
            request,
            "booth.html",
            person,
            festival,
            status,
            booth=await desk.organiser.booth(person, festival, booth),
            products=await desk.organiser.products(person),
            problem=problem,
        )

    @router.get("/festivals/{festival}/booths/{booth}")
    async def booth(request: Request, person: Visited, festival: str, booth: str) -> Response:
        return await booth_page(request, person, festival, booth)

    @router.post("/festivals/{festival}/booths/{booth}")
    async def change(request: Request, person: Visited, festival: str, booth: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await booth_page(request, person, festival, booth, status, message)

        try:
            place, body = _change(sent)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        whole = ("festivals", festival, "booths", booth, *place)
        then = f"/festivals/{festival}/booths/{booth}"
        return await desk.give(person, sent, *whole, body=body, then=then, again=again)

    return router


def _change(sent: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The place and the body of the command that a form of a booth's page gives. Raises WrongEntry."""
    product, till = sent.get("product", ""), sent.get("till", "").strip().upper()
    match sent.get("change"):
        case "price":
            return ("prices",), {"product": product, "price_rupiah": typed.rupiah(sent.get("price", ""))}
        case "product":
            return ("products",), {"product": product, "price_rupiah": typed.rupiah(sent.get("price", ""))}
        case "name":
            return ("name",), {"name": sent.get("name", "").strip()}
        case "till":
            return ("tills",), {"till": till}
        case "strike":
            return ("tills", till, "strike"), {"reason": sent.get("reason", "").strip()}
        case "close":
            return ("close",), {"till_hours": typed.whole(sent.get("till_hours", ""))}
        case "reopen":
            return ("reopen",), {"reason": sent.get("reason", "").strip()}
    raise WrongEntry(Message("This form is not known here."))


def _opened(festival: str, sent: Mapping[str, str]) -> dict[str, Any]:
    """The body of OpenBooth. Raises WrongEntry."""
    short = sent.get("booth", "").strip().upper()
    prices = [
        {"product": name.removeprefix(PRICE), "price_rupiah": typed.rupiah(value)}
        for name, value in sent.items()
        if name.startswith(PRICE) and value.strip()
    ]
    if not short:
        raise WrongEntry(Message("Give the booth a short name, e.g. B1."))
    if not prices:
        raise WrongEntry(Message("Type the price of at least one product."))
    capacity = sent.get("capacity", "").strip()
    return {
        "booth": f"{festival}.{short}",
        "name": sent.get("name", "").strip() or short,
        "prices": prices,
        "tills": sent.get("tills", "").replace(",", " ").upper().split(),
        "capacity": typed.whole(capacity) if capacity else None,
    }
