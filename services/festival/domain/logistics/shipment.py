"""Shipments from a facility to a booth: on the way once every piece has left, counted on arrival."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.festival.domain import booth as booths
from services.festival.domain.allocation import pages
from services.festival.domain.allocation.bounds import misses_last_day
from services.festival.domain.allocation.request import (
    Request,
    record_loss,
    request_id,
    with_status,
)
from services.festival.domain.allocation.revision import on_rest, outdate_revision
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import Festival, check_names
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.counts import check_arrival, compare_counts, counted_lots, wrong_booth
from shared.events import names
from shared.events.festival import (
    FESTIVAL,
    CommandRefusal,
    CountedLot,
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
from shared.wording import Message

ARRIVAL_DEADLINE = "arrive/"


class ShipmentStatus(StrEnum):
    """`SENDING`: inventory has not answered every dispatch yet. `DROPPED`: no piece could leave."""

    SENDING = "sending"
    SENT = "sent"
    DROPPED = "dropped"
    RECEIVED = "received"


class DispatchStatus(StrEnum):
    """The outcome of one dispatch."""

    ORDERED = "ordered"
    LEFT = "left"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Parcel:
    """`qty` pieces of a lot under one reservation."""

    reservation: str
    lot: str
    qty: int
    leg: DispatchStatus = DispatchStatus.ORDERED


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment, expected by `due` and `overdue` if it was not received by then.

    In pieces by lot: `counted` as the booth counted last, `stocked` of it at the booth. The first count stocks no
    more than was sent. `request`: the request's whole id. `recounts`: how often it was counted again.
    """

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
    stocked: tuple[tuple[str, int], ...] = ()
    recounts: int = 0

    @property
    def request_name(self) -> str:
        """The request's name in its festival."""
        return self.request.removeprefix(f"{self.festival}/")

    @property
    def lots(self) -> dict[str, int]:
        """Pieces that left, by lot."""
        lots: dict[str, int] = {}
        for parcel in self.parcels:
            if parcel.leg is DispatchStatus.LEFT:
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


def send(state: State, festival: Festival, order: SendShipment, at: datetime) -> CommandResult:
    """The shipment of all lines reserved at one facility for one booth under a request, and the dispatch orders."""
    if (rejection := check_names("shipment", names.SHIPMENT, order.shipment)) is not None:
        return rejection
    if state.get(Shipment, shipment_id(festival.id, order.shipment)) is not None:
        return Rejection(
            "shipment",
            CommandRefusal.ALREADY_EXISTS,
            Message("There is a shipment {shipment} already.", shipment=order.shipment),
        )
    request = state.get(Request, request_id(festival.id, order.request))
    if request is None:
        return Rejection(
            "request",
            CommandRefusal.UNKNOWN_REQUEST,
            Message("{festival} has no request {request}.", festival=festival.name, request=order.request),
        )
    booth = state.get(Booth, order.booth)
    if booth is None or booth.festival != festival.id:
        return Rejection(
            "booth",
            CommandRefusal.UNKNOWN_BOOTH,
            Message("{festival} has no booth {booth}.", festival=festival.name, booth=order.booth),
        )
    if booth.status is not BoothStatus.OPEN:
        return Rejection(
            "booth",
            CommandRefusal.WRONG_STATE,
            Message("Booth {booth} takes no more stock: it is closing.", booth=booth.id),
        )
    request = pages.found_by(state, request, pages.coming_to(booth.id))
    lines = [
        line
        for line in request.lines.loaded
        if (line.facility, line.booth, line.status) == (order.facility, booth.id, LineStatus.RESERVED)
    ]
    if not lines:
        message = Message(
            "Nothing of {facility} is reserved for {booth} under {request} and not yet sent.",
            facility=order.facility,
            booth=booth.id,
            request=order.request,
        )
        return Rejection("facility", CommandRefusal.NOTHING_TO_SEND, message)
    if misses_last_day(festival, order.facility, at):
        message = Message(
            "What leaves {facility} now comes after the last day, {last_day}, and can't be sold. "
            "Revise {request} without {facility}, so that it goes back.",
            facility=order.facility,
            last_day=str(festival.last_day),
            request=request.name,
        )
        return Rejection("facility", CommandRefusal.WRONG_DAYS, message)
    publications: list[Publication | Deadline] = []
    if order.facility in (request.waiting or ()):
        # The revision expects these lines to go back.
        request, publications = outdate_revision(request)
    for line in lines:
        request = with_status(request, line, LineStatus.DISPATCHING)
    shipment = Shipment(
        id=shipment_id(festival.id, order.shipment),
        festival=festival.id,
        name=order.shipment,
        request=request.id,
        facility=order.facility,
        booth=booth.id,
        parcels=tuple(Parcel(line.reservation, line.lot, line.qty) for line in lines),
    )
    return pages.put(state.put(shipment), request), publications + [
        STOCK_ORDERS.of(
            DispatchOrdered(lot=line.lot, reservation=line.reservation, festival=festival.id, shipment=order.shipment)
        )
        for line in lines
    ]


