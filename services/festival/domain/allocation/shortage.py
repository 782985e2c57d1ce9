"""Refused lines: the shortage alone is planned again, from lots that may still have stock."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

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
    with_terms,
)
from services.festival.domain.line import COUNTED, AllocationLine, Cap, LineStatus, Offer, pieces
from services.festival.domain.planning import AvailableLot, EarlierShare, RequestDemand, Rules, refused_conflict
from services.festival.domain.stock import StockView, lot_of
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
    """The request after inventory refused a line: its pieces planned again from `views`, and the events.

    `rules` need not bound the booth, as it gets no more than planned before.
    This terminates: a lot that refused is asked again only for the pieces that inventory then had on hand. Another
    refusal means fewer pieces, each time.
    """
    line = find_line(request, refusal.reservation)
    if line is None or line.status is not LineStatus.ASKED:
        return request, []
    on_hand = refusal.on_hand if refusal.reason is OrderRefusal.SHORT else 0
    request = _with_cap(with_status(request, line, LineStatus.REFUSED), line, on_hand)
    if request.lapsed or line.booth in request.closed:
        return conclude(request)
    demand = _demand_of(request, line)
    if demand is None:
        return conclude(request)
    usable = views if line.product == refusal.product else ()
    plan = planner.replan(
        event,
        request,
        demand,
        available_lots(usable, request),
        earlier_shares(request, {line.product}),
        replace(rules, left_out=frozenset(request.excluded_facilities)),
    )
    if plan is None:
        return conclude(with_reasons(request, (), (refused_conflict(demand),)))
    request = with_terms(request, offers=updated_offers(request, {line.product}, plan.offers))
    request, events = add_plan(request, plan, replan=True)
    request, orders = ask(request)
    request, outcome = conclude(request)
    return request, events + orders + outcome


def _demand_of(request: Request, line: AllocationLine) -> RequestDemand | None:
    """The part of its demand that a refused line leaves missing; None if other pieces cover it."""
    pair = line.booth, line.product
    requested = sum(demand.qty for demand in request.demands if (demand.booth, demand.product) == pair)
    short = sum(gap.short for gap in shortfalls(request) if (gap.booth, gap.product) == pair)
    qty = min(line.qty, short)
    return RequestDemand(*pair, qty, requested, short - qty) if qty else None


def available_lots(
    views: Iterable[StockView], request: Request, freed: Iterable[AllocationLine] = ()
) -> list[AvailableLot]:
    """The lots that a plan of the request may use, less the request's own lines.

    `freed`: lines that go back with the plan; it may use their pieces again. A lot of which nothing else is left has
    no view among `views`, and its freed lines are all that there is. If it was recalled since, inventory refuses.
    """
    freed_by_lot: dict[str, list[AllocationLine]] = {}
    for line in freed:
        freed_by_lot.setdefault(line.lot, []).append(line)
    own_by_lot: dict[str, list[AllocationLine]] = {}
    for line in request.lines:
        if line.status in COUNTED:
            own_by_lot.setdefault(line.lot, []).append(line)
    cap_of = {cap.lot: cap for cap in request.caps}
    # Most lots have no line of the request, and there may be thousands.
    concerned = own_by_lot.keys() | freed_by_lot.keys() | cap_of.keys()
    lots = [
        replace(
            lot_of(view),
            qty=_free_pieces(view, own_by_lot.get(view.id, []), freed_by_lot.pop(view.id, []), cap_of.get(view.id)),
        )
        if view.id in concerned
        else lot_of(view)
        for view in views
    ]
    return lots + [_freed_lot(lines) for lines in freed_by_lot.values()]


def _freed_lot(lines: list[AllocationLine]) -> AvailableLot:
    line = lines[0]
    return AvailableLot(
        lot=line.lot,
        facility=line.facility,
        product=line.product,
        qty=_total(lines),
        made_on=line.made_on,
        best_before=line.best_before,
        # The balance has changed since their plan, at least by their reservations.
        revision=max(line.revision for line in lines) + 1,
    )


def _free_pieces(view: StockView, own: list[AllocationLine], freed: list[AllocationLine], cap: Cap | None) -> int:
    # A view newer than the line's plan may include its reservation. Counting it twice would hide stock. Not counting
    # it costs at most one more refusal.
    free = view.on_hand - _total(line for line in own if line.revision >= view.revision)
    free += _total(line for line in freed if line.revision < view.revision)
    if cap is not None:
        # Orders for one lot are answered in order: later lines take from the pieces that the refusal named.
        free = min(free, cap.qty - _total(line for line in own if _number(line) > cap.line))
    return max(0, free)


def _with_cap(request: Request, line: AllocationLine, on_hand: int) -> Request:
    other_caps = tuple(cap for cap in request.caps if cap.lot != line.lot)
    return with_terms(request, caps=(*other_caps, Cap(line.lot, _number(line), on_hand)))


def earlier_shares(request: Request, products: Set[str]) -> dict[str, EarlierShare]:
    """Each facility's earlier share. Of these products the given pieces count as offered, of others its offer."""
    offered = {
        (offer.facility, offer.product): offer.qty for offer in request.offers if offer.product not in products
    }
    offered.update(_counted_pieces(request, products))
    lines_of: dict[str, list[AllocationLine]] = {}
    for line in request.lines:
        lines_of.setdefault(line.facility, []).append(line)
    totals: dict[str, int] = {}
    for (facility, _), qty in offered.items():
        totals[facility] = totals.get(facility, 0) + qty
    return {facility: EarlierShare(qty, pieces(lines_of.get(facility, ()))) for facility, qty in totals.items()}


def updated_offers(request: Request, products: Set[str], offers: Mapping[tuple[str, str], int]) -> tuple[Offer, ...]:
    """The offers of the request with those of a new plan: of these products, the given pieces and `offers`."""
    pieces = _counted_pieces(request, products)
    for pair, qty in offers.items():
        pieces[pair] = pieces.get(pair, 0) + qty
    other_offers = tuple(offer for offer in request.offers if offer.product not in products)
    return other_offers + tuple(Offer(facility, product, qty) for (facility, product), qty in sorted(pieces.items()))


def _counted_pieces(request: Request, products: Set[str]) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = {}
    for line in request.lines:
        if line.product in products and line.status in COUNTED:
            pair = line.facility, line.product
            counted[pair] = counted.get(pair, 0) + line.qty
    return counted


def _total(lines: Iterable[AllocationLine]) -> int:
    return sum(line.qty for line in lines)


def _number(line: AllocationLine) -> int:
    return int(line.reservation.rpartition(".")[2])
