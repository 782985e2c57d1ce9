"""What holds of inventory, whatever it heard."""

from collections import defaultdict

from services.inventory.domain import Lot
from shared.events.inventory import (
    INVENTORY,
    RESERVATIONS,
    StockChanged,
)
from tests.support.shell import ServiceShell


def check_lots(inventory: ServiceShell) -> None:
    """recorded + corrected = on hand + reserved + dispatched - returned + written off, none below zero."""
    for lot in inventory.all(Lot):
        out = lot.on_hand + lot.reserved + lot.dispatched - lot.returned + lot.written_off
        assert lot.recorded + lot.corrected == out, lot
        assert min(lot.on_hand, lot.reserved, lot.dispatched, lot.returned, lot.written_off) >= 0, lot
        assert lot.away >= 0, lot
        assert len({r.id for r in lot.reservations}) == len(lot.reservations), "reserved twice"
        assert not (lot.recalled and lot.reserved), "promised though it was recalled"


def check_publications(inventory: ServiceShell) -> None:
    """The last balance said of each lot is the lot; every revision was said once; reservations end once."""
    balances: dict[str, list[StockChanged]] = defaultdict(list)
    for body in inventory.kafka.bodies(INVENTORY, StockChanged):
        balances[body.lot].append(body)
    lots = {lot.id: lot for lot in inventory.all(Lot)}
    assert balances.keys() == lots.keys()
    for id, lot in lots.items():
        assert [balance.revision for balance in balances[id]] == list(range(1, lot.revision + 1))
        last = balances[id][-1]
        assert (last.on_hand, last.reserved, last.dispatched) == (lot.on_hand, lot.reserved, lot.dispatched)
    ends: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event in inventory.kafka.events(RESERVATIONS):
        reservation, lot_id = getattr(event.body, "reservation", None), getattr(event.body, "lot", "")
        if reservation is not None:
            ends[reservation, lot_id].append(type(event.body).__name__)
    for (reservation, _), names in ends.items():
        assert names.count("StockReserved") <= 1, reservation
        assert names.count("ReservationReleased") + names.count("StockDispatched") <= names.count("StockReserved")
