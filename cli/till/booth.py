"""`karya till count`, `close`, `sync`, `stock`, `list`: the goods of the booth, and the status of all records."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.console import err, say, show_json, show_table, warn
from cli.device_route import DirectKafka, device_route, warn_of_refusals
from cli.parameters import seconds
from cli.snapshot import From, renew
from cli.till.session import Json, WallClock, open_till, show_record, wall_clock
from edge.snapshot import CatalogueSnapshot
from edge.spool import SpooledRecord
from edge.till.basket import parse_item
from edge.till.booth import BoothView, KnownPrices
from edge.till.tracking import RecordStatus, TrackedRecord
from shared import shown, typed
from shared.envelope import rfc3339
from shared.errors import WrongEntry
from shared.events.catalogue import CATALOGUE
from shared.events.sales import (
    BoothCounted,
    BoothRedirected,
    CashCounted,
    CashDropped,
    DrawerOpened,
    ReceiptIssued,
    ReceiptVoided,
    RecordTakenOut,
    TillClosed,
)
from shared.translation import tr, translated, word
from shared.wording import Message


def count(
    context: typer.Context,
    goods: Annotated[
        list[str],
        typer.Argument(
            metavar="LOT=PIECES|PRODUCT=PIECES",
            help="Pieces left of each lot, 0 for none; by product for pieces without a label.",
        ),
    ],
    interim: Annotated[
        bool, typer.Option("--interim", help="A count for information: it does not divide the unlabelled sales.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record the goods that are physically at the booth. A count is final unless it is --interim."""
    with open_till(context) as till:
        counted_goods = _parse_counts(goods)
        record = till.count(counted_goods, at=datetime.now(UTC), final=not interim)
        warnings = list(_count_warnings(till.view(), counted_goods))
        if as_json:
            unsent = till.spool.counts().pending
            answer = {"record": record.number, "id": record.id, "final": not interim, "warnings": warnings}
            show_json(answer | {"to_send": unsent})
            return
        show_record(
            till, record, as_json=as_json, action=tr("Interim count kept") if interim else tr("Final count kept")
        )
        if not interim:
            say(
                tr(
                    "It divides the unlabelled sales up to now. A later count of the same lot or product "
                    "replaces it. --interim is only for information."
                )
            )
        for warning in warnings:
            warn(warning)


def close(context: typer.Context, as_json: Json = False) -> None:
    """Record that this till has made its last sale. Sync afterwards."""
    with open_till(context) as till:
        show_record(till, till.close(at=datetime.now(UTC)), as_json=as_json, action=tr("Closed"))
        if till.open_drawer() is not None:
            warn(tr("The drawer is not counted yet: drawer count AMOUNT, and close again."))


