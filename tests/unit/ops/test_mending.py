"""Mending by two operators at the same time: one body counts, and only its operator reads that it was worked."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from ops import mending
from ops.dlq import DeadLetters
from ops.drafts import draft
from ops.letters import Letter, LetterPlace, Status
from ops.mending import MendReport
from ops.originals import LetterComparison
from ops.repairs import Mending
from shared import envelope
from shared.errors import NotMendable
from shared.events.operator import OPERATOR, LetterMended
from shared.events.production import TERMINAL
from tests.support.letters import AT, a_letter

pytestmark = pytest.mark.unit


class FakeCluster(DeadLetters):
    """A cluster whose reader works the first copy, and sets a copy with another body aside."""

    def __init__(self, operators: int = 1) -> None:
        self.worked: bytes | None = None
        self.letters: list[Letter] = []
        self.told: list[LetterMended] = []
        self.comparison = LetterComparison.SAME
        self._looked = asyncio.Barrier(operators)

    async def require_operators_topic(self) -> None:
        pass

    async def comparisons(self, letters: Sequence[Letter]) -> Mapping[LetterPlace, LetterComparison]:
        return {letter.place: self.comparison for letter in letters}

    async def all(self, topics: Collection[str] | None = None) -> list[Letter]:
        return self.letters

    async def copy_digest(self, letter: Letter) -> bytes | None:
        return self.worked

    async def publish(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        if topic == OPERATOR.name:
            self.told.append(LetterMended.model_validate_json(value))
            return
        assert topic == TERMINAL.name
        await self._looked.wait()
        if self.worked is None:
            self.worked = envelope.digest(value)
        elif self.worked != envelope.digest(value):
            self.letters.append(replace(a_letter(value), headers=[*headers], reason="ID_REUSED"))


async def mend(cluster: FakeCluster, letter: Letter, qty: int, actor: str) -> MendReport:
    return await mending.mend(cluster, letter, draft(letter, [f"qty={qty}"]), actor=actor, wait=0)


async def test_of_two_operators_at_once_the_other_one_is_refused() -> None:
    cluster, letter = FakeCluster(operators=2), a_letter()
    first, second = await asyncio.gather(
        mend(cluster, letter, 12, "op.a"), mend(cluster, letter, 13, "op.b"), return_exceptions=True
    )
    reports = [outcome for outcome in (first, second) if isinstance(outcome, MendReport)]
    refusals = [outcome for outcome in (first, second) if isinstance(outcome, NotMendable)]
    assert [report.worked for report in reports] == [True]
    assert len(refusals) == 1
    assert "was mended already, with another body" in str(refusals[0])


async def test_the_copy_that_was_worked_counts_whichever_event_came_first() -> None:
    cluster, letter = FakeCluster(), a_letter()
    assert (await mend(cluster, letter, 12, "op.a")).worked
    [event] = cluster.told
    other = envelope.digest(envelope.encode(draft(letter, ["qty=13"]).body)).hex()
    of_other = event.model_copy(update={"actor": "op.b", "digest": other})
    mended = replace(letter, status=Status.MENDED, mending=Mending(AT, of_other))
    repetition = await mend(cluster, mended, 12, "op.a")
    assert (repetition.again, repetition.worked) == (True, True)
    with pytest.raises(NotMendable, match="with another body"):
        await mend(cluster, mended, 13, "op.b")


async def test_a_dead_letter_of_another_body_is_not_the_copys_own() -> None:
    cluster, letter = FakeCluster(), a_letter()
    copy = replace(a_letter(b"{}"), headers=[("ce_source", b"karya/operator"), ("ce_id", letter.mended_id.encode())])
    cluster.letters = [copy]

    async def unread(*_: object) -> None:
        return None

    cluster.copy_digest = unread  # type: ignore[method-assign]
    report = await mend(cluster, letter, 12, "op.a")
    assert (report.worked, report.letter) == (False, None)


async def test_a_letter_that_is_not_the_record_that_it_names_is_not_mended() -> None:
    cluster, letter = FakeCluster(), a_letter()
    cluster.comparison = LetterComparison.OTHER
    with pytest.raises(NotMendable, match="is not the record that it names"):
        await mend(cluster, letter, 12, "op.a")
    cluster.comparison = LetterComparison.GONE
    with pytest.raises(NotMendable, match="--without-original"):
        await mend(cluster, letter, 12, "op.a")
    assert (cluster.told, cluster.worked) == ([], None)
