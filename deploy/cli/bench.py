"""`karya bench`: how fast the services are beside what the same servers could do."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.alone import alone, terminable
from shared.console import err, out, say, show_json, warn
from shared.errors import KaryaError

FOLDER = Path(__file__).parents[2] / ".karya" / "bench"


class NoBenches(KaryaError):
    """Benches come with a checkout and not with the installed package."""


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all without it.")] = None,
    amount: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How much: events to work off, seconds per rate (latency), starts, plans. Less says less, sooner.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the figures as JSON; - prints them.")
    ] = None,
) -> None:
    """Measure on real servers of this command's own, with made-up events. Ratios of one run are what counts."""
    try:
        from bench.all import run
    except ModuleNotFoundError as missing:
        raise NoBenches(f"{missing.name} is not here: run `karya bench` in a checkout, after `make setup`.") from None
    with alone(FOLDER), terminable(), err.status("") as status:
        tell = status.update if err.is_terminal else lambda text: err.print(text, highlight=False)
        results = asyncio.run(run(FOLDER, names or [], amount, tell))
    told = [result.as_dict() for result in results]
    if json_file is not None and str(json_file) == "-":
        show_json(told)
    else:
        if json_file is not None:
            json_file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        for result in results:
            table = Table("figure", box=None, pad_edge=False, header_style="bold", title=result.bench)
            table.title_justify = "left"
            table.add_column("value", justify="right")
            table.add_column("goal", justify="right")
            for figure in result.figures:
                sign = "≤" if figure.at_most else "≥"
                goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
                table.add_row(figure.name, f"{figure.value:,.4g}", goal, style="red" if figure.missed else None)
            out.print(table)
            say(f"{result.note}\n" if result.note else "")
    shutil.rmtree(FOLDER, ignore_errors=True)
    missed = [figure.name for result in results for figure in result.figures if figure.missed]
    if missed:
        warn(f"Missed: {', '.join(missed)}")
