"""`karya bench`: throughput and latency relative to a minimal consumer and to other frameworks."""

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.console import err, say, show_grid, show_json, warn
from cli.exclusive import exclusive, terminable
from cli.parameters import between
from shared import typed
from shared.errors import KaryaError
from shared.events.language import MAX_WHOLE
from shared.shown import thousands

if TYPE_CHECKING:
    from lab.bench.report import BenchResult, OnProgress, RunHead

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".karya" / "bench"


class NoBenches(KaryaError):
    """Benches are part of a checkout, not of the installed package."""


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Names of benches; all if left out.")] = None,
    amount: Annotated[
        int | None,
        typer.Option(
            parser=between(typed.whole, 1, MAX_WHOLE),
            help="How much: events, seconds (latency; more at low rates), starts, runs or rounds (secure). "
            "Less is faster and less certain. For one bench only.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File for the figures as JSON; - prints them.")
    ] = None,
    svg_file: Annotated[
        Path | None, typer.Option("--svg", help="File for the chart of the catch-up, if it is measured.")
    ] = None,
) -> None:
    """Measure on separate servers with made-up events. Compare only ratios within one run.

    If a bench fails, the earlier figures are shown all the same, and the command ends with 1.
    """
    try:
        from lab.bench.all import check_amount, run, selected
        from lab.bench.report import RunHead
    except ModuleNotFoundError as error:
        raise NoBenches(
            f"{error.name} is not installed: run `karya bench` in a checkout, after `make setup`."
        ) from None
    selected_names = selected(names or [])
    check_amount(selected_names, amount)
    head = RunHead.now(ROOT)
    results: list[BenchResult] = []
    try:
        with exclusive(FOLDER), terminable(), _progress(len(selected_names), results) as on_progress:
            asyncio.run(run(FOLDER, selected_names, amount, on_progress, results.append))
        shutil.rmtree(FOLDER, ignore_errors=True)
    finally:
        # Without results the figures of an earlier run are not overwritten.
        if results:
            show(head, results, json_file, svg_file)


@contextmanager
def _progress(count: int, results: "Sequence[BenchResult]") -> "Iterator[OnProgress]":
    """The present step and a bar over all benches; without a terminal a line for each step."""
    if not err.is_terminal:
        yield lambda text: err.print(text, highlight=False)
        return
    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=count)
        yield lambda text: progress.update(task, completed=len(results), description=text)


def show(head: "RunHead", results: "Sequence[BenchResult]", json_file: Path | None, svg_file: Path | None) -> None:
    """Show all figures as tables or JSON, write the requested files, and list the missed goals."""
    from lab.bench import chart
    from lab.bench.report import as_dict

    document = as_dict(head, results)
    if json_file is not None and str(json_file) == "-":
        show_json(document)
    else:
        if json_file is not None:
            json_file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        for result in results:
            _show_table(result)
    if svg_file is not None:
        if bars := chart.bars(document):
            svg_file.write_text(chart.svg(bars))
        else:
            warn(f"{svg_file} was not written: the chart shows the catch-up, and that was not measured.")
    missed = [f"{result.bench}, {figure.name}" for result in results for figure in result.figures if figure.missed]
    if missed:
        warn(f"Missed: {'; '.join(missed)}")


def _show_table(result: "BenchResult") -> None:
    title = result.bench if result.amount is None else f"{result.bench} ({thousands(result.amount)})"
    if result.machine is not None and result.machine.busy:
        title += ", on a busy machine"
    table = Table("figure", box=None, pad_edge=False, header_style="bold", title=title)
    table.title_justify = "left"
    table.add_column("value", justify="right")
    table.add_column("goal", justify="right")
    table.add_column("")
    for figure in result.figures:
        sign = "≤" if figure.at_most else "≥"
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
        style = "red" if figure.missed else None
        table.add_row(figure.name, figure.shown, goal, figure.verdict, style=style)
    show_grid(table)
    if result.note:
        say(result.note)
    if result.machine is not None:
        say(result.machine.sentence)
    say()
