"""What commands say to a person: nothing that has to be typed again is cut off."""

import io

import pytest
from rich.console import Console

from shared import console
from shared.errors import NobodySaid
from shared.settings import told

LOT = "PR-KPG-KBS-261125-001-I"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed on a terminal that is narrower than a lot number."""
    said = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=said, width=20))
    return said


def test_a_table_breaks_long_words_and_cuts_none(narrow: io.StringIO) -> None:
    console.show_table(["lot"], [{"lot": LOT}], "nothing")
    assert "".join(line.strip() for line in narrow.getvalue().splitlines()[1:]) == LOT


def test_what_was_typed_is_no_markup(narrow: io.StringIO) -> None:
    console.show_table(["name"], [{"name": "[red]cakes[/red]"}], "nothing")
    assert "[red]cakes[/red]" in narrow.getvalue()


@pytest.mark.parametrize(("count", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records")])
def test_one_is_no_plural(count: int, said: str) -> None:
    assert console.counted(count, "record") == said


def test_a_command_that_was_not_told_where_its_servers_are_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARYA_KAFKA", raising=False)
    monkeypatch.delenv("KARYA_MONGO", raising=False)
    with pytest.raises(NobodySaid, match="KARYA_KAFKA and KARYA_MONGO"):
        told("kafka", "mongo")
    monkeypatch.setenv("KARYA_KAFKA", "kafka:9092")
    assert told("kafka").kafka == "kafka:9092"
    with pytest.raises(NobodySaid, match=r"set KARYA_MONGO\."):
        told("kafka", "mongo")
