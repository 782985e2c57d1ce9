"""What a facility hears from booths, and which of its documents that changes."""

from services.sales.domain import demand, settlement
from services.sales.domain.settlement import Percentages
from shared.events.language import Event
from shared.events.sales import DemandCounted, ShareOpened
from shared.family import Decide, Decision
from shared.state import State


def deciding(percentages: Percentages) -> Decide:
    """The rules by facility: money by shares, demand by counts, and both from a booth that opens."""
    settle = settlement.deciding(percentages)

    def decide(state: State, event: Event) -> Decision:
        match event.body:
            case DemandCounted() as body:
                return demand.decide(state, body)
            case ShareOpened() as body:
                state, settled = settle(state, event)
                state, demanded = demand.decide(state, body)
                return state, settled + demanded
            case _:
                return settle(state, event)

    return decide
