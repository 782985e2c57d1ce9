"""`karya till count`, `close`, `sync`, `stock`, `list`: the goods of the booth, and what became of all records."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.console import err, say, show_json, show_table, warn
from cli.parameters import seconds
from cli.till.session import Json, WallClock, clock, kept, the_till
from edge.spool import Said
from edge.till.basket import named
from edge.till.booth import BoothView, KnownPrices
from edge.till.standing import Standing, Standings
from shared import shown, typed
from shared.envelope import rfc3339
from shared.errors import WrongEntry
from shared.events.sales import (
    BoothCounted,
    CashCounted,
    CashDropped,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
)
from shared.settings import settings_for
from shared.shown import pluralize


def count(
    context: typer.Context,
    goods: Annotated[
        list[str],
        typer.Argument(
            metavar="LOT=PIECES|PRODUCT=PIECES",
            help="What is left of each lot, 0 for none; by product for pieces without a label.",
        ),
    ],
    interim: Annotated[
        bool, typer.Option("--interim", help="For information: it does not divide the sales without a label.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is physically left at the booth. A count is final unless it is --interim."""
    with the_till(context) as till:
        counted_goods = _counted(goods)
        said = till.count(counted_goods, at=datetime.now(UTC), final=not interim)
        doubts = list(_doubts(till.view(), counted_goods))
        if as_json:
            waiting = till.spool.counts().pending
            answer = {"record": said.number, "id": said.id, "final": not interim, "warnings": doubts}
            show_json(answer | {"to_send": waiting})
            return
        kept(till, said, as_json, f"{'Interim' if interim else 'Final'} count kept")
        if not interim:
            say(
                "It divides what was sold without a label up to now; a later count of the same lot, or of the same "
                "goods by product, replaces it. --interim only informs."
            )
        for doubt in doubts:
            warn(doubt)


def close(context: typer.Context, as_json: Json = False) -> None:
    """Say that this till has sold its last. Sync afterwards."""
    with the_till(context) as till:
        kept(till, till.close(at=datetime.now(UTC)), as_json, "Closed")
        if till.open_drawer() is not None:
            warn("The drawer is not counted yet: drawer count AMOUNT, and close again.")


def sync(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for missing answers, at most 600.")
    ] = 3.0,
    as_json: Json = False,
) -> None:
    """Send what waits; hear prices, stock, withdrawals and what became of the receipts."""
    # What goes wrong there is raised and said once, by us.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with the_till(context) as till:
        known = {row.said.id for row in till.standings() if row.standing is Standing.REFUSED}
        with Progress(
            TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=till.spool.counts().pending)
            done = asyncio.run(
                till.sync(settings_for("kafka"), wait=wait, on_sent=lambda count: progress.advance(task, count))
            )
        wall = clock(context, till)
        rows = till.standings()
        disputed = [row for row in rows if row.disputed]
        waiting = [row for row in rows if row.waiting and not row.disputed]
        refused = [row for row in rows if row.standing is Standing.REFUSED and row.said.id not in known]
        if as_json:
            show_json(
                {
                    "sent": done.sent,
                    "unanswered": done.unanswered,
                    "disputed": _rows(disputed, wall),
                    "waiting": _rows(waiting, wall),
                    "refused": _rows(refused, wall),
                }
            )
            return
        say(f"{pluralize(done.sent, 'record')} sent.")
        _told(disputed, wall, "Sales of more than the booth was known to hold; the organiser decides about them:")
        _told(waiting, wall, "Sales that wait for goods which the booth is not known to hold so far:")
        _told(refused, wall, "Voids of more than was left; nothing of them was done:")
        if done.unanswered:
            warn(f"No answer yet for {pluralize(done.unanswered, 'receipt')}; sync again in a while to see it.")
        if done.unreadable:
            warn(f"{pluralize(done.unreadable, 'event')} can't be read by this version of karya; please update it.")
        if till.view().struck:
            warn("The organiser has struck this till as lost; please tell the organiser that it is at work.")


def stock(context: typer.Context, as_json: Json = False) -> None:
    """What this till may sell, and at which price."""
    with the_till(context) as till:
        booth = till.view()
        prices = booth.prices_at(datetime.now(UTC))
        rows = _stock(booth, prices)
        if as_json:
            show_json(
                {
                    "festival": booth.festival,
                    "booth": till.booth,
                    "device": till.spool.device,
                    "price_list": prices.revision,
                    "stock": rows,
                }
            )
            return
        table = [
            {**row, "price": shown.rupiah(price) if (price := row["price_rupiah"]) is not None else None}
            for row in rows
        ]
        show_table(
            ["product", "lot", "at booth", "this till", "sold", "price", "note"],
            table,
            "This till knows of no stock yet; sync to hear of it. Sales are taken all the same.",
        )
        if booth.closing:
            warn(f"The festival is closing: sync and close before {clock(context, till).local(booth.closing)}.")


