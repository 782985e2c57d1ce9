"""What `karya bench` shows of a run: all that was measured, whatever fails after it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import bench as command
from deploy.stack import Stack
from lab.bench import all as every
from lab.bench import catchup
from lab.bench.children import BenchFailed
from lab.bench.place import Place
from lab.bench.report import Figure, Said, Tell, servers

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
    assert [one["bench"] for one in json.loads(told.stdout)["benches"]] == ["works", "works"]


def test_a_run_says_what_was_measured_when_and_where(karya: typer.Typer) -> None:
    told = json.loads(CliRunner().invoke(karya, ["works", "--amount", "7", "--json", "-"]).stdout)
    assert told["head"].keys() == {"commit", "at", "cores", "load_before"}
    assert told["head"]["at"].endswith("+00:00")
    assert [one["amount"] for one in told["benches"]] == [7]


@pytest.mark.parametrize("names", [[], ["works", "never"]])
def test_an_amount_goes_with_one_bench_only(karya: typer.Typer, names: list[str]) -> None:
    told = CliRunner().invoke(karya, [*names, "--amount", "7"])
    assert isinstance(told.exception, every.AmountOfSeveral)
    assert told.stdout == ""


def test_a_bench_that_fails_takes_no_earlier_figure_along(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    told = CliRunner().invoke(karya, ["works", "fails", "never", "--json", str(figures)])
    assert isinstance(told.exception, BenchFailed)
    assert told.exit_code == 1
    [one] = json.loads(figures.read_text())["benches"]
    assert one == {
        "bench": "works",
        "amount": 5,
        "note": "with a note",
        "figures": [{"name": "events/s", "value": 5.0}],
    }
    assert "with a note" in told.stdout


def test_a_run_without_figures_leaves_an_earlier_file_alone(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text("before")
    CliRunner().invoke(karya, ["fails", "--json", str(figures)])
    assert figures.read_text() == "before"


def test_the_chart_is_of_the_catch_up(karya: typer.Typer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def catches_up(_: Place, amount: int, tell: Tell) -> Said:
        return Said("catch-up", (Figure("Karya: events/s", 9000), Figure("floor: events/s", 11_160)))

    monkeypatch.setitem(every.BENCHES, "catch-up", (catches_up, 5))
    chart, none = tmp_path / "chart.svg", tmp_path / "none.svg"
    told = CliRunner().invoke(karya, ["works", "--svg", str(none)])
    assert (told.exit_code, none.exists()) == (0, False)
    CliRunner().invoke(karya, ["works", "catch-up", "--svg", str(chart)])
    assert "11,160" in chart.read_text()
    assert chart.read_text().index("floor") < chart.read_text().index("Karya")


def test_a_figure_is_read_as_people_read() -> None:
    assert [Figure("", value).shown for value in (11_160.4, 1000, 0.07894, 2)] == ["11,160", "1,000", "0.07894", "2"]
    assert [Figure("", 1.2, goal, at_most=True).verdict for goal in (None, 1.15, 1.5)] == ["", "missed", "met"]


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
