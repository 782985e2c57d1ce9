"""An allocation request and its lines: proposed, accepted, reserved, released. Each line is answered once.

A line's reservation id is `<festival>/<request>.<n>`, so every answer of inventory leads back to its request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from services.festival.domain.allocation.difference import Revision
from services.festival.domain.allocation.line import (
    COUNTED,
    HELD,
    OPEN,
    Cap,
    Line,
    LineStatus,
    Offer,
    pieces,
    promises,
)
from services.festival.domain.command import said_of
from services.festival.domain.planning import Conflict, Plan, Share, Wanted
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
    Withdrawal,
)
from shared.events.inventory import STOCK_ORDERS, ReleaseRequested, ReservationRequested
from shared.events.language import Deadline, Publication
from shared.runtime.state import OwnedQuery

HOLD = "hold/"


class RequestStatus(StrEnum):
    """`WITHDRAWN`: the plan was not accepted in time, or not before the festival was cancelled or closed."""

    PROPOSED = "proposed"
    RESERVING = "reserving"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for and what became of it. By `hold_until` the plan must be accepted, and once it is, what it
    holds must be sent; `lapsed`: that time is over. `shares`: each facility's, with the reason, as the latest plan
    that could take something of it said; `conflicts`: for each booth and product, as the latest plan that was short
    of it said.

    `closed`: booths of it that take no more. `without`: facilities that give nothing, by the latest revision.
    `outdated`: the latest revision was withdrawn before it was accepted.
    `lost`, `recalled`, `freed`: pieces lost on the way, recalled before they left, and given back by closed booths,
    since then; `revising`: they were enough that festival told itself to revise."""

    id: str
    festival: str
    name: str
    demands: tuple[Wanted, ...]
    hold_hours: int
    status: RequestStatus = RequestStatus.PROPOSED
    lines: tuple[Line, ...] = ()
    offers: tuple[Offer, ...] = ()
    caps: tuple[Cap, ...] = ()
    shares: tuple[Share, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    hold_until: datetime | None = None
    lapsed: bool = False
    even: bool = True
    revise_at_percent: int | None = None
    closed: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    lost: int = 0
    freed: int = 0
    recalled: int = 0
    revising: bool = False
    revision: Revision | None = None
    outdated: bool = False

    @property
    def waiting(self) -> Revision | None:
        """The revision that waits to be accepted."""
        return None if self.revision is None or self.revision.carried_out else self.revision

    @property
    def promising(self) -> str | None:
        """The festival, while something is still to come of the request."""
        return self.festival if promises(self.lines) else None


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
    """The id of the request that a reservation belongs to; nonsense for other ids."""
    return reservation.rpartition(".")[0]


def find(request: Request, reservation: str) -> Line | None:
    number = reservation.rpartition(".")[2]
    if number.isdecimal() and 0 < int(number) <= len(request.lines):
        line = request.lines[int(number) - 1]
        return line if line.reservation == reservation else None
    return None


def moved(request: Request, line: Line, status: LineStatus) -> Request:
    """The request with this line in another status."""
    at = int(line.reservation.rpartition(".")[2]) - 1
    lines = (*request.lines[:at], replace(line, status=status), *request.lines[at + 1 :])
    return replace(request, lines=lines)


def lose(request: Request, reservation: str, qty: int) -> Request:
    """So many pieces of this line did not come with its shipment."""
    return replace(
        request,
        lines=tuple(
            replace(line, lost=line.lost + qty) if line.reservation == reservation else line for line in request.lines
        ),
        lost=request.lost + qty,
    )


def shortfalls(request: Request) -> tuple[Shortfall, ...]:
    """What no line covers of what was asked."""
    covered: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.status in COUNTED:
            covered[line.booth, line.product] = covered.get((line.booth, line.product), 0) + line.qty - line.lost
    return tuple(
        Shortfall(booth=want.booth, product=want.product, asked=want.qty, short=missing)
        for want in request.demands
        if (missing := want.qty - covered.get((want.booth, want.product), 0)) > 0
    )


def add_plan(request: Request, plan: Plan, *, replan: bool) -> Change:
    """The plan's lines behind those that are there, and the event that shows it."""
    lines = lines_of(request, plan)
    request = explained(replace(request, lines=request.lines + lines), plan.shares, plan.conflicts)
    return request, [planned(request, lines, plan, replan=replan)]


def lines_of(request: Request, plan: Plan) -> tuple[Line, ...]:
    """The plan's lines, numbered behind those that are there."""
    first = len(request.lines) + 1
    return tuple(
        Line(
            reservation=f"{request.id}.{first + n}",
            booth=chosen.booth,
            product=chosen.lot.product,
            facility=chosen.lot.facility,
            lot=chosen.lot.lot,
            made_on=chosen.lot.made_on,
            qty=chosen.qty,
            revision=chosen.lot.revision,
            status=LineStatus.PLANNED,
            why=chosen.why,
            first=chosen.first,
            best_before=chosen.lot.best_before,
        )
        for n, chosen in enumerate(plan.chosen)
    )


def explained(request: Request, shares: Iterable[Share], conflicts: Iterable[Conflict]) -> Request:
    """With what a later plan said in place of what earlier ones said of the same."""
    latest = {share.facility: share for share in (*request.shares, *shares)}
    against = {(one.booth, one.product): replace(one, kept=()) for one in (*request.conflicts, *conflicts)}
    return replace(
        request,
        shares=tuple(share for _, share in sorted(latest.items())),
        conflicts=tuple(one for _, one in sorted(against.items())),
    )


def planned(request: Request, lines: tuple[Line, ...], plan: Plan, *, replan: bool) -> Publication:
    """The event that shows a plan, its `lines` being the request's already."""
    said = AllocationPlanned(
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
        conflicts=tuple(said_of(one) for one in plan.conflicts),
        shipments=plan.shipments,
        shipments_at_least=plan.shipments_at_least,
    )
    return FESTIVAL.of(said)


def wait(request: Request, at: datetime) -> Change:
    """The plan is proposed: it waits until it is accepted, but not for ever."""
    return _until(request, at + timedelta(hours=request.hold_hours))


def accept(request: Request, at: datetime) -> Change:
    """The plan is wanted: ask inventory for every line, and set the time by which it must be sent."""
    request, asked = ask(replace(request, status=RequestStatus.RESERVING, lapsed=False))
    # Moved if there is nothing to hold, too: the time for accepting must not pass any more.
    request, until = _until(request, at + timedelta(hours=request.hold_hours))
    request, told = settle(request)
    return request, asked + until + told


def ask(request: Request) -> Change:
    """Ask inventory for every line that is only planned."""
    said: Outputs = [
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
    return all_moved(request, LineStatus.PLANNED, LineStatus.ASKED), said


def reserved(request: Request, reservation: str) -> Change:
    """Inventory holds the line. If the time for it has passed meanwhile, it goes straight back."""
    line = find(request, reservation)
    if line is None or line.status is not LineStatus.ASKED:
        return request, []
    if request.lapsed:
        return moved(request, line, LineStatus.RELEASING), [_release(request, line)]
    return settle(moved(request, line, LineStatus.RESERVED))


def released(request: Request, reservation: str) -> Change:
    """Inventory let the line go. One that is being dispatched hears that from the dispatch's own answer."""
    line = find(request, reservation)
    if line is None or line.status not in (LineStatus.RESERVED, LineStatus.RELEASING):
        return request, []
    return settle(let_go(request, line))


def let_go(request: Request, line: Line) -> Request:
    """The request without this line, which inventory holds no more. Nobody here gave it back: then a recall did."""
    given_back = line.status is LineStatus.RELEASING
    request = moved(request, line, LineStatus.RELEASED)
    return request if given_back else replace(request, recalled=request.recalled + line.qty)


def give_back(request: Request, lines: Iterable[Line]) -> Change:
    """Release these lines of what is held or only planned."""
    said: Outputs = []
    for line in lines:
        if line.status is LineStatus.RESERVED:
            request = moved(request, line, LineStatus.RELEASING)
            said.append(_release(request, line))
        else:
            request = moved(request, line, LineStatus.RELEASED)
    return request, said


def withdraw_revision(request: Request) -> Request:
    """The revision that waits no longer fits: nothing of it is carried out."""
    if request.waiting is None:
        return request
    return replace(all_moved(request, LineStatus.PROPOSED, LineStatus.RELEASED), revision=None, outdated=True)


def lapse(request: Request, why: Withdrawal) -> Change:
    """Everything that is not sent by now goes back: what is held at once, what is asked when it is answered. A plan
    that nobody has accepted is withdrawn, and `why` is said."""
    if request.status is RequestStatus.WITHDRAWN:
        return request, []
    if request.status is RequestStatus.PROPOSED:
        withdrawn = all_moved(request, LineStatus.PLANNED, LineStatus.RELEASED)
        gone = AllocationWithdrawn(festival=request.festival, request=request.name, why=why)
        return replace(withdrawn, status=RequestStatus.WITHDRAWN, lapsed=True), [FESTIVAL.of(gone)]
    request = withdraw_revision(request)
    said: Outputs = [_release(request, line) for line in request.lines if line.status is LineStatus.RESERVED]
    return replace(all_moved(request, LineStatus.RESERVED, LineStatus.RELEASING), lapsed=True), said


def hold_over(request: Request, due: datetime) -> Change:
    """A deadline has passed; it counts if it is the one that this request waits for."""
    if request.hold_until is None or due < request.hold_until or request.lapsed:
        return request, []
    return lapse(request, Withdrawal.NOT_ACCEPTED)


def settle(request: Request) -> Change:
    """After a line has changed: when none is open any more, say what is held and what stays short. It is said
    again whenever lines go back or a revision has brought others."""
    if request.status not in (RequestStatus.RESERVING, RequestStatus.SETTLED):
        return request, []
    if any(line.status in OPEN for line in request.lines):
        return request, []
    held = pieces(request.lines, HELD)
    short = shortfalls(request)
    request = replace(request, status=RequestStatus.SETTLED)
    if short:
        fell = AllocationFellShort(festival=request.festival, request=request.name, reserved=held, short=short)
        return request, [FESTIVAL.of(fell)]
    confirmed = AllocationConfirmed(festival=request.festival, request=request.name, reserved=held)
    return request, [FESTIVAL.of(confirmed)]


def _until(request: Request, due: datetime) -> Change:
    # One deadline for one request: the same id moves it.
    return replace(request, hold_until=due), [Deadline(HOLD + request.id, request.festival, due)]


def all_moved(request: Request, before: LineStatus, after: LineStatus) -> Request:
    """The request with all lines of one status in another."""
    return replace(
        request,
        lines=tuple(replace(line, status=after) if line.status is before else line for line in request.lines),
    )


def _release(request: Request, line: Line) -> Publication:
    return STOCK_ORDERS.of(ReleaseRequested(lot=line.lot, reservation=line.reservation, festival=request.festival))


def _plan_line(line: Line) -> PlanLine:
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
