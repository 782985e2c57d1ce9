"""The events of a facility, and the documents that each of them changes."""

from services.sales.domain import demand, public, settlement
from services.sales.domain.settlement import Percentages
from shared.events.language import Event
from shared.events.sales import DemandCounted, PoolAdjusted, SaleShared, ShareOpened
from shared.runtime.family import Decide, Decision
from shared.runtime.state import State


def deciding(percentages: Percentages) -> Decide:
    """The rules by facility: settlements from shares, demand from counts, and public events from shares.

    One rule set decides all three, so that a facility's public events have one writer and one order.
    """
    settle = settlement.deciding(percentages)

    def decide(state: State, event: Event) -> Decision:
        match event.body:
            case DemandCounted() as body:
                return demand.decide(state, body)
            case ShareOpened() as body:
                state, settled = settle(state, event)
                state, demanded = demand.decide(state, body)
                return state, settled + demanded
            case SaleShared() | PoolAdjusted() as body:
                state, settled = settle(state, event)
                state, published = public.publish(state, body)
                return state, settled + published
            case _:
                return settle(state, event)

    return decide
