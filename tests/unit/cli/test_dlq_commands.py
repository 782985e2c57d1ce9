"""What `karya dlq` says, without servers."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from cli import dlq
from ops.dlq import ResendReport
from ops.letters import Letter, Status
from shared.events.operator import LetterArchived
from tests.support.letters import AT, a_letter

pytestmark = pytest.mark.unit


def test_an_archived_letter_that_is_still_unusable_is_named_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    letter = a_letter()
    archived = LetterArchived(
        original=letter.original, letter=str(letter.place), arrived_at=AT, actor="op.kupang", reason="a broken cable"
    )
    letter = replace(letter, status=Status.ARCHIVED, archived=archived)

    async def replay(*_: object) -> tuple[list[Letter], ResendReport]:
        return [letter], ResendReport(1, unusable=(letter,))

    monkeypatch.setattr(dlq, "_replay", replay)
    result = CliRunner(env={"COLUMNS": "300"}).invoke(dlq.app, ["replay", str(letter.place)])
    assert (result.exit_code, result.stdout) == (1, "1 record sent back.\n")
    assert result.stderr.splitlines() == [
        "1 are still unusable, or the service does not run:",
        f"  {letter.place}  BAD_BODY. qty: made up",
    ]
