"""What commands have in common towards a person: tables or JSON, local times, refusals without a traceback."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from shared.errors import KaryaError
from shared.shown import clock
from shared.visible import visible, visible_json

WIDEST = 10_000  # columns of a line that nothing breaks


class PlainConsole(Console):
    """Shows every string as it is: nothing in it is markup or an emoji's name, and nothing in it steers the terminal.
    Styles are given beside the string."""

    def render_str(self, text: str, **style: Any) -> Text:
        plain = {name: value for name, value in style.items() if name in ("style", "justify", "overflow")}
        return Text(visible(text, keep="\n"), **{name: value for name, value in plain.items() if value is not None})


out = PlainConsole()
err = PlainConsole(stderr=True)


def local(moment: datetime, zone: str | None) -> str:
    """The moment as the clock on the wall shows it, e.g. `2023-04-18 08:05 WITA`. Without a zone: this
    machine's own."""
    return clock(to_zone(moment, zone))


def to_zone(moment: datetime, zone: str | None) -> datetime:
    """The moment in this zone; in UTC if it lies so near the end of all years that the zone has no time for it.
    Raises typer.BadParameter for a zone that is not known."""
    try:
        zone_info = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(f"{zone} is no time zone known here; try Asia/Makassar") from None
    try:
        return moment.astimezone(zone_info)
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=moment.tzinfo or UTC)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Say what a KaryaError says in red and leave with exit code 1."""
    try:
        yield
    except KaryaError as error:
        show_error(error)
        raise typer.Exit(1) from None


def show_error(error: KaryaError) -> None:
    """In red, over as many lines as it has: some show the end of a log."""
    err.print(str(error), style="red", soft_wrap=True)


def warn(message: str = "") -> None:
    """One line, in yellow."""
    err.print(visible(message), style="yellow", soft_wrap=True)


def say(message: str = "") -> None:
    """One line: a newline in it is somebody's text, and is shown as `\\n`."""
    out.print(visible(message), soft_wrap=True)


def show_json(value: Any) -> None:
    """One JSON document on stdout and nothing else."""
    typer.echo(visible_json(json.dumps(value, ensure_ascii=False, indent=2, default=str)))


def show_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], empty: str) -> None:
    """A table of these columns; a row's missing or None values stay blank. `empty` is said if there is none.

    On a terminal its columns are aligned, and a cell of several words may be broken between them, never a word: it
    may have to be typed. Elsewhere a row is a line, with a tab between its cells.
    """
    if not rows:
        say(empty)
        return
    cells = [["" if (cell := row.get(column)) is None else visible(str(cell)) for column in columns] for row in rows]
    if out.is_terminal:
        show_grid(_aligned(columns, cells))
    else:
        for line in [columns, *cells]:
            print("\t".join(line), file=out.file)


def show_grid(table: Table) -> None:
    """A table made by hand. Elsewhere than on a terminal no cell is broken; on one that is narrower than the words,
    the terminal breaks the lines, and what is copied from there is whole."""
    widths = Measurement.get(out, out.options.update(max_width=WIDEST), table)
    if not out.is_terminal:
        table.width = widths.maximum
    elif widths.minimum > out.width:
        table.width = widths.minimum
    out.print(table, crop=False)


def _aligned(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, column in enumerate(columns):
        # Without it the widest columns give way first, and their words are cut.
        longest = max(map(cell_len, " ".join([column, *(row[at] for row in cells)]).split()), default=0)
        table.add_column(column, no_wrap=not any(" " in row[at] for row in cells), min_width=longest)
    for row in cells:
        table.add_row(*row)
    return table
