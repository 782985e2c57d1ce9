"""Which entities an event of festival may read or change."""

from collections.abc import Iterator

from services.festival.domain import (
    Booth,
    BoothSales,
    Command,
    Festival,
    Replenishment,
    Request,
    Shipment,
    StockView,
    Transfer,
)
from services.festival.domain.allocation.request import HOLD_DEADLINE, request_id, request_of
from services.festival.domain.logistics.shipment import ARRIVAL_DEADLINE, shipment_id
from services.festival.domain.logistics.transfer import CARRY_DEADLINE, transfer_id
from shared.events.festival import (
    ORGANISER,
    AcceptPlan,
    AddTill,
    CancelFestival,
    ChangePrice,
    CloseBooth,
    CloseFestival,
    OpenBooth,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    RevisionRequested,
    SendShipment,
    SendTransfer,
    StrikeTill,
    VoidSale,
)
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
from shared.events.language import DeadlineReached, Event
from shared.events.sales import SellThroughCounted, SellThroughSoFar
from shared.runtime.state import Hint, Ref


def touches_stock(event: Event) -> Iterator[Ref | Hint]:
    """Every event about a lot concerns that lot's view."""
    yield Ref(StockView, event.key)


def touches(event: Event) -> Iterator[Ref | Hint]:
    """What an event of a festival may read or change. A festival's booths, requests and shipments lie in its own
    lane, so that a hint by `festival` or `request` finds them as they are; only the stock view may lag."""
    yield Ref(Festival, event.key)
    if isinstance(event.body, ORGANISER.bodies):
        yield Ref(Command, event.id)
        yield from _of_command(event)
    else:
        yield from _of_answer(event)


def _of_command(event: Event) -> Iterator[Ref | Hint]:
    festival = event.key
    match event.body:
        case OpenBooth() | ResolveDispute() | VoidSale() | ChangePrice() | AddTill() | StrikeTill() as body:
            yield Ref(Booth, body.booth)
        case RequestAllocation() as body:
            yield Ref(Request, request_id(festival, body.request))
            # What others were promised takes room at the booths.
            yield Hint(Request, "promising", festival)
            for booth in {demand.booth for demand in body.demands}:
                yield Ref(Booth, booth)
                yield Ref(BoothSales, booth)
            for product in {demand.product for demand in body.demands}:
                yield Hint(StockView, "plannable", product)
        case Replenish() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Replenishment, request_id(festival, body.request))
            yield Hint(Request, "promising", festival)
            yield Hint(Booth, "festival", festival)
            yield Hint(BoothSales, "festival", festival)
            for product in set(body.products):
                yield Hint(StockView, "plannable", product)
        case AcceptPlan() as body:
            yield Ref(Request, request_id(festival, body.request))
            # A revision that waits keeps no room, and the request alone knows at which booths it wants some.
            yield Hint(Request, "promising", festival)
            yield Hint(Booth, "festival", festival)
            yield Hint(BoothSales, "festival", festival)
        case ReviseAllocation() as body:
            yield Ref(Request, request_id(festival, body.request))
        case SendShipment() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
        case ReceiveShipment() as body:
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
            # The shipment alone knows of which request it is.
            yield Hint(Request, "festival", festival)
        case SendTransfer() as body:
            yield Ref(Transfer, transfer_id(festival, body.transfer))
            yield Ref(Booth, body.booth)
            yield Ref(Booth, body.to)
            yield Ref(BoothSales, body.booth)
            # The room at the other booth, with what it sold and was promised.
            yield Ref(BoothSales, body.to)
            yield Hint(Request, "promising", festival)
        case ReceiveTransfer() as body:
            yield Ref(Transfer, transfer_id(festival, body.transfer))
            yield Ref(Booth, body.booth)
        case ReceiveReturn() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case RecordLoss() as body:
            if body.booth is not None:
                yield Ref(Booth, body.booth)
        case CancelFestival():
            yield Hint(Request, "festival", festival)
        case CloseBooth() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Request, "festival", festival)
            yield Hint(Shipment, "festival", festival)
            yield Hint(Transfer, "festival", festival)
        case CloseFestival():
            yield Hint(Request, "festival", festival)
            yield Hint(Shipment, "festival", festival)
            yield Hint(Transfer, "festival", festival)
            yield Hint(Booth, "festival", festival)
        case _:
            return


def _of_answer(event: Event) -> Iterator[Ref | Hint]:
    festival = event.key
    match event.body:
        case StockReserved() | ReservationReleased() as body:
            yield Ref(Request, request_id(festival, body.request))
        case ReservationRefused() as body:
            yield Ref(Request, request_id(festival, body.request))
            if body.product is not None:
                yield Hint(StockView, "plannable", body.product)
        case StockDispatched() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
        case StockOrderRefused() as body:
            yield Ref(Command, body.order)
            yield Ref(Request, request_of(body.order))
            yield Hint(Shipment, "request", request_of(body.order))
            yield Hint(Booth, "festival", festival)
        case StockReturned() as body:
            yield Ref(Command, body.order)
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case StockWrittenOff() as body:
            yield Ref(Command, body.order)
        case LotRecallReached():
            yield Hint(Booth, "festival", festival)
        case SellThroughSoFar() as body:
            yield Ref(BoothSales, body.booth)
        case SellThroughCounted() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case RevisionRequested() as body:
            yield Ref(Request, request_id(festival, body.request))
            if body.command is not None:
                yield Ref(Command, body.command)
            # The room at the booths, with what others were promised.
            yield Hint(Request, "promising", festival)
            yield Hint(Booth, "festival", festival)
            yield Hint(BoothSales, "festival", festival)
            for product in body.products:
                yield Hint(StockView, "plannable", product)
            for lot in body.lots:
                yield Ref(StockView, lot)
        case DeadlineReached() as body if body.deadline.startswith(ARRIVAL_DEADLINE):
            yield Ref(Shipment, body.deadline.removeprefix(ARRIVAL_DEADLINE))
        case DeadlineReached() as body if body.deadline.startswith(CARRY_DEADLINE):
            yield Ref(Transfer, body.deadline.removeprefix(CARRY_DEADLINE))
        case DeadlineReached() as body:
            yield Ref(Request, body.deadline.removeprefix(HOLD_DEADLINE))
        case _:
            return
