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
from tests.support.builders.festival import B1, a_request, a_world

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
