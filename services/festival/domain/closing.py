"""The end of a festival, or of one booth: cancelled before anything was sent, or closed after the last sale."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.festival.domain import booth as booths
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.request import Request, lapse, requests_of
from services.festival.domain.allocation.revision import without_booth
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandResult, Rejection, first_names
from services.festival.domain.festival import (
    Festival,
    FestivalStatus,
    booths_of,
    festival_not_open,
    find_open_booth,
    update_sums,
)
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus
from services.festival.domain.logistics.transfer import Transfer, TransferStatus
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


def cancel(state: State, festival: Festival, body: CancelFestival) -> CommandResult:
    """All that is reserved goes back. Not once something was sent: that must be received, and sold or returned."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    sent = [request.name for request in requests_of(state, festival.id) if _anything_sent(request)]
    if sent:
        message = f"Stock was sent under {first_names(sent)}; close the festival instead, so that it comes home."
        return Rejection("festival", CommandRefusal.WRONG_STATE, message)
    said: list[Publication | Deadline] = [FESTIVAL.of(FestivalCancelled(festival=festival.id, reason=body.reason))]
    state, released = _lapse_all(state.put(replace(festival, status=FestivalStatus.CANCELLED)), festival)
    return state, said + released


def close_booth(state: State, festival: Festival, body: CloseBooth, at: datetime) -> CommandResult:
    """One booth closes early: what is planned or reserved for it goes back, its tills have until the deadline."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    coming = [one.name for one in _shipments(state, festival) if one.booth == booth.id and one.status in _ON_THE_WAY]
    coming += [f"transfer {one.name}" for one in _transfers_on_the_way(state, festival) if one.to == booth.id]
    if coming:
        return Rejection("booth", CommandRefusal.WRONG_STATE, _receive_first(coming))
    booth, told = booths.close(booth, at + timedelta(hours=body.till_hours))
    state = state.put(booth)
    said: list[Publication | Deadline] = [told]
    for request in requests_of(state, festival.id):
        closed, freed = without_booth(request, booth.id)
        if closed != request:
            state = state.put(closed)
            said += freed
    return state, said


def close(state: State, festival: Festival, body: CloseFestival, at: datetime) -> CommandResult:
    """Nothing more comes; what is reserved goes back; every booth's tills have until the deadline."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    on_the_way = [shipment.name for shipment in _shipments(state, festival) if shipment.status in _ON_THE_WAY]
    on_the_way += [f"transfer {one.name}" for one in _transfers_on_the_way(state, festival)]
    if on_the_way:
        return Rejection("festival", CommandRefusal.WRONG_STATE, _receive_first(on_the_way))
    closing = replace(festival, status=FestivalStatus.CLOSING)
    state, said = _lapse_all(state.put(closing), festival)
    for booth in booths_of(state, festival.id):
        if booth.status is not BoothStatus.OPEN:
            continue  # closed before, with a deadline of its own
        booth, told = booths.close(booth, at + timedelta(hours=body.till_hours))
        state = state.put(booth)
        said.append(told)
    state, sums = update_sums(state, closing)
    return state, said + sums


def _receive_first(shipments: list[str]) -> str:
    return f"On its way and not received yet: {first_names(shipments)}. Receive it first, with 0 for what is lost."


def _till_hours() -> Rejection:
    return Rejection("till_hours", CommandRefusal.OUT_OF_RANGE, f"Tills can have from 0 to {MAX_TILL_HOURS} hours.")


def _lapse_all(state: State, festival: Festival) -> tuple[State, list[Publication | Deadline]]:
    said: list[Publication | Deadline] = []
    for request in requests_of(state, festival.id):
        lapsed, told = lapse(request, Withdrawal.FESTIVAL_ENDED)
        state = state.put(lapsed)
        said += told
    return state, said


def _anything_sent(request: Request) -> bool:
    return any(line.status in _SENT for line in request.lines)


def _shipments(state: State, festival: Festival) -> list[Shipment]:
    return [shipment for shipment in state.all(Shipment) if shipment.festival == festival.id]


def _transfers_on_the_way(state: State, festival: Festival) -> list[Transfer]:
    """Transfers that nobody has counted in yet."""
    mine = [transfer for transfer in state.all(Transfer) if transfer.festival == festival.id]
    return [transfer for transfer in mine if transfer.status is TransferStatus.SENT]
