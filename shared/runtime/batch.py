"""Part 3 of the step: the decisions of a batch, in memory. Pure: the step does the I/O before and after it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from aiokafka import ConsumerRecord
from pymongo import InsertOne, ReplaceOne

from shared import derivation, envelope
from shared.errors import UndeclaredRead
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Deadline, Event, Publication, Unchanged
from shared.runtime.arrival import ARRIVED, arrival
from shared.runtime.dlq import BUG, ID_REUSED, KEY_PARKED, dead_letter
from shared.runtime.processor import Processor
from shared.runtime.state import Entities, Key, Query, Read, State
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord, ParkedEvents, Timer, ledger_entry
from shared.runtime.witness import mark

log = structlog.get_logger()


@dataclass(slots=True)
class Item:
    """A decoded record, or (`event` is None) one that is a dead letter for `reason`. Loading fills in `reads`.
    `attributes`: the record's headers."""

    record: ConsumerRecord
    event: Event | None
    ledger_id: str = ""
    digest: bytes = b""
    reason: str = ""
    message: str = ""
    reads: Sequence[Read] = ()
    attributes: envelope.Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Loaded:
    """The result of part 2. `processed`: digests of events worked before. `entities`: None for a missing one.
    `arrived`: numbers of arrival. `results`: ids by query."""

    processed: dict[str, bytes] = field(default_factory=dict)
    parked: dict[str, ParkedEvents] = field(default_factory=dict)
    entities: dict[Key, Any] = field(default_factory=dict)
    arrived: dict[Key, str] = field(default_factory=dict)
    results: dict[Query[Any], list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _OpenRange:
    """A `Range` of the journal while it grows. A checked model per record would cost more than the whole entry."""

    topic: str
    first: int
    next: int


def parked_id(processor: Processor, key: str) -> str:
    return f"{processor.group} {key}"


def reads_of(processor: Processor, event: Event) -> Sequence[Read]:
    """What the event reads; nothing if naming it fails: the rule will miss it, and the key is parked."""
    try:
        return processor.reads(event)
    except Exception:
        log.exception("reads_failed", group=processor.group, event_id=event.id)
        return ()


class Batch:
    """Works the items of one transaction, lane by lane, on the loaded entities."""

    def __init__(self, processor: Processor, prefix: str, lanes: Mapping[int, Lane], loaded: Loaded) -> None:
        self.changes = ChangeSet()
        self._lanes = lanes
        self._processor = processor
        self._prefix = prefix
        self._processed = dict(loaded.processed)
        self._parked = dict(loaded.parked)
        self._absent = {key for key, entity in loaded.entities.items() if entity is None}
        self._existing = loaded.entities.keys() - self._absent
        self._entities = Entities(loaded.entities, loaded.results, processor.foreign)
        self._handlers = processor.by_body
        self._changed: dict[Key, Any] = {}
        self._arrived = dict(loaded.arrived)
        self._new: Counter[str] = Counter()
        self._journal = journal(processor.service)
        self._source = f"karya/{processor.service}"
        self._derive: derivation.Derivation
        self._kinds = frozenset(collection.entity for collection in processor.collections)

    def work(
        self,
        partition: int,
        run: Sequence[Item],
        enough: Callable[[], bool] = lambda: False,
        *,
        derivation_number: int | None = None,
    ) -> int:
        """Work the items of one lane in order: at least one, and no more once it is `enough`. Returns their number.

        `derivation_number`: how ids are derived; a rebuild gives the number of the time. Raises UnknownVersion.
        """
        lane = self.changes.lanes.get(partition, self._lanes[partition])
        number = derivation.CURRENT if derivation_number is None else derivation_number
        lane = replace(lane, batches=lane.batches + 1, derivation=number)
        self._derive = derivation.derivation(number)
        last, ranges, records = dict[str, ConsumerRecord](), list[_OpenRange](), list[OutboxRecord]()
        worked = 0
        for item in run:
            records += self._dead_letter(item) if item.event is None else self._handle(item, item.event, lane)
            topic, offset = item.record.topic, item.record.offset
            last[topic] = item.record
            if ranges and ranges[-1].topic == topic:
                ranges[-1].next = offset + 1
            else:
                ranges.append(_OpenRange(topic, offset, offset + 1))
            worked += 1
            if enough():
                break
        records.append(self._journal_entry(lane, ranges))
        self.changes.lanes[partition] = replace(
            lane,
            offsets={**lane.offsets, **{topic: record.offset + 1 for topic, record in last.items()}},
            marks={**lane.marks, **{topic: mark(record) for topic, record in last.items()}},
        )
        self.changes.send(partition, records)
        return worked

    def finish(self) -> ChangeSet:
        """The change set of all lanes worked, with each changed entity once."""
        collections = {collection.entity: collection for collection in self._processor.collections}
        for key, entity in self._changed.items():
            collection = collections[key[0]]
            document = {"_id": key[1], ARRIVED: self._arrived[key], **collection.to_document(entity)}
            operations = self.changes.entities.setdefault(collection.name, [])
            if key in self._absent:
                operations.append(InsertOne(document))
            else:
                operations.append(ReplaceOne({"_id": key[1]}, document, key not in self._existing))
        return self.changes

    def _dead_letter(self, item: Item, reason: str = "", message: str = "") -> list[OutboxRecord]:
        reason, message = reason or item.reason, message or item.message
        log.warning(
            "dead_letter",
            topic=item.record.topic,
            partition=item.record.partition,
            offset=item.record.offset,
            reason=reason,
            trace=envelope.header(item.record.headers, "traceparent"),
        )
        return [dead_letter(item.record, service=self._processor.service, reason=reason, message=message)]

    def _handle(self, item: Item, event: Event, lane: Lane) -> list[OutboxRecord]:
        parked_as = parked_id(self._processor, event.key)
        waiting = self._parked.get(parked_as, ())
        parked = dict(waiting) if waiting else {}
        if item.digest != self._processed.get(item.ledger_id, parked.get(item.ledger_id, item.digest)):
            return self._dead_letter(item, ID_REUSED, "An event with this id but another body came before.")
        if item.ledger_id in self._processed:
            return []
        if waiting and item.ledger_id != waiting[0][0]:
            if item.ledger_id in parked:
                return []  # it lies in the DLQ already, behind others of its key
            self._park(parked_as, (*waiting, (item.ledger_id, item.digest)))
            return self._dead_letter(
                item, KEY_PARKED, "An earlier event of this key waits in the DLQ; replay the key."
            )
        try:
            records = self._decide(item, event, lane)
        except Exception as fault:
            log.exception("decide_failed", group=self._processor.group, key=event.key, event_id=event.id)
            if not waiting:
                self._park(parked_as, ((item.ledger_id, item.digest),))
            # A letter for every failed attempt, also when the head of a parked key fails again: a replay of the
            # journal must know which attempts failed.
            return self._dead_letter(item, BUG, f"The rules failed on this event: {type(fault).__name__}.")
        if waiting:
            self._park(parked_as, waiting[1:])
        self._processed[item.ledger_id] = item.digest
        self.changes.ledger.append(ledger_entry(item.ledger_id, item.digest, lane, event))
        return records

    def _decide(self, item: Item, event: Event, lane: Lane) -> list[OutboxRecord]:
        state = State(self._entities, item.reads)
        state, outputs = self._handlers[type(event.body)].rule(state, event, event.body)
        # Everything that can fail comes before anything is kept: a bug must not leave half of an event behind.
        records: list[OutboxRecord] = []
        timers: list[Timer] = []
        if outputs:
            cause = envelope.cause(event, item.ledger_id, item.attributes, self._source, self._derive)
            for index, output in enumerate(outputs):
                if isinstance(output, Deadline):
                    timers.append(self._timer(output, lane))
                else:
                    records.append(self._outbox_record(output, index, cause))
        for kind, id in state.changes:
            if kind not in self._kinds:
                raise UndeclaredRead(f"{kind.__name__} {id} belongs to no collection of {self._processor.group}")
        self._entities.apply(state.changes)
        self._changed.update(state.changes)
        for key in state.changes:
            if key not in self._arrived:
                self._arrived[key] = self._arrival(lane)
        for timer in timers:
            self.changes.deadlines[timer.id] = timer
        return records

    def _arrival(self, lane: Lane) -> str:
        # Counted by batch: a rebuild works several at once, and must come to the same numbers.
        batch = f"{lane.id} {lane.batches}"
        self._new[batch] += 1
        return arrival(lane.partition, lane.batches, self._new[batch] - 1)

    def _outbox_record(self, publication: Publication, index: int, cause: envelope.Cause) -> OutboxRecord:
        topic, body = publication.topic, publication.body
        name, key = self._prefix + topic.name, topic.key_of(body).encode()
        if isinstance(publication, Unchanged):
            return OutboxRecord(name, None, key, publication.value, list(publication.headers))
        return OutboxRecord(name, None, key, envelope.encode(body), envelope.caused(cause, topic, body, index))

    def _timer(self, deadline: Deadline, lane: Lane) -> Timer:
        return Timer(f"{self._processor.group} {deadline.id}", lane.id, deadline.key, deadline.id, deadline.due)

    def _journal_entry(self, lane: Lane, open_ranges: Sequence[_OpenRange]) -> OutboxRecord:
        ranges = tuple(
            [Range.model_construct(topic=part.topic, first=part.first, next=part.next) for part in open_ranges]
        )
        body = BatchWorked(lane=lane.id, batch=lane.batches, ranges=ranges, derivation=lane.derivation)
        last = ranges[-1]
        headers = envelope.headers(
            id=derivation.named_id(lane.id, self._journal.name, lane.batches),
            source=self._source,
            topic=self._journal,
            body=body,
            time=envelope.EPOCH,
            cause=f"{last.topic}/{last.next - 1}",
        )
        name = self._prefix + self._journal.name
        # The first derivation is left out, so that entries keep the bytes of the time before derivations had numbers.
        value = body.model_dump_json(exclude_defaults=True).encode()
        return OutboxRecord(name, lane.partition, lane.id.encode(), value, headers)

    def _park(self, id: str, waiting: ParkedEvents) -> None:
        self._parked[id] = waiting
        self.changes.parked[id] = waiting
