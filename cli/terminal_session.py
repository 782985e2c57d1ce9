"""Shared by the commands of a terminal: options, the opened terminal, and the output of a record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import exit_on_error, local, say, show_json, to_zone
from edge.spool import SpooledRecord
from edge.terminal.terminal import Terminal
from shared.events.production import LiftRecall, ProductionCorrected, ProductionReported, WithdrawReport
from shared.translation import tr

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words. No names, please.")]


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """The options of every command. `zone`: the facility's, whatever zone the device's clock has."""

    folder: Path
    facility: str
    name: str
    zone: str


@contextmanager
def open_terminal(context: typer.Context) -> Iterator[Terminal]:
    options: TerminalOptions = context.obj
    with exit_on_error(), Terminal(options.folder, options.facility, options.name) as terminal:
        yield terminal


def today(context: typer.Context, now: datetime) -> date:
    options: TerminalOptions = context.obj
    return to_zone(now, options.zone).date()


def show_record(context: typer.Context, terminal: Terminal, record: SpooledRecord, *, as_json: bool) -> None:
    unsent_count = terminal.counts().pending
    if as_json:
        fields: dict[str, Any] = {"record": record.number, "id": record.id, "to_send": unsent_count}
        if isinstance(record.body, ProductionReported):
            fields["made_on"] = record.body.made_on.isoformat()
        show_json(fields)
        return
    options: TerminalOptions = context.obj
    at = local(record.recorded_at, options.zone)
    say(
        tr(
            "Kept as record {number} at {time}: {what}. {unsent} to send.",
            number=record.number,
            time=at,
            what=what(record),
            unsent=unsent_count,
        )
    )


def what(record: SpooledRecord) -> str:
    match record.body:
        case ProductionReported() as body:
            return tr(
                "{qty} × {product}, made {day}", qty=body.qty, product=body.product, day=body.made_on.isoformat()
            )
        case ProductionCorrected() as body:
            return tr("{change} of {lot}", change=f"{body.change:+}", lot=body.lot)
        case LiftRecall() as body:
            return tr("recall of {lot} lifted", lot=body.lot)
        case WithdrawReport() as body:
            return tr("withdrawal of {lot}", lot=body.lot)
        case body:
            return tr("recall of {lot}", lot=getattr(body, "lot", ""))
