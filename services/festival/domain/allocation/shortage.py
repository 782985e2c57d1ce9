"""A refused line: only the shortage is planned again, and only from lots that may still have something."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from services.festival.domain.allocation.line import COUNTED, AllocationLine, Cap, LineStatus, Offer, pieces
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Change,
    Request,
    add_plan,
    ask,
    conclude,
    find_line,
    shortfalls,
    with_reasons,
    with_status,
)
from services.festival.domain.planning import AvailableLot, EarlierShare, RequestDemand, Rules, refused_conflict
from services.festival.domain.stock import StockView
from shared.events.inventory import OrderRefusal, ReservationRefused
from shared.events.language import Event


def handle_refusal(
    request: Request,
    refusal: ReservationRefused,
    views: Iterable[StockView],
    rules: Rules,
    event: Event,
    planner: Planner,
) -> Change:
    """Inventory refused a line: plan its pieces again from `views`, ask for what was found, say what stays short.
    `rules` need not bound the booth: it gets no more than it would have had.

    It ends: a lot that refused is asked again for no more than inventory said it had, so if it refuses that too
    it had less than that, and less each time.
    """
    line = find_line(request, refusal.reservation)
    if line is None or line.status is not LineStatus.ASKED:
        return request, []
    on_hand = refusal.on_hand if refusal.reason is OrderRefusal.SHORT else 0
    request = _with_cap(with_status(request, line, LineStatus.REFUSED), line, on_hand)
    if request.lapsed or line.booth in request.closed:
        return conclude(request)
    want = _demand_of(request, line)
    of_product = [view for view in views if view.plannable == line.product == refusal.product]
    again = planner.replan(
        event,
        request,
        want,
        available_lots(of_product, request),
        earlier_shares(request, {line.product}),
        rules,
    )
    if again is None:
        return conclude(with_reasons(request, (), (refused_conflict(want),)))
    request = replace(request, offers=updated_offers(request, {line.product}, again.offers))
    request, planned = add_plan(request, again, replan=True)
    request, asked = ask(request)
    return request, planned + asked


def _demand_of(request: Request, line: AllocationLine) -> RequestDemand:
    """What a refused line leaves missing of its demand."""
    pair = line.booth, line.product
    asked = sum(want.qty for want in request.demands if (want.booth, want.product) == pair)
    short = sum(one.short for one in shortfalls(request) if (one.booth, one.product) == pair)
    return RequestDemand(*pair, line.qty, asked, max(0, short - line.qty))


def available_lots(
    views: Iterable[StockView], request: Request, freed: Iterable[AllocationLine] = ()
) -> list[AvailableLot]:
    """What there is to plan with for the request, less what it took itself. `freed`: what it gives back with the
    plan, and may take again."""
    again: dict[str, list[AllocationLine]] = {}
    for line in freed:
        again.setdefault(line.lot, []).append(line)
    own: dict[str, list[AllocationLine]] = {}
    for line in request.lines:
        if line.status in COUNTED:
            own.setdefault(line.lot, []).append(line)
    caps = {cap.lot: cap for cap in request.caps}
    # Most lots are none of the request's, and there may be thousands.
    concerned = own.keys() | again.keys() | caps.keys()
    return [
        AvailableLot(
            lot=view.id,
            facility=view.facility,
            product=view.product,
            qty=_free_pieces(view, own.get(view.id, []), again.get(view.id, []), caps.get(view.id))
            if view.id in concerned
            else view.on_hand,
            made_on=view.made_on,
            best_before=view.best_before,
            revision=view.revision,
        )
        for view in views
        if (view.plannable is not None or view.id in again) and not view.recalled
        if view.facility not in request.without
    ]


def _free_pieces(view: StockView, own: list[AllocationLine], freed: list[AllocationLine], cap: Cap | None) -> int:
    # A view that has moved on since the line was planned may hold the reservation already: then counting it twice
    # would hide stock, and counting it not at all costs at most one more refusal.
    free = view.on_hand - _total(line for line in own if line.revision >= view.revision)
    free += _total(line for line in freed if line.revision < view.revision)
    if cap is not None:
        # Orders for one lot are answered in their order: later lines come out of what the refusal named.
        free = min(free, cap.qty - _total(line for line in own if _number(line) > cap.line))
    return max(0, free)


def _with_cap(request: Request, line: AllocationLine, on_hand: int) -> Request:
    others = tuple(cap for cap in request.caps if cap.lot != line.lot)
    return replace(request, caps=(*others, Cap(line.lot, _number(line), on_hand)))


def earlier_shares(request: Request, products: Set[str]) -> dict[str, EarlierShare]:
    """By facility: what it gave of these products counts as offered, all else as it was offered first."""
    given = {(offer.facility, offer.product): offer.qty for offer in request.offers if offer.product not in products}
    given.update(_counted_pieces(request, products))
    mine: dict[str, list[AllocationLine]] = {}
    for line in request.lines:
        mine.setdefault(line.facility, []).append(line)
    total: dict[str, int] = {}
    for (facility, _), qty in given.items():
        total[facility] = total.get(facility, 0) + qty
    return {facility: EarlierShare(qty, pieces(mine.get(facility, ()))) for facility, qty in total.items()}


def updated_offers(request: Request, products: Set[str], found: Mapping[tuple[str, str], int]) -> tuple[Offer, ...]:
    """What facilities could have given, once `found` could have been taken of these products too."""
    now = _counted_pieces(request, products)
    for pair, qty in found.items():
        now[pair] = now.get(pair, 0) + qty
    others = tuple(offer for offer in request.offers if offer.product not in products)
    return others + tuple(Offer(facility, of, qty) for (facility, of), qty in sorted(now.items()))


def _counted_pieces(request: Request, products: Set[str]) -> dict[tuple[str, str], int]:
    given: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.product in products and line.status in COUNTED:
            pair = line.facility, line.product
            given[pair] = given.get(pair, 0) + line.qty
    return given


def _total(lines: Iterable[AllocationLine]) -> int:
    return sum(line.qty for line in lines)


def _number(line: AllocationLine) -> int:
    return int(line.reservation.rpartition(".")[2])
