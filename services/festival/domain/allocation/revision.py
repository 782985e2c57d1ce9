"""A request against reality: what is missing is planned again, and nothing changes that can stay.

What was sent stays, and what is reserved stays unless its facility can't send it or its booth takes no more.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime

from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.difference import ReturningLine, Revision, ShareMove, ShortMove
from services.festival.domain.allocation.line import COUNTED, OPEN, AllocationLine, LineStatus, Offer, pieces
from services.festival.domain.allocation.request import (
    Change,
    Request,
    RequestStatus,
    give_back,
    shortfalls,
    with_all_statuses,
    with_reasons,
    withdraw_revision,
)
from services.festival.domain.allocation.shortage import updated_offers
from services.festival.domain.planning import Plan, RequestDemand, explanations
from shared.events.festival import (
    FESTIVAL,
    FESTIVAL_DEADLINES,
    AllocationRevised,
    BackReason,
    GivenBack,
    RevisedLine,
    RevisionRequested,
    ShareMoved,
    ShortMoved,
)
from shared.events.language import Publication

_UNSENT = frozenset({LineStatus.PLANNED, LineStatus.RESERVED})


def returning_lines(request: Request, without: Set[str]) -> dict[str, BackReason]:
    """The lines that can't stay, by reservation: not sent, and their facility can't send or their booth is closed."""
    return {
        line.reservation: BackReason.BOOTH if line.booth in request.closed else BackReason.FACILITY
        for line in request.lines
        if line.status in _UNSENT and (line.booth in request.closed or line.facility in without)
    }


def stranded_lines(request: Request) -> list[AllocationLine]:
    """What is reserved for booths that take no more."""
    return [line for line in request.lines if line.status is LineStatus.RESERVED and line.booth in request.closed]


def at_rest(request: Request) -> bool:
    """Inventory owes no answer, so that what is missing is known."""
    return not any(line.status in OPEN for line in request.lines)


def without_returned(request: Request, back: Iterable[str]) -> Request:
    """The request, of which no revision waits, as it would be without these lines, the lots that once refused
    forgotten: the stock view knows."""
    gone = set(back)
    bare, _ = give_back(request, [line for line in request.lines if line.reservation in gone])
    return replace(bare, caps=())


def draw_up(
    request: Request,
    bare: Request,
    back: dict[str, BackReason],
    plan: Plan | None,
    wanted: Sequence[RequestDemand],
    *,
    without: Sequence[str],
    own: str,
) -> tuple[Request, list[Publication]]:
    """The request with a revision that waits: `plan` is what of `wanted` is added once `back` is gone and the request
    is `bare` of it, for the reason that the organiser gives in `own` words."""
    said: list[Publication] = []
    after, offers = bare, bare.offers
    if plan is not None:
        offers = updated_offers(bare, {want.product for want in wanted}, plan.offers)
        lines = requests.lines_of(bare, plan)
        after = replace(bare, lines=bare.lines + lines)
        said.append(requests.plan_event(after, lines, plan, replan=True))
    added = after.lines[len(bare.lines) :]
    missing = sum(want.qty for want in wanted)
    revision = _revision(request, bare, after, back, offers, missing, without, own)
    if plan is not None:
        revision = replace(
            revision, shares=plan.shares, conflicts=tuple(replace(one, kept=()) for one in plan.conflicts)
        )
    proposed = tuple(replace(line, status=LineStatus.PROPOSED) for line in added)
    return replace(request, lines=request.lines + proposed, revision=revision, outdated=False), said


def revision_event(request: Request, *, carried_out: bool) -> Publication:
    """The event that shows the request's revision."""
    revision = request.revision
    assert revision is not None, "there is a revision to show"
    lines = {line.reservation: line for line in request.lines}
    return FESTIVAL.of(
        AllocationRevised(
            festival=request.festival,
            request=request.name,
            carried_out=carried_out,
            reason=revision.reason,
            reason_id=revision.reason_id,
            kept=revision.kept,
            added=tuple(_revised_line(lines[reservation]) for reservation in revision.added),
            back=tuple(
                GivenBack(**dict(_revised_line(lines[one.reservation])), why=one.why) for one in revision.back
            ),
            shares=tuple(
                ShareMoved(facility=one.facility, offered=one.offered, before=one.before, after=one.after)
                for one in revision.share_moves
            ),
            short=tuple(
                ShortMoved(booth=one.booth, product=one.product, asked=one.asked, before=one.before, after=one.after)
                for one in revision.short_moves
            ),
        )
    )


