"""How a plan is shown to a person."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import console
from cli.festival import app, goods
from services.festival.api.pages import RequestPage
from tests.support.builders.festival import B1, B2, a_request, a_world

pytestmark = pytest.mark.unit


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed on a wide terminal, of a service that knows one request."""
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 4), consent=False))
    pages: dict[int, dict[str, Any]] = {
        2: {"zone": "Asia/Makassar"},
        4: RequestPage.of(world.request()).model_dump(mode="json"),
    }

    @contextmanager
    def service(_: object) -> Iterator[Any]:
        yield SimpleNamespace(get=lambda *place: pages[len(place)])

    output = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=output, width=200))
    monkeypatch.setattr(goods, "service", service)
    return output


def test_each_line_of_a_plan_says_why_if_that_is_asked(output: io.StringIO) -> None:
    assert CliRunner().invoke(app, ["plan", "ODOP", "R1", "--why"]).exit_code == 0
    assert "Only LP-AAA offers KTI; LA is its only lot of it." in output.getvalue()


def test_else_a_plan_stays_as_narrow_as_it_is(output: io.StringIO) -> None:
    assert CliRunner().invoke(app, ["plan", "ODOP", "R1"]).exit_code == 0
    assert "Only LP-AAA" not in output.getvalue()


def test_a_plan_shows_facilities_and_booths_before_lots(output: io.StringIO) -> None:
    assert CliRunner().invoke(app, ["plan", "ODOP", "R1"]).exit_code == 0
    tables = [block.splitlines() for block in output.getvalue().split("\n\n")]
    assert [table[0].split("\t")[0] for table in tables[1:]] == ["facility", "booth", "booth"]
    assert tables[2][1].split("\t") == [B1, "4", "4", "0", "0"]


def test_a_long_plan_shows_its_lots_only_if_that_is_asked(
    output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goods, "FEW_LINES", 0)
    assert CliRunner().invoke(app, ["plan", "ODOP", "R1"]).exit_code == 0
    assert "The plan has 1 lines of a lot for a booth; --lots shows them." in output.getvalue()
    assert "LA" not in output.getvalue().split()
    for option in ("--lots", "--why"):
        output.truncate(0)
        assert CliRunner().invoke(app, ["plan", "ODOP", "R1", option]).exit_code == 0
        assert "LA" in output.getvalue().split()


def test_the_sums_of_a_booth_add_up() -> None:
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 6), (B2, "KTI", 2)))
    page = RequestPage.of(world.request()).model_dump(mode="json")
    rows = goods.plan_by_booth(page)
    assert [row["booth"] for row in rows] == [B1, B2]
    assert sum(row["asked"] for row in rows) == page["asked"]
    assert sum(row["held"] for row in rows) == page["held"]
    assert all(row["planned"] + row["short"] == row["asked"] for row in rows)
    assert sum(row["short"] for row in rows) == page["short"] == 4
