"""The step is the one shell around all rules: it must stay readable in one sitting."""

import ast
import re
from pathlib import Path

import pytest

from shared.runtime import step

MOST_LINES = 400


def faults(source: str) -> list[str]:
    """What makes it hard to read: too many lines, or numbered parts that are not found beside the code."""
    parts = re.findall(r"\b(\d)\. [A-Z]{4,}", ast.get_docstring(ast.parse(source)) or "")
    faults = [f"part {part} is not beside the code" for part in parts if not re.search(rf"# {part}\.", source)]
    if not parts:
        faults.append("no numbered parts")
    if (lines := len(source.splitlines())) >= MOST_LINES:
        faults.append(f"{lines} lines")
    return faults


def test_the_step_can_be_read_in_one_sitting() -> None:
    assert faults(Path(step.__file__).read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        '"""1. DECODE. 2. LOAD."""\n# 1.\n',
        '"""Does all."""\n',
        '"""1. DECODE."""\n# 1.\n' + MOST_LINES * "pass\n",
    ],
    ids=["a part is missing beside the code", "no parts", "too long"],
)
def test_a_step_that_is_hard_to_read_is_found(source: str) -> None:
    assert len(faults(source)) == 1
