"""An allocation request and its lines: proposed, accepted, reserved, released. Inventory answers each line once.

A line's reservation id is `<festival>/<request>.<n>`, so every answer names its request.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from services.festival.domain.allocation.difference import Revision
from services.festival.domain.allocation.lines import Lines
from services.festival.domain.command import conflict_event
from services.festival.domain.festival import Festival
from services.festival.domain.line import (
    COUNTED,
    HELD,
    AllocationLine,
    Cap,
    LineStatus,
    Offer,
)
from services.festival.domain.planning import Conflict, Plan, RequestDemand, Share
from shared.events.festival import (
    FESTIVAL,
    AllocationConfirmed,
    AllocationFellShort,
    AllocationPlanned,
    AllocationWithdrawn,
    FacilityShare,
    PlanLine,
    PlanOffer,
    Shortfall,
    Surplus,
    Withdrawal,
)
from shared.events.inventory import STOCK_ORDERS, ReleaseRequested, ReservationRequested
from shared.events.language import Deadline, Publication
from shared.events.parts import in_parts
from shared.runtime.state import OwnedQuery

HOLD_DEADLINE = "hold/"


class RequestStatus(StrEnum):
    """`WITHDRAWN`: the plan was not accepted in time, or not before the festival was cancelled or closed."""

    PROPOSED = "proposed"
    RESERVING = "reserving"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """All of a request that grows with its plan but its lines, as stored. Answers to single lines do not need it.

    - `shares`: of each facility, with the reason, by the latest plan that could use its stock.
    - `conflicts`: of each booth and product, by the latest plan that was short of it.
    """

    id: str
    festival: str
    demands: tuple[RequestDemand, ...]
    offers: tuple[Offer, ...] = ()
    caps: tuple[Cap, ...] = ()
    shares: tuple[Share, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    revision: Revision | None = None


class Beyond(NamedTuple):
    """Pieces of a product that a booth gets beyond its demand: lost pieces were replaced, and found after all."""

    booth: str
    product: str
    qty: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request for stock, with its plan. As stored it has neither terms nor loaded lines: see `pages`.

    - `hold_until`: the time by which the plan must be accepted, and after that its lines sent. `lapsed`: it is over.
    - `asked`: the pieces of all demands. `plans`: the number of plans and revisions so far.
    - `closed`: booths that take no more. `excluded_facilities`: by the latest revision.
    - `lost`, `recalled`, `freed`: pieces lost on the way, recalled before dispatch, and given back by closed booths,
      since the latest revision. `revising`: they reached the threshold, and festival has asked itself to revise.
    - `stranded`: pieces reserved for closed booths. `waiting`: the facilities that the pending revision excludes;
      None if no revision is pending.
    - `outdated`: the latest revision was withdrawn before it was accepted.
    - `beyond`: the demands that the lines more than cover, with the pieces beyond, in the order of their names.
    - `day`: the one day that the stock is for, if not all. `day_over`: its end. No stock is held beyond it.
    """

    id: str
    festival: str
    name: str
    asked: int
    hold_hours: int
    status: RequestStatus = RequestStatus.PROPOSED
    lines: Lines = field(default_factory=Lines)
    terms: PlanTerms | None = None
    plans: int = 0
    hold_until: datetime | None = None
    lapsed: bool = False
    spread_evenly: bool = True
    revise_at_percent: int | None = None
    closed: tuple[str, ...] = ()
    excluded_facilities: tuple[str, ...] = ()
    lost: int = 0
    freed: int = 0
    recalled: int = 0
    stranded: int = 0
    revising: bool = False
    waiting: tuple[str, ...] | None = None
    outdated: bool = False
    beyond: tuple[Beyond, ...] = ()
    day: date | None = None
    day_over: datetime | None = None

    @property
    def details(self) -> PlanTerms:
        """The terms. Raises LookupError if they are not loaded."""
        if self.terms is None:
            raise LookupError(f"The terms of {self.id} are not loaded.")
        return self.terms

    @property
    def demands(self) -> tuple[RequestDemand, ...]:
        return self.details.demands

    @property
    def offers(self) -> tuple[Offer, ...]:
        return self.details.offers

    @property
    def caps(self) -> tuple[Cap, ...]:
        return self.details.caps

    @property
    def shares(self) -> tuple[Share, ...]:
        return self.details.shares

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return self.details.conflicts

    @property
    def revision(self) -> Revision | None:
        """The latest revision, pending or carried out. One that was withdrawn is none."""
        revision = self.details.revision
        return None if revision is None or not (revision.carried_out or self.waiting is not None) else revision

    @property
    def pending_revision(self) -> Revision | None:
        """The revision that is not accepted yet, if any."""
        return None if self.waiting is None else self.revision

    @property
    def short(self) -> int:
        """The pieces that the lines do not cover. Pieces beyond one demand cover no other."""
        # Documents that are older than `beyond` may lack it.
        return max(0, self.asked - self.lines.pieces() + sum(beyond.qty for beyond in self.beyond))


