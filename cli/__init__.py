"""`karya`: the command line. Each group of commands is a module."""

import logging
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.console import err, show_error, warn
from cli.help_language import split_language, translate_framework, translate_help
from cli.local_stack import use_local_stack
from cli.problems import INTERRUPTED, json_wanted, refused_by_system, run_with_problems, with_flag_at_command
from shared.errors import KaryaError
from shared.translation import language, tr, use_language

# Imported on demand: a terminal on a slow machine must not wait for the imports of a service.
_GROUPS = {
    "up": "cli.stack:up",
    "down": "cli.stack:down",
    "status": "cli.stack:status",
    "logs": "cli.stack:logs",
    "restart": "cli.stack:restart",
    "rotate": "cli.rotate:rotate",
    "login": "cli.sign_in:login",
    "logout": "cli.sign_in:logout",
    "whoami": "cli.sign_in:whoami",
    "token": "cli.sign_in:token",
    "accounts": "cli.accounts:app",
    "devices": "cli.devices:app",
    "held": "cli.held:app",
    "topics": "cli.topics:topics",
    "demo": "cli.demo:demo",
    "simulate": "cli.demo:simulate",
    "verify": "cli.verify:verify",
    "trace": "cli.trace:trace",
    "audit": "cli.audit:audit",
    "rebuild": "cli.rebuild:rebuild",
    "chaos": "cli.chaos:chaos",
    "bench": "cli.bench:bench",
    "dlq": "cli.dlq:app",
    "strays": "cli.strays:app",
    "catalogue": "cli.catalogue:app",
    "festival": "cli.festival:app",
    "sales": "cli.books:sales",
    "settlement": "cli.books:settlement",
    "terminal": "cli.terminal:app",
    "till": "cli.till:app",
}

# Only in a checkout, neither in the wheel nor in the image.
_LABORATORY = frozenset({"demo", "simulate", "chaos", "bench"})
_LOCAL_STACK = frozenset({"up", "down", "status", "logs", "restart", "rotate"})

NOT_HERE = 2


class _Lazy(TyperGroup):
    """A group whose commands are imported on demand, in the reader's language."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        arguments = sys.argv[1:] if args is None else args
        if not json_wanted(arguments):
            return super().main(self._prepared(arguments), *rest, **options)
        # Without its own errors, which are text.
        options["standalone_mode"] = False
        code = run_with_problems(lambda: super(_Lazy, self).main(self._prepared(arguments), *rest, **options))
        sys.exit(code)

    def _prepared(self, arguments: Sequence[str]) -> list[str]:
        """The arguments for the framework, which then writes in the reader's language. Raises UnknownLanguage."""
        command_line, chosen = split_language(arguments)
        if chosen is not None:
            use_language(chosen)
        language()  # an unknown one is refused before anything else
        _silence_libraries()
        translate_framework()
        translate_help(self)
        return with_flag_at_command(command_line)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's own signature
        return list(_GROUPS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        path = _GROUPS.get(cmd_name)
        if path is None:
            return None
        if (room := _missing(cmd_name)) is not None:
            return _stand_in(cmd_name, room)
        module, _, name = path.partition(":")
        target = getattr(import_module(module), name)
        if not isinstance(target, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command(name=cmd_name)(target)
            target = single
        command = get_command(target)
        command.name = cmd_name
        translate_help(command)
        return command


@cache
def _silence_libraries() -> None:
    """Keep the log lines of libraries off the screen. A command says itself what went wrong."""
    logging.getLogger().addHandler(logging.NullHandler())


def _missing(name: str) -> str | None:
    """The part that the command needs and that is not installed; None if it can run."""
    if name in _LABORATORY and find_spec("lab") is None:
        return "the laboratory"
    if name in _LABORATORY | _LOCAL_STACK and find_spec("psutil") is None:
        return "the local stack"
    return None


def _stand_in(name: str, room: str) -> Any:
    """A command that says how to install the missing part. It ends with 2, whatever its arguments are."""
    stand_in = typer.Typer(add_completion=False)

    @stand_in.command(
        name=name,
        help=tr("Belongs to {room:word}, which is not installed here.", room=room),
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def refuse() -> None:
        warn(
            tr(
                "`karya {name}` belongs to {room:word}, which comes with the source and not with the package: "
                "please clone the repository and run `make setup`.",
                name=name,
                room=room,
            )
        )
        raise typer.Exit(NOT_HERE)

    command = get_command(stand_in)
    command.name = name
    return command


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Karya: from a facility's workshop to a festival booth.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"karya {metadata.version('karya')}")
        raise typer.Exit


@app.callback()
def _karya(
    lang: Annotated[
        str | None,
        typer.Option(metavar="id|en", help="The language: id or en. Also KARYA_LANG; else that of the locale."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same as --json behind the command. Errors are JSON too, on stderr.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Karya: from a facility's workshop to a festival booth."""


def main() -> None:
    """Run the command line. An error that a person can correct ends it with 1 and a sentence, Ctrl-C with 130."""
    use_local_stack()
    try:
        app()
    except KaryaError as error:
        show_error(error)
        sys.exit(1)
    except OSError as error:
        show_error(refused_by_system(error))
        sys.exit(1)
    except KeyboardInterrupt:
        err.print(tr("Stopped."))
        sys.exit(INTERRUPTED)
