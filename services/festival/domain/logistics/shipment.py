"""A shipment: from one facility to one booth, on its way once every piece has left, counted when it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.festival.domain import booth as booths
from services.festival.domain.allocation.bounds import misses
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.request import Request, lose, moved, request_id, withdraw_revision
from services.festival.domain.allocation.revision import rest
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.command import Carried, Wrong
from services.festival.domain.festival import Festival, misnamed
from shared.events import names
from shared.events.festival import (
    FESTIVAL,
    CommandRefusal,
    CountedLot,
    Discrepancy,
    ReceiveShipment,
    SendShipment,
    ShipmentDropped,
    ShipmentOverdue,
    ShipmentReceived,
    ShipmentSent,
)
from shared.events.inventory import STOCK_ORDERS, DispatchOrdered
from shared.events.language import Deadline, Publication
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State

ARRIVE = "arrive/"


class ShipmentStatus(StrEnum):
    """`SENDING`: inventory has not answered every dispatch yet. `DROPPED`: nothing could leave."""

    SENDING = "sending"
    SENT = "sent"
    DROPPED = "dropped"
    RECEIVED = "received"


class Leg(StrEnum):
    """What became of one dispatch."""

    ORDERED = "ordered"
    LEFT = "left"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Parcel:
    """`qty` pieces of a lot under one reservation."""

    reservation: str
    lot: str
    qty: int
    leg: Leg = Leg.ORDERED


@dataclass(frozen=True, slots=True)
class Shipment:
    """`request` is the request's whole id; `counted` what the booth counted, in pieces by lot. It is expected by
    `due`, and `overdue` if it was not received by then."""

    id: str
    festival: str
    name: str
    request: str
    facility: str
    booth: str
    parcels: tuple[Parcel, ...]
    status: ShipmentStatus = ShipmentStatus.SENDING
    counted: tuple[tuple[str, int], ...] = ()
    due: datetime | None = None
    overdue: bool = False

    @property
    def request_name(self) -> str:
        """The request's name in its festival."""
        return self.request.removeprefix(f"{self.festival}/")

    @property
    def lots(self) -> dict[str, int]:
        """Pieces that left, by lot."""
        lots: dict[str, int] = {}
        for parcel in self.parcels:
            if parcel.leg is Leg.LEFT:
                lots[parcel.lot] = lots.get(parcel.lot, 0) + parcel.qty
        return dict(sorted(lots.items()))


def shipments_at(festival: str) -> OwnedQuery[Shipment]:
    """All shipments of the festival."""
    return OwnedQuery(Shipment, "festival", festival)


def shipments_of(request: str) -> OwnedQuery[Shipment]:
    """All shipments of the request of this id."""
    return OwnedQuery(Shipment, "request", request)


def shipment_id(festival: str, name: str) -> str:
    return f"{festival}/{name}"


def send(state: State, festival: Festival, order: SendShipment, at: datetime) -> Carried:
    """Everything held of one facility for one booth under one request is to leave."""
    if (wrong := misnamed("shipment", names.SHIPMENT, order.shipment)) is not None:
        return wrong
    if state.get(Shipment, shipment_id(festival.id, order.shipment)) is not None:
        return Wrong("shipment", CommandRefusal.ALREADY_EXISTS, f"There is a shipment {order.shipment} already.")
    request = state.get(Request, request_id(festival.id, order.request))
    if request is None:
        return Wrong("request", CommandRefusal.UNKNOWN_REQUEST, f"{festival.name} has no request {order.request}.")
    booth = state.get(Booth, order.booth)
    if booth is None or booth.festival != festival.id:
        return Wrong("booth", CommandRefusal.UNKNOWN_BOOTH, f"{festival.name} has no booth {order.booth}.")
    if booth.status is not BoothStatus.OPEN:
        return Wrong("booth", CommandRefusal.WRONG_STATE, f"Booth {booth.id} takes no more stock: it is closing.")
    lines = [
        line
        for line in request.lines
        if (line.facility, line.booth, line.status) == (order.facility, booth.id, LineStatus.RESERVED)
    ]
    if not lines:
        message = f"Nothing of {order.facility} is reserved for {booth.id} under {order.request} and not yet sent."
        return Wrong("facility", CommandRefusal.NOTHING_TO_SEND, message)
    if misses(festival, order.facility, at):
        message = (
            f"What leaves {order.facility} now comes after the last day, {festival.last_day}, and can't be sold. "
            f"Revise {request.name} without {order.facility}, so that it goes back."
        )
        return Wrong("facility", CommandRefusal.WRONG_DAYS, message)
    waiting = request.waiting
    if waiting is not None and {line.reservation for line in lines} & {one.reservation for one in waiting.back}:
        # It counts on these going back.
        request = withdraw_revision(request)
    for line in lines:
        request = moved(request, line, LineStatus.DISPATCHING)
    shipment = Shipment(
        id=shipment_id(festival.id, order.shipment),
        festival=festival.id,
        name=order.shipment,
        request=request.id,
        facility=order.facility,
        booth=booth.id,
        parcels=tuple(Parcel(line.reservation, line.lot, line.qty) for line in lines),
    )
    return state.put(request, shipment), [
        STOCK_ORDERS.of(
            DispatchOrdered(lot=line.lot, reservation=line.reservation, festival=festival.id, shipment=order.shipment)
        )
        for line in lines
    ]


