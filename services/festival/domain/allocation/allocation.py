"""Asking for stock: a fair plan is proposed, and made real when it is accepted."""

from dataclasses import replace
from datetime import datetime

from services.festival.domain.allocation import acceptance
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import bounds
from services.festival.domain.allocation.line import Offer
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import Request, RequestStatus, add_plan, promising_at, request_id
from services.festival.domain.allocation.revision import carry_out
from services.festival.domain.allocation.shortage import plannable
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.command import Carried, Wrong
from services.festival.domain.festival import Festival, FestivalStatus, misnamed, not_open
from services.festival.domain.pace import paces_of, sold_so_far
from services.festival.domain.planning import Rules, Wanted
from services.festival.domain.stock import seen
from shared.events import names
from shared.events.festival import AcceptPlan, CommandRefusal, Demand, RequestAllocation
from shared.events.language import Event
from shared.runtime.state import State

MAX_HOLD_HOURS = 90 * 24
MAX_DEMANDS = 500
WHOLE = 100


def propose(state: State, festival: Festival, body: RequestAllocation, event: Event, planner: Planner) -> Carried:
    """Plan what was asked for, and with `consent` ask inventory for it at once."""
    wrong = check(state, festival, body.request, body.hold_hours) or _check(state, festival, body)
    if wrong is not None:
        return wrong
    request = Request(
        id=request_id(festival.id, body.request),
        festival=festival.id,
        name=body.request,
        demands=tuple(Wanted(demand.booth, demand.product, demand.qty) for demand in body.demands),
        hold_hours=body.hold_hours,
        even=body.even,
        revise_at_percent=body.revise_at_percent,
    )
    booths = {demand.booth for demand in body.demands}
    rules = bounds(
        festival,
        event.logged_at,
        sold_so_far(state, paces_of(state, booths), booths),
        state.find(promising_at(festival.id)),
        even=body.even,
    )
    return planned(state, request, rules, event, planner, consent=body.consent)


def planned(
    state: State, request: Request, rules: Rules, event: Event, planner: Planner, *, consent: bool
) -> Carried:
    """Plan a new request, and with `consent` ask inventory for it at once."""
    stock = plannable(seen(state, {demand.product for demand in request.demands}), request)
    proposal = planner.propose(event, request, request.demands, stock, {}, rules)
    if isinstance(proposal, Wrong):
        return proposal
    offers = tuple(Offer(facility, product, qty) for (facility, product), qty in proposal.offers.items())
    request, said = add_plan(replace(request, offers=offers), proposal, replan=False)
    begin = requests.accept if consent else requests.wait
    request, told = begin(request, event.logged_at)
    return state.put(request), said + told


def accept(state: State, festival: Festival, body: AcceptPlan, at: datetime) -> Carried:
    """Make a proposed plan real, or the revision that waits."""
    request = state.get(Request, request_id(festival.id, body.request))
    if request is None:
        return Wrong("request", CommandRefusal.UNKNOWN_REQUEST, f"{festival.name} has no request {body.request}.")
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    if request.status is RequestStatus.WITHDRAWN:
        message = f"The plan of {body.request} was withdrawn: it was not accepted in time. Ask in a new request."
        return Wrong("request", CommandRefusal.WRONG_STATE, message)
    if request.waiting is None and request.status is not RequestStatus.PROPOSED:
        message = f"The plan of {body.request} was accepted before; it is {request.status.value}."
        if request.outdated:
            message = (
                f"The change of {body.request} that waited was withdrawn: something that it gave back was sent, a "
                "booth closed, or its time was over. Nothing of it was carried out; ask for a revision of what is so "
                "now."
            )
        return Wrong("request", CommandRefusal.WRONG_STATE, message)
    wrong = acceptance.too_late(festival, request, at) or acceptance.no_room(state, festival, request, at)
    if wrong is not None:
        return wrong
    begin = requests.accept if request.waiting is None else carry_out
    request, said = begin(request, at)
    return state.put(request), said


def check(state: State, festival: Festival, name: str, hold_hours: int) -> Wrong | None:
    """Why there can be no new request with this name, to be held for so long."""
    if festival.status is not FestivalStatus.OPEN:
        return not_open(festival)
    if (wrong := misnamed("request", names.REQUEST, name)) is not None:
        return wrong
    if state.get(Request, request_id(festival.id, name)) is not None:
        return Wrong("request", CommandRefusal.ALREADY_EXISTS, f"There is a request {name} already.")
    if not 0 <= hold_hours <= MAX_HOLD_HOURS:
        message = f"Stock can be held from 0 to {MAX_HOLD_HOURS} hours."
        return Wrong("hold_hours", CommandRefusal.OUT_OF_RANGE, message)
    return None


def _check(state: State, festival: Festival, body: RequestAllocation) -> Wrong | None:
    if body.revise_at_percent is not None and not 1 <= body.revise_at_percent <= WHOLE:
        message = f"A request can be revised by itself at 1 to {WHOLE} percent of what it asks for."
        return Wrong("revise_at_percent", CommandRefusal.OUT_OF_RANGE, message)
    if not body.demands:
        return Wrong("demands", CommandRefusal.NOTHING_TO_PLAN, "The request asks for nothing.")
    if len(body.demands) > MAX_DEMANDS:
        message = f"A request has at most {MAX_DEMANDS} demands. Ask in several requests, for some booths each."
        return Wrong("demands", CommandRefusal.TOO_MANY, message)
    if len({(demand.booth, demand.product) for demand in body.demands}) < len(body.demands):
        message = "A booth asks for one product twice; give one number for each product."
        return Wrong("demands", CommandRefusal.NAMED_TWICE, message)
    return next(filter(None, (_check_demand(state, festival, demand) for demand in body.demands)), None)


def _check_demand(state: State, festival: Festival, demand: Demand) -> Wrong | None:
    booth = state.get(Booth, demand.booth)
    if booth is None or booth.festival != festival.id:
        return Wrong("demands", CommandRefusal.UNKNOWN_BOOTH, f"{festival.name} has no booth {demand.booth}.")
    if booth.status is not BoothStatus.OPEN:
        return Wrong("demands", CommandRefusal.WRONG_STATE, f"Booth {booth.id} takes no more stock: it is closing.")
    if not any(price.product == demand.product for price in booth.prices):
        message = f"Booth {booth.id} has no price for {demand.product}, so it can't sell it."
        return Wrong("demands", CommandRefusal.NO_PRICE, message)
    return None
