"""Commands that show a booth's takings and receipts."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from cli.console import exit_on_error, say, show_json, show_table, warn
from cli.festival.client import Row
from cli.festival.session import Booth, Festival, Json, booth_id, festival_time, sales_service
from shared import shown
from shared.translation import tr, word


def takings(context: typer.Context, festival: Festival, booth: Booth, as_json: Json = False) -> None:
    """Show a booth's takings by day and kind of payment, and the counts of its drawers."""
    with exit_on_error(), sales_service(context) as sales:
        page = sales.get("booths", booth_id(festival, booth), "takings")
        if as_json:
            show_json(page)
            return
        columns = ["day", "payment", "receipts", "net", "paid back"]
        show_table(columns, list(_days(page["days"])), tr("Sales knows of no takings yet."), words=("payment",))
        zone = page["zone"]
        if drawers := [_drawer(drawer, zone) for drawer in page["drawers"]]:
            columns = ["till", "cashier", "opened", "float", "taken out", "should hold", "counted", "difference"]
            show_table(columns, drawers, "")
        say(tr("Days and times are in {zone}.", zone=zone))


def receipts(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    marked: Annotated[
        bool,
        typer.Option("--marked", help="Only sales at a different price than the valid list's, or by an old list."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a booth's sales by receipt, in the order in which sales received them. A sale's id is RECEIPT/LINE."""
    id = booth_id(festival, booth)
    with exit_on_error(), sales_service(context) as sales:
        page = sales.get("booths", id)
        zone = page["zone"] or "UTC"
        pages = sales.all("booths", id, "receipts", by="number")
        rows = [
            (receipt, sale)
            for receipt in pages
            for sale in receipt["sales"]
            if not marked or sale["old_list"] or sale["departs"]
        ]
        if as_json:
            names = ("receipt", "sold_at", "till", "payment")
            show_json([{**sale, **{name: receipt[name] for name in names}} for receipt, sale in rows])
            return
        columns = ["sale", "sold", "till", "item", "pieces", "each", "net", "status", "note"]
        show_table(
            columns,
            [_sale(receipt, sale, zone) for receipt, sale in rows],
            tr("Sales knows of no such sale."),
            words=("status",),
        )
        for order in page["refused_orders"]:
            warn(
                tr(
                    "Your void of {qty} of line {line} of {receipt} was not done: {left} could still be voided.",
                    qty=order["qty"],
                    line=order["line"],
                    receipt=order["receipt"],
                    left=order["left"],
                )
            )
        if any(sale["old_list"] for _, sale in rows):
            warn(tr("Sold by an old list: the till had not received the price that was valid then."))


def _days(days: Iterable[Row]) -> Iterator[Row]:
    for day in days:
        for taking in day["takings"]:
            yield {
                "day": day["day"],
                "payment": taking["payment"],
                "receipts": taking["receipts"],
                "net": shown.rupiah(taking["net_rupiah"]),
                "paid back": shown.rupiah(taking["refunded_rupiah"]),
            }


def _drawer(drawer: Row, zone: str) -> Row:
    return {
        "till": drawer["till"],
        "cashier": drawer["cashier"],
        "opened": festival_time(drawer["opened_at"], zone),
        "float": shown.rupiah(drawer["float_rupiah"]),
        "taken out": shown.rupiah(drawer["dropped_rupiah"]),
        "should hold": _rupiah(drawer["cash_rupiah"]) or tr("after the count"),
        "counted": _rupiah(drawer["counted_rupiah"]),
        "difference": _rupiah(drawer["difference_rupiah"]),
    }


def _rupiah(amount: Any) -> str | None:
    return None if amount is None else shown.rupiah(amount)


def _sale(receipt: Row, sale: Row, zone: str) -> Row:
    states = ("waiting", "disputed", "rejected", "voided", "forwarded")
    in_doubt = [f"{sale[state]} {word(state)}" for state in states if sale[state]]
    notes = [
        ", ".join(in_doubt) if in_doubt != [f"{sale['qty']} {word(sale['status'])}"] else "",
        word("old list") if sale["old_list"] else "",
        tr("another price: {reason}", reason=sale["price_reason"] or word("no reason")) if sale["departs"] else "",
    ]
    return {
        "sale": sale["sale"],
        "sold": festival_time(receipt["sold_at"], zone),
        "till": receipt["till"],
        "item": sale["lot"] or sale["product"],
        "pieces": sale["qty"],
        "each": shown.rupiah(sale["unit_price_rupiah"]),
        "net": shown.rupiah(sale["net_rupiah"]),
        "status": sale["status"],
        "note": "; ".join(filter(None, notes)),
    }
