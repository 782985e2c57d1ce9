"""`karya catalogue`: facilities, products and what belongs to them, as staff keep them."""

from collections.abc import Callable

import typer

from cli.catalogue.bulk import import_entries
from cli.catalogue.changes import (
    retire,
    set_category,
    set_facility,
    set_island,
    set_lead_time,
    set_product,
    set_unit,
)
from cli.catalogue.pages import history, list_entries, show, waiting
from cli.catalogue.session import choose
from cli.catalogue.sowing import seed

app = typer.Typer(no_args_is_help=True, help="The catalogue: facilities, products and more; over HTTP.")
app.callback()(choose)
COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_entries,
    "show": show,
    "history": history,
    "set-product": set_product,
    "set-facility": set_facility,
    "set-category": set_category,
    "set-unit": set_unit,
    "set-island": set_island,
    "set-lead-time": set_lead_time,
    "retire": retire,
    "import": import_entries,
    "waiting": waiting,
    "seed": seed,
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)
