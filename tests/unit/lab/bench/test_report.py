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
from lab.bench import all as benches
from lab.bench.children import BenchFailed
from lab.bench.environment import BenchEnvironment
from lab.bench.report import BenchResult, Figure, OnProgress, server_figures

pytestmark = pytest.mark.unit


async def works(_: BenchEnvironment, amount: int, on_progress: OnProgress) -> BenchResult:
    on_progress("works")
    return BenchResult("works", (Figure("events/s", amount),), "with a note")


async def fails(_: BenchEnvironment, amount: int, on_progress: OnProgress) -> BenchResult:
    raise BenchFailed("it ended with exit code 7")


@pytest.fixture
def karya(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    """`karya bench` with two benches and without servers."""

    @contextmanager
    def no_stack(_: Path) -> Iterator[Stack]:
        yield Stack("kafka", "mongo")

    monkeypatch.setattr(benches, "BENCHES", {"works": (works, 5), "fails": (fails, 5), "never": (works, 5)})
    monkeypatch.setattr(benches, "choose_stack", no_stack)
    monkeypatch.setattr(command, "FOLDER", tmp_path / "bench")
    app = typer.Typer()
    app.command()(command.bench)
    return app


def test_all_benches_run_when_none_is_named(karya: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(benches.BENCHES, "fails")
    result = CliRunner().invoke(karya, ["--json", "-"])
    assert result.exit_code == 0
    assert [bench["bench"] for bench in json.loads(result.stdout)["benches"]] == ["works", "works"]


def test_a_run_says_what_was_measured_when_and_where(karya: typer.Typer) -> None:
    document = json.loads(CliRunner().invoke(karya, ["works", "--amount", "7", "--json", "-"]).stdout)
    assert document["head"].keys() == {"commit", "at", "cores", "load_before"}
    assert document["head"]["at"].endswith("+00:00")
    assert [bench["amount"] for bench in document["benches"]] == [7]


@pytest.mark.parametrize("names", [[], ["works", "never"]])
def test_an_amount_goes_with_one_bench_only(karya: typer.Typer, names: list[str]) -> None:
    result = CliRunner().invoke(karya, [*names, "--amount", "7"])
    assert isinstance(result.exception, benches.AmountOfSeveral)
    assert result.stdout == ""


def test_a_bench_that_fails_takes_no_earlier_figure_along(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    result = CliRunner().invoke(karya, ["works", "fails", "never", "--json", str(figures)])
    assert isinstance(result.exception, BenchFailed)
    assert result.exit_code == 1
    [bench] = json.loads(figures.read_text())["benches"]
    machine = bench.pop("machine")
    assert machine.keys() == {"load_before", "load_after", "others", "busy"}
    assert bench == {
        "bench": "works",
        "amount": 5,
        "note": "with a note",
        "figures": [{"name": "events/s", "value": 5.0}],
    }
    assert "with a note" in result.stdout


def test_a_run_without_figures_leaves_an_earlier_file_alone(karya: typer.Typer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text("before")
    CliRunner().invoke(karya, ["fails", "--json", str(figures)])
    assert figures.read_text() == "before"


def test_the_chart_is_of_the_catch_up(karya: typer.Typer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def measure_catchup(_: BenchEnvironment, amount: int, on_progress: OnProgress) -> BenchResult:
        return BenchResult("catch-up", (Figure("Karya: events/s", 9000), Figure("floor: events/s", 11_160)))

    monkeypatch.setitem(benches.BENCHES, "catch-up", (measure_catchup, 5))
    chart, none = tmp_path / "chart.svg", tmp_path / "none.svg"
    result = CliRunner().invoke(karya, ["works", "--svg", str(none)])
    assert (result.exit_code, none.exists()) == (0, False)
    CliRunner().invoke(karya, ["works", "catch-up", "--svg", str(chart)])
    assert "11,160" in chart.read_text()
    assert chart.read_text().index("floor") < chart.read_text().index("Karya")


def test_a_figure_is_read_as_people_read() -> None:
    assert [Figure("", value).shown for value in (11_160.4, 1000, 0.07894, 2)] == ["11,160", "1,000", "0.07894", "2"]
    assert [Figure("", 1.2, goal, at_most=True).verdict for goal in (None, 1.15, 1.5)] == ["", "missed", "met"]


def test_an_unknown_bench_is_refused_before_anything_starts(karya: typer.Typer) -> None:
    result = CliRunner().invoke(karya, ["works", "speed"])
    assert isinstance(result.exception, benches.UnknownBench)
    assert result.stdout == ""


def test_servers_that_are_not_ours_have_no_figure() -> None:
    assert server_figures("Karya", None, None, 10) == []
    [figure] = server_figures("Karya", 1.0, 1.5, 1000)
    assert figure.value == pytest.approx(0.5)
