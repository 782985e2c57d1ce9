"""What inventory, sales and the clock have to say. An answer to what nobody here asked changes nothing."""

from services.festival.domain import booth as booths
from services.festival.domain import booth_sales
from services.festival.domain.allocation import request as requests
from services.festival.domain.allocation import revising, shortage
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import (
    HOLD_DEADLINE,
    Request,
    conclude,
    find_line,
    line_released,
    request_id,
    request_of,
    with_status,
)
from services.festival.domain.allocation.revision import on_rest
from services.festival.domain.booth import Booth
from services.festival.domain.festival import Festival, booths_of, update_sums
from services.festival.domain.logistics import losses, transfer
from services.festival.domain.logistics.shipment import (
    ARRIVAL_DEADLINE,
    DispatchStatus,
    Shipment,
    mark_overdue,
    record_dispatch,
    shipment_id,
)
from services.festival.domain.logistics.transfer import CARRY_DEADLINE
from services.festival.domain.stock import StockView
from shared.events.festival import RevisionRequested
from shared.events.inventory import (
    LotRecallReached,
    ReservationRefused,
    ReservationReleased,
    StockDispatched,
    StockOrderRefused,
    StockReserved,
    StockReturned,
    StockWrittenOff,
)
from shared.events.language import Deadline, DeadlineReached, Event, Publication
from shared.events.sales import SellThroughCounted, SellThroughSoFar
from shared.runtime.family import Decision
from shared.runtime.state import State


def take(state: State, event: Event, planner: Planner) -> Decision:
    """The festival after an answer, a report or a deadline. Raises TypeError for what festival has no rule for."""
    festival = state.get(Festival, event.key)
    if festival is None:
        return state, []
    match event.body:
        case DeadlineReached() as reached if reached.deadline.startswith(ARRIVAL_DEADLINE):
            return mark_overdue(state, reached.deadline.removeprefix(ARRIVAL_DEADLINE))
        case DeadlineReached() as reached if reached.deadline.startswith(CARRY_DEADLINE):
            return transfer.mark_overdue(state, reached.deadline.removeprefix(CARRY_DEADLINE))
        case DeadlineReached() as reached:
            return _of_request(state, festival, reached.deadline.removeprefix(HOLD_DEADLINE), event, planner)
        case RevisionRequested() as wish:
            return revising.revise(state, festival, wish, event, planner)
        case StockReserved() | ReservationRefused() | ReservationReleased() as answer:
            return _of_request(state, festival, request_id(answer.festival, answer.request), event, planner)
        case StockDispatched() as answer:
            return _dispatched(state, festival, answer, event)
        case StockOrderRefused() as answer:
            state, said = _not_moved(state, festival, answer, event)
            state, told = losses.refuse_order(state, festival, answer)
            return state, said + told
        case StockReturned() as answer:
            return losses.confirm_return(state, festival, answer)
        case StockWrittenOff() as answer:
            return losses.confirm_write_off(state, answer.order), []
        case LotRecallReached() as recall:
            return _recalled(state, recall)
        case SellThroughCounted() as report:
            return _sold(state, festival, report)
        case SellThroughSoFar() as report:
            return booth_sales.record(state, report), []
        case other:
            raise TypeError(f"festival has no rule for {type(other).__name__}")


def _of_request(state: State, festival: Festival, id: str, event: Event, planner: Planner) -> Decision:
    request = state.get(Request, id)
    if request is None:
        return state, []
    match event.body:
        case DeadlineReached() as reached:
            after, said = requests.hold_expired(request, reached.due)
        case StockReserved() as answer:
            after, said = requests.reserved(request, answer.reservation)
        case ReservationRefused() as answer:
            rules = planning_rules(festival, event.logged_at)
            after, said = shortage.handle_refusal(request, answer, state.all(StockView), rules, event, planner)
        case ReservationReleased() as answer:
            after, said = requests.released(request, answer.reservation)
        case other:
            raise TypeError(f"{type(other).__name__} concerns no single request")
    after, more = on_rest(after)
    return (state if after == request else state.put(after)), said + more


def _dispatched(state: State, festival: Festival, answer: StockDispatched, event: Event) -> Decision:
    request = state.get(Request, request_id(answer.festival, answer.request))
    shipment = state.get(Shipment, shipment_id(answer.festival, answer.shipment))
    booth = state.get(Booth, answer.booth)
    line = find_line(request, answer.reservation) if request is not None else None
    if request is None or shipment is None or booth is None or line is None:
        return state, []
    if line.status is not LineStatus.DISPATCHING:
        return state, []
    shipment, said = record_dispatch(shipment, line.reservation, DispatchStatus.LEFT, festival, event.logged_at)
    return state.put(
        with_status(request, line, LineStatus.DISPATCHED), shipment, booths.add_in_transit(booth, line)
    ), said


def _not_moved(state: State, festival: Festival, answer: StockOrderRefused, event: Event) -> Decision:
    """A dispatch or release came too late: a recall has let the reservation go."""
    request = state.get(Request, request_of(answer.order)) if "/" in answer.order else None
    line = find_line(request, answer.order) if request is not None else None
    if request is None or line is None or line.status not in (LineStatus.DISPATCHING, LineStatus.RELEASING):
        return state, []
    request, fell_short = conclude(line_released(request, line))
    request, revised = on_rest(request)
    state = state.put(request)
    said: list[Publication | Deadline] = []
    for shipment in state.all(Shipment):
        if shipment.request == request.id and any(parcel.reservation == answer.order for parcel in shipment.parcels):
            shipment, told = record_dispatch(
                shipment, answer.order, DispatchStatus.DROPPED, festival, event.logged_at
            )
            state = state.put(shipment)
            said += told
    return state, [*said, *fell_short, *revised]


def _recalled(state: State, recall: LotRecallReached) -> Decision:
    """Inventory knows which booths it sent the lot to; from there it may have been moved to others."""
    said: list[Publication | Deadline] = []
    for booth in booths_of(state, recall.festival):
        after, told = booths.withdraw(booth, recall.lot, recall.reason)
        if told:
            state = state.put(after)
            said += told
    return state, said


def _sold(state: State, festival: Festival, report: SellThroughCounted) -> Decision:
    booth = state.get(Booth, report.booth)
    if booth is None or booth.festival != festival.id:
        return state, []
    return update_sums(state.put(booths.apply_sell_through(booth, report)), festival)
