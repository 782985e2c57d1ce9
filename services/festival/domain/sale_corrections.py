"""The organiser's corrections of sales: disputed pieces, and voided pieces."""

from dataclasses import replace

from services.festival.domain.command import CommandResult, Rejection
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
from shared.events.lot_number import parse
from shared.runtime.state import State


def resolve_dispute(state: State, festival: Festival, body: ResolveDispute) -> CommandResult:
    """The booth after a decision on a disputed sale, and the event for sales.

    The pieces are accepted, of a lot if the organiser names one, or rejected. A sell-through brings the effect.
    """
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if body.sale not in booth.disputed:
        message = f"No sale {body.sale} of booth {booth.id} is in dispute, or it was resolved already."
        return Rejection("sale", CommandRefusal.UNKNOWN_SALE, message)
    lot = None
    if body.lot is not None:
        if body.outcome is DisputeOutcome.REJECTED:
            message = "Pieces that are rejected are of no lot: accept them, or leave the lot out."
            return Rejection("lot", CommandRefusal.WRONG_STATE, message)
        number = parse(body.lot)
        if number is None:
            message = f"{body.lot} is no lot number: at least one character is wrong. It is on the label."
            return Rejection("lot", CommandRefusal.BAD_NAME, message)
        lot = str(number)
    resolved = DisputeResolved(booth=booth.id, sale=body.sale, outcome=body.outcome, lot=lot)
    # Accepted without a lot, some pieces may stay in dispute; sales decides that.
    if body.outcome is DisputeOutcome.REJECTED or lot is not None:
        state = state.put(replace(booth, disputed=tuple(sale for sale in booth.disputed if sale != body.sale)))
    return state, [BOOTH_STOCK.of(resolved)]


def void(state: State, festival: Festival, body: VoidSale) -> CommandResult:
    """The order to sales to void pieces of one line of a receipt, before or after the booth is settled.

    Sales knows the receipt, and refuses a void of more pieces than are left.
    """
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    ordered = VoidOrdered(booth=booth.id, receipt=body.receipt, line=body.line, qty=body.qty)
    return state, [BOOTH_STOCK.of(ordered)]
