"""What has waited too long, against a log of wood."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from aiokafka.structs import OffsetAndTimestamp

from shared.patches.faststream import PatientConsumer
from shared.runtime.lag import overdue
from shared.runtime.lanes import Lanes

A, B = TopicPartition("in", 0), TopicPartition("in", 1)
NOW = 1_000.0


class Log:
    """Per part the times at which its records were taken in, from offset 0 on; `stands`: where the consumer is."""

    def __init__(self, taken_in: Mapping[TopicPartition, list[float]]) -> None:
        self.taken_in = {part: list(times) for part, times in taken_in.items()}
        self.comes_meanwhile: float | None = None
        self.waits = False
        self.stands: dict[TopicPartition, int] = {}

    async def position(self, part: TopicPartition) -> int:
        if part not in self.stands:
            raise IllegalStateError
        return self.stands[part]

    async def end_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        ends = {part: len(self.taken_in[part]) for part in parts}
        if self.comes_meanwhile is not None:
            for part in ends:
                self.taken_in[part].append(self.comes_meanwhile)
        return ends

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, Any]:
        offsets: dict[TopicPartition, Any] = {}
        for part, moment in times.items():
            young = [n for n, time in enumerate(self.taken_in[part]) if time * 1000 >= moment]
            offsets[part] = OffsetAndTimestamp(young[0], moment) if young else None
        return offsets


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.lag.time", SimpleNamespace(time=lambda: NOW))


async def overdue_message(nexts: dict[TopicPartition, int], log: Log) -> str | None:
    lanes = SimpleNamespace(group="karya.test", next_offsets=lambda: nexts)
    return await overdue(cast("Lanes", lanes), cast("PatientConsumer", log), 60)


async def test_what_is_worked_does_not_wait_however_old_it_is() -> None:
    assert await overdue_message({A: 2}, Log({A: [1.0, 2.0]})) is None


async def test_what_came_a_moment_ago_may_wait() -> None:
    assert await overdue_message({A: 0}, Log({A: [NOW - 59, NOW]})) is None


async def test_what_waits_longer_is_counted_over_all_lanes_and_the_young_is_not() -> None:
    log = Log({A: [NOW - 100, NOW - 90, NOW - 61, NOW - 1], B: [NOW - 70]})
    assert await overdue_message({A: 1, B: 0}, log) == "3 records have waited for karya.test for more than 60 s"


async def test_views_of_what_waits_are_named() -> None:
    lanes = SimpleNamespace(group="karya.test", next_offsets=lambda: {A: 0})
    log = cast("PatientConsumer", Log({A: [NOW - 100]}))
    sentence = await overdue(cast("Lanes", lanes), log, 60, ("prices", "stock"))
    assert sentence == (
        "1 records have waited for karya.test for more than 60 s, and views of prices, stock are as old"
    )


async def test_what_comes_while_we_ask_is_not_taken_for_late() -> None:
    log = Log({A: []})
    log.comes_meanwhile = NOW
    assert await overdue_message({A: 0}, log) is None


async def test_what_a_transaction_left_at_the_end_does_not_wait() -> None:
    log = Log({A: [NOW - 100, NOW - 90]})
    log.waits, log.stands = True, {A: 2}
    assert await overdue_message({A: 1}, log) is None


async def test_what_was_given_out_waits_until_it_is_worked() -> None:
    log = Log({A: [NOW - 100, NOW - 90]})
    log.stands = {A: 2}
    assert await overdue_message({A: 1}, log) == "1 records have waited for karya.test for more than 60 s"


async def test_a_lane_that_was_just_taken_away_is_counted_as_it_was() -> None:
    log = Log({A: [NOW - 100]})
    log.waits = True
    assert await overdue_message({A: 0}, log) == "1 records have waited for karya.test for more than 60 s"


async def test_who_has_no_lane_asks_nothing() -> None:
    assert await overdue_message({}, Log({})) is None
