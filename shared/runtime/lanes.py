"""The lanes that this instance works, and the position of each.

A lane is *running* when three things hold. Its outbox was relayed, its consumer stands where the lane document says,
and that document is held here as the state that the next transaction must find. Start, rebalance, a failed step and a
moved fence have one remedy: the lane is invalidated, and `run` recovers it. Records of a lane that is not running are
passed over, because recovery seeks back to them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from shared.causes import cause_of
from shared.errors import FenceMoved, LaneOutOfRange, UnknownVersion
from shared.retry import PASSING, attempts
from shared.runtime.relay import Relay
from shared.runtime.storage import ChangeSet, Lane, RuntimeStore, lane_id
from shared.timeouts import hard_timeout

log = structlog.get_logger()

# How long a rebalance waits for the batch in hand. Cancelling it then is safe: the lane document decides.
REVOKE_PATIENCE = 5.0
# Bound on waiting for a cancelled batch: an unreachable server cannot receive the abort.
GIVEN_UP_WITHIN = 0.5
# Far longer than publishing a full outbox takes: a recovery that is not done by then hangs in a client.
RECOVERED_WITHIN = 60.0
# A client that hangs this often in a row keeps hanging, even with its servers up. Only a new process helps.
MOST_RECOVERY_TIMEOUTS = 3
# The cluster in a lane document while `karya rebuild --switch` replaces the database.
SWITCHING = "switching"
# Longer than a batch is retried, so that a batch which is set aside again and again is reported without gaps.
SET_ASIDE_SHOWN = 15.0


# The marks of the records at these offsets.
MarksAt: TypeAlias = Callable[[Mapping[TopicPartition, int]], Awaitable[Mapping[TopicPartition, bytes]]]
_MADE_ANEW = "the topic was made anew or its history has gone. See docs/operations.md: a topic made anew."


@dataclass(frozen=True, slots=True)
class _Log:
    """Kafka's logs by topic and partition: first offset, end, and the mark of the record worked last."""

    first: Mapping[TopicPartition, int]
    end: Mapping[TopicPartition, int]
    marks: Mapping[TopicPartition, bytes]


