"""Whether what was proposed a while ago can still be had as it is when it is accepted."""

from datetime import datetime

from services.festival.domain.allocation.bounds import bounds, lacks_room, too_slow
from services.festival.domain.allocation.line import Line, LineStatus
from services.festival.domain.allocation.request import Request, promising_at, withdraw_revision
from services.festival.domain.allocation.revision import left
from services.festival.domain.command import Wrong, names
from services.festival.domain.festival import Festival
from services.festival.domain.pace import paces, sold_so_far
from shared.events.festival import CommandRefusal
from shared.runtime.state import State


def too_late(festival: Festival, request: Request, at: datetime) -> Wrong | None:
    """Why the plan or revision that waits can't be accepted: something of it can't come in time any more."""
    slow = too_slow(festival, {line.facility for line in _comes(request)}, at)
    if not slow:
        return None
    how = "again" if request.waiting is not None else f"without {names(slow)}"
    message = f"What {names(slow)} would send comes too late by now. Revise {request.name} {how}, then accept it."
    return Wrong("request", CommandRefusal.WRONG_DAYS, message)


def no_room(state: State, festival: Festival, request: Request, at: datetime) -> Wrong | None:
    """Why a revision that waits can't be accepted: it keeps no room, so that others may have it now. A plan that
    waits keeps its own."""
    waiting = request.waiting
    if waiting is None:
        return None
    comes = _comes(request)
    bare = left(withdraw_revision(request), [one.reservation for one in waiting.back])
    rules = bounds(
        festival,
        at,
        sold_so_far(state, paces(state, festival.id), {line.booth for line in comes}),
        [bare if other.id == bare.id else other for other in state.find(promising_at(festival.id))],
    )
    why = lacks_room(rules, ((line.booth, line.product, line.qty) for line in comes))
    if why is None:
        return None
    message = f"{why}; others took some since the revision was drawn up. Revise {request.name} again."
    return Wrong("request", CommandRefusal.TOO_MANY, message)


def _comes(request: Request) -> list[Line]:
    status = LineStatus.PLANNED if request.waiting is None else LineStatus.PROPOSED
    return [line for line in request.lines if line.status is status]
