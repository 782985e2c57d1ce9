"""An allocation request and its lines: proposed, accepted, reserved, released. Inventory answers each line once.

A line's reservation id is `<festival>/<request>.<n>`, so every answer names its request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from services.festival.domain.allocation.difference import Revision
from services.festival.domain.command import conflict_event
from services.festival.domain.line import (
    COUNTED,
    HELD,
    OPEN,
    AllocationLine,
    Cap,
    LineStatus,
    Offer,
    has_promised,
    pieces,
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
from shared.runtime.state import OwnedQuery

HOLD_DEADLINE = "hold/"


class RequestStatus(StrEnum):
    """`WITHDRAWN`: the plan was not accepted in time, or not before the festival was cancelled or closed."""

    PROPOSED = "proposed"
    RESERVING = "reserving"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Request:
    """A request for stock, with its plan.

    - `hold_until`: the time by which the plan must be accepted, and after that its lines sent. `lapsed`: it is over.
    - `shares`: of each facility, with the reason, by the latest plan that could use its stock.
    - `conflicts`: of each booth and product, by the latest plan that was short of it.
    - `closed`: booths that take no more. `excluded_facilities`: by the latest revision.
    - `lost`, `recalled`, `freed`: pieces lost on the way, recalled before dispatch, and given back by closed booths,
      since the latest revision. `revising`: they reached the threshold, and festival has asked itself to revise.
    - `outdated`: the latest revision was withdrawn before it was accepted.
    """

    id: str
    festival: str
    name: str
    demands: tuple[RequestDemand, ...]
    hold_hours: int
    status: RequestStatus = RequestStatus.PROPOSED
    lines: tuple[AllocationLine, ...] = ()
    offers: tuple[Offer, ...] = ()
    caps: tuple[Cap, ...] = ()
    shares: tuple[Share, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    hold_until: datetime | None = None
    lapsed: bool = False
    spread_evenly: bool = True
    revise_at_percent: int | None = None
    closed: tuple[str, ...] = ()
    excluded_facilities: tuple[str, ...] = ()
    lost: int = 0
    freed: int = 0
    recalled: int = 0
    revising: bool = False
    revision: Revision | None = None
    outdated: bool = False

    @property
    def pending_revision(self) -> Revision | None:
        """The revision that is not accepted yet, if any."""
        return None if self.revision is None or self.revision.carried_out else self.revision

    @property
    def promising(self) -> str | None:
        """The festival, while something is still to come of the request."""
        return self.festival if has_promised(self.lines) else None


Outputs: TypeAlias = list[Publication | Deadline]
Change: TypeAlias = tuple[Request, Outputs]


def request_id(festival: str, name: str) -> str:
    return f"{festival}/{name}"


def requests_at(festival: str) -> OwnedQuery[Request]:
    """All requests of the festival."""
    return OwnedQuery(Request, "festival", festival)


def promising_at(festival: str) -> OwnedQuery[Request]:
    """The festival's requests of which something is still to come: they take room at its booths."""
    return OwnedQuery(Request, "promising", festival)


def request_of(reservation: str) -> str:
    """The id of the request that a reservation belongs to. Other ids give an id of no request."""
    return reservation.rpartition(".")[0]


def find_line(request: Request, reservation: str) -> AllocationLine | None:
    """The request's line of this reservation."""
    number = reservation.rpartition(".")[2]
    if number.isdecimal() and 0 < int(number) <= len(request.lines):
        line = request.lines[int(number) - 1]
        return line if line.reservation == reservation else None
    return None


def with_status(request: Request, line: AllocationLine, status: LineStatus) -> Request:
    """The request with the line in this status."""
    index = int(line.reservation.rpartition(".")[2]) - 1
    lines = (*request.lines[:index], replace(line, status=status), *request.lines[index + 1 :])
    return replace(request, lines=lines)


def record_loss(request: Request, reservation: str, qty: int) -> Request:
    """The request after `qty` more pieces of a line did not arrive with its shipment; below 0: were found after all.

    A revision may have replaced found pieces already: `lost` then has nothing to give back.
    """
    return replace(
        request,
        lines=tuple(
            replace(line, lost=line.lost + qty) if line.reservation == reservation else line for line in request.lines
        ),
        lost=max(0, request.lost + qty),
    )


