"""The command Replenish: moves between booths are proposed, and parcels from facilities are planned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.festival.domain import command
from services.festival.domain.allocation import allocation, pages
from services.festival.domain.allocation.bounds import local_day, planning_rules
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import new_request, request_id
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.booth_sales import BoothSales, less_sold, sales_by_booth
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import Festival, booths_of
from services.festival.domain.line import AllocationLine, LineStatus
from services.festival.domain.planning import Conflict
from services.festival.domain.replenishment import (
    Forecast,
    HeldLot,
    Move,
    Proposal,
    Refill,
    SalesHistory,
    SalesHour,
    Situation,
    propose,
    rules_after,
)
from shared.events.festival import (
    FESTIVAL,
    BoothForecast,
    CommandRefusal,
    ProposedRefill,
    ProposedTransfer,
    Replenish,
    ReplenishmentProposed,
)
from shared.events.language import Event, Publication
from shared.events.parts import in_parts
from shared.runtime.state import State
from shared.wording import Message

MAX_PRODUCTS = 500
LONGEST = timedelta(hours=24)
# The lots that people can carry to a booth, or from it, before closing. Facilities send what nobody carries.
MOVES_OF_A_BOOTH = 10
# So that the proposal stays one document: some 200 bytes for a forecast, 800 for a refill with its sentences.
MAX_FORECASTS = 30_000
_HOUR = 3600
# Lines of a plan that was not accepted do not come.
_TO_COME = frozenset({LineStatus.ASKED, LineStatus.RESERVED, LineStatus.DISPATCHING})


@dataclass(frozen=True, slots=True)
class Replenishment:
    """The proposal under the name of one request, as in ReplenishmentProposed.

    `conflicts`: the reasons why there is no such request although facilities should send goods.
    """

    id: str
    festival: str
    name: str
    at: datetime
    until: datetime
    forecasts: tuple[Forecast, ...]
    moves: tuple[Move, ...]
    refills: tuple[Refill, ...]
    conflicts: tuple[Conflict, ...] = ()
    opens: datetime | None = None


def replenish(state: State, festival: Festival, body: Replenish, event: Event, planner: Planner) -> CommandResult:
    """The proposal for the state at the time of the command, with a new request for its refills, and the events."""
    rejection = _check(state, festival, body, event.logged_at)
    if rejection is not None:
        return rejection
    sales = sales_by_booth(state, festival.id)
    booths = [
        less_sold(booth, sales.get(booth.id))
        for booth in booths_of(state, festival.id)
        if booth.status is BoothStatus.OPEN
    ]
    to_come = pages.promised(state, festival.id)
    # What does not come by the day on which booths sell comes too late.
    days_left = _days_left(festival, event.logged_at, body.opens)
    rules = replace(planning_rules(festival, event.logged_at, booths, to_come), days_left=days_left)
    now = Situation(
        at=event.logged_at,
        until=body.until,
        sells={booth.id: frozenset(tag.product for tag in booth.prices) for booth in booths},
        histories=tuple(_histories(booths, sales, event.logged_at)),
        held=(*_lots_at_booths(booths), *_lots_to_come(booths, to_come)),
        rules=rules,
        most_moves=MOVES_OF_A_BOOTH * len(booths),
        opens=body.opens,
    )
    proposal = most_urgent(propose(now), body.products)
    rejection = _check_size(proposal)
    if rejection is not None:
        return rejection
    replenishment = Replenishment(
        id=request_id(festival.id, body.request),
        festival=festival.id,
        name=body.request,
        at=event.logged_at,
        until=body.until,
        forecasts=proposal.forecasts,
        moves=proposal.moves,
        refills=proposal.refills,
        opens=body.opens,
    )
    state = state.put(replenishment)
    if not proposal.refills:
        return state, [*proposal_events(replenishment)]
    demands = [refill.wanted for refill in proposal.refills]
    request = new_request(festival, body.request, demands, hold_hours=body.hold_hours)
    result = allocation.plan_request(
        state, request, rules_after(rules, proposal.moves), event, planner, consent=body.consent
    )
    if isinstance(result, Rejection) and result.reason is CommandRefusal.NOTHING_TO_PLAN:
        # The moves between booths remain possible.
        replenishment = replace(replenishment, conflicts=result.conflicts)
        return state.put(replenishment), [*proposal_events(replenishment)]
    if isinstance(result, Rejection):
        return result
    state, publications = result
    # Behind the plan: a rebuild takes the first event of the command as its plan.
    return state, [*publications, *proposal_events(replenishment)]


def _check(state: State, festival: Festival, body: Replenish, at: datetime) -> Rejection | None:
    if len(body.products) > MAX_PRODUCTS:
        return Rejection(
            "products",
            CommandRefusal.TOO_MANY,
            Message("Name at most {most} products.", most=MAX_PRODUCTS),
        )
    if not timedelta() < body.until - at <= LONGEST:
        message = Message("Say until when the booths are open: later than now, within 24 hours.")
        return Rejection("until", CommandRefusal.OUT_OF_RANGE, message)
    if body.opens is not None and body.opens >= body.until:
        message = Message("Booths open before they close: say an earlier time.")
        return Rejection("opens", CommandRefusal.OUT_OF_RANGE, message)
    if state.get(Replenishment, request_id(festival.id, body.request)) is not None:
        message = Message("There is a replenishment {request} already.", request=body.request)
        return Rejection("request", CommandRefusal.ALREADY_EXISTS, message)
    return allocation.check_new_request(state, festival, body.request, body.hold_hours)


def _check_size(proposal: Proposal) -> Rejection | None:
    if len(proposal.forecasts) > MAX_FORECASTS:
        message = Message(
            "This takes {count} forecasts, one for each product at a booth. At most {most} can be made at once.",
            count=len(proposal.forecasts),
            most=MAX_FORECASTS,
        )
        return Rejection("festival", CommandRefusal.TOO_MANY, message)
    if len(proposal.refills) > allocation.MAX_DEMANDS:
        message = Message(
            "This takes {count} demands, one for each product that a booth lacks. A request has at most {most}. Name "
            "fewer products, and the others in another request.",
            count=len(proposal.refills),
            most=allocation.MAX_DEMANDS,
        )
        return Rejection("products", CommandRefusal.TOO_MANY, message)
    return None


def _days_left(festival: Festival, at: datetime, opens: datetime | None) -> int:
    """The calendar days from today to the next opening, in the festival's zone; 0 if booths are open."""
    return 0 if opens is None else max(0, (local_day(festival, opens) - local_day(festival, at)).days)


