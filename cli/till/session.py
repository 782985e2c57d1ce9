"""What the commands of a till have in common: which till it is, its clock, and how a record is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import exit_on_error, local, say, show_json, to_zone
from edge.spool import Said
from edge.till.till import Till

HOME = Path(typer.get_app_dir("karya"))

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Why = Annotated[str, typer.Option(help="Why, in a few words. No names, please.")]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which till, and in which zone times are shown: None is the festival's, or before it is known the machine's."""

    folder: Path
    booth: str
    name: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class WallClock:
    """Moments as they are shown to the cashier."""

    zone: str | None

    def local(self, moment: datetime) -> str:
        return local(moment, self.zone)

    def day(self, moment: datetime) -> date:
        return to_zone(moment, self.zone).date()


@contextmanager
def the_till(context: typer.Context) -> Iterator[Till]:
    """The chosen till; what it refuses is said, and ends the command with 1."""
    chosen: Chosen = context.obj
    with exit_on_error(), Till(chosen.folder, chosen.booth, chosen.name) as till:
        yield till


def clock(context: typer.Context, till: Till) -> WallClock:
    chosen: Chosen = context.obj
    return WallClock(chosen.zone or till.view().zone)


def kept(till: Till, said: Said, as_json: bool, what: str = "Kept") -> None:
    """Say under which number a record was kept."""
    waiting = till.spool.counts().pending
    if as_json:
        show_json({"record": said.number, "id": said.id, "to_send": waiting})
    else:
        say(f"{what} as record {said.number}. {waiting} to send.")
