"""Checks that an older proposal still fits at the time of its acceptance."""

from datetime import datetime

from services.festival.domain.allocation import pages
from services.festival.domain.allocation.bounds import lacks_room, planning_rules, too_slow
from services.festival.domain.allocation.request import Request, withdraw_revision
from services.festival.domain.allocation.revision import without_returned
from services.festival.domain.booth_sales import booths_less_sold, sales_by_booth
from services.festival.domain.command import Rejection, first_names
from services.festival.domain.festival import Festival
from services.festival.domain.line import AllocationLine, LineStatus
from shared.events.festival import CommandRefusal
from shared.runtime.state import State
from shared.wording import Message


def too_late(festival: Festival, request: Request, at: datetime) -> Rejection | None:
    """The rejection of a proposal of which some lines can no longer come in time."""
    slow = too_slow(festival, {line.facility for line in _incoming_lines(request)}, at, request.day)
    if not slow:
        return None
    message = Message(
        "What {facilities} would send comes too late by now. Revise {request} without {facilities}, then accept it.",
        facilities=first_names(slow),
        request=request.name,
    )
    if request.pending_revision is not None:
        message = Message(
            "What {facilities} would send comes too late by now. Revise {request} again, then accept it.",
            facilities=first_names(slow),
            request=request.name,
        )
    return Rejection("request", CommandRefusal.WRONG_DAYS, message)


def no_room(state: State, festival: Festival, request: Request, at: datetime) -> Rejection | None:
    """The rejection of a pending revision that no longer has room.

    A revision keeps no room, so other requests may have taken it. A proposed plan keeps its own.
    """
    pending = request.pending_revision
    if pending is None:
        return None
    incoming = _incoming_lines(request)
    bare = without_returned(withdraw_revision(request), [line.reservation for line in pending.back])
    rules = planning_rules(
        festival,
        at,
        booths_less_sold(state, sales_by_booth(state, festival.id), {line.booth for line in incoming}),
        pages.promised(state, festival.id, bare),
    )
    bound = lacks_room(rules, ((line.booth, line.product, line.qty) for line in incoming))
    if bound is None:
        return None
    message = Message(
        "{bound}. Other requests took room since the revision was drawn up. Revise {request} again.",
        bound=bound,
        request=request.name,
    )
    return Rejection("request", CommandRefusal.TOO_MANY, message)


def _incoming_lines(request: Request) -> list[AllocationLine]:
    status = LineStatus.PLANNED if request.pending_revision is None else LineStatus.PROPOSED
    return [line for line in request.lines if line.status is status]
