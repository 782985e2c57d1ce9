"""Replay of a service from Kafka alone. Its journal gives the order of the worked records. The code of the step works
them again, chunk by chunk, into a fresh database. Memory holds only the marks of the service's published events.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition
from pydantic import ValidationError

from deploy.topics import SERVICES, all_topics, passed_on, read_topics
from ops.rebuild.id_conflicts import refused_on
from ops.rebuild.partitions import PartitionReader
from ops.rebuild.published import DLQ, PublishedEvents, event_mark, id_of, mark_of
from ops.verify.log import Ends, TopicLog
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
from shared.runtime.timer_service import reached_id
from shared.settings import Settings
from shared.wording import Message

CHUNK = 2000

Progress = Callable[[int, int], None]


class RecordedFailure(Exception):
    """The rules failed on this event in the service, so its key was parked. The replay must fail too."""


@dataclass(slots=True)
class ReplayReport:
    """The result of a replay. Events are given as topic (without prefix) and id.

    `published`: the number of distinct published events. `duplicates`: copies of them, which readers drop. `lost`:
    derived events that are in no topic. `unexplained`: published events that were not derived. `altered`: events
    published with another body. `skipped`: positions of records between the worked ones. `unseen`: topics without
    their beginning, whose lost events are unknown.
    """

    records: int = 0
    batches: int = 0
    published: int = 0
    duplicates: int = 0
    lost: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


async def replay(
    settings: Settings, service: str, mongo: Mongo, database: Database, on_progress: Progress = lambda _, __: None
) -> ReplayReport:
    """Fill the empty `database` with the state that the service's journal and topics give.

    `on_progress` gets the number of worked records and the total. Derived events that are in no topic are written to
    the `outbox`. Raises HistoryTruncated, NotReached, PartitionsDiffer, KafkaError or PyMongoError.
    """
    processors = SERVICES[service]
    names = [*(topic.name for topic in all_topics()), *(f"{name}.dlq" for name in read_topics())]
    async with TopicLog(settings, names) as log:
        if log.missing:
            raise NotReached(
                Message(
                    "These topics are missing: {topics}. Make them with `karya topics`.",
                    topics=", ".join(log.missing),
                )
            )
        # The journal's ends first: the events of its batches are published before, so that later ends include them.
        ends = log.of(await log.ends(), journal(service).name)
        ends = {**await log.ends(), **ends}
        published = PublishedEvents(
            service,
            [processor.deadlines.name for processor in processors if processor.deadlines is not None],
            passed_on(service),
        )
        await published.read(log, ends)
        input_topics = {topic_name(settings, topic.name) for processor in processors for topic in processor.topics}
        cluster, partitions = await survey(
            settings, [topic_name(settings, journal(service).name), *sorted(input_topics)]
        )
        async with PartitionReader(settings, ends) as reader:
            target = _Target(mongo, database, cluster, partitions)
            report = await _Replay(settings, service, target, published, reader, ends, on_progress).run()
            await reader.check_not_truncated()
            return report


@dataclass(frozen=True, slots=True)
class _Target:
    """The database to fill, and the source cluster."""

    mongo: Mongo
    database: Database
    cluster: str
    partitions: int


class _Run(NamedTuple):
    """The items of one batch, and the number of the id derivation that the batch used."""

    items: list[Item]
    derivation: int


class _Replay:
    def __init__(
        self,
        settings: Settings,
        service: str,
        target: _Target,
        published: PublishedEvents,
        reader: PartitionReader,
        ends: Ends,
        on_progress: Progress,
    ) -> None:
        self._processors = SERVICES[service]
        self._journal = journal(service).name
        self._prefix = settings.topic_prefix
        self._target = target
        self._store = RuntimeStore(target.database)
        self._published = published
        self._reader = reader
        self._ends = ends
        self._on_progress = on_progress
        self._unseen = {self._name(part.topic) for part, begin in reader.begins.items() if begin}
        self._report = ReplayReport(
            duplicates=published.duplicates,
            published=sum(map(len, published.marks.values())),
            unseen=sorted(self._unseen),
        )
        # The marks of published deadlines that the rules requested, by topic.
        self._reached_marks: dict[str, set[bytes]] = defaultdict(set)
        # Derived outbox records that are in no topic, by topic and id.
        self._missing: dict[tuple[str, bytes], OutboxEntry] = {}
        self._input_topics = {topic.name for processor in self._processors for topic in processor.topics}
        self._total = sum(end for part, end in ends.items() if self._name(part.topic) in self._input_topics)

    async def run(self) -> ReplayReport:
        # The journal, the events that the rules alone can't derive (plans, refusals of used ids), and the letters of
        # failures.
        needed = {self._journal, *refused_on(self._processors), *(f"{name}{DLQ}" for name in self._input_topics)}
        if PLANNING in self._processors:
            needed.add(FESTIVAL.name)
        for part, begin in sorted(self._reader.begins.items()):
            if begin and self._name(part.topic) in needed:
                raise history_truncated(part, 0, begin)
        await self._store.prepare(self._processors)
        for processor in self._processors:
            following = processor.with_decide(self._recorded_decide(processor))
            for partition in range(self._target.partitions):
                await self._lane(following, partition)
        await self._account()
        return self._report

    def _recorded_decide(self, processor: Processor) -> Decide:
        """The processor's rules, with the recorded plans, failures and id conflicts in place of new ones."""
        decide = (by_festival(self._published.plans) if processor is PLANNING else processor).decide

        def decide_as_recorded(state: State, event: Event) -> Decision:
            if (f"{event.source} {event.id}", event.logged_at) in self._published.failed:
                raise RecordedFailure
            if (refusal := self._published.conflicts.refusal(event)) is not None:
                return state, [refusal]
            state, outputs = decide(state, event)
            for output in outputs:
                if isinstance(output, Deadline):
                    self._was_reached(processor, output)
            return state, outputs

        return decide_as_recorded

    async def _lane(self, processor: Processor, partition: int) -> None:
        lane = Lane(processor.group, partition, cluster=self._target.cluster)
        topics = {f"{self._prefix}{topic.name}": topic for topic in processor.topics}
        journal_part = TopicPartition(f"{self._prefix}{self._journal}", partition)
        self._reader.open([journal_part, *(TopicPartition(name, partition) for name in topics)])
        chunk: list[_Run] = []
        async for batch in self._batches(journal_part, lane.id):
            records = [
                record for offset_range in batch.ranges for record in await self._take(offset_range, partition)
            ]
            items = (decoded(topics, self._target.partitions, record) for record in records)
            chunk.append(_Run([self._published.conflicts.as_recorded(item) for item in items], batch.derivation))
            if sum(len(run.items) for run in chunk) >= CHUNK:
                lane, chunk = await self._work(processor, lane, chunk), []
        if chunk:
            lane = await self._work(processor, lane, chunk)
        if lane.batches and processor.deadlines is not None:
            # Published deadlines have outbox numbers too.
            reached = self._published.deadlines_reached[processor.deadlines.name, partition]
            await self._write(ChangeSet({partition: replace(lane, next_out=lane.next_out + reached)}))

    async def _batches(self, journal_part: TopicPartition, lane: str) -> AsyncIterator[BatchWorked]:
        """The lane's batches, each once: a killed relay has published the last ones again."""
        last = 0
        async for record in self._reader.read_all(journal_part, self._ends[journal_part]):
            if record.key != lane.encode():
                continue
            try:
                batch = BatchWorked.model_validate_json(record.value or b"")
            except ValidationError:
                raise HistoryTruncated(
                    Message(
                        "{place} is no record of a journal.",
                        place=f"{journal_part.topic} {journal_part.partition}/{record.offset}",
                    )
                ) from None
            if batch.batch > last + 1:
                raise HistoryTruncated(
                    Message(
                        "The journal of {lane} continues with batch {next} after batch {last}: the batches between "
                        "are gone from {topic} {partition}.",
                        lane=lane,
                        next=batch.batch,
                        last=last,
                        topic=journal_part.topic,
                        partition=journal_part.partition,
                    )
                )
            if batch.batch == last + 1:
                last = batch.batch
                yield batch

    async def _take(self, offset_range: Range, partition: int) -> list[ConsumerRecord]:
        part = TopicPartition(offset_range.topic, partition)
        if offset_range.first < self._reader.begins[part]:
            raise history_truncated(part, offset_range.first, self._reader.begins[part])
        if offset_range.next > self._ends[part]:
            raise HistoryTruncated(
                Message(
                    "{topic} {partition} ends at {end}, but the journal names records up to {next}: the topic was "
                    "deleted and created again.",
                    topic=part.topic,
                    partition=partition,
                    end=self._ends[part],
                    next=offset_range.next,
                )
            )
        records = await self._reader.read_to(part, offset_range.next)
        skipped = [record for record in records if record.offset < offset_range.first]
        self._report.skipped += [f"{part.topic} {partition}/{record.offset}" for record in skipped]
        return records[len(skipped) :]

    async def _work(self, processor: Processor, lane: Lane, chunk: Sequence[_Run]) -> Lane:
        """Work a chunk like the step, without its I/O: derived events are matched with the published ones."""
        items = [item for run in chunk for item in run.items]
        # No other client writes here, so only the write needs a transaction. A long chunk would outlive one.
        loaded = await load(processor, self._target.database, self._store, items)
        batch = Batch(processor, self._prefix, {lane.partition: lane}, loaded)
        for run in chunk:
            batch.work(lane.partition, run.items, derivation_number=run.derivation)
        writes = batch.finish()
        if self._published.plans.unknown:
            raise HistoryTruncated(
                Message(
                    "{topic} does not hold the complete plan for {event}. It can't be made again, since the "
                    "stock has changed by now.",
                    topic=FESTIVAL.name,
                    event=self._published.plans.unknown[0],
                )
            )
        for numbered in writes.outbox:
            self._match(numbered)
        # Missing events are written at the end: only then is it known which of them may be published.
        writes.outbox = []
        for deadline in list(writes.deadlines.values()):
            if self._was_reached(processor, Deadline(deadline.deadline, deadline.key, deadline.due)):
                del writes.deadlines[deadline.id]
                writes.deadlines_reached.append(deadline.id)
        await self._write(writes)
        self._report.records += len(items)
        self._report.batches += len(chunk)
        self._on_progress(self._report.records, self._total)
        return writes.lanes[lane.partition]

    async def _write(self, writes: ChangeSet) -> None:
        async with self._target.mongo.transaction() as session:
            # No other instance works these lanes, so no fence is needed.
            await self._store.write(writes, session, None)

    def _match(self, numbered: OutboxEntry) -> None:
        name, mark = self._name(numbered.record.topic), mark_of(numbered.record)
        if mark in self._published.marks[name]:
            self._published.marks[name].remove(mark)
        elif mark in self._published.of_others.get(name, ()):
            return
        elif name not in self._unseen:  # in a truncated topic the event may have been published
            self._missing[name, id_of(mark)] = numbered

    def _was_reached(self, processor: Processor, deadline: Deadline) -> bool:
        topic = processor.deadlines
        assert topic is not None, f"{processor.group} keeps deadlines but names no topic for them"
        body = envelope.encode(DeadlineReached(key=deadline.key, deadline=deadline.id, due=deadline.due))
        id = reached_id(f"{processor.group} {deadline.id}", deadline.due)
        mark = event_mark([("ce_id", id.encode())], body)
        if mark not in self._published.marks[topic.name]:
            return False
        self._reached_marks[topic.name].add(mark)
        return True

    async def _account(self) -> None:
        """Report the remaining published events: altered ones, which must not be published again, and unexplained
        ones. Write the missing events to the outbox."""
        for name, marks in sorted(self._published.marks.items()):
            for mark in sorted(marks - self._reached_marks[name]):
                expected = self._missing.pop((name, id_of(mark)), None)
                if expected is None:
                    self._report.unexplained.append(f"{name} {_shown(mark)}")
                else:
                    self._report.altered.append(f"{name} {_shown(mark)}")
        unpublished = list(self._missing.values())
        for start in range(0, len(unpublished), CHUNK):
            await self._write(ChangeSet(outbox=unpublished[start : start + CHUNK]))
        self._report.unexplained += await self._published.conflicts.unexplained(self._target.database)
        self._report.lost = sorted(f"{name} {_shown(id)}" for name, id in self._missing)

    def _name(self, full: str) -> str:
        return full.removeprefix(self._prefix)


def history_truncated(part: TopicPartition, offset: int, begin: int) -> HistoryTruncated:
    """The error for a partition that begins at `begin` but is needed from `offset` on."""
    return HistoryTruncated(
        Message(
            "Kafka no longer has the history that is needed: {topic} {partition} begins at offset {begin}, but "
            "records from {offset} on are needed. Its retention has deleted the older records "
            "(retention.ms must be -1), so the database can't be rebuilt from Kafka.",
            topic=part.topic,
            partition=part.partition,
            begin=begin,
            offset=offset,
        )
    )


def _shown(mark: bytes) -> str:
    return str(UUID(bytes=id_of(mark)))
