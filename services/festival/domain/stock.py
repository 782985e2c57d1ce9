"""The stock view: a copy of each lot's balance for plans. It may lag behind inventory, which decides."""

from dataclasses import dataclass
from datetime import date

from shared.events.inventory import StockChanged
from shared.events.language import Event
from shared.runtime.family import Decision
from shared.runtime.state import State


@dataclass(frozen=True, slots=True)
class StockView:
    """The last known balance of a lot, in pieces. The highest revision wins."""

    id: str
    revision: int
    facility: str
    product: str
    made_on: date
    best_before: date | None
    recalled: bool
    on_hand: int

    @property
    def plannable(self) -> str | None:
        """The product, if any piece can be planned: the index by which plans find lots."""
        return self.product if self.on_hand > 0 and not self.recalled else None


def decide(state: State, event: Event) -> Decision:
    """The state with the highest revision of the lot's balance. There are no events."""
    balance = event.body
    if not isinstance(balance, StockChanged):
        raise TypeError(f"the stock view has no rule for {type(balance).__name__}")
    latest = state.get(StockView, balance.lot)
    if latest is not None and latest.revision >= balance.revision:
        return state, []
    view = StockView(
        id=balance.lot,
        revision=balance.revision,
        facility=balance.facility,
        product=balance.product,
        made_on=balance.made_on,
        best_before=balance.best_before,
        recalled=balance.recalled,
        on_hand=balance.on_hand,
    )
    return state.put(view), []
