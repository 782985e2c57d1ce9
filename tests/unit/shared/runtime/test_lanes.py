"""Lanes against a fake consumer, ledger and relay: what is recovered, in which order, and what is said of it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo.errors import AutoReconnect

from shared.errors import FenceMoved, UnknownVersion
from shared.runtime.lanes import Lanes
from shared.runtime.relay import Relay
from shared.runtime.step import Step
from shared.runtime.storage import ChangeSet, Lane, RuntimeStore, lane_id
from tests.support.records import a_record
from tests.support.waiting import eventually

GROUP, TOPIC = "karya.test.account", "in"
MARK = b"the last record"


def a_lane(partition: int, goes_on: int) -> Lane:
    return Lane(GROUP, partition, {TOPIC: goes_on}, cluster="c", marks={TOPIC: MARK})


class World:
    """One log of ten records per partition, and a lane document for each; notes what was asked in its order."""

    def __init__(self) -> None:
        self.newer: set[str] = set()
        self.documents = {p: a_lane(p, 4) for p in range(3)}
        self.marks = {TopicPartition(TOPIC, p): MARK for p in range(3)}
        self.first = 0
        self.asked: dict[TopicPartition, int] = {}
        self.calls: list[str] = []
        self.parked: set[str] = set()
        self.stands: dict[TopicPartition, int] = {}
        self.forgotten: list[str] = []
        self.commits_meanwhile: Lane | None = None

    # the ledger
    async def lanes(self, group: str, partitions: Iterable[int], session: object = None) -> dict[int, Lane]:
        self.calls.append("read")
        return {p: self.documents[p] for p in partitions}

    async def parked_keys(self, group: str) -> set[str]:
        self.calls.append("parked")
        return set(self.parked)

    # the relay
    async def take_over(self, lane: str) -> None:
        if lane in self.newer:
            raise UnknownVersion(f"{lane} was written by a newer version")
        self.calls.append("say")
        if self.commits_meanwhile is not None:
            self.documents[self.commits_meanwhile.partition] = self.commits_meanwhile

    def forget(self, lanes: Sequence[str]) -> None:
        self.forgotten += lanes

    # the records worked last
    async def marks_at(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes]:
        self.asked |= places
        return {part: self.marks[part] for part in places if part in self.marks}

    # the consumer
    async def beginning_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, self.first)

    async def end_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 10)

    async def position(self, part: TopicPartition) -> int:
        return self.stands[part]

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.stands[part] = offset

    def pause(self, *parts: TopicPartition) -> None: ...

    def resume(self, *parts: TopicPartition) -> None: ...


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def lanes(world: World) -> Lanes:
    lanes = Lanes(GROUP, [TOPIC], cast("RuntimeStore", world), cast("Relay", world), "c", world.marks_at)
    lanes.bind_consumer(lambda: cast("AIOKafkaConsumer", world))
    return lanes


async def recover_lanes(lanes: Lanes, *partitions: int) -> None:
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, p) for p in partitions})
    await lanes._recover()


async def test_a_lane_goes_on_where_its_document_says(lanes: Lanes, world: World) -> None:
    assert lanes.readiness_failures == [f"{GROUP} waits for its lanes"]
    await recover_lanes(lanes, 0, 2)
    assert lanes.readiness_failures == []
    assert (world.stands, sorted(lanes.running)) == (
        {TopicPartition(TOPIC, 0): 4, TopicPartition(TOPIC, 2): 4},
        [0, 2],
    )


async def test_a_lane_whose_outbox_a_newer_version_wrote_stops_and_the_others_go_on(
    lanes: Lanes, world: World
) -> None:
    world.newer.add(lane_id(GROUP, 1))
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, partition) for partition in (0, 1)})
    running = asyncio.create_task(lanes.run())
    await eventually(lambda: bool(lanes.broken) and not lanes.missing)
    assert "newer version" in lanes.broken[1]
    assert lanes.running == {0}
    assert not running.done()
    running.cancel()


async def test_a_topic_made_anew_and_filled_beyond_the_old_offset_stops_its_lane(lanes: Lanes, world: World) -> None:
    world.marks[TopicPartition(TOPIC, 1)] = b"another record"
    await recover_lanes(lanes, 0, 1)
    assert sorted(lanes.running) == [0]
    assert world.asked == {TopicPartition(TOPIC, 0): 3, TopicPartition(TOPIC, 1): 3}
    assert TopicPartition(TOPIC, 1) not in world.stands
    [trouble, _] = lanes.readiness_failures
    assert "the record before it is not the one that was worked" in trouble


async def test_a_place_that_no_record_is_given_for_any_more_stops_its_lane(lanes: Lanes, world: World) -> None:
    del world.marks[TopicPartition(TOPIC, 0)]
    await recover_lanes(lanes, 0)
    assert (list(lanes.running), len(lanes.broken)) == ([], 1)


@pytest.mark.parametrize("goes_on", [4, 5])
async def test_a_history_that_has_gone_stops_its_lane(lanes: Lanes, world: World, goes_on: int) -> None:
    # At 5 nothing was passed over, and still nobody can tell which log this is.
    world.documents[0] = a_lane(0, goes_on)
    world.first = 5
    await recover_lanes(lanes, 0)
    assert "its history has gone" in lanes.broken[0]
    assert world.asked == {}, "there is nothing to read"


async def test_a_topic_that_was_never_worked_is_begun_without_a_look(lanes: Lanes, world: World) -> None:
    world.documents[0] = Lane(GROUP, 0)
    await recover_lanes(lanes, 0)
    assert (world.stands, world.asked) == ({TopicPartition(TOPIC, 0): 0}, {})


async def test_a_client_that_never_answers_while_a_lane_is_recovered_is_asked_again(
    lanes: Lanes, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = world.lanes

    async def hang_once(*_: object) -> dict[int, Lane]:
        world.lanes = answers  # type: ignore[method-assign]
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    world.lanes = hang_once  # type: ignore[method-assign, assignment]
    monkeypatch.setattr("shared.runtime.lanes.RECOVERED_WITHIN", 0.05)
    running = asyncio.create_task(lanes.run())
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    await eventually(lambda: lanes.running, until=lambda partitions: list(partitions) == [0])
    running.cancel()


async def test_a_client_that_gives_up_by_itself_does_not_end_the_recovery(lanes: Lanes, world: World) -> None:
    answers = world.end_offsets

    async def give_up_once(_: object) -> dict[TopicPartition, int]:
        world.end_offsets = answers  # type: ignore[method-assign]
        raise asyncio.CancelledError

    world.end_offsets = give_up_once  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(lanes.run())
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    await eventually(lambda: lanes.running, until=lambda partitions: list(partitions) == [0])
    running.cancel()


async def test_what_another_commits_while_we_take_over_is_found_by_the_fence(lanes: Lanes, world: World) -> None:
    # Its events came into the outbox after we have emptied it: taken for recovered they would be left unsaid.
    world.commits_meanwhile = replace(a_lane(0, 7), next_out=3)
    before = world.documents[0]
    await recover_lanes(lanes, 0)
    assert lanes.fence([0]) == {0: before}, "our next transaction must not find what it expects"


async def test_a_lane_that_is_not_recovered_has_no_fence_to_go_by(lanes: Lanes) -> None:
    await recover_lanes(lanes, 0, 1)
    lanes.invalidate([1])
    with pytest.raises(FenceMoved):
        lanes.fence([0, 1])


async def test_parked_keys_are_read_once_and_followed(lanes: Lanes, world: World) -> None:
    world.parked = {f"{GROUP} a", f"{GROUP} b"}
    await recover_lanes(lanes, 0)
    # Before what the lane's document says they would be out of date.
    assert world.calls.index("parked") > world.calls.index("read")
    lanes.committed(ChangeSet(parked={f"{GROUP} b": (), f"{GROUP} c": (("till-1 e1", b"digest"),)}))
    assert [key for key in "abc" if lanes.may_be_parked(f"{GROUP} {key}")] == ["a", "c"]
    world.parked = {f"{GROUP} d"}
    await recover_lanes(lanes, 1)
    assert [key for key in "abcd" if lanes.may_be_parked(f"{GROUP} {key}")] == ["d"]


async def test_from_the_loss_of_its_lanes_until_new_ones_come_a_service_is_not_ready(
    lanes: Lanes, world: World
) -> None:
    await recover_lanes(lanes, 0, 1)
    await lanes.on_partitions_revoked(set())
    assert lanes.readiness_failures == [f"{GROUP} waits for its lanes"]
    assert world.forgotten == [lane_id(GROUP, 0), lane_id(GROUP, 1)]
    await recover_lanes(lanes)
    assert lanes.readiness_failures == []  # Kafka had none for us: that is well


async def test_a_passing_fault_sets_the_batch_aside_and_says_so(lanes: Lanes) -> None:
    async def fail() -> None:
        raise AutoReconnect("made up for a test")

    await recover_lanes(lanes, 0, 1)
    assert not await lanes.run_cancellable(fail(), [0])
    assert sorted(lanes.running) == [1]
    await lanes._recover()
    assert lanes.readiness_failures == [f"a batch of {GROUP} was set aside: no connection is possible"]


async def test_a_bug_in_the_shell_stops_the_lane_and_says_so(lanes: Lanes) -> None:
    async def fail() -> None:
        raise KeyError("made up for a test")

    await recover_lanes(lanes, 0, 1)
    assert not await lanes.run_cancellable(fail(), [0])
    await lanes._recover()
    assert sorted(lanes.running) == [1]
    assert any(trouble.startswith("lane 0") for trouble in lanes.readiness_failures)


async def test_a_rebalance_cancels_a_batch_that_takes_too_long(lanes: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.lanes.REVOKE_PATIENCE", 0.01)
    await recover_lanes(lanes, 0)
    holding = asyncio.create_task(lanes.run_cancellable(asyncio.Event().wait(), [0]))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await lanes.on_partitions_revoked(set())
    assert not await holding


async def test_who_cancels_the_holder_cancels_the_work_and_waits_for_its_end(lanes: Lanes) -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended = True

    await recover_lanes(lanes, 0)
    holding = asyncio.create_task(lanes.run_cancellable(work(), [0]))
    await asyncio.sleep(0.001)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert ended


async def test_a_batch_that_never_reached_its_transaction_is_fetched_again(lanes: Lanes) -> None:
    class NoRoom:
        async def wait_for_capacity(self) -> None:
            raise RuntimeError("made up for a test")

    class Record:
        topic, partition, offset = TOPIC, 0, 4

    await recover_lanes(lanes, 0, 1)
    step = object.__new__(Step)
    step._relay, step._lanes = cast("Relay", NoRoom()), lanes
    records: Any = [Record()]
    with pytest.raises(RuntimeError):
        await step.work(records, cast("AIOKafkaConsumer", None))
    assert sorted(lanes.running) == [1]


async def test_records_from_before_the_place_where_a_lane_goes_on_are_not_worked_and_it_is_recovered_anew(
    lanes: Lanes, world: World
) -> None:
    # The log has lost its end, and the client began anew at offset 0 without a word.
    await recover_lanes(lanes, 0, 1)
    world.stands = {TopicPartition(TOPIC, 0): 2, TopicPartition(TOPIC, 1): 6}
    step = object.__new__(Step)
    step._lanes = lanes
    records = [a_record(offset=offset, partition=p) for p, offset in ((0, 0), (0, 1), (1, 4), (1, 5))]
    polled = [replace(record, topic=TOPIC) for record in records]
    batch = await step._workable(polled, cast("AIOKafkaConsumer", world))
    assert {p: [record.offset for record in run] for p, run in batch.items()} == {1: [4, 5]}
    assert (lanes.missing, list(lanes.running)) == ([0], [1])


async def assign_and_run(lanes: Lanes, *partitions: int) -> None:
    """They are assigned, and `run` has done with them all that it can."""
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, p) for p in partitions})
    running = asyncio.create_task(lanes.run())
    await eventually(lambda: not lanes._invalidated.is_set() and not lanes.missing, equals=True)
    running.cancel()


async def test_a_processor_has_started_once_its_lanes_were_recovered_and_stays_so(lanes: Lanes) -> None:
    await recover_lanes(lanes)
    assert not lanes.started
    await assign_and_run(lanes, 0, 1)
    assert lanes.started
    lanes.invalidate([0])
    assert (lanes.ready, lanes.started) == (False, True)


async def test_a_processor_that_was_given_no_lane_has_started(lanes: Lanes) -> None:
    await assign_and_run(lanes)
    assert lanes.started


async def test_a_stopped_lane_does_not_keep_a_processor_from_having_started(lanes: Lanes, world: World) -> None:
    # A new process would stop it again: it must not be asked for.
    world.documents[0] = a_lane(0, 99)
    await assign_and_run(lanes, 0, 1)
    assert lanes.started
    assert not lanes.ready


async def test_where_recovered_lanes_go_on_is_known_also_for_a_topic_that_was_never_worked(
    lanes: Lanes, world: World
) -> None:
    world.documents[2] = Lane(GROUP, 2)
    await recover_lanes(lanes, 0, 2)
    assert lanes.next_offsets() == {TopicPartition(TOPIC, 0): 4, TopicPartition(TOPIC, 2): 0}
    lanes.invalidate([2])
    assert lanes.next_offsets() == {TopicPartition(TOPIC, 0): 4}


async def test_lanes_that_are_given_up_again_and_again_are_stuck_until_they_are_recovered(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = True
    recover = Lanes._recover

    async def recover_or_hang(lanes: Lanes) -> None:
        if hangs:
            await asyncio.Event().wait()
        await recover(lanes)

    monkeypatch.setattr(Lanes, "_recover", recover_or_hang)
    monkeypatch.setattr("shared.runtime.lanes.RECOVERED_WITHIN", 0.001)
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    running = asyncio.create_task(lanes.run())
    assert "did not recover within" in (await eventually(lambda: lanes.stuck) or "")
    monkeypatch.setattr("shared.runtime.lanes.RECOVERED_WITHIN", 10.0)
    hangs = False
    await eventually(lambda: lanes.stuck is None)
    assert lanes.ready
    running.cancel()


async def test_whoever_waits_for_the_batch_in_hand_urges_it_until_the_next_assignment(lanes: Lanes) -> None:
    await recover_lanes(lanes, 0)
    await lanes.on_partitions_revoked(set())
    assert lanes.draining
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    assert not lanes.draining


async def test_lanes_whose_server_is_away_are_not_stuck(lanes: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0

    async def recover_or_hang(_: Lanes) -> None:
        nonlocal rounds
        rounds += 1
        if rounds % 3 == 0:
            raise AutoReconnect("made up for a test")
        await asyncio.Event().wait()

    monkeypatch.setattr(Lanes, "_recover", recover_or_hang)
    monkeypatch.setattr("shared.runtime.lanes.RECOVERED_WITHIN", 0.001)
    await lanes.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    running = asyncio.create_task(lanes.run())
    await eventually(lambda: rounds > 6)
    assert lanes.stuck is None
    running.cancel()
