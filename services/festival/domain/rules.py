"""The rules of a festival: one event at a time, from the announcement to the last piece accounted for."""

import re

from services.festival.domain import answers, closing, prices, sale_corrections, tills
from services.festival.domain import festival as festivals
from services.festival.domain.allocation import allocation, revising
from services.festival.domain.allocation.planner import FairPlanner, Planner
from services.festival.domain.command import Command, CommandResult, Rejection, command_of, refusal_event, refuse
from services.festival.domain.festival import Festival
from services.festival.domain.logistics import losses, shipment, transfer
from services.festival.domain.replenishment import replenish
from shared.events.festival import (
    ORGANISER,
    AcceptPlan,
    AddTill,
    AnnounceFestival,
    CancelFestival,
    ChangePrice,
    CloseBooth,
    CloseFestival,
    CommandRefusal,
    OpenBooth,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    SendShipment,
    SendTransfer,
    StrikeTill,
    VoidSale,
)
from shared.events.language import Event
from shared.runtime.family import Decide, Decision
from shared.runtime.state import State

# Orders to inventory carry the command's id: it must be one that the published language takes, and never look
# like a reservation's, which has a slash.
COMMAND_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")


def deciding(planner: Planner) -> Decide:
    """The rules, with plans by this planner."""

    def decide(state: State, event: Event) -> Decision:
        """The festival after the event, and what is said about it. A wrong command changes nothing but its own
        fate."""
        if isinstance(event.body, ORGANISER.bodies):
            return _command(state, event, planner)
        return answers.take(state, event, planner)

    return decide


decide = deciding(FairPlanner())


def _command(state: State, event: Event, planner: Planner) -> Decision:
    command = command_of(event)
    if state.get(Command, event.id) is not None:
        wrong = Rejection(
            "command", CommandRefusal.ID_TAKEN, "Another command has this id; give each one its own UUID."
        )
        return state, [refusal_event(command, wrong)]
    carried = _carry_out(state, event, planner)
    if isinstance(carried, Rejection):
        command, said = refuse(command, carried)
        return state.put(command), [said]
    after, told = carried
    # Who sent an order on has put the command down as waiting already.
    return (after if (Command, command.id) in after.changes else after.put(command)), told


def _carry_out(state: State, event: Event, planner: Planner) -> CommandResult:
    if not COMMAND_ID.fullmatch(event.id):
        message = "A command's id is letters, digits, '.', '_', ':' and '-', at most 120; best a UUID."
        return Rejection("command", CommandRefusal.BAD_NAME, message)
    festival = state.get(Festival, event.key)
    if isinstance(event.body, AnnounceFestival):
        return festivals.announce(state, festival, event.body)
    if festival is None:
        message = f"No festival {event.key} is known; announce it first."
        return Rejection("festival", CommandRefusal.UNKNOWN_FESTIVAL, message)
    match event.body:
        case OpenBooth() as body:
            return festivals.open_booth(state, festival, body)
        case RequestAllocation() as body:
            return allocation.propose(state, festival, body, event, planner)
        case ReviseAllocation() as body:
            return revising.order(state, festival, body, event)
        case Replenish() as body:
            return replenish.replenish(state, festival, body, event, planner)
        case AcceptPlan() as body:
            return allocation.accept(state, festival, body, event.logged_at)
        case SendShipment() as body:
            return shipment.send(state, festival, body, event.logged_at)
        case ReceiveShipment() as body:
            return shipment.receive(state, festival, body)
        case SendTransfer() as body:
            return transfer.send(state, festival, body, event.logged_at)
        case ReceiveTransfer() as body:
            return transfer.receive(state, festival, body)
        case ReceiveReturn() as body:
            return losses.receive_return(state, festival, body, event)
        case RecordLoss() as body:
            return losses.record_loss(state, festival, body, event)
        case ResolveDispute() as body:
            return sale_corrections.resolve_dispute(state, festival, body)
        case VoidSale() as body:
            return sale_corrections.void(state, festival, body)
        case ChangePrice() as body:
            return prices.change(state, festival, body, event.logged_at)
        case AddTill() as body:
            return tills.add(state, festival, body)
        case StrikeTill() as body:
            return tills.strike(state, festival, body)
        case CancelFestival() as body:
            return closing.cancel(state, festival, body)
        case CloseBooth() as body:
            return closing.close_booth(state, festival, body, event.logged_at)
        case CloseFestival() as body:
            return closing.close(state, festival, body, event.logged_at)
        case other:
            raise TypeError(f"festival has no rule for the command {type(other).__name__}")