def _lots_at_booths(booths: Iterable[Booth]) -> Iterator[HeldLot]:
    for booth in booths:
        accounts = booth.accounts()
        for lot in booth.lots:
            yield HeldLot(
                booth=booth.id,
                lot=lot.lot,
                facility=lot.facility,
                product=lot.product,
                made_on=lot.made_on,
                left=accounts[lot.lot].left,
                coming=lot.in_transit,
                best_before=lot.best_before,
                withdrawn=lot.withdrawn is not None,
            )


def _lots_to_come(booths: Iterable[Booth], lines: Iterable[AllocationLine]) -> Iterator[HeldLot]:
    """The unsent lines for the booths. With them the refill of an hour ago is not requested again."""
    ids = {booth.id for booth in booths}
    for line in lines:
        if line.booth in ids and line.status in _TO_COME:
            yield HeldLot(
                booth=line.booth,
                lot=line.lot,
                facility=line.facility,
                product=line.product,
                made_on=line.made_on,
                left=0,
                coming=line.qty,
                best_before=line.best_before,
            )


def _histories(booths: Sequence[Booth], sales: Mapping[str, BoothSales], at: datetime) -> Iterator[SalesHistory]:
    now = int(at.timestamp())
    for booth in booths:
        sales_of_booth = sales.get(booth.id)
        for product, hours in sales_of_booth.hours if sales_of_booth is not None else ():
            # A till with a fast clock may report sales of future hours.
            past = tuple(SalesHour(*hour) for hour in hours if hour[0] * _HOUR <= now)
            if past:
                yield SalesHistory(booth.id, product, past)


def most_urgent(proposal: Proposal, products: Sequence[str]) -> Proposal:
    """The proposal with the most urgent entries first. Refills are only of `products`."""
    # To the minute: a forecast is no more precise, and the database keeps milliseconds only.
    forecasts = [
        replace(forecast, runs_out=forecast.runs_out and forecast.runs_out.replace(second=0, microsecond=0))
        for forecast in sorted(
            proposal.forecasts, key=lambda forecast: (-forecast.missing, forecast.booth, forecast.product)
        )
    ]
    refills = [refill for refill in proposal.refills if refill.wanted.product in products]
    refills.sort(key=lambda refill: (-refill.wanted.qty, refill.wanted.booth, refill.wanted.product))
    return Proposal(tuple(forecasts), proposal.moves, tuple(refills))


def proposal_events(replenishment: Replenishment) -> Iterator[Publication]:
    """The parts of the event of the proposal."""
    proposed = ReplenishmentProposed(
        festival=replenishment.festival,
        request=replenishment.name,
        at=replenishment.at,
        until=replenishment.until,
        opens=replenishment.opens,
        forecasts=tuple(
            BoothForecast.model_validate(forecast, from_attributes=True) for forecast in replenishment.forecasts
        ),
        transfers=tuple(ProposedTransfer.model_validate(move, from_attributes=True) for move in replenishment.moves),
        refills=tuple(
            ProposedRefill(
                booth=refill.wanted.booth,
                product=refill.wanted.product,
                qty=refill.wanted.qty,
                reason=refill.reason,
                reason_id=refill.reason_id,
            )
            for refill in replenishment.refills
        ),
        conflicts=tuple(command.conflict_event(conflict) for conflict in replenishment.conflicts),
    )
    return map(FESTIVAL.of, in_parts(proposed))
