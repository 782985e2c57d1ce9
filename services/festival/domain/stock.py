"""The stock view: a copy of each lot's balance for plans. It may lag behind inventory, which decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.festival.domain.planning import AvailableLot
from shared.events.inventory import StockChanged
from shared.events.language import Event
from shared.runtime.processor import Decision
from shared.runtime.state import ForeignView, State


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


def plannable_of(product: str) -> ForeignView[StockView]:
    """The product's lots of which there is anything to plan."""
    return ForeignView(StockView, "plannable", product)


def seen(state: State, products: Iterable[str]) -> list[StockView]:
    """The plannable lots of these products, in the order of their ids."""
    views = {view.id: view for product in products for view in state.find(plannable_of(product))}
    return [views[id] for id in sorted(views)]


def lot_of(view: StockView) -> AvailableLot:
    """The lot with all its pieces, for a plan."""
    return AvailableLot(
        lot=view.id,
        facility=view.facility,
        product=view.product,
        qty=view.on_hand,
        made_on=view.made_on,
        best_before=view.best_before,
        revision=view.revision,
    )


def keep(state: State, _event: Event, balance: StockChanged) -> Decision:
    """Keep the highest revision of the lot's balance. Says nothing."""
    stored = state.get(StockView, balance.lot)
    if stored is not None and stored.revision >= balance.revision:
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
