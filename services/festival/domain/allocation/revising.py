"""Revising an allocation: asked for by the organiser, or by festival itself when enough was lost or freed.

The order to revise comes back to festival by way of Kafka with the products of the request, because a command alone
does not say which stock is to be looked up.
"""

from dataclasses import replace

from services.festival.domain.allocation import acceptance
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import bounds
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Request,
    RequestStatus,
    promising_at,
    request_id,
    shortfalls,
    withdraw_revision,
)
from services.festival.domain.allocation.revision import (
    at_rest,
    carry_out,
    draw_up,
    leaving,
    left,
    said_of,
    to_revise,
)
from services.festival.domain.allocation.shortage import before, plannable
from services.festival.domain.command import Carried, Command, Outcome, Wrong, given, names, nothing_planned, refused
from services.festival.domain.festival import Festival, FestivalStatus, not_open
from services.festival.domain.pace import paces, sold_so_far
from services.festival.domain.planning import Plan, Wanted
from services.festival.domain.stock import seen
from shared.events.festival import BackReason, CommandRefusal, ReviseAllocation, RevisionRequested
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import State

MAX_WITHOUT = 1000
_NOTHING = Plan(chosen=(), shares=(), short=(), offers={})


def order(state: State, festival: Festival, body: ReviseAllocation, event: Event) -> Carried:
    """What can be seen without the stock is checked; then festival tells itself to revise."""
    request = _to_revise(state, festival, body.request)
    if isinstance(request, Wrong):
        return request
    if len(body.without) > MAX_WITHOUT:
        return Wrong("without", CommandRefusal.TOO_MANY, f"A revision goes without at most {MAX_WITHOUT} facilities.")
    known = {line.facility for line in request.lines} | {offer.facility for offer in request.offers}
    if unknown := sorted(set(body.without) - known):
        message = f"Nothing of {names(unknown)} was planned or could have been under {body.request}."
        return Wrong("without", CommandRefusal.UNKNOWN_FACILITY, message)
    told = to_revise(request, tuple(sorted(set(body.without))), body.reason, consent=body.consent, command=event.id)
    return state.put(given(event, Outcome.WAITING)), [told]


def revise(state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner) -> Decision:
    """Draw the revision up, and carry it out if it is wanted already. Who gave the command for it hears its end."""
    if body.command is None:
        return _by_itself(state, festival, body, event, planner)
    command = state.get(Command, body.command)
    if command is None or command.outcome is not Outcome.WAITING:
        return state, []
    found = _revised(state, festival, body, event, planner)
    if isinstance(found, Wrong):
        command, refusal = refused(command, found)
        return state.put(command), [refusal]
    request, said = found
    return state.put(request, replace(command, outcome=Outcome.DONE)), said


def _by_itself(state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner) -> Decision:
    request = state.get(Request, request_id(festival.id, body.request))
    if request is None:
        return state, []
    state = state.put(replace(request, revising=False))
    found = _revised(state, festival, body, event, planner)
    if isinstance(found, Wrong):
        # What keeps it from being revised now is asked for again when the request comes to rest; what was lost,
        # recalled and freed counts no more if nothing can be done about it.
        if found.reason is CommandRefusal.NOTHING_TO_PLAN:
            state = state.put(replace(request, revising=False, lost=0, recalled=0, freed=0))
        return state, []
    request, said = found
    return state.put(request), said


def _revised(
    state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner
) -> requests.Change | Wrong:
    request = _to_revise(state, festival, body.request)
    if isinstance(request, Wrong):
        return request
    request = withdraw_revision(request)
    back = leaving(request, set(body.without))
    bare = replace(left(request, back), without=body.without)
    wanted = [
        Wanted(one.booth, one.product, one.short, one.asked)
        for one in shortfalls(bare)
        if one.booth not in request.closed
    ]
    if not back and not wanted:
        message = f"Nothing is missing under {request.name}, and nothing of it has to go back."
        return Wrong("request", CommandRefusal.NOTHING_TO_PLAN, message)
    plan = _plan(state, festival, body, event, planner, request, bare, wanted, back) if wanted else None
    if isinstance(plan, Wrong):
        return plan
    request, said = draw_up(request, bare, back, plan, wanted, without=body.without, own=body.reason)
    at_once = body.consent or request.status is RequestStatus.PROPOSED
    told: requests.Outputs = [*said, said_of(request, carried_out=at_once)]
    if at_once:
        accepting = body.consent and request.status is RequestStatus.PROPOSED
        request, orders = carry_out(request, event.logged_at)
        told += orders
        if accepting:
            wrong = acceptance.too_late(festival, request, event.logged_at)
            if wrong is not None:
                return wrong
            request, orders = requests.accept(request, event.logged_at)
            told += orders
    elif request.lapsed:
        # Its time was over before, and with it the deadline by which what waits ends.
        request, until = requests.wait(replace(request, lapsed=False), event.logged_at)
        told += until
    return request, told


def _plan(
    state: State,
    festival: Festival,
    body: RevisionRequested,
    event: Event,
    planner: Planner,
    request: Request,
    bare: Request,
    wanted: list[Wanted],
    back: dict[str, BackReason],
) -> Plan | Wrong:
    rules = bounds(
        festival,
        event.logged_at,
        sold_so_far(state, paces(state, festival.id), {want.booth for want in wanted}),
        [bare if other.id == bare.id else other for other in state.find(promising_at(festival.id))],
        even=bare.even,
    )
    lots = set(body.lots)
    freed = [
        line
        for line in bare.lines
        if line.status is LineStatus.RELEASING and back.get(line.reservation) is BackReason.BOOTH and line.lot in lots
    ]
    plan = planner.propose(
        event,
        request,  # not bare: what goes back has to be said too
        wanted,
        plannable(seen(state, body.products, body.lots), bare, freed),
        before(bare, {want.product for want in wanted}),
        rules,
    )
    if body.command is None:
        # Nobody is there to be told why not.
        return _NOTHING if isinstance(plan, Wrong) else plan
    if not isinstance(plan, Wrong) and not plan.chosen and not back:
        missing = sum(want.qty for want in wanted)
        first = f"Nothing of the {missing} pieces that are missing under {bare.name} can be had now."
        return nothing_planned("request", first, plan.conflicts)
    return plan


def _to_revise(state: State, festival: Festival, name: str) -> Request | Wrong:
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    request = state.get(Request, request_id(festival.id, name))
    if request is None:
        return Wrong("request", CommandRefusal.UNKNOWN_REQUEST, f"{festival.name} has no request {name}.")
    if request.status is RequestStatus.WITHDRAWN:
        return Wrong("request", CommandRefusal.WRONG_STATE, f"{name} was withdrawn. Ask in a new request.")
    if not at_rest(request):
        message = f"Inventory has not answered for every line of {name} yet; try again in a moment."
        return Wrong("request", CommandRefusal.WRONG_STATE, message)
    return request
