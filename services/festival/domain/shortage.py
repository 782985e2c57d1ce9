"""A refused line: only the shortage is planned again, and only from lots that may still have something."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.festival.domain.plan import Available, Before, Rules, Wanted
from services.festival.domain.planner import Planner
from services.festival.domain.request import (
    COUNTED,
    Cap,
    Change,
    Line,
    LineStatus,
    Offer,
    Request,
    add_plan,
    ask,
    find,
    moved,
    pieces,
    settle,
)
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
    if request.lapsed:
        return settle(request)
    of_product = [view for view in views if view.plannable == line.product == refusal.product]
    again = planner.again(
        event,
        request,
        Wanted(line.booth, line.product, line.qty),
        plannable(of_product, request),
        _before(request, line.product),
        rules,
    )
    if again is None:
        return settle(request)
    request = replace(request, offers=_offers(request, line.product, again.offers))
    request, planned = add_plan(request, again, replan=True)
    request, asked = ask(request)
    return request, planned + asked


def plannable(views: Iterable[StockView], request: Request) -> list[Available]:
    """What there is to plan with for the request, less what it took itself."""
    own: dict[str, list[Line]] = {}
    for line in request.lines:
        if line.status in COUNTED:
            own.setdefault(line.lot, []).append(line)
    caps = {cap.lot: cap for cap in request.caps}
    return [
        Available(
            lot=view.id,
            facility=view.facility,
            product=view.product,
            qty=_free(view, own.get(view.id, []), caps.get(view.id)),
            made_on=view.made_on,
            best_before=view.best_before,
            revision=view.revision,
        )
        for view in views
        if view.plannable is not None
    ]


def _free(view: StockView, own: list[Line], cap: Cap | None) -> int:
    # A view that has moved on since the line was planned may hold the reservation already: then counting it twice
    # would hide stock, and counting it not at all costs at most one more refusal.
    free = view.on_hand - pieces(line for line in own if line.revision >= view.revision)
    if cap is not None:
        # Orders for one lot are answered in their order: later lines come out of what the refusal named.
        free = min(free, cap.qty - pieces(line for line in own if _number(line) > cap.line))
    return max(0, free)


def _capped(request: Request, line: Line, on_hand: int) -> Request:
    others = tuple(cap for cap in request.caps if cap.lot != line.lot)
    return replace(request, caps=(*others, Cap(line.lot, _number(line), on_hand)))


def _before(request: Request, product: str) -> dict[str, Before]:
    """By facility: what it gave of this product counts as offered, all else as it was offered first."""
    given = {(offer.facility, offer.product): offer.qty for offer in request.offers if offer.product != product}
    given.update(_given(request, product))
    before: dict[str, Before] = {}
    for (facility, _), qty in given.items():
        before[facility] = Before(offered=before.get(facility, Before()).offered + qty)
    for facility, known in before.items():
        allocated = pieces(line for line in request.lines if line.facility == facility)
        before[facility] = replace(known, allocated=allocated)
    return before


def _offers(request: Request, product: str, found: Mapping[tuple[str, str], int]) -> tuple[Offer, ...]:
    now = _given(request, product)
    for pair, qty in found.items():
        now[pair] = now.get(pair, 0) + qty
    others = tuple(offer for offer in request.offers if offer.product != product)
    return others + tuple(Offer(facility, of, qty) for (facility, of), qty in sorted(now.items()))


def _given(request: Request, product: str) -> dict[tuple[str, str], int]:
    given: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.product == product and line.status in COUNTED:
            given[line.facility, product] = given.get((line.facility, product), 0) + line.qty
    return given


def _number(line: Line) -> int:
    return int(line.reservation.rpartition(".")[2])
