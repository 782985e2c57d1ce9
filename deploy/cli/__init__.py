"""`karya`: one command for all that people do with Karya. Each group lies in a module of its own."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from deploy.cli import surroundings
from shared.console import complain, err
from shared.errors import KaryaError

# Loaded only when asked for: a terminal on a slow machine should not wait for what a service needs.
_GROUPS = {
    "up": "deploy.cli.stack:up",
    "down": "deploy.cli.stack:down",
    "status": "deploy.cli.stack:status",
    "topics": "deploy.cli.topics:topics",
    "demo": "deploy.cli.demo:demo",
    "simulate": "deploy.cli.demo:simulate",
    "verify": "deploy.cli.verify:verify",
    "trace": "deploy.cli.trace:trace",
    "rebuild": "deploy.cli.rebuild:rebuild",
    "chaos": "deploy.cli.chaos:chaos",
    "bench": "deploy.cli.bench:bench",
    "dlq": "deploy.cli.dlq:app",
    "strays": "deploy.cli.strays:app",
    "festival": "deploy.cli.festival:app",
    "terminal": "services.terminal.cli:app",
    "till": "services.till.cli:app",
}


class _Lazy(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's own signature
        return list(_GROUPS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        place = _GROUPS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer()
            single.command(name=cmd_name)(found)
            found = single
        command = get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Karya: from a facility's workshop to a festival booth.",
)


@app.callback()
def _karya() -> None:
    """Karya: from a facility's workshop to a festival booth."""


def main() -> None:
    """Run the command line. Ends with 1 and a sentence for what a person can mend, 130 after Ctrl-C."""
    surroundings.adopt()
    try:
        app()
    except KaryaError as error:
        complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)
