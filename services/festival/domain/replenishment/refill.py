"""A refill while booths sell: what may move between them is proposed, what facilities should send is planned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.festival.domain import command
from services.festival.domain.allocation import allocation
from services.festival.domain.allocation.bounds import bounds, day_of
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import Request, promising_at, request_id
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.command import Carried, Wrong
from services.festival.domain.festival import Festival, booths_of
from services.festival.domain.pace import BoothPace, as_sold, paces
from services.festival.domain.planning import Conflict
from services.festival.domain.replenishment import (
    Forecast,
    Held,
    Hour,
    Move,
    Pace,
    Proposal,
    Refill,
    Situation,
    after,
    propose,
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
from shared.runtime.state import State

MAX_PRODUCTS = 500
LONGEST = timedelta(hours=24)
# It has to stay a readable record, and people have to carry it out before closing.
MOST_FORECASTS, MOST_MOVES, MOST_REFILLS = 400, 120, 120
_HOUR = 3600
# A plan that nobody has accepted is not on its way.
_TO_COME = frozenset({LineStatus.ASKED, LineStatus.RESERVED, LineStatus.DISPATCHING})


@dataclass(frozen=True, slots=True)
class Replenishment:
    """What was proposed under the name of one request, as in ReplenishmentProposed. `conflicts`: why there is no such
    request, though facilities should send something."""

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


def ask(state: State, festival: Festival, body: Replenish, event: Event, planner: Planner) -> Carried:
    """Propose a refill, from what is known when the command comes to its turn."""
    wrong = _check(state, festival, body, event.logged_at)
    if wrong is not None:
        return wrong
    known = paces(state, festival.id)
    booths = [
        as_sold(booth, known.get(booth.id))
        for booth in booths_of(state, festival.id)
        if booth.status is BoothStatus.OPEN
    ]
    requests = state.find(promising_at(festival.id))
    # What does not come by the day on which booths sell comes too late.
    days_left = _days(festival, event.logged_at, body.opens)
    rules = replace(bounds(festival, event.logged_at, booths, requests), days_left=days_left)
    now = Situation(
        at=event.logged_at,
        until=body.until,
        sells={booth.id: frozenset(tag.product for tag in booth.prices) for booth in booths},
        paces=tuple(_paces(booths, known, event.logged_at)),
        held=(*_held(booths), *_coming(booths, requests)),
        rules=rules,
        most_moves=MOST_MOVES,
        opens=body.opens,
    )
    found = ordered(propose(now), body.products)
    kept = Replenishment(
        id=request_id(festival.id, body.request),
        festival=festival.id,
        name=body.request,
        at=event.logged_at,
        until=body.until,
        forecasts=found.forecasts,
        moves=found.moves,
        refills=found.refills,
        opens=body.opens,
    )
    state = state.put(kept)
    if not found.refills:
        return state, [said_of(kept)]
    request = Request(
        id=kept.id,
        festival=festival.id,
        name=body.request,
        demands=tuple(refill.wanted for refill in found.refills),
        hold_hours=body.hold_hours,
    )
    planned = allocation.planned(state, request, after(rules, found.moves), event, planner, consent=body.consent)
    if isinstance(planned, Wrong) and planned.reason is CommandRefusal.NOTHING_TO_PLAN:
        # People can still carry what moves between booths.
        kept = replace(kept, conflicts=planned.conflicts)
        return state.put(kept), [said_of(kept)]
    if isinstance(planned, Wrong):
        return planned
    state, said = planned
    # Behind the plan: a rebuild knows that by being the first.
    return state, [*said, said_of(kept)]


def _check(state: State, festival: Festival, body: Replenish, at: datetime) -> Wrong | None:
    if len(body.products) > MAX_PRODUCTS:
        return Wrong("products", CommandRefusal.TOO_MANY, f"Name at most {MAX_PRODUCTS} products.")
    if not timedelta() < body.until - at <= LONGEST:
        message = "Say until when the booths are open: later than now, within 24 hours."
        return Wrong("until", CommandRefusal.OUT_OF_RANGE, message)
    if body.opens is not None and body.opens >= body.until:
        message = "Booths open before they close: say an earlier time."
        return Wrong("opens", CommandRefusal.OUT_OF_RANGE, message)
    if state.get(Replenishment, request_id(festival.id, body.request)) is not None:
        message = f"There is a replenishment {body.request} already."
        return Wrong("request", CommandRefusal.ALREADY_EXISTS, message)
    return allocation.check(state, festival, body.request, body.hold_hours)


def _days(festival: Festival, at: datetime, opens: datetime | None) -> int:
    """From today to the day on which booths open again, by the calendar there; 0 if they are open."""
    return 0 if opens is None else max(0, (day_of(festival, opens) - day_of(festival, at)).days)


def _held(booths: Iterable[Booth]) -> Iterator[Held]:
    for booth in booths:
        accounts = booth.accounts()
        for lot in booth.lots:
            yield Held(
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


def _coming(booths: Iterable[Booth], requests: Iterable[Request]) -> Iterator[Held]:
    """What facilities hold for the booths and have not sent yet: the refill of an hour ago is not asked for again."""
    ids = {booth.id for booth in booths}
    for request in requests:
        for line in request.lines:
            if line.booth in ids and line.status in _TO_COME:
                yield Held(
                    booth=line.booth,
                    lot=line.lot,
                    facility=line.facility,
                    product=line.product,
                    made_on=line.made_on,
                    left=0,
                    coming=line.qty,
                    best_before=line.best_before,
                )


def _paces(booths: Sequence[Booth], known: Mapping[str, BoothPace], at: datetime) -> Iterator[Pace]:
    now = int(at.timestamp())
    for booth in booths:
        pace = known.get(booth.id)
        for product, hours in pace.hours if pace is not None else ():
            # A till whose clock is ahead may have sold tomorrow.
            past = tuple(Hour(*hour) for hour in hours if hour[0] * _HOUR <= now)
            if past:
                yield Pace(booth.id, product, past)


def ordered(found: Proposal, products: Sequence[str]) -> Proposal:
    """The most urgent first, and no more than one record holds; facilities send only of these products. The moves
    are bounded before: what can't be carried is sent."""
    # To the minute: nobody knows it better, and no database keeps it better than to the millisecond.
    forecasts = [
        replace(one, runs_out=one.runs_out and one.runs_out.replace(second=0, microsecond=0))
        for one in sorted(found.forecasts, key=lambda one: (-one.missing, one.booth, one.product))
    ]
    refills = [one for one in found.refills if one.wanted.product in products]
    refills.sort(key=lambda one: (-one.wanted.qty, one.wanted.booth, one.wanted.product))
    return Proposal(tuple(forecasts[:MOST_FORECASTS]), found.moves, tuple(refills[:MOST_REFILLS]))


def said_of(kept: Replenishment) -> Publication:
    """The event that shows it."""
    return FESTIVAL.of(
        ReplenishmentProposed(
            festival=kept.festival,
            request=kept.name,
            at=kept.at,
            until=kept.until,
            opens=kept.opens,
            forecasts=tuple(BoothForecast.model_validate(one, from_attributes=True) for one in kept.forecasts),
            transfers=tuple(ProposedTransfer.model_validate(one, from_attributes=True) for one in kept.moves),
            refills=tuple(
                ProposedRefill(
                    booth=one.wanted.booth,
                    product=one.wanted.product,
                    qty=one.wanted.qty,
                    reason=one.reason,
                    reason_id=one.reason_id,
                )
                for one in kept.refills
            ),
            conflicts=tuple(command.said_of(one) for one in kept.conflicts),
        )
    )
