"""The relay against a producer and an outbox that fail or dawdle at will: order, and nothing deleted unsent."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from pymongo.errors import AutoReconnect

from shared.errors import NotRelayed
from shared.runtime.relay import Relay
from shared.runtime.storage import OutboxEntry, OutboxRecord, RuntimeStore, outbox_id
from tests.support.waiting import eventually

LANE = "karya.test.account/000"
OTHER = "karya.test.account/001"


def numbered(number: int, lane: str = LANE) -> OutboxEntry:
    return OutboxEntry(lane, number, OutboxRecord("out", 0, b"a", b"%d" % number, []))


class FakeKafka:
    """Notes what it took. `holds` keeps acknowledgements back, `fails` refuses."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes | None]] = []
        self.acknowledges = asyncio.Event()
        self.acknowledges.set()
        self.fails = False
        self.producers = 0

    def make(self) -> AIOKafkaProducer:
        self.producers += 1
        return cast("AIOKafkaProducer", FakeProducer(self))


class FakeProducer:
    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def partitions_for(self, _: str) -> set[int]:
        return {0}

    def create_batch(self) -> "FakeBatch":
        return FakeBatch()

    async def send_batch(self, batch: "FakeBatch", topic: str, *, partition: int) -> asyncio.Future[None]:
        if self._kafka.fails:
            raise KafkaTimeoutError
        self._kafka.taken += [(topic, value) for value in batch.values]
        return asyncio.ensure_future(self._acknowledged())

    async def _acknowledged(self) -> None:
        await self._kafka.acknowledges.wait()


