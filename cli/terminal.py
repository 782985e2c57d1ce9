"""`karya terminal`: record what was made, with or without a network."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from typer._click.exceptions import MissingParameter

from cli import terminal_file, terminal_records, terminal_sales
from cli.console import err, local, say, show_json, show_table, warn
from cli.device_route import DirectKafka, device_route, warn_of_refusals
from cli.enrol import enrol_command
from cli.groups import CommandGroup
from cli.parameters import CHANGE, DAY, WHOLE, seconds
from cli.records_file import export_command, import_command
from cli.snapshot import From, renew
from cli.spool import spool_commands
from cli.terminal_session import Json, Reason, TerminalOptions, open_terminal, show_record, take_zone, today, what
from edge.snapshot import CatalogueSnapshot
from edge.spool import Owner, Spool
from edge.terminal.terminal import ReportStatus, TrackedReport, owner
from shared.envelope import rfc3339
from shared.events import names
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.production import (
    ReportAccepted,
    ReportRejected,
)
from shared.translation import received, tr, translated

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    help="A facility's terminal: record what was made, sync when online.",
)

HOME = Path(typer.get_app_dir("karya"))


@app.callback()
def choose(
    context: typer.Context,
    facility: Annotated[str, typer.Option(envvar="KARYA_FACILITY", help="The facility's code, e.g. LP-KPG.")],
    terminal: Annotated[str, typer.Option(envvar="KARYA_TERMINAL", help="This terminal's name.")] = "T1",
    spool_dir: Annotated[
        Path, typer.Option(envvar="KARYA_SPOOL_DIR", help="Folder for this device's records.")
    ] = HOME,
    zone: Annotated[
        str | None,
        typer.Option(
            envvar="KARYA_ZONE",
            help="The facility's time zone until this device has the catalogue, e.g. Asia/Makassar.",
        ),
    ] = None,
) -> None:
    if (mistake := names.FACILITY.wrong(facility.strip().upper())) is not None:
        raise typer.BadParameter(translated(mistake))
    context.obj = TerminalOptions(spool_dir, facility, terminal, zone)


@app.command()
def record(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="The product's code or name, e.g. KTI.")] = None,
    qty: Annotated[
        int | None, typer.Argument(parser=WHOLE, help="How many pieces (in the product's unit), e.g. 1.250.")
    ] = None,
    made_on: Annotated[
        date | None, typer.Option(parser=DAY, help="The day when it was made; the facility's today if left out.")
    ] = None,
    best_before: Annotated[
        date | None, typer.Option(parser=DAY, help="Only if it differs from the product's shelf life.")
    ] = None,
    maker: Annotated[
        str | None,
        typer.Option(help="The maker's private number; only a keyed pseudonym of it is kept and sent."),
    ] = None,
    ask_maker: Annotated[bool, typer.Option(help="Ask for the maker's number without showing it.")] = False,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Record a product that this device's list does not have (yet).")
    ] = False,
    file: terminal_file.File = None,
    each: terminal_file.Each = False,
    refused: terminal_file.Refused = None,
    day_first: terminal_file.DayFirst = False,
    as_json: Json = False,
) -> None:
    """Record a new lot.

    With --file: the lots of a table, all of them or none.
    """
    now = datetime.now(UTC)
    if file is not None:
        if product is not None:
            raise typer.BadParameter(tr("--file names the products; leave the product and its pieces out"))
        terminal_file.record_file(
            context, file, each=each, refused=refused, day_first=day_first, unlisted=unlisted, as_json=as_json
        )
        return
    if product is None or qty is None:
        missing = "product" if product is None else "qty"
        parameter: Any = next(option for option in context.command.params if option.name == missing)
        raise MissingParameter(ctx=context, param=parameter)
    if ask_maker:
        maker = typer.prompt(tr("Maker's private number"), hide_input=True)
    with open_terminal(context) as terminal:
        spooled = terminal.record(
            product,
            qty,
            made_on=made_on or today(context, now),
            best_before=best_before,
            maker=maker,
            at=now,
            unlisted=unlisted,
        )
        show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def products(context: typer.Context, as_json: Json = False) -> None:
    """List the products of this facility, as this device has received them."""
    with open_terminal(context) as terminal:
        rows = [product.model_dump(mode="json") for product in terminal.catalogue().on_list()]
        if as_json:
            show_json(rows)
            return
        columns = ["product", "name", "category", "unit", "max_qty", "shelf_life_days"]
        show_table(columns, rows, tr("No list has been received yet; `karya terminal sync` fetches it."))


@app.command()
def catalogue(context: typer.Context, url: From = None, as_json: Json = False) -> None:
    """Fetch the facility's products over HTTP, where Kafka can't be reached. What waits here is not sent."""
    with open_terminal(context) as terminal:

        def keep(snapshot: CatalogueSnapshot) -> int:
            return len(terminal.keep_snapshot(snapshot, at=datetime.now(UTC)).on_list())

        renew(terminal.spool, FACILITY_CATALOGUE, url, keep, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})
def correct(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    change: Annotated[
        int, typer.Argument(parser=CHANGE, help="How many more (3) or fewer (-3) pieces than recorded, e.g. -1.000.")
    ],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Correct how many pieces a lot holds."""
    with open_terminal(context) as terminal:
        spooled = terminal.correct(lot, change, reason=reason, at=datetime.now(UTC))
        show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def recall(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Recall a lot: it is no longer sold anywhere."""
    with open_terminal(context) as terminal:
        spooled = terminal.recall(lot, reason=reason, at=datetime.now(UTC))
        show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def lift(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    reason: Annotated[str, typer.Option(help="Why it may be sold again, in a few words. No names, please.")],
    as_json: Json = False,
) -> None:
    """Lift a recall: what is still at the facility and at booths may be sold again."""
    with open_terminal(context) as terminal:
        spooled = terminal.lift(lot, reason=reason, at=datetime.now(UTC))
        show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def withdraw(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The number of the lot that was reported by mistake.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Withdraw the report of a lot, e.g. of a wrong product, as long as nothing of it is promised."""
    with open_terminal(context) as terminal:
        spooled = terminal.withdraw(lot, reason=reason, at=datetime.now(UTC))
        show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def sync(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for missing answers, at most 600.")
    ] = 5.0,
    sales: Annotated[
        bool, typer.Option(help="Receive the facility's sales too; leave them out on a slow line.")
    ] = True,
    kafka: DirectKafka = False,
    as_json: Json = False,
) -> None:
    """Send the waiting records and show production's answers."""
    with open_terminal(context) as terminal:
        answered = {row.record.id for row in terminal.tracked_reports() if row.answer}
        known_reopened = terminal_sales.reopened_booths(terminal)
        with Progress(
            TextColumn(tr("Sending")), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=terminal.counts().pending)
            report = asyncio.run(
                terminal.sync(
                    device_route(terminal.spool, kafka=kafka),
                    wait=wait,
                    sales=sales,
                    on_sent=lambda count: progress.advance(task, count),
                )
            )
        if context.obj.zone is None:
            take_zone(context, terminal)
        rows = terminal.tracked_reports()
        new_rows = [row for row in rows if row.answer and row.record.id not in answered]
        reopened = [place for place in terminal_sales.reopened_booths(terminal) if place not in known_reopened]
        not_taken = [row for row in rows if row.refusal is not None]
        if as_json:
            show_json(
                {
                    "sent": report.sent,
                    "unanswered": report.unanswered,
                    "answers": _rows(context, new_rows),
                    "not_taken": _rows(context, not_taken),
                    "reopened": [booth for _, booth in reopened],
                }
            )
            return
        say(
            tr(
                "{sent:record|records} sent, {answers:answer|answers} received.",
                sent=report.sent,
                answers=len(new_rows),
            )
        )
        _show(context, new_rows, "")
        for festival, booth in reopened:
            say(
                tr(
                    "Booth {booth} sells again. The settlement of {festival} waits until it is settled again.",
                    booth=booth,
                    festival=festival,
                )
            )
        if not_taken:
            warn_of_refusals([row.refusal for row in not_taken if row.refusal is not None])
            _show(context, not_taken, "")
        if report.unanswered:
            warn(
                tr(
                    "No answer yet for {unanswered:record|records}; sync again in a while to see it.",
                    unanswered=report.unanswered,
                )
            )
        if report.unreadable:
            warn(
                tr(
                    "{unreadable:answer|answers} can't be read by this version of karya; please update it.",
                    unreadable=report.unreadable,
                )
            )


