"""Kafka and the step in memory: what the shell does around `decide`, with dictionaries for servers.

The batch itself (duplicates, dead letters, parked keys, ids, numbers) is the real one. What Kafka may do is left to
the test: which lanes and topics a poll gives and how many records of each, what the relay has said when it dies and
says again, when a deadline comes. What it may not do (another order within a partition) can't be done here.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import bson
from aiokafka import ConsumerRecord
from bson.codec_options import CodecOptions
from pymongo import ReplaceOne

from shared import envelope
from shared.derivation import named_id
from shared.errors import Unusable
from shared.events.journal import BatchWorked, journal
from shared.events.language import Body, DeadlineReached, Event, Topic
from shared.kafka import partition_for, partition_for_bytes
from shared.runtime.batch import Batch, Item, Loaded, parked_id, reads_of
from shared.runtime.dlq import BUG, KEY_PARKED, original_headers
from shared.runtime.processor import Collection, Decision, Processor
from shared.runtime.state import State
from shared.runtime.storage import ChangeSet, Lane, OutboxEntry, OutboxRecord, ParkedEvents, Timer, lane_id
from tests.support.reading import Stored, load

Record: TypeAlias = ConsumerRecord[Any, Any]
Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

NOON = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)
PARTITIONS = 2
_UTC = CodecOptions[Mapping[str, Any]](tz_aware=True, tzinfo=UTC)

B = TypeVar("B", bound=Body)
E = TypeVar("E")


class BrokenOnPurpose(Exception):
    """A bug of `decide` that a test has planted."""


class Kafka:
    """Every topic's partitions. `now` is Kafka's clock: each record is taken in a millisecond after the last."""

    def __init__(self) -> None:
        self.now = NOON
        self.logs: dict[str, list[list[Record]]] = defaultdict(lambda: [[] for _ in range(PARTITIONS)])
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        self._ids = 0
        self._decoded: dict[tuple[str, int, int], Event | None] = {}

    def say(self, topic: Topic, body: Body, *, id: str | None = None, source: str = "test") -> str:
        """One event, as a terminal, an organiser or a till sends it; its id."""
        id = id or self.next_id()
        headers = envelope.headers(id=id, source=source, topic=topic, body=body, time=self.now)
        self.append(topic.name, topic.key_of(body).encode(), envelope.encode(body), headers)
        return id

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None = None
    ) -> None:
        self.now += timedelta(milliseconds=1)
        at = partition_for_bytes(key or b"", PARTITIONS) if partition is None else partition
        record = ConsumerRecord(
            topic=topic,
            partition=at,
            offset=self._ends[topic, at],
            timestamp=int(self.now.timestamp() * 1000),
            timestamp_type=1,
            key=key,
            value=value,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=tuple(headers),
        )
        self._ends[topic, at] += 1
        self.logs[topic][at].append(record)

    def leave_a_hole(self, topic: str, partition: int) -> None:
        """An offset that no record is given for, as a transaction leaves it."""
        self._ends[topic, partition] += 1

    def read(self, topic: str, partition: int, first: int = 0, next: int | None = None) -> list[Record]:
        """The records from offset `first` up to, not including, `next` (or to the end)."""
        log, place = self.logs[topic][partition], attrgetter("offset")
        end = len(log) if next is None else bisect_left(log, next, key=place)
        return log[bisect_left(log, first, key=place) : end]

    def records(self, topic: str) -> list[Record]:
        """All of a topic, each partition in its order."""
        return [record for log in self.logs[topic] for record in log]

    def events(self, topic: Topic) -> list[Event]:
        """What a reader of the topic has in effect: what can be decoded, each event once, keys in their own order."""
        events: dict[str, Event] = {}
        for record in self.records(topic.name):
            event = self.event(topic, record)
            if event is not None:
                events.setdefault(f"{event.source} {event.id}", event)
        return list(events.values())

    def event(self, topic: Topic, record: Record) -> Event | None:
        """The event in a record, or None if nobody can decode it."""
        place = (record.topic, record.partition, record.offset)
        if place not in self._decoded:
            try:
                self._decoded[place] = envelope.decode(topic, record)
            except Unusable:
                self._decoded[place] = None
        return self._decoded[place]

    def bodies(self, topic: Topic, kind: type[B]) -> list[B]:
        """The bodies of this class, each event once, keys in their own order."""
        return [event.body for event in self.events(topic) if isinstance(event.body, kind)]

    def next_id(self) -> str:
        self._ids += 1
        return str(UUID(int=self._ids))


@dataclass(slots=True)
class Line:
    """One processor at work. `broken`: ids of events on which its rules fail, until they are mended."""

    processor: Processor
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.processor = self.processor.with_decide(self._fails_where_broken(self.processor.decide))

    def _fails_where_broken(self, decide: Callable[[State, Event], Decision]) -> Callable[[State, Event], Decision]:
        def decide_or_fail(state: State, event: Event) -> Decision:
            state, publications = decide(state, event)
            if event.id in self.broken:
                raise BrokenOnPurpose(event.id)
            return state, publications

        return decide_or_fail


class ServiceShell:
    """One service's database, and its processors at work on it. Documents are kept as the BSON that they become."""

    def __init__(self, kafka: Kafka, processors: Iterable[Processor]) -> None:
        self.kafka = kafka
        self.lines = [Line(processor) for processor in processors]
        self.documents: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.ledger: dict[str, bytes] = {}
        self.parked: dict[str, ParkedEvents] = {}
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.outbox: dict[str, list[OutboxEntry]] = defaultdict(list)
        self.deadlines: dict[str, Timer] = {}
        self.commits = 0

    # what the machinery does

    def behind(self, line: Line, partition: int) -> int:
        """Records of a lane that are not worked yet."""
        return sum(len(rest) for rest in self.unread(line, partition).values())

    def work(self, line: Line, polls: Mapping[int, Sequence[tuple[str, int]]]) -> None:
        """One batch: per lane what a poll gave, as topics (in the order given) and how many records of each."""
        processor = line.processor
        items: dict[int, list[Item]] = {}
        for partition, runs in polls.items():
            unread = self.unread(line, partition)
            records = [record for topic, most in runs for record in unread[topic][:most]]
            if records:
                items[partition] = [self._decode(processor, record) for record in records]
        if not items:
            return
        writes = self._attempt(processor, items)
        again = self._attempt(processor, items)
        assert (writes.outbox, writes.ledger, writes.lanes) == (again.outbox, again.ledger, again.lanes), (
            "a transaction that is rolled back and begun again must say the same"
        )
        self._commit(writes)

    def poll(self, line: Line, partitions: Iterable[int], topics: int, first: int, most: int) -> None:
        """A batch of `most` records of each of so many topics, beginning with the topic at `first`."""
        names = [topic.name for topic in line.processor.topics]
        turned = [names[(first + n) % len(names)] for n in range(min(topics, len(names)))]
        self.work(line, {partition: [(name, most) for name in turned] for partition in partitions})

    def relay(self, lane: str, most: int, *, dies: bool = False) -> None:
        """Publish the first of what the lane has to say; one that dies before it deletes them will say them again."""
        page = self.outbox[lane][:most]
        for numbered in page:
            record = numbered.record
            self.kafka.append(record.topic, record.key, record.value, record.headers, record.partition)
        if not dies:
            del self.outbox[lane][:most]

    def ring(self, due: Timer) -> None:
        """Say a deadline whose time has come, as the clock does: it is deleted with what is said of it."""
        processor = next(line.processor for line in self.lines if due.id.startswith(f"{line.processor.group} "))
        assert processor.deadlines is not None
        partition = partition_for(due.key, PARTITIONS)
        body = DeadlineReached(key=due.key, deadline=due.deadline, due=due.due)
        headers = envelope.headers(
            id=named_id(due.id, envelope.rfc3339(due.due), 0),
            source=f"karya/{processor.service}",
            topic=processor.deadlines,
            body=body,
            time=due.due,
            cause=due.deadline,
        )
        writes = ChangeSet(lanes={partition: self._lane(processor, partition)})
        writes.send(
            partition,
            [OutboxRecord(processor.deadlines.name, None, due.key.encode(), envelope.encode(body), headers)],
        )
        writes.deadlines_reached.append(due.id)
        self._commit(writes)

    def mend(self) -> None:
        """The planted bugs are mended; what is parked is replayed in its order, one record after the other."""
        for line in self.lines:
            line.broken.clear()
            self.drain(line)
            while waiting := sorted(id for id in self.parked if id.startswith(f"{line.processor.group} ")):
                for id in waiting:
                    self._replay(line, *self.parked[id][0])
                self.drain(line)

    def drain(self, line: Line) -> None:
        """Work all that the processor's lanes hold and publish what is said of it."""
        self.work_all(line)
        self.relay_all()

    def work_all(self, line: Line) -> None:
        for partition in range(PARTITIONS):
            while self.behind(line, partition):
                self.poll(line, [partition], len(line.processor.topics), 0, 100)

    def relay_all(self) -> None:
        for lane in self.speaking:
            self.relay(lane, len(self.outbox[lane]))

    @property
    def speaking(self) -> list[str]:
        """The lanes that have something to say."""
        return sorted(lane for lane, waiting in self.outbox.items() if waiting)

    @property
    def quiet(self) -> bool:
        return not any(self.outbox.values()) and not any(
            self.behind(line, partition) for line in self.lines for partition in range(PARTITIONS)
        )

    # what is so

    def all(self, entity: type[E]) -> list[E]:
        """Every entity of a class, as its document says."""
        collection = self._collection(entity)
        return [collection.from_document(_read(raw)) for _, raw in sorted(self.documents[collection.name].items())]

    def letters(self) -> Iterator[tuple[str, Record]]:
        """Every dead letter, with its reason."""
        for topic in {topic.name for line in self.lines for topic in line.processor.topics}:
            for record in self.kafka.records(f"{topic}.dlq"):
                yield envelope.header(record.headers, "dlq_reason") or "", record

    def check_count(self) -> None:
        """Every record that was worked is in the ledger, or a letter, or says again what was worked or is parked."""
        letters = [record for _, record in self.letters()]
        letters += [n.record for run in self.outbox.values() for n in run if n.record.topic.endswith(".dlq")]
        places = {_place(letter) for letter in letters}
        parked = {(_ledger_id(letter), envelope.digest(letter.value or b"")) for letter in letters}
        worked: set[str] = set()
        for line in self.lines:
            for record in self._worked(line):
                item = self._decode(line.processor, record)
                if (record.topic, record.partition, record.offset) in places:
                    continue
                assert item.event is not None, f"{item.reason} without a letter"
                if item.ledger_id in self.ledger:
                    assert self.ledger[item.ledger_id] == item.digest, f"{item.ledger_id} was dropped in silence"
                    worked.add(item.ledger_id)
                else:
                    assert (item.ledger_id, item.digest) in parked, f"{item.ledger_id} is lost"
        assert worked == set(self.ledger), "the ledger holds what never came"

    def check_nothing_waits(self) -> None:
        """Nothing is parked, and every letter that was held back by a bug was worked since."""
        assert not self.parked
        for reason, letter in self.letters():
            if reason in (BUG, KEY_PARKED):
                assert self.ledger.get(_ledger_id(letter)) == envelope.digest(letter.value or b""), "lost in the DLQ"

    def _worked(self, line: Line) -> Iterator[Record]:
        for partition in range(PARTITIONS):
            offsets = self._lane(line.processor, partition).offsets
            for topic in line.processor.topics:
                yield from self.kafka.read(topic.name, partition, next=offsets.get(topic.name, 0))

    def worked_in_order(self, line: Line) -> Iterator[Event]:
        """The events that the ledger holds in the order in which they were worked, lane after lane, as the journal
        tells it. Of a run without a bug only: what was parked was worked at its replay."""
        worked_keys: set[str] = set()
        for lane in range(PARTITIONS):
            keys: set[str] = set()
            for record in self.kafka.logs[journal(line.processor.service).name][lane]:
                entry = BatchWorked.model_validate_json(record.value or b"")
                if entry.lane != lane_id(line.processor.group, lane) or (id := str(entry.batch)) in keys:
                    continue
                keys.add(id)
                for part in entry.ranges:
                    for worked in self.kafka.read(part.topic, lane, part.first, part.next):
                        item = self._decode(line.processor, worked)
                        if item.event is None or item.ledger_id in worked_keys or not self._counted(item):
                            continue
                        worked_keys.add(item.ledger_id)
                        yield item.event

    def _counted(self, item: Item) -> bool:
        return self.ledger.get(item.ledger_id) == item.digest

    # the step

    def _attempt(self, processor: Processor, items: Mapping[int, list[Item]]) -> ChangeSet:
        lanes = {partition: self._lane(processor, partition) for partition in items}
        batch = Batch(processor, "", lanes, self._load(processor, [item for run in items.values() for item in run]))
        for partition, run in items.items():
            batch.work(partition, run)
        return batch.finish()

    def _decode(self, processor: Processor, record: Record) -> Item:
        topic = next(topic for topic in processor.topics if topic.name == record.topic)
        try:
            event = envelope.decode(topic, record)
            if partition_for_bytes(record.key or b"", PARTITIONS) != record.partition:
                raise Unusable("WRONG_KEY", "The record is not in the partition that its key belongs to.")
        except Unusable as bad:
            return Item(record, None, reason=bad.reason, message=bad.message)
        ledger_id, attributes = f"{event.source} {event.id}", envelope.attributes(record.headers)
        return Item(record, event, ledger_id, envelope.digest(record.value or b""), attributes=attributes)

    def _load(self, processor: Processor, items: Sequence[Item]) -> Loaded:
        alive = [(item, item.event) for item in items if item.event is not None]
        loaded = Loaded(
            {item.ledger_id: self.ledger[item.ledger_id] for item, _ in alive if item.ledger_id in self.ledger},
            {id: self.parked[id] for _, event in alive if (id := parked_id(processor, event.key)) in self.parked},
        )
        for item, event in alive:
            if item.ledger_id in loaded.processed:
                continue
            item.reads = reads_of(processor, event)
            load(processor, item.reads, lambda collection: Stored(self.documents[collection.name]), loaded)
        return loaded

    def _commit(self, writes: ChangeSet) -> None:
        self.commits += 1
        for entry in writes.ledger:
            assert entry["_id"] not in self.ledger, "an event was worked twice"
            self.ledger[entry["_id"]] = bytes(entry["digest"])
        for name, operations in writes.entities.items():
            for operation in operations:
                document: Any = operation._doc  # type: ignore[union-attr]
                replaced = isinstance(operation, ReplaceOne) and not operation._upsert
                assert replaced == (document["_id"] in self.documents[name]), "what was not loaded was overwritten"
                self.documents[name][document["_id"]] = bson.encode(document)
        for numbered in writes.outbox:
            self.outbox[numbered.lane].append(numbered)
        for id in writes.deadlines_reached:
            del self.deadlines[id]
        self.deadlines |= writes.deadlines
        for id, events in writes.parked.items():
            if events:
                self.parked[id] = events
            else:
                self.parked.pop(id, None)
        for lane in writes.lanes.values():
            self.lanes[lane.group, lane.partition] = lane

    def _replay(self, line: Line, ledger_id: str, digest: bytes) -> None:
        topics = {topic.name for topic in line.processor.topics}
        for reason, record in self.letters():
            came_from = envelope.header(record.headers, "dlq_topic") or ""
            same = (_ledger_id(record), envelope.digest(record.value or b"")) == (ledger_id, digest)
            if reason in (BUG, KEY_PARKED) and came_from in topics and same:
                self.kafka.append(came_from, record.key, record.value, original_headers(record.headers))
                return
        raise AssertionError(f"{ledger_id} is parked and lies in no DLQ")

    def _lane(self, processor: Processor, partition: int) -> Lane:
        return self.lanes.get((processor.group, partition)) or Lane(processor.group, partition)

    def unread(self, line: Line, partition: int) -> dict[str, list[Record]]:
        offsets = self._lane(line.processor, partition).offsets
        return {
            topic.name: self.kafka.read(topic.name, partition, offsets.get(topic.name, 0))
            for topic in line.processor.topics
        }

    def _collection(self, entity: type[E]) -> Collection[Any]:
        return next(line.processor.readable[entity] for line in self.lines if entity in line.processor.readable)


def _ledger_id(record: OutboxRecord | Record) -> str:
    return f"{envelope.header(record.headers, 'ce_source')} {envelope.header(record.headers, 'ce_id')}"


def _place(record: OutboxRecord | Record) -> tuple[str, int, int]:
    mark = {name: (value or b"").decode() for name, value in record.headers if name.startswith("dlq_")}
    return mark["dlq_topic"], int(mark["dlq_partition"]), int(mark["dlq_offset"])


def _read(raw: bytes) -> Mapping[str, Any]:
    return bson.decode(raw, _UTC)
