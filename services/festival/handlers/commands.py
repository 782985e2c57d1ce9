"""The organiser's commands: of each its place over HTTP, its rule, and what the rule reads.

Every command reads its festival and what became of an earlier command with its id. A festival's booths, requests,
shipments and transfers lie in its own lane, so queries for them are owned. Only the view of the stock is foreign.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from services.festival.domain import (
    Booth,
    BoothSales,
    Command,
    Festival,
    Replenishment,
    Request,
    Shipment,
    Transfer,
    changing,
    closing,
    festival,
    merging,
    prices,
    reopening,
    sale_corrections,
    tills,
)
from services.festival.domain.allocation import allocation, pages, revising
from services.festival.domain.allocation.planner import Planner
from services.festival.domain.allocation.request import PlanTerms, request_id, requests_at
from services.festival.domain.booth_sales import booth_sales_at
from services.festival.domain.festival import booths_at
from services.festival.domain.logistics import losses, recount, shipment, transfer
from services.festival.domain.logistics.shipment import shipment_id, shipments_at
from services.festival.domain.logistics.transfer import transfer_id, transfers_at
from services.festival.domain.replenishment import replenish
from services.festival.domain.rules import announcement, by_body, by_time, command
from services.festival.domain.stock import plannable_of
from shared.events.festival import (
    AcceptPlan,
    AddProduct,
    AddTill,
    AnnounceFestival,
    CancelFestival,
    ChangeFestival,
    ChangePrice,
    CloseBooth,
    CloseFestival,
    MergeBooths,
    MoveStray,
    OpenBooth,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    RecountReturn,
    RecountShipment,
    RecountTransfer,
    RenameBooth,
    ReopenBooth,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    SendShipment,
    SendTransfer,
    StrikeTill,
    VoidSale,
)
from shared.events.language import Body, Event
from shared.http.command_handler import CommandHandler
from shared.runtime.processor import Rule, on
from shared.runtime.state import OwnedQuery, Read, Ref

B = TypeVar("B", bound=Body)


def _given(
    path: str, summary: str, body: type[B], rule: Rule[B], *, reads: Callable[[B], Iterable[Read]]
) -> CommandHandler:
    def all_reads(event: Event, body: B) -> Iterator[Read]:
        yield Ref(Festival, event.key)
        yield Ref(Command, event.id)
        yield from reads(body)

    return CommandHandler(path, summary, on(body, rule, reads=all_reads))


def _nothing(_body: Body) -> Iterable[Read]:
    return ()


def _booth(
    body: OpenBooth
    | RenameBooth
    | ResolveDispute
    | VoidSale
    | ChangePrice
    | AddProduct
    | AddTill
    | StrikeTill
    | ReopenBooth,
) -> Iterable[Read]:
    return (Ref(Booth, body.booth),)


def _planning(body: RequestAllocation) -> Iterator[Read]:
    yield from pages.whole_reads(request_id(body.festival, body.request))
    for booth in {demand.booth for demand in body.demands}:
        # What others were promised takes room at the booths.
        yield pages.coming_to(booth)
        yield Ref(Booth, booth)
        yield Ref(BoothSales, booth)
    for product in {demand.product for demand in body.demands}:
        yield plannable_of(product)


def _refilling(body: Replenish) -> Iterator[Read]:
    yield from pages.whole_reads(request_id(body.festival, body.request))
    yield Ref(Replenishment, request_id(body.festival, body.request))
    yield pages.promising_pages(body.festival)
    yield booths_at(body.festival)
    yield booth_sales_at(body.festival)
    for product in set(body.products):
        yield plannable_of(product)


def _accepting(body: AcceptPlan) -> Iterator[Read]:
    yield from pages.whole_reads(request_id(body.festival, body.request))
    # A revision that waits keeps no room, and the request alone knows at which booths it wants some.
    yield pages.promising_pages(body.festival)
    yield booths_at(body.festival)
    yield booth_sales_at(body.festival)


def _request(body: ReviseAllocation) -> Iterable[Read]:
    return pages.whole_reads(request_id(body.festival, body.request))


def _shipping(body: SendShipment) -> Iterable[Read]:
    return (
        Ref(Request, request_id(body.festival, body.request)),
        Ref(Shipment, shipment_id(body.festival, body.shipment)),
        Ref(Booth, body.booth),
        pages.coming_to(body.booth),
    )


def _receiving(body: ReceiveShipment) -> Iterable[Read]:
    # The shipment alone knows of which request it is.
    return (
        Ref(Shipment, shipment_id(body.festival, body.shipment)),
        Ref(Booth, body.booth),
        requests_at(body.festival),
        pages.pages_at(body.booth),
    )


def _recounting(body: RecountShipment | RecountTransfer) -> Iterator[Read]:
    # A lot that another booth has is known, and the sums of the festival may change.
    yield booths_at(body.festival)
    yield Ref(Booth, body.booth)
    yield Ref(BoothSales, body.booth)
    if isinstance(body, RecountShipment):
        yield Ref(Shipment, shipment_id(body.festival, body.shipment))
        yield requests_at(body.festival)
        yield OwnedQuery(PlanTerms, "festival", body.festival)
        yield pages.pages_at(body.booth)
    else:
        yield Ref(Transfer, transfer_id(body.festival, body.transfer))


def _moving(body: SendTransfer) -> Iterable[Read]:
    return (
        Ref(Transfer, transfer_id(body.festival, body.transfer)),
        Ref(Booth, body.booth),
        Ref(Booth, body.to),
        Ref(BoothSales, body.booth),
        # The room at the other booth, with what it sold and was promised.
        Ref(BoothSales, body.to),
        pages.coming_to(body.to),
    )


def _moved(body: ReceiveTransfer) -> Iterable[Read]:
    return Ref(Transfer, transfer_id(body.festival, body.transfer)), Ref(Booth, body.booth)


def _returning(body: ReceiveReturn | RecountReturn) -> Iterable[Read]:
    return Ref(Booth, body.booth), booths_at(body.festival)


def _losing(body: RecordLoss) -> Iterable[Read]:
    return () if body.booth is None else (Ref(Booth, body.booth),)


def _changing(body: ChangeFestival) -> Iterable[Read]:
    return requests_at(body.festival), booths_at(body.festival)


def _cancelling(body: CancelFestival) -> Iterable[Read]:
    return pages.all_reads(body.festival)


def _moving_stray(body: MoveStray) -> Iterator[Read]:
    yield Ref(Booth, body.booth)
    # Booths of other festivals lie in other lanes: only sales knows of all.
    if body.stray.startswith(f"{body.festival}."):
        yield Ref(Booth, body.stray)


def _merging(body: MergeBooths) -> Iterator[Read]:
    yield Ref(Booth, body.booth)
    yield Ref(Booth, body.to)
    yield Ref(Transfer, transfer_id(body.festival, merging.transfer_name(body.booth)))
    yield from _closing(body)


def _closing_booth(body: CloseBooth) -> Iterable[Read]:
    return Ref(Booth, body.booth), *_closing(body)


def _closing(body: CloseFestival | CloseBooth | MergeBooths) -> Iterable[Read]:
    festival = body.festival
    return *pages.all_reads(festival), shipments_at(festival), transfers_at(festival), booths_at(festival)


def commands(planner: Planner) -> tuple[CommandHandler, ...]:
    """All commands, with plans by this planner."""
    return (
        _given("/festivals", "Announce a festival", AnnounceFestival, announcement(), reads=_nothing),
        _given(
            "/festivals/{festival}/change",
            "Change what was announced",
            ChangeFestival,
            command(by_time(changing.change)),
            reads=_changing,
        ),
        _given(
            "/festivals/{festival}/cancel",
            "Cancel it, before anything was sent",
            CancelFestival,
            command(by_body(closing.cancel)),
            reads=_cancelling,
        ),
        _given(
            "/festivals/{festival}/booths",
            "Open a booth",
            OpenBooth,
            command(by_body(festival.open_booth)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/name",
            "Give a booth another name",
            RenameBooth,
            command(by_body(changing.rename_booth)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/requests",
            "Ask for stock: a fair plan is proposed",
            RequestAllocation,
            command(changing.with_added_facilities(partial(allocation.propose, planner=planner))),
            reads=_planning,
        ),
        _given(
            "/festivals/{festival}/replenishments",
            "Ask for a refill while the booths sell",
            Replenish,
            command(changing.with_added_facilities(partial(replenish.replenish, planner=planner))),
            reads=_refilling,
        ),
        _given(
            "/festivals/{festival}/requests/{request}/accept",
            "Make the plan or its revision real",
            AcceptPlan,
            command(by_time(allocation.accept)),
            reads=_accepting,
        ),
        _given(
            "/festivals/{festival}/requests/{request}/revise",
            "Plan again what is missing",
            ReviseAllocation,
            command(changing.with_added_facilities(revising.order)),
            reads=_request,
        ),
        _given(
            "/festivals/{festival}/shipments",
            "Send what a facility has reserved for a booth",
            SendShipment,
            command(by_time(shipment.send)),
            reads=_shipping,
        ),
        _given(
            "/festivals/{festival}/shipments/{shipment}/receive",
            "Count what came to the booth",
            ReceiveShipment,
            command(by_body(shipment.receive)),
            reads=_receiving,
        ),
        _given(
            "/festivals/{festival}/shipments/{shipment}/recount",
            "Count what came of a shipment again",
            RecountShipment,
            command(recount.recount_shipment),
            reads=_recounting,
        ),
        _given(
            "/festivals/{festival}/transfers",
            "Count what leaves a booth for another",
            SendTransfer,
            command(by_time(transfer.send)),
            reads=_moving,
        ),
        _given(
            "/festivals/{festival}/transfers/{transfer}/receive",
            "Count what came of a transfer",
            ReceiveTransfer,
            command(by_body(transfer.receive)),
            reads=_moved,
        ),
        _given(
            "/festivals/{festival}/transfers/{transfer}/recount",
            "Count what came of a transfer again",
            RecountTransfer,
            command(recount.recount_transfer),
            reads=_recounting,
        ),
        _given(
            "/festivals/{festival}/returns",
            "Count what came home of a lot",
            ReceiveReturn,
            command(losses.receive_return),
            reads=_returning,
        ),
        _given(
            "/festivals/{festival}/returns/recount",
            "Count what came home of a lot again",
            RecountReturn,
            command(recount.recount_return),
            reads=_returning,
        ),
        _given(
            "/festivals/{festival}/losses",
            "Record what is spoilt or gone",
            RecordLoss,
            command(losses.record_loss),
            reads=_losing,
        ),
        # Ids that a till made, and tills' names, may hold a slash.
        _given(
            "/festivals/{festival}/disputes/{sale:path}/resolve",
            "Decide on a sale in dispute, or waiting at an open booth",
            ResolveDispute,
            command(sale_corrections.resolve_dispute),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/receipts/{receipt:path}/void",
            "Void pieces of a sale",
            VoidSale,
            command(by_body(sale_corrections.void)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/prices",
            "Change a price from a moment on",
            ChangePrice,
            command(by_time(prices.change)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/products",
            "Sell one more product",
            AddProduct,
            command(by_time(prices.add)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/tills",
            "Sell from one more till",
            AddTill,
            command(by_body(tills.add)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/tills/{till:path}/strike",
            "No longer wait for it",
            StrikeTill,
            command(by_body(tills.strike)),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/strays",
            "Let the sales of a booth that does not exist count here",
            MoveStray,
            command(merging.move_stray),
            reads=_moving_stray,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/merge",
            "Merge a booth that was opened by mistake into another",
            MergeBooths,
            command(merging.merge),
            reads=_merging,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/close",
            "Close one booth before the festival",
            CloseBooth,
            command(by_time(closing.close_booth)),
            reads=_closing_booth,
        ),
        _given(
            "/festivals/{festival}/booths/{booth}/reopen",
            "Sell again at a closed booth, before it is settled with a facility",
            ReopenBooth,
            command(reopening.order),
            reads=_booth,
        ),
        _given(
            "/festivals/{festival}/close",
            "Close it, when the last sale was made",
            CloseFestival,
            command(by_time(closing.close)),
            reads=_closing,
        ),
    )
