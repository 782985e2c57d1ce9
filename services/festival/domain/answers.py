"""What inventory, sales and the clock have to say. An answer to what nobody here asked changes nothing."""

from collections.abc import Callable
from typing import TypeVar

from services.festival.domain import booth as booths
from services.festival.domain import booth_sales
from services.festival.domain.allocation import pages, shortage
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    HOLD_DEADLINE,
    Request,
    conclude,
    find_line,
    line_released,
    request_id,
    with_status,
)
from services.festival.domain.allocation.revision import on_rest
from services.festival.domain.booth import Booth
from services.festival.domain.festival import Festival, booths_of, update_sums
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics import losses, recount, transfer
from services.festival.domain.logistics.shipment import (
    ARRIVAL_DEADLINE,
    DispatchStatus,
    Shipment,
    mark_overdue,
    record_dispatch,
    shipment_id,
    shipments_of,
)
from services.festival.domain.logistics.transfer import CARRY_DEADLINE
from services.festival.domain.stock import seen
from shared.events.festival import RequestRested
from shared.events.inventory import (
    LotRecallLiftReached,
    LotRecallReached,
    ReservationRefused,
    ReservationReleased,
    StockDispatched,
    StockFound,
    StockOrderRefused,
    StockReserved,
    StockReturned,
    StockReturnRecounted,
    StockWrittenOff,
)
from shared.events.language import Body, Deadline, DeadlineReached, Event, Publication
from shared.events.sales import SellThroughCounted, SellThroughSoFar
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State

B = TypeVar("B", bound=Body)


def at_festival(rule: Callable[[State, Festival, B, Event], Decision]) -> Rule[B]:
    """The rule of a known festival; a festival that nobody announced changes nothing."""

    def rule_of_known(state: State, event: Event, body: B) -> Decision:
        festival = state.get(Festival, event.key)
        return (state, []) if festival is None else rule(state, festival, body, event)

    return rule_of_known


def deadline_reached(state: State, _festival: Festival, reached: DeadlineReached, _event: Event) -> Decision:
    """A time has come: of a shipment, a transfer or what was held."""
    if reached.deadline.startswith(ARRIVAL_DEADLINE):
        return mark_overdue(state, reached.deadline.removeprefix(ARRIVAL_DEADLINE))
    if reached.deadline.startswith(CARRY_DEADLINE):
        return transfer.mark_overdue(state, reached.deadline.removeprefix(CARRY_DEADLINE))
    request = pages.whole(state, reached.deadline.removeprefix(HOLD_DEADLINE))
    return _change(state, request, lambda request: requests.hold_expired(request, reached.due))


def rested(state: State, festival: Festival, rest: RequestRested, _event: Event) -> Decision:
    """Something has to go back or be revised, now with the whole request at hand."""
    request = pages.whole(state, request_id(festival.id, rest.request))
    return _change(state, request, lambda request: (requests.without_proposed(request), []))


def reserved(state: State, _festival: Festival, answer: StockReserved, _event: Event) -> Decision:
    """Inventory holds a line."""
    request = pages.of_line(state, answer.reservation)
    return _change(state, request, lambda request: requests.reserved(request, answer.reservation))


def released(state: State, _festival: Festival, answer: ReservationReleased, _event: Event) -> Decision:
    """Inventory has let a line go."""
    request = pages.of_line(state, answer.reservation)
    return _change(state, request, lambda request: requests.released(request, answer.reservation))


def not_reserved(
    state: State, festival: Festival, answer: ReservationRefused, event: Event, planner: Planner
) -> Decision:
    """Inventory can't hold a line: its pieces are planned again."""

    def again(request: Request) -> requests.Change:
        views = seen(state, [answer.product] if answer.product is not None else [])
        rules = planning_rules(festival, event.logged_at, day=request.day)
        return shortage.handle_refusal(request, answer, views, rules, event, planner)

    return _change(state, pages.whole(state, request_id(festival.id, answer.request)), again)


def _change(state: State, request: Request | None, change: Callable[[Request], requests.Change]) -> Decision:
    if request is None:
        return state, []
    after, events = change(request)
    after, more = on_rest(after)
    return (state if after is request else pages.put(state, after)), events + more


