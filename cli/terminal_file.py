"""`karya terminal record --file`: many lots from a file or standard input."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import say, show_json, show_table, warn
from cli.files import content_of
from cli.problems import NOT_VALID, add_problem
from cli.terminal_session import open_terminal, today
from edge.spool import SpooledRecord
from edge.terminal.made_file import MadeFile, MadeLine, read_file, refused_text
from edge.terminal.terminal import Terminal
from shared.causes import cause_of
from shared.errors import WrongEntry
from shared.translation import tr, translated
from shared.wording import Message

File = Annotated[
    str | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="A table of lots (CSV; columns product, qty, made_on, best_before, maker); - for standard input.",
    ),
]
Each = Annotated[
    bool, typer.Option("--each", help="Of a file: record the good lines. Without it, all lines or none are recorded.")
]
Refused = Annotated[
    Path | None,
    typer.Option(help="Where the refused lines of a file go, with reasons; FILE.refused.csv if left out."),
]
DayFirst = Annotated[
    bool, typer.Option("--day-first", help="In a file, 03/04/2026 is the third of April, on every line.")
]
_MOST_SHOWN = 20


def record_file(
    context: typer.Context,
    file: str,
    *,
    each: bool,
    refused: Path | None,
    day_first: bool,
    unlisted: bool,
    as_json: bool,
) -> None:
    """Record the lines of a file. Refused lines are written to a file with their reasons, and end the command with
    1."""
    now = datetime.now(UTC)
    with open_terminal(context) as terminal:
        lines = read_file(content_of(file), today(context, now), day_first=day_first)
        made = _checked(terminal, lines, unlisted=unlisted)
        wrong = [line for line in made.lines if line.refusal is not None]
        target = refused or _target(file)
        if wrong:
            _write(target, refused_text(made, wrong))
        entries = [line.entry for line in made.lines if line.entry is not None and line.refusal is None]
        records = terminal.record_all(entries, at=now, unlisted=unlisted) if entries and (each or not wrong) else []
        unsent = terminal.counts().pending
    if as_json:
        show_json(
            {
                "recorded": len(records),
                "first_record": records[0].number if records else None,
                "last_record": records[-1].number if records else None,
                "refused": [_refusal(line) for line in wrong],
                "refused_file": str(target) if wrong else None,
                "to_send": unsent,
            }
        )
        for line in wrong:
            add_problem(
                tr("The command was refused"),
                translated(line.refusal or ""),
                error="Refused",
                reason=NOT_VALID,
                line=line.number,
            )
    else:
        _show(records, wrong, len(made.lines), target, unsent, each=each)
    if wrong:
        raise typer.Exit(1)


def _refusal(line: MadeLine) -> dict[str, Any]:
    """The refused line as JSON, with the fields of a refused command."""
    message = line.refusal or Message("")
    return {
        "line": line.number,
        "status": "refused",
        "reason": NOT_VALID,
        "message": message.english,
        "template": message.template,
        "values": message.plain_values,
    }


def _checked(terminal: Terminal, file: MadeFile, *, unlisted: bool) -> MadeFile:
    """The file with the refusals of the terminal, which knows more than a table does."""
    refusals = iter(terminal.refusals([line.entry for line in file.lines if line.entry], unlisted=unlisted))
    lines = tuple(
        MadeLine(line.number, line.cells, line.entry, next(refusals)) if line.entry else line for line in file.lines
    )
    return MadeFile(file.header, file.divider, lines)


def _target(file: str) -> Path:
    """A new file beside the read one: an earlier one may be in somebody's hands."""
    first = Path("refused.csv") if file == "-" else Path(file).with_suffix(".refused.csv")
    alternatives = (first.with_suffix(f".{number}.csv") for number in count(2))
    return next(target for target in chain([first], alternatives) if not target.exists())


def _write(target: Path, text: str) -> None:
    try:
        target.touch(mode=0o600, exist_ok=False)
        try:
            # With the mark by which spreadsheets know UTF-8.
            target.write_text(text, encoding="utf-8-sig", newline="")
        except BaseException:
            # An incomplete file would look like a complete one.
            target.unlink()
            raise
    except FileExistsError:
        raise WrongEntry(
            Message(
                "{file} exists already. Nothing was recorded; name another file with --refused.", file=str(target)
            )
        ) from None
    except OSError as error:
        raise WrongEntry(
            Message(
                "{file} can't be written: {reason}. Nothing was recorded.", file=str(target), reason=cause_of(error)
            )
        ) from None


def _show(
    records: Sequence[SpooledRecord], wrong: Sequence[MadeLine], lines: int, target: Path, unsent: int, *, each: bool
) -> None:
    if records:
        say(
            tr(
                "{lots:lot|lots} kept as records {first} to {last}. {unsent} to send.",
                lots=len(records),
                first=records[0].number,
                last=records[-1].number,
                unsent=unsent,
            )
        )
    if not wrong:
        if not lines:
            say(tr("The file has no lines below the first. Nothing was recorded."))
        return
    rows = [{"line": line.number, "reason": translated(line.refusal or "")} for line in wrong[:_MOST_SHOWN]]
    show_table(["line", "reason"], rows, "")
    if each:
        warn(
            tr(
                "Refused: {refused} of {lines:line|lines}. {file} has each with its reason: mend it there and record "
                "that file.",
                refused=len(wrong),
                lines=lines,
                file=str(target),
            )
        )
        return
    warn(
        tr(
            "Nothing was recorded. Refused: {refused} of {lines:line|lines} ({file} has each with its reason). "
            "Mend the file and record it again, or record its good lines with --each.",
            refused=len(wrong),
            lines=lines,
            file=str(target),
        )
    )
