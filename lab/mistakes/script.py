"""The season's text as steps, and their play through a function that runs one command line.

A line of the text begins with a mark:

    == TITLE          the next part of the story
    > WORDS           a command line of `karya` that must end with 0
    !N WORDS          one that must end with N (1 if N is left out)
    ~ WORDS           one that is repeated until it answers as it must
    * KEY VALUE       a record of a broken terminal: raw bytes under this key
      | FRAGMENT      must be in the answer of the line above, with one space for a tab of a table
      ! FRAGMENT      must not be in it
      + WORDS         runs before each repetition
      = NAME PATH     keeps a value of the answer as {NAME}: the line above is run with --json

`{today}` and `{today+3}` are days. `{NAME}` is a value that was kept, or that the caller gives.
"""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.2
_MARK = re.compile(r"(?P<mark>==|>|!(?P<code>\d*)|~|\*|#|  [|!+=]) (?P<rest>.+)")
_FIELD = re.compile(r"\{(?P<name>[a-z0-9_]+)(?P<days>[+-]\d+)?\}")


class BadScript(Exception):
    """The text of a season is not in its form, or names a value that no step kept."""


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """A line of the season with what must follow. `words` have fields that are not filled yet."""

    line: int
    words: tuple[str, ...]
    exit_code: int = 0
    patient: bool = False
    broken_record: bool = False
    fragments: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    keeps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """Steps under one title."""

    title: str
    steps: tuple[ScriptStep, ...]


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """The output of a command line on both streams, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str = ""

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


@dataclass(frozen=True, slots=True)
class Outcome:
    """A played step. `words` are those that were typed. `faults`: each difference from the script."""

    words: tuple[str, ...]
    answer: CommandAnswer
    kept: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    fragments: tuple[str, ...] = ()

    @property
    def heard(self) -> str:
        """One line of the answer: that of an expected fragment, else a sentence that refuses, else the first one."""
        if self.kept:
            return ", ".join(f"{name} = {value}" for name, value in self.kept.items())
        lines = [line for line in self.answer.text.splitlines() if line.strip()]
        chosen = [
            *(line for line in lines if any(fragment in spaced(line) for fragment in self.fragments)),
            *(line for line in self.answer.stderr.splitlines() if self.answer.exit_code == 1 and line.strip()),
            # A row of a table has tabs.
            *(line for line in lines if "\t" not in line),
            *lines,
        ]
        return spaced(chosen[0]) if chosen else ""


Run = Callable[[Sequence[str]], CommandAnswer]


def read(text: str) -> list[ScriptPart]:
    """The parts of a season. Raises BadScript."""
    parts: list[ScriptPart] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _MARK.fullmatch(line)
        if match is None:
            raise BadScript(f"line {number} begins with no mark")
        mark, content = match["mark"], match["rest"]
        if mark == "==":
            parts.append(ScriptPart(content, ()))
            continue
        if mark == "#":
            continue
        if not parts:
            raise BadScript(f"line {number} stands before the first title")
        *earlier_steps, last = parts[-1].steps or (None,)
        if mark.startswith(" "):
            if last is None:
                raise BadScript(f"line {number} follows no command")
            parts[-1] = replace(parts[-1], steps=(*earlier_steps, _more(last, mark, content)))
        else:
            parts[-1] = replace(parts[-1], steps=(*parts[-1].steps, _step(number, mark, match["code"], content)))
    return parts


def play(
    step: ScriptStep, values: Mapping[str, str], today: date, run: Run, *, patience: float = PATIENCE_SECONDS
) -> Outcome:
    """The outcome of one step. Raises BadScript for a field without a value."""
    words = tuple(fill(word, values, today) for word in step.words)
    end = time.monotonic() + patience
    while True:
        outcome = _once(step, words, values, today, run)
        if not (step.patient and outcome.faults) or time.monotonic() > end:
            return outcome
        time.sleep(PAUSE_SECONDS)
        if step.again:
            run(tuple(fill(word, values, today) for word in step.again))


def fill(text: str, values: Mapping[str, str], today: date) -> str:
    """The text with its fields filled. Raises BadScript for a field without a value."""

    def value(match: re.Match[str]) -> str:
        if match["name"] == "today":
            return (today + timedelta(days=int(match["days"] or 0))).isoformat()
        if match["days"] or match["name"] not in values:
            raise BadScript(f"{match[0]} has no value: the step that keeps it went wrong")
        return values[match["name"]]

    return _FIELD.sub(value, text)


def spaced(text: str) -> str:
    """The text in one line, with one space for each run of blanks."""
    return " ".join(text.split())


def _step(number: int, mark: str, code: str | None, content: str) -> ScriptStep:
    if mark == "*":
        key, _, value = content.partition(" ")
        return ScriptStep(number, (key, value), broken_record=True)
    return ScriptStep(
        number, tuple(shlex.split(content)), exit_code=int(code or 1) if mark[0] == "!" else 0, patient=mark == "~"
    )


def _more(step: ScriptStep, mark: str, content: str) -> ScriptStep:
    match mark.strip():
        case "|":
            return replace(step, fragments=(*step.fragments, content))
        case "!":
            return replace(step, absent=(*step.absent, content))
        case "+":
            return replace(step, again=tuple(shlex.split(content)))
        case _:
            name, _, path = content.partition(" ")
            return replace(step, keeps=(*step.keeps, (name, path)))


def _once(step: ScriptStep, words: tuple[str, ...], values: Mapping[str, str], today: date, run: Run) -> Outcome:
    words = (*words, "--json") if step.keeps else words
    answer = run(words)
    fragments = tuple(fill(fragment, values, today) for fragment in step.fragments)
    text = spaced(answer.text)
    faults = [f"{fragment!r} is not in the answer" for fragment in fragments if fragment not in text]
    faults += [f"{fragment!r} is in the answer" for fragment in step.absent if fragment in text]
    if answer.exit_code != step.exit_code:
        faults.append(f"it ended with {answer.exit_code}, not with {step.exit_code}")
    new_values = {}
    for name, path in step.keeps:
        try:
            new_values[name] = str(_value(json.loads(answer.stdout), path.split(".")))
        except (ValueError, LookupError, TypeError):
            faults.append(f"the answer has no {path}")
    return Outcome(words, answer, new_values, tuple(faults), fragments)


def _value(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def steps_of(parts: Sequence[ScriptPart]) -> Iterator[ScriptStep]:
    """All steps in their order."""
    for part in parts:
        yield from part.steps
