"""Inventory's rules over the events of one lot."""

from services.inventory.domain import Lot
from services.inventory.handlers import LOT as PROCESSOR
from shared.events.inventory import StockChanged
from shared.events.language import Body, Deadline
from shared.runtime.state import Ref, State
from tests.support.builders.inventory import LOT, an_event


def after(*bodies: Body) -> tuple[Lot | None, list[Body]]:
    """The lot after these events, and all publications."""
    state, published = State.of(absent=(Ref(Lot, LOT),)), list[Body]()
    for number, body in enumerate(bodies):
        state, outputs = PROCESSOR.decide(state, an_event(body, f"e{number}"))
        for output in outputs:
            assert not isinstance(output, Deadline)
            published.append(output.body)
    return state.get(Lot, LOT), published


def kinds(published: list[Body]) -> list[type[Body]]:
    return [type(body) for body in published if not isinstance(body, StockChanged)]
