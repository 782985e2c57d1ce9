"""Whether what was proposed a while ago can still be had as it is when it is accepted."""

from datetime import datetime

from services.festival.domain.allocation.bounds import lacks_room, planning_rules, too_slow
from services.festival.domain.allocation.line import AllocationLine, LineStatus
from services.festival.domain.allocation.request import Request, requests_of, withdraw_revision
from services.festival.domain.allocation.revision import without_returned
from services.festival.domain.booth_sales import booths_less_sold
from services.festival.domain.command import Rejection, first_names
from services.festival.domain.festival import Festival
from shared.events.festival import CommandRefusal
from shared.runtime.state import State


def too_late(festival: Festival, request: Request, at: datetime) -> Rejection | None:
    """Why the plan or revision that waits can't be accepted: something of it can't come in time any more."""
    slow = too_slow(festival, {line.facility for line in _incoming_lines(request)}, at)
    if not slow:
        return None
    how = "again" if request.pending_revision is not None else f"without {first_names(slow)}"
    message = (
        f"What {first_names(slow)} would send comes too late by now. Revise {request.name} {how}, then accept it."
    )
    return Rejection("request", CommandRefusal.WRONG_DAYS, message)


def no_room(state: State, festival: Festival, request: Request, at: datetime) -> Rejection | None:
    """Why a revision that waits can't be accepted: it keeps no room, so that others may have it now. A plan that
    waits keeps its own."""
    waiting = request.pending_revision
    if waiting is None:
        return None
    comes = _incoming_lines(request)
    bare = without_returned(withdraw_revision(request), [one.reservation for one in waiting.back])
    rules = planning_rules(
        festival,
        at,
        booths_less_sold(state, festival.id, {line.booth for line in comes}),
        [bare if other.id == bare.id else other for other in requests_of(state, festival.id)],
    )
    why = lacks_room(rules, ((line.booth, line.product, line.qty) for line in comes))
    if why is None:
        return None
    message = f"{why}; others took some since the revision was drawn up. Revise {request.name} again."
    return Rejection("request", CommandRefusal.TOO_MANY, message)


def _incoming_lines(request: Request) -> list[AllocationLine]:
    status = LineStatus.PLANNED if request.pending_revision is None else LineStatus.PROPOSED
    return [line for line in request.lines if line.status is status]
