"""`karya strays`: sales at booths that do not exist, from the database of sales."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_json, show_table
from ops.strays import list_strays
from shared.settings import settings_for
from shared.translation import tr

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Sales at booths that do not exist: list them.")

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@app.callback()
def strays() -> None:
    """Keep `list` a command of its own."""


@app.command(name="list")
def list_booths(as_json: Json = False) -> None:
    """List booths that tills named and no festival has opened."""
    with exit_on_error():
        strays = asyncio.run(list_strays(settings_for("mongo")))
    if as_json:
        show_json([asdict(stray) for stray in strays])
        return
    rows = [asdict(stray) | {"tills": ", ".join(stray.tills), "moved to": stray.moved_to} for stray in strays]
    show_table(["booth", "tills", "records", "moved to", "unmoved"], rows, tr("No sale strayed."))
    if any(stray.unmoved for stray in strays):
        say(tr("`karya festival move-stray FESTIVAL STRAY BOOTH` lets them count at the right booth."))
