"""`karya terminal`: record what was made, with or without a network."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.console import err, exit_on_error, local, say, show_json, show_table, to_zone, warn
from cli.parameters import CHANGE, DAY, WHOLE, seconds
from cli.spool import spool_commands
from edge.spool import Owner, SpooledRecord
from edge.terminal.terminal import ReportStatus, Terminal, TrackedReport, owner
from shared.envelope import rfc3339
from shared.events import names
from shared.events.production import ProductionCorrected, ProductionReported, ReportAccepted, ReportRejected
from shared.events.zones import FACILITY_ZONES
from shared.settings import settings_for
from shared.shown import pluralize
from shared.translation import received, tr, translated

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A facility's terminal: record what was made, sync when online."
)

HOME = Path(typer.get_app_dir("karya"))


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """The options of every command. `zone`: the facility's, whatever zone the device's clock has."""

    folder: Path
    facility: str
    name: str
    zone: str


Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words. No names, please.")]


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
            envvar="KARYA_ZONE", help="Time zone of a facility that karya does not know, e.g. Asia/Makassar."
        ),
    ] = None,
) -> None:
    code = facility.strip().upper()
    if zone is None and code not in FACILITY_ZONES and not names.FACILITY.wrong(code):
        zone = _received_zone(spool_dir, facility, terminal)
    context.obj = TerminalOptions(spool_dir, facility, terminal, zone_of(facility, zone))


def _received_zone(folder: Path, facility: str, name: str) -> str | None:
    """The facility's zone in this device's copy of the catalogue; None if it has none."""
    with exit_on_error():
        if not owner(folder, facility.strip().upper(), name.strip()).path.exists():
            return None
        with Terminal(folder, facility, name) as terminal:
            listed = terminal.catalogue().facility
            return listed.zone if listed is not None else None


def zone_of(facility: str, option: str | None) -> str:
    """The facility's time zone. Raises typer.BadParameter if it is unknown, or if `option` is another one."""
    code = facility.strip().upper()
    if (mistake := names.FACILITY.wrong(code)) is not None:
        raise typer.BadParameter(translated(mistake))
    zone = FACILITY_ZONES.get(code)
    if zone is None and option is None:
        raise typer.BadParameter(
            f"the time zone of {code} is not known here; set it with --zone (KARYA_ZONE), e.g. Asia/Makassar"
        )
    if zone is not None and option not in (None, zone):
        raise typer.BadParameter(f"{code} is in {zone}, but --zone (KARYA_ZONE) is {option}; leave it out")
    return zone or str(option)


