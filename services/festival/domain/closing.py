"""The end of a festival, or of one booth: cancelled before anything was sent, or closed after the last sale."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.festival.domain import booth as booths
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.request import Request, lapse, requests_at
from services.festival.domain.allocation.revision import without_booth
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import Carried, Wrong, names
from services.festival.domain.festival import Festival, FestivalStatus, account, booths_of, not_open, open_booth_of
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus, shipments_at
from services.festival.domain.logistics.transfer import Transfer, TransferStatus, transfers_at
from shared.events.festival import (
    FESTIVAL,
    CancelFestival,
    CloseBooth,
    CloseFestival,
    CommandRefusal,
    FestivalCancelled,
    Withdrawal,
)
from shared.events.language import Deadline, Publication
from shared.runtime.state import State

MAX_TILL_HOURS = 30 * 24
_SENT = (LineStatus.DISPATCHING, LineStatus.DISPATCHED)
_ON_THE_WAY = (ShipmentStatus.SENDING, ShipmentStatus.SENT)


def cancel(state: State, festival: Festival, body: CancelFestival) -> Carried:
    """All that is reserved goes back. Not once something was sent: that must be received, and sold or returned."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    sent = [request.name for request in state.find(requests_at(festival.id)) if _anything_sent(request)]
    if sent:
        message = f"Stock was sent under {names(sent)}; close the festival instead, so that it comes home."
        return Wrong("festival", CommandRefusal.WRONG_STATE, message)
    said: list[Publication | Deadline] = [FESTIVAL.of(FestivalCancelled(festival=festival.id, reason=body.reason))]
    state, released = _lapse_all(state.put(replace(festival, status=FestivalStatus.CANCELLED)), festival)
    return state, said + released


def close_booth(state: State, festival: Festival, body: CloseBooth, at: datetime) -> Carried:
    """One booth closes early: what is planned or reserved for it goes back, its tills have until the deadline."""
    booth = open_booth_of(state, festival, body.booth)
    if isinstance(booth, Wrong):
        return booth
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    coming = [one.name for one in _shipments(state, festival) if one.booth == booth.id and one.status in _ON_THE_WAY]
    coming += [f"transfer {one.name}" for one in _between(state, festival) if one.to == booth.id]
    if coming:
        return Wrong("booth", CommandRefusal.WRONG_STATE, _receive_first(coming))
    booth, told = booths.close(booth, at + timedelta(hours=body.till_hours))
    state = state.put(booth)
    said: list[Publication | Deadline] = [told]
    for request in state.find(requests_at(festival.id)):
        closed, freed = without_booth(request, booth.id)
        if closed != request:
            state = state.put(closed)
            said += freed
    return state, said


def close(state: State, festival: Festival, body: CloseFestival, at: datetime) -> Carried:
    """Nothing more comes; what is reserved goes back; every booth's tills have until the deadline."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    on_the_way = [shipment.name for shipment in _shipments(state, festival) if shipment.status in _ON_THE_WAY]
    on_the_way += [f"transfer {one.name}" for one in _between(state, festival)]
    if on_the_way:
        return Wrong("festival", CommandRefusal.WRONG_STATE, _receive_first(on_the_way))
    closing = replace(festival, status=FestivalStatus.CLOSING)
    state, said = _lapse_all(state.put(closing), festival)
    for booth in booths_of(state, festival.id):
        if booth.status is not BoothStatus.OPEN:
            continue  # closed before, with a deadline of its own
        booth, told = booths.close(booth, at + timedelta(hours=body.till_hours))
        state = state.put(booth)
        said.append(told)
    state, sums = account(state, closing)
    return state, said + sums


def _receive_first(shipments: list[str]) -> str:
    return f"On its way and not received yet: {names(shipments)}. Receive it first, with 0 for what is lost."


def _till_hours() -> Wrong:
    return Wrong("till_hours", CommandRefusal.OUT_OF_RANGE, f"Tills can have from 0 to {MAX_TILL_HOURS} hours.")


def _lapse_all(state: State, festival: Festival) -> tuple[State, list[Publication | Deadline]]:
    said: list[Publication | Deadline] = []
    for request in state.find(requests_at(festival.id)):
        lapsed, told = lapse(request, Withdrawal.FESTIVAL_ENDED)
        state = state.put(lapsed)
        said += told
    return state, said


def _anything_sent(request: Request) -> bool:
    return any(line.status in _SENT for line in request.lines)


def _shipments(state: State, festival: Festival) -> list[Shipment]:
    return state.find(shipments_at(festival.id))


def _between(state: State, festival: Festival) -> list[Transfer]:
    """Transfers that nobody has counted in yet."""
    return [one for one in state.find(transfers_at(festival.id)) if one.status is TransferStatus.SENT]
