"""Transfers between booths of a festival, counted by people at both ends."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.festival.domain import booth as booths
from services.festival.domain.allocation import pages
from services.festival.domain.allocation.bounds import lacks_room, planning_rules
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.booth_sales import BoothSales, booth_sales_of, booths_less_sold
from services.festival.domain.command import CommandResult, Rejection
from services.festival.domain.festival import Festival, check_names
from services.festival.domain.logistics.counts import (
    check_arrival,
    check_counted_once,
    compare_counts,
    counted_lots,
    wrong_booth,
)
from shared.events import names
from shared.events.festival import (
    FESTIVAL,
    CommandRefusal,
    ReceiveTransfer,
    SendTransfer,
    TransferOverdue,
    TransferReceived,
    TransferSent,
)
from shared.events.language import MAX_QTY, Deadline
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State
from shared.wording import Message

CARRY_DEADLINE = "carry/"
# From booth to booth is a walk. After this time people should look for the goods.
OVERDUE_AFTER = timedelta(hours=2)


class TransferStatus(StrEnum):
    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer from `booth` to booth `to`, expected by `due` and `overdue` if it was not received by then.

    In pieces by lot: `sent` as counted on departure, `counted` as counted last on arrival, `stocked` of it at booth
    `to`. The first count stocks no more than was sent. `recounts`: how often it was counted again.
    """

    id: str
    festival: str
    name: str
    booth: str
    to: str
    sent: tuple[tuple[str, int], ...]
    due: datetime
    overdue: bool = False
    status: TransferStatus = TransferStatus.SENT
    counted: tuple[tuple[str, int], ...] = ()
    stocked: tuple[tuple[str, int], ...] = ()
    recounts: int = 0


def transfers_at(festival: str) -> OwnedQuery[Transfer]:
    """All transfers between booths of the festival."""
    return OwnedQuery(Transfer, "festival", festival)


def transfer_id(festival: str, name: str) -> str:
    return f"{festival}/{name}"


def send(state: State, festival: Festival, body: SendTransfer, at: datetime) -> CommandResult:
    """The transfer of pieces that have left one open booth for another, and the events."""
    if (rejection := check_names("transfer", names.TRANSFER, body.transfer)) is not None:
        return rejection
    if state.get(Transfer, transfer_id(festival.id, body.transfer)) is not None:
        return Rejection(
            "transfer",
            CommandRefusal.ALREADY_EXISTS,
            Message("There is a transfer {transfer} already.", transfer=body.transfer),
        )
    giver = _find_open_booth(state, festival, "booth", body.booth)
    if isinstance(giver, Rejection):
        return giver
    taker = _find_open_booth(state, festival, "to", body.to)
    if isinstance(taker, Rejection):
        return taker
    if giver.id == taker.id:
        return Rejection(
            "to",
            CommandRefusal.WRONG_STATE,
            Message("The pieces are at {giver} already; name another booth.", giver=giver.id),
        )
    if (rejection := check_counted_once("lots", body.lots)) is not None:
        return rejection
    lots = {entry.lot: entry.qty for entry in body.lots if entry.qty}
    if not lots:
        return Rejection(
            "lots", CommandRefusal.NOTHING_TO_SEND, Message("Count at least one piece that leaves the booth.")
        )
    sales = state.get(BoothSales, giver.id)
    sold = dict(sales.sold) if sales is not None else {}
    for lot, qty in lots.items():
        rejection = _check_leaving(giver, taker, lot, qty, sold.get(lot, 0))
        if rejection is not None:
            return rejection
    rejection = _check_room(state, festival, giver, taker, lots, at)
    if rejection is not None:
        return rejection
    giver, taker, booth_events = booths.move_lots(giver, taker, lots)
    transfer = Transfer(
        id=transfer_id(festival.id, body.transfer),
        festival=festival.id,
        name=body.transfer,
        booth=giver.id,
        to=taker.id,
        sent=tuple(lots.items()),
        due=at + OVERDUE_AFTER,
    )
    event_body = TransferSent(
        festival=festival.id,
        transfer=transfer.name,
        booth=giver.id,
        to=taker.id,
        lots=counted_lots(lots.items()),
    )
    deadline = Deadline(CARRY_DEADLINE + transfer.id, festival.id, transfer.due)
    return state.put(transfer, giver, taker), [FESTIVAL.of(event_body), *booth_events, deadline]


