"""`karya logs`: the end of a log, and what is written later, in whole lines."""

import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli import app, stack
from cli.log_lines import log_entry, log_lines

pytestmark = pytest.mark.unit


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "server.log"
    path.write_bytes(b"one\ntwo\nthree\n")
    return path


def append(log: Path, text: bytes) -> None:
    with log.open("ab") as file:
        file.write(text)


@pytest.mark.parametrize(("last", "lines"), [(0, []), (2, ["two", "three"]), (9, ["one", "two", "three"])])
def test_the_last_lines_are_shown(log: Path, last: int, lines: list[str]) -> None:
    assert list(log_lines(log, last=last, follow=False)) == lines


def test_a_line_without_its_end_is_shown_at_the_end(log: Path) -> None:
    append(log, b"fo\xffur")
    assert list(log_lines(log, last=2, follow=False)) == ["three", "fo�ur"]


def test_following_gives_later_lines_whole(log: Path) -> None:
    append(log, b"fo")
    lines = log_lines(log, last=2, follow=True)
    assert next(lines) == "three"
    append(log, b"ur\nfive\n")
    assert list(islice(lines, 2)) == ["four", "five"]


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(log: Path) -> None:
    lines = log_lines(log, last=1, follow=True)
    assert next(lines) == "three"
    append(log, b"four\n")
    assert next(lines) == "four"
    log.write_bytes(b"new\n")
    assert next(lines) == "new"


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ('{"event": "started", "service": "sales", "level": "info"}', {"event": "started", "level": "info"}),
        ('{"event": "started", "service": "another"}', {"event": "started"}),
        ("[2026-04-18] INFO started (kafka.server)", {"event": "[2026-04-18] INFO started (kafka.server)"}),
        ("17", {"event": "17"}),
        ('{"event": ', {"event": '{"event": '}),
        ("", {"event": ""}),
    ],
)
def test_a_line_is_an_object_with_its_service(line: str, entry: dict[str, str]) -> None:
    assert log_entry("sales", line) == {"service": "sales", **entry}


def test_logs_as_json_are_an_object_in_each_line(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(log, b'{"event": "batch_worked", "records": 3}\nplain \x1b[2J\n')
    monkeypatch.setattr(stack, "_server", lambda _: SimpleNamespace(log=log))
    result = CliRunner().invoke(app, ["logs", "sales", "-n", "2", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"service": "sales", "event": "batch_worked", "records": 3},
        {"service": "sales", "event": "plain \x1b[2J"},
    ]
