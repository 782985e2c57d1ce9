"""Revising an allocation: asked for by the organiser, or by festival itself when enough was lost or freed.

The order to revise comes back to festival by way of Kafka with the products of the request, because a command alone
does not say which stock is to be looked up.
"""

from dataclasses import replace

from services.festival.domain.allocation import acceptance
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Request,
    RequestStatus,
    request_id,
    requests_of,
    shortfalls,
    withdraw_revision,
)
from services.festival.domain.allocation.revision import (
    at_rest,
    carry_out,
    draw_up,
    request_revision,
    returning_lines,
    revision_event,
    without_returned,
)
from services.festival.domain.allocation.shortage import available_lots, earlier_shares
from services.festival.domain.booth_sales import booths_less_sold
from services.festival.domain.command import (
    Command,
    CommandResult,
    CommandStatus,
    Rejection,
    command_of,
    first_names,
    nothing_to_plan,
    refuse,
)
from services.festival.domain.festival import Festival, FestivalStatus, festival_not_open
from services.festival.domain.planning import Plan, RequestDemand
from services.festival.domain.stock import StockView
from shared.events.festival import BackReason, CommandRefusal, ReviseAllocation, RevisionRequested
from shared.events.language import Event
from shared.runtime.family import Decision
from shared.runtime.state import State

MAX_EXCLUDED = 1000
_EMPTY_PLAN = Plan(allotments=(), shares=(), short=(), offers={})


def order(state: State, festival: Festival, body: ReviseAllocation, event: Event) -> CommandResult:
    """What can be seen without the stock is checked; then festival tells itself to revise."""
    request = _find_revisable(state, festival, body.request)
    if isinstance(request, Rejection):
        return request
    if len(body.without) > MAX_EXCLUDED:
        return Rejection(
            "without", CommandRefusal.TOO_MANY, f"A revision goes without at most {MAX_EXCLUDED} facilities."
        )
    known = {line.facility for line in request.lines} | {offer.facility for offer in request.offers}
    if unknown := sorted(set(body.without) - known):
        message = f"Nothing of {first_names(unknown)} was planned or could have been under {body.request}."
        return Rejection("without", CommandRefusal.UNKNOWN_FACILITY, message)
    told = request_revision(
        request, tuple(sorted(set(body.without))), body.reason, consent=body.consent, command=event.id
    )
    return state.put(command_of(event, CommandStatus.WAITING)), [told]


def revise(state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner) -> Decision:
    """Draw the revision up, and carry it out if it is wanted already. Who gave the command for it hears its end."""
    if body.command is None:
        return _revise_unasked(state, festival, body, event, planner)
    command = state.get(Command, body.command)
    if command is None or command.outcome is not CommandStatus.WAITING:
        return state, []
    found = _draw_up_revision(state, festival, body, event, planner)
    if isinstance(found, Rejection):
        command, refusal = refuse(command, found)
        return state.put(command), [refusal]
    request, said = found
    return state.put(request, replace(command, outcome=CommandStatus.DONE)), said


def _revise_unasked(
    state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner
) -> Decision:
    request = state.get(Request, request_id(festival.id, body.request))
    if request is None:
        return state, []
    state = state.put(replace(request, revising=False))
    found = _draw_up_revision(state, festival, body, event, planner)
    if isinstance(found, Rejection):
        # What keeps it from being revised now is asked for again when the request comes to rest; what was lost,
        # recalled and freed counts no more if nothing can be done about it.
        if found.reason is CommandRefusal.NOTHING_TO_PLAN:
            state = state.put(replace(request, revising=False, lost=0, recalled=0, freed=0))
        return state, []
    request, said = found
    return state.put(request), said


def _draw_up_revision(
    state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner
) -> requests.Change | Rejection:
    request = _find_revisable(state, festival, body.request)
    if isinstance(request, Rejection):
        return request
    request = withdraw_revision(request)
    back = returning_lines(request, set(body.without))
    bare = replace(without_returned(request, back), without=body.without)
    wanted = [
        RequestDemand(one.booth, one.product, one.short, one.asked)
        for one in shortfalls(bare)
        if one.booth not in request.closed
    ]
    if not back and not wanted:
        message = f"Nothing is missing under {request.name}, and nothing of it has to go back."
        return Rejection("request", CommandRefusal.NOTHING_TO_PLAN, message)
    plan = _plan(state, festival, body, event, planner, request, bare, wanted, back) if wanted else None
    if isinstance(plan, Rejection):
        return plan
    request, said = draw_up(request, bare, back, plan, wanted, without=body.without, own=body.reason)
    at_once = body.consent or request.status is RequestStatus.PROPOSED
    told: requests.Outputs = [*said, revision_event(request, carried_out=at_once)]
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
        request, until = requests.await_acceptance(replace(request, lapsed=False), event.logged_at)
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
    wanted: list[RequestDemand],
    back: dict[str, BackReason],
) -> Plan | Rejection:
    rules = planning_rules(
        festival,
        event.logged_at,
        booths_less_sold(state, festival.id, {want.booth for want in wanted}),
        [bare if other.id == bare.id else other for other in requests_of(state, festival.id)],
        spread_evenly=bare.spread_evenly,
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
        available_lots(state.all(StockView), bare, freed),
        earlier_shares(bare, {want.product for want in wanted}),
        rules,
    )
    if body.command is None:
        # Nobody is there to be told why not.
        return _EMPTY_PLAN if isinstance(plan, Rejection) else plan
    if not isinstance(plan, Rejection) and not plan.allotments and not back:
        missing = sum(want.qty for want in wanted)
        first = f"Nothing of the {missing} pieces that are missing under {bare.name} can be had now."
        return nothing_to_plan("request", first, plan.conflicts)
    return plan


def _find_revisable(state: State, festival: Festival, name: str) -> Request | Rejection:
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    request = state.get(Request, request_id(festival.id, name))
    if request is None:
        return Rejection("request", CommandRefusal.UNKNOWN_REQUEST, f"{festival.name} has no request {name}.")
    if request.status is RequestStatus.WITHDRAWN:
        return Rejection("request", CommandRefusal.WRONG_STATE, f"{name} was withdrawn. Ask in a new request.")
    if not at_rest(request):
        message = f"Inventory has not answered for every line of {name} yet; try again in a moment."
        return Rejection("request", CommandRefusal.WRONG_STATE, message)
    return request
