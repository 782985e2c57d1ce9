"""Every threat on the page names who tries it, how it is held, and the tests that are there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "threats.md"
_TEST = re.compile(r"`(tests/(?:unit|integration|contract|property|browser)/(?:\w+/)*test_\w+\.py)`")


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the page's table, without its head."""
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def is_held(row: list[str]) -> bool:
    """Whether the row has all its cells, and tests that exist and nothing else in the last."""
    if len(row) != 4 or not all(row):
        return False
    names = [name.strip() for name in row[3].split(",")]
    tests = [_TEST.fullmatch(name) for name in names]
    return all(test is not None and (ROOT / test[1]).is_file() for test in tests)


def test_every_threat_names_its_tests() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 30
    assert [row for row in found if not is_held(row)] == []


@pytest.mark.parametrize(
    "tests",
    [
        "",
        "none",
        "`tests/unit/no_such/test_thing.py`",
        "`shared/access/tokens.py`",
        "`tests/unit/docs/test_threats.py`,",
    ],
)
def test_a_threat_without_a_test_is_noticed(tests: str) -> None:
    [row] = rows(f"| who | tries | held | test |\n|---|---|---|---|\n| a | b | c | {tests} |")
    assert not is_held(row)
