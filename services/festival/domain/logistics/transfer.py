"""Transfers between booths of a festival: what leaves is counted by people there, what comes by people here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.festival.domain import booth as booths
from services.festival.domain.allocation.bounds import bounds, lacks_room
from services.festival.domain.allocation.request import promising_at
from services.festival.domain.booth import Booth, BoothStatus
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.command import Carried, Wrong
from services.festival.domain.festival import Festival, misnamed
from services.festival.domain.logistics.shipment import counted_in, counted_twice
from services.festival.domain.pace import BoothPace, paces_of, sold_so_far
from shared.events import names
from shared.events.festival import (
    FESTIVAL,
    CommandRefusal,
    CountedLot,
    ReceiveTransfer,
    SendTransfer,
    TransferOverdue,
    TransferReceived,
    TransferSent,
)
from shared.events.language import MAX_QTY, Deadline
from shared.runtime.processor import Decision
from shared.runtime.state import OwnedQuery, State

CARRY = "carry/"
# From booth to booth is a walk: what has not come by then should be looked for.
OVERDUE_AFTER = timedelta(hours=2)


class TransferStatus(StrEnum):
    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Transfer:
    """From one booth to another, in pieces by lot: `sent` as counted when they left, `counted` when they came. It is
    expected by `due`, and `overdue` if it was not received by then."""

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


def transfers_at(festival: str) -> OwnedQuery[Transfer]:
    """All transfers between booths of the festival."""
    return OwnedQuery(Transfer, "festival", festival)


def transfer_id(festival: str, name: str) -> str:
    return f"{festival}/{name}"


def send(state: State, festival: Festival, body: SendTransfer, at: datetime) -> Carried:
    """Pieces have left one open booth for another."""
    if (misnaming := misnamed("transfer", names.TRANSFER, body.transfer)) is not None:
        return misnaming
    if state.get(Transfer, transfer_id(festival.id, body.transfer)) is not None:
        return Wrong("transfer", CommandRefusal.ALREADY_EXISTS, f"There is a transfer {body.transfer} already.")
    giver = _open(state, festival, "booth", body.booth)
    if isinstance(giver, Wrong):
        return giver
    taker = _open(state, festival, "to", body.to)
    if isinstance(taker, Wrong):
        return taker
    if giver.id == taker.id:
        return Wrong("to", CommandRefusal.WRONG_STATE, f"The pieces are at {giver.id} already; name another booth.")
    if (twice := counted_twice("lots", body.lots)) is not None:
        return twice
    lots = {one.lot: one.qty for one in body.lots if one.qty}
    if not lots:
        return Wrong("lots", CommandRefusal.NOTHING_TO_SEND, "Count at least one piece that leaves the booth.")
    pace = state.get(BoothPace, giver.id)
    sold = dict(pace.sold) if pace is not None else {}
    for lot, qty in lots.items():
        wrong = _can_leave(giver, taker, lot, qty, sold.get(lot, 0))
        if wrong is not None:
            return wrong
    full = _no_room(state, festival, giver, taker, lots, at)
    if full is not None:
        return full
    giver, taker, told = booths.give(giver, taker, lots)
    transfer = Transfer(
        id=transfer_id(festival.id, body.transfer),
        festival=festival.id,
        name=body.transfer,
        booth=giver.id,
        to=taker.id,
        sent=tuple(lots.items()),
        due=at + OVERDUE_AFTER,
    )
    said = TransferSent(
        festival=festival.id,
        transfer=transfer.name,
        booth=giver.id,
        to=taker.id,
        lots=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in lots.items()),
    )
    deadline = Deadline(CARRY + transfer.id, festival.id, transfer.due)
    return state.put(transfer, giver, taker), [FESTIVAL.of(said), *told, deadline]


def receive(state: State, festival: Festival, body: ReceiveTransfer) -> Carried:
    """The booth counted what came: stock it, and say what differs from what was sent."""
    transfer = state.get(Transfer, transfer_id(festival.id, body.transfer))
    if transfer is None:
        message = f"{festival.name} has no transfer {body.transfer}."
        return Wrong("transfer", CommandRefusal.UNKNOWN_TRANSFER, message)
    if transfer.to != body.booth:
        message = f"Transfer {transfer.name} goes to booth {transfer.to}, not to {body.booth}."
        return Wrong("booth", CommandRefusal.UNKNOWN_TRANSFER, message)
    if transfer.status is TransferStatus.RECEIVED:
        message = f"Transfer {transfer.name} was received already."
        return Wrong("transfer", CommandRefusal.WRONG_STATE, message)
    if (twice := counted_twice("counted", body.counted)) is not None:
        return twice
    taker = state.get(Booth, transfer.to)
    assert taker is not None, "a transfer goes to a booth that was opened"
    sent = dict(transfer.sent)
    stocked, discrepancies = counted_in(sent, body.counted)
    taker, told = booths.stock(taker, sent, stocked)
    transfer = replace(
        transfer,
        status=TransferStatus.RECEIVED,
        counted=tuple(sorted((one.lot, one.qty) for one in body.counted)),
    )
    said = TransferReceived(
        festival=festival.id,
        transfer=transfer.name,
        booth=transfer.booth,
        to=transfer.to,
        lots=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in stocked.items()),
        discrepancies=discrepancies,
    )
    return state.put(transfer, taker), [FESTIVAL.of(said), *told]


def late(state: State, id: str) -> Decision:
    """Its time has come, and it has not. It stays on its way: no clock can tell that the pieces are lost."""
    transfer = state.get(Transfer, id)
    if transfer is None or transfer.status is not TransferStatus.SENT:
        return state, []
    said = TransferOverdue(
        festival=transfer.festival,
        transfer=transfer.name,
        booth=transfer.booth,
        to=transfer.to,
        due=transfer.due,
    )
    return state.put(replace(transfer, overdue=True)), [FESTIVAL.of(said)]


def _open(state: State, festival: Festival, field: str, id: str) -> Booth | Wrong:
    booth = state.get(Booth, id)
    if booth is None or booth.festival != festival.id:
        return Wrong(field, CommandRefusal.UNKNOWN_BOOTH, f"{festival.name} has no booth {id}.")
    if booth.status is not BoothStatus.OPEN:
        message = f"Booth {booth.id} is {booth.status.value}: goods move only between open booths."
        return Wrong(field, CommandRefusal.WRONG_STATE, message)
    return booth


def _can_leave(giver: Booth, taker: Booth, lot: str, qty: int, sold: int) -> Wrong | None:
    held = giver.holds(lot)
    if held is None or not held.received:
        return Wrong("lots", CommandRefusal.UNKNOWN_LOT, f"Booth {giver.id} never received lot {lot}.")
    if held.withdrawn is not None:
        message = f"Lot {lot} was recalled: please set its pieces aside at {giver.id} until they go home."
        return Wrong("lots", CommandRefusal.WRONG_STATE, message)
    if not any(tag.product == held.product for tag in taker.prices):
        message = f"Booth {taker.id} has no price for {held.product}, so it can't sell it."
        return Wrong("to", CommandRefusal.NO_PRICE, message)
    most = max(0, _there(held, sold))
    if qty > most:
        message = (
            f"At most {most} of {lot} are left at {giver.id}: {held.received} came, {held.recorded_lost} were lost, "
            f"{held.moved_out} went to other booths and at least {sold} are sold. Please count again; if more are "
            "there, a sale was booked on the wrong lot."
        )
        return Wrong("lots", CommandRefusal.TOO_MANY, message)
    return None


def _no_room(
    state: State, festival: Festival, giver: Booth, taker: Booth, lots: dict[str, int], at: datetime
) -> Wrong | None:
    there = sold_so_far(state, paces_of(state, [taker.id]), [taker.id])
    comes = [(taker.id, held.product, lots[held.lot]) for held in giver.lots if held.lot in lots]
    rules = bounds(festival, at, there, state.find(promising_at(festival.id)))
    why = lacks_room(rules, comes)
    if why is None:
        return None
    message = f"{why}: what is there, on its way and promised to it counts. Move fewer, or once it has sold some."
    return Wrong("to", CommandRefusal.TOO_MANY, message)


def _there(held: BoothLot, sold: int) -> int:
    return min(MAX_QTY, held.received - held.recorded_lost - held.moved_out - sold)
