"""The end of a festival or of one booth: cancelled before any dispatch, or closed after the last sale."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.festival.domain import booth as booths
from services.festival.domain.allocation import pages
from services.festival.domain.allocation.request import lapse, requests_at
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
from services.festival.domain.line import SENT
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus, shipments_at
from services.festival.domain.logistics.transfer import Transfer, TransferStatus, transfers_at
from services.festival.domain.waiting_booth import check_not_merging, check_not_reopening
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
from shared.wording import Message

MAX_TILL_HOURS = 30 * 24
_ON_THE_WAY = (ShipmentStatus.SENDING, ShipmentStatus.SENT)


def cancel(state: State, festival: Festival, body: CancelFestival) -> CommandResult:
    """The festival as cancelled, its reservations released, and the events.

    Rejected once any stock was sent: it must be received, and sold or returned.
    """
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    request_names = [request.name for request in state.find(requests_at(festival.id)) if request.lines.count(SENT)]
    if request_names:
        message = Message(
            "Stock was sent under {requests}; close the festival instead, so that it comes home.",
            requests=first_names(request_names),
        )
        return Rejection("festival", CommandRefusal.WRONG_STATE, message)
    publications: list[Publication | Deadline] = [
        FESTIVAL.of(FestivalCancelled(festival=festival.id, reason=body.reason))
    ]
    state, released = _lapse_all(state.put(replace(festival, status=FestivalStatus.CANCELLED)), festival)
    return state, publications + released


def close_booth(state: State, festival: Festival, body: CloseBooth, at: datetime) -> CommandResult:
    """The booth as closing before the festival does, and the events. Lines planned or reserved for it go back."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    if (rejection := check_nothing_coming(state, festival, booth.id)) is not None:
        return rejection
    booth, closing = booths.close(booth, at + timedelta(hours=body.till_hours))
    state, publications = release_lines(state.put(booth), festival, booth.id)
    return state, [closing, *publications]


def check_nothing_coming(state: State, festival: Festival, booth: str) -> Rejection | None:
    """The rejection of closing a booth while goods are on their way to it, or another booth is merged into it."""
    for other in booths_of(state, festival.id):
        if other.merged_into == booth and (rejection := check_not_merging(other)) is not None:
            return rejection
    coming = [
        shipment.name
        for shipment in _shipments(state, festival)
        if shipment.booth == booth and shipment.status in _ON_THE_WAY
    ]
    coming += [
        f"transfer {transfer.name}" for transfer in _transfers_on_the_way(state, festival) if transfer.to == booth
    ]
    return Rejection("booth", CommandRefusal.WRONG_STATE, _receive_first(coming)) if coming else None


def release_lines(state: State, festival: Festival, booth: str) -> tuple[State, list[Publication | Deadline]]:
    """The festival's requests without the lines that are planned or reserved for the booth, and the events."""
    publications: list[Publication | Deadline] = []
    for request in pages.all_whole(state, festival.id):
        closed, released = without_booth(request, booth)
        if closed is not request:
            state = pages.put(state, closed)
            publications += released
    return state, publications


def close(state: State, festival: Festival, body: CloseFestival, at: datetime) -> CommandResult:
    """The festival and its open booths as closing, its reservations released, and the events."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    if not 0 <= body.till_hours <= MAX_TILL_HOURS:
        return _till_hours()
    on_the_way = [shipment.name for shipment in _shipments(state, festival) if shipment.status in _ON_THE_WAY]
    on_the_way += [f"transfer {transfer.name}" for transfer in _transfers_on_the_way(state, festival)]
    if on_the_way:
        return Rejection("festival", CommandRefusal.WRONG_STATE, _receive_first(on_the_way))
    for booth in booths_of(state, festival.id):
        if (rejection := check_not_reopening(booth) or check_not_merging(booth)) is not None:
            return rejection
    closing = replace(festival, status=FestivalStatus.CLOSING)
    state, publications = _lapse_all(state.put(closing), festival)
    for booth in booths_of(state, festival.id):
        if booth.status is not BoothStatus.OPEN:
            continue  # closed before, with a deadline of its own
        booth, booth_closing = booths.close(booth, at + timedelta(hours=body.till_hours))
        state = state.put(booth)
        publications.append(booth_closing)
    state, sums = update_sums(state, closing)
    return state, publications + sums


def _receive_first(shipments: list[str]) -> Message:
    return Message(
        "On its way and not received yet: {shipments}. Receive it first, with 0 for what is lost.",
        shipments=first_names(shipments),
    )


def _till_hours() -> Rejection:
    return Rejection(
        "till_hours",
        CommandRefusal.OUT_OF_RANGE,
        Message("Tills can have from 0 to {most} hours.", most=MAX_TILL_HOURS),
    )


def _lapse_all(state: State, festival: Festival) -> tuple[State, list[Publication | Deadline]]:
    publications: list[Publication | Deadline] = []
    for request in pages.all_whole(state, festival.id):
        lapsed, events = lapse(request, Withdrawal.FESTIVAL_ENDED)
        state = pages.put(state, lapsed)
        publications += events
    return state, publications


def _shipments(state: State, festival: Festival) -> list[Shipment]:
    return state.find(shipments_at(festival.id))


def _transfers_on_the_way(state: State, festival: Festival) -> list[Transfer]:
    """Transfers that nobody has counted in yet."""
    return [transfer for transfer in state.find(transfers_at(festival.id)) if transfer.status is TransferStatus.SENT]
