"""Requests for stock: a fair plan is proposed, and carried out on acceptance."""

from datetime import date, datetime, timedelta
from math import ceil

from services.festival.domain.allocation import acceptance, pages
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import day_over, local_day, planning_rules
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Request,
    RequestStatus,
    add_plan,
    new_request,
    request_id,
    with_terms,
)
from services.festival.domain.allocation.revision import carry_out
from services.festival.domain.allocation.shortage import available_lots
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.booth_sales import booth_sales_of, booths_less_sold
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import Festival, FestivalStatus, check_names, festival_not_open
from services.festival.domain.line import Offer
from services.festival.domain.planning import RequestDemand, Rules
from services.festival.domain.stock import seen
from shared.events import names
from shared.events.festival import AcceptPlan, CommandRefusal, Demand, RequestAllocation
from shared.events.language import Event
from shared.runtime.state import State
from shared.wording import Message

HOLD_HOURS = 72
MAX_HOLD_HOURS = 90 * 24
# About as many as one command of 256 KiB can name.
MAX_DEMANDS = 4000
WHOLE = 100


def propose(
    state: State, festival: Festival, body: RequestAllocation, event: Event, planner: Planner
) -> CommandResult:
    """A new request with its plan, and the events. With `consent` inventory is asked for the stock at once."""
    over = day_over(festival, body.day) if body.day is not None else None
    hold_hours = body.hold_hours
    if hold_hours is None:
        hold_hours = HOLD_HOURS if over is None else max(0, ceil((over - event.logged_at) / timedelta(hours=1)))
    rejection = (
        check_new_request(state, festival, body.request, body.hold_hours or 0)
        or _check_day(festival, body.day, event.logged_at)
        or _check_demands(state, festival, body)
    )
    if rejection is not None:
        return rejection
    request = new_request(
        festival,
        body.request,
        [RequestDemand(demand.booth, demand.product, demand.qty) for demand in body.demands],
        hold_hours=hold_hours,
        spread_evenly=body.even,
        revise_at_percent=body.revise_at_percent,
        day=body.day,
        day_over=over,
    )
    booths = {demand.booth for demand in body.demands}
    rules = planning_rules(
        festival,
        event.logged_at,
        booths_less_sold(state, booth_sales_of(state, booths), booths),
        pages.promised_at(state, booths),
        spread_evenly=body.even,
        day=body.day,
    )
    return plan_request(state, request, rules, event, planner, consent=body.consent)


def plan_request(
    state: State, request: Request, rules: Rules, event: Event, planner: Planner, *, consent: bool
) -> CommandResult:
    """Plan a new request, and with `consent` ask inventory for it at once."""
    stock = available_lots(seen(state, {demand.product for demand in request.demands}), request)
    proposal = planner.propose(event, request, request.demands, stock, {}, rules)
    if isinstance(proposal, Rejection):
        return proposal
    offers = tuple(Offer(facility, product, qty) for (facility, product), qty in proposal.offers.items())
    request, publications = add_plan(with_terms(request, offers=offers), proposal, replan=False)
    next_step = requests.accept if consent else requests.await_acceptance
    request, outputs = next_step(request, event.logged_at)
    return pages.put(state, request), publications + outputs


def accept(state: State, festival: Festival, body: AcceptPlan, at: datetime) -> CommandResult:
    """The request with its proposed plan or pending revision accepted, and the orders."""
    request = pages.whole(state, request_id(festival.id, body.request))
    if request is None:
        return Rejection(
            "request",
            CommandRefusal.UNKNOWN_REQUEST,
            Message("{festival} has no request {request}.", festival=festival.name, request=body.request),
        )
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    if request.status is RequestStatus.WITHDRAWN:
        message = Message(
            "The plan of {request} was withdrawn: it was not accepted in time. Ask in a new request.",
            request=body.request,
        )
        return Rejection("request", CommandRefusal.WRONG_STATE, message)
    if request.waiting is None and request.status is not RequestStatus.PROPOSED:
        message = Message(
            "The plan of {request} was accepted before; it is {status:word}.",
            request=body.request,
            status=request.status.value,
        )
        if request.outdated:
            message = Message(
                "The revision of {request} was withdrawn before it was accepted: stock that it gave "
                "back was sent, lost pieces were found, a booth closed, or its time was over. "
                "Nothing of it was carried out. Ask for a new revision.",
                request=body.request,
            )
        return Rejection("request", CommandRefusal.WRONG_STATE, message)
    rejection = acceptance.too_late(festival, request, at) or acceptance.no_room(state, festival, request, at)
    if rejection is not None:
        return rejection
    next_step = requests.accept if request.waiting is None else carry_out
    request, outputs = next_step(request, at)
    return pages.put(state, request), outputs


