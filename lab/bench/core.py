"""In memory: CPU time of decoding, loading, deciding and preparing the writes of an event, and its size in bytes.

Without Kafka and MongoDB. The parts 1 to 3 of the step work the records of the catch-up in batches of the default
size. `load` is the conversion of documents to entities; `prepare` ends with the encoding of the writes. Each time is
the median of several passes over all records.

Then the same for fewer receipts: labelled sales of one piece, baskets with pieces of several makers, and unlabelled
sales of one piece. Each is worked by the booth's step, and its events by the facility's step. Bytes are means over
one pass; for receipts, of labelled sales.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import bson
from aiokafka import ConsumerRecord
from pymongo import InsertOne, ReplaceOne

from lab.bench import backlog, workload
from lab.bench.environment import PARTITIONS, BenchEnvironment
from lab.bench.report import BenchResult, Figure, OnProgress
from lab.bench.sizes import RecordSizes
from lab.bench.workload import WorkloadRecord
from services.inventory.domain import Lot
from services.inventory.handlers import LOT
from services.sales import handlers as of_sales
from shared import envelope
from shared.events.festival import BOOTH_STOCK
from shared.events.language import Topic
from shared.events.sales import TILL
from shared.kafka import partition_for
from shared.runtime.batch import Batch, Item, Loaded, reads_of
from shared.runtime.processor import Processor
from shared.runtime.state import Key, Query, Ref
from shared.runtime.step import decoded
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord, to_outbox

EVENTS = 20_000
# There are fewer sales than events of inventory: a sale costs several times as much.
EVENTS_PER_SALE = 5
BATCH = 2_000
PASSES = 5
PARTS = ("decode", "load", "decide", "prepare")
BOOTH, FACILITY = of_sales.PROCESSORS
Message = tuple[Topic, bytes, bytes, envelope.Headers]


@dataclass(slots=True)
class Times:
    """CPU seconds of one pass."""

    decode: float = 0.0
    load: float = 0.0
    decide: float = 0.0
    prepare: float = 0.0


@dataclass(slots=True)
class Pass:
    """One pass over all records of a processor: what it knows so far, what it said, and what all of it weighs."""

    processor: Processor
    entities: dict[Key, Any]
    lanes: dict[int, Lane] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    sizes: RecordSizes = field(default_factory=RecordSizes)
    published: list[OutboxRecord] = field(default_factory=list)

    def work(self, records: Sequence[ConsumerRecord]) -> None:
        for first in range(0, len(records), BATCH):
            self._work(records[first : first + BATCH])

    def _work(self, records: Sequence[ConsumerRecord]) -> None:
        topics = {topic.name: topic for topic in self.processor.topics}
        began = time.process_time()
        items: dict[int, list[Item]] = {}
        for record in records:
            items.setdefault(record.partition, []).append(decoded(topics, PARTITIONS, record))
        self.times.decode += time.process_time() - began
        loaded = self._load(items)
        began = time.process_time()
        writes = self._decide(items, loaded)
        decided_at = time.process_time()
        _encode(writes)
        self.times.decide += decided_at - began
        self.times.prepare += time.process_time() - decided_at
        self.sizes.add_writes(writes)
        self.published += [numbered.record for numbered in writes.outbox]

    def _load(self, items: dict[int, list[Item]]) -> Loaded:
        """The entities that the events read, converted from documents. Queries find nothing: no sale waits here."""
        refs: list[Ref] = []
        results: dict[Query[Any], list[str]] = {}
        for item in chain.from_iterable(items.values()):
            item.reads = reads_of(self.processor, item.event) if item.event is not None else ()
            for read in item.reads:
                if isinstance(read, Ref):
                    refs.append(read)
                else:
                    results[read] = []
        collections = {collection.entity: collection for collection in self.processor.collections}
        entities: dict[Key, Any] = {ref: self.entities.get(ref) for ref in refs}
        documents = [
            (key, {"_id": key[1], **collections[key[0]].to_document(entity)})
            for key, entity in entities.items()
            if entity is not None
        ]
        began = time.process_time()
        for key, document in documents:
            entities[key] = collections[key[0]].from_document(document)
        self.times.load += time.process_time() - began
        return Loaded(entities=entities, results=results)

    def _decide(self, items: dict[int, list[Item]], loaded: Loaded) -> ChangeSet:
        lanes = {partition: self.lanes.get(partition, Lane(self.processor.group, partition)) for partition in items}
        batch = Batch(self.processor, "", lanes, loaded)
        for partition, run in items.items():
            batch.work(partition, run)
        writes = batch.finish()
        self.entities.update(batch._changed)
        self.lanes.update(writes.lanes)
        return writes


def _encode(writes: ChangeSet) -> None:
    for document in writes.ledger:
        bson.encode(document)
    for operations in writes.entities.values():
        for operation in operations:
            if isinstance(operation, InsertOne | ReplaceOne):
                bson.encode(operation._doc)
    for document in to_outbox(writes.outbox):
        bson.encode(document)


def records(messages: Iterable[Message]) -> Iterator[ConsumerRecord]:
    """The messages as a consumer's records, in the same order."""
    offsets: dict[tuple[str, int], int] = {}
    for topic, key, value, headers in messages:
        partition = partition_for(key.decode(), PARTITIONS)
        offset = offsets.get((topic.name, partition), 0)
        offsets[topic.name, partition] = offset + 1
        yield ConsumerRecord(
            topic=topic.name,
            partition=partition,
            offset=offset,
            timestamp=1_681_700_000_000,
            timestamp_type=1,
            key=key,
            value=value,
            checksum=None,
            serialized_key_size=len(key),
            serialized_value_size=len(value),
            headers=tuple(headers),
        )


