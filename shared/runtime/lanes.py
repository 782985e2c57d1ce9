"""Which lanes this instance works, and where each goes on.

A lane is *settled* when its outbox was relayed, its consumer stands where the lane document says, and that
document is held here as what the next transaction must find. Start, rebalance, a failed step and a
moved fence all mend themselves the same way: the lane is unsettled, and `run` settles it again. Records of a lane
that is not settled are passed over: settling seeks back to them.
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

from shared.errors import FenceMoved, LaneOutOfRange
from shared.retry import PASSING, attempts
from shared.runtime.ledger import Lane, Ledger, Writes, lane_id
from shared.runtime.relay import Relay
from shared.within import within

log = structlog.get_logger()

# How long a rebalance waits for the batch in hand. Cancelling it then is safe: the lane document decides.
REVOKE_PATIENCE = 5.0
# A server that does not answer is not told of it either.
GIVEN_UP_WITHIN = 0.5
# Far more than all that an outbox may hold takes: whoever is not done then hangs in a client.
SETTLED_WITHIN = 60.0
# A client that hangs so often goes on to hang, though the servers are there: only a new process helps.
MOST_GIVEN_UP = 3
# What stands in a lane's document for its cluster while `karya rebuild --switch` changes the database below it.
SWITCHING = "switching"
# Longer than a batch is tried again for, so that one that is set aside over and over shows all the time.
SET_ASIDE_SHOWN = 15.0


# The marks of the records at these offsets.
MarksAt: TypeAlias = Callable[[Mapping[TopicPartition, int]], Awaitable[Mapping[TopicPartition, bytes]]]
_MADE_ANEW = "the topic was made anew or its history has gone. See docs/operations.md: a topic made anew."


@dataclass(frozen=True, slots=True)
class _Log:
    """What Kafka has, by topic and partition: the first offset, the end, and the marks of records worked last."""

    first: Mapping[TopicPartition, int]
    end: Mapping[TopicPartition, int]
    marks: Mapping[TopicPartition, bytes]


class Lanes(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """The lanes of one key family in this instance. `topics` are full names; `cluster` is Kafka's id of itself."""

    def __init__(
        self, group: str, topics: Sequence[str], ledger: Ledger, relay: Relay, cluster: str, marks_at: MarksAt
    ) -> None:
        self.group = group
        self.working = asyncio.Lock()
        self.cluster = cluster
        self.broken: dict[int, str] = {}
        # Once for all: Kafka gave us our part (perhaps none), and each lane of it came to work or was stopped.
        self.started = False
        # Somebody waits for the batch in hand: only what is in a transaction shall still be done.
        self.urged = False
        self._in_hand: asyncio.Task[None] | None = None
        self._topics = tuple(topics)
        self._ledger = ledger
        self._relay = relay
        self._marks_at = marks_at
        self._find_consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._assignment: frozenset[int] = frozenset()
        self._expected: dict[int, Lane] = {}
        self._parked: set[str] = set()
        self._first: dict[TopicPartition, int] = {}
        self._assigned = False
        self._given_up = 0
        self._set_aside: tuple[float, str] | None = None
        self._unsettled = asyncio.Event()

    # --- what the step asks

    def expected(self, partition: int) -> Lane | None:
        """The lane as its document must be found, or None while it is not settled."""
        return self._expected.get(partition)

    def fence(self, partitions: Iterable[int]) -> dict[int, Lane]:
        """These lanes as a transaction must find their documents. Raises FenceMoved when one is not settled."""
        try:
            return {partition: self._expected[partition] for partition in partitions}
        except KeyError as unsettled:
            raise FenceMoved(f"lane {unsettled} of {self.group} is not settled") from None

    def perhaps_parked(self, id: str) -> bool:
        """False for a key (`<group> <key>`) of a settled lane that is surely not parked. Only the owner of its lane
        parks a key or lets it go, under the fence: what was read at the settling and followed since is enough."""
        return id in self._parked

    def committed(self, writes: Writes) -> None:
        """A transaction of these lanes was committed by us."""
        lanes = writes.lanes.values()
        self._expected.update({lane.partition: lane for lane in lanes if lane.partition in self._expected})
        for id, waiting in writes.parked.items():
            if waiting:
                self._parked.add(id)
            else:
                self._parked.discard(id)

    async def hold(self, work: Coroutine[Any, Any, None], partitions: Iterable[int]) -> bool:
        """Do `work` on these lanes so that a rebalance can wait for it or cancel it. False if it was not done:
        the lanes are settled anew then, and Kafka gives the records again. Call with `working` held."""
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
            self._set_aside = (time.monotonic(), repr(fault)[:300])
        else:
            # Trying again would fail again: better to stand still and say so than to spin.
            self.broken.update(dict.fromkeys(partitions, repr(fault)))
            log.critical("lane_stopped", group=self.group, lanes=sorted(partitions), exc_info=fault)
        self.unsettle(partitions)
        return False

    def unsettle(self, partitions: Iterable[int]) -> None:
        """Something went wrong: stop these lanes here and settle them anew."""
        for partition in set(partitions) & self._assignment:
            self._expected.pop(partition, None)
            self._pause(partition)
        self._unsettled.set()

    def urge(self) -> None:
        """No more than what is in a transaction shall be done of the batch in hand."""
        self.urged = True

    async def give_up(self) -> None:
        """Cancel the batch in hand, if there still is one, and wait a moment for its end. Whether its transaction was
        committed the lane's document tells."""
        if self._in_hand is not None and not self._in_hand.done():
            log.warning("batch_cancelled", group=self.group)
            self._in_hand.cancel()
            await asyncio.wait([self._in_hand], timeout=GIVEN_UP_WITHIN)

    @property
    def settled(self) -> Collection[int]:
        return self._expected.keys()

    def nexts(self) -> dict[TopicPartition, int]:
        """The offset of the next record to be worked, of all topics of the settled lanes."""
        return {
            (part := TopicPartition(topic, lane.partition)): lane.offsets.get(topic, self._first[part])
            for lane in self._expected.values()
            for topic in self._topics
        }

    @property
    def missing(self) -> list[int]:
        """Lanes that are ours and neither settled nor stopped."""
        return sorted(self._assignment - self._expected.keys() - self.broken.keys())

    @property
    def ready(self) -> bool:
        """Kafka has given us our part (perhaps none), and every lane of it is at work."""
        return self._assigned and len(self._expected) == len(self._assignment)

    @property
    def stuck(self) -> str | None:
        """Why nobody will settle these lanes in this process any more, in words."""
        if self._given_up < MOST_GIVEN_UP:
            return None
        return (
            f"the lanes of {self.group} were not settled within {SETTLED_WITHIN:g} s {self._given_up} times in a row"
        )

    @property
    def troubles(self) -> list[str]:
        """Why this family's lanes are not all at work, in words."""
        found = [f"lane {p} of {self.group}: {why}" for p, why in self.broken.items()]
        if not self.ready:
            found.append(f"{self.group} waits for its lanes")
        if self._set_aside is not None and time.monotonic() - self._set_aside[0] < SET_ASIDE_SHOWN:
            found.append(f"a batch of {self.group} was set aside: {self._set_aside[1]}")
        return found

    # --- what Kafka tells

    def follow(self, consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        """Where to find the consumer whose listener this is: it is made only when the subscriber starts."""
        self._find_consumer = consumer

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._find_consumer()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all of them are
        ours, self._assignment, self._assigned = self._assignment, frozenset(), False
        self.urge()
        if self._in_hand is not None:
            await asyncio.wait([self._in_hand], timeout=REVOKE_PATIENCE)
            await self.give_up()
        self._relay.forget([lane_id(self.group, partition) for partition in ours])
        self._expected.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._expected.clear()
        self._parked.clear()
        self.broken.clear()
        self.urged = False
        self._assignment = frozenset(tp.partition for tp in assigned)
        self._assigned = True
        for partition in self._assignment:
            self._pause(partition)
        self._unsettled.set()
        log.info("lanes_assigned", group=self.group, lanes=sorted(self._assignment))

    # --- settling

    async def run(self) -> None:
        """Settle what is unsettled, for ever; a passing fault is retried with back-off until it has passed."""
        while True:
            await self._unsettled.wait()
            self._unsettled.clear()
            async for attempt in attempts():
                try:
                    await within(SETTLED_WITHIN, self._settle())
                    self.started = self.started or (self._assigned and not self.missing)
                    self._given_up = 0
                    break
                except PASSING as fault:
                    # One that fails in another way got through: its server is away, or was.
                    self._given_up = self._given_up + 1 if isinstance(fault, TimeoutError) else 0
                    log.warning("lanes_wait", group=self.group, attempt=attempt, fault=repr(fault))

    async def _settle(self) -> None:
        assignment = self._assignment
        missing = self.missing
        consumer = self._consumer
        if not missing or consumer is None:
            return
        # The document before the outbox and the parked keys: what another commits in between is not in the document
        # that we expect, so our next transaction finds the fence moved. The other way round its events would be left
        # unsaid.
        lanes = await self._ledger.lanes(self.group, missing)
        self._parked |= await self._ledger.parked_keys(self.group)
        for partition in missing:
            await self._relay.take_over(lane_id(self.group, partition))
        there = await self._look(consumer, lanes.values())
        # No await from here on: what is checked now must still be so when it is used.
        for partition, lane in lanes.items():
            if self._assignment is not assignment:
                return  # a rebalance came in between: it has woken us again
            try:
                self._resume(consumer, lane, there)
            except LaneOutOfRange as bad:
                self.broken[partition] = str(bad)
                log.critical("lane_stopped", group=self.group, lane=partition, why=str(bad))
        log.info("lanes_settled", group=self.group, lanes=missing)

    async def _look(self, consumer: AIOKafkaConsumer, lanes: Iterable[Lane]) -> _Log:
        parts = {TopicPartition(topic, lane.partition): lane for lane in lanes for topic in self._topics}
        first = await consumer.beginning_offsets(list(parts))
        end = await consumer.end_offsets(list(parts))
        last = {part: lane.offsets[part.topic] - 1 for part, lane in parts.items() if part.topic in lane.offsets}
        marks = await self._marks_at({part: at for part, at in last.items() if first[part] <= at < end[part]})
        return _Log(first, end, marks)

    def _resume(self, consumer: AIOKafkaConsumer, lane: Lane, there: _Log) -> None:
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
            first, end = there.first[part], there.end[part]
            goes_on = lane.offsets.get(topic, first)
            if not first <= goes_on <= end:
                raise LaneOutOfRange(
                    f"{lane.id} goes on at {goes_on} of {topic}, but Kafka has {first} to {end}: {_MADE_ANEW}"
                )
            if topic in lane.marks and there.marks.get(part) != lane.marks[topic]:
                raise LaneOutOfRange(
                    f"{lane.id} goes on at {goes_on} of {topic}, but the record before it is not the one that was "
                    f"worked: {_MADE_ANEW}"
                )
            consumer.seek(part, goes_on)
            self._first[part] = first
        self._expected[lane.partition] = lane
        consumer.resume(*(TopicPartition(topic, lane.partition) for topic in self._topics))

    def _pause(self, partition: int) -> None:
        consumer = self._consumer
        if consumer is not None:
            with suppress(IllegalStateError):  # no longer ours: nothing will come of it
                consumer.pause(*(TopicPartition(topic, partition) for topic in self._topics))
