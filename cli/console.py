"""Output of commands for people: tables or JSON, local times, errors without a traceback."""

import csv
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

from cli.problems import add_error, add_warning
from shared.errors import KaryaError
from shared.shown import clock
from shared.translation import IN_INDONESIAN, heading, in_own_language, tr, translated, word
from shared.visible import visible, visible_json

WIDEST = 10_000  # columns: wider than any line
FORMULA_STARTS = ("=", "+", "-", "@")


class PlainConsole(Console):
    """Shows every string literally: no markup, emoji names or control characters. Styles are separate arguments."""

    def render_str(self, text: str, **style: Any) -> Text:
        plain = {name: value for name, value in style.items() if name in ("style", "justify", "overflow")}
        return Text(visible(text, keep="\n"), **{name: value for name, value in plain.items() if value is not None})


out = PlainConsole()
err = PlainConsole(stderr=True)


def local(moment: datetime, zone: str | None) -> str:
    """The moment in local time, e.g. `2023-04-18 08:05 WITA`; without a zone in that of this machine."""
    return clock(to_zone(moment, zone))


def to_zone(moment: datetime, zone: str | None) -> datetime:
    """The moment in this zone, or in UTC if the zone's time would be out of range (years 1 and 9999).

    Raises typer.BadParameter for an unknown zone.
    """
    try:
        zone_info = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(tr("{zone} is not a known time zone; try Asia/Makassar", zone=str(zone))) from None
    try:
        return moment.astimezone(zone_info)
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=moment.tzinfo or UTC)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Show a KaryaError in red and end with exit code 1."""
    try:
        yield
    except KaryaError as error:
        show_error(error)
        raise typer.Exit(1) from None


def show_error(error: KaryaError) -> None:
    """Print the error in red, with all its lines: some contain the end of a log. With --json it becomes a problem."""
    if not add_error(error):
        err.print(translated(error.message), style="red", soft_wrap=True)


def warn(message: str = "") -> None:
    """Print one line on stderr, in yellow. With --json it waits for the end, and is a part of the problem if any."""
    if not add_warning(visible(message)):
        err.print(visible(message), style="yellow", soft_wrap=True)


def say(message: str = "") -> None:
    """Print one line. A newline in it comes from a person's text, and is shown as `\\n`."""
    out.print(visible(message), soft_wrap=True)


def show_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(visible_json(json.dumps(value, ensure_ascii=False, indent=2, default=str)))


def show_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print CSV of these columns, with their names first. Missing or None values stay empty.

    A spreadsheet would calculate a text that begins like a formula: an apostrophe comes before it. Numbers are plain.
    """
    writer = csv.writer(out.file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(row.get(column)) for column in columns] for row in rows)


def _csv_cell(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = visible(str(value))
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) else text


def show_table(
    columns: Sequence[str], rows: Sequence[Mapping[str, object]], empty: str, words: Sequence[str] = ()
) -> None:
    """Print a table of these columns; missing or None values stay blank. Without rows it prints `empty`.

    On a terminal the columns are aligned. A cell may be broken between words, but not inside a word, which somebody
    may have to type. Elsewhere a row is a line, with tabs between its cells.

    The terminal shows headings, and the cells of the columns `words`, in the reader's language. Programs that read a
    pipe get the same names in every language. Sentences are always in the reader's language.
    """
    if not rows:
        say(empty)
        return
    rows = [{**row, **{n: in_own_language(row, n) for n in columns if f"{n}{IN_INDONESIAN}" in row}} for row in rows]
    cells = [["" if (cell := row.get(column)) is None else visible(str(cell)) for column in columns] for row in rows]
    if out.is_terminal:
        translations = [[word(c) if n in words else c for n, c in zip(columns, row, strict=True)] for row in cells]
        show_grid(_aligned([heading(column) for column in columns], translations))
    else:
        for line in [columns, *cells]:
            print("\t".join(line), file=out.file)


def show_grid(table: Table) -> None:
    """Print a table. Without a terminal a row is a line, with tabs between its cells. On a terminal that is narrower
    than the words the terminal itself breaks the lines, so that copied text is complete."""
    if not out.is_terminal:
        if table.title:
            say(str(table.title))
        columns = [[visible(str(cell)) for cell in (column.header, *column.cells)] for column in table.columns]
        for line in zip(*columns, strict=True):
            print("\t".join(line), file=out.file)
        return
    for column in table.columns:
        # Without a minimum width the widest columns shrink first, and their words are cut.
        words = " ".join(visible(str(cell)) for cell in (column.header, *column.cells)).split()
        column.min_width = max(map(cell_len, words), default=0)
    widths = Measurement.get(out, out.options.update(max_width=WIDEST), table)
    if widths.minimum > out.width:
        table.width = widths.minimum
    out.print(table, crop=False)


def _aligned(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, column in enumerate(columns):
        table.add_column(column, no_wrap=not any(" " in row[at] for row in cells))
    for row in cells:
        table.add_row(*row)
    return table
