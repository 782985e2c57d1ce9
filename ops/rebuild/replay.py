"""A service's state from Kafka alone: its journal says in which order it worked which records, and the very code of
the step works them again, chunk by chunk, into a fresh database. In memory stays only what the topics hold of the
service's words (see `heard`).
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition
from pydantic import ValidationError

from deploy.topics import SERVICES, all_topics, read_topics
from ops.rebuild.heard import DLQ, Heard, id_of, mark_of, word
from ops.rebuild.reading import Shelf
from ops.rebuild.taken import refused_on
from ops.verify.log import Ends, Log
from services.festival.handlers import FESTIVAL as PLANNING
from services.festival.handlers import by_festival
from shared import envelope
from shared.errors import HistoryTruncated, NotReached
from shared.events.festival import FESTIVAL
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Deadline, DeadlineReached, Event
from shared.kafka import survey, topic_name
from shared.mongo import Database, Mongo
from shared.runtime.batch import Batch, Item
from shared.runtime.processor import Decide, Decision, Processor
from shared.runtime.state import State
from shared.runtime.step import decoded, load
from shared.runtime.storage import ChangeSet, Lane, OutboxEntry, RuntimeStore
from shared.runtime.timer_service import reached_ids
from shared.settings import Settings

CHUNK = 2000

Progress = Callable[[int, int], None]


class FailedThen(Exception):
    """The rules failed on this event when the service worked it; whatever they say now, its key was parked."""


@dataclass(slots=True)
class Replayed:
    """What came of a replay, beside the database. Ids by topic (without prefix) unless it says otherwise.

    `lost`: was to be said and is in no topic. `invented`: is in a topic, and nothing that was worked explains it.
    `otherwise`: was said with another body. `again`: copies, which readers drop. `passed_over`: records that lie
    between those that were worked. `unseen`: topics whose beginning is gone, so that lost words can't be told.
    """

    records: int = 0
    batches: int = 0
    said: int = 0
    again: int = 0
    lost: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


async def replay(
    settings: Settings, service: str, mongo: Mongo, database: Database, on_progress: Progress = lambda _, __: None
) -> Replayed:
    """Fill `database`, which must be empty, with what the service's journal and topics make of it.

    `on_progress` hears how many records were worked, of how many. What is to be said and is in no topic lies in the
    `outbox` afterwards. Raises HistoryTruncated, NotReached, PartitionsDiffer, KafkaError or PyMongoError.
    """
    processors = SERVICES[service]
    names = [*(topic.name for topic in all_topics()), *(f"{name}.dlq" for name in read_topics())]
    async with Log(settings, names) as log:
        if log.missing:
            raise NotReached(f"These topics are missing: {', '.join(log.missing)}. Make them with `karya topics`.")
        # The journal first: what it tells of was said before it or with it, and is there when the others are read.
        ends = log.of(await log.ends(), journal(service).name)
        ends = {**await log.ends(), **ends}
        heard = Heard(
            service, [processor.deadlines.name for processor in processors if processor.deadlines is not None]
        )
        await heard.read(log, ends)
        read = {topic_name(settings, topic.name) for processor in processors for topic in processor.topics}
        cluster, partitions = await survey(settings, [topic_name(settings, journal(service).name), *sorted(read)])
        async with Shelf(settings, ends) as shelf:
            target = _Target(mongo, database, cluster, partitions)
            done = await _Replay(settings, service, target, heard, shelf, ends, on_progress).run()
            await shelf.still_there()
            return done


@dataclass(frozen=True, slots=True)
class _Target:
    """The database to fill, and the cluster that it is filled from."""

    mongo: Mongo
    database: Database
    cluster: str
    partitions: int


class _Run(NamedTuple):
    """The items of one batch, and the number of the derivation that it was worked with."""

    items: list[Item]
    derivation: int


class _Replay:
    def __init__(
        self,
        settings: Settings,
        service: str,
        target: _Target,
        heard: Heard,
        shelf: Shelf,
        ends: Ends,
        on_progress: Progress,
    ) -> None:
        self._processors = SERVICES[service]
        self._journal = journal(service).name
        self._prefix = settings.topic_prefix
        self._target = target
        self._store = RuntimeStore(target.database)
        self._heard = heard
        self._shelf = shelf
        self._ends = ends
        self._on_progress = on_progress
        self._unseen = {self._name(part.topic) for part, begin in shelf.begins.items() if begin}
        self._done = Replayed(again=heard.again, said=sum(map(len, heard.said.values())), unseen=sorted(self._unseen))
        # Deadlines that were asked for and said: by topic, their marks.
        self._reached: dict[str, set[bytes]] = defaultdict(set)
        # What is in no topic: by topic and id, with its place in the outbox.
        self._missing: dict[tuple[str, bytes], OutboxEntry] = {}
        self._read = {topic.name for processor in self._processors for topic in processor.topics}
        self._total = sum(end for part, end in ends.items() if self._name(part.topic) in self._read)

    async def run(self) -> Replayed:
        # What was worked when, what was said of it that the rules alone don't tell (plans, refusals for an id), and
        # what the rules failed on.
        needed = {self._journal, *refused_on(self._processors), *(f"{name}{DLQ}" for name in self._read)}
        if PLANNING in self._processors:
            needed.add(FESTIVAL.name)
        for part, begin in sorted(self._shelf.begins.items()):
            if begin and self._name(part.topic) in needed:
                raise gone(part, 0, begin)
        await self._store.prepare(self._processors)
        for processor in self._processors:
            following = processor.deciding(self._as_then(processor))
            for partition in range(self._target.partitions):
                await self._lane(following, partition)
        await self._account()
        return self._done

    def _as_then(self, processor: Processor) -> Decide:
        """The processor's rules, with the plans that were made then, the failures, and the ids that were taken."""
        decide = (by_festival(self._heard.plans) if processor is PLANNING else processor).decide

        def as_then(state: State, event: Event) -> Decision:
            if (f"{event.source} {event.id}", event.logged_at) in self._heard.failed:
                raise FailedThen
            if (refusal := self._heard.taken.refusal(event)) is not None:
                return state, [refusal]
            state, outputs = decide(state, event)
            for output in outputs:
                if isinstance(output, Deadline):
                    self._was_reached(processor, output)
            return state, outputs

        return as_then

    async def _lane(self, processor: Processor, partition: int) -> None:
        lane = Lane(processor.group, partition, cluster=self._target.cluster)
        topics = {f"{self._prefix}{topic.name}": topic for topic in processor.topics}
        told = TopicPartition(f"{self._prefix}{self._journal}", partition)
        self._shelf.open([told, *(TopicPartition(name, partition) for name in topics)])
        chunk: list[_Run] = []
        async for worked in self._batches(told, lane.id):
            records = [record for one in worked.ranges for record in await self._take(one, partition)]
            items = (decoded(topics, self._target.partitions, record) for record in records)
            chunk.append(_Run([self._heard.taken.as_then(item) for item in items], worked.derivation))
            if sum(len(run.items) for run in chunk) >= CHUNK:
                lane, chunk = await self._work(processor, lane, chunk), []
        if chunk:
            lane = await self._work(processor, lane, chunk)
        if lane.batches and processor.deadlines is not None:
            # What the clock says has numbers too.
            said = self._heard.reached[processor.deadlines.name, partition]
            await self._write(ChangeSet({partition: replace(lane, next_out=lane.next_out + said)}))

    async def _batches(self, told: TopicPartition, lane: str) -> AsyncIterator[BatchWorked]:
        """The lane's batches, each once: a relay that was killed tells the last ones again."""
        last = 0
        async for record in self._shelf.all(told, self._ends[told]):
            if record.key != lane.encode():
                continue
            try:
                worked = BatchWorked.model_validate_json(record.value or b"")
            except ValidationError:
                raise HistoryTruncated(
                    f"{told.topic} {told.partition}/{record.offset} is no record of a journal."
                ) from None
            if worked.batch > last + 1:
                raise HistoryTruncated(
                    f"The journal of {lane} goes on with batch {worked.batch} after batch {last}: what is between is "
                    f"gone from {told.topic} {told.partition}."
                )
            if worked.batch == last + 1:
                last = worked.batch
                yield worked

    async def _take(self, one: Range, partition: int) -> list[ConsumerRecord]:
        part = TopicPartition(one.topic, partition)
        if one.first < self._shelf.begins[part]:
            raise gone(part, one.first, self._shelf.begins[part])
        if one.next > self._ends[part]:
            raise HistoryTruncated(
                f"{part.topic} {partition} ends at {self._ends[part]}, but the journal tells of records up to "
                f"{one.next}: the topic was made anew."
            )
        records = await self._shelf.take(part, one.next)
        before = [record for record in records if record.offset < one.first]
        self._done.passed_over += [f"{part.topic} {partition}/{record.offset}" for record in before]
        return records[len(before) :]

    async def _work(self, processor: Processor, lane: Lane, chunk: Sequence[_Run]) -> Lane:
        """As the step does it, but for the I/O on both sides: what was said already is not said again."""
        items = [item for run in chunk for item in run.items]
        # Nobody else writes here, so only the writing needs a transaction: a long chunk would outlive one.
        loaded = await load(processor, self._target.database, self._store, items)
        batch = Batch(processor, self._prefix, {lane.partition: lane}, loaded)
        for run in chunk:
            batch.work(lane.partition, run.items, way=run.derivation)
        writes = batch.finish()
        if self._heard.plans.gone:
            raise HistoryTruncated(
                f"{FESTIVAL.name} does not hold the plan that was made for {self._heard.plans.gone[0]}, or not "
                "all of it: it can't be made anew, for the stock that it was made from is another by now."
            )
        for numbered in writes.outbox:
            self._hear_of(numbered)
        # What is in no topic is written at the end: only then is known what of it can be said.
        writes.outbox = []
        for due in list(writes.deadlines.values()):
            if self._was_reached(processor, Deadline(due.deadline, due.key, due.due)):
                del writes.deadlines[due.id]
                writes.deadlines_reached.append(due.id)
        await self._write(writes)
        self._done.records += len(items)
        self._done.batches += len(chunk)
        self._on_progress(self._done.records, self._total)
        return writes.lanes[lane.partition]

    async def _write(self, writes: ChangeSet) -> None:
        async with self._target.mongo.transaction() as session:
            # These lanes are ours alone.
            await self._store.write(writes, session, None)

    def _hear_of(self, numbered: OutboxEntry) -> None:
        name, mark = self._name(numbered.record.topic), mark_of(numbered.record)
        if mark in self._heard.said[name]:
            self._heard.said[name].remove(mark)
        elif name not in self._unseen:  # for all that can be known: readers have what they read of it
            self._missing[name, id_of(mark)] = numbered

    def _was_reached(self, processor: Processor, deadline: Deadline) -> bool:
        topic = processor.deadlines
        assert topic is not None, f"{processor.group} keeps deadlines but names no topic for them"
        body = envelope.encode(DeadlineReached(key=deadline.key, deadline=deadline.id, due=deadline.due))
        ids = reached_ids(f"{processor.group} {deadline.id}", deadline.due)
        said = {word([("ce_id", id.encode())], body) for id in ids} & self._heard.said[topic.name]
        self._reached[topic.name] |= said
        return bool(said)

    async def _account(self) -> None:
        """What is left of what was heard has no explanation; what of it was expected with another body is told
        apart, for that must not be said."""
        for name, marks in sorted(self._heard.said.items()):
            for mark in sorted(marks - self._reached[name]):
                expected = self._missing.pop((name, id_of(mark)), None)
                if expected is None:
                    self._done.invented.append(f"{name} {_shown(mark)}")
                else:
                    self._done.otherwise.append(f"{name} {_shown(mark)}")
        unsaid = list(self._missing.values())
        for first in range(0, len(unsaid), CHUNK):
            await self._write(ChangeSet(outbox=unsaid[first : first + CHUNK]))
        self._done.invented += await self._heard.taken.unexplained(self._target.database)
        self._done.lost = sorted(f"{name} {_shown(id)}" for name, id in self._missing)

    def _name(self, full: str) -> str:
        return full.removeprefix(self._prefix)


def gone(part: TopicPartition, wanted: int, begin: int) -> HistoryTruncated:
    """What to say when `part` begins at `begin` but is needed from offset `wanted` on."""
    return HistoryTruncated(
        f"Kafka no longer has the history that is needed: {part.topic} {part.partition} begins at offset {begin}, "
        f"but records from {wanted} on are needed. Its retention has eaten what was before (retention.ms must be "
        "-1), so the database can't be built anew from Kafka."
    )


def _shown(mark: bytes) -> str:
    return str(UUID(bytes=id_of(mark)))
