"""Returns and losses: the pieces that people counted, and the answers of inventory."""

from dataclasses import replace

from services.festival.domain.booth import Booth, BoothStatus, with_lot
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.command import (
    CommandResult,
    CommandStatus,
    Rejection,
    command_of,
    refuse,
    waiting_command,
)
from services.festival.domain.festival import Festival, booths_of, find_booth, update_sums
from services.festival.domain.waiting_booth import check_not_reopening
from shared.events.festival import (
    BOOTH_STOCK,
    BoothStockLost,
    CommandRefusal,
    LossPlace,
    ReceiveReturn,
    RecordLoss,
    RecountReturn,
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
from shared.wording import Message

_RETURNS = (ReceiveReturn.__name__, RecountReturn.__name__)


def receive_return(state: State, festival: Festival, body: ReceiveReturn, event: Event) -> CommandResult:
    """The booth after pieces of a lot came home, and the order to inventory.

    The counted lot is trusted, as a sale may have been booked on another. But sold or moved pieces can't come home.
    Over all lots of a product at a booth

        returned + returning <= received - moved out - sold

    by the latest sell-through. A later sale may break this, and shows as surplus. Pieces that were recorded as lost
    may come home. Of a single lot no more comes home than the booth ever received.
    """
    holding = find_lot(state, festival, body.booth, body.lot)
    if isinstance(holding, Rejection):
        return holding
    booth, lot = holding
    if booth.status is not BoothStatus.SETTLED:
        message = Message(
            "Booth {booth} is not settled yet: its sales must be counted before anything goes home.", booth=booth.id
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if (rejection := check_not_reopening(booth)) is not None:
        return rejection
    most = min(MAX_QTY, lot.received - lot.moved_out - lot.most_home)
    if body.qty > most:
        message = Message(
            "Booth {booth} received {received} pieces of {lot}; at most {most} can still come home.",
            booth=booth.id,
            received=lot.received,
            lot=lot.lot,
            most=most,
        )
        return Rejection("qty", CommandRefusal.TOO_MANY, message)
    balance = booth.return_balance(lot.product)
    if body.qty > balance.most:
        message = Message(
            "At most {most} pieces of {product} can still come home from {booth}, not {qty}: "
            "{received} came, {moved_out} went to other booths, {sold} were sold and {home} are "
            "home. If more are there, a sale or a count was wrong.",
            most=balance.most,
            product=lot.product,
            booth=booth.id,
            qty=body.qty,
            received=balance.received,
            moved_out=balance.moved_out,
            sold=balance.sold,
            home=balance.home,
        )
        return Rejection("qty", CommandRefusal.TOO_MANY, message)
    lot = replace(lot, returning=lot.returning + body.qty, final=lot.final or body.final)
    state = state.put(with_lot(booth, lot))
    if body.qty == 0:
        return update_sums(state, festival, booth.id)
    command = replace(command_of(event, CommandStatus.WAITING), booth=booth.id, lot=lot.lot, qty=body.qty)
    order = ReturnReceived(lot=lot.lot, order=event.id, festival=festival.id, booth=booth.id, qty=body.qty)
    state, events = update_sums(state.put(command), festival, booth.id)
    return state, [STOCK_ORDERS.of(order), *events]


def record_loss(state: State, festival: Festival, body: RecordLoss, event: Event) -> CommandResult:
    """The record of spoilt or lost pieces. At a facility inventory decides; at a booth the event goes to sales."""
    if body.place is LossPlace.FACILITY:
        command = replace(command_of(event, CommandStatus.WAITING), lot=body.lot, qty=body.qty)
        order = LossRecorded(lot=body.lot, order=event.id, festival=festival.id, qty=body.qty, reason=body.reason)
        return state.put(command), [STOCK_ORDERS.of(order)]
    if body.booth is None:
        return Rejection("booth", CommandRefusal.MISSING, Message("Say at which booth the pieces were lost."))
    holding = find_lot(state, festival, body.booth, body.lot)
    if isinstance(holding, Rejection):
        return holding
    booth, lot = holding
    if booth.status is BoothStatus.SETTLED:
        message = Message(
            "Booth {booth} is settled: receive what came home as final, and the rest counts as lost.", booth=booth.id
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if booth.merged_into is not None:
        message = Message(
            "Booth {booth} is merged into {merged_into}: record what was lost of its stock there.",
            booth=booth.id,
            merged_into=booth.merged_into or "",
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    # Some may have come home before the booth was opened again, also pieces that were recorded as lost.
    most = max(0, lot.received - lot.moved_out - lot.recorded_lost - lot.home)
    if body.qty > most:
        message = Message(
            "Booth {booth} received {received} pieces of {lot}; {most} are not lost, moved or home already.",
            booth=booth.id,
            received=lot.received,
            lot=lot.lot,
            most=most,
        )
        return Rejection("qty", CommandRefusal.TOO_MANY, message)
    booth = with_lot(booth, replace(lot, recorded_lost=lot.recorded_lost + body.qty))
    loss = BoothStockLost(booth=booth.id, lot=lot.lot, qty=body.qty)
    return state.put(booth), [BOOTH_STOCK.of(loss)]


def confirm_return(state: State, festival: Festival, answer: StockReturned) -> Decision:
    """The return confirmed: inventory has the pieces on hand again."""
    command = waiting_command(state, answer.order)
    booth = state.get(Booth, answer.booth)
    lot = booth.find_lot(answer.lot) if booth is not None else None
    if command is None or booth is None or lot is None:
        return state, []
    lot = replace(lot, returning=lot.returning - answer.qty, returned=lot.returned + answer.qty)
    state = state.put(with_lot(booth, lot), replace(command, outcome=CommandStatus.DONE))
    return update_sums(state, festival, booth.id)


def confirm_write_off(state: State, order: str) -> State:
    """The command of the loss done: inventory has written the pieces off."""
    command = waiting_command(state, order)
    if command is None:
        return state
    return state.put(replace(command, outcome=CommandStatus.DONE))


def refuse_order(state: State, festival: Festival, answer: StockOrderRefused) -> Decision:
    """The command refused after all, as inventory refused its return, recount or loss. A return is undone.

    A recount of a return leaves `final` as it was. A recount of a lot that inventory does not know changed nothing.
    """
    command = waiting_command(state, answer.order)
    if command is None:
        return state, []
    command, refusal = refuse(command, _rejection(answer))
    state = state.put(command)
    booth = next((booth for booth in booths_of(state, festival.id) if booth.id == command.booth), None)
    lot = booth.find_lot(answer.lot) if booth is not None else None
    if booth is None or lot is None or command.name not in _RETURNS:
        return state, [refusal]
    final = lot.final and command.name == RecountReturn.__name__
    lot = replace(lot, returning=lot.returning - command.qty, final=final)
    state, events = update_sums(state.put(with_lot(booth, lot)), festival, booth.id)
    return state, [refusal, *events]


def _rejection(answer: StockOrderRefused) -> Rejection:
    """The reason of inventory, for the organiser."""
    if answer.reason is OrderRefusal.UNKNOWN_LOT:
        return Rejection(
            "lot",
            CommandRefusal.UNKNOWN_LOT,
            Message("No lot {lot} is known. Its number is on its label.", lot=answer.lot),
        )
    if answer.reason is OrderRefusal.SHORT:
        message = Message(
            "The facility has {on_hand} pieces of {lot} on hand, fewer than that.",
            on_hand=answer.on_hand,
            lot=answer.lot,
        )
        return Rejection("qty", CommandRefusal.STOCK_SAYS_NO, message)
    message = Message(
        "Inventory could not do this with {lot}: {reason:word}.",
        lot=answer.lot,
        reason=answer.reason.value.replace("_", " "),
    )
    return Rejection("lot", CommandRefusal.STOCK_SAYS_NO, message)


def find_lot(state: State, festival: Festival, booth_id: str, lot_id: str) -> tuple[Booth, BoothLot] | Rejection:
    """The festival's booth, and the lot that it received."""
    booth = find_booth(state, festival, booth_id)
    if isinstance(booth, Rejection):
        return booth
    lot = booth.find_lot(lot_id)
    if lot is None:
        return Rejection(
            "lot",
            CommandRefusal.UNKNOWN_LOT,
            Message("Booth {booth} never received lot {lot}.", booth=booth_id, lot=lot_id),
        )
    return booth, lot
