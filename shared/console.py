"""What commands have in common towards a person: tables or JSON, local times, refusals without a traceback."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table

from shared.errors import KaryaError
from shared.shown import clock

out = Console()
err = Console(stderr=True)


def local(moment: datetime, zone: str | None) -> str:
    """The moment as the clock on the wall shows it, e.g. `2023-04-18 08:05 WITA`. Without a zone: this
    machine's own."""
    return clock(here(moment, zone))


def here(moment: datetime, zone: str | None) -> datetime:
    """The moment in this zone. Raises typer.BadParameter for a zone that is not known."""
    try:
        return moment.astimezone(ZoneInfo(zone) if zone else None)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(f"{zone} is no time zone known here; try Asia/Makassar") from None


@contextmanager
def refusing() -> Iterator[None]:
    """Say what a KaryaError says in red and leave with exit code 1."""
    try:
        yield
    except KaryaError as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def warn(message: str) -> None:
    err.print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    out.print(message, markup=False, highlight=False, soft_wrap=True)


def counted(count: int, what: str) -> str:
    """`1 record`, `2 records`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def show_json(value: Any) -> None:
    """One JSON document on stdout and nothing else."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def show_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], empty: str) -> None:
    """A table of these columns; a row's missing or None values stay blank. `empty` is said if there is none."""
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # What a person may have to type is broken over lines rather than cut off.
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (row.get(column) for column in columns)
        table.add_row(*("" if cell is None else _plain(str(cell)) for cell in cells))
    out.print(table)


def _plain(text: str) -> str:
    # What was typed is not markup.
    return text.replace("[", r"\[")
