"""The rules of a booth: one event at a time, from what festival and tills say to what was sold and is owed.

The topics of a booth have no order between them: a sale may come before the stock that it was sold from, a void
before its sale, a till's last word before the closing. What comes early is kept in the booth, or waits as a sale.
"""

from dataclasses import replace

from services.sales.domain import booth as booths
from services.sales.domain import closing, selling
from services.sales.domain.booth import Booth, BoothStatus, PriceTag
from services.sales.domain.demand import Demand
from services.sales.domain.sale import Sale
from services.sales.domain.settlement import Settlement
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    DisputeResolved,
    LotWithdrawn,
)
from shared.events.language import Deadline, DeadlineReached, Event, Publication
from shared.events.sales import BoothCounted, SaleReported, SaleVoided, TillClosed
from shared.family import Decision
from shared.state import State

__all__ = ["Booth", "Demand", "Sale", "Settlement", "decide"]


def decide(state: State, event: Event) -> Decision:
    """The booth and its sales after the event, and what is said about them."""
    before = state.get(Booth, event.key) or Booth(event.key)
    said: list[Publication | Deadline] = []
    if isinstance(event.body, BoothClosing):
        booth, deadlines = closing.close(before, event.body)
        said += deadlines
    else:
        state, booth, told = _change(state, before, event)
        said += told
    if booth.status is BoothStatus.CLOSING and booth.complete:
        state, booth, told = closing.settle(state, booth)
        said += told
    # Festival has struck a resolved sale from its list: it hears again which are in dispute.
    booth, told = closing.account(before, booth, again=isinstance(event.body, DisputeResolved))
    return (state if booth == before else state.put(booth)), [*said, *told]


def _change(state: State, booth: Booth, event: Event) -> selling.Change:
    match event.body:
        case SaleReported() as body:
            return selling.report(state, booth, body, event)
        case SaleVoided() as body:
            return selling.void(state, booth, body)
        case BoothCounted() as body:
            counted = {one.lot: one.qty for one in body.lots}
            return state, booths.count(booths.hear(booth, body.till, body.seq), counted), []
        case TillClosed() as body:
            return state, booths.hear(booth, body.till, body.seq, body.last_seq), []
        case BoothStocked() as body:
            booth, opened = booths.stock(booth, body, event.time)
            state, booth, said = selling.settle_waiting(state, booth, body.product)
            return state, booth, opened + said
        case BoothOpened() as body:
            return selling.settle_waiting(state, _opened(booth, body))
        case BoothStockLost() as body:
            return state, booths.lose(booth, body.lot, body.qty), []
        case BoothStockMoved() as body:
            return state, booths.move(booth, body, event.time), []
        case LotWithdrawn() as body:
            return state, booths.withdraw(booth, body.lot, body.reason), []
        case DisputeResolved() as body:
            return selling.resolve(state, booth, body)
        case DeadlineReached() as body:
            return closing.time_is_up(state, booth, body)
        case other:
            raise TypeError(f"sales has no rule for {type(other).__name__}")


def _opened(booth: Booth, body: BoothOpened) -> Booth:
    return replace(
        booth,
        festival=body.festival,
        name=body.name,
        prices=tuple(PriceTag(price.product, price.price_rupiah) for price in body.prices),
        tills=body.tills,
        status=BoothStatus.OPEN if booth.status is BoothStatus.UNKNOWN else booth.status,
    )
