"""What `karya bench` shows of a run: all that was measured, whatever fails after it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bench import all as every
from bench import catchup
from bench.children import BenchFailed
from bench.place import Place
from bench.report import Figure, Said, Tell, servers
from deploy.cli import bench as command
from deploy.stack import Stack

pytestmark = pytest.mark.unit


async def works(_: Place, amount: int, tell: Tell) -> Said:
    tell("works")
    return Said("works", (Figure("events/s", amount),), "with a note")


async def fails(_: Place, amount: int, tell: Tell) -> Said:
    raise BenchFailed("it ended with exit code 7")


@pytest.fixture
def karya(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    """`karya bench` with two benches and without servers."""

    @contextmanager
    def no_stack(_: Path) -> Iterator[Stack]:
        yield Stack("kafka", "mongo")

    monkeypatch.setattr(every, "BENCHES", {"works": (works, 5), "fails": (fails, 5), "never": (works, 5)})
    monkeypatch.setattr(every, "choose_stack", no_stack)
    monkeypatch.setattr(command, "FOLDER", tmp_path / "bench")
    app = typer.Typer()
    app.command()(command.bench)
    return app


def test_all_benches_run_when_none_is_named(karya: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(every.BENCHES, "fails")
    told = CliRunner().invoke(karya, ["--json", "-"])
    assert told.exit_code == 0
    assert [one["bench"] for one in json.loads(told.stdout)] == ["works", "works"]


def test_a_bench_that_fails_takes_no_earlier_figure_along(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    told = CliRunner().invoke(karya, ["works", "fails", "never", "--json", str(figures)])
    assert isinstance(told.exception, BenchFailed)
    assert told.exit_code == 1
    [one] = json.loads(figures.read_text())
    assert one == {"bench": "works", "note": "with a note", "figures": [{"name": "events/s", "value": 5.0}]}
    assert "with a note" in told.stdout


def test_a_run_without_figures_leaves_an_earlier_file_alone(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text("before")
    CliRunner().invoke(karya, ["fails", "--json", str(figures)])
    assert figures.read_text() == "before"


def test_an_unknown_bench_is_refused_before_anything_starts(karya: typer.Typer) -> None:
    told = CliRunner().invoke(karya, ["works", "speed"])
    assert isinstance(told.exception, every.UnknownBench)
    assert told.stdout == ""


def test_the_note_says_who_was_not_measured() -> None:
    assert "Quix Streams, faust-streaming" in catchup.note(["Quix Streams", "faust-streaming"])
    assert catchup.note([]) == ""


def test_servers_that_are_not_ours_have_no_figure() -> None:
    assert servers("Karya", None, None, 10) == []
    [figure] = servers("Karya", 1.0, 1.5, 1000)
    assert figure.value == pytest.approx(0.5)
