"""`karya till drawer` and `day`: cash by cashier, and its counts."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from cli.console import say, show_json, show_table, warn
from cli.parameters import DAY
from cli.till.session import Json, WallClock, Why, open_till, show_record, wall_clock
from edge.till.day import TillDay, till_day
from edge.till.drawer import CashDrawer, DayLine
from shared import shown, typed
from shared.envelope import rfc3339
from shared.translation import tr, word

drawer = typer.Typer(no_args_is_help=True, help="The cash drawer: open, drop, count.")
_AFTER = "after the count"


@drawer.command(name="open")
def open_drawer(
    context: typer.Context,
    cashier: Annotated[str, typer.Option(help="A number or short name that only the booth understands, e.g. P1.")],
    float_: Annotated[str, typer.Option("--float", help="Rupiah in the drawer at the start.")],
    as_json: Json = False,
) -> None:
    """Open the drawer for a cashier."""
    with open_till(context) as till:
        record = till.open(cashier, typed.rupiah(float_), at=datetime.now(UTC))
        action = tr("{cashier} has the drawer with {float:rupiah}", cashier=cashier, float=typed.rupiah(float_))
        show_record(till, record, as_json=as_json, action=action)


@drawer.command()
def drop(
    context: typer.Context,
    amount: Annotated[str, typer.Argument(help="Rupiah that are taken to a safe place.")],
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Take money out of the drawer."""
    with open_till(context) as till:
        record = till.drop(typed.rupiah(amount), at=datetime.now(UTC), reason=why)
        show_record(
            till, record, as_json=as_json, action=tr("{amount:rupiah} taken out", amount=typed.rupiah(amount))
        )


@drawer.command()
def count(
    context: typer.Context,
    amount: Annotated[str, typer.Argument(help="Rupiah in the drawer, including the float.")],
    as_json: Json = False,
) -> None:
    """Count and close the drawer. The expected amount is shown afterwards."""
    with open_till(context) as till:
        drawer_count = till.count_cash(typed.rupiah(amount), at=datetime.now(UTC))
        difference = drawer_count.counted_rupiah - drawer_count.expected_rupiah
        if as_json:
            show_json(
                {
                    "record": drawer_count.seq,
                    "counted_rupiah": drawer_count.counted_rupiah,
                    "expected_rupiah": drawer_count.expected_rupiah,
                    "difference_rupiah": difference,
                    "to_send": till.spool.counts().pending,
                }
            )
            return
        say(
            tr(
                "Counted {counted:rupiah}, expected {expected:rupiah}.",
                counted=drawer_count.counted_rupiah,
                expected=drawer_count.expected_rupiah,
            )
        )
        if difference:
            if difference > 0:
                warn(tr("{difference:rupiah} too much; this is recorded.", difference=difference))
            else:
                warn(tr("{difference:rupiah} too little; this is recorded.", difference=-difference))
        else:
            say(tr("It adds up."))


@drawer.command()
def show(context: typer.Context, as_json: Json = False) -> None:
    """Show the drawers of this till. The expected amount of an open one is hidden until its count."""
    with open_till(context) as till:
        _show_drawers(till.drawers(), wall_clock(context, till), as_json=as_json)


def day(
    context: typer.Context,
    which: Annotated[
        date | None, typer.Argument(parser=DAY, metavar="DAY", help="A day at the festival; today if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one day of this till: takings by kind of payment, drawers, voids, and what is not sent."""
    with open_till(context) as till:
        wall = wall_clock(context, till)
        day_shown = which or wall.day(datetime.now(UTC))
        report = till_day(till.spool.records(), day_shown, wall.day)
        if as_json:
            show_json(
                {
                    "booth": till.booth,
                    "till": till.name,
                    "device": till.spool.device,
                    "day": day_shown,
                    "zone": wall.zone,
                    "payments": [{**asdict(line), "kind": line.kind.value} for line in report.payments],
                    "drawers": [_row(drawer, wall) for drawer in report.drawers],
                    "receipts": report.receipts,
                    "voids": report.voids,
                    "voided_pieces": report.voided_pieces,
                    "taken_out": [
                        {"record": out.seq, "kind": out.kind, "rupiah": _shown_rupiah(report, out.rupiah)}
                        for out in report.taken_out
                    ],
                    "to_send": report.unsent,
                    "closed": report.closed,
                }
            )
            return
        zone = wall.zone or word("the zone of this machine")
        say(f"{till.booth} {till.name}, {day_shown} ({zone})")
        show_table(
            ["paid", "receipts", "net", "refunds", "paid back"],
            [_day_row(line) for line in report.payments],
            "",
            words=("paid", "net", "paid back"),
        )
        if report.drawers:
            _show_drawers(list(report.drawers), wall, as_json=False)
        _show_rest(report)


def _shown_rupiah(report: TillDay, rupiah: int) -> int | None:
    """The rupiah of what was taken out; hidden while a drawer is open, as every sum of cash."""
    return None if any(drawer.counted_at is None for drawer in report.drawers) else rupiah


def _show_rest(report: TillDay) -> None:
    if report.voids:
        say(tr("{voids:void|voids} of {pieces:piece|pieces}.", voids=report.voids, pieces=report.voided_pieces))
    if report.taken_out:
        numbers = ", ".join(str(out.seq) for out in report.taken_out)
        say(tr("Taken out before it was sent: record {numbers}.", numbers=numbers))
    if report.unsent:
        warn(tr("{unsent:record|records} to send: sync when there is a network.", unsent=report.unsent))
    if report.closed:
        say(tr("This till is closed."))


def _day_row(line: DayLine) -> dict[str, object]:
    return {
        "paid": line.kind.value,
        "receipts": line.receipts,
        "net": _AFTER if line.net_rupiah is None else shown.rupiah(line.net_rupiah),
        "refunds": line.refunds,
        "paid back": _AFTER if line.refunded_rupiah is None else shown.rupiah(line.refunded_rupiah),
    }


def _show_drawers(drawers: list[CashDrawer], wall: WallClock, *, as_json: bool) -> None:
    rows = [_row(drawer, wall) for drawer in drawers]
    if as_json:
        show_json(rows)
        return
    table = [
        {name: shown.rupiah(value) if isinstance(value, int) else value for name, value in row.items()}
        for row in rows
    ]
    labelled = [{name.removesuffix("_rupiah"): value for name, value in row.items()} for row in table]
    show_table(
        ["cashier", "opened", "float", "dropped", "counted", "expected", "difference"],
        labelled,
        tr("No drawer was opened at this till yet."),
    )


def _row(drawer: CashDrawer, wall: WallClock) -> dict[str, object]:
    counted = drawer.counted_at
    return {
        "drawer": drawer.id,
        "cashier": drawer.cashier,
        "opened": wall.local(drawer.opened_at),
        "opened_at": rfc3339(drawer.opened_at),
        "float_rupiah": drawer.float_rupiah,
        "dropped_rupiah": drawer.dropped_rupiah,
        "counted_at": rfc3339(counted) if counted else None,
        "counted_rupiah": drawer.counted_rupiah,
        "expected_rupiah": drawer.expected_rupiah if counted else None,
        "difference_rupiah": drawer.difference_rupiah,
    }