def shortfalls(request: Request) -> tuple[Shortfall, ...]:
    """The demands that the lines do not cover in full."""
    covered = _covered(request)
    return tuple(
        Shortfall(booth=demand.booth, product=demand.product, asked=demand.qty, short=missing)
        for demand in request.demands
        if (missing := demand.qty - covered.get((demand.booth, demand.product), 0)) > 0
    )


def surpluses(request: Request) -> tuple[Surplus, ...]:
    """The demands that the lines more than cover, since lost pieces were replaced and found after all."""
    covered = _covered(request)
    return tuple(
        Surplus(booth=demand.booth, product=demand.product, asked=demand.qty, surplus=beyond)
        for demand in request.demands
        if (beyond := covered.get((demand.booth, demand.product), 0) - demand.qty) > 0
    )


def _covered(request: Request) -> dict[tuple[str, str], int]:
    """Pieces that the lines give, by booth and product."""
    covered: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.status in COUNTED:
            covered[line.booth, line.product] = covered.get((line.booth, line.product), 0) + line.qty - line.lost
    return covered


def add_plan(request: Request, plan: Plan, *, replan: bool) -> Change:
    """The request with the lines of the plan behind its own, and the event."""
    lines = lines_of(request, plan)
    request = with_reasons(replace(request, lines=request.lines + lines), plan.shares, plan.conflicts)
    return request, [plan_event(request, lines, plan, replan=replan)]


def lines_of(request: Request, plan: Plan) -> tuple[AllocationLine, ...]:
    """The lines of the plan, numbered behind those of the request."""
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
        for n, allotment in enumerate(plan.allotments)
    )


def with_reasons(request: Request, shares: Iterable[Share], conflicts: Iterable[Conflict]) -> Request:
    """The request with these shares and conflicts in place of earlier ones of the same facility or demand."""
    share_of = {share.facility: share for share in (*request.shares, *shares)}
    conflict_of = {
        (conflict.booth, conflict.product): replace(conflict, kept=())
        for conflict in (*request.conflicts, *conflicts)
    }
    return replace(
        request,
        shares=tuple(share for _, share in sorted(share_of.items())),
        conflicts=tuple(conflict for _, conflict in sorted(conflict_of.items())),
    )


def plan_event(request: Request, lines: tuple[AllocationLine, ...], plan: Plan, *, replan: bool) -> Publication:
    """The event of a plan, whose `lines` the request already has."""
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
        short=shortfalls(request),
        offers=tuple(
            PlanOffer(facility=facility, product=product, qty=qty) for (facility, product), qty in plan.offers.items()
        ),
        conflicts=tuple(conflict_event(conflict) for conflict in plan.conflicts),
        shipments=plan.shipments,
        shipments_at_least=plan.shipments_at_least,
    )
    return FESTIVAL.of(planned)


def await_acceptance(request: Request, at: datetime) -> Change:
    """The request as waiting for acceptance, with its deadline."""
    return _hold_until(request, at + timedelta(hours=request.hold_hours))


def accept(request: Request, at: datetime) -> Change:
    """The request as accepted: reservations requested for every line, and the deadline for dispatch."""
    request, orders = ask(replace(request, status=RequestStatus.RESERVING, lapsed=False))
    # Set even if there is nothing to hold: it replaces the deadline for acceptance.
    request, deadline = _hold_until(request, at + timedelta(hours=request.hold_hours))
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
    if request.pending_revision is None:
        return request
    return replace(with_all_statuses(request, LineStatus.PROPOSED, LineStatus.RELEASED), revision=None, outdated=True)


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
    if any(line.status in OPEN for line in request.lines):
        return request, []
    held = pieces(request.lines, HELD)
    short = shortfalls(request)
    request = replace(request, status=RequestStatus.SETTLED)
    if short:
        fell_short = AllocationFellShort(festival=request.festival, request=request.name, reserved=held, short=short)
        return request, [FESTIVAL.of(fell_short)]
    confirmed = AllocationConfirmed(festival=request.festival, request=request.name, reserved=held)
    return request, [FESTIVAL.of(confirmed)]


def _hold_until(request: Request, due: datetime) -> Change:
    # A request has one deadline: the same id moves it.
    return replace(request, hold_until=due), [Deadline(HOLD_DEADLINE + request.id, request.festival, due)]


def with_all_statuses(request: Request, before: LineStatus, after: LineStatus) -> Request:
    """The request with all lines of status `before` in status `after`."""
    return replace(
        request,
        lines=tuple(replace(line, status=after) if line.status is before else line for line in request.lines),
    )


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
