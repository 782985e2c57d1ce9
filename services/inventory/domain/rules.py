"""The rules of inventory: one event about one lot at a time."""

from services.inventory.domain.lot import Lot, correct, recall, receive_return, record, refuse_unknown_lot, write_off
from services.inventory.domain.reservation import dispatch, release, reserve
from shared.events.inventory import (
    INVENTORY,
    DispatchOrdered,
    LossRecorded,
    ReleaseRequested,
    ReservationRequested,
    ReturnReceived,
    StockChanged,
)
from shared.events.language import Event, Publication
from shared.events.production import CorrectionRequested, LotRecalled, LotRecorded
from shared.runtime.family import Decision
from shared.runtime.state import State


def decide(state: State, event: Event) -> Decision:
    """The lot after the event, and what is said about it: answers first, then the new balance."""
    body = event.body
    if isinstance(body, LotRecorded):
        lot, said = record(body)
    else:
        known = state.get(Lot, event.key)
        if known is None:
            return state, [*refuse_unknown_lot(body)]
        lot, said = _change(known, event)
        if lot is known:
            return state, [*said]
    return state.put(lot), [*said, INVENTORY.of(_balance(lot))]


def _change(lot: Lot, event: Event) -> tuple[Lot, list[Publication]]:
    match event.body:
        case CorrectionRequested() as request:
            return correct(lot, request)
        case LotRecalled() as request:
            return recall(lot, request)
        case ReservationRequested() as request:
            return reserve(lot, request)
        case ReleaseRequested() as request:
            return release(lot, request)
        case DispatchOrdered() as order:
            return dispatch(lot, order)
        case ReturnReceived() as order:
            return receive_return(lot, order)
        case LossRecorded() as order:
            return write_off(lot, order)
        case other:
            raise TypeError(f"inventory has no rule for {type(other).__name__}")


def _balance(lot: Lot) -> StockChanged:
    return StockChanged(
        lot=lot.id,
        revision=lot.revision,
        facility=lot.facility,
        product=lot.product,
        category=lot.category,
        made_on=lot.made_on,
        best_before=lot.best_before,
        recalled=lot.recalled,
        recorded=lot.recorded,
        corrected=lot.corrected,
        on_hand=lot.on_hand,
        reserved=lot.reserved,
        dispatched=lot.dispatched,
        returned=lot.returned,
        written_off=lot.written_off,
    )
