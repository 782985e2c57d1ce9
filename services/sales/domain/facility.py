"""The events of booths for one facility, and the documents that they change.

Money goes by shares, demand by counts, both from a booth that opens. What is public of the shares is said here: so a
facility's public events have one writer and one order.
"""

from services.sales.domain import demand, public
from services.sales.domain.settlement import Percentages, hold, settle
from shared.events.language import Event
from shared.events.sales import (
    SETTLEMENTS,
    BoothSettled,
    DemandCounted,
    PoolAdjusted,
    SaleShared,
    SettlementPostponed,
    ShareHoldRequested,
    ShareOpened,
    ShareReopened,
)
from shared.runtime.processor import Decision
from shared.runtime.state import State


def open_share(percentages: Percentages, state: State, _event: Event, body: ShareOpened) -> Decision:
    """A booth will earn, and count, for the facility."""
    state, settled = settle(percentages, state, body)
    state, demanded = demand.decide(state, body)
    return state, settled + demanded


def change_share(percentages: Percentages, state: State, _event: Event, body: SaleShared | PoolAdjusted) -> Decision:
    """A booth earned or lost, and the public may see it."""
    state, settled = settle(percentages, state, body)
    state, published = public.publish(state, body)
    return state, settled + published


def hold_share(state: State, _event: Event, body: ShareHoldRequested) -> Decision:
    """A booth is to sell again."""
    state, answer, is_held = hold(state, body)
    if is_held:
        state, _ = demand.decide(state, body)
    return state, [answer]


def reopen_share(percentages: Percentages, state: State, _event: Event, body: ShareReopened) -> Decision:
    """A booth sells again: money and demand wait for it, and the facility hears of it."""
    state, publications = settle(percentages, state, body)
    state, demanded = demand.decide(state, body)
    postponed = SettlementPostponed(facility=body.facility, festival=body.festival, booth=body.booth)
    return state, [*publications, *demanded, SETTLEMENTS.of(postponed)]


def settle_booth(percentages: Percentages, state: State, _event: Event, body: BoothSettled) -> Decision:
    """A booth has no more to say, but for corrections."""
    state, publications = settle(percentages, state, body)
    state, demanded = demand.decide(state, body)
    return state, publications + demanded


def count_demand(state: State, _event: Event, body: DemandCounted) -> Decision:
    """A booth counted what was asked for."""
    return demand.decide(state, body)
