"""A dead letter's reason, its place, and its status."""

import re
from pathlib import Path

import pytest

from ops.letters import REASONS, LetterPlace, Status, parse_place, status_of
from shared.envelope import digest
from tests.support.letters import a_letter

pytestmark = pytest.mark.unit

SHARED = Path(__file__).parents[3] / "shared"


def test_every_reason_that_the_shell_gives_is_known() -> None:
    sources = "\n".join(path.read_text() for path in [SHARED / "envelope.py", *(SHARED / "runtime").glob("*.py")])
    reasons = set(re.findall(r'Unusable\(\s*"([A-Z_]+)"|_dead_letter\(item, "([A-Z_]+)"', sources))
    named = {name for pair in reasons for name in pair if name}
    assert len(named) > 9
    assert named <= REASONS


@pytest.mark.parametrize("text", ["karya.till.sales.v1/3/17", "karya.till.sales.v1.dlq/3/17"])
def test_a_place_is_read_with_and_without_dlq(text: str) -> None:
    assert parse_place(text) == LetterPlace("karya.till.sales.v1", 3, 17)


@pytest.mark.parametrize("text", ["PR-KPG", "karya.none.v1/3/17", "karya.till.sales.v1/3", "karya.till.sales.v1/x/1"])
def test_another_text_is_no_place(text: str) -> None:
    assert parse_place(text) is None


def test_what_was_worked_is_worked_whatever_an_operator_did() -> None:
    letter = a_letter()
    worked = digest(letter.value or b"")
    assert status_of(letter, worked, mended=True, archived=True) is Status.WORKED
    assert status_of(letter, b"another body", mended=True, archived=True) is Status.MENDED
    assert status_of(letter, None, mended=False, archived=True) is Status.ARCHIVED
    assert status_of(letter, None, mended=False, archived=False) is Status.UNUSABLE
