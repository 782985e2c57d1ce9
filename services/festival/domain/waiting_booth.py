"""A booth for which sales owes an answer: to a reopening, or to a merge."""

from services.festival.domain.booth import Booth
from services.festival.domain.command import Rejection
from shared.events.festival import CommandRefusal
from shared.wording import Message


def check_not_reopening(booth: Booth) -> Rejection | None:
    """The rejection of a command that can't be carried out until sales has answered; None if it owes no answer."""
    if booth.reopening is None:
        return None
    message = Message(
        "Booth {booth} is to be reopened, and sales has not answered yet. Try again in a moment.", booth=booth.id
    )
    return Rejection("booth", CommandRefusal.WRONG_STATE, message)


def check_not_merging(booth: Booth) -> Rejection | None:
    """The rejection of a command that can't be carried out until sales has named the unsold pieces of a booth that is
    to be merged; None if it owes no answer."""
    if not booth.merging:
        return None
    message = Message(
        "Booth {booth} is to be merged into {to}, and sales has not answered yet. Try again in a moment.",
        booth=booth.id,
        to=booth.merged_into or "",
    )
    return Rejection("booth", CommandRefusal.WRONG_STATE, message)
