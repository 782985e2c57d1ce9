"""What inventory, sales, the clock and festival itself say to a festival: of each its rule and its reads."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from services.festival.domain import (
    Booth,
    BoothSales,
    Command,
    Festival,
    Shipment,
    Transfer,
    answers,
    merging,
    reopening,
    sale_corrections,
)
from services.festival.domain.allocation import pages, revising
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import HOLD_DEADLINE, PlanTerms, request_id, request_of, requests_at
from services.festival.domain.answers import at_festival
from services.festival.domain.booth_sales import booth_sales_at
from services.festival.domain.festival import booths_at
from services.festival.domain.logistics.shipment import ARRIVAL_DEADLINE, shipment_id, shipments_of
from services.festival.domain.logistics.transfer import CARRY_DEADLINE, transfer_id
from services.festival.domain.stock import plannable_of
from shared.events.festival import RequestRested, RevisionRequested
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
from shared.events.language import Body, DeadlineReached, Event
from shared.events.sales import (
    BoothForwardingBegun,
    BoothForwardingRefused,
    ReopeningGranted,
    ReopeningRefused,
    ResolutionApplied,
    ResolutionRefused,
    SellThroughCounted,
    SellThroughSoFar,
)
from shared.runtime.processor import Decision, Handler, on
from shared.runtime.state import OwnedQuery, Read, Ref, State

B = TypeVar("B", bound=Body)


def _said(
    body: type[B],
    rule: Callable[[State, Festival, B, Event], Decision],
    *,
    reads: Callable[[Event, B], Iterable[Read]],
) -> Handler:
    def all_reads(event: Event, body: B) -> Iterator[Read]:
        yield Ref(Festival, event.key)
        yield from reads(event, body)

    return on(body, at_festival(rule), reads=all_reads)


def _line(_event: Event, body: StockReserved | ReservationReleased) -> Iterable[Read]:
    return pages.line_reads(body.reservation)


def _refused(event: Event, body: ReservationRefused) -> Iterator[Read]:
    # A plan of what is missing takes account of everything in the request.
    yield from pages.whole_reads(request_id(event.key, body.request))
    if body.product is not None:
        yield plannable_of(body.product)


def _dispatched(event: Event, body: StockDispatched) -> Iterable[Read]:
    return (
        *pages.line_reads(body.reservation),
        Ref(Shipment, shipment_id(event.key, body.shipment)),
        Ref(Booth, body.booth),
    )


def _order_refused(event: Event, body: StockOrderRefused) -> Iterable[Read]:
    request = request_of(body.order)
    return Ref(Command, body.order), *pages.line_reads(body.order), shipments_of(request), booths_at(event.key)


def _returned(event: Event, body: StockReturned | StockReturnRecounted) -> Iterable[Read]:
    return Ref(Command, body.order), Ref(Booth, body.booth), booths_at(event.key)


def _found(event: Event, body: StockFound) -> Iterator[Read]:
    yield Ref(Command, body.order)
    yield Ref(Booth, body.booth)
    yield booths_at(event.key)
    if body.shipment is not None:
        yield Ref(Shipment, shipment_id(event.key, body.shipment))
        # The shipment alone knows of which request it is.
        yield requests_at(event.key)
        yield OwnedQuery(PlanTerms, "festival", event.key)
        yield pages.pages_at(body.booth)
    if body.transfer is not None:
        yield Ref(Transfer, transfer_id(event.key, body.transfer))


def _written_off(_event: Event, body: StockWrittenOff) -> Iterable[Read]:
    return (Ref(Command, body.order),)


def _booths(event: Event, _body: LotRecallReached | LotRecallLiftReached) -> Iterable[Read]:
    return (booths_at(event.key),)


def _pace(_event: Event, body: SellThroughSoFar) -> Iterable[Read]:
    return (Ref(BoothSales, body.booth),)


def _counted(event: Event, body: SellThroughCounted) -> Iterable[Read]:
    return Ref(Booth, body.booth), booths_at(event.key)


def _reopening(_event: Event, body: ReopeningGranted | ReopeningRefused) -> Iterable[Read]:
    return Ref(Command, body.order), Ref(Booth, body.booth)


def _resolution(_event: Event, body: ResolutionApplied | ResolutionRefused) -> Iterable[Read]:
    return (Ref(Command, body.order),)


def _forwarding(event: Event, body: BoothForwardingBegun | BoothForwardingRefused) -> Iterable[Read]:
    return (
        Ref(Command, body.order),
        Ref(Booth, body.booth),
        Ref(Booth, body.to),
        Ref(Transfer, transfer_id(event.key, merging.transfer_name(body.booth))),
    )


def _revising(event: Event, body: RevisionRequested) -> Iterator[Read]:
    yield from pages.whole_reads(request_id(event.key, body.request))
    if body.command is not None:
        yield Ref(Command, body.command)
    # The room at the booths, with what others were promised.
    yield pages.promising_pages(event.key)
    yield booths_at(event.key)
    yield booth_sales_at(event.key)
    for product in body.products:
        yield plannable_of(product)


def _due(_event: Event, body: DeadlineReached) -> Iterable[Read]:
    for prefix, entity in ((ARRIVAL_DEADLINE, Shipment), (CARRY_DEADLINE, Transfer)):
        if body.deadline.startswith(prefix):
            return (Ref(entity, body.deadline.removeprefix(prefix)),)
    return pages.whole_reads(body.deadline.removeprefix(HOLD_DEADLINE))


def _rested(event: Event, body: RequestRested) -> Iterable[Read]:
    return pages.whole_reads(request_id(event.key, body.request))


def answers_to(planner: Planner) -> tuple[Handler, ...]:
    """All of them, with plans by this planner."""
    return (
        _said(StockReserved, answers.reserved, reads=_line),
        _said(ReservationRefused, partial(answers.not_reserved, planner=planner), reads=_refused),
        _said(ReservationReleased, answers.released, reads=_line),
        _said(StockDispatched, answers.dispatched, reads=_dispatched),
        _said(StockReturned, answers.returned, reads=_returned),
        _said(StockReturnRecounted, answers.return_recounted, reads=_returned),
        _said(StockFound, answers.found, reads=_found),
        _said(StockWrittenOff, answers.written_off, reads=_written_off),
        _said(StockOrderRefused, answers.order_refused, reads=_order_refused),
        _said(LotRecallReached, answers.recalled, reads=_booths),
        _said(LotRecallLiftReached, answers.recall_lifted, reads=_booths),
        _said(SellThroughCounted, answers.counted, reads=_counted),
        _said(SellThroughSoFar, answers.sold_so_far, reads=_pace),
        _said(ReopeningGranted, reopening.granted, reads=_reopening),
        _said(ReopeningRefused, reopening.refused, reads=_reopening),
        _said(ResolutionApplied, sale_corrections.applied, reads=_resolution),
        _said(ResolutionRefused, sale_corrections.refused, reads=_resolution),
        _said(BoothForwardingBegun, merging.begun, reads=_forwarding),
        _said(BoothForwardingRefused, merging.refused, reads=_forwarding),
        _said(RevisionRequested, partial(revising.revise, planner=planner), reads=_revising),
        _said(RequestRested, answers.rested, reads=_rested),
        _said(DeadlineReached, answers.deadline_reached, reads=_due),
    )
