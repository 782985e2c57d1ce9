"""Tests stand alone: what two of them need lies in `tests/support`."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def imported_tests(source: str) -> list[str]:
    """The test modules that it imports."""
    named = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            named += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
    return [name for name in named if name.startswith("tests.") and ".test_" in name]


def test_no_test_imports_a_test() -> None:
    assert {str(file): tests for file in TESTS.rglob("*.py") if (tests := imported_tests(file.read_text()))} == {}


@pytest.mark.parametrize(
    "line", ["from tests.unit.test_a import b", "from tests.unit import test_a", "import tests.unit.test_a"]
)
def test_one_that_does_is_found(line: str) -> None:
    assert imported_tests(line) != []
