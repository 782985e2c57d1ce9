"""Help and refusals of the framework in the reader's language.

The framework writes its own sentences in English and mostly without gettext. They are recognised by these templates.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from typer import _click, _coercion, _param_types, core
from typer._click import core as click_core
from typer._click import exceptions, formatting, termui

from shared.translation import Language, language_named, template_of, translated
from shared.wording import Message

_FORMATS = {
    "DEPRECATED_STRING": "(deprecated) ",
    "DEFAULT_STRING": "[default: {}]",
    "ENVVAR_STRING": "[variable: {}]",
    "REQUIRED_LONG_STRING": "[required]",
    "ARGUMENTS_PANEL_TITLE": "Arguments",
    "OPTIONS_PANEL_TITLE": "Options",
    "COMMANDS_PANEL_TITLE": "Commands",
    "ERRORS_PANEL_TITLE": "Error",
    "ABORTED_TEXT": "Aborted.",
    "RICH_HELP": "Try [blue]'{command_path} {help_option}'[/] for help.",
}
_RICH_UTILS = "typer.rich_utils"
_USAGE = "Usage: "
_OWN_GETTEXT = (
    "(dynamic)",
    "Aborted!",
    "default: {default}",
    "required",
    "env var: {var}",
    "Missing command.",
    "No such command {name!r}.",
)
_OPTIONS, _COMMAND = "[OPTIONS]", "COMMAND [ARGS]..."
# The framework shows names of Python's types. None: a switch, which takes no value.
_KINDS: Mapping[str, str | None] = {
    "str": "<text>",
    "int": "<number>",
    "float": "<number>",
    "path": "<path>",
    "file": "<path>",
    "directory": "<path>",
    "date": "<day>",
    "bool": None,
}
_SENTENCES = (
    "Show this message and exit.",
    "Invalid value: {reason}",
    "Invalid value for {hint}: {reason}",
    "Missing argument {hint}.",
    "Missing option {hint}.",
    "Missing argument {hint}. Choose from:{choices}",
    "Missing option {hint}. Choose from:{choices}",
    "No such option: {option} (Possible options: {options})",
    "No such option: {option}",
    "Got unexpected extra argument(s) ({arguments})",
    "Option {option} does not take a value.",
    "Option {option} requires an argument.",
    "Option {option} requires {count} arguments.",
    "Argument {argument} takes {count} values.",
    "Value {value} is not a valid {kind}.",
    "{value} is not one of {choices}.",
    "{kind} {path} does not exist.",
    "{kind} {path} is a file.",
    "{kind} {path} is a directory.",
    "{kind} {path} is not readable.",
    "{kind} {path} is not writable.",
    "{sentence} Did you mean {names}?",
    "Error: The value you entered was invalid.",
    "Error: {reason}",
    "{shell} completion installed in {path}",
    "Completion will take effect once you restart the terminal",
    "Shell {shell} not supported.",
    "Shell {shell} is not supported.",
)
# Ours, in place of the framework's.
_INSTEAD = {"{hint} (env var: {names})": "{hint} (variable: {names})"}
FRAMEWORK_TEXTS = (
    *_FORMATS.values(),
    _USAGE,
    *(_OPTIONS, _COMMAND),
    *(kind for kind in _KINDS.values() if kind is not None),
    *_OWN_GETTEXT,
    *_SENTENCES,
    *_INSTEAD.values(),
)


def split_language(arguments: Sequence[str]) -> tuple[list[str], Language | None]:
    """The arguments without `--lang`, which may stand anywhere before `--`, and its language. Raises UnknownLanguage.

    The language must be known before help texts are shown, hence before the framework reads the arguments.
    """
    command_line: list[str] = []
    chosen: Language | None = None
    remainder = iter(arguments)
    for argument in remainder:
        if argument == "--":
            command_line += [argument, *remainder]
        elif argument.startswith("--lang="):
            chosen = language_named(argument.removeprefix("--lang="))
        elif argument == "--lang":
            chosen = language_named(next(remainder, ""))
        else:
            command_line.append(argument)
    return command_line, chosen


def paragraphs(help: str) -> list[str]:
    """The paragraphs of a help text, each in one line."""
    return [" ".join(paragraph.split()) for paragraph in help.split("\n\n")]


def translate_help(command: Any) -> None:
    """Put the command's help, and that of its parameters and commands, into the reader's language."""
    if command.help:
        command.help = "\n\n".join(map(_sentence, paragraphs(command.help)))
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = "\n\n".join(map(_sentence, paragraphs(parameter.help)))
    command.options_metavar = _sentence(command.options_metavar or "")
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = _sentence(command.subcommand_metavar)
    for below in getattr(command, "commands", {}).values():
        translate_help(below)


@cache
def translate_framework() -> None:
    """Let the framework write in the reader's language, whatever it is then."""
    core._ = _sentence  # type: ignore[assignment, attr-defined]
    _coercion.get_error_msg = _fault  # type: ignore[assignment, attr-defined]
    _param_types.get_error_msg = _fault  # type: ignore[assignment, attr-defined]
    for kind in (
        exceptions.ClickException,
        exceptions.BadParameter,
        exceptions.MissingParameter,
        exceptions.NoSuchOption,
    ):
        kind.format_message = _spoken(kind.format_message)  # type: ignore[assignment, method-assign]
    _click.echo = _in_language(_click.echo)
    termui.echo = _in_language(termui.echo)  # type: ignore[attr-defined]
    for parameter in (core.TyperArgument, core.TyperOption):
        parameter.display_type_rich = _with_kind(parameter.display_type_rich)  # type: ignore[method-assign]
    formatting.HelpFormatter.write_usage = _with_prefix(formatting.HelpFormatter.write_usage)  # type: ignore[method-assign]
    click_core.Command.get_help_option = _with_help(click_core.Command.get_help_option)  # type: ignore[method-assign]
    typer.rich_utils = _RichUtils(_RICH_UTILS)  # type: ignore[attr-defined]


