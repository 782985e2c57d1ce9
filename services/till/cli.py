"""`karya till`: sell at a booth, with or without a network."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.till.booth import BoothView
from services.till.till import Standing, Standings, Till
from shared.console import counted, err, local, refusing, say, show_json, show_table, warn
from shared.envelope import rfc3339
from shared.events.sales import BoothCounted, SaleReported, SaleVoided
from shared.settings import told
from shared.spool import Said

app = typer.Typer(no_args_is_help=True, help="A booth's till: sell, void, count, close; sync when online.")

HOME = Path(typer.get_app_dir("karya"))


@dataclass(frozen=True, slots=True)
class Chosen:
    folder: Path
    booth: str
    name: str
    zone: str | None


Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@app.callback()
def choose(
    context: typer.Context,
    booth: Annotated[str, typer.Option(envvar="KARYA_BOOTH", help="The booth, e.g. ODOP.B07.")],
    till: Annotated[str, typer.Option(envvar="KARYA_TILL", help="This till's name at the booth.")] = "T1",
    spool_dir: Annotated[
        Path, typer.Option(envvar="KARYA_SPOOL_DIR", help="Where this device keeps its records.")
    ] = HOME,
    zone: Annotated[
        str | None, typer.Option(envvar="KARYA_ZONE", help="Time zone to show, e.g. Asia/Makassar.")
    ] = None,
) -> None:
    context.obj = Chosen(spool_dir, booth, till, zone)


@app.command()
def sell(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="The lot number on the label, or a product's code, e.g. KTI.")],
    qty: Annotated[int, typer.Argument(help="How many pieces (in the product's unit).")] = 1,
    price: Annotated[
        int | None, typer.Option(min=0, help="Rupiah per piece, if it differs from the booth's price.")
    ] = None,
    happened: Annotated[
        bool, typer.Option("--happened", help="It is already sold: take it in spite of a withdrawal or closing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sell pieces of a lot or product."""
    with _till(context) as till:
        sold = till.sell(item, qty, at=datetime.now(UTC), price_rupiah=price, happened=happened)
        waiting = till.spool.counts().pending
        if as_json:
            show_json(
                {
                    "record": sold.said.number,
                    "id": sold.said.id,
                    "amount_rupiah": sold.amount_rupiah,
                    "warnings": sold.warnings,
                    "to_send": waiting,
                }
            )
            return
        say(f"Sale {sold.said.number}: {_rupiah(sold.amount_rupiah)}. {waiting} to send.")
        for warning in sold.warnings:
            warn(warning)


@app.command()
def void(
    context: typer.Context,
    sale: Annotated[str, typer.Argument(help="The sale's number at this till, or its id.")],
    as_json: Json = False,
) -> None:
    """Take a sale of this till back."""
    with _till(context) as till:
        _kept(till, till.void(sale, at=datetime.now(UTC)), as_json)


@app.command()
def count(
    context: typer.Context,
    lots: Annotated[list[str], typer.Argument(help="LOT=PIECES for each lot that is left, 0 for none.")],
    as_json: Json = False,
) -> None:
    """Say what is physically left at the booth."""
    counted: dict[str, int] = {}
    for entry in lots:
        lot, _, pieces = entry.rpartition("=")
        if not pieces.isdecimal() or not lot or lot in counted:
            raise typer.BadParameter("name each lot once, as LOT=PIECES, e.g. PR-KPG-KTI-230418-007-4=3")
        counted[lot] = int(pieces)
    with _till(context) as till:
        _kept(till, till.count(counted, at=datetime.now(UTC)), as_json)


@app.command()
def close(context: typer.Context, as_json: Json = False) -> None:
    """Say that this till has sold its last. Sync afterwards."""
    with _till(context) as till:
        _kept(till, till.close(at=datetime.now(UTC)), as_json)


