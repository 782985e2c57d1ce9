"""`karya terminal lots`, `sold` and `owed`: what became of the facility's goods, as of the last sync."""

from typing import Any

import typer

from cli.console import say, show_json, show_table
from cli.terminal_session import Json, open_terminal
from edge.terminal.earnings import FacilitySales, OwedAtFestival, OwnLot, facility_sales, own_lots
from edge.terminal.terminal import Terminal
from shared import shown
from shared.events.production import ANSWERS
from shared.events.sales import PUBLIC_SALES, SETTLEMENTS
from shared.translation import tr


def lots(context: typer.Context, as_json: Json = False) -> None:
    """Show the facility's lots: pieces recorded and sold, as of the last sync."""
    with open_terminal(context) as terminal:
        answers = [event.body for event in terminal.spool.received(ANSWERS)]
        rows = [_lot(lot) for lot in own_lots(terminal.tracked_reports(), answers, _sales(terminal))]
    _show(
        ["lot", "product", "made", "recorded", "sold", "rupiah", "note"],
        rows,
        tr("No lot is known yet; sync."),
        as_json,
    )


def sold(context: typer.Context, as_json: Json = False) -> None:
    """Show the sales of the facility's products at festivals, as of the last sync."""
    with open_terminal(context) as terminal:
        rows = [
            {"festival": line.festival, "product": line.product, "sold": line.qty, "rupiah": line.rupiah}
            for line in _sales(terminal).sold()
        ]
    _show(["festival", "product", "sold", "rupiah"], rows, tr("No sale is known yet; sync."), as_json)


def owed(context: typer.Context, as_json: Json = False) -> None:
    """Show what festivals owe the facility and its makers, by settlement, and what a settlement waits for."""
    with open_terminal(context) as terminal:
        rows = [_owed(account) for account in _sales(terminal).owed()]
    columns = ["festival", "sold rupiah", "facility", "makers", "programme", "note"]
    _show(columns, rows, tr("No sale and no settlement is known yet; sync."), as_json)


COMMANDS = (lots, sold, owed)
_RUPIAH = ("rupiah", "sold rupiah", "facility", "makers", "programme")


def reopened_booths(terminal: Terminal) -> list[tuple[str, str]]:
    """Festivals and their booths that sell again, for which the facility's settlement waits."""
    return [(account.festival, booth) for account in _sales(terminal).owed() for booth in account.reopened]


def _sales(terminal: Terminal) -> FacilitySales:
    events = [*terminal.spool.received(PUBLIC_SALES), *terminal.spool.received(SETTLEMENTS)]
    return facility_sales(event.body for event in events)


def _show(columns: list[str], rows: list[dict[str, Any]], empty: str, as_json: bool) -> None:
    if as_json:
        show_json([{name.replace(" ", "_"): value for name, value in row.items()} for row in rows])
        return
    table = [
        {
            name: shown.rupiah(value) if name in _RUPIAH and isinstance(value, int) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    show_table(columns, table, empty, words=("note",))
    if any(row.get("note") == _OPEN for row in rows):
        say(tr("Not settled: the festival still counts; what is owed follows when its booths are settled."))


_OPEN = "not settled"


def _lot(lot: OwnLot) -> dict[str, Any]:
    note = "withdrawn" if lot.withdrawn else "recalled" if lot.recalled else None
    if lot.recorded is None:
        note = note or "recorded at another terminal"
    return {
        "lot": lot.lot,
        "product": lot.product,
        "made": lot.made_on.isoformat(),
        "recorded": lot.recorded,
        "sold": lot.sold,
        "rupiah": lot.rupiah,
        "note": note,
    }


def _owed(account: OwedAtFestival) -> dict[str, Any]:
    settlement, reopened = account.settlement, list(account.reopened)
    note = None
    if reopened:
        note = tr("postponed until {booths} is settled again: it sells again", booths=", ".join(reopened))
    if settlement is None:
        return {
            "festival": account.festival,
            "sold rupiah": account.sold_rupiah,
            "note": note or _OPEN,
            "postponed for": reopened,
        }
    if settlement.provisional_qty and not reopened:
        note = tr("divided without a final count: {qty:piece|pieces} without a label", qty=settlement.provisional_qty)
    return {
        "festival": account.festival,
        "sold rupiah": settlement.sold_rupiah,
        "facility": settlement.facility_rupiah,
        "makers": settlement.maker_premium_rupiah,
        "programme": settlement.programme_rupiah,
        "note": note,
        "postponed for": reopened,
    }
