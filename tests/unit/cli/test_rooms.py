"""What `karya` says where only the package is: no laboratory, no local stack."""

from importlib import util
from importlib.machinery import ModuleSpec

import pytest
from typer.testing import CliRunner

from cli import app

pytestmark = pytest.mark.unit


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """As if the package of the parameter were not installed."""
    find_spec = util.find_spec

    def find_other_spec(name: str) -> ModuleSpec | None:
        return None if name == request.param else find_spec(name)

    monkeypatch.setattr("cli.find_spec", find_other_spec)


@pytest.mark.parametrize("without", ["lab"], indirect=True)
@pytest.mark.parametrize("arguments", [["demo", "--seed", "7"], ["simulate"], ["chaos"], ["bench", "core", "--json"]])
@pytest.mark.usefixtures("without")
def test_without_the_laboratory_a_command_says_how_to_get_it(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert f"`karya {arguments[0]}` belongs to the laboratory" in result.stderr
    assert "clone the repository and run `make setup`" in result.stderr


@pytest.mark.parametrize("without", ["psutil"], indirect=True)
@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "restart", "demo"])
@pytest.mark.usefixtures("without")
def test_without_the_local_stack_a_command_says_how_to_get_it(command: str) -> None:
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == 2
    assert "belongs to the local stack" in result.stderr


@pytest.mark.parametrize("without", ["lab", "psutil"], indirect=True)
@pytest.mark.usefixtures("without")
def test_help_lists_every_command_all_the_same() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert {"up", "demo", "verify", "till"} <= set(result.stdout.split())