class FakeBatch:
    """Takes two records."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def append(self, *, value: bytes | None, **_: Any) -> object | None:
        if len(self.values) == 2:
            return None
        self.values.append(value)
        return object()


class FakeStore:
    """An outbox in memory. `deletes` cleared keeps what is to be deleted, `fails` refuses it."""

    def __init__(self, *rows: OutboxEntry) -> None:
        self.rows = {row.id: row for row in rows}
        self.deletes = asyncio.Event()
        self.deletes.set()
        self.fails = False

    async def outbox(self, lane: str) -> list[OutboxEntry]:
        return [row for id, row in sorted(self.rows.items()) if row.lane == lane]

    async def delete_published(self, ranges: Iterable[tuple[str, str]]) -> None:
        await self.deletes.wait()
        if self.fails:
            raise AutoReconnect("made up for a test")
        for first, last in ranges:
            for id in [id for id in self.rows if first <= id <= last]:
                del self.rows[id]


def a_relay(kafka: FakeKafka, store: FakeStore) -> Relay:
    return Relay(cast("RuntimeStore", store), kafka.make)


def values(kafka: FakeKafka) -> list[int]:
    return [int(value or b"") for _, value in kafka.taken]


async def test_what_is_offered_leaves_in_order_and_is_deleted_once_acknowledged() -> None:
    rows = [numbered(n) for n in range(5)]
    kafka, store = FakeKafka(), FakeStore(*rows, numbered(5))
    relay = a_relay(kafka, store)
    relay.offer(rows)
    await relay.drain()
    assert values(kafka) == [0, 1, 2, 3, 4]
    assert list(store.rows) == [outbox_id(LANE, 5)], "only what was read and acknowledged may go"
    assert relay.idle


async def test_more_is_published_while_what_was_acknowledged_is_deleted() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(0), numbered(1))
    relay = a_relay(kafka, store)
    store.deletes.clear()
    running = asyncio.create_task(relay.run())
    for number in range(2):
        relay.offer([numbered(number)])
        await eventually(lambda: len(kafka.taken), equals=number + 1)
    assert (len(store.rows), relay.idle) == (2, False)
    store.deletes.set()
    await eventually(lambda: relay.idle, equals=True)
    assert store.rows == {}
    running.cancel()


async def test_what_could_not_be_deleted_is_deleted_before_its_lane_is_read_again() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(0))
    relay = a_relay(kafka, store)
    store.fails = True
    relay.offer([numbered(0)])
    with pytest.raises(AutoReconnect):
        await relay.drain()
    assert (values(kafka), relay.idle) == ([0], False)
    store.fails = False
    await relay.take_over(LANE)
    assert (values(kafka), store.rows, relay.idle) == ([0], {}, True)


async def test_a_lane_that_is_taken_over_says_first_what_the_database_holds_and_drops_what_it_remembers() -> None:
    rows = [numbered(n) for n in range(4)]
    kafka, store = FakeKafka(), FakeStore(*rows)
    relay = a_relay(kafka, store)
    relay.offer(rows[2:])  # remembered from an earlier time as this lane's owner
    await relay.take_over(LANE)
    await relay.drain()
    assert values(kafka) == [0, 1, 2, 3]
    assert store.rows == {}
    assert relay.idle


async def test_a_lane_lost_and_won_again_while_its_page_is_in_flight_keeps_its_order() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(0), numbered(1), numbered(7, OTHER))
    relay = a_relay(kafka, store)
    relay.offer([numbered(0), numbered(1), numbered(7, OTHER)])
    kafka.acknowledges.clear()
    draining = asyncio.create_task(relay.drain())
    await eventually(lambda: len(kafka.taken), equals=3)
    relay.forget([LANE])
    relay.offer([numbered(8, OTHER)])  # the other lane goes on meanwhile
    store.rows[outbox_id(OTHER, 8)] = numbered(8, OTHER)
    taking = asyncio.create_task(relay.take_over(LANE))
    store.rows[outbox_id(LANE, 2)] = numbered(2)  # what another owner committed in between
    kafka.acknowledges.set()
    await draining
    await taking
    relay.offer([numbered(3)])
    store.rows[outbox_id(LANE, 3)] = numbered(3)
    await relay.drain()
    assert [value for value in values(kafka) if value < 7] == [0, 1, 2, 3]
    assert [value for value in values(kafka) if value >= 7] == [7, 8]
    assert store.rows == {}
    assert relay.idle


async def test_what_kafka_did_not_acknowledge_stays_and_is_sent_again_by_a_new_producer() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(0))
    relay = a_relay(kafka, store)
    kafka.fails = True
    with pytest.raises(NotRelayed):
        await relay.take_over(LANE)
    assert list(store.rows) == [outbox_id(LANE, 0)]
    kafka.fails = False
    await relay.take_over(LANE)
    assert (values(kafka), store.rows, kafka.producers) == ([0], {}, 2)


async def test_a_relay_that_can_not_publish_says_so_until_it_can() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(0))
    relay = a_relay(kafka, store)
    kafka.fails = True
    relay.offer([numbered(0)])
    running = asyncio.create_task(relay.run())
    assert "did not take 1 records" in (await eventually(lambda: relay.failure) or "")
    kafka.fails = False
    await eventually(lambda: relay.failure is None)
    await eventually(lambda: relay.idle)
    running.cancel()
    assert store.rows == {}


async def test_the_step_is_held_back_when_too_much_waits_and_let_go_when_the_lanes_are_lost() -> None:
    relay = a_relay(FakeKafka(), FakeStore())
    relay.offer([numbered(n) for n in range(20_000)])
    waiting = asyncio.create_task(relay.wait_for_capacity())
    await asyncio.sleep(0)
    assert not waiting.done()
    relay.forget([LANE])
    await asyncio.wait_for(waiting, 1)


@pytest.mark.parametrize("half", ["_publish_waiting", "_delete_acknowledged"])
async def test_a_half_that_is_cancelled_from_within_ends_the_whole_and_is_heard_of(
    half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancel(_: Relay) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(Relay, half, cancel)
    relay = a_relay(FakeKafka(), FakeStore(numbered(1)))
    running = asyncio.create_task(relay.run())
    relay.offer([numbered(1)])
    await asyncio.wait([running], timeout=5)
    assert running.done()


async def test_who_works_waits_while_too_many_bytes_wait_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.relay.MOST_BYTES", 2)
    rows = [numbered(n) for n in range(2)]
    relay = a_relay(FakeKafka(), FakeStore(*rows))
    relay.offer(rows[:1])
    await asyncio.wait_for(relay.wait_for_capacity(), 1)
    relay.offer(rows[1:])
    waiting = asyncio.create_task(relay.wait_for_capacity())
    await asyncio.sleep(0)
    assert not waiting.done()
    await relay.drain()
    await asyncio.wait_for(waiting, 1)


async def test_an_entry_is_held_until_it_is_deleted() -> None:
    kafka, store = FakeKafka(), FakeStore(numbered(1), numbered(2))
    relay = a_relay(kafka, store)
    store.deletes.clear()
    assert not relay.holds(LANE, outbox_id(LANE, 1))
    relay.offer([numbered(1), numbered(2)])
    assert [relay.holds(LANE, outbox_id(LANE, n)) for n in range(3)] == [False, True, True]
    assert not relay.holds(OTHER, outbox_id(OTHER, 1))
    draining = asyncio.create_task(relay.drain())
    await eventually(lambda: len(kafka.taken), equals=2)
    assert relay.holds(LANE, outbox_id(LANE, 2)), "it is not deleted yet"
    store.deletes.set()
    await draining
    assert not relay.holds(LANE, outbox_id(LANE, 2))
