"""A refused line: only the shortage is planned again, and only from lots that may still have something."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from services.festival.domain.allocation.line import COUNTED, Cap, Line, LineStatus, Offer, pieces
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    Change,
    Request,
    add_plan,
    ask,
    explained,
    find,
    moved,
    settle,
    shortfalls,
)
from services.festival.domain.planning import Available, Before, Rules, Wanted, refused
from services.festival.domain.stock import StockView
from shared.events.inventory import OrderRefusal, ReservationRefused
from shared.events.language import Event


def refuse(
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
    line = find(request, refusal.reservation)
    if line is None or line.status is not LineStatus.ASKED:
        return request, []
    on_hand = refusal.on_hand if refusal.reason is OrderRefusal.SHORT else 0
    request = _capped(moved(request, line, LineStatus.REFUSED), line, on_hand)
    if request.lapsed or line.booth in request.closed:
        return settle(request)
    want = _rest_of(request, line)
    of_product = views if line.product == refusal.product else ()
    again = planner.again(
        event,
        request,
        want,
        plannable(of_product, request),
        before(request, {line.product}),
        rules,
    )
    if again is None:
        return settle(explained(request, (), (refused(want),)))
    request = replace(request, offers=offered(request, {line.product}, again.offers))
    request, planned = add_plan(request, again, replan=True)
    request, asked = ask(request)
    return request, planned + asked


def _rest_of(request: Request, line: Line) -> Wanted:
    """What a refused line leaves missing of its demand."""
    pair = line.booth, line.product
    asked = sum(want.qty for want in request.demands if (want.booth, want.product) == pair)
    short = sum(one.short for one in shortfalls(request) if (one.booth, one.product) == pair)
    return Wanted(*pair, line.qty, asked, max(0, short - line.qty))


def plannable(views: Iterable[StockView], request: Request, freed: Iterable[Line] = ()) -> list[Available]:
    """What there is to plan with for the request, less what it took itself. `freed`: what it gives back with the
    plan, and may take again."""
    again: dict[str, list[Line]] = {}
    for line in freed:
        again.setdefault(line.lot, []).append(line)
    own: dict[str, list[Line]] = {}
    for line in request.lines:
        if line.status in COUNTED:
            own.setdefault(line.lot, []).append(line)
    caps = {cap.lot: cap for cap in request.caps}
    # Most lots are none of the request's, and there may be thousands.
    concerned = own.keys() | again.keys() | caps.keys()
    return [
        Available(
            lot=view.id,
            facility=view.facility,
            product=view.product,
            qty=_free(view, own.get(view.id, []), again.get(view.id, []), caps.get(view.id))
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


def _free(view: StockView, own: list[Line], freed: list[Line], cap: Cap | None) -> int:
    # A view that has moved on since the line was planned may hold the reservation already: then counting it twice
    # would hide stock, and counting it not at all costs at most one more refusal.
    free = view.on_hand - _sum(line for line in own if line.revision >= view.revision)
    free += _sum(line for line in freed if line.revision < view.revision)
    if cap is not None:
        # Orders for one lot are answered in their order: later lines come out of what the refusal named.
        free = min(free, cap.qty - _sum(line for line in own if _number(line) > cap.line))
    return max(0, free)


def _capped(request: Request, line: Line, on_hand: int) -> Request:
    others = tuple(cap for cap in request.caps if cap.lot != line.lot)
    return replace(request, caps=(*others, Cap(line.lot, _number(line), on_hand)))


def before(request: Request, products: Set[str]) -> dict[str, Before]:
    """By facility: what it gave of these products counts as offered, all else as it was offered first."""
    given = {(offer.facility, offer.product): offer.qty for offer in request.offers if offer.product not in products}
    given.update(_given(request, products))
    mine: dict[str, list[Line]] = {}
    for line in request.lines:
        mine.setdefault(line.facility, []).append(line)
    total: dict[str, int] = {}
    for (facility, _), qty in given.items():
        total[facility] = total.get(facility, 0) + qty
    return {facility: Before(qty, pieces(mine.get(facility, ()))) for facility, qty in total.items()}


def offered(request: Request, products: Set[str], found: Mapping[tuple[str, str], int]) -> tuple[Offer, ...]:
    """What facilities could have given, once `found` could have been taken of these products too."""
    now = _given(request, products)
    for pair, qty in found.items():
        now[pair] = now.get(pair, 0) + qty
    others = tuple(offer for offer in request.offers if offer.product not in products)
    return others + tuple(Offer(facility, of, qty) for (facility, of), qty in sorted(now.items()))


def _given(request: Request, products: Set[str]) -> dict[tuple[str, str], int]:
    given: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.product in products and line.status in COUNTED:
            pair = line.facility, line.product
            given[pair] = given.get(pair, 0) + line.qty
    return given


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.qty for line in lines)


def _number(line: Line) -> int:
    return int(line.reservation.rpartition(".")[2])
