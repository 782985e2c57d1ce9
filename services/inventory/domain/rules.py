"""The rules of inventory: one event about one lot at a time. Answers are said first, then the new balance."""

from collections.abc import Callable
from typing import TypeVar

from services.inventory.domain import lot as lots
from services.inventory.domain.lot import Lot, refuse_unknown_lot
from shared.events.inventory import INVENTORY, StockChanged
from shared.events.language import Body, Event, Publication
from shared.events.production import LotRecorded
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State

B = TypeVar("B", bound=Body)


def record(state: State, _event: Event, body: LotRecorded) -> Decision:
    """The lot that a facility made."""
    lot, answers = lots.record(body)
    return state.put(lot), [*answers, INVENTORY.of(_balance(lot))]


def change(to_lot: Callable[[Lot, B], tuple[Lot, list[Publication]]]) -> Rule[B]:
    """The rule that changes a known lot so; a lot that nobody recorded is refused."""

    def rule(state: State, event: Event, body: B) -> Decision:
        before = state.get(Lot, event.key)
        if before is None:
            return state, [*refuse_unknown_lot(body)]
        lot, answers = to_lot(before, body)
        if lot is before:
            return state, [*answers]
        return state.put(lot), [*answers, INVENTORY.of(_balance(lot))]

    return rule


def _balance(lot: Lot) -> StockChanged:
    return StockChanged.model_construct(
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
        found=lot.found,
        withdrawn=lot.withdrawn,
    )
