"""Parcels: send what is reserved, and count in what comes."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.counting import counted_lots, recounted_lots, rows_of
from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.forms import Form, Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import ShipmentRow
from services.portal.domain.parcels import compare, next_name, ready
from shared.errors import WrongEntry
from shared.wording import Message


def routes(desk: Desk) -> APIRouter:
    """The router of parcels."""
    router = APIRouter()

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        shipments = await desk.organiser.shipments(person, festival)
        return await desk.show(
            request,
            "parcels.html",
            person,
            festival,
            status,
            ready=ready(await desk.organiser.plans(person, festival)),
            shipments=shipments,
            proposed=next_name("S", [row.shipment for row in shipments]),
            problem=problem,
        )

    async def parcel_page(
        request: Request,
        person: Person,
        festival: str,
        shipment: ShipmentRow,
        status: int = 200,
        sent: Form | None = None,
        counted: Mapping[str, int] | None = None,
        problem: Message | None = None,
    ) -> Response:
        return await desk.show(
            request,
            "parcel.html",
            person,
            festival,
            status,
            shipment=shipment,
            sent=sent or {},
            compared=compare(shipment.lots, counted) if counted is not None else None,
            problem=problem,
        )

    @router.get("/festivals/{festival}/parcels")
    async def parcels(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/parcels")
    async def send(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        body = {name: sent.get(name, "") for name in ("request", "shipment", "facility", "booth")}
        place = ("festivals", festival, "shipments")
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/parcels", again=again)

    @router.get("/festivals/{festival}/parcels/{shipment}")
    async def parcel(request: Request, person: Visited, festival: str, shipment: str) -> Response:
        row = await desk.organiser.shipment(person, festival, shipment)
        return await parcel_page(request, person, festival, row)

    @router.post("/festivals/{festival}/parcels/{shipment}")
    async def receive(request: Request, person: Visited, festival: str, shipment: str, sent: Sent) -> Response:
        row = await desk.organiser.shipment(person, festival, shipment)

        async def again(status: int, message: Message) -> Response:
            return await parcel_page(request, person, festival, row, status, sent, problem=message)

        try:
            counted = counted_lots(row.lots, sent)
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        if sent.get("confirmed") != "yes":
            return await parcel_page(request, person, festival, row, 200, sent, counted)
        body = {
            "booth": row.booth,
            "counted": rows_of(counted),
        }
        place = ("festivals", festival, "shipments", shipment, "receive")
        then = f"/festivals/{festival}/parcels/{shipment}"
        return await desk.give(person, sent, *place, body=body, then=then, again=again)

    @router.post("/festivals/{festival}/parcels/{shipment}/recount")
    async def recount(request: Request, person: Visited, festival: str, shipment: str, sent: Sent) -> Response:
        row = await desk.organiser.shipment(person, festival, shipment)

        async def again(status: int, message: Message) -> Response:
            return await parcel_page(request, person, festival, row, status, sent, problem=message)

        try:
            body = {"booth": row.booth, "counted": rows_of(recounted_lots(row.lots, sent))}
        except WrongEntry as wrong:
            return await refused_entry(again, wrong)
        place = ("festivals", festival, "shipments", shipment, "recount")
        then = f"/festivals/{festival}/parcels/{shipment}"
        return await desk.give(person, sent, *place, body=body, then=then, again=again)

    return router
