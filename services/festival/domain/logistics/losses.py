"""Pieces that come home or are lost: what people counted, and what inventory answers."""

from dataclasses import replace

from services.festival.domain.booth import Booth, BoothStatus, changed
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.command import Carried, Command, Outcome, Wrong, given, refused
from services.festival.domain.festival import Festival, account, booth_of, booths_of
from shared.events.festival import (
    BOOTH_STOCK,
    BoothStockLost,
    CommandRefusal,
    LossPlace,
    ReceiveReturn,
    RecordLoss,
)
from shared.events.inventory import (
    STOCK_ORDERS,
    LossRecorded,
    OrderRefusal,
    ReturnReceived,
    StockOrderRefused,
    StockReturned,
)
from shared.events.language import MAX_QTY, Event
from shared.runtime.processor import Decision
from shared.runtime.state import State


def receive_return(state: State, festival: Festival, body: ReceiveReturn, event: Event) -> Carried:
    """Pieces came home. Which lot they are of is true as counted: sales may have been booked on the wrong one. But
    pieces that were sold or moved can't come home: over all lots of a product at a booth

        returned + returning <= received - moved out - sold

    by the sell-through that is known now; a later sale may break it, and shows as surplus. Pieces that were recorded
    as lost may be found and come home. By single lot no more comes home than the booth ever received."""
    found = _held(state, festival, body.booth, body.lot)
    if isinstance(found, Wrong):
        return found
    booth, lot = found
    if booth.status is not BoothStatus.SETTLED:
        message = f"Booth {booth.id} is not settled yet: its sales must be counted before anything goes home."
        return Wrong("booth", CommandRefusal.WRONG_STATE, message)
    most = min(MAX_QTY, lot.received - lot.moved_out - lot.home)
    if body.qty > most:
        message = f"Booth {booth.id} received {lot.received} pieces of {lot.lot}; at most {most} can still come home."
        return Wrong("qty", CommandRefusal.TOO_MANY, message)
    home = booth.come_home(lot.product)
    if body.qty > home.most:
        message = (
            f"At most {home.most} pieces of {lot.product} can still come home from {booth.id}, not {body.qty}: "
            f"{home.received} came, {home.moved_out} went to other booths, {home.sold} were sold and {home.home} are "
            "home. If more are there, a sale or a count was wrong."
        )
        return Wrong("qty", CommandRefusal.TOO_MANY, message)
    lot = replace(lot, returning=lot.returning + body.qty, final=lot.final or body.final)
    state = state.put(changed(booth, lot))
    if body.qty == 0:
        return account(state, festival)
    waiting = replace(given(event, Outcome.WAITING), booth=booth.id, lot=lot.lot, qty=body.qty)
    order = ReturnReceived(lot=lot.lot, order=event.id, festival=festival.id, booth=booth.id, qty=body.qty)
    state, said = account(state.put(waiting), festival)
    return state, [STOCK_ORDERS.of(order), *said]


def record_loss(state: State, festival: Festival, body: RecordLoss, event: Event) -> Carried:
    """Pieces are spoilt or gone: at the facility that is inventory's to say, at a booth sales hears of it."""
    if body.place is LossPlace.FACILITY:
        waiting = replace(given(event, Outcome.WAITING), lot=body.lot, qty=body.qty)
        order = LossRecorded(lot=body.lot, order=event.id, festival=festival.id, qty=body.qty, reason=body.reason)
        return state.put(waiting), [STOCK_ORDERS.of(order)]
    if body.booth is None:
        return Wrong("booth", CommandRefusal.MISSING, "Say at which booth the pieces were lost.")
    found = _held(state, festival, body.booth, body.lot)
    if isinstance(found, Wrong):
        return found
    booth, lot = found
    if booth.status is BoothStatus.SETTLED:
        message = f"Booth {booth.id} is settled: receive what came home as final, and the rest counts as lost."
        return Wrong("booth", CommandRefusal.WRONG_STATE, message)
    most = lot.received - lot.moved_out - lot.recorded_lost
    if body.qty > most:
        message = (
            f"Booth {booth.id} received {lot.received} pieces of {lot.lot}; {most} are not lost or moved already."
        )
        return Wrong("qty", CommandRefusal.TOO_MANY, message)
    booth = changed(booth, replace(lot, recorded_lost=lot.recorded_lost + body.qty))
    said = BoothStockLost(booth=booth.id, lot=lot.lot, qty=body.qty)
    return state.put(booth), [BOOTH_STOCK.of(said)]


def returned(state: State, festival: Festival, answer: StockReturned) -> Decision:
    """Inventory has the pieces on hand again."""
    command = state.get(Command, answer.order)
    booth = state.get(Booth, answer.booth)
    lot = booth.holds(answer.lot) if booth is not None else None
    if command is None or command.outcome is not Outcome.WAITING or booth is None or lot is None:
        return state, []
    lot = replace(lot, returning=lot.returning - answer.qty, returned=lot.returned + answer.qty)
    state = state.put(changed(booth, lot), replace(command, outcome=Outcome.DONE))
    return account(state, festival)


def written_off(state: State, order: str) -> State:
    """Inventory has written the loss off."""
    command = state.get(Command, order)
    if command is None or command.outcome is not Outcome.WAITING:
        return state
    return state.put(replace(command, outcome=Outcome.DONE))


def not_carried_out(state: State, festival: Festival, answer: StockOrderRefused) -> Decision:
    """Inventory refused a return or a loss: the command is refused after all, and a return is taken back."""
    command = state.get(Command, answer.order)
    if command is None or command.outcome is not Outcome.WAITING:
        return state, []
    command, said = refused(command, _no(answer))
    state = state.put(command)
    booth = next((one for one in booths_of(state, festival.id) if one.id == command.booth), None)
    lot = booth.holds(answer.lot) if booth is not None else None
    if booth is None or lot is None:
        return state, [said]
    lot = replace(lot, returning=lot.returning - command.qty, final=False)
    state, told = account(state.put(changed(booth, lot)), festival)
    return state, [said, *told]


def _no(answer: StockOrderRefused) -> Wrong:
    if answer.reason is OrderRefusal.UNKNOWN_LOT:
        return Wrong("lot", CommandRefusal.UNKNOWN_LOT, f"No lot {answer.lot} is known. Its number is on its label.")
    if answer.reason is OrderRefusal.SHORT:
        message = f"The facility has {answer.on_hand} pieces of {answer.lot} on hand, fewer than that."
        return Wrong("qty", CommandRefusal.STOCK_SAYS_NO, message)
    message = f"Inventory could not do this with {answer.lot}: {answer.reason.value.replace('_', ' ')}."
    return Wrong("lot", CommandRefusal.STOCK_SAYS_NO, message)


def _held(state: State, festival: Festival, booth_id: str, lot_id: str) -> tuple[Booth, BoothLot] | Wrong:
    booth = booth_of(state, festival, booth_id)
    if isinstance(booth, Wrong):
        return booth
    lot = booth.holds(lot_id)
    if lot is None:
        return Wrong("lot", CommandRefusal.UNKNOWN_LOT, f"Booth {booth_id} never received lot {lot_id}.")
    return booth, lot