def framework_text(text: str) -> str:
    """A sentence of the framework in the reader's language. An unknown one stays as it is."""
    for pattern, template in _patterns():
        if match := pattern.fullmatch(text):
            values = {name: framework_text(value) for name, value in match.groupdict().items()}
            return translated(Message(_INSTEAD.get(template, template), **values))
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    patterns = []
    for template in (*_INSTEAD, *_SENTENCES):
        parts = re.split(r"\{(\w+)\}", template)
        expression = "".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        patterns.append((re.compile(expression, re.DOTALL), template))
    return patterns


def _sentence(text: str) -> str:
    """The text in the reader's language, with its fields as they are."""
    return template_of(text)


def _fault(error: Any) -> str:
    # Imported on demand: models are not needed by help and refusals of options.
    from shared.faults import fault_message

    detail = error.errors(include_url=False)[0]
    # The framework's own checks are errors of values too, with its own sentences.
    sentence = str(detail.get("ctx", {}).get("error", ""))
    if any(pattern.fullmatch(sentence) for pattern, _ in _patterns()):
        return framework_text(sentence)
    return translated(fault_message(detail))


def _spoken(format_message: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda error: framework_text(format_message(error))


def _in_language(echo: Callable[..., None]) -> Callable[..., None]:
    def translate(message: Any = None, *arguments: Any, **options: Any) -> None:
        echo(framework_text(message) if isinstance(message, str) else message, *arguments, **options)

    return translate


def _with_kind(display_type: Callable[..., str | None]) -> Callable[..., str | None]:
    def translate(parameter: Any, ctx: Any) -> str | None:
        shown = display_type(parameter, ctx)
        name = (shown or "").removeprefix("<").removesuffix(">").removeprefix("list[").removesuffix("]")
        kind = _KINDS.get(name, shown)
        return _sentence(kind) if kind is not None else None

    return translate


def _with_prefix(write_usage: Callable[..., None]) -> Callable[..., None]:
    return lambda formatter, prog, args="", prefix=None: write_usage(
        formatter, prog, args, prefix or _sentence(_USAGE)
    )


def _with_help(get_help_option: Callable[..., Any]) -> Callable[..., Any]:
    def translate(command: Any, context: Any) -> Any:
        option = get_help_option(command, context)
        if option is not None:
            option.help = _sentence("Show this message and exit.")
        return option

    return translate


class _RichUtils(ModuleType):
    """The framework's module of help and errors, until it is used: its imports take longer than most commands."""

    def __getattr__(self, name: str) -> Any:
        module: Any = import_module(_RICH_UTILS)
        module.rich_format_help = _with_titles(module, module.rich_format_help)
        module.rich_format_error = _with_titles(module, module.rich_format_error)
        module.rich_abort_error = _with_titles(module, module.rich_abort_error)
        typer.rich_utils = module  # type: ignore[attr-defined]
        return getattr(module, name)


def _with_titles(rich_utils: Any, show: Callable[..., Any]) -> Callable[..., Any]:
    def translate(*arguments: Any, **options: Any) -> Any:
        for name, text in _FORMATS.items():
            setattr(rich_utils, name, _sentence(text))
        return show(*arguments, **options)

    return translate
