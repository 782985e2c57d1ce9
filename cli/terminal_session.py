"""Shared by the commands of a terminal: options, the opened terminal, and the output of a record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    """The options of every command. `zone`: the facility's, whatever zone the device's clock has. None: it is not
    known yet, and times are shown in the zone of the device's clock."""

    folder: Path
    facility: str
    name: str
    zone: str | None


@contextmanager
def open_terminal(context: typer.Context) -> Iterator[Terminal]:
    options: TerminalOptions = context.obj
    with exit_on_error(), Terminal(options.folder, options.facility, options.name) as terminal:
        take_zone(context, terminal)
        yield terminal


def take_zone(context: typer.Context, terminal: Terminal) -> None:
    """Take the facility's zone from the device's copy of the catalogue. Raises typer.BadParameter if the option is
    another one."""
    options: TerminalOptions = context.obj
    facility = terminal.catalogue().facility
    if facility is None:
        return
    if options.zone not in (None, facility.zone):
        raise typer.BadParameter(
            tr(
                "{code} is in {zone}, but --zone (KARYA_ZONE) is {option}; leave it out",
                code=facility.facility,
                zone=facility.zone,
                option=str(options.zone),
            )
        )
    context.obj = replace(options, zone=facility.zone)


def today(context: typer.Context, now: datetime) -> date:
    """The facility's day. Raises typer.BadParameter while its zone is not known."""
    options: TerminalOptions = context.obj
    if options.zone is None:
        raise typer.BadParameter(
            tr(
                "the time zone of {code} is not known here: get the catalogue by `karya terminal sync`, or set it "
                "with --zone (KARYA_ZONE), e.g. Asia/Makassar",
                code=options.facility.strip().upper(),
            )
        )
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
