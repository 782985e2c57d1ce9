"""The organiser's word on what tills sold: pieces in doubt, and pieces that did not stand."""

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
    """Pieces that sales could not cover are accepted, of a `lot` if one is named, or rejected. What it changes comes
    back as a sell-through."""
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
    # Accepted without a lot, some pieces may stay in dispute: that is sales' to say.
    if body.outcome is DisputeOutcome.REJECTED or lot is not None:
        state = state.put(replace(booth, disputed=tuple(sale for sale in booth.disputed if sale != body.sale)))
    return state, [BOOTH_STOCK.of(resolved)]


def void(state: State, festival: Festival, body: VoidSale) -> CommandResult:
    """Pieces of a line of a receipt did not stand, whether or not the booth is settled. Sales knows the receipt: it
    refuses visibly more pieces than are left to void."""
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    ordered = VoidOrdered(booth=booth.id, receipt=body.receipt, line=body.line, qty=body.qty)
    return state, [BOOTH_STOCK.of(ordered)]
