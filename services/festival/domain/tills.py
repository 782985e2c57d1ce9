"""The tills of a booth after its opening: one more, or one that is lost and no longer waited for."""

from dataclasses import replace

from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import MAX_TILLS, Festival, check_names, find_booth, find_open_booth
from shared.events import names
from shared.events.festival import BOOTH_STOCK, AddTill, CommandRefusal, StrikeTill, TillAdded, TillStruck
from shared.runtime.state import State


def add(state: State, festival: Festival, body: AddTill) -> CommandResult:
    """An open booth sells from one more till."""
    booth = find_open_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if (wrong := check_names("till", names.TILL, body.till)) is not None:
        return wrong
    if body.till in booth.tills:
        return Rejection("till", CommandRefusal.ALREADY_EXISTS, f"Booth {booth.id} has a till {body.till} already.")
    if len(booth.tills) >= MAX_TILLS:
        return Rejection("till", CommandRefusal.TOO_MANY, f"A booth has at most {MAX_TILLS} tills.")
    booth = replace(booth, tills=(*booth.tills, body.till))
    return state.put(booth), [BOOTH_STOCK.of(TillAdded(booth=booth.id, till=body.till))]


def strike(state: State, festival: Festival, body: StrikeTill) -> CommandResult:
    """A device (or one branch of its records) is lost, or all devices of a till's name: that name can be added anew.
    Sales knows which devices there are, so one that the booth does not list can be struck as well, and one twice."""
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if booth.status is BoothStatus.SETTLED:
        message = f"Booth {booth.id} is settled, so no till of it is waited for."
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if body.device is None and body.till in booth.tills:
        state = state.put(replace(booth, tills=tuple(till for till in booth.tills if till != body.till)))
    struck = TillStruck(booth=booth.id, till=body.till, device=body.device, branch=body.branch)
    return state, [BOOTH_STOCK.of(struck)]
