"""Parcels: send what is reserved, count in what comes, and the papers that go with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from services.portal.api.festival.desk import REFUSED, Desk, seen
from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.forms import CHANGED, Form, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import ShipmentRow
from services.portal.domain.papers import ParcelPaper, packing_lists_of, paper_of
from services.portal.domain.parcels import Ready, next_name, ready
from services.portal.domain.steps import SENT
from shared.wording import Message

COLUMNS: Mapping[str, Callable[[ShipmentRow], str]] = {
    "status": lambda row: row.status,
    "facility": lambda row: row.facility,
    "booth": lambda row: row.booth,
}
READY_COLUMNS: Mapping[str, Callable[[Ready], str]] = {
    "request": lambda row: row.request,
    "facility": lambda row: row.facility,
    "booth": lambda row: row.booth,
}
# A command's place, and its body.
Command = tuple[tuple[str, ...], Mapping[str, Any]]


def routes(desk: Desk) -> APIRouter:
    """The router of parcels."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        rows = await desk.organiser.shipments(person, festival)
        # Those on their way wait for somebody.
        shipments = sorted(rows, key=lambda row: row.status != SENT)
        shown, filters = narrowed(shipments, request.query_params, COLUMNS)
        can_be_sent = ready(await desk.organiser.plans(person, festival))
        shown_ready, ready_filters = narrowed(can_be_sent, request.query_params, READY_COLUMNS)
        return await desk.show(
            request,
            "parcels.html",
            person,
            festival,
            status,
            ready=can_be_sent,
            shown_ready=shown_ready,
            ready_filters=ready_filters,
            shipments=shipments,
            shown=shown,
            filters=filters,
            proposed=next_name("S", [row.shipment for row in shipments]),
            problem=problem,
        )

    async def parcel_page(
        request: Request,
        person: Person,
        festival: str,
        shipment: str,
        status: int = 200,
        sent: Form | None = None,
        counted: Mapping[str, int] | None = None,
        problem: Message | None = None,
    ) -> Response:
        # Asked for anew: of several commands the first may be done, though a later one was refused.
        row = await desk.organiser.shipment(person, festival, shipment)
        arrival, on_the_way = _arrival(festival, row), row.status == SENT
        return await show_arrival(
            desk, request, person, arrival, status, sent, counted, problem, is_on_the_way=on_the_way, shipment=row
        )

    @router.get("/festivals/{festival}/parcels", dependencies=[declared(*COLUMNS, "request")])
    async def parcels(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/parcels")
    async def send(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        body = {name: sent.get(name, "") for name in ("request", "facility", "booth")}
        body["shipment"] = sent.get("shipment", "").strip().upper()
        there = ready(await desk.organiser.plans(person, festival))
        place = tuple(body[name] for name in ("request", "facility", "booth"))
        same = [row for row in there if (row.request, row.facility, row.booth) == place]
        # All that is reserved is sent, and less may be packed. Where nothing is, the form may have been sent twice.
        if any(row.mark not in seen(sent) for row in same):
            return await again(REFUSED, CHANGED)
        command = ("festivals", festival, "shipments")
        return await desk.give(person, sent, *command, body=body, then=f"/festivals/{festival}/parcels", again=again)

    @router.post("/festivals/{festival}/parcels/all")
    async def handle_all(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        shipments = await desk.organiser.shipments(person, festival)
        if sent.get("do") == "receive":
            coming = [row for row in shipments if row.status == SENT]
            shown_coming = [row for row in coming if row.shipment in seen(sent)]
            is_changed, commands = bool(coming) and not shown_coming, _all_received(festival, shown_coming)
        else:
            there = ready(await desk.organiser.plans(person, festival))
            shown_ready = [row for row in there if row.mark in seen(sent)]
            names = [row.shipment for row in shipments]
            is_changed, commands = bool(there) and not shown_ready, _all_sent(festival, shown_ready, names)
        if is_changed:
            return await again(REFUSED, CHANGED)
        return await desk.give_all(person, sent, commands, f"/festivals/{festival}/parcels", again)

    @router.get("/festivals/{festival}/parcels/packing-lists")
    async def packing_lists(request: Request, person: Visited, festival: str) -> Response:
        plans = await desk.organiser.plans(person, festival)
        return await papers(request, person, festival, packing_lists_of(plans), is_receiving=False)

    @router.get("/festivals/{festival}/parcels/{shipment}/paper")
    async def paper(request: Request, person: Visited, festival: str, shipment: str, kind: str = "") -> Response:
        row = await desk.organiser.shipment(person, festival, shipment)
        return await papers(request, person, festival, [paper_of(row)], is_receiving=kind == "receiving")

    async def papers(
        request: Request, person: Person, festival: str, papers: Sequence[ParcelPaper], *, is_receiving: bool
    ) -> Response:
        booths = await desk.organiser.booths(person, festival)
        products = await desk.organiser.products(person)
        return await desk.show(
            request,
            "papers.html",
            person,
            festival,
            papers=papers,
            is_receiving=is_receiving,
            booths={booth.booth: booth.name for booth in booths},
            product_names={product.code: product.name for product in products},
            lot_products={lot.lot: lot.product for booth in booths for lot in booth.lots},
        )

    @router.get("/festivals/{festival}/parcels/{shipment}")
    async def parcel(request: Request, person: Visited, festival: str, shipment: str) -> Response:
        return await parcel_page(request, person, festival, shipment)

    @router.post("/festivals/{festival}/parcels/{shipment}")
    async def receive(request: Request, person: Visited, festival: str, shipment: str, sent: Sent) -> Response:
        arrival = _arrival(festival, await desk.organiser.shipment(person, festival, shipment))
        shown = partial(parcel_page, request, person, festival, shipment)
        return await receive_by_form(desk, person, sent, arrival, shown)

    @router.post("/festivals/{festival}/parcels/{shipment}/recount")
    async def recount(request: Request, person: Visited, festival: str, shipment: str, sent: Sent) -> Response:
        arrival = _arrival(festival, await desk.organiser.shipment(person, festival, shipment))
        shown = partial(parcel_page, request, person, festival, shipment)
        return await recount_by_form(desk, person, sent, arrival, shown)

    return router


def _arrival(festival: str, row: ShipmentRow) -> BoothArrival:
    return BoothArrival(festival, "parcels", row.shipment, row.lots, row.booth)


def _all_sent(festival: str, ready: Iterable[Ready], used: Sequence[str]) -> Iterator[Command]:
    """A shipment for each facility and booth of a request, under names that are not used yet."""
    names = list(used)
    for row in ready:
        names.append(name := next_name("S", names))
        body = {"request": row.request, "shipment": name, "facility": row.facility, "booth": row.booth}
        yield ("festivals", festival, "shipments"), body


def _all_received(festival: str, shipments: Iterable[ShipmentRow]) -> Iterator[Command]:
    """These parcels, counted as they were sent."""
    for row in shipments:
        counted = rows_of({lot.lot: lot.sent for lot in row.lots})
        yield (
            ("festivals", festival, "shipments", row.shipment, "receive"),
            {"booth": row.booth, "counted": counted},
        )