def sync(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for missing answers, at most 600.")
    ] = 3.0,
    kafka: DirectKafka = False,
    as_json: Json = False,
) -> None:
    """Send the waiting records; receive prices, stock, withdrawals and the status of receipts."""
    with open_till(context) as till:
        known_refused = {row.record.id for row in till.tracked_records() if row.status is RecordStatus.REFUSED}
        with Progress(
            TextColumn(tr("Sending")), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=till.spool.counts().pending)
            report = asyncio.run(
                till.sync(
                    device_route(till.spool, kafka=kafka),
                    wait=wait,
                    on_sent=lambda count: progress.advance(task, count),
                )
            )
        wall = wall_clock(context, till)
        rows = till.tracked_records()
        disputed = [row for row in rows if row.disputed]
        waiting = [row for row in rows if row.waiting and not row.disputed]
        refused = [row for row in rows if row.status is RecordStatus.REFUSED and row.record.id not in known_refused]
        booth = till.view()
        not_taken = [row for row in rows if row.refusal is not None]
        if as_json:
            redirected = booth.redirected
            show_json(
                {
                    "sent": report.sent,
                    "unanswered": report.unanswered,
                    "disputed": _rows(disputed, wall),
                    "waiting": _rows(waiting, wall),
                    "refused": _rows(refused, wall),
                    "redirected": redirected and {"to": redirected.to, "merged": redirected.merged},
                    "not_taken": _rows(not_taken, wall),
                }
            )
            return
        say(tr("{sent:record|records} sent.", sent=report.sent))
        _show_titled(
            disputed, wall, tr("Sales of more pieces than the booth's known stock; the organiser decides on them:")
        )
        _show_titled(waiting, wall, tr("Sales that wait for the arrival of their goods:"))
        _show_titled(refused, wall, tr("Voids of more pieces than were left; they had no effect:"))
        if not_taken:
            warn_of_refusals([row.refusal for row in not_taken if row.refusal is not None])
            _show_records(not_taken, wall)
        if report.unanswered:
            warn(
                tr(
                    "No answer yet for {unanswered:receipt|receipts}; sync again in a while to see it.",
                    unanswered=report.unanswered,
                )
            )
        if report.unreadable:
            warn(
                tr(
                    "{unreadable:event|events} can't be read by this version of karya; please update it.",
                    unreadable=report.unreadable,
                )
            )
        if booth.redirected:
            warn(_set_up_elsewhere(booth.redirected, till.name))
        if booth.struck:
            warn(tr("The organiser has struck this till as lost; please tell the organiser that it is in use."))


def catalogue(context: typer.Context, url: From = None, as_json: Json = False) -> None:
    """Fetch the products of the catalogue over HTTP, for a till that has not heard of its booth yet."""
    with open_till(context) as till:

        def keep(snapshot: CatalogueSnapshot) -> int:
            return len(till.keep_snapshot(snapshot, at=datetime.now(UTC)))

        renew(till.spool, CATALOGUE, url, keep, as_json=as_json)


def stock(context: typer.Context, as_json: Json = False) -> None:
    """Show the stock and prices that this till knows."""
    with open_till(context) as till:
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
            tr("This till knows of no stock yet; sync to receive it. You can sell all the same."),
            words=("note",),
        )
        if booth.redirected:
            warn(_set_up_elsewhere(booth.redirected, till.name))
        elif booth.closing:
            warn(
                tr(
                    "The festival is closing: sync and close before {closing}.",
                    closing=wall_clock(context, till).local(booth.closing),
                )
            )


def list_records(context: typer.Context, as_json: Json = False) -> None:
    """List the records of this device and their status."""
    with open_till(context) as till:
        rows, wall = till.tracked_records(), wall_clock(context, till)
        if as_json:
            show_json(_rows(rows, wall))
        else:
            _show_records(rows, wall)


def _parse_counts(entries: Sequence[str]) -> dict[str, int]:
    goods: dict[str, int] = {}
    for entry in entries:
        item, sign, pieces = entry.rpartition("=")
        if not sign or not item:
            raise WrongEntry(
                Message(
                    "{entry!r} names no goods and pieces. Write e.g. PR-KPG-KTI-230418-007-4=3 or KTI=3.", entry=entry
                )
            )
        if item in goods:
            raise WrongEntry(Message("{item} is named twice. Please add its pieces up and name it once.", item=item))
        goods[item] = typed.whole(pieces)
    return goods


def _count_warnings(booth: BoothView, goods: Mapping[str, int]) -> Iterator[str]:
    """Warnings where the count differs from the till's knowledge: a typing error, or an event not received yet."""
    for item, pieces in goods.items():
        lot, product = parse_item(item)
        stocked = sum(booth_lot.stocked for booth_lot in booth.lots_of(product) if lot in (None, booth_lot.id))
        if pieces > stocked:
            yield (
                tr(
                    "{pieces} of {item} were counted, and this till knows of {stocked} that came. If it "
                    "was typed wrong, please count again.",
                    pieces=pieces,
                    item=lot or product or "",
                    stocked=stocked,
                )
            )
        elif not stocked:
            yield tr("This till knows of no {item} at this booth. Was it typed right?", item=lot or product or "")


