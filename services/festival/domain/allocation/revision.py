"""Revisions: missing pieces are planned again, with as little change as possible.

Sent lines stay. Reserved lines stay unless their facility can't send or their booth takes no more.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime

from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.difference import ReturningLine, Revision, ShareMove, ShortMove
from services.festival.domain.allocation.request import (
    Change,
    Request,
    RequestStatus,
    give_back,
    recount_stranded,
    shortfalls,
    with_all_statuses,
    with_reasons,
    with_terms,
    withdraw_revision,
)
from services.festival.domain.allocation.shortage import updated_offers
from services.festival.domain.line import COUNTED, AllocationLine, LineStatus, Offer, pieces
from services.festival.domain.planning import Plan, RequestDemand, explanations
from shared.events.festival import (
    FESTIVAL,
    FESTIVAL_DEADLINES,
    AllocationRevised,
    BackReason,
    GivenBack,
    RequestRested,
    RevisedLine,
    RevisionRequested,
    ShareMoved,
    ShortMoved,
)
from shared.events.language import Publication
from shared.events.parts import in_parts

_UNSENT = frozenset({LineStatus.PLANNED, LineStatus.RESERVED})


def returning_lines(request: Request, excluded_facilities: Set[str]) -> dict[str, BackReason]:
    """The unsent lines that can't stay, by reservation, because their facility can't send or their booth closed."""
    return {
        line.reservation: BackReason.BOOTH if line.booth in request.closed else BackReason.FACILITY
        for line in request.lines
        if line.status in _UNSENT and (line.booth in request.closed or line.facility in excluded_facilities)
    }


def stranded_lines(request: Request) -> list[AllocationLine]:
    """The lines reserved for booths that take no more."""
    return [
        line for line in request.lines.loaded if line.status is LineStatus.RESERVED and line.booth in request.closed
    ]


def without_returned(request: Request, back: Iterable[str]) -> Request:
    """The request without these lines and without caps, as the stock view now knows of refused lots.

    It must have no pending revision.
    """
    returning = set(back)
    bare, _ = give_back(request, [line for line in request.lines if line.reservation in returning])
    return with_terms(bare, caps=())


def draw_up(
    request: Request,
    bare: Request,
    back: dict[str, BackReason],
    plan: Plan | None,
    demands: Sequence[RequestDemand],
    *,
    excluded_facilities: Sequence[str],
    own: str,
) -> tuple[Request, list[Publication]]:
    """The request with a pending revision, and the event of its plan.

    `bare` is the request without the lines `back`. `plan` adds some of `demands`. `own` is the organiser's reason.
    """
    publications: list[Publication] = []
    after, offers = bare, bare.offers
    if plan is not None:
        offers = updated_offers(bare, {demand.product for demand in demands}, plan.offers)
        lines = requests.lines_of(bare, plan)
        after = replace(bare, lines=bare.lines + lines, plans=bare.plans + 1)
        publications += requests.plan_events(after, lines, plan, replan=True)
    added = after.lines[len(bare.lines) :]
    missing = sum(demand.qty for demand in demands)
    revision = _revision(request, bare, after, back, offers, missing, excluded_facilities, own)
    if plan is not None:
        revision = replace(
            revision, shares=plan.shares, conflicts=tuple(replace(conflict, kept=()) for conflict in plan.conflicts)
        )
    proposed = tuple(replace(line, status=LineStatus.PROPOSED) for line in added)
    request = replace(
        with_terms(request, revision=revision),
        lines=request.lines + proposed,
        plans=request.plans + 1,
        waiting=tuple(excluded_facilities),
        outdated=False,
    )
    return request, publications


def revision_events(request: Request, *, carried_out: bool) -> Iterator[Publication]:
    """The parts of the event of the request's revision."""
    revision = request.revision
    assert revision is not None, "there is a revision to show"
    lines = {line.reservation: line for line in request.lines}
    revised = AllocationRevised(
        festival=request.festival,
        request=request.name,
        carried_out=carried_out,
        reason=revision.reason,
        reason_id=revision.reason_id,
        kept=revision.kept,
        added=tuple(_revised_line(lines[reservation]) for reservation in revision.added),
        back=tuple(
            GivenBack(**dict(_revised_line(lines[returning.reservation])), why=returning.why)
            for returning in revision.back
        ),
        shares=tuple(
            ShareMoved(facility=move.facility, offered=move.offered, before=move.before, after=move.after)
            for move in revision.share_moves
        ),
        short=tuple(
            ShortMoved(booth=move.booth, product=move.product, asked=move.asked, before=move.before, after=move.after)
            for move in revision.short_moves
        ),
        plan=request.plans,
    )
    return map(FESTIVAL.of, in_parts(revised))


