"""What commands say to a person: no word is cut off, and nobody else's text steers the terminal."""

import ast
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from cli import console
from shared.errors import ServersNotConfigured, WrongEntry
from shared.settings import settings_for
from shared.visible import visible, visible_json

LOT = "PR-KPG-KBS-261125-001-I"


FORGED = "cakes\x1b[2J\x1b]0;title\x07 \u202eesrever\u200b\x9b1m\nLot X: all is well"
SHOWN = r"cakes\x1b[2J\x1b]0;title\x07 \u202eesrever\u200b\x9b1m\nLot X: all is well"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed on a terminal that is narrower than a lot number."""
    return printed(monkeypatch, width=20, force_terminal=True, color_system=None)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed where no terminal is."""
    return printed(monkeypatch, width=20)


def printed(monkeypatch: pytest.MonkeyPatch, **kind: Any) -> io.StringIO:
    file = io.StringIO()
    monkeypatch.setattr(console, "out", console.PlainConsole(file=file, **kind))
    return file


def test_a_table_on_a_narrow_terminal_breaks_no_word(narrow: io.StringIO) -> None:
    rows = [{"lot": LOT, "sale": "1 of 2", "what": "many words and more of them"}]
    console.show_table(["lot", "sale", "what"], rows, "nothing")
    first, *_ = narrow.getvalue().splitlines()[1:]
    assert first.split()[0] == LOT
    assert "more of" not in first


def test_a_column_of_several_words_gives_way_without_losing_a_letter(narrow: io.StringIO) -> None:
    rows = [{"lot": LOT, "sold": "2026-11-30 06:48 WITA", "note": "departs: dented", "a long header": 1}]
    console.show_table(["sold", "lot", "note", "a long header"], rows, "nothing")
    words = narrow.getvalue().split()
    assert {"2026-11-30", "06:48", "WITA", LOT, "departs:", "dented", "header"} <= set(words)


def test_a_table_in_a_pipe_has_a_line_for_each_row(pipe: io.StringIO) -> None:
    rows = [{"lot": LOT, "what": "many words " * 20, "n": 1}, {"lot": "L2", "what": "a\tb\nc", "n": None}]
    console.show_table(["lot", "what", "n"], rows, "nothing")
    lines = [line.split("\t") for line in pipe.getvalue().splitlines()]
    assert lines == [["lot", "what", "n"], [LOT, "many words " * 20, "1"], ["L2", r"a\tb\nc", ""]]


def test_a_table_made_by_hand_breaks_no_cell_in_a_pipe(pipe: io.StringIO) -> None:
    table = Table("lot", "what", box=None)
    table.add_row(LOT, "many words " * 20)
    console.show_grid(table)
    assert pipe.getvalue() == f"lot\twhat\n{LOT}\t{'many words ' * 20}\n"


# Cells of up to three ids, which are as long as those of lots and longer.
CELLS = st.lists(st.integers(1, 60).map(lambda length: (f"{LOT}/" * 3)[:length]), max_size=3).map(" ".join)


@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=5))
def test_no_id_is_broken_at_80_columns_or_in_a_pipe(cells: list[list[str]]) -> None:
    names = ["lot", "shipment", "booth", "reason"]
    rows = [dict(zip(names, row, strict=True)) for row in cells]
    ids = sorted(id for row in cells for cell in row for id in cell.split())
    with pytest.MonkeyPatch.context() as patch:
        terminal = printed(patch, width=80, force_terminal=True, color_system=None)
        console.show_table(names, rows, "nothing")
        assert sorted(set(terminal.getvalue().split()) - set(names)) == sorted(set(ids))
        terminal.truncate(0)
        table = Table(*names, box=None)
        for row in cells:
            table.add_row(*row)
        console.show_grid(table)
        assert set(ids) <= set(terminal.getvalue().replace("\0", "").split())
        pipe = printed(patch, width=80)
        console.show_table(names, rows, "nothing")
        assert [line.split("\t") for line in pipe.getvalue().splitlines()[1:]] == cells


def test_every_table_is_printed_by_the_console() -> None:
    """A table that a command prints by itself would be broken at 80 columns."""
    room = Path(console.__file__).parent
    printing = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "print" and getattr(node.value, "id", "") == "out"
    }
    assert printing == {"console.py"}


@pytest.mark.parametrize("text", ["[red]cakes[/red]", "[/]", ":smile:", "[link=https://x]x[/link]"])
def test_what_was_typed_is_no_markup(text: str, narrow: io.StringIO) -> None:
    console.show_table(["name"], [{"name": text}], "nothing")
    console.say(text)
    console.show_grid(Table(text, box=None))
    assert [line.strip() for line in narrow.getvalue().splitlines()] == ["name", text, text, text]


def test_nothing_that_people_typed_steers_the_terminal(narrow: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(console, "err", console.PlainConsole(file=errors, width=20))
    console.say(FORGED)
    console.warn(FORGED)
    assert (narrow.getvalue(), errors.getvalue()) == (f"{SHOWN}\n", f"{SHOWN}\n")
    console.show_table(["what"], [{"what": FORGED}], "nothing")
    console.show_grid(Table("what", box=None, title=FORGED))
    with console.err.status(""), pytest.raises(typer.Exit), console.exit_on_error():
        raise WrongEntry(FORGED)
    steering = {c for c in narrow.getvalue() + errors.getvalue() if not c.isprintable()} - {"\n"}
    assert steering == set()


def test_json_for_programs_means_the_same_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"reason": f"{FORGED}\U000e0001\ud800", "lots": ["é 蜂"]}
    console.show_json(value)
    text = capsys.readouterr().out
    assert json.loads(text) == value
    assert {c for c in text if not c.isprintable()} == {"\n"}
    assert "é 蜂" in text


@given(st.text())
def test_what_is_visible_is_printable_and_printable_text_stays(text: str) -> None:
    text_shown = visible(text)
    assert text_shown.isprintable()
    assert visible(text_shown) == text_shown
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)])
def test_a_moment_at_the_end_of_all_years_is_shown(moment: datetime) -> None:
    for zone in ("Asia/Makassar", "America/Lima", None):
        assert console.local(moment, zone)


def test_a_command_that_was_not_told_where_its_servers_are_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARYA_KAFKA", raising=False)
    monkeypatch.delenv("KARYA_MONGO", raising=False)
    with pytest.raises(ServersNotConfigured, match="KARYA_KAFKA and KARYA_MONGO"):
        settings_for("kafka", "mongo")
    monkeypatch.setenv("KARYA_KAFKA", "kafka:9092")
    assert settings_for("kafka").kafka == "kafka:9092"
    with pytest.raises(ServersNotConfigured, match=r"set KARYA_MONGO\."):
        settings_for("kafka", "mongo")
