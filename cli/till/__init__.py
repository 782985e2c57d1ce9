"""`karya till`: sell at a booth, with or without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.console import exit_on_error
from cli.enrol import enrol_command
from cli.groups import CommandGroup
from cli.records_file import export_command, import_command
from cli.spool import spool_commands
from cli.till import booth, cash, receipts, unsent
from cli.till.session import HOME, TillOptions
from edge.spool import Owner, Spool
from edge.till.till import owner

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    help="A booth's till: sell, void, count, close; sync when online.",
)


@app.callback()
def choose(
    context: typer.Context,
    booth: Annotated[str, typer.Option(envvar="KARYA_BOOTH", help="The booth, e.g. ODOP.B07.")],
    till: Annotated[str, typer.Option(envvar="KARYA_TILL", help="This till's name at the booth.")] = "T1",
    spool_dir: Annotated[
        Path, typer.Option(envvar="KARYA_SPOOL_DIR", help="Folder for this device's records.")
    ] = HOME,
    zone: Annotated[
        str | None, typer.Option(envvar="KARYA_ZONE", help="Time zone of the output; the festival's if left out.")
    ] = None,
) -> None:
    context.obj = TillOptions(spool_dir, booth.strip(), till.strip(), zone)


def _owner(context: typer.Context) -> Owner:
    options: TillOptions = context.obj
    return owner(options.folder, options.booth, options.name)


@contextmanager
def _spool(context: typer.Context) -> Iterator[Spool]:
    with exit_on_error(), Spool(_owner(context)) as spool:
        yield spool


for command in (
    receipts.sell,
    receipts.void,
    booth.count,
    booth.close,
    booth.sync,
    booth.stock,
    booth.catalogue,
    cash.day,
    unsent.edit,
    unsent.remove,
):
    app.command()(command)
app.command(name="enrol")(enrol_command(_spool))
app.command(name="export")(export_command(_spool))
app.command(name="import")(import_command(_spool))
app.command(name="list")(booth.list_records)
app.add_typer(cash.drawer, name="drawer")
app.add_typer(spool_commands(_owner), name="spool")