@app.command()
def sync(
    context: typer.Context,
    wait: Annotated[float, typer.Option(min=0, max=600, help="Seconds to wait for missing answers.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Send what waits; hear prices, stock, withdrawals and what became of the sales."""
    # What goes wrong there is raised and said once, by us.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _till(context) as till:
        with Progress(
            TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=till.spool.counts().pending)
            done = asyncio.run(
                till.sync(told("kafka"), wait=wait, on_sent=lambda count: progress.advance(task, count))
            )
        disputed = [row for row in till.standings() if row.standing is Standing.DISPUTED]
        if as_json:
            show_json({"sent": done.sent, "unanswered": done.unanswered, "disputed": _rows(context, disputed)})
            return
        say(f"{counted(done.sent, 'record')} sent.")
        if disputed:
            warn("Sales of more than the booth was known to hold; the organiser decides about them:")
            _show_records(context, disputed)
        if done.unanswered:
            warn(
                f"No answer yet for {counted(done.unanswered, 'sale')}: more than the booth is known to hold so far."
            )
        if done.unreadable:
            warn(f"{counted(done.unreadable, 'event')} can't be read by this version of karya; please update it.")


@app.command()
def stock(context: typer.Context, as_json: Json = False) -> None:
    """What this till may sell, and at which price."""
    with _till(context) as till:
        booth = till.view()
        rows = _stock(booth)
        if as_json:
            show_json({"festival": booth.festival, "booth": till.booth, "stock": rows})
            return
        shown = [
            {**row, "price": _rupiah(price) if (price := row["price_rupiah"]) is not None else None} for row in rows
        ]
        show_table(
            ["product", "lot", "at booth", "this till", "sold", "price", "note"],
            shown,
            "This till knows of no stock yet; sync to hear of it. Sales are taken all the same.",
        )
        if booth.closing:
            warn(f"The festival is closing: sync and close before {_local(context, booth.closing)}.")


@app.command(name="list")
def list_records(context: typer.Context, as_json: Json = False) -> None:
    """What was recorded here and what became of it."""
    with _till(context) as till:
        rows = till.standings()
        if as_json:
            show_json(_rows(context, rows))
        else:
            _show_records(context, rows)


@contextmanager
def _till(context: typer.Context) -> Iterator[Till]:
    chosen: Chosen = context.obj
    with refusing(), Till(chosen.folder, chosen.booth, chosen.name) as till:
        yield till


def _kept(till: Till, said: Said, as_json: bool) -> None:
    waiting = till.spool.counts().pending
    if as_json:
        show_json({"record": said.number, "id": said.id, "to_send": waiting})
    else:
        say(f"Kept as record {said.number}. {waiting} to send.")


def _stock(booth: BoothView) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for product in sorted({lot.product for lot in booth.lots.values()} | set(booth.prices)):
        lots = booth.lots_of(product)
        rows.append(
            {
                "product": product,
                "at booth": sum(lot.stocked for lot in lots),
                "this till": max(booth.left_of(product), 0),
                "sold": booth.sold_by_product.get(product, 0),
                "price_rupiah": booth.prices.get(product),
            }
        )
        rows += [
            {
                "product": product,
                "lot": lot.id,
                "at booth": lot.stocked,
                "this till": max(booth.left_of_lot(lot.id), 0),
                "sold": booth.sold_by_lot.get(lot.id, 0),
                "price_rupiah": None,
                "note": "withdrawn: do not sell" if lot.withdrawn else None,
            }
            for lot in lots
        ]
    return rows


def _show_records(context: typer.Context, rows: list[Standings]) -> None:
    columns = ["record", "recorded", "what", "standing"]
    show_table(columns, _rows(context, rows), "Nothing was recorded at this till yet.")


def _rows(context: typer.Context, rows: list[Standings]) -> list[dict[str, Any]]:
    return [
        {
            "record": row.said.number,
            "id": row.said.id,
            "recorded": _local(context, row.said.recorded_at),
            "recorded_at": rfc3339(row.said.recorded_at),
            "what": _what(row.said),
            "standing": row.standing.value,
        }
        for row in rows
    ]


def _what(said: Said) -> str:
    match said.body:
        case SaleReported() as body:
            return f"{body.qty} × {body.lot or body.product} at {_rupiah(body.unit_price_rupiah)}"
        case SaleVoided():
            return "void of a sale"
        case BoothCounted() as body:
            return f"count of {len(body.lots)} lots, {sum(lot.qty for lot in body.lots)} pieces"
        case _:
            return "closing"


def _local(context: typer.Context, moment: datetime) -> str:
    chosen: Chosen = context.obj
    return local(moment, chosen.zone)


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")