@app.command(name="list")
def list_records(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also accepted records.")] = False,
    as_json: Json = False,
) -> None:
    """List the records of this device and their status."""
    with open_terminal(context) as terminal:
        rows = [row for row in terminal.tracked_reports() if everything or row.status is not ReportStatus.ACCEPTED]
        if as_json:
            show_json(_rows(context, rows))
        else:
            _show(context, rows, tr("Everything recorded here was accepted; --all shows it."))


def _owner(context: typer.Context) -> Owner:
    options: TerminalOptions = context.obj
    return owner(options.folder, options.facility.strip().upper(), options.name.strip())


@contextmanager
def _spool(context: typer.Context) -> Iterator[Spool]:
    with open_terminal(context) as terminal:
        yield terminal.spool


app.command(name="enrol")(enrol_command(_spool))
app.command(name="export")(export_command(_spool))
app.command(name="import")(import_command(_spool))
for command in (terminal_records.edit, terminal_records.remove, *terminal_sales.COMMANDS):
    app.command()(command)
app.add_typer(spool_commands(_owner), name="spool")


def _show(context: typer.Context, rows: list[TrackedReport], empty: str) -> None:
    if rows or empty:
        show_table(
            ["record", "recorded", "what", "standing", "answer"], _rows(context, rows), empty, words=("standing",)
        )


def _rows(context: typer.Context, rows: list[TrackedReport]) -> list[dict[str, Any]]:
    options: TerminalOptions = context.obj
    return [
        {
            "record": row.record.number,
            "id": row.record.id,
            "recorded": local(row.record.recorded_at, options.zone),
            "recorded_at": rfc3339(row.record.recorded_at),
            "what": what(row.record),
            "standing": row.status.value,
            "answer": _answer(row),
            **_fields(row),
        }
        for row in rows
    ]


def _answer(row: TrackedReport) -> str | None:
    if row.refusal is not None:
        return translated(row.refusal.message)
    match row.answer:
        case ReportAccepted() as answer:
            return answer.lot
        case ReportRejected() as answer:
            return f"{answer.field}: {received(answer.message, answer.template, answer.values)}"
        case None:
            return None


def _fields(row: TrackedReport) -> dict[str, str]:
    if row.refusal is not None:
        return {"reason": row.refusal.reason}
    match row.answer:
        case ReportAccepted() as answer:
            return {"lot": answer.lot}
        case ReportRejected() as answer:
            return {"field": answer.field, "reason": answer.reason.value}
        case None:
            return {}
