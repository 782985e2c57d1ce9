"""The end of a festival: cancelled before anything was sent, or closed when the last sale was made."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.festival.domain import booth as booths
from services.festival.domain.command import Carried, Wrong, names
from services.festival.domain.festival import Festival, FestivalStatus, account, booths_of, not_open
from services.festival.domain.request import LineStatus, Request, lapse
from services.festival.domain.shipment import Shipment, ShipmentStatus
from shared.events.festival import (
    FESTIVAL,
    CancelFestival,
    CloseFestival,
    CommandRefusal,
    FestivalCancelled,
    Withdrawal,
)
from shared.events.language import Deadline, Publication
from shared.state import State

MAX_TILL_HOURS = 30 * 24
_SENT = (LineStatus.DISPATCHING, LineStatus.DISPATCHED)
_ON_THE_WAY = (ShipmentStatus.SENDING, ShipmentStatus.SENT)


def cancel(state: State, festival: Festival, body: CancelFestival) -> Carried:
    """All that is reserved goes back. Not once something was sent: that must be received, and sold or returned."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    sent = [request.name for request in _requests(state, festival) if _anything_sent(request)]
    if sent:
        message = f"Stock was sent under {names(sent)}; close the festival instead, so that it comes home."
        return Wrong("festival", CommandRefusal.WRONG_STATE, message)
    said: list[Publication | Deadline] = [FESTIVAL.of(FestivalCancelled(festival=festival.id, reason=body.reason))]
    state, released = _lapse_all(state.put(replace(festival, status=FestivalStatus.CANCELLED)), festival)
    return state, said + released


def close(state: State, festival: Festival, body: CloseFestival, at: datetime) -> Carried:
    """Nothing more comes; what is reserved goes back; every booth's tills have until the deadline."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        message = f"Tills can have from 0 to {MAX_TILL_HOURS} hours."
        return Wrong("till_hours", CommandRefusal.OUT_OF_RANGE, message)
    on_the_way = [shipment.name for shipment in _shipments(state, festival) if shipment.status in _ON_THE_WAY]
    if on_the_way:
        message = f"On its way and not received yet: {names(on_the_way)}. Receive it first, with 0 for what is lost."
        return Wrong("festival", CommandRefusal.WRONG_STATE, message)
    closing = replace(festival, status=FestivalStatus.CLOSING)
    state, said = _lapse_all(state.put(closing), festival)
    for booth in booths_of(state, festival.id):
        booth, told = booths.close(booth, at + timedelta(hours=body.till_hours))
        state = state.put(booth)
        said.append(told)
    state, sums = account(state, closing)
    return state, said + sums


def _lapse_all(state: State, festival: Festival) -> tuple[State, list[Publication | Deadline]]:
    said: list[Publication | Deadline] = []
    for request in _requests(state, festival):
        lapsed, told = lapse(request, Withdrawal.FESTIVAL_ENDED)
        state = state.put(lapsed)
        said += told
    return state, said


def _anything_sent(request: Request) -> bool:
    return any(line.status in _SENT for line in request.lines)


def _requests(state: State, festival: Festival) -> list[Request]:
    return [request for request in state.all(Request) if request.festival == festival.id]


def _shipments(state: State, festival: Festival) -> list[Shipment]:
    return [shipment for shipment in state.all(Shipment) if shipment.festival == festival.id]
