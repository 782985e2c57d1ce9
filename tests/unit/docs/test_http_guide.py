"""The guide about HTTP names every reason for which the gateway does not store a record that it could read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "http.md"
ROOMS = ("intake.py", "records.py")
# What these get as a reason. A reason of `unusable` is one of every reader of a topic.
CALLS = {"RecordRefused", "check_unproven", "_unstored"}


def reasons() -> set[str]:
    """Those in the gateway's code."""
    return {reason for room in ROOMS for reason in _in(ROOT / "services" / "gateway" / "api" / room)}


def _in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in CALLS:
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def test_the_guide_has_all_reasons_and_no_other() -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("The answer is `200` with one row")[2].partition("\n## ")[0]
    table = section.partition("| `reason` of a refusal")[2].partition("\n\n")[0]
    assert len(reasons()) >= 8
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == reasons()
    assert set(re.findall(r"^\| `(stored|held|refused|unusable)` \|", section, re.MULTILINE)) == {
        "stored",
        "held",
        "refused",
        "unusable",
    }
