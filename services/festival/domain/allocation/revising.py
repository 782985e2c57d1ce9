"""Revising an allocation: for the organiser, or for festival itself after enough losses.

The order to revise takes a way through Kafka back to festival, with the products of the request. A command alone does
not say which stock to look up.
"""

from dataclasses import replace

from services.festival.domain.allocation import acceptance, pages
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Request,
    RequestStatus,
    request_id,
    shortfalls,
    withdraw_revision,
)
from services.festival.domain.allocation.revision import (
    carry_out,
    draw_up,
    request_revision,
    returning_lines,
    revision_events,
    without_returned,
)
from services.festival.domain.allocation.shortage import available_lots, earlier_shares
from services.festival.domain.booth_sales import booths_less_sold, sales_by_booth
from services.festival.domain.command import (
    CommandResult,
    CommandStatus,
    Rejection,
    command_of,
    first_names,
    nothing_to_plan,
    refuse,
    waiting_command,
)
from services.festival.domain.festival import Festival, FestivalStatus, festival_not_open
from services.festival.domain.line import LineStatus
from services.festival.domain.planning import Plan, RequestDemand
from services.festival.domain.stock import seen
from shared.events.festival import BackReason, CommandRefusal, ReviseAllocation, RevisionRequested
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message

MAX_EXCLUDED = 1000
_EMPTY_PLAN = Plan(allotments=(), shares=(), short=(), offers={})


def order(state: State, festival: Festival, body: ReviseAllocation, event: Event) -> CommandResult:
    """The order to revise as an event of festival to itself, after the checks that need no stock."""
    request = _find_revisable(state, festival, body.request)
    if isinstance(request, Rejection):
        return request
    if len(body.without) > MAX_EXCLUDED:
        return Rejection(
            "without",
            CommandRefusal.TOO_MANY,
            Message("A revision goes without at most {most} facilities.", most=MAX_EXCLUDED),
        )
    facilities = {line.facility for line in request.lines} | {offer.facility for offer in request.offers}
    if unknown := sorted(set(body.without) - facilities):
        message = Message(
            "Nothing of {facilities} was planned or could have been under {request}.",
            facilities=first_names(unknown),
            request=body.request,
        )
        return Rejection("without", CommandRefusal.UNKNOWN_FACILITY, message)
    revision = request_revision(
        request, tuple(sorted(set(body.without))), body.reason, consent=body.consent, command=event.id
    )
    return state.put(command_of(event, CommandStatus.WAITING)), [revision]


def revise(state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner) -> Decision:
    """The request with its revision, carried out if consent was given. The command receives the outcome."""
    if body.command is None:
        return _revise_unasked(state, festival, body, event, planner)
    command = waiting_command(state, body.command)
    if command is None:
        return state, []
    change = _draw_up_revision(state, festival, body, event, planner)
    if isinstance(change, Rejection):
        command, refusal = refuse(command, change)
        return state.put(command), [refusal]
    request, outputs = change
    return pages.put(state, request).put(replace(command, outcome=CommandStatus.DONE)), outputs


def _revise_unasked(
    state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner
) -> Decision:
    request = pages.whole(state, request_id(festival.id, body.request))
    if request is None:
        return state, []
    state = pages.put(state, replace(request, revising=False))
    change = _draw_up_revision(state, festival, body, event, planner)
    if isinstance(change, Rejection):
        # If nothing can be planned, the lost, recalled and freed pieces no longer count. After any other reason the
        # request asks for a revision again when it comes to rest.
        if change.reason is CommandRefusal.NOTHING_TO_PLAN:
            state = pages.put(state, replace(request, revising=False, lost=0, recalled=0, freed=0))
        return state, []
    request, outputs = change
    return pages.put(state, request), outputs