class Lanes(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """The lanes of one processor in this instance. `topics` are full names; `cluster` is Kafka's id of itself."""

    def __init__(
        self, group: str, topics: Sequence[str], store: RuntimeStore, relay: Relay, cluster: str, marks_at: MarksAt
    ) -> None:
        self.group = group
        self.working = asyncio.Lock()
        self.cluster = cluster
        self.broken: dict[int, str] = {}
        # True for ever once Kafka assigned the lanes (perhaps none) and each of them ran or was stopped.
        self.started = False
        # True while a rebalance or a stop waits for the batch in hand: only its open transaction is still finished.
        self.draining = False
        self._in_hand: asyncio.Task[None] | None = None
        self._topics = tuple(topics)
        self._store = store
        self._relay = relay
        self._marks_at = marks_at
        self._find_consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._assignment: frozenset[int] = frozenset()
        self._expected: dict[int, Lane] = {}
        self._parked: set[str] = set()
        self._first: dict[TopicPartition, int] = {}
        self._assigned = False
        self._recovery_timeouts = 0
        self._set_aside: tuple[float, str] | None = None
        self._invalidated = asyncio.Event()

    # --- called by the step

    def expected(self, partition: int) -> Lane | None:
        """The lane as its document must be found, or None while it is not running."""
        return self._expected.get(partition)

    def fence(self, partitions: Iterable[int]) -> dict[int, Lane]:
        """These lanes as a transaction must find their documents. Raises FenceMoved when one is not running."""
        try:
            return {partition: self._expected[partition] for partition in partitions}
        except KeyError as partition:
            raise FenceMoved(f"lane {partition} of {self.group} is not running") from None

    def may_be_parked(self, id: str) -> bool:
        """False for a key (`<group> <key>`) of a running lane that is certainly not parked.

        Only the owner of a lane parks and frees its keys, under the fence. So the keys read at recovery, with the
        changes since, are complete.
        """
        return id in self._parked

    def committed(self, changes: ChangeSet) -> None:
        """Take note of a transaction that this instance committed."""
        lanes = changes.lanes.values()
        self._expected.update({lane.partition: lane for lane in lanes if lane.partition in self._expected})
        for id, waiting in changes.parked.items():
            if waiting:
                self._parked.add(id)
            else:
                self._parked.discard(id)

    async def run_cancellable(self, work: Coroutine[Any, Any, None], partitions: Iterable[int]) -> bool:
        """Run `work` on these lanes so that a rebalance can wait for it or cancel it. Call with `working` held.

        Returns False if the work was not done. The lanes are recovered then, and Kafka gives their records again.
        """
        self._in_hand = task = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        fault = None if task.cancelled() else task.exception()
        if fault is None and not task.cancelled():
            return True
        if fault is None or isinstance(fault, (*PASSING, FenceMoved)):
            log.warning("batch_set_aside", group=self.group, fault=repr(fault)[:300])
            why = str(cause_of(fault)) if fault is not None else "a rebalance did not wait for it"
            self._set_aside = (time.monotonic(), why)
        else:
            # A retry would fail in the same way: a lane that stops and is reported beats one that spins.
            self.broken.update(dict.fromkeys(partitions, repr(fault)))
            log.critical("lane_stopped", group=self.group, lanes=sorted(partitions), exc_info=fault)
        self.invalidate(partitions)
        return False

    def invalidate(self, partitions: Iterable[int]) -> None:
        """Stop these lanes after a fault, and have `run` recover them."""
        for partition in set(partitions) & self._assignment:
            self._expected.pop(partition, None)
            self._pause(partition)
        self._invalidated.set()

    def drain(self) -> None:
        """Let the batch in hand finish only its open transaction."""
        self.draining = True

    async def give_up(self) -> None:
        """Cancel the batch in hand, if there is one, and wait a moment for its end. The lane document tells whether
        its transaction was committed."""
        if self._in_hand is not None and not self._in_hand.done():
            log.warning("batch_cancelled", group=self.group)
            self._in_hand.cancel()
            await asyncio.wait([self._in_hand], timeout=GIVEN_UP_WITHIN)

    @property
    def running(self) -> Collection[int]:
        """The partitions of the running lanes."""
        return self._expected.keys()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of the processor, with their prefix."""
        return self._topics

    def next_offsets(self) -> dict[TopicPartition, int]:
        """The offset of the next record to work, for every topic of the running lanes."""
        return {
            (part := TopicPartition(topic, lane.partition)): lane.offsets.get(topic, self._first[part])
            for lane in self._expected.values()
            for topic in self._topics
        }

    @property
    def missing(self) -> list[int]:
        """Assigned lanes that are neither running nor stopped."""
        return sorted(self._assignment - self._expected.keys() - self.broken.keys())

    @property
    def ready(self) -> bool:
        """True when Kafka has assigned lanes (perhaps none) and each of them is running."""
        return self._assigned and len(self._expected) == len(self._assignment)

    @property
    def stuck(self) -> str | None:
        """A sentence on why these lanes can't recover in this process any more, or None."""
        if self._recovery_timeouts < MOST_RECOVERY_TIMEOUTS:
            return None
        return (
            f"the lanes of {self.group} did not recover within {RECOVERED_WITHIN:g} s, "
            f"{self._recovery_timeouts} times in a row"
        )

    @property
    def readiness_failures(self) -> list[str]:
        """Sentences on why not all lanes of the processor are running."""
        failures = [f"lane {p} of {self.group}: {why}" for p, why in self.broken.items()]
        if not self.ready:
            failures.append(f"{self.group} waits for its lanes")
        if self._set_aside is not None and time.monotonic() - self._set_aside[0] < SET_ASIDE_SHOWN:
            failures.append(f"a batch of {self.group} was set aside: {self._set_aside[1]}")
        return failures

    # --- called by Kafka's client

    def bind_consumer(self, consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        """Set how to find the consumer that these lanes listen to: the subscriber makes it only at its start."""
        self._find_consumer = consumer

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._find_consumer()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all of them are
        revoked_lanes, self._assignment, self._assigned = self._assignment, frozenset(), False
        self.drain()
        if self._in_hand is not None:
            await asyncio.wait([self._in_hand], timeout=REVOKE_PATIENCE)
            await self.give_up()
        self._relay.forget([lane_id(self.group, partition) for partition in revoked_lanes])
        self._expected.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._expected.clear()
        self._parked.clear()
        self.broken.clear()
        self.draining = False
        self._assignment = frozenset(tp.partition for tp in assigned)
        self._assigned = True
        for partition in self._assignment:
            self._pause(partition)
        self._invalidated.set()
        log.info("lanes_assigned", group=self.group, lanes=sorted(self._assignment))

    # --- recovery

    async def run(self) -> None:
        """Recover invalidated lanes, for ever. A passing fault is retried with back-off until it has passed."""
        while True:
            await self._invalidated.wait()
            self._invalidated.clear()
            async for attempt in attempts():
                try:
                    await hard_timeout(RECOVERED_WITHIN, self._recover())
                    self.started = self.started or (self._assigned and not self.missing)
                    self._recovery_timeouts = 0
                    break
                except PASSING as fault:
                    # Any other fault reached a server, so the client does not hang.
                    self._recovery_timeouts = self._recovery_timeouts + 1 if isinstance(fault, TimeoutError) else 0
                    log.warning("lane_recovery_retry", group=self.group, attempt=attempt, fault=repr(fault))

    async def _recover(self) -> None:
        assignment = self._assignment
        missing = self.missing
        consumer = self._consumer
        if not missing or consumer is None:
            return
        # The document before the outbox and the parked keys: a commit by another instance in between is then missing
        # from the expected document, and the next transaction finds the fence moved. In the other order the events of
        # that commit would stay unpublished.
        lanes = await self._store.lanes(self.group, missing)
        self._parked |= await self._store.parked_keys(self.group)
        unreadable: dict[int, str] = {}
        for partition in missing:
            try:
                await self._relay.take_over(lane_id(self.group, partition))
            except UnknownVersion as fault:
                # Only this lane was written by a newer version. The others go on.
                unreadable[partition] = str(fault)
        logs = await self._read_logs(consumer, lanes.values())
        # No await from here on: the checks must still hold when their results are used.
        for partition, lane in lanes.items():
            if self._assignment is not assignment:
                return  # a rebalance came in between, and has set the event again
            if partition in unreadable:
                self._stop(partition, unreadable[partition])
                continue
            try:
                self._resume(consumer, lane, logs)
            except LaneOutOfRange as fault:
                self._stop(partition, str(fault))
        log.info("lanes_recovered", group=self.group, lanes=missing)

    def _stop(self, partition: int, why: str) -> None:
        """Leave the lane to a person: no retry can help it."""
        self.broken[partition] = why
        log.critical("lane_stopped", group=self.group, lane=partition, why=why)

    async def _read_logs(self, consumer: AIOKafkaConsumer, lanes: Iterable[Lane]) -> _Log:
        parts = {TopicPartition(topic, lane.partition): lane for lane in lanes for topic in self._topics}
        first = await consumer.beginning_offsets(list(parts))
        end = await consumer.end_offsets(list(parts))
        last = {part: lane.offsets[part.topic] - 1 for part, lane in parts.items() if part.topic in lane.offsets}
        marks = await self._marks_at({part: at for part, at in last.items() if first[part] <= at < end[part]})
        return _Log(first, end, marks)

    def _resume(self, consumer: AIOKafkaConsumer, lane: Lane, logs: _Log) -> None:
        if lane.cluster == SWITCHING:
            raise LaneOutOfRange(
                f"{lane.id} is being switched to a rebuilt database: let `karya rebuild --switch` come to its end "
                "(it can be repeated), then start the service again."
            )
        if lane.cluster not in ("", self.cluster):
            raise LaneOutOfRange(
                f"{lane.id} was worked from Kafka cluster {lane.cluster}, this is {self.cluster}: "
                "point the service at its own cluster, or at a new database."
            )
        for topic in self._topics:
            part = TopicPartition(topic, lane.partition)
            first, end = logs.first[part], logs.end[part]
            position = lane.offsets.get(topic, first)
            if not first <= position <= end:
                raise LaneOutOfRange(
                    f"{lane.id} goes on at {position} of {topic}, but Kafka has {first} to {end}: {_MADE_ANEW}"
                )
            if topic in lane.marks and logs.marks.get(part) != lane.marks[topic]:
                raise LaneOutOfRange(
                    f"{lane.id} goes on at {position} of {topic}, but the record before it is not the one that was "
                    f"worked: {_MADE_ANEW}"
                )
            consumer.seek(part, position)
            self._first[part] = first
        self._expected[lane.partition] = lane
        consumer.resume(*(TopicPartition(topic, lane.partition) for topic in self._topics))

    def _pause(self, partition: int) -> None:
        consumer = self._consumer
        if consumer is not None:
            with suppress(IllegalStateError):  # no longer ours: nothing will come of it
                consumer.pause(*(TopicPartition(topic, partition) for topic in self._topics))
