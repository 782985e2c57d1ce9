"""Records that count at the wrong booth: a booth that was opened by mistake is merged, a stray booth is moved.

Sales alone knows all records. So both commands wait for its answer, which names the unsold pieces of a merged booth.
"""

from dataclasses import replace

from services.festival.domain import booth as booths
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.closing import check_nothing_coming, release_lines
from services.festival.domain.command import (
    CommandResult,
    CommandStatus,
    Rejection,
    command_of,
    first_names,
    refuse,
    waiting_command,
)
from services.festival.domain.festival import Festival, find_booth, find_open_booth
from services.festival.domain.logistics.transfer import Transfer, TransferStatus, transfer_id, transfers_at
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    BoothForwarded,
    CommandRefusal,
    CountedLot,
    MergeBooths,
    MoveStray,
    TransferReceived,
    TransferSent,
)
from shared.events.language import Event
from shared.events.sales import BoothForwardingBegun, BoothForwardingRefused, ForwardingRefusal
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message


def transfer_name(booth: str) -> str:
    """The name of the transfer with a merged booth's stock. A booth merges once."""
    return f"merge.{booth.rpartition('.')[2]}"


def move_stray(state: State, festival: Festival, body: MoveStray, event: Event) -> CommandResult:
    """The command on its way to sales, which knows whether the stray booth exists."""
    booth = find_booth(state, festival, body.booth)
    if isinstance(booth, Rejection):
        return booth
    if body.stray.startswith(f"{festival.id}.") and state.get(Booth, body.stray) is not None:
        message = Message(
            "{stray} is a booth of {festival}, so its sales count there. Booths can be merged.",
            stray=body.stray,
            festival=festival.name,
        )
        return Rejection("stray", CommandRefusal.WRONG_STATE, message)
    order = BoothForwarded(booth=body.stray, to=booth.id, festival=festival.id, order=event.id)
    return state.put(command_of(event, CommandStatus.WAITING)), [BOOTH_STOCK.of(order)]


def merge(state: State, festival: Festival, body: MergeBooths, event: Event) -> CommandResult:
    """The first booth as closing, its lines released, and the order to sales."""
    giver = find_open_booth(state, festival, body.booth)
    if isinstance(giver, Rejection):
        return giver
    taker = find_open_booth(state, festival, body.to)
    if isinstance(taker, Rejection):
        return replace(taker, field="to" if taker.field == "booth" else taker.field)
    if giver.id == taker.id:
        return Rejection("to", CommandRefusal.WRONG_STATE, Message("Name two booths; these are one."))
    rejection = check_nothing_coming(state, festival, giver.id) or _check_transfers(state, festival, giver)
    if rejection is not None:
        return rejection
    priced = {tag.product for tag in taker.prices}
    unpriced = sorted({lot.product for lot in giver.lots if lot.received} - priced)
    if unpriced:
        message = Message(
            "Booth {booth} has no price for {products}. Add the product there first.",
            booth=taker.id,
            products=first_names(unpriced),
        )
        return Rejection("to", CommandRefusal.NO_PRICE, message)
    giver = replace(giver, status=BoothStatus.CLOSING, merged_into=taker.id)
    state, publications = release_lines(state.put(giver), festival, giver.id)
    order = BoothForwarded(booth=giver.id, to=taker.id, festival=festival.id, order=event.id, merge=True)
    return state.put(command_of(event, CommandStatus.WAITING)), [BOOTH_STOCK.of(order), *publications]


