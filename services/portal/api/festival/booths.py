"""The booths of a festival: what they hold and sell, and a form that opens one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.parcels import next_name
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

PRICE = "price-"
LIMIT = "limit-"


def routes(desk: Desk) -> APIRouter:
    """The router of booths."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        sent: Mapping[str, str] | None = None,
        problem: Message | None = None,
    ) -> Response:
        rows = await desk.organiser.booths(person, festival)
        selling = {row.booth: row for row in await desk.organiser.selling_booths(person, festival)}
        booths = [
            booth.with_sold(selling[booth.booth].sold_by_lot) if booth.booth in selling else booth for booth in rows
        ]
        products = await desk.organiser.products(person)
        shown, filters = narrowed(booths, request.query_params, {"status": lambda booth: booth.status})
        return await desk.show(
            request,
            "booths.html",
            person,
            festival,
            status,
            booths=booths,
            shown=shown,
            filters=filters,
            products=products,
            categories=sorted({product.category for product in products}),
            proposed=next_name("B", [booth.short for booth in booths]),
            sent=sent or {},
            problem=problem,
        )

    @router.get("/festivals/{festival}/booths", dependencies=[declared("status")])
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
        selling = await desk.organiser.selling_booth(person, booth)
        row = await desk.organiser.booth(person, festival, booth)
        if selling is not None:
            row = row.with_sold(selling.sold_by_lot)
        return await desk.show(
            request,
            "booth.html",
            person,
            festival,
            status,
            booth=row,
            devices=[row for row in selling.tills if row.device] if selling is not None else [],
            others=[other for other in await desk.organiser.booths(person, festival) if other.booth != booth],
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

        row = await desk.organiser.festival(person, festival)
        try:
            place, body = _change(booth, sent, ZoneInfo(row.zone))
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        whole = ("festivals", festival, *place)
        then = f"/festivals/{festival}/booths/{booth}"
        return await desk.give(person, sent, *whole, body=body, then=then, again=again)

    return router


def _change(booth: str, sent: Mapping[str, str], zone: ZoneInfo) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The place and the body of the command that a form of a booth's page gives. Raises WrongEntry."""
    product, till, reason = sent.get("product", ""), sent.get("till", "").strip(), sent.get("reason", "").strip()
    place = ("booths", booth)
    match sent.get("change"):
        case "price":
            body = {"product": product, "price_rupiah": typed.rupiah(sent.get("price", ""))}
            return (*place, "prices"), body | _valid_from(sent, zone)
        case "product":
            return (*place, "products"), {"product": product, "price_rupiah": typed.rupiah(sent.get("price", ""))}
        case "name":
            return (*place, "name"), {"name": sent.get("name", "").strip()}
        case "till":
            return (*place, "tills"), {"till": till.upper()}
        case "strike":
            return (*place, "tills", till, "strike"), {"reason": reason} | _device(sent)
        case "loss":
            qty = typed.whole(sent.get("qty", ""))
            return ("losses",), {
                "lot": sent.get("lot", ""),
                "place": "booth",
                "booth": booth,
                "qty": qty,
                "reason": reason,
            }
        case "merge":
            return (*place, "merge"), {"to": sent.get("to", "")}
        case "close":
            return (*place, "close"), {"till_hours": typed.whole(sent.get("till_hours", ""))}
        case "reopen":
            return (*place, "reopen"), {"reason": reason}
    raise WrongEntry(Message("This form is not known here."))


def _valid_from(sent: Mapping[str, str], zone: ZoneInfo) -> dict[str, str]:
    """The moment of a new price, as it was typed in the festival's zone. Raises WrongEntry."""
    if not (text := sent.get("valid_from", "").strip()):
        return {}
    try:
        moment = datetime.fromisoformat(text)
        # Whoever names a zone means that one.
        in_zone = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return {"valid_from": in_zone.astimezone(UTC).isoformat()}
    except (ValueError, OverflowError):
        raise WrongEntry(Message("Type day and time, e.g. 2026-04-18 14:30.")) from None


def _device(sent: Mapping[str, str]) -> dict[str, Any]:
    """The device of a till's name that is lost, and its branch; without them every device of that name."""
    device, branch = sent.get("device", "").strip(), sent.get("branch", "").strip()
    return ({"device": device} if device else {}) | ({"branch": typed.whole(branch)} if branch else {})


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
    limits = [
        {"category": name.removeprefix(LIMIT), "qty": typed.whole(value)}
        for name, value in sent.items()
        if name.startswith(LIMIT) and value.strip()
    ]
    return {
        "booth": f"{festival}.{short}",
        "name": sent.get("name", "").strip() or short,
        "prices": prices,
        "tills": sent.get("tills", "").replace(",", " ").upper().split(),
        "capacity": typed.whole(capacity) if capacity else None,
        **({"limits": limits} if limits else {}),
    }