@app.command()
def record(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product's code or name, e.g. KTI.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="How many pieces (in the product's unit), e.g. 1.250.")],
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
    as_json: Json = False,
) -> None:
    """Record a new lot."""
    now = datetime.now(UTC)
    if ask_maker:
        maker = typer.prompt("Maker's private number", hide_input=True)
    with _terminal(context) as terminal:
        spooled = terminal.record(
            product,
            qty,
            made_on=made_on or _today(context, now),
            best_before=best_before,
            maker=maker,
            at=now,
            unlisted=unlisted,
        )
        _show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def products(context: typer.Context, as_json: Json = False) -> None:
    """List the products of this facility, as this device has received them."""
    with _terminal(context) as terminal:
        rows = [product.model_dump(mode="json") for product in terminal.catalogue().on_list()]
        if as_json:
            show_json(rows)
            return
        columns = ["product", "name", "category", "unit", "max_qty", "shelf_life_days"]
        show_table(columns, rows, tr("No list has been received yet; `karya terminal sync` fetches it."))


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
    with _terminal(context) as terminal:
        spooled = terminal.correct(lot, change, reason=reason, at=datetime.now(UTC))
        _show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def recall(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Recall a lot: it is no longer sold anywhere."""
    with _terminal(context) as terminal:
        spooled = terminal.recall(lot, reason=reason, at=datetime.now(UTC))
        _show_record(context, terminal, spooled, as_json=as_json)


@app.command()
def sync(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for missing answers, at most 600.")
    ] = 5.0,
    as_json: Json = False,
) -> None:
    """Send the waiting records and show production's answers."""
    # Errors of the client are raised too, and shown once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _terminal(context) as terminal:
        answered = {row.record.id for row in terminal.tracked_reports() if row.answer}
        with Progress(
            TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=terminal.counts().pending)
            report = asyncio.run(
                terminal.sync(settings_for("kafka"), wait=wait, on_sent=lambda count: progress.advance(task, count))
            )
        rows = terminal.tracked_reports()
        new_rows = [row for row in rows if row.answer and row.record.id not in answered]
        if as_json:
            show_json({"sent": report.sent, "unanswered": report.unanswered, "answers": _rows(context, new_rows)})
            return
        say(f"{pluralize(report.sent, 'record')} sent, {pluralize(len(new_rows), 'answer')} received.")
        _show(context, new_rows, "")
        if report.unanswered:
            warn(f"No answer yet for {pluralize(report.unanswered, 'record')}; sync again in a while to see it.")
        if report.unreadable:
            warn(
                f"{pluralize(report.unreadable, 'answer')} can't be read by this version of karya; please update it."
            )


@app.command(name="list")
def list_records(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also accepted records.")] = False,
    as_json: Json = False,
) -> None:
    """List the records of this device and their status."""
    with _terminal(context) as terminal:
        rows = [row for row in terminal.tracked_reports() if everything or row.status is not ReportStatus.ACCEPTED]
        if as_json:
            show_json(_rows(context, rows))
        else:
            _show(context, rows, "Everything recorded here was accepted; --all shows it.")


def _owner(context: typer.Context) -> Owner:
    options: TerminalOptions = context.obj
    return owner(options.folder, options.facility.strip().upper(), options.name.strip())


app.add_typer(spool_commands(_owner), name="spool")


@contextmanager
def _terminal(context: typer.Context) -> Iterator[Terminal]:
    options: TerminalOptions = context.obj
    with exit_on_error(), Terminal(options.folder, options.facility, options.name) as terminal:
        yield terminal


def _today(context: typer.Context, now: datetime) -> date:
    options: TerminalOptions = context.obj
    return to_zone(now, options.zone).date()


def _show_record(context: typer.Context, terminal: Terminal, record: SpooledRecord, *, as_json: bool) -> None:
    unsent = terminal.counts().pending
    if as_json:
        fields: dict[str, Any] = {"record": record.number, "id": record.id, "to_send": unsent}
        if isinstance(record.body, ProductionReported):
            fields["made_on"] = record.body.made_on.isoformat()
        show_json(fields)
        return
    options: TerminalOptions = context.obj
    at = local(record.recorded_at, options.zone)
    say(f"Kept as record {record.number} at {at}: {_what(record)}. {unsent} to send.")


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
            "what": _what(row.record),
            "standing": row.status.value,
            "answer": _answer(row),
            **_fields(row),
        }
        for row in rows
    ]


def _what(record: SpooledRecord) -> str:
    match record.body:
        case ProductionReported() as body:
            return f"{body.qty} × {body.product}, made {body.made_on}"
        case ProductionCorrected() as body:
            return f"{body.change:+} of {body.lot}"
        case body:
            return f"recall of {getattr(body, 'lot', '')}"


def _answer(row: TrackedReport) -> str | None:
    match row.answer:
        case ReportAccepted() as answer:
            return answer.lot
        case ReportRejected() as answer:
            return f"{answer.field}: {received(answer.message, answer.template, answer.values)}"
        case None:
            return None


def _fields(row: TrackedReport) -> dict[str, str]:
    match row.answer:
        case ReportAccepted() as answer:
            return {"lot": answer.lot}
        case ReportRejected() as answer:
            return {"field": answer.field, "reason": answer.reason.value}
        case None:
            return {}