def begun(state: State, festival: Festival, answer: BoothForwardingBegun, event: Event) -> Decision:
    """The command done. Unsold pieces of a merged booth move as with a transfer, and the booth closes."""
    command = waiting_command(state, answer.order)
    if command is None:
        return state, []
    state = state.put(replace(command, outcome=CommandStatus.DONE))
    giver, taker = state.get(Booth, answer.booth), state.get(Booth, answer.to)
    if giver is None or taker is None or giver.merged_into != taker.id:
        return state, []
    # A recall may have come since sales answered. Recalled pieces go home from the first booth.
    lots = {
        lot.lot: lot.qty
        for lot in answer.lots
        if (held := giver.find_lot(lot.lot)) is not None and held.withdrawn is None
    }
    giver, taker, departures = booths.move_lots(giver, taker, lots)
    taker, came = booths.receive_lots(taker, lots, lots)
    giver, closing = booths.close(giver, event.logged_at)
    transfer = Transfer(
        id=transfer_id(festival.id, transfer_name(giver.id)),
        festival=festival.id,
        name=transfer_name(giver.id),
        booth=giver.id,
        to=taker.id,
        sent=tuple(lots.items()),
        due=event.logged_at,
        status=TransferStatus.RECEIVED,
        counted=tuple(sorted(lots.items())),
        stocked=tuple(sorted(lots.items())),
    )
    counts = tuple(CountedLot(lot=lot, qty=qty) for lot, qty in lots.items())
    departure = TransferSent(festival=festival.id, transfer=transfer.name, booth=giver.id, to=taker.id, lots=counts)
    arrival = TransferReceived(
        festival=festival.id, transfer=transfer.name, booth=giver.id, to=taker.id, lots=counts, discrepancies=()
    )
    publications = [FESTIVAL.of(departure), *departures, FESTIVAL.of(arrival), *came] if lots else []
    state = state.put(giver, taker, transfer) if lots else state.put(giver, taker)
    return state, [*publications, closing]


def refused(state: State, _festival: Festival, answer: BoothForwardingRefused, _event: Event) -> Decision:
    """The command refused, as sales refused it. A booth that was to be merged is open again."""
    command = waiting_command(state, answer.order)
    if command is None:
        return state, []
    field = "booth" if command.name == MergeBooths.__name__ else "stray"
    command, refusal = refuse(command, Rejection(field, CommandRefusal.WRONG_STATE, _reason(answer)))
    state = state.put(command)
    booth = state.get(Booth, answer.booth)
    if booth is not None and booth.merging and booth.merged_into == answer.to:
        state = state.put(replace(booth, status=BoothStatus.OPEN, merged_into=None))
    return state, [refusal]


def _reason(answer: BoothForwardingRefused) -> Message:
    """The reason of sales, for the organiser."""
    booth, target = answer.booth, answer.other or ""
    match answer.reason:
        case ForwardingRefusal.ELSEWHERE:
            return Message("Records of {booth} count at {other} already.", booth=booth, other=target)
        case ForwardingRefusal.OPENED:
            return Message(
                "{booth} is a booth of {festival}, so its sales count there.", booth=booth, festival=target
            )
        case ForwardingRefusal.NOT_OPEN:
            return Message("Sales knows no open booth {booth} of {festival}.", booth=booth, festival=target)
        case ForwardingRefusal.NO_RECORDS:
            return Message(
                "No till has sent records for {booth}. `karya festival strays` lists such booths.", booth=booth
            )


def _check_transfers(state: State, festival: Festival, giver: Booth) -> Rejection | None:
    """The rejection of a merge while pieces are on their way from the booth, or its transfer's name is taken."""
    leaving = [
        transfer.name
        for transfer in state.find(transfers_at(festival.id))
        if transfer.booth == giver.id and transfer.status is TransferStatus.SENT
    ]
    if leaving:
        message = Message(
            "On its way from {booth}: transfer {transfers}. Receive it first.",
            booth=giver.id,
            transfers=first_names(leaving),
        )
        return Rejection("booth", CommandRefusal.WRONG_STATE, message)
    if state.get(Transfer, transfer_id(festival.id, transfer_name(giver.id))) is not None:
        message = Message(
            "There is a transfer {transfer} already, which is the name of this one.",
            transfer=transfer_name(giver.id),
        )
        return Rejection("booth", CommandRefusal.ALREADY_EXISTS, message)
    return None