def receive(state: State, festival: Festival, count: ReceiveShipment) -> CommandResult:
    """The booth after it counted and stocked a shipment, and the events. They name the discrepancies."""
    shipment = state.get(Shipment, shipment_id(festival.id, count.shipment))
    if shipment is None:
        return Rejection(
            "shipment",
            CommandRefusal.UNKNOWN_SHIPMENT,
            Message("{festival} has no shipment {shipment}.", festival=festival.name, shipment=count.shipment),
        )
    if shipment.booth != count.booth:
        return wrong_booth(shipment.name, shipment.booth, count.booth, CommandRefusal.UNKNOWN_SHIPMENT)
    if shipment.status is not ShipmentStatus.SENT:
        return Rejection("shipment", CommandRefusal.WRONG_STATE, _not_sent(shipment))
    rejection = check_arrival(shipment.name, shipment.lots, count.counted, lose_unnamed=count.lose_unnamed)
    if rejection is not None:
        return rejection
    booth = state.get(Booth, shipment.booth)
    assert booth is not None, "a shipment goes to a booth that was opened"
    received, stocked, receipt = _receive(shipment, count.counted)
    booth, booth_events = booths.receive_lots(booth, shipment.lots, stocked)
    request = state.get(Request, shipment.request)
    assert request is not None, "a shipment is of a request"
    request = pages.found_by(state, request, pages.pages_at(booth.id))
    request, revised = on_rest(with_losses(request, shipment, received))
    return pages.put(state.put(received, booth), request), [receipt, *booth_events, *revised]


def with_losses(request: Request, before: Shipment, after: Shipment) -> Request:
    """The request whose lines bear the losses of the shipment `after` in place of those of `before`.

    Of each lot the first parcels bear the loss.
    """
    borne = _losses(before)
    for reservation, lost in _losses(after).items():
        if lost != borne[reservation]:
            request = record_loss(request, reservation, lost - borne[reservation])
    return request


def _losses(shipment: Shipment) -> dict[str, int]:
    """Pieces lost on the way, by reservation."""
    stocked = dict(shipment.stocked)
    received = shipment.status is ShipmentStatus.RECEIVED
    lost = {lot: max(0, qty - stocked.get(lot, 0)) if received else 0 for lot, qty in shipment.lots.items()}
    losses: dict[str, int] = {}
    for parcel in shipment.parcels:
        borne = min(parcel.qty, lost[parcel.lot]) if parcel.leg is DispatchStatus.LEFT else 0
        losses[parcel.reservation] = borne
        lost[parcel.lot] = lost.get(parcel.lot, 0) - borne
    return losses


def _not_sent(shipment: Shipment) -> Message:
    match shipment.status:
        case ShipmentStatus.SENDING:
            return Message(
                "Not all pieces of shipment {shipment} have left yet; try again when it is sent.",
                shipment=shipment.name,
            )
        case ShipmentStatus.DROPPED:
            return Message("Shipment {shipment} was dropped: nothing of it could leave.", shipment=shipment.name)
        case _:
            return Message("Shipment {shipment} was received already.", shipment=shipment.name)


def record_dispatch(
    shipment: Shipment, reservation: str, leg: DispatchStatus, festival: Festival, at: datetime
) -> tuple[Shipment, list[Publication | Deadline]]:
    """The shipment after inventory's answer to one dispatch, and the events.

    After the last answer the shipment is sent, or dropped. It is expected within the facility's lead time (0 if none
    is known) and a day.
    """
    parcels = tuple(
        replace(parcel, leg=leg)
        if parcel.reservation == reservation and parcel.leg is DispatchStatus.ORDERED
        else parcel
        for parcel in shipment.parcels
    )
    shipment = replace(shipment, parcels=parcels)
    if shipment.status is not ShipmentStatus.SENDING or any(
        parcel.leg is DispatchStatus.ORDERED for parcel in parcels
    ):
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
    event_body = ShipmentSent(
        festival=shipment.festival,
        request=shipment.request_name,
        shipment=shipment.name,
        facility=shipment.facility,
        booth=shipment.booth,
        lots=counted_lots(shipment.lots.items()),
    )
    due = at + timedelta(days=1 + festival.parcel_days.get(shipment.facility, 0))
    deadline = Deadline(ARRIVAL_DEADLINE + shipment.id, shipment.festival, due)
    return replace(shipment, status=ShipmentStatus.SENT, due=due), [FESTIVAL.of(event_body), deadline]


def mark_overdue(state: State, id: str) -> Decision:
    """The shipment as overdue, and the event. It stays on its way: no clock can tell that pieces are lost."""
    shipment = state.get(Shipment, id)
    if shipment is None or shipment.status is not ShipmentStatus.SENT or shipment.due is None:
        return state, []
    overdue = ShipmentOverdue(
        festival=shipment.festival,
        request=shipment.request_name,
        shipment=shipment.name,
        facility=shipment.facility,
        booth=shipment.booth,
        due=shipment.due,
    )
    return state.put(replace(shipment, overdue=True)), [FESTIVAL.of(overdue)]


def _receive(shipment: Shipment, counted: Sequence[CountedLot]) -> tuple[Shipment, dict[str, int], Publication]:
    """The shipment as received, the pieces by lot that are stocked, and the event."""
    stocked, differences = compare_counts(shipment.lots, counted)
    receipt = ShipmentReceived(
        festival=shipment.festival,
        shipment=shipment.name,
        booth=shipment.booth,
        lots=counted_lots(stocked.items()),
        discrepancies=differences,
    )
    new_shipment = replace(
        shipment,
        status=ShipmentStatus.RECEIVED,
        counted=tuple(sorted((entry.lot, entry.qty) for entry in counted)),
        stocked=tuple(sorted(stocked.items())),
    )
    return new_shipment, stocked, FESTIVAL.of(receipt)