def _set_up_elsewhere(redirected: BoothRedirected, till: str) -> str:
    """The word to a till whose records count at another booth."""
    command = f"karya till --booth {redirected.to} --till {till}"
    if redirected.merged:
        return tr(
            "Booth {booth} was merged into {to}, where what this till sends counts from now on. Please close here, "
            "sync, and set the till up there: {command}",
            booth=redirected.booth,
            to=redirected.to,
            command=command,
        )
    return tr(
        "No festival has a booth {booth}. What this till sends counts at {to}. Please close here, sync, and set the "
        "till up there: {command}",
        booth=redirected.booth,
        to=redirected.to,
        command=command,
    )


def _show_titled(rows: list[TrackedRecord], wall: WallClock, title: str) -> None:
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


def _show_records(rows: list[TrackedRecord], wall: WallClock) -> None:
    table = [{**row, "standing": _described(standing)} for row, standing in zip(_rows(rows, wall), rows, strict=True)]
    show_table(["record", "recorded", "what", "standing"], table, tr("Nothing was recorded at this till yet."))


def _rows(rows: list[TrackedRecord], wall: WallClock) -> list[dict[str, Any]]:
    return [
        {
            "record": row.record.number,
            "id": row.record.id,
            "recorded": wall.local(row.record.recorded_at),
            "recorded_at": rfc3339(row.record.recorded_at),
            "what": _what(row.record),
            "standing": row.status.value,
            "waiting": row.waiting,
            "disputed": row.disputed,
            "rejected": row.rejected,
            "voided": row.voided,
            "refused": [{"line": void.line, "qty": void.qty, "left": void.left} for void in row.refused],
            **({"reason": row.refusal.reason} if row.refusal is not None else {}),
        }
        for row in rows
    ]


def _described(row: TrackedRecord) -> str:
    pieces = {"waiting": row.waiting, "disputed": row.disputed, "rejected": row.rejected, "voided": row.voided}
    details = [f"{count} {word(state)}" for state, count in pieces.items() if count]
    details += [tr("line {line}: {left} left to void", line=void.line, left=void.left) for void in row.refused]
    if row.refusal is not None:
        details.append(translated(row.refusal.message))
    status = word(row.status.value)
    return f"{status} ({', '.join(details)})" if details else status


def _what(record: SpooledRecord) -> str:
    match record.body:
        case ReceiptIssued() as body:
            goods = ", ".join(f"{line.qty} × {line.lot or line.product}" for line in body.lines)
            return f"{goods}: {shown.rupiah(sum(body.net_rupiah))} {word(body.payment.kind.value)}"
        case ReceiptVoided() as body:
            pieces = sum(line.qty for line in body.lines)
            refund = f"{shown.rupiah(body.refund_rupiah)} {word(body.refund.value)}"
            return tr("void of {pieces:piece|pieces}: {refund} paid back", pieces=pieces, refund=refund)
        case BoothCounted() as body:
            pieces = sum(lot.qty for lot in body.lots) + sum(product.qty for product in body.products)
            if body.final:
                return tr("final count of {pieces:piece|pieces}", pieces=pieces)
            return tr("interim count of {pieces:piece|pieces}", pieces=pieces)
        case DrawerOpened() as body:
            return tr(
                "{cashier} took the drawer with {float_rupiah:rupiah}",
                cashier=body.cashier,
                float_rupiah=body.float_rupiah,
            )
        case CashDropped() as body:
            return tr("{rupiah:rupiah} taken out of the drawer", rupiah=body.rupiah)
        case CashCounted() as body:
            return tr("drawer counted: {counted_rupiah:rupiah}", counted_rupiah=body.counted_rupiah)
        case RecordTakenOut() as body:
            if body.reason:
                return tr("taken out before it was sent: {reason}", reason=body.reason)
            return tr("taken out before it was sent")
        case TillClosed():
            return tr("closing")
        case _:
            return tr("device introduced")