def new_request(
    festival: Festival,
    name: str,
    demands: Iterable[RequestDemand],
    *,
    hold_hours: int,
    spread_evenly: bool = True,
    revise_at_percent: int | None = None,
    day: date | None = None,
    day_over: datetime | None = None,
) -> Request:
    """A request without a plan."""
    id, wanted = request_id(festival.id, name), tuple(demands)
    return Request(
        id=id,
        festival=festival.id,
        name=name,
        asked=sum(demand.qty for demand in wanted),
        hold_hours=hold_hours,
        terms=PlanTerms(id, festival.id, wanted),
        spread_evenly=spread_evenly,
        revise_at_percent=revise_at_percent,
        day=day,
        day_over=day_over,
    )


def with_terms(request: Request, **changes: Any) -> Request:
    """The request with these terms changed."""
    return replace(request, terms=replace(request.details, **changes))


Outputs: TypeAlias = list[Publication | Deadline]
Change: TypeAlias = tuple[Request, Outputs]


def request_id(festival: str, name: str) -> str:
    return f"{festival}/{name}"


def requests_at(festival: str) -> OwnedQuery[Request]:
    """All requests of the festival."""
    return OwnedQuery(Request, "festival", festival)


def request_of(reservation: str) -> str:
    """The id of the request that a reservation belongs to. Other ids give an id of no request."""
    return reservation.rpartition(".")[0]


def find_line(request: Request, reservation: str) -> AllocationLine | None:
    """The request's line of this reservation."""
    index = line_index(reservation)
    line = request.lines.find(index) if index is not None else None
    return line if line is not None and line.reservation == reservation else None


def line_index(reservation: str) -> int | None:
    """The index of a reservation among the lines of its request, or None if it can't be one of a line."""
    number = reservation.rpartition(".")[2]
    return int(number) - 1 if number.isascii() and number.isdecimal() and number[0] != "0" else None


def with_status(request: Request, line: AllocationLine, status: LineStatus) -> Request:
    """The request with the line in this status."""
    index = line_index(line.reservation)
    assert index is not None, "a line has a number"
    change = (status is LineStatus.RESERVED) - (line.status is LineStatus.RESERVED)
    stranded = change * line.qty if line.booth in request.closed else 0
    after = replace(line, status=status)
    return replace(
        request,
        lines=request.lines.with_line(index, after),
        stranded=request.stranded + stranded,
        beyond=_changed(request.beyond, [(line, after)]),
    )


def record_loss(request: Request, reservation: str, qty: int) -> Request:
    """The request after `qty` more pieces of a line did not arrive with its shipment; below 0: were found after all.

    A revision may have replaced found pieces already: `lost` then has nothing to give back, and the pieces may be
    beyond their demand. `recount_beyond` counts those anew.
    """
    line, index = find_line(request, reservation), line_index(reservation)
    if line is None or index is None:
        return request
    after = replace(line, lost=line.lost + qty)
    return replace(
        request,
        lines=request.lines.with_line(index, after),
        lost=max(0, request.lost + qty),
        beyond=_changed(request.beyond, [(line, after)]),
    )


