"""`karya logs`: the end of a log, and what is written later, in whole lines."""

from itertools import islice
from pathlib import Path

import pytest

from cli.log_lines import log_lines

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