def carry_out(request: Request, at: datetime) -> Change:
    """The revision that waits is wanted: what goes is released, what comes is asked for. Of a plan that was never
    accepted only the plan changes."""
    revision = request.pending_revision
    assert revision is not None, "a revision waits"
    gone = {one.reservation for one in revision.back}
    # Released before anything is asked for: inventory works the orders for a lot in this order, so that what one
    # booth gives back another can have.
    request, released = give_back(
        request, [line for line in request.lines if line.reservation in gone and line.status in _UNSENT]
    )
    request = with_reasons(request, revision.shares, revision.conflicts)
    request = replace(
        with_all_statuses(request, LineStatus.PROPOSED, LineStatus.PLANNED),
        offers=revision.offers,
        caps=(),
        without=revision.without,
        # What was lost or recalled since it was drawn up still counts; a booth that closed since has withdrawn it.
        lost=request.lost - revision.lost,
        recalled=request.recalled - revision.recalled,
        freed=0,
        revision=replace(revision, offers=(), shares=(), conflicts=(), carried_out=True),
    )
    if request.status is RequestStatus.PROPOSED:
        return request, released
    request, told = requests.accept(request, at)
    return request, released + told


def on_rest(request: Request) -> Change:
    """After a line has changed: when none is open any more, what closed booths hold goes back; or the whole request
    is revised, if enough is missing for that."""
    if request.status is not RequestStatus.SETTLED or request.revising or not at_rest(request):
        return request, []
    back = stranded_lines(request)
    freed = pieces(back)
    if _reaches_threshold(request, freed):
        return replace(request, revising=True), [request_revision(request, request.without)]
    request, said = give_back(request, back)
    return replace(request, freed=request.freed + freed), said


def without_booth(request: Request, booth: str) -> Change:
    """A booth of the request takes no more. A revision that waits was made for another day, and is withdrawn."""
    if request.status is RequestStatus.WITHDRAWN or all(want.booth != booth for want in request.demands):
        return request, []
    request = replace(withdraw_revision(request), closed=(*request.closed, booth))
    if request.status is RequestStatus.PROPOSED:
        planned = [line for line in request.lines if line.status is LineStatus.PLANNED and line.booth == booth]
        return give_back(request, planned)
    return on_rest(request)


def request_revision(
    request: Request, without: tuple[str, ...], reason: str = "", *, consent: bool = True, command: str | None = None
) -> Publication:
    """What festival tells itself, to hear it with the stock that is needed."""
    return FESTIVAL_DEADLINES.of(
        RevisionRequested(
            key=request.festival,
            request=request.name,
            products=tuple(sorted({want.product for want in request.demands})),
            lots=tuple(sorted({line.lot for line in stranded_lines(request)})),
            without=without,
            reason=reason,
            consent=consent,
            command=command,
        )
    )


def _reaches_threshold(request: Request, freed: int) -> bool:
    if request.revise_at_percent is None:
        return False
    missed = request.lost + request.recalled + request.freed + freed
    return missed > 0 and missed * 100 >= request.revise_at_percent * sum(want.qty for want in request.demands)


def _revision(
    request: Request,
    bare: Request,
    after: Request,
    back: dict[str, BackReason],
    offers: tuple[Offer, ...],
    missing: int,
    without: Sequence[str],
    own: str,
) -> Revision:
    """The difference between the request and what it would be after, `bare` of what goes back."""
    given_back = [line for line in request.lines if line.reservation in back]
    added = after.lines[len(bare.lines) :]
    causes = []
    if without:
        causes.append(explanations.cannot_send(sorted(without)))
    if request.closed and (request.freed or BackReason.BOOTH in back.values()):
        causes.append(explanations.closed(request.closed))
    if request.lost:
        causes.append(explanations.lost_on_the_way(request.lost))
    if request.recalled:
        causes.append(explanations.recalled(request.recalled))
    said = explanations.revised(
        own,
        causes,
        back=pieces(given_back),
        found=pieces(added),
        missing=missing,
    )
    return Revision(
        reason=said.en,
        reason_id=said.id,
        without=tuple(sorted(without)),
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
    can: dict[str, int] = {}
    for offer in offers:
        can[offer.facility] = can.get(offer.facility, 0) + offer.qty
    was, becomes = _by_facility(request), _by_facility(after)
    for facility in sorted(was.keys() | becomes.keys()):
        before, now = was.get(facility, 0), becomes.get(facility, 0)
        if before or now:
            yield ShareMove(facility, max(can.get(facility, 0), now), before, now)


def _by_facility(request: Request) -> dict[str, int]:
    held: dict[str, int] = {}
    for line in request.lines:
        if line.status in COUNTED:
            held[line.facility] = held.get(line.facility, 0) + line.qty - line.lost
    return held


def _short_moves(request: Request, after: Request) -> Iterable[ShortMove]:
    was = {(one.booth, one.product): one.short for one in shortfalls(request)}
    becomes = {(one.booth, one.product): one.short for one in shortfalls(after)}
    for want in request.demands:
        pair = want.booth, want.product
        if pair in was or pair in becomes:
            yield ShortMove(*pair, want.qty, was.get(pair, 0), becomes.get(pair, 0))


def _revised_line(line: AllocationLine) -> RevisedLine:
    return RevisedLine(
        reservation=line.reservation,
        booth=line.booth,
        product=line.product,
        facility=line.facility,
        lot=line.lot,
        qty=line.qty,
    )
