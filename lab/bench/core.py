"""In memory: what decoding, loading, deciding and preparing the writes cost per event, and what an event weighs,
without Kafka and MongoDB.

The parts 1 to 3 of the step over the same records as in the catch-up, in batches of the usual size (of the reads only
what makes entities of documents: `load`), and the encoding of what is written. The middle of several passes over all.
Then the same for receipts, fewer of them: labelled sales of one piece each, baskets of several makers' pieces, and
sales of one piece without a label. Each is the booth's step, and the facility's, which works what the booth's said.
Bytes are means over one pass, for receipts those of labelled sales.
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

from lab.bench import backlog, spoken
from lab.bench.place import PARTITIONS, Place
from lab.bench.report import Figure, Said, Tell
from lab.bench.spoken import Words
from lab.bench.weights import Weights
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
# For each sale so many events of inventory: a sale costs several times as much.
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
    took: Times = field(default_factory=Times)
    weights: Weights = field(default_factory=Weights)
    said: list[OutboxRecord] = field(default_factory=list)

    def work(self, records: Sequence[ConsumerRecord]) -> None:
        for first in range(0, len(records), BATCH):
            self._work(records[first : first + BATCH])

    def _work(self, records: Sequence[ConsumerRecord]) -> None:
        topics = {topic.name: topic for topic in self.processor.topics}
        began = time.process_time()
        items: dict[int, list[Item]] = {}
        for record in records:
            items.setdefault(record.partition, []).append(decoded(topics, PARTITIONS, record))
        self.took.decode += time.process_time() - began
        loaded = self._loaded(items)
        began = time.process_time()
        writes = self._decide(items, loaded)
        decided_at = time.process_time()
        _encode(writes)
        self.took.decide += decided_at - began
        self.took.prepare += time.process_time() - decided_at
        self.weights.written(writes)
        self.said += [numbered.record for numbered in writes.outbox]

    def _loaded(self, items: dict[int, list[Item]]) -> Loaded:
        """What the database would say, made of its documents. Of what can only be asked for there is nothing: no
        sale waits here."""
        refs: list[Ref] = []
        results: dict[Query[Any], list[str]] = {}
        for item in chain.from_iterable(items.values()):
            item.reads = reads_of(self.processor, item.event) if item.event is not None else ()
            for read in item.reads:
                if isinstance(read, Ref):
                    refs.append(read)
                else:
                    results[read] = []
        kept = {collection.entity: collection for collection in self.processor.collections}
        entities: dict[Key, Any] = {ref: self.entities.get(ref) for ref in refs}
        documents = [
            (key, {"_id": key[1], **kept[key[0]].to_document(entity)})
            for key, entity in entities.items()
            if entity is not None
        ]
        began = time.process_time()
        for key, document in documents:
            entities[key] = kept[key[0]].from_document(document)
        self.took.load += time.process_time() - began
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
        for one in operations:
            if isinstance(one, InsertOne | ReplaceOne):
                bson.encode(one._doc)
    for document in to_outbox(writes.outbox):
        bson.encode(document)


def records(messages: Iterable[Message]) -> Iterator[ConsumerRecord]:
    """The records as a consumer gives them, sorted by nothing but their time."""
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


def of_inventory(events: int) -> Iterator[Message]:
    for waiting in backlog.events(events, max(1, events // backlog.EVENTS_PER_KNOWN_LOT)):
        yield waiting.topic, waiting.key.encode(), waiting.value, waiting.headers


def of_booths(
    receipts: int, said: Callable[[], Iterator[Words]] = spoken.sales, makers: int = 1
) -> Iterator[Message]:
    """Booths that open with goods of so many makers, then receipts as the spool of a till says them."""
    openings = enumerate(spoken.openings(makers))
    bodies: Iterator[tuple[Topic, str, Words]] = chain(
        ((BOOTH_STOCK, "karya/festival", Words(f"opening-{number}", body)) for number, body in openings),
        ((TILL, f"till/{TILL.key_of(words.body)}", words) for words in islice(said(), receipts)),
    )
    now = datetime.now(UTC)
    for topic, source, (id, body) in bodies:
        headers = envelope.headers(id=id, source=source, topic=topic, body=body, time=now)
        yield topic, topic.key_of(body).encode(), envelope.encode(body), headers


def of_facilities(said: Iterable[OutboxRecord]) -> Iterator[Message]:
    """What booths said to the facilities' step."""
    topics = {topic.name: topic for topic in FACILITY.topics}
    for topic, _, key, value, headers in said:
        if topic in topics and key is not None and value is not None:
            yield topics[topic], key, value, [(name, of) for name, of in headers if of is not None]


async def measure(_: Place, events: int, tell: Tell) -> Said:
    """Microseconds of CPU per event, part by part, and bytes of what it leaves."""
    tell("in memory: events of inventory")
    lots = list(backlog.known_lots(max(1, events // backlog.EVENTS_PER_KNOWN_LOT)))
    every = list(records(of_inventory(events)))
    passes = _passes(LOT, {(Lot, lot.id): lot for lot in lots}, every)
    figures = [*_times("", "event", passes, events), *passes[-1].weights.figures("inventory")]
    sales = max(1, events // EVENTS_PER_SALE)
    tell("in memory: sales")
    reported = list(records(of_booths(sales)))
    booth = _passes(BOOTH, {}, reported)
    facility = _passes(FACILITY, {}, list(records(of_facilities(booth[-1].said))))
    for record in reported:
        booth[-1].weights.message(record.key, record.value, record.headers)
    return Said(
        "in-memory",
        (
            *figures,
            *_times("a sale at its booth, ", "sale", booth, sales),
            *_times("a sale at its facility, ", "sale", facility, sales),
            *_others("a basket", "receipt", spoken.baskets, sales, tell),
            *_others("an unlabelled sale", "sale", spoken.unlabelled, sales, tell),
            *booth[-1].weights.figures("booth"),
            *facility[-1].weights.figures("facility"),
        ),
    )


def _others(what: str, each: str, said: Callable[[], Iterator[Words]], count: int, tell: Tell) -> list[Figure]:
    """What another kind of receipt takes, of goods of several makers."""
    tell(f"in memory: {what}")
    booth = _passes(BOOTH, {}, list(records(of_booths(count, said, spoken.MAKERS))))
    facility = _passes(FACILITY, {}, list(records(of_facilities(booth[-1].said))))
    return [
        *_times(f"{what} at its booth, ", each, booth, count),
        *_times(f"{what} at its facilities, ", each, facility, count),
    ]


def _passes(processor: Processor, entities: dict[Key, Any], records: Sequence[ConsumerRecord]) -> list[Pass]:
    passes = []
    for _round in range(PASSES):
        one = Pass(processor, dict(entities))
        one.work(records)
        passes.append(one)
    return passes


def _times(what: str, each: str, passes: Sequence[Pass], count: int) -> list[Figure]:
    return [
        Figure(
            f"{what}{part}: CPU µs per {each}",
            statistics.median(getattr(one.took, part) for one in passes) / count * 1e6,
        )
        for part in PARTS
    ]