def inventory_messages(events: int) -> Iterator[Message]:
    for record in backlog.events(events, max(1, events // backlog.EVENTS_PER_KNOWN_LOT)):
        yield record.topic, record.key.encode(), record.value, record.headers


def booth_messages(
    receipts: int, generate: Callable[[], Iterator[WorkloadRecord]] = workload.sales, makers: int = 1
) -> Iterator[Message]:
    """The opening of booths with goods of so many makers, then receipts as a till's spool sends them."""
    openings = enumerate(workload.openings(makers))
    records: Iterator[tuple[Topic, str, WorkloadRecord]] = chain(
        ((BOOTH_STOCK, "karya/festival", WorkloadRecord(f"opening-{number}", body)) for number, body in openings),
        ((TILL, f"till/{TILL.key_of(record.body)}", record) for record in islice(generate(), receipts)),
    )
    now = datetime.now(UTC)
    for topic, source, (id, body) in records:
        headers = envelope.headers(id=id, source=source, topic=topic, body=body, time=now)
        yield topic, topic.key_of(body).encode(), envelope.encode(body), headers


def facility_messages(published: Iterable[OutboxRecord]) -> Iterator[Message]:
    """The booths' published events that the facilities' step reads."""
    topics = {topic.name: topic for topic in FACILITY.topics}
    for topic, _, key, value, headers in published:
        if topic in topics and key is not None and value is not None:
            yield topics[topic], key, value, [(name, raw) for name, raw in headers if raw is not None]


async def measure(_: BenchEnvironment, events: int, on_progress: OnProgress) -> BenchResult:
    """Microseconds of CPU per event, by part, and bytes that it leaves in Kafka and MongoDB."""
    on_progress("in memory: events of inventory")
    lots = list(backlog.known_lots(max(1, events // backlog.EVENTS_PER_KNOWN_LOT)))
    all_records = list(records(inventory_messages(events)))
    passes = _run_passes(LOT, {(Lot, lot.id): lot for lot in lots}, all_records)
    figures = [*_time_figures("", "event", passes, events), *passes[-1].sizes.figures("inventory")]
    sales = max(1, events // EVENTS_PER_SALE)
    on_progress("in memory: sales")
    reported = list(records(booth_messages(sales)))
    booth = _run_passes(BOOTH, {}, reported)
    facility = _run_passes(FACILITY, {}, list(records(facility_messages(booth[-1].published))))
    for record in reported:
        booth[-1].sizes.add_message(record.key, record.value, record.headers)
    return BenchResult(
        "in-memory",
        (
            *figures,
            *_time_figures("a sale at its booth, ", "sale", booth, sales),
            *_time_figures("a sale at its facility, ", "sale", facility, sales),
            *_receipt_figures("a basket", "receipt", workload.baskets, sales, on_progress),
            *_receipt_figures("an unlabelled sale", "sale", workload.unlabelled, sales, on_progress),
            *booth[-1].sizes.figures("booth"),
            *facility[-1].sizes.figures("facility"),
        ),
    )


def _receipt_figures(
    label: str, each: str, generate: Callable[[], Iterator[WorkloadRecord]], count: int, on_progress: OnProgress
) -> list[Figure]:
    """The times of another kind of receipt, with goods of several makers."""
    on_progress(f"in memory: {label}")
    booth = _run_passes(BOOTH, {}, list(records(booth_messages(count, generate, workload.MAKERS))))
    facility = _run_passes(FACILITY, {}, list(records(facility_messages(booth[-1].published))))
    return [
        *_time_figures(f"{label} at its booth, ", each, booth, count),
        *_time_figures(f"{label} at its facilities, ", each, facility, count),
    ]


def _run_passes(processor: Processor, entities: dict[Key, Any], records: Sequence[ConsumerRecord]) -> list[Pass]:
    passes = []
    for _round in range(PASSES):
        one_pass = Pass(processor, dict(entities))
        one_pass.work(records)
        passes.append(one_pass)
    return passes


def _time_figures(label: str, each: str, passes: Sequence[Pass], count: int) -> list[Figure]:
    return [
        Figure(
            f"{label}{part}: CPU µs per {each}",
            statistics.median(getattr(one_pass.times, part) for one_pass in passes) / count * 1e6,
        )
        for part in PARTS
    ]