def _draw_up_revision(
    state: State, festival: Festival, body: RevisionRequested, event: Event, planner: Planner
) -> requests.Change | Rejection:
    request = _find_revisable(state, festival, body.request)
    if isinstance(request, Rejection):
        return request
    request = withdraw_revision(request)
    back = returning_lines(request, set(body.without))
    bare = replace(without_returned(request, back), excluded_facilities=body.without)
    demands = [
        RequestDemand(gap.booth, gap.product, gap.short, gap.asked)
        for gap in shortfalls(bare)
        if gap.booth not in request.closed
    ]
    if not back and not demands:
        message = Message(
            "Nothing is missing under {request}, and nothing of it has to go back.", request=request.name
        )
        return Rejection("request", CommandRefusal.NOTHING_TO_PLAN, message)
    plan = _plan(state, festival, body, event, planner, request, bare, demands, back) if demands else None
    if isinstance(plan, Rejection):
        return plan
    request, publications = draw_up(
        request, bare, back, plan, demands, excluded_facilities=body.without, own=body.reason
    )
    at_once = body.consent or request.status is RequestStatus.PROPOSED
    outputs: requests.Outputs = [*publications, *revision_events(request, carried_out=at_once)]
    if at_once:
        accepting = body.consent and request.status is RequestStatus.PROPOSED
        request, orders = carry_out(request, event.logged_at)
        outputs += orders
        if accepting:
            rejection = acceptance.too_late(festival, request, event.logged_at)
            if rejection is not None:
                return rejection
            request, orders = requests.accept(request, event.logged_at)
            outputs += orders
    elif request.lapsed:
        # Its hold was over, and with it the deadline for acceptance.
        request, deadline = requests.await_acceptance(replace(request, lapsed=False), event.logged_at)
        outputs += deadline
    return request, outputs


def _plan(
    state: State,
    festival: Festival,
    body: RevisionRequested,
    event: Event,
    planner: Planner,
    request: Request,
    bare: Request,
    demands: list[RequestDemand],
    back: dict[str, BackReason],
) -> Plan | Rejection:
    rules = planning_rules(
        festival,
        event.logged_at,
        booths_less_sold(state, sales_by_booth(state, festival.id), {demand.booth for demand in demands}),
        pages.promised(state, festival.id, bare),
        spread_evenly=bare.spread_evenly,
        day=bare.day,
    )
    freed = [
        line
        for line in bare.lines
        if line.status is LineStatus.RELEASING and back.get(line.reservation) is BackReason.BOOTH
    ]
    plan = planner.propose(
        event,
        request,  # not bare: lines that go back need room in the event too
        demands,
        available_lots(seen(state, body.products), bare, freed),
        earlier_shares(bare, {demand.product for demand in demands}),
        replace(rules, left_out=frozenset(bare.excluded_facilities)),
    )
    if body.command is None:
        # No command waits for a reason.
        return _EMPTY_PLAN if isinstance(plan, Rejection) else plan
    if not isinstance(plan, Rejection) and not plan.allotments and not back:
        missing = sum(demand.qty for demand in demands)
        first = Message(
            "Nothing of the {missing} pieces that are missing under {request} can be had now.",
            missing=missing,
            request=bare.name,
        )
        return nothing_to_plan("request", first, plan.conflicts)
    return plan


def _find_revisable(state: State, festival: Festival, name: str) -> Request | Rejection:
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    request = pages.whole(state, request_id(festival.id, name))
    if request is None:
        return Rejection(
            "request",
            CommandRefusal.UNKNOWN_REQUEST,
            Message("{festival} has no request {request}.", festival=festival.name, request=name),
        )
    if request.status is RequestStatus.WITHDRAWN:
        return Rejection(
            "request",
            CommandRefusal.WRONG_STATE,
            Message("{request} was withdrawn. Ask in a new request.", request=name),
        )
    if not request.lines.at_rest:
        message = Message(
            "Inventory has not answered for every line of {request} yet; try again in a moment.", request=name
        )
        return Rejection("request", CommandRefusal.WRONG_STATE, message)
    return request