def shortfalls(request: Request) -> tuple[Shortfall, ...]:
    """The demands that the lines do not cover in full."""
    covered = _covered(request.lines)
    return tuple(
        Shortfall(booth=demand.booth, product=demand.product, asked=demand.qty, short=missing)
        for demand in request.demands
        if (missing := demand.qty - covered.get((demand.booth, demand.product), 0)) > 0
    )


def surpluses(request: Request, booth: str | None = None) -> tuple[Surplus, ...]:
    """The demands (of one booth or all) that the loaded lines more than cover.

    That happens when lost pieces were replaced and found after all.
    """
    covered = _covered(request.lines.loaded)
    return tuple(
        Surplus(booth=demand.booth, product=demand.product, asked=demand.qty, surplus=beyond)
        for demand in request.demands
        if booth in (None, demand.booth)
        and (beyond := covered.get((demand.booth, demand.product), 0) - demand.qty) > 0
    )


def recount_beyond(request: Request, booth: str) -> Request:
    """The request with the pieces beyond the demands of this booth, of which all pages must be loaded."""
    kept = (beyond for beyond in request.beyond if beyond.booth != booth)
    counted = (Beyond(row.booth, row.product, row.surplus) for row in surpluses(request, booth))
    return replace(request, beyond=tuple(sorted((*kept, *counted))))


def _changed(
    beyond: tuple[Beyond, ...], changes: Iterable[tuple[AllocationLine, AllocationLine]]
) -> tuple[Beyond, ...]:
    """The pieces beyond demands after lines changed. A demand that was not more than covered gains none."""
    if not beyond:
        return beyond
    pieces = {(row.booth, row.product): row.qty for row in beyond}
    for before, after in changes:
        pair = before.booth, before.product
        if pair in pieces:
            pieces[pair] += _counted_pieces(after) - _counted_pieces(before)
    return tuple(Beyond(*pair, qty) for pair, qty in sorted(pieces.items()) if qty > 0)


def _counted_pieces(line: AllocationLine) -> int:
    return line.qty - line.lost if line.status in COUNTED else 0


def _covered(lines: Iterable[AllocationLine]) -> dict[tuple[str, str], int]:
    """The pieces by booth and product that count for the demands."""
    covered: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.status in COUNTED:
            covered[line.booth, line.product] = covered.get((line.booth, line.product), 0) + line.qty - line.lost
    return covered


def add_plan(request: Request, plan: Plan, *, replan: bool) -> Change:
    """The request with the lines of the plan behind its own, and the event in its parts."""
    lines = lines_of(request, plan)
    request = with_reasons(
        replace(request, lines=request.lines + lines, plans=request.plans + 1), plan.shares, plan.conflicts
    )
    return request, [*plan_events(request, lines, plan, replan=replan)]


def lines_of(request: Request, plan: Plan) -> tuple[AllocationLine, ...]:
    """The lines of the plan, numbered behind those of the request.

    The lines of a booth stand together, so that a shipment to it concerns few pages.
    """
    first = len(request.lines) + 1
    return tuple(
        AllocationLine(
            reservation=f"{request.id}.{first + n}",
            booth=allotment.booth,
            product=allotment.lot.product,
            facility=allotment.lot.facility,
            lot=allotment.lot.lot,
            made_on=allotment.lot.made_on,
            qty=allotment.qty,
            revision=allotment.lot.revision,
            status=LineStatus.PLANNED,
            why=allotment.why,
            first=allotment.first,
            best_before=allotment.lot.best_before,
        )
        for n, allotment in enumerate(sorted(plan.allotments, key=attrgetter("booth")))
    )


def with_reasons(request: Request, shares: Iterable[Share], conflicts: Iterable[Conflict]) -> Request:
    """The request with these shares and conflicts in place of earlier ones of the same facility or demand."""
    share_of = {share.facility: share for share in (*request.shares, *shares)}
    conflict_of = {
        (conflict.booth, conflict.product): replace(conflict, kept=())
        for conflict in (*request.conflicts, *conflicts)
    }
    return with_terms(
        request,
        shares=tuple(share for _, share in sorted(share_of.items())),
        conflicts=tuple(conflict for _, conflict in sorted(conflict_of.items())),
    )