def check_new_request(state: State, festival: Festival, name: str, hold_hours: int) -> Rejection | None:
    """The rejection of a new request with this name and hold, or None."""
    if festival.status is not FestivalStatus.OPEN:
        return festival_not_open(festival)
    if (rejection := check_names("request", names.REQUEST, name)) is not None:
        return rejection
    if state.get(Request, request_id(festival.id, name)) is not None:
        return Rejection(
            "request", CommandRefusal.ALREADY_EXISTS, Message("There is a request {request} already.", request=name)
        )
    if not 0 <= hold_hours <= MAX_HOLD_HOURS:
        message = Message("Stock can be held from 0 to {most} hours.", most=MAX_HOLD_HOURS)
        return Rejection("hold_hours", CommandRefusal.OUT_OF_RANGE, message)
    return None


def _check_day(festival: Festival, day: date | None, at: datetime) -> Rejection | None:
    if day is None:
        return None
    if not festival.first_day <= day <= festival.last_day:
        message = Message(
            "{festival} is from {first_day} to {last_day}; {day} is no day of it.",
            festival=festival.name,
            first_day=str(festival.first_day),
            last_day=str(festival.last_day),
            day=str(day),
        )
        return Rejection("day", CommandRefusal.WRONG_DAYS, message)
    if day < (today := local_day(festival, at)):
        message = Message(
            "{day} is over; name {today} or a later day, or leave the day out.", day=str(day), today=str(today)
        )
        return Rejection("day", CommandRefusal.WRONG_DAYS, message)
    return None


def _check_demands(state: State, festival: Festival, body: RequestAllocation) -> Rejection | None:
    if body.revise_at_percent is not None and not 1 <= body.revise_at_percent <= WHOLE:
        message = Message(
            "A request can be revised by itself at 1 to {most} percent of what it asks for.", most=WHOLE
        )
        return Rejection("revise_at_percent", CommandRefusal.OUT_OF_RANGE, message)
    if not body.demands:
        return Rejection("demands", CommandRefusal.NOTHING_TO_PLAN, Message("The request asks for nothing."))
    if len(body.demands) > MAX_DEMANDS:
        message = Message(
            "A request has at most {most} demands. Ask in several requests, for some booths each.",
            most=MAX_DEMANDS,
        )
        return Rejection("demands", CommandRefusal.TOO_MANY, message)
    if len({(demand.booth, demand.product) for demand in body.demands}) < len(body.demands):
        message = Message("A booth asks for one product twice; give one number for each product.")
        return Rejection("demands", CommandRefusal.NAMED_TWICE, message)
    return next(filter(None, (_check_demand(state, festival, demand) for demand in body.demands)), None)


def _check_demand(state: State, festival: Festival, demand: Demand) -> Rejection | None:
    booth = state.get(Booth, demand.booth)
    if booth is None or booth.festival != festival.id:
        return Rejection(
            "demands",
            CommandRefusal.UNKNOWN_BOOTH,
            Message("{festival} has no booth {booth}.", festival=festival.name, booth=demand.booth),
        )
    if booth.status is not BoothStatus.OPEN:
        return Rejection(
            "demands",
            CommandRefusal.WRONG_STATE,
            Message("Booth {booth} takes no more stock: it is closing.", booth=booth.id),
        )
    if not any(price.product == demand.product for price in booth.prices):
        message = Message(
            "Booth {booth} has no price for {product}, so it can't sell it.", booth=booth.id, product=demand.product
        )
        return Rejection("demands", CommandRefusal.NO_PRICE, message)
    return None