def carry_out(request: Request, at: datetime) -> Change:
    """The request with its pending revision carried out: lines released and requested, and the orders.

    Of a plan that was never accepted only the plan changes.
    """
    revision = request.pending_revision
    assert revision is not None, "there is a pending revision"
    returning = {line.reservation for line in revision.back}
    # Releases come before requests: inventory works the orders for a lot in order, so that pieces given back by one
    # booth can go to another.
    request, released = give_back(
        request, [line for line in request.lines if line.reservation in returning and line.status in _UNSENT]
    )
    request = with_reasons(request, revision.shares, revision.conflicts)
    request = with_terms(
        request,
        offers=revision.offers,
        caps=(),
        revision=replace(revision, offers=(), shares=(), conflicts=(), carried_out=True),
    )
    request = replace(
        with_all_statuses(request, LineStatus.PROPOSED, LineStatus.PLANNED),
        excluded_facilities=revision.excluded_facilities,
        # Losses and recalls since it was drawn up still count. A booth that closed since would have withdrawn it.
        lost=request.lost - revision.lost,
        recalled=request.recalled - revision.recalled,
        freed=0,
        waiting=None,
    )
    if request.status is RequestStatus.PROPOSED:
        return request, released
    request, orders = requests.accept(request, at)
    return request, released + orders


def on_rest(request: Request) -> Change:
    """The request once no line is open: lines of closed booths go back, or the whole request is revised.

    It is called after every change of a line. A revision needs enough missing pieces. If not all of the request is
    loaded, festival asks itself to do it with everything.
    """
    if request.status is not RequestStatus.SETTLED or request.revising or not request.lines.at_rest:
        return request, []
    if request.terms is None or not request.lines.whole:
        needed = request.stranded or _reaches_threshold(request, request.stranded)
        return request, [_request_rest(request)] if needed else []
    stranded = stranded_lines(request)
    freed = pieces(stranded)
    if _reaches_threshold(request, freed):
        return replace(request, revising=True), [request_revision(request, request.excluded_facilities)]
    request, orders = give_back(request, stranded)
    return replace(request, freed=request.freed + freed), orders


def without_booth(request: Request, booth: str) -> Change:
    """The request after a booth of it closed, and the orders. A pending revision no longer fits and is withdrawn."""
    if request.status is RequestStatus.WITHDRAWN or all(demand.booth != booth for demand in request.demands):
        return request, []
    closed = request.closed if booth in request.closed else (*request.closed, booth)
    request = recount_stranded(replace(withdraw_revision(request), closed=closed))
    if request.status is RequestStatus.PROPOSED:
        planned = [line for line in request.lines if line.status is LineStatus.PLANNED and line.booth == booth]
        return give_back(request, planned)
    return on_rest(request)


def outdate_revision(request: Request) -> Change:
    """The request without its pending revision, and festival's event to itself.

    The event releases the proposed lines, which may be on pages that are not loaded.
    """
    return replace(request, waiting=None, outdated=True), [_request_rest(request)]


def _request_rest(request: Request) -> Publication:
    """Festival's event to itself, which loads the whole request."""
    return FESTIVAL_DEADLINES.of(RequestRested(key=request.festival, request=request.name))