def receive(state: State, festival: Festival, body: ReceiveTransfer) -> CommandResult:
    """The booth after it counted and stocked a transfer, and the events. They name the discrepancies."""
    transfer = state.get(Transfer, transfer_id(festival.id, body.transfer))
    if transfer is None:
        message = Message("{festival} has no transfer {transfer}.", festival=festival.name, transfer=body.transfer)
        return Rejection("transfer", CommandRefusal.UNKNOWN_TRANSFER, message)
    if transfer.to != body.booth:
        return wrong_booth(transfer.name, transfer.to, body.booth, CommandRefusal.UNKNOWN_TRANSFER)
    if transfer.status is TransferStatus.RECEIVED:
        message = Message("Transfer {transfer} was received already.", transfer=transfer.name)
        return Rejection("transfer", CommandRefusal.WRONG_STATE, message)
    sent_pieces = dict(transfer.sent)
    rejection = check_arrival(transfer.name, sent_pieces, body.counted, lose_unnamed=body.lose_unnamed)
    if rejection is not None:
        return rejection
    taker = state.get(Booth, transfer.to)
    assert taker is not None, "a transfer goes to a booth that was opened"
    stocked, differences = compare_counts(sent_pieces, body.counted)
    taker, booth_events = booths.receive_lots(taker, sent_pieces, stocked)
    transfer = replace(
        transfer,
        status=TransferStatus.RECEIVED,
        counted=tuple(sorted((entry.lot, entry.qty) for entry in body.counted)),
        stocked=tuple(sorted(stocked.items())),
    )
    receipt = TransferReceived(
        festival=festival.id,
        transfer=transfer.name,
        booth=transfer.booth,
        to=transfer.to,
        lots=counted_lots(stocked.items()),
        discrepancies=differences,
    )
    return state.put(transfer, taker), [FESTIVAL.of(receipt), *booth_events]


def mark_overdue(state: State, id: str) -> Decision:
    """The transfer as overdue, and the event. It stays on its way: no clock can tell that pieces are lost."""
    transfer = state.get(Transfer, id)
    if transfer is None or transfer.status is not TransferStatus.SENT:
        return state, []
    overdue = TransferOverdue(
        festival=transfer.festival,
        transfer=transfer.name,
        booth=transfer.booth,
        to=transfer.to,
        due=transfer.due,
    )
    return state.put(replace(transfer, overdue=True)), [FESTIVAL.of(overdue)]


def _find_open_booth(state: State, festival: Festival, field: str, id: str) -> Booth | Rejection:
    booth = state.get(Booth, id)
    if booth is None or booth.festival != festival.id:
        return Rejection(
            field,
            CommandRefusal.UNKNOWN_BOOTH,
            Message("{festival} has no booth {booth}.", festival=festival.name, booth=id),
        )
    if booth.status is not BoothStatus.OPEN:
        message = Message(
            "Booth {booth} is {status:word}: goods move only between open booths.",
            booth=booth.id,
            status=booth.status.value,
        )
        return Rejection(field, CommandRefusal.WRONG_STATE, message)
    return booth


def _check_leaving(giver: Booth, taker: Booth, lot: str, qty: int, sold: int) -> Rejection | None:
    held = giver.find_lot(lot)
    if held is None or not held.received:
        return Rejection(
            "lots",
            CommandRefusal.UNKNOWN_LOT,
            Message("Booth {booth} never received lot {lot}.", booth=giver.id, lot=lot),
        )
    if held.withdrawn is not None:
        message = Message(
            "Lot {lot} was recalled: please set its pieces aside at {giver} until they go home.",
            lot=lot,
            giver=giver.id,
        )
        return Rejection("lots", CommandRefusal.WRONG_STATE, message)
    if not any(tag.product == held.product for tag in taker.prices):
        message = Message(
            "Booth {booth} has no price for {product}, so it can't sell it.", booth=taker.id, product=held.product
        )
        return Rejection("to", CommandRefusal.NO_PRICE, message)
    most = max(0, _pieces_left(held, sold))
    if qty > most:
        message = Message(
            "At most {most} of {lot} are left at {giver}: {received} came, {recorded_lost} were "
            "lost, {moved_out} went to other booths, {home} went home and at least {sold} are sold. "
            "Please count again. If more are there, a sale was booked on the wrong lot.",
            most=most,
            lot=lot,
            giver=giver.id,
            received=held.received,
            recorded_lost=held.recorded_lost,
            moved_out=held.moved_out,
            home=held.home,
            sold=sold,
        )
        return Rejection("lots", CommandRefusal.TOO_MANY, message)
    return None


def _check_room(
    state: State, festival: Festival, giver: Booth, taker: Booth, lots: dict[str, int], at: datetime
) -> Rejection | None:
    unsold = booths_less_sold(state, booth_sales_of(state, [taker.id]), [taker.id])
    coming = [(taker.id, held.product, lots[held.lot]) for held in giver.lots if held.lot in lots]
    rules = planning_rules(festival, at, unsold, pages.promised_at(state, [taker.id]))
    bound = lacks_room(rules, coming)
    if bound is None:
        return None
    message = Message(
        "{bound}: what is there, on its way and promised to it counts. Move fewer, or once it has sold some.",
        bound=bound,
    )
    return Rejection("to", CommandRefusal.TOO_MANY, message)


def _pieces_left(held: BoothLot, sold: int) -> int:
    return min(MAX_QTY, held.received - held.recorded_lost - held.moved_out - held.home - sold)
