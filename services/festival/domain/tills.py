"""Changes of a booth's tills after its opening: an added till, or a lost one that is no longer waited for."""

from dataclasses import replace

from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import MAX_TILLS, Festival, check_names, find_booth, find_open_booth
from shared.events import names
from shared.events.festival import BOOTH_STOCK, AddTill, CommandRefusal, StrikeTill, TillAdded, TillStruck
from shared.runtime.state import State
from shared.wording import Message


def add(state: State, festival: Festival, body: AddTill) -> CommandResult:
    """The open booth with one more till, and the event."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if (rejection := check_names("till", names.TILL, body.till)) is not None:
        return rejection
    if body.till in booth.tills:
        return Rejection(
            "till",
            CommandRefusal.ALREADY_EXISTS,
            Message("Booth {booth} has a till {till} already.", booth=booth.id, till=body.till),
        )
    if len(booth.tills) >= MAX_TILLS:
        return Rejection(
            "till", CommandRefusal.TOO_MANY, Message("A booth has at most {most} tills.", most=MAX_TILLS)
        )
    booth = replace(booth, tills=(*booth.tills, body.till))
    return state.put(booth), [BOOTH_STOCK.of(TillAdded(booth=booth.id, till=body.till))]


def strike(state: State, festival: Festival, body: StrikeTill) -> CommandResult:
    """The booth without a lost till, and the event for sales.

    The command names one device, one branch of its records, or all devices of a till's name. Such a name can be added
    again. Only sales knows the devices, so a strike of an unknown device, or a second strike, is accepted.
    """
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if booth.status is BoothStatus.SETTLED:
        message = Message("Booth {booth} is settled, so no till of it is waited for.", booth=booth.id)
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if body.device is None and body.till in booth.tills:
        state = state.put(replace(booth, tills=tuple(till for till in booth.tills if till != body.till)))
    struck = TillStruck(booth=booth.id, till=body.till, device=body.device, branch=body.branch)
    return state, [BOOTH_STOCK.of(struck)]
