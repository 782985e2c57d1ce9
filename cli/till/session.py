"""Shared by the commands of a till: options, local time, and the output of a record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import exit_on_error, local, say, show_json, to_zone
from edge.spool import SpooledRecord
from edge.till.till import Till
from shared.translation import tr

HOME = Path(typer.get_app_dir("karya"))

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Why = Annotated[str, typer.Option(help="Why, in a few words. No names, please.")]


@dataclass(frozen=True, slots=True)
class TillOptions:
    """The options of every command. `zone`: of the output; None is the festival's, or this machine's until it is
    known."""

    folder: Path
    booth: str
    name: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class WallClock:
    """Local times for the cashier."""

    zone: str | None

    def local(self, moment: datetime) -> str:
        return local(moment, self.zone)

    def day(self, moment: datetime) -> date:
        return to_zone(moment, self.zone).date()


@contextmanager
def open_till(context: typer.Context) -> Iterator[Till]:
    """The chosen till. An error is shown, and ends the command with 1."""
    options: TillOptions = context.obj
    with exit_on_error(), Till(options.folder, options.booth, options.name) as till:
        yield till


def wall_clock(context: typer.Context, till: Till) -> WallClock:
    options: TillOptions = context.obj
    return WallClock(options.zone or till.view().zone)


def show_record(till: Till, record: SpooledRecord, *, as_json: bool, action: str | None = None) -> None:
    """Show the number of a kept record, and how many records are unsent."""
    unsent = till.spool.counts().pending
    if as_json:
        show_json({"record": record.number, "id": record.id, "to_send": unsent})
    else:
        say(
            tr(
                "{action} as record {number}. {unsent} to send.",
                action=action or tr("Kept"),
                number=record.number,
                unsent=unsent,
            )
        )
