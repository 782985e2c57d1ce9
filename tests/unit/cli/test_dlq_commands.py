"""What `karya dlq` says, without servers."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from typer.testing import CliRunner

from cli import dlq
from ops.dlq import DeadLetters, ResendReport
from ops.letters import Letter, LetterPlace, Status
from ops.originals import LetterComparison
from shared.errors import NotPermitted
from shared.events.operator import OPERATOR, LetterArchived, LetterReplayed
from shared.settings import Settings
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


class Cluster(DeadLetters):
    """A cluster of topics with six partitions, which takes down what is sent."""

    def __init__(self, letter: Letter) -> None:
        async def partitions_for(_: str) -> set[int]:
            return set(range(6))

        client: Any = SimpleNamespace(partitions_for=partitions_for)
        super().__init__(Settings(), None, client)  # type: ignore[arg-type]
        self.letter = letter
        self.resent: list[Letter] = []
        self.told: list[LetterReplayed] = []
        self.comparison = LetterComparison.SAME

    async def require_operators_topic(self) -> None:
        pass

    async def comparisons(self, letters: Sequence[Letter]) -> Mapping[LetterPlace, LetterComparison]:
        return {letter.place: self.comparison for letter in letters}

    async def publish(self, topic: str, _key: object, value: bytes, _headers: object) -> None:
        assert (topic, self.resent) == (OPERATOR.name, []), "told before it is sent"
        self.told.append(LetterReplayed.model_validate_json(value))

    async def all(self, *_: object) -> list[Letter]:
        return [replace(self.letter, times=2)]

    async def _send(self, letters: Any) -> None:
        self.resent += letters


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": None, "value": None, "reason": "NO_VALUE"}, "neither a key nor a value"),
        ({"key": None, "original_partition": 99}, "has no partition 99 for it."),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_letter_that_kafka_would_not_take_says_why_and_ends_with_1(
    changes: dict[str, Any], why: str, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = replace(a_letter(), **changes)
    cluster = Cluster(letter)

    async def replay(*_: object) -> tuple[list[Letter], ResendReport]:
        return [letter], await cluster.replay([letter], wait=0, actor="op.kupang")

    monkeypatch.setattr(dlq, "_replay", replay)
    words = ["replay", str(letter.place), *(["--json"] if as_json else [])]
    result = CliRunner(env={"COLUMNS": "300"}).invoke(dlq.app, words)
    assert (result.exit_code, cluster.resent) == (1, [])
    said = json.loads(result.stdout)["not_replayed"][0]["advice"] if as_json else result.stderr
    assert f"{letter.place} can't be replayed: its record has " in said
    assert why in said
    assert f"karya dlq archive {letter.place}" in said


@pytest.mark.parametrize("changes", [{}, {"key": None}])
def test_an_unusable_letter_is_sent_back_and_its_reason_said(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = replace(a_letter(), **changes)
    cluster = Cluster(letter)

    async def replay(*_: object) -> tuple[list[Letter], ResendReport]:
        return [letter], await cluster.replay([letter], wait=0, actor="op.kupang")

    monkeypatch.setattr(dlq, "_replay", replay)
    result = CliRunner(env={"COLUMNS": "300"}).invoke(dlq.app, ["replay", str(letter.place)])
    assert (result.exit_code, cluster.resent) == (1, [letter])
    [told] = cluster.told
    assert (told.original, told.letter, told.reason) == (letter.original, str(letter.place), letter.reason)
    assert (told.actor, told.compared) == ("op.kupang", True)
    assert f"{letter.place}  BAD_BODY. qty: made up" in result.stderr


@pytest.mark.parametrize(
    ("comparison", "without_original", "sent"),
    [
        (LetterComparison.OTHER, False, False),
        (LetterComparison.OTHER, True, False),
        (LetterComparison.GONE, False, False),
        (LetterComparison.GONE, True, True),
    ],
)
async def test_a_letter_that_is_not_the_record_that_it_names_is_not_sent(
    comparison: LetterComparison, without_original: bool, sent: bool
) -> None:
    letter = a_letter()
    cluster = Cluster(letter)
    cluster.comparison = comparison
    report = await cluster.replay([letter], wait=0, actor="op.kupang", without_original=without_original)
    assert (cluster.resent == [letter], report.sent == 1) == (sent, sent)
    assert [told.compared for told in cluster.told] == ([False] if sent else [])
    assert len(report.impossible) == (not sent)
    assert all(letter.original in str(why) for _, why in report.impossible)


class ParkedKey(Cluster):
    """A cluster with the letters of one key, of which the first one's record is deleted."""

    def __init__(self) -> None:
        super().__init__(a_letter())
        first = replace(self.letter, status=Status.OPEN, reason="KEY_PARKED")
        self.parked = [first, replace(first, place=replace(first.place, offset=1), original_offset=18)]

    async def comparisons(self, letters: Sequence[Letter]) -> Mapping[LetterPlace, LetterComparison]:
        gone = self.parked[0].place
        return {
            letter.place: LetterComparison.GONE if letter.place == gone else LetterComparison.SAME
            for letter in letters
        }

    async def all(self, *_: object) -> list[Letter]:
        return [letter for letter in self.parked if letter not in self.resent]

    def _database(self, _: str) -> Any:
        return self

    async def _waiting(self, *_: object) -> list[str]:
        return []

    async def _worked(self, *_: object) -> bool:
        return True


@pytest.mark.parametrize("without_original", [False, True])
async def test_no_letter_of_a_key_overtakes_one_that_needs_a_consent(without_original: bool) -> None:
    cluster = ParkedKey()
    await cluster.replay(cluster.parked, wait=0, actor="op.kupang", without_original=without_original)
    assert cluster.resent == (cluster.parked if without_original else [])


async def test_a_topic_that_gives_rights_is_for_the_administrators_credentials() -> None:
    class Denied(Cluster):
        _send = DeadLetters._send

    async def send(*_: object, **__: object) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(TopicAuthorizationFailedError())
        return future

    cluster = Denied(a_letter())
    cluster._client.send = send
    with pytest.raises(NotPermitted, match=r"write karya\.terminal\.production\.v1\..*KARYA_KAFKA_CREDENTIALS"):
        await cluster.replay([cluster.letter], wait=0, actor="op.kupang")
