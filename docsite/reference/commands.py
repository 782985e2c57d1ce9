"""The reference page of the command line, generated from the commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from cli import app
from cli.help_language import translate_framework

_INTRODUCTION = """# Command line

Generated from the code by `python -m docsite`; change the code, not this page.

`karya COMMAND --help` shows the same. In a pipe a table's row is one line with tabs. Exit code 1 comes with a
sentence that says what to do. Exit code 2 means a wrong option, and 130 means Ctrl-C.

`--json` writes one JSON document in place of text. A command that fails with it also writes one on stderr: problem
details by [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457). They have `title`, `detail`, `error` (the kind, for
programs) and `exit_code`, and where there are any `status`, `field`, `reason`, `warnings` and `errors`.

`karya --version` shows the version. `karya --install-completion` lets bash, zsh or fish complete commands and options
with the Tab key; `karya --show-completion` prints the script instead.
"""
# A parameter's kind can be queried only with a context, which does not influence the result.
_CONTEXT = typer.Context(TyperCommand("karya"))


def page() -> str:
    """The page as Markdown: a section for each command, in the order of `karya --help`."""
    translate_framework()
    root = get_command(app)
    context = typer.Context(root, info_name="karya")
    lines = [_INTRODUCTION, "| command | does |", "|---|---|"]
    commands = list(_commands(root, context))
    lines += [f"| [`{path}`](#{_anchor(path)}) | {_first(command)} |" for path, command in commands]
    for path, command in commands:
        lines += _section(path, command)
    return "\n".join(lines) + "\n"


def _commands(group: Any, context: typer.Context) -> Iterator[tuple[str, Any]]:
    """Every command below a group with its full name, and each group that has options."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        path = f"{context.info_name} {name}"
        is_group = hasattr(command, "list_commands")
        if not is_group or _shown(command):
            yield path, command
        if is_group:
            yield from _commands(command, typer.Context(command, info_name=path, parent=context))


def _section(path: str, command: Any) -> Iterator[str]:
    parameters = _shown(command)
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    options = ["[OPTIONS]"] if len(parameters) > len(arguments) else []
    subcommand = ["COMMAND ..."] if hasattr(command, "list_commands") else []
    yield ""
    yield f"## {path}"
    yield ""
    yield "\n\n".join(" ".join(paragraph.split()) for paragraph in _help(command).split("\n\n"))
    yield ""
    yield f"`{' '.join([path, *options, *(_value(argument) for argument in arguments), *subcommand])}`"
    if parameters:
        yield ""
        yield "| parameter | default | meaning |"
        yield "|---|---|---|"
        yield from (_row(parameter) for parameter in parameters)


def _shown(command: Any) -> list[Any]:
    """The visible parameters of the command. Parameters that the framework adds expose no value."""
    return [parameter for parameter in command.params if parameter.expose_value and not parameter.hidden]


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{_value(parameter)}`"
    else:
        value = "" if parameter.is_flag else f" {_value(parameter)}"
        names = ", ".join(f"`{option}{value}`" for option in [*parameter.opts, *parameter.secondary_opts])
    also = f" Also `{parameter.envvar}`." if parameter.envvar else ""
    return f"| {names} | {_default(parameter)} | {_cell((parameter.help or '') + _choices(parameter) + also)} |"


def _choices(parameter: Any) -> str:
    """A sentence with the allowed values of an argument, if there are few."""
    kind = str(parameter.display_type_rich(_CONTEXT)).strip("<>[]")
    return (
        f" One of `{kind.replace('|', '`, `')}`." if parameter.param_type_name == "argument" and "|" in kind else ""
    )


def _default(parameter: Any) -> str:
    default = parameter.default
    if parameter.required:
        return "required"
    if default in (None, False, "", [], ()) or callable(default):
        return ""
    # The user's folder differs between machines.
    return "`karya`'s folder" if isinstance(default, Path) else f"`{default}`"


def _value(parameter: Any) -> str:
    """The placeholder of the value: an argument's name, or an option's kind."""
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        more = "..." if parameter.nargs != 1 else ""
        return f"{name}{more}" if parameter.required else f"[{name}]{more}"
    return str(parameter.display_type_rich(_CONTEXT)).strip("<>").upper()


def _help(command: Any) -> str:
    return str(command.help or "")


def _first(command: Any) -> str:
    return _cell(_help(command).split("\n\n", 1)[0])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(title: str) -> str:
    """The anchor of a heading, as both the repository's viewer and the site make it."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