def receive(state: State, festival: Festival, count: ReceiveShipment) -> Carried:
    """The booth counted what came: stock it, and say what differs from what was sent."""
    shipment = state.get(Shipment, shipment_id(festival.id, count.shipment))
    if shipment is None:
        return Wrong(
            "shipment", CommandRefusal.UNKNOWN_SHIPMENT, f"{festival.name} has no shipment {count.shipment}."
        )
    if shipment.booth != count.booth:
        message = f"Shipment {shipment.name} goes to booth {shipment.booth}, not to {count.booth}."
        return Wrong("booth", CommandRefusal.UNKNOWN_SHIPMENT, message)
    if shipment.status is not ShipmentStatus.SENT:
        return Wrong("shipment", CommandRefusal.WRONG_STATE, _NOT_SENT[shipment.status].format(shipment.name))
    if (twice := counted_twice("counted", count.counted)) is not None:
        return twice
    booth = state.get(Booth, shipment.booth)
    assert booth is not None, "a shipment goes to a booth that was opened"
    received, stocked, said = _received(shipment, count.counted)
    booth, told = booths.stock(booth, shipment.lots, stocked)
    request = state.get(Request, shipment.request)
    assert request is not None, "a shipment is of a request"
    short, revised = rest(_less(request, shipment, stocked))
    state = state.put(received, booth)
    return (state if short == request else state.put(short)), [said, *told, *revised]


def _less(request: Request, shipment: Shipment, stocked: Mapping[str, int]) -> Request:
    """The request less what was lost on the way, of each lot its first parcels."""
    lost = {lot: qty - stocked[lot] for lot, qty in shipment.lots.items()}
    for parcel in shipment.parcels:
        of = min(parcel.qty, lost.get(parcel.lot, 0)) if parcel.leg is Leg.LEFT else 0
        if of:
            request = lose(request, parcel.reservation, of)
            lost[parcel.lot] -= of
    return request


_NOT_SENT = {
    ShipmentStatus.SENDING: "Not all pieces of shipment {} have left yet; try again when it is sent.",
    ShipmentStatus.DROPPED: "Shipment {} was dropped: nothing of it could leave.",
    ShipmentStatus.RECEIVED: "Shipment {} was received already.",
}


def answered(
    shipment: Shipment, reservation: str, leg: Leg, festival: Festival, at: datetime
) -> tuple[Shipment, list[Publication | Deadline]]:
    """One dispatch was carried out or refused. After the last one the shipment is sent, or dropped. One that is sent
    is expected within its lead time and a day: who has none is near."""
    parcels = tuple(
        replace(parcel, leg=leg) if parcel.reservation == reservation and parcel.leg is Leg.ORDERED else parcel
        for parcel in shipment.parcels
    )
    shipment = replace(shipment, parcels=parcels)
    if shipment.status is not ShipmentStatus.SENDING or any(parcel.leg is Leg.ORDERED for parcel in parcels):
        return shipment, []
    if not shipment.lots:
        dropped = ShipmentDropped(
            festival=shipment.festival,
            request=shipment.request_name,
            shipment=shipment.name,
            facility=shipment.facility,
            booth=shipment.booth,
        )
        return replace(shipment, status=ShipmentStatus.DROPPED), [FESTIVAL.of(dropped)]
    sent = ShipmentSent(
        festival=shipment.festival,
        request=shipment.request_name,
        shipment=shipment.name,
        facility=shipment.facility,
        booth=shipment.booth,
        lots=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in shipment.lots.items()),
    )
    due = at + timedelta(days=1 + dict(festival.lead_days).get(shipment.facility, 0))
    deadline = Deadline(ARRIVE + shipment.id, shipment.festival, due)
    return replace(shipment, status=ShipmentStatus.SENT, due=due), [FESTIVAL.of(sent), deadline]


def late(state: State, id: str) -> Decision:
    """Its time has come, and it has not. It stays on its way: no clock can tell that the pieces are lost."""
    shipment = state.get(Shipment, id)
    if shipment is None or shipment.status is not ShipmentStatus.SENT or shipment.due is None:
        return state, []
    said = ShipmentOverdue(
        festival=shipment.festival,
        request=shipment.request_name,
        shipment=shipment.name,
        facility=shipment.facility,
        booth=shipment.booth,
        due=shipment.due,
    )
    return state.put(replace(shipment, overdue=True)), [FESTIVAL.of(said)]


def counted_twice(field: str, counted: Sequence[CountedLot]) -> Wrong | None:
    """Why this count can't be taken, if a lot has two numbers in it."""
    if len({one.lot for one in counted}) == len(counted):
        return None
    return Wrong(field, CommandRefusal.NAMED_TWICE, "A lot is counted twice; give one number for each lot.")


def counted_in(
    sent: Mapping[str, int], counted: Sequence[CountedLot]
) -> tuple[dict[str, int], tuple[Discrepancy, ...]]:
    """The pieces by lot that are stocked, never more than were sent, and where the count differs. A lot that was not
    counted counts as 0."""
    count = {one.lot: one.qty for one in counted}
    stocked = {lot: min(qty, count.get(lot, 0)) for lot, qty in sent.items()}
    return stocked, tuple(
        Discrepancy(lot=lot, sent=sent.get(lot, 0), counted=count.get(lot, 0))
        for lot in sorted(sent.keys() | count.keys())
        if sent.get(lot, 0) != count.get(lot, 0)
    )


def _received(shipment: Shipment, counted: Sequence[CountedLot]) -> tuple[Shipment, dict[str, int], Publication]:
    """The shipment as received, the pieces by lot that are stocked, and what is said."""
    stocked, discrepancies = counted_in(shipment.lots, counted)
    said = ShipmentReceived(
        festival=shipment.festival,
        shipment=shipment.name,
        booth=shipment.booth,
        lots=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in stocked.items()),
        discrepancies=discrepancies,
    )
    count = tuple(sorted((one.lot, one.qty) for one in counted))
    return replace(shipment, status=ShipmentStatus.RECEIVED, counted=count), stocked, FESTIVAL.of(said)
