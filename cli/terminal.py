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

from cli.console import err, here, local, refusing, say, show_json, show_table, warn
from cli.parameters import CHANGE, DAY, WHOLE, seconds
from cli.spool import spool_commands
from edge.spool import Owner, Said
from edge.terminal.terminal import Standing, Standings, Terminal, owner
from shared.envelope import rfc3339
from shared.events import names
from shared.events.production import ProductionCorrected, ProductionReported, ReportAccepted, ReportRejected
from shared.events.zones import FACILITY_ZONES
from shared.settings import settings_for
from shared.shown import pluralize

app = typer.Typer(no_args_is_help=True, help="A facility's terminal: record what was made, sync when online.")

HOME = Path(typer.get_app_dir("karya"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """`zone`: the facility's, wherever the device's own clock stands."""

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
        Path, typer.Option(envvar="KARYA_SPOOL_DIR", help="Where this device keeps its records.")
    ] = HOME,
    zone: Annotated[
        str | None,
        typer.Option(
            envvar="KARYA_ZONE", help="The facility's time zone, of one that karya does not know, e.g. Asia/Makassar."
        ),
    ] = None,
) -> None:
    context.obj = Chosen(spool_dir, facility, terminal, zone_of(facility, zone))


def zone_of(facility: str, given: str | None) -> str:
    """The zone in which the facility lies. Raises typer.BadParameter if nobody says it, or if `given` is another."""
    code = facility.strip().upper()
    if (words := names.FACILITY.wrong(code)) is not None:
        raise typer.BadParameter(words)
    known = FACILITY_ZONES.get(code)
    if known is None and given is None:
        raise typer.BadParameter(
            f"the time zone of {code} is not known here; say it with --zone (KARYA_ZONE), e.g. Asia/Makassar"
        )
    if known is not None and given not in (None, known):
        raise typer.BadParameter(f"{code} lies in {known}, and --zone (KARYA_ZONE) says {given}; leave it out")
    return known or str(given)


@app.command()
def record(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product's code, e.g. KTI.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="How many pieces (in the product's unit), e.g. 1.250.")],
    made_on: Annotated[
        date | None, typer.Option(parser=DAY, help="The day of making; the facility's today if left out.")
    ] = None,
    best_before: Annotated[
        date | None, typer.Option(parser=DAY, help="Only if it differs from the product's shelf life.")
    ] = None,
    maker: Annotated[
        str | None,
        typer.Option(help="The maker's private number; only a keyed pseudonym of it is kept or sent."),
    ] = None,
    ask_maker: Annotated[bool, typer.Option(help="Ask for the maker's number without showing it.")] = False,
    as_json: Json = False,
) -> None:
    """Record a new lot."""
    now = datetime.now(UTC)
    if ask_maker:
        maker = typer.prompt("Maker's private number", hide_input=True)
    with _terminal(context) as terminal:
        said = terminal.record(
            product,
            qty,
            made_on=made_on or _today(context, now),
            best_before=best_before,
            maker=maker,
            at=now,
        )
        _kept(context, terminal, said, as_json)


@app.command(context_settings={"ignore_unknown_options": True})
def correct(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    change: Annotated[
        int, typer.Argument(parser=CHANGE, help="How many more (3) or fewer (-3) than was recorded, e.g. -1.000.")
    ],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Correct how many pieces a lot holds."""
    with _terminal(context) as terminal:
        said = terminal.correct(lot, change, reason=reason, at=datetime.now(UTC))
        _kept(context, terminal, said, as_json)


@app.command()
def recall(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot number on the label.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Take a lot out of every sale, wherever it is."""
    with _terminal(context) as terminal:
        said = terminal.recall(lot, reason=reason, at=datetime.now(UTC))
        _kept(context, terminal, said, as_json)


@app.command()
def sync(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(parser=seconds(most=600), help="Seconds to wait for missing answers, at most 600.")
    ] = 5.0,
    as_json: Json = False,
) -> None:
    """Send what waits and show what production answered."""
    # What goes wrong there is raised and said once, by us.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _terminal(context) as terminal:
        known = {row.said.id for row in terminal.standings() if row.answer}
        with Progress(
            TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
        ) as progress:
            task = progress.add_task("", total=terminal.counts().pending)
            done = asyncio.run(
                terminal.sync(settings_for("kafka"), wait=wait, on_sent=lambda count: progress.advance(task, count))
            )
        rows = terminal.standings()
        fresh = [row for row in rows if row.answer and row.said.id not in known]
        if as_json:
            show_json({"sent": done.sent, "unanswered": done.unanswered, "answers": _rows(context, fresh)})
            return
        say(f"{pluralize(done.sent, 'record')} sent, {pluralize(len(fresh), 'answer')} heard.")
        _show(context, fresh, "")
        if done.unanswered:
            warn(f"No answer yet for {pluralize(done.unanswered, 'record')}; sync again in a while to see it.")
        if done.unreadable:
            warn(f"{pluralize(done.unreadable, 'answer')} can't be read by this version of karya; please update it.")