def dispatched(state: State, festival: Festival, answer: StockDispatched, event: Event) -> Decision:
    """Pieces have left their facility."""
    request = pages.of_line(state, answer.reservation)
    shipment = state.get(Shipment, shipment_id(answer.festival, answer.shipment))
    booth = state.get(Booth, answer.booth)
    line = find_line(request, answer.reservation) if request is not None else None
    if request is None or shipment is None or booth is None or line is None:
        return state, []
    if line.status is not LineStatus.DISPATCHING:
        return state, []
    shipment, events = record_dispatch(shipment, line.reservation, DispatchStatus.LEFT, festival, event.logged_at)
    state = state.put(shipment, booths.add_in_transit(booth, line))
    return pages.put(state, with_status(request, line, LineStatus.DISPATCHED)), events


def order_refused(state: State, festival: Festival, answer: StockOrderRefused, event: Event) -> Decision:
    """Inventory refused a dispatch, a release, a return or a loss."""
    state, line_events = _not_moved(state, festival, answer, event)
    state, loss_events = losses.refuse_order(state, festival, answer)
    return state, line_events + loss_events


def returned(state: State, festival: Festival, answer: StockReturned, _event: Event) -> Decision:
    """Pieces are on hand again."""
    return losses.confirm_return(state, festival, answer)


def return_recounted(state: State, festival: Festival, answer: StockReturnRecounted, _event: Event) -> Decision:
    """Pieces that came home were counted again."""
    return recount.confirm_return(state, festival, answer)


def found(state: State, festival: Festival, answer: StockFound, _event: Event) -> Decision:
    """Inventory knows of pieces that were found at a booth."""
    return recount.take_in_found(state, festival, answer)


def written_off(state: State, _festival: Festival, answer: StockWrittenOff, _event: Event) -> Decision:
    """A loss is written off."""
    return losses.confirm_write_off(state, answer.order), []


def _not_moved(state: State, festival: Festival, answer: StockOrderRefused, event: Event) -> Decision:
    """A dispatch or release came too late: a recall has let the reservation go."""
    request = pages.of_line(state, answer.order)
    line = find_line(request, answer.order) if request is not None else None
    if request is None or line is None or line.status not in (LineStatus.DISPATCHING, LineStatus.RELEASING):
        return state, []
    request, fell_short = conclude(line_released(request, line))
    request, revised = on_rest(request)
    state = pages.put(state, request)
    events: list[Publication | Deadline] = []
    for shipment in state.find(shipments_of(request.id)):
        if any(parcel.reservation == answer.order for parcel in shipment.parcels):
            shipment, dispatch_events = record_dispatch(
                shipment, answer.order, DispatchStatus.DROPPED, festival, event.logged_at
            )
            state = state.put(shipment)
            events += dispatch_events
    return state, [*events, *fell_short, *revised]


def recalled(state: State, festival: Festival, recall: LotRecallReached, _event: Event) -> Decision:
    """Inventory knows which booths it sent the lot to; from there it may have been moved to others."""
    return _at_all_booths(state, festival, lambda booth: booths.withdraw(booth, recall.lot, recall.reason))


def recall_lifted(state: State, festival: Festival, lift: LotRecallLiftReached, _event: Event) -> Decision:
    """Booths may sell what is still there. Pieces that were planned anew stay so."""
    return _at_all_booths(state, festival, lambda booth: booths.reinstate(booth, lift.lot, lift.reason))


def _at_all_booths(
    state: State, festival: Festival, change: Callable[[Booth], tuple[Booth, list[Publication]]]
) -> Decision:
    events: list[Publication | Deadline] = []
    for booth in booths_of(state, festival.id):
        after, booth_events = change(booth)
        if booth_events:
            state = state.put(after)
            events += booth_events
    return state, events


def counted(state: State, festival: Festival, report: SellThroughCounted, _event: Event) -> Decision:
    """A settled booth sold so much."""
    booth = state.get(Booth, report.booth)
    if booth is None or booth.festival != festival.id:
        return state, []
    return update_sums(state.put(booths.apply_sell_through(booth, report)), festival, booth.id)


def sold_so_far(state: State, _festival: Festival, report: SellThroughSoFar, _event: Event) -> Decision:
    """An open booth sold so much, up to a moment."""
    return booth_sales.record(state, report), []