def plan_events(
    request: Request, lines: tuple[AllocationLine, ...], plan: Plan, *, replan: bool
) -> Iterator[Publication]:
    """The parts of the event of a plan, whose `lines` the request already has.

    What is short of a demand is said by the plan that was made for it.
    """
    concerned = {(line.booth, line.product) for line in lines} | {(gap.booth, gap.product) for gap in plan.short}
    planned = AllocationPlanned(
        festival=request.festival,
        request=request.name,
        replan=replan,
        lines=tuple(_plan_line(line) for line in lines),
        shares=tuple(
            FacilityShare(
                facility=share.facility,
                offered=share.offered,
                allocated=share.allocated,
                reason=share.reason,
                reason_id=share.reason_id,
            )
            for share in plan.shares
        ),
        short=tuple(gap for gap in shortfalls(request) if (gap.booth, gap.product) in concerned),
        offers=tuple(
            PlanOffer(facility=facility, product=product, qty=qty) for (facility, product), qty in plan.offers.items()
        ),
        conflicts=tuple(conflict_event(conflict) for conflict in plan.conflicts),
        shipments=plan.shipments,
        shipments_at_least=plan.shipments_at_least,
        plan=request.plans,
    )
    return map(FESTIVAL.of, in_parts(planned))


def await_acceptance(request: Request, at: datetime) -> Change:
    """The request as waiting for acceptance, with its deadline."""
    return _hold(request, at)


def accept(request: Request, at: datetime) -> Change:
    """The request as accepted: reservations requested for every line, and the deadline for dispatch."""
    request, orders = ask(replace(request, status=RequestStatus.RESERVING, lapsed=False))
    # Set even if there is nothing to hold: it replaces the deadline for acceptance.
    request, deadline = _hold(request, at)
    request, events = conclude(request)
    return request, orders + deadline + events


def ask(request: Request) -> Change:
    """The request with a reservation requested for every planned line, and the orders."""
    orders: Outputs = [
        STOCK_ORDERS.of(
            ReservationRequested(
                lot=line.lot,
                reservation=line.reservation,
                festival=request.festival,
                booth=line.booth,
                request=request.name,
                qty=line.qty,
            )
        )
        for line in request.lines
        if line.status is LineStatus.PLANNED
    ]
    return with_all_statuses(request, LineStatus.PLANNED, LineStatus.ASKED), orders


def reserved(request: Request, reservation: str) -> Change:
    """The request after inventory reserved the line. If the hold is over by now, the line is released at once."""
    line = find_line(request, reservation)
    if line is None or line.status is not LineStatus.ASKED:
        return request, []
    if request.lapsed:
        return with_status(request, line, LineStatus.RELEASING), [_release_event(request, line)]
    return conclude(with_status(request, line, LineStatus.RESERVED))


def released(request: Request, reservation: str) -> Change:
    """The request after inventory released the line. A line in dispatch waits for the answer to its dispatch."""
    line = find_line(request, reservation)
    if line is None or line.status not in (LineStatus.RESERVED, LineStatus.RELEASING):
        return request, []
    return conclude(line_released(request, line))


def line_released(request: Request, line: AllocationLine) -> Request:
    """The request without a line that inventory no longer holds. If festival did not release it, a recall did."""
    given_back = line.status is LineStatus.RELEASING
    request = with_status(request, line, LineStatus.RELEASED)
    return request if given_back else replace(request, recalled=request.recalled + line.qty)


def give_back(request: Request, lines: Iterable[AllocationLine]) -> Change:
    """The request without these reserved or planned lines, and the release orders."""
    orders: Outputs = []
    for line in lines:
        if line.status is LineStatus.RESERVED:
            request = with_status(request, line, LineStatus.RELEASING)
            orders.append(_release_event(request, line))
        else:
            request = with_status(request, line, LineStatus.RELEASED)
    return request, orders


def withdraw_revision(request: Request) -> Request:
    """The request without its pending revision, which no longer fits. No part of it is carried out."""
    if request.waiting is None:
        return without_proposed(request)
    return without_proposed(replace(request, waiting=None, outdated=True))