def request_revision(
    request: Request,
    excluded_facilities: tuple[str, ...],
    reason: str = "",
    *,
    consent: bool = True,
    command: str | None = None,
) -> Publication:
    """Festival's event to itself, which loads the stock that the revision needs."""
    return FESTIVAL_DEADLINES.of(
        RevisionRequested(
            key=request.festival,
            request=request.name,
            products=tuple(sorted({demand.product for demand in request.demands})),
            without=excluded_facilities,
            reason=reason,
            consent=consent,
            command=command,
        )
    )


def _reaches_threshold(request: Request, freed: int) -> bool:
    if request.revise_at_percent is None:
        return False
    missing = request.lost + request.recalled + request.freed + freed
    return missing > 0 and missing * 100 >= request.revise_at_percent * request.asked


def _revision(
    request: Request,
    bare: Request,
    after: Request,
    back: dict[str, BackReason],
    offers: tuple[Offer, ...],
    missing: int,
    excluded_facilities: Sequence[str],
    own: str,
) -> Revision:
    """The revision that turns `request` into `after`. `bare` is the request without the lines that go back."""
    given_back = [line for line in request.lines if line.reservation in back]
    added = after.lines[len(bare.lines) :]
    causes = []
    if excluded_facilities:
        causes.append(explanations.cannot_send(sorted(excluded_facilities)))
    if request.closed and (request.freed or BackReason.BOOTH in back.values()):
        causes.append(explanations.closed(request.closed))
    if request.lost:
        causes.append(explanations.lost_on_the_way(request.lost))
    if request.recalled:
        causes.append(explanations.recalled(request.recalled))
    reason = explanations.revised(
        own,
        causes,
        back=pieces(given_back),
        planned=pieces(added),
        missing=missing,
    )
    return Revision(
        reason=reason.en,
        reason_id=reason.id,
        excluded_facilities=tuple(sorted(excluded_facilities)),
        added=tuple(line.reservation for line in added),
        back=tuple(ReturningLine(line.reservation, back[line.reservation]) for line in given_back),
        kept=pieces(bare.lines),
        share_moves=tuple(_share_moves(request, after, offers)),
        short_moves=tuple(_short_moves(request, after)),
        offers=offers,
        lost=request.lost,
        recalled=request.recalled,
    )


def _share_moves(request: Request, after: Request, offers: Iterable[Offer]) -> Iterable[ShareMove]:
    offered: dict[str, int] = {}
    for offer in offers:
        offered[offer.facility] = offered.get(offer.facility, 0) + offer.qty
    pieces_before, pieces_after = _by_facility(request), _by_facility(after)
    for facility in sorted(pieces_before.keys() | pieces_after.keys()):
        before, now = pieces_before.get(facility, 0), pieces_after.get(facility, 0)
        if before or now:
            yield ShareMove(facility, max(offered.get(facility, 0), now), before, now)


def _by_facility(request: Request) -> dict[str, int]:
    pieces: dict[str, int] = {}
    for line in request.lines:
        if line.status in COUNTED:
            pieces[line.facility] = pieces.get(line.facility, 0) + line.qty - line.lost
    return pieces


def _short_moves(request: Request, after: Request) -> Iterable[ShortMove]:
    short_before = {(gap.booth, gap.product): gap.short for gap in shortfalls(request)}
    short_after = {(gap.booth, gap.product): gap.short for gap in shortfalls(after)}
    for demand in request.demands:
        pair = demand.booth, demand.product
        if pair in short_before or pair in short_after:
            yield ShortMove(*pair, demand.qty, short_before.get(pair, 0), short_after.get(pair, 0))


def _revised_line(line: AllocationLine) -> RevisedLine:
    return RevisedLine(
        reservation=line.reservation,
        booth=line.booth,
        product=line.product,
        facility=line.facility,
        lot=line.lot,
        qty=line.qty,
    )
