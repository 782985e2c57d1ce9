"""Failures of commands as problem details (RFC 9457): with `--json`, stderr has exactly one JSON document.

`status` is that of an HTTP answer, if there was one. `error` names the kind for programs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import typer
from typer import Abort
from typer._click.exceptions import ClickException

from shared.causes import cause_of
from shared.errors import KaryaError, SystemRefused, UnknownLanguage
from shared.translation import Language, tr, translated, use_language
from shared.visible import visible, visible_json
from shared.wording import Message

FLAG = "--json"
NOT_VALID = "not_valid"  # the reason of a refusal that no rule of a service gave
INTERRUPTED = 130

Problem = dict[str, Any]


@dataclass(slots=True)
class _Stderr:
    """The messages of one command with `--json` for stderr."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


_runs: list[_Stderr] = []


def json_wanted(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for JSON: `--json` stands before `--`, with or without a file."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return any(option == FLAG or option.startswith(f"{FLAG}=") for option in options)


def with_flag_at_command(arguments: Sequence[str]) -> list[str]:
    """The arguments with a `--json` that stands before the command behind its other arguments, where it belongs."""
    start = next((at for at, argument in enumerate(arguments) if not argument.startswith("-")), len(arguments))
    leading, command_line = [argument for argument in arguments[:start] if argument != FLAG], list(arguments[start:])
    if len(leading) == start or not command_line:
        return list(arguments)
    if FLAG in command_line:
        return [*leading, *command_line]
    end = command_line.index("--") if "--" in command_line else len(command_line)
    return [*leading, *command_line[:end], FLAG, *command_line[end:]]


def run_with_problems(command: Callable[[], Any]) -> int:
    """Run the command, and return its exit code. A failure prints one problem, with the warnings in it.

    `command` raises the framework's exceptions, or returns its exit code.
    """
    run = _Stderr()
    _runs.append(run)
    try:
        code = _code_of(command)
    finally:
        _runs.remove(run)
    if code == 0:
        for warning in run.warnings:
            typer.echo(warning, err=True)
    else:
        _print(_document(run, code))
    return code


def add_problem(title: str, detail: str, **members: Any) -> bool:
    """Keep a problem for stderr. False if nobody asked for JSON: then it is for the caller to show it."""
    if not _runs:
        return False
    extensions = {name: value for name, value in members.items() if value is not None}
    _runs[-1].problems.append(
        {"type": "about:blank", "title": title, "detail": visible(detail, keep="\n"), **extensions}
    )
    return True


def add_error(error: KaryaError) -> bool:
    """Keep the error for stderr. False if nobody asked for JSON."""
    # A title needs a known language.
    return bool(_runs) and add_problem(
        tr("The command can't be carried out"),
        translated(error.message),
        error=type(error).__name__,
        status=getattr(error, "status", None),
        field=getattr(error, "field", None),
        reason=getattr(error, "reason", None),
    )


def refused_by_system(error: OSError) -> SystemRefused:
    """The error of the operating system, in a sentence, for one that no command expects."""
    reason = cause_of(error)
    if error.filename is None:
        return SystemRefused(Message("The computer can't do this: {reason}.", reason=reason))
    return SystemRefused(Message("{file}: {reason}.", file=str(error.filename), reason=reason))


def add_warning(message: str) -> bool:
    """Keep the warning for stderr. False if nobody asked for JSON."""
    if _runs:
        _runs[-1].warnings.append(message)
    return bool(_runs)


def _code_of(command: Callable[[], Any]) -> int:
    try:
        code = command()
    except ClickException as error:
        option = getattr(error, "param", None)
        add_problem(
            tr("The command can't be understood"),
            error.format_message(),
            error=type(error).__name__,
            field=getattr(option, "name", None) or getattr(error, "option_name", None),
        )
        return error.exit_code
    except Abort:
        add_problem(tr("The command was stopped"), tr("Stopped."), error="Abort")
        return 1
    except KaryaError as error:
        if isinstance(error, UnknownLanguage):
            use_language(Language.ENGLISH)
        add_error(error)
        return 1
    except OSError as error:
        add_error(refused_by_system(error))
        return 1
    if code == INTERRUPTED:
        add_problem(tr("The command was stopped"), tr("Stopped."), error="Interrupted")
    return code if isinstance(code, int) else 0


def _document(run: _Stderr, code: int) -> Problem:
    if not run.problems:
        # The command's own document, on standard output, says what is wrong.
        detail = " ".join(run.warnings) or tr("The document on standard output says what is wrong.")
        title = tr("The command has found something wrong")
        return {"type": "about:blank", "title": title, "detail": detail, "exit_code": code}
    document = dict(run.problems[0])
    if len(run.problems) > 1:
        document |= {"detail": " ".join(problem["detail"] for problem in run.problems), "errors": run.problems}
    if run.warnings:
        document["warnings"] = run.warnings
    return {**document, "exit_code": code}


def _print(problem: Problem) -> None:
    typer.echo(visible_json(json.dumps(problem, ensure_ascii=False, indent=2, default=str)), err=True)
