"""The tills of a booth after its opening: one more, or one that is lost and no longer waited for."""

from dataclasses import replace

from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import Carried, Wrong
from services.festival.domain.festival import MAX_TILLS, Festival, booth_of, misnamed, open_booth_of
from shared.events import names
from shared.events.festival import BOOTH_STOCK, AddTill, CommandRefusal, StrikeTill, TillAdded, TillStruck
from shared.runtime.state import State


def add(state: State, festival: Festival, body: AddTill) -> Carried:
    """An open booth sells from one more till."""
    booth = open_booth_of(state, festival, body.booth)
    if isinstance(booth, Wrong):
        return booth
    if (wrong := misnamed("till", names.TILL, body.till)) is not None:
        return wrong
    if body.till in booth.tills:
        return Wrong("till", CommandRefusal.ALREADY_EXISTS, f"Booth {booth.id} has a till {body.till} already.")
    if len(booth.tills) >= MAX_TILLS:
        return Wrong("till", CommandRefusal.TOO_MANY, f"A booth has at most {MAX_TILLS} tills.")
    booth = replace(booth, tills=(*booth.tills, body.till))
    return state.put(booth), [BOOTH_STOCK.of(TillAdded(booth=booth.id, till=body.till))]


def strike(state: State, festival: Festival, body: StrikeTill) -> Carried:
    """A device (or one branch of its records) is lost, or all devices of a till's name: that name can be added anew.
    Sales knows which devices there are, so one that the booth does not list can be struck as well, and one twice."""
    booth = booth_of(state, festival, body.booth)
    if isinstance(booth, Wrong):
        return booth
    if booth.status is BoothStatus.SETTLED:
        message = f"Booth {booth.id} is settled, so no till of it is waited for."
        return Wrong("booth", CommandRefusal.WRONG_STATE, message)
    if body.device is None and body.till in booth.tills:
        state = state.put(replace(booth, tills=tuple(till for till in booth.tills if till != body.till)))
    struck = TillStruck(booth=booth.id, till=body.till, device=body.device, branch=body.branch)
    return state, [BOOTH_STOCK.of(struck)]
