"""Refills while booths sell: a forecast, transfers between booths, and a request to facilities."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.filters import FILES
from services.portal.api.forms import Form, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import BoothRow
from services.portal.domain.parcels import next_name
from services.portal.domain.stock_answers import move_groups
from shared import typed
from shared.errors import WrongEntry
from shared.http.problems import PageRefused
from shared.wording import Message

# So many of the latest requests are looked at for refills.
LATEST = 8


def routes(desk: Desk) -> APIRouter:
    """The router of refills."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request,
        person: Person,
        festival: str,
        status: int = 200,
        sent: Form | None = None,
        problem: Message | None = None,
    ) -> Response:
        requests = await desk.organiser.requests(person, festival)
        booths = await desk.organiser.booths(person, festival)
        latest = reversed(requests[-LATEST:])
        found = await asyncio.gather(*(desk.organiser.refill(person, festival, row.request) for row in latest))
        return await desk.show(
            request,
            "refills.html",
            person,
            festival,
            status,
            refills=[refill for refill in found if refill is not None],
            products=_sold(booths),
            proposed=next_name("R", [row.request for row in requests]),
            sent=sent or {},
            problem=problem,
        )

    @router.get("/festivals/{festival}/refills")
    async def refills(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/refills")
    async def ask(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, sent, message)

        row = await desk.organiser.festival(person, festival)
        products = _sold(await desk.organiser.booths(person, festival))
        try:
            body = _asked(sent, products, ZoneInfo(row.zone), datetime.now(UTC))
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        then = f"/festivals/{festival}/refills/{body['request']}"
        return await desk.give(
            person, sent, "festivals", festival, "replenishments", body=body, then=then, again=again
        )

    @router.get("/festivals/{festival}/refills/{refill}")
    async def refill(request: Request, person: Visited, festival: str, refill: str) -> Response:
        found = await desk.organiser.refill(person, festival, refill)
        if found is None:
            raise PageRefused(404, Message("There is no such refill, or it is still being worked out."))
        transfers = await desk.organiser.transfers(person, festival)
        booths = await desk.organiser.sell_through(person, festival)
        return await desk.show(
            request,
            "refill.html",
            person,
            festival,
            refill=found,
            sold={(booth.booth, row.product): row.sold for booth in booths for row in booth.products},
            transfers=move_groups(found.transfers),
            proposed=next_name("T", [row.transfer for row in transfers]),
        )

    return router


def _sold(booths: Sequence[BoothRow]) -> list[str]:
    """The products that open booths sell."""
    return sorted({price.product for booth in booths if booth.status == "open" for price in booth.prices})


def _asked(sent: Mapping[str, str], products: Sequence[str], zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The body of Replenish. Raises WrongEntry."""
    until, opens = sent.get("until", "").strip(), sent.get("opens", "").strip()
    if not until:
        raise WrongEntry(Message("Type when the booths close."))
    match sent.get("products", ""):
        case "":
            chosen = list(products)
        case "between booths":
            chosen = []
        case product:
            chosen = [product]
    return {
        "request": sent.get("request", "").strip().upper(),
        "until": next_moment(typed.clock(until), zone, now).isoformat(),
        "opens": next_moment(typed.clock(opens), zone, now).isoformat() if opens else None,
        "products": chosen,
        "consent": sent.get("consent") == "yes",
    }


def next_moment(clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    """When it is next so late in the zone."""
    today = datetime.combine(now.astimezone(zone).date(), clock, zone)
    moment = today if today > now else today + timedelta(days=1)
    return moment.astimezone(UTC)
