"""Selling again at a booth that was closed. Sales decides, as it alone knows which settlements were issued."""

from dataclasses import replace

from services.festival.domain.booth import Booth, BoothStatus, reopen
from services.festival.domain.command import Command, CommandResult, CommandStatus, Rejection, command_of, refuse
from services.festival.domain.festival import Festival, FestivalStatus, festival_not_open, find_booth
from services.festival.domain.waiting_booth import check_not_reopening
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    CommandRefusal,
    CountedLot,
    FestivalReopened,
    ReopenBooth,
    ReopeningRequested,
)
from shared.events.language import Deadline, Event, Publication
from shared.events.sales import ReopeningGranted, ReopeningRefused
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message


def order(state: State, festival: Festival, body: ReopenBooth, event: Event) -> CommandResult:
    """The booth as waiting for the answer of sales, and the request to it.

    Until the answer nothing can come home from the booth. So sales knows all pieces that are no longer there.
    """
    if festival.status is FestivalStatus.CANCELLED:
        return festival_not_open(festival)
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if booth.status is BoothStatus.OPEN:
        message = Message("Booth {booth} is open; it sells already.", booth=booth.id)
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if booth.merged_into is not None:
        message = Message("Booth {booth} was merged into {to}; sell there.", booth=booth.id, to=booth.merged_into)
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if (rejection := check_not_reopening(booth)) is not None:
        return rejection
    returning = next((lot for lot in booth.lots if lot.returning), None)
    if returning is not None:
        message = Message(
            "Inventory has not answered the last count of {lot} yet; try again in a moment.", lot=returning.lot
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    request = ReopeningRequested(
        booth=booth.id,
        festival=festival.id,
        order=event.id,
        opening=booth.opening + 1,
        home=tuple(
            CountedLot(lot=lot.lot, qty=lot.returned - lot.returned_before)
            for lot in booth.lots
            if lot.returned > lot.returned_before
        ),
    )
    command = replace(command_of(event, CommandStatus.WAITING), booth=booth.id)
    return state.put(replace(booth, reopening=event.id), command), [BOOTH_STOCK.of(request)]


def granted(state: State, festival: Festival, answer: ReopeningGranted, _event: Event) -> Decision:
    """The booth and its festival as open, and the command as done."""
    booth, command = _waiting(state, answer)
    if booth is None or command is None:
        return state, []
    state = state.put(reopen(booth, answer.opening), replace(command, outcome=CommandStatus.DONE))
    if festival.status not in (FestivalStatus.CLOSING, FestivalStatus.CLOSED):
        return state, []
    # Without the sums, so that they are published again when it closes again.
    state = state.put(replace(festival, status=FestivalStatus.OPEN, sums=None))
    events: list[Publication | Deadline] = [
        FESTIVAL.of(FestivalReopened(festival=festival.id, booth=booth.id)),
    ]
    return state, events


def refused(state: State, _festival: Festival, answer: ReopeningRefused, _event: Event) -> Decision:
    """The booth as it was, and the command as refused."""
    booth, command = _waiting(state, answer)
    if booth is None or command is None:
        return state, []
    message = Message(
        "The settlement of {facility}, which includes booth {booth}, was issued; settled books stay settled. Correct "
        "single sales instead, by `void-sale` or `dispute`: the settlement is then corrected.",
        facility=answer.facility,
        booth=booth.id,
    )
    command, refusal = refuse(command, Rejection("booth", CommandRefusal.SETTLED, message))
    return state.put(replace(booth, reopening=None), command), [refusal]


def _waiting(state: State, answer: ReopeningGranted | ReopeningRefused) -> tuple[Booth, Command] | tuple[None, None]:
    booth, command = state.get(Booth, answer.booth), state.get(Command, answer.order)
    if booth is None or command is None or booth.reopening != answer.order:
        return None, None
    return booth, command