@app.command(name="list")
def list_records(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what was accepted.")] = False,
    as_json: Json = False,
) -> None:
    """What was recorded here and what became of it."""
    with _terminal(context) as terminal:
        rows = [row for row in terminal.standings() if everything or row.standing is not Standing.ACCEPTED]
        if as_json:
            show_json(_rows(context, rows))
        else:
            _show(context, rows, "Everything recorded here was accepted; --all shows it.")


def _owner(context: typer.Context) -> Owner:
    chosen: Chosen = context.obj
    return owner(chosen.folder, chosen.facility.strip().upper(), chosen.name.strip())


app.add_typer(spool_commands(_owner), name="spool")


@contextmanager
def _terminal(context: typer.Context) -> Iterator[Terminal]:
    chosen: Chosen = context.obj
    with refusing(), Terminal(chosen.folder, chosen.facility, chosen.name) as terminal:
        yield terminal


def _today(context: typer.Context, now: datetime) -> date:
    chosen: Chosen = context.obj
    return here(now, chosen.zone).date()


def _kept(context: typer.Context, terminal: Terminal, said: Said, as_json: bool) -> None:
    waiting = terminal.counts().pending
    if as_json:
        kept: dict[str, Any] = {"record": said.number, "id": said.id, "to_send": waiting}
        if isinstance(said.body, ProductionReported):
            kept["made_on"] = said.body.made_on.isoformat()
        show_json(kept)
        return
    chosen: Chosen = context.obj
    at = local(said.recorded_at, chosen.zone)
    say(f"Kept as record {said.number} at {at}: {_what(said)}. {waiting} to send.")


def _show(context: typer.Context, rows: list[Standings], empty: str) -> None:
    if rows or empty:
        show_table(["record", "recorded", "what", "standing", "answer"], _rows(context, rows), empty)


def _rows(context: typer.Context, rows: list[Standings]) -> list[dict[str, Any]]:
    chosen: Chosen = context.obj
    return [
        {
            "record": row.said.number,
            "id": row.said.id,
            "recorded": local(row.said.recorded_at, chosen.zone),
            "recorded_at": rfc3339(row.said.recorded_at),
            "what": _what(row.said),
            "standing": row.standing.value,
            "answer": _answer(row),
            **_fields(row),
        }
        for row in rows
    ]


def _what(said: Said) -> str:
    match said.body:
        case ProductionReported() as body:
            return f"{body.qty} × {body.product}, made {body.made_on}"
        case ProductionCorrected() as body:
            return f"{body.change:+} of {body.lot}"
        case body:
            return f"recall of {getattr(body, 'lot', '')}"


def _answer(row: Standings) -> str | None:
    match row.answer:
        case ReportAccepted() as answer:
            return answer.lot
        case ReportRejected() as answer:
            return f"{answer.field}: {answer.message_id} ({answer.message})"
        case None:
            return None


def _fields(row: Standings) -> dict[str, str]:
    match row.answer:
        case ReportAccepted() as answer:
            return {"lot": answer.lot}
        case ReportRejected() as answer:
            return {"field": answer.field, "reason": answer.reason.value}
        case None:
            return {}
