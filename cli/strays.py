"""`karya strays`: sales at booths that do not exist, and publishing them for the right booth."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_json, show_table
from ops.strays import list_strays, move
from shared.settings import settings_for
from shared.shown import pluralize

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Sales at booths that do not exist: list them, move them."
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@app.command(name="list")
def list_booths(as_json: Json = False) -> None:
    """List booths that tills named and no festival has opened."""
    with exit_on_error():
        strays = asyncio.run(list_strays(settings_for("mongo")))
    if as_json:
        show_json([asdict(stray) for stray in strays])
        return
    rows = [asdict(stray) | {"tills": ", ".join(stray.tills), "moved to": stray.moved_to} for stray in strays]
    show_table(["booth", "tills", "records", "moved to", "unmoved"], rows, "No sale strayed.")


@app.command(name="move")
def move_booth(
    stray: Annotated[str, typer.Argument(help="The booth's name on the tills, e.g. f3.b1.")],
    booth: Annotated[str, typer.Argument(help="The booth that was meant, e.g. F3.B1.")],
    as_json: Json = False,
) -> None:
    """Publish the records of a stray booth for the right one. Safe to repeat, e.g. when more records came."""
    with exit_on_error():
        records = asyncio.run(move(settings_for("kafka", "mongo"), stray, booth))
    if as_json:
        show_json({"stray": stray, "booth": booth, "records": records})
        return
    say(f"{pluralize(records, 'record')} of {stray} published for {booth}. Set the till up for {booth} now.")
