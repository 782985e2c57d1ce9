"""Counts that people take back: of a shipment or transfer that was received, and of what came home.

A recount gives the lot's whole count of this arrival. It is possible in any state of the booth, but not while sales
decides on a merge. What is found beyond the pieces sent is the booth's from then on, and inventory is told of it: it
may come home. A lot that the festival never had waits for inventory, which knows all lots.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from services.festival.domain import booth as booths
from services.festival.domain.allocation import pages
from services.festival.domain.allocation.request import PlanTerms, Request, recount_beyond, surpluses
from services.festival.domain.allocation.revision import on_rest, outdate_revision
from services.festival.domain.booth import Booth, BoothStatus, with_lot
from services.festival.domain.booth_lot import BoothLot, return_balance
from services.festival.domain.booth_sales import BoothSales, less_sold
from services.festival.domain.command import CommandResult, CommandStatus, Rejection, command_of, waiting_command
from services.festival.domain.festival import Festival, booths_of, update_sums
from services.festival.domain.logistics.counts import (
    check_counted_once,
    counted_lots,
    discrepancies,
    wrong_booth,
)
from services.festival.domain.logistics.losses import find_lot
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus, shipment_id, with_losses
from services.festival.domain.logistics.transfer import Transfer, TransferStatus, transfer_id
from services.festival.domain.waiting_booth import check_not_merging, check_not_reopening
from shared.events import lot_number
from shared.events.festival import (
    FESTIVAL,
    CommandRefusal,
    CountedLot,
    RecountReturn,
    RecountShipment,
    RecountTransfer,
    ShipmentRecounted,
    TransferRecounted,
)
from shared.events.inventory import (
    STOCK_ORDERS,
    ReturnRecounted,
    StockFound,
    StockReturnRecounted,
    SurplusCounted,
)
from shared.events.language import MAX_QTY, Deadline, Event, Publication
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message

Outputs: TypeAlias = list[Publication | Deadline]
Arrival: TypeAlias = Shipment | Transfer


def recount_shipment(state: State, festival: Festival, body: RecountShipment, event: Event) -> CommandResult:
    """The booth and the request after lots of a received shipment were counted again, and the events."""
    shipment = state.get(Shipment, shipment_id(festival.id, body.shipment))
    if shipment is None:
        message = Message("{festival} has no shipment {shipment}.", festival=festival.name, shipment=body.shipment)
        return Rejection("shipment", CommandRefusal.UNKNOWN_SHIPMENT, message)
    if shipment.booth != body.booth:
        return wrong_booth(shipment.name, shipment.booth, body.booth, CommandRefusal.UNKNOWN_SHIPMENT)
    if shipment.status is not ShipmentStatus.RECEIVED:
        message = Message("{arrival} is not received yet; receive it first.", arrival=shipment.name)
        return Rejection("shipment", CommandRefusal.WRONG_STATE, message)
    return _recount(state, festival, shipment, body.counted, event)


def recount_transfer(state: State, festival: Festival, body: RecountTransfer, event: Event) -> CommandResult:
    """The booth after lots of a received transfer were counted again, and the events."""
    transfer = state.get(Transfer, transfer_id(festival.id, body.transfer))
    if transfer is None:
        message = Message("{festival} has no transfer {transfer}.", festival=festival.name, transfer=body.transfer)
        return Rejection("transfer", CommandRefusal.UNKNOWN_TRANSFER, message)
    if transfer.to != body.booth:
        return wrong_booth(transfer.name, transfer.to, body.booth, CommandRefusal.UNKNOWN_TRANSFER)
    if transfer.status is not TransferStatus.RECEIVED:
        message = Message("{arrival} is not received yet; receive it first.", arrival=transfer.name)
        return Rejection("transfer", CommandRefusal.WRONG_STATE, message)
    return _recount(state, festival, transfer, body.counted, event)


def recount_return(state: State, festival: Festival, body: RecountReturn, event: Event) -> CommandResult:
    """The booth after pieces that came home were counted again, and the order to inventory.

    The bounds are those of a return. `final` stays as it is.
    """
    holding = find_lot(state, festival, body.booth, body.lot)
    if isinstance(holding, Rejection):
        return holding
    booth, lot = holding
    if booth.status is not BoothStatus.SETTLED:
        message = Message("Booth {booth} is not settled yet, so nothing of it came home.", booth=booth.id)
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if (rejection := check_not_reopening(booth)) is not None:
        return rejection
    if body.qty < lot.returned_before:
        message = Message(
            "{qty:piece|pieces} of {lot} came home before {booth} was opened again; sales counts on them.",
            qty=lot.returned_before,
            lot=lot.lot,
            booth=booth.id,
        )
        return Rejection("qty", CommandRefusal.WRONG_STATE, message)
    if lot.returning:
        message = Message(
            "Inventory has not answered the last count of {lot} yet; try again in a moment.", lot=lot.lot
        )
        return Rejection("lot", CommandRefusal.WRONG_STATE, message)
    change = body.qty - lot.returned
    most = min(MAX_QTY, lot.received - lot.moved_out, lot.returned + booth.return_balance(lot.product).most)
    if change > 0 and body.qty > most:
        message = Message(
            "At most {most} pieces of {lot} can have come home from {booth}, not {qty}. If more are there, recount "
            "what came to the booth, or a sale was wrong.",
            most=max(most, 0),
            lot=lot.lot,
            booth=booth.id,
            qty=body.qty,
        )
        return Rejection("qty", CommandRefusal.TOO_MANY, message)
    if not change:
        return state, []
    state = state.put(with_lot(booth, replace(lot, returning=change)))
    command = replace(command_of(event, CommandStatus.WAITING), booth=booth.id, lot=lot.lot, qty=change)
    order = ReturnRecounted(lot=lot.lot, order=event.id, festival=festival.id, booth=booth.id, change=change)
    state, events = update_sums(state.put(command), festival, booth.id)
    return state, [STOCK_ORDERS.of(order), *events]


def confirm_return(state: State, festival: Festival, answer: StockReturnRecounted) -> Decision:
    """The recounted return confirmed: inventory has changed the pieces on hand."""
    command = waiting_command(state, answer.order)
    booth = state.get(Booth, answer.booth)
    lot = booth.find_lot(answer.lot) if booth is not None else None
    if command is None or booth is None or lot is None:
        return state, []
    lot = replace(lot, returning=lot.returning - answer.change, returned=lot.returned + answer.change)
    state = state.put(with_lot(booth, lot), replace(command, outcome=CommandStatus.DONE))
    return update_sums(state, festival, booth.id)


def take_in_found(state: State, festival: Festival, answer: StockFound) -> Decision:
    """The booth with a lot that the festival never had, now that inventory knows it. Other surplus is booked
    already."""
    command = waiting_command(state, answer.order)
    arrival = _arrival_of(state, festival, answer)
    if command is None or arrival is None:
        return state, []
    state = state.put(replace(command, outcome=CommandStatus.DONE))
    booth = state.get(Booth, answer.booth)
    assert booth is not None, "a recount is at a booth that was opened"
    new = BoothLot(answer.lot, answer.facility, answer.product, answer.made_on, best_before=answer.best_before)
    held = booth.find_lot(answer.lot) or new
    change = _Change.of(arrival, answer.lot, command.qty)
    state, events = _apply(state, festival, arrival, [(held, change)], answer.order)
    return state, events


@dataclass(frozen=True, slots=True)
class _Change:
    """The change of one lot by a recount: `after` pieces are stocked of the arrival; the others are differences."""

    after: int
    received: int
    lost: int
    found: int

    @classmethod
    def of(cls, arrival: Arrival, lot: str, after: int) -> "_Change":
        sent, before = _sent(arrival).get(lot, 0), dict(arrival.stocked).get(lot, 0)
        return cls(
            after=after,
            received=after - before,
            lost=max(0, sent - after) - max(0, sent - before),
            found=max(0, after - sent) - max(0, before - sent),
        )


def _recount(
    state: State, festival: Festival, arrival: Arrival, counted: tuple[CountedLot, ...], event: Event
) -> CommandResult:
    if not counted:
        return Rejection("counted", CommandRefusal.MISSING, Message("Count at least one lot."))
    if (rejection := check_counted_once("counted", counted)) is not None:
        return rejection
    booth = state.get(Booth, _place(arrival))
    assert booth is not None, "goods go to a booth that was opened"
    if (rejection := check_not_merging(booth)) is not None:
        return rejection
    sales = state.get(BoothSales, booth.id)
    changes: list[tuple[BoothLot, _Change]] = []
    for entry in counted:
        held = _find(state, festival, booth, entry.lot)
        if held is None:
            return _ask_inventory(state, festival, arrival, counted, event)
        change = _Change.of(arrival, entry.lot, entry.qty)
        if held.received + change.received > MAX_QTY:
            message = Message("A booth can hold at most {most} pieces of {lot}.", most=MAX_QTY, lot=entry.lot)
            return Rejection("counted", CommandRefusal.TOO_MANY, message)
        changes.append((held, change))
    rejection = _check_gone(less_sold(booth, sales), changes)
    if rejection is not None:
        return rejection
    return _apply(state, festival, arrival, changes, event.id)


def _apply(
    state: State, festival: Festival, arrival: Arrival, changes: Iterable[tuple[BoothLot, _Change]], order: str
) -> tuple[State, Outputs]:
    booth = state.get(Booth, _place(arrival))
    assert booth is not None, "goods go to a booth that was opened"
    stocked, counted = dict(arrival.stocked), dict(arrival.counted)
    outputs: Outputs = []
    for held, change in changes:
        counted[held.lot] = stocked[held.lot] = change.after
        if change.received:
            booth, publications = booths.recount_lot(
                booth, held, received=change.received, lost=change.lost, found=change.found
            )
            outputs += publications
        if change.found:
            total_found = held.found + change.found
            outputs.append(STOCK_ORDERS.of(_surplus_order(festival, arrival, held.lot, total_found, order)))
    after = replace(
        arrival,
        counted=tuple(sorted(counted.items())),
        stocked=tuple(sorted(stocked.items())),
        recounts=arrival.recounts + 1,
    )
    state = state.put(after, booth)
    if isinstance(arrival, Shipment) and isinstance(after, Shipment):
        state, events = _recounted_shipment(state, arrival, after)
    else:
        assert isinstance(after, Transfer), "what is no shipment is a transfer"
        events = [FESTIVAL.of(_transfer_event(after))]
    state, sums = update_sums(state, festival, _place(arrival))
    return state, [*events, *outputs, *sums]


def _recounted_shipment(state: State, before: Shipment, after: Shipment) -> tuple[State, Outputs]:
    """The request with the losses of the recounted shipment, and the events.

    A revision that waits for pieces that were found no longer fits. What one has reserved stays.
    """
    stored_request = state.get(Request, after.request)
    assert stored_request is not None, "a shipment is of a request"
    request = pages.found_by(state, stored_request, pages.pages_at(after.booth))
    terms = state.get(PlanTerms, after.request)
    new_request = recount_beyond(replace(with_losses(request, before, after), terms=terms), after.booth)
    # Without its terms a request asks itself for what concerns it as a whole.
    new_request = replace(new_request, terms=None)
    withdrawn: Outputs = []
    if _lost(new_request) < _lost(request) and new_request.waiting is not None:
        new_request, withdrawn = outdate_revision(new_request)
    new_request, revised = on_rest(new_request)
    beyond = surpluses(replace(new_request, terms=terms), after.booth)
    event = ShipmentRecounted(
        festival=after.festival,
        shipment=after.name,
        booth=after.booth,
        revision=after.recounts,
        lots=counted_lots(after.stocked),
        discrepancies=discrepancies(after.lots, dict(after.counted)),
        surplus=beyond,
    )
    return pages.put(state, new_request), [FESTIVAL.of(event), *withdrawn, *revised]


def _transfer_event(transfer: Transfer) -> TransferRecounted:
    return TransferRecounted(
        festival=transfer.festival,
        transfer=transfer.name,
        booth=transfer.booth,
        to=transfer.to,
        revision=transfer.recounts,
        lots=counted_lots(transfer.stocked),
        discrepancies=discrepancies(dict(transfer.sent), dict(transfer.counted)),
    )


def _ask_inventory(
    state: State, festival: Festival, arrival: Arrival, counted: tuple[CountedLot, ...], event: Event
) -> CommandResult:
    """The command as waiting for inventory, which knows whether there is such a lot; and the order."""
    lots = [entry for entry in counted if not _known(state, festival, entry.lot)]
    entry = lots[0]
    if lot_number.parse(entry.lot) is None:
        message = Message(
            "{lot} is no lot number: a character is missing or wrong. Compare it with the label.", lot=entry.lot
        )
        return Rejection("counted", CommandRefusal.UNKNOWN_LOT, message)
    if not entry.qty:
        message = Message(
            "{festival} never had lot {lot}, so 0 pieces of it change nothing.", festival=festival.name, lot=entry.lot
        )
        return Rejection("counted", CommandRefusal.UNKNOWN_LOT, message)
    if len(counted) > 1:
        message = Message(
            "{festival} never had lot {lot}. Recount it alone, so that inventory can look it up.",
            festival=festival.name,
            lot=entry.lot,
        )
        return Rejection("counted", CommandRefusal.UNKNOWN_LOT, message)
    command = replace(command_of(event, CommandStatus.WAITING), booth=_place(arrival), lot=entry.lot, qty=entry.qty)
    order = _surplus_order(festival, arrival, entry.lot, entry.qty, event.id)
    return state.put(command), [STOCK_ORDERS.of(order)]


def _surplus_order(festival: Festival, arrival: Arrival, lot: str, qty: int, order: str) -> SurplusCounted:
    return SurplusCounted(
        lot=lot,
        order=order,
        festival=festival.id,
        booth=_place(arrival),
        qty=qty,
        shipment=arrival.name if isinstance(arrival, Shipment) else None,
        transfer=arrival.name if isinstance(arrival, Transfer) else None,
    )


def _check_gone(booth: Booth, changes: Iterable[tuple[BoothLot, _Change]]) -> Rejection | None:
    """The rejection of a count below what is known to have left the booth since.

    Sales may be booked on other lots of a product, so they bind all lots together.
    """
    fewer: dict[str, BoothLot] = {}
    after = {lot.lot: lot for lot in booth.lots}
    for held, change in changes:
        recounted_lot = replace(held, received=held.received + change.received)
        after[held.lot] = recounted_lot
        if change.received >= 0:
            continue
        fewer[held.product] = recounted_lot
        departed_qty = recounted_lot.moved_out + max(recounted_lot.most_home, recounted_lot.recorded_lost)
        if recounted_lot.received < departed_qty:
            message = Message(
                "{gone} pieces of {lot} were moved away, lost or sent home from {booth}, more than the {came} that "
                "would have come. Mend those first.",
                gone=departed_qty,
                lot=held.lot,
                booth=booth.id,
                came=recounted_lot.received,
            )
            return Rejection("counted", CommandRefusal.TOO_MANY, message)
    sold_qtys = dict(booth.sold)
    for product, lot in fewer.items():
        balance = return_balance(after.values(), sold_qtys, product)
        departed_qty = balance.moved_out + balance.sold + balance.home
        if balance.received < departed_qty:
            message = Message(
                "{sold} pieces of {product} are sold at {booth}, {moved} went to other booths and {home} home: more "
                "than the {came} that would have come with {lot}. If that is the count, void the wrong sales first.",
                sold=balance.sold,
                product=product,
                booth=booth.id,
                moved=balance.moved_out,
                home=balance.home,
                came=balance.received,
                lot=lot.lot,
            )
            return Rejection("counted", CommandRefusal.TOO_MANY, message)
    return None


def _find(state: State, festival: Festival, booth: Booth, lot: str) -> BoothLot | None:
    """The booth's lot, or a new one as another booth of the festival knows it."""
    if (held := booth.find_lot(lot)) is not None:
        return held
    for candidate in booths_of(state, festival.id):
        if (candidate_lot := candidate.find_lot(lot)) is not None:
            return BoothLot(
                lot,
                candidate_lot.facility,
                candidate_lot.product,
                candidate_lot.made_on,
                best_before=candidate_lot.best_before,
                withdrawn=candidate_lot.withdrawn,
            )
    return None


def _known(state: State, festival: Festival, lot: str) -> bool:
    return any(booth.find_lot(lot) is not None for booth in booths_of(state, festival.id))


def _arrival_of(state: State, festival: Festival, answer: StockFound) -> Arrival | None:
    if answer.shipment is not None:
        return state.get(Shipment, shipment_id(festival.id, answer.shipment))
    return state.get(Transfer, transfer_id(festival.id, answer.transfer)) if answer.transfer is not None else None


def _place(arrival: Arrival) -> str:
    return arrival.booth if isinstance(arrival, Shipment) else arrival.to


def _sent(arrival: Arrival) -> Mapping[str, int]:
    return arrival.lots if isinstance(arrival, Shipment) else dict(arrival.sent)


def _lost(request: Request) -> int:
    return sum(line.lost for line in request.lines.loaded)
