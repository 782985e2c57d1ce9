"""The organiser's corrections of sales: disputed pieces, and voided pieces."""

from dataclasses import replace

from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import (
    CommandResult,
    CommandStatus,
    Rejection,
    command_of,
    refuse,
    waiting_command,
)
from services.festival.domain.festival import Festival, find_booth
from shared.events.festival import (
    BOOTH_STOCK,
    CommandRefusal,
    DisputeOutcome,
    DisputeResolved,
    ResolveDispute,
    VoidOrdered,
    VoidSale,
)
from shared.events.language import Event
from shared.events.lot_number import parse
from shared.events.sales import ResolutionApplied, ResolutionRefusal, ResolutionRefused
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message


def resolve_dispute(state: State, festival: Festival, body: ResolveDispute, event: Event) -> CommandResult:
    """The booth after a decision on a disputed sale, and the event for sales.

    The pieces are accepted, of a lot if the organiser names one, or rejected. A sell-through brings the effect. Of a
    booth that is not settled, sales alone knows the sales in doubt, so the command waits for its answer.
    """
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    asks = body.sale not in booth.disputed and booth.status is not BoothStatus.SETTLED
    if body.sale not in booth.disputed and not asks:
        message = Message(
            "No sale {sale} of booth {booth} is in dispute, or it was resolved already.",
            sale=body.sale,
            booth=booth.id,
        )
        return Rejection("sale", CommandRefusal.UNKNOWN_SALE, message)
    lot = None
    if body.lot is not None:
        if body.outcome is DisputeOutcome.REJECTED:
            message = Message("Pieces that are rejected are of no lot: accept them, or leave the lot out.")
            return Rejection("lot", CommandRefusal.WRONG_STATE, message)
        number = parse(body.lot)
        if number is None:
            message = Message(
                "{lot} is no lot number: at least one character is wrong. It is on the label.", lot=body.lot
            )
            return Rejection("lot", CommandRefusal.BAD_NAME, message)
        lot = str(number)
    if asks:
        resolution = DisputeResolved(booth=booth.id, sale=body.sale, outcome=body.outcome, lot=lot, order=event.id)
        command = replace(command_of(event, CommandStatus.WAITING), booth=booth.id)
        return state.put(command), [BOOTH_STOCK.of(resolution)]
    resolution = DisputeResolved(booth=booth.id, sale=body.sale, outcome=body.outcome, lot=lot)
    # Accepted without a lot, some pieces may stay in dispute; sales decides that.
    if body.outcome is DisputeOutcome.REJECTED or lot is not None:
        state = state.put(replace(booth, disputed=tuple(sale for sale in booth.disputed if sale != body.sale)))
    return state, [BOOTH_STOCK.of(resolution)]


def applied(state: State, _festival: Festival, answer: ResolutionApplied, _event: Event) -> Decision:
    """The command of a decision as done."""
    command = waiting_command(state, answer.order)
    if command is None:
        return state, []
    return state.put(replace(command, outcome=CommandStatus.DONE)), []


def refused(state: State, _festival: Festival, answer: ResolutionRefused, _event: Event) -> Decision:
    """The command of a decision as refused: sales changed nothing."""
    command = waiting_command(state, answer.order)
    if command is None:
        return state, []
    command, refusal = refuse(command, _rejection(answer))
    return state.put(command), [refusal]


def _rejection(answer: ResolutionRefused) -> Rejection:
    """The reason of sales, for the organiser."""
    booth, sale = answer.booth, answer.sale
    match answer.reason:
        case ResolutionRefusal.UNKNOWN_SALE:
            message = Message(
                "{booth} has no sale {sale}. `karya festival disputes` lists the sales in doubt.",
                booth=booth,
                sale=sale,
            )
            return Rejection("sale", CommandRefusal.UNKNOWN_SALE, message)
        case ResolutionRefusal.NOT_IN_DOUBT:
            message = Message(
                "No piece of sale {sale} at {booth} is in doubt: stock has covered it, or it was decided before.",
                booth=booth,
                sale=sale,
            )
            return Rejection("sale", CommandRefusal.WRONG_STATE, message)
        case ResolutionRefusal.OTHER_PRODUCT:
            message = Message(
                "The named lot is of another product than sale {sale}. Its number is on the label.", sale=sale
            )
            return Rejection("lot", CommandRefusal.UNKNOWN_LOT, message)
        case ResolutionRefusal.NOT_CREDITABLE:
            message = Message(
                "No facility has sent {booth} more of the product of sale {sale} than it is credited with. Name the "
                "lot on the label, reject the sale, or receive what came.",
                booth=booth,
                sale=sale,
            )
            return Rejection("lot", CommandRefusal.NOT_CREDITABLE, message)


def void(state: State, festival: Festival, body: VoidSale) -> CommandResult:
    """The order to sales to void pieces of one line of a receipt, before or after the booth is settled.

    Sales knows the receipt, and refuses a void of more pieces than are left.
    """
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    ordered = VoidOrdered(booth=booth.id, receipt=body.receipt, line=body.line, qty=body.qty)
    return state, [BOOTH_STOCK.of(ordered)]