def list_records(context: typer.Context, as_json: Json = False) -> None:
    """What was recorded here and what became of it."""
    with the_till(context) as till:
        rows, wall = till.standings(), clock(context, till)
        if as_json:
            show_json(_rows(rows, wall))
        else:
            _show_records(rows, wall)


def _counted(words: Sequence[str]) -> dict[str, int]:
    goods: dict[str, int] = {}
    for word in words:
        item, sign, pieces = word.rpartition("=")
        if not sign or not item:
            raise WrongEntry(f"{word!r} says no goods and pieces. Write e.g. PR-KPG-KTI-230418-007-4=3 or KTI=3.")
        if item in goods:
            raise WrongEntry(f"{item} is named twice. Please add its pieces up and name it once.")
        goods[item] = typed.whole(pieces)
    return goods


def _doubts(booth: BoothView, goods: Mapping[str, int]) -> Iterator[str]:
    """What the till knows otherwise than the count: it may have been typed wrong, or not have been heard yet."""
    for item, pieces in goods.items():
        lot, product = named(item)
        came = sum(here.stocked for here in booth.lots_of(product) if lot in (None, here.id))
        if pieces > came:
            yield (
                f"{pieces} of {lot or product} were counted, and this till knows of {came} that came. "
                "If it was typed wrong, please count again."
            )
        elif not came:
            yield f"This till knows of no {lot or product} at this booth. Was it typed right?"


def _told(rows: list[Standings], wall: WallClock, title: str) -> None:
    if rows:
        warn(title)
        _show_records(rows, wall)


def _stock(booth: BoothView, prices: KnownPrices) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for product in sorted({lot.product for lot in booth.lots.values()} | set(prices.prices)):
        lots = booth.lots_of(product)
        rows.append(
            {
                "product": product,
                "at booth": sum(lot.stocked for lot in lots),
                "this till": max(booth.left_of(product), 0),
                "sold": booth.sold_by_product.get(product, 0),
                "price_rupiah": prices.prices.get(product),
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


def _show_records(rows: list[Standings], wall: WallClock) -> None:
    table = [{**row, "standing": _in_words(of)} for row, of in zip(_rows(rows, wall), rows, strict=True)]
    show_table(["record", "recorded", "what", "standing"], table, "Nothing was recorded at this till yet.")


def _rows(rows: list[Standings], wall: WallClock) -> list[dict[str, Any]]:
    return [
        {
            "record": row.said.number,
            "id": row.said.id,
            "recorded": wall.local(row.said.recorded_at),
            "recorded_at": rfc3339(row.said.recorded_at),
            "what": _what(row.said),
            "standing": row.standing.value,
            "waiting": row.waiting,
            "disputed": row.disputed,
            "rejected": row.rejected,
            "voided": row.voided,
            "refused": [{"line": no.line, "qty": no.qty, "left": no.left} for no in row.refused],
        }
        for row in rows
    ]


def _in_words(row: Standings) -> str:
    pieces = {"waiting": row.waiting, "disputed": row.disputed, "rejected": row.rejected, "voided": row.voided}
    told = [f"{count} {word}" for word, count in pieces.items() if count]
    told += [f"line {no.line}: {no.left} left to void" for no in row.refused]
    return f"{row.standing.value} ({', '.join(told)})" if told else row.standing.value


def _what(said: Said) -> str:
    match said.body:
        case ReceiptIssued() as body:
            goods = ", ".join(f"{line.qty} × {line.lot or line.product}" for line in body.lines)
            return f"{goods}: {shown.rupiah(sum(body.net_rupiah))} {body.payment.kind.value}"
        case ReceiptVoided() as body:
            many = sum(line.qty for line in body.lines)
            pieces = pluralize(many, "piece")
            return f"void of {pieces}: {shown.rupiah(body.refund_rupiah)} {body.refund.value} paid back"
        case BoothCounted() as body:
            many = sum(lot.qty for lot in body.lots) + sum(product.qty for product in body.products)
            return f"{'final' if body.final else 'interim'} count of {pluralize(many, 'piece')}"
        case DrawerOpened() as body:
            return f"{body.cashier} took the drawer with {shown.rupiah(body.float_rupiah)}"
        case CashDropped() as body:
            return f"{shown.rupiah(body.rupiah)} taken out of the drawer"
        case CashCounted() as body:
            return f"drawer counted: {shown.rupiah(body.counted_rupiah)}"
        case TillClosed():
            return "closing"
        case _:
            return "device introduced"
