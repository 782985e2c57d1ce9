"""The stock view: a copy of each lot's balance to plan by. Inventory decides; this may lag behind it."""

from dataclasses import dataclass
from datetime import date

from shared.events.inventory import StockChanged
from shared.events.language import Event
from shared.runtime.family import Decision
from shared.runtime.state import State


@dataclass(frozen=True, slots=True)
class StockView:
    """What inventory last said of a lot, in pieces. The highest revision is the truth."""

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
        """The product, if there is anything to plan: what planners look lots up by."""
        return self.product if self.on_hand > 0 and not self.recalled else None


def decide(state: State, event: Event) -> Decision:
    """Keep the highest revision of the lot's balance. Says nothing."""
    balance = event.body
    if not isinstance(balance, StockChanged):
        raise TypeError(f"the stock view has no rule for {type(balance).__name__}")
    known = state.get(StockView, balance.lot)
    if known is not None and known.revision >= balance.revision:
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