def without_proposed(request: Request) -> Request:
    """The request without what is left of a withdrawn revision: its proposed lines and its terms."""
    if request.details.revision is None or request.revision is not None:
        return request
    return with_terms(with_all_statuses(request, LineStatus.PROPOSED, LineStatus.RELEASED), revision=None)


def lapse(request: Request, why: Withdrawal) -> Change:
    """The request without its unsent lines, and the events.

    Reserved lines go back at once, requested ones when they are answered. A plan that was not accepted is withdrawn
    for the reason `why`.
    """
    if request.status is RequestStatus.WITHDRAWN:
        return request, []
    if request.status is RequestStatus.PROPOSED:
        withdrawn = with_all_statuses(request, LineStatus.PLANNED, LineStatus.RELEASED)
        withdrawal = AllocationWithdrawn(festival=request.festival, request=request.name, why=why)
        return replace(withdrawn, status=RequestStatus.WITHDRAWN, lapsed=True), [FESTIVAL.of(withdrawal)]
    request = withdraw_revision(request)
    orders: Outputs = [_release_event(request, line) for line in request.lines if line.status is LineStatus.RESERVED]
    return replace(with_all_statuses(request, LineStatus.RESERVED, LineStatus.RELEASING), lapsed=True), orders


def hold_expired(request: Request, due: datetime) -> Change:
    """The request after a deadline, which counts only if it is the latest one of the request."""
    if request.hold_until is None or due < request.hold_until or request.lapsed:
        return request, []
    return lapse(request, Withdrawal.NOT_ACCEPTED)


def conclude(request: Request) -> Change:
    """The request as settled once no line is open, with the event of its held and missing pieces.

    It is called after every change of a line. So the event is repeated when lines go back or a revision adds some.
    """
    if request.status not in (RequestStatus.RESERVING, RequestStatus.SETTLED):
        return request, []
    if not request.lines.at_rest:
        return request, []
    held = request.lines.pieces(HELD)
    short = request.short
    request = replace(request, status=RequestStatus.SETTLED)
    if short:
        fell_short = AllocationFellShort(festival=request.festival, request=request.name, reserved=held, short=short)
        return request, [FESTIVAL.of(fell_short)]
    confirmed = AllocationConfirmed(festival=request.festival, request=request.name, reserved=held)
    return request, [FESTIVAL.of(confirmed)]


def _hold(request: Request, at: datetime) -> Change:
    due = at + timedelta(hours=request.hold_hours)
    if request.day_over is not None:
        due = max(at, min(due, request.day_over))
    # A request has one deadline: the same id moves it.
    return replace(request, hold_until=due), [Deadline(HOLD_DEADLINE + request.id, request.festival, due)]


def with_all_statuses(request: Request, before: LineStatus, after: LineStatus) -> Request:
    """The request with all lines of status `before` in status `after`."""
    if not request.lines.count([before]):
        return request
    changed = {
        index: replace(line, status=after) for index, line in enumerate(request.lines) if line.status is before
    }
    beyond = _changed(request.beyond, [(request.lines[index], line) for index, line in changed.items()])
    return recount_stranded(replace(request, lines=request.lines.with_all(changed), beyond=beyond))


def recount_stranded(request: Request) -> Request:
    """The request with the sum of its stranded pieces; all its lines must be loaded, or all of its closed booths."""
    if not request.closed:
        return request
    stranded = sum(
        line.qty
        for line in request.lines.loaded
        if line.status is LineStatus.RESERVED and line.booth in request.closed
    )
    return replace(request, stranded=stranded)


def _release_event(request: Request, line: AllocationLine) -> Publication:
    return STOCK_ORDERS.of(ReleaseRequested(lot=line.lot, reservation=line.reservation, festival=request.festival))


def _plan_line(line: AllocationLine) -> PlanLine:
    return PlanLine(
        reservation=line.reservation,
        booth=line.booth,
        product=line.product,
        facility=line.facility,
        lot=line.lot,
        qty=line.qty,
        revision=line.revision,
        made_on=line.made_on,
        why=line.why,
        first=line.first,
        best_before=line.best_before,
    )
