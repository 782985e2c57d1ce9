"""In memory: what decoding, deciding and preparing the writes cost per event, without Kafka and MongoDB.

The parts 1 and 3 of the step over the same records as in the catch-up, in batches of the usual size, and the encoding
of what is written. The middle of several passes over all.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import bson
from aiokafka import ConsumerRecord
from pymongo import InsertOne, ReplaceOne

from bench import backlog
from bench.place import PARTITIONS, Place
from bench.report import Figure, Said, Tell
from services.inventory.domain import Lot
from services.inventory.handlers import LOT
from shared.batch import Batch, Item, Loaded
from shared.kafka import partition_for
from shared.ledger import Lane, Writes, to_outbox
from shared.step import decoded

EVENTS = 20_000
BATCH = 2_000
PASSES = 5


@dataclass(slots=True)
class Times:
    """CPU seconds of one pass."""

    decode: float = 0.0
    decide: float = 0.0
    prepare: float = 0.0


@dataclass(slots=True)
class Pass:
    """One pass over all records, with what inventory knows so far."""

    lots: dict[str, Lot]
    lanes: dict[int, Lane] = field(default_factory=dict)
    took: Times = field(default_factory=Times)

    def work(self, records: Sequence[ConsumerRecord]) -> None:
        topics = {topic.name: topic for topic in LOT.topics}
        began = time.process_time()
        items: dict[int, list[Item]] = {}
        for record in records:
            items.setdefault(record.partition, []).append(decoded(topics, PARTITIONS, record))
        decoded_at = time.process_time()
        writes = self._decide(items)
        decided_at = time.process_time()
        _encode(writes)
        self.took.decode += decoded_at - began
        self.took.decide += decided_at - decoded_at
        self.took.prepare += time.process_time() - decided_at

    def _decide(self, items: dict[int, list[Item]]) -> Writes:
        events = [item.event for run in items.values() for item in run if item.event is not None]
        loaded = Loaded(entities={(Lot, event.key): self.lots.get(event.key) for event in events})
        lanes = {partition: self.lanes.get(partition, Lane(LOT.group, partition)) for partition in items}
        batch = Batch(LOT, "", lanes, loaded)
        for partition, run in items.items():
            batch.work(partition, run)
        writes = batch.finish()
        self.lots.update({key: lot for (_, key), lot in batch._changed.items()})
        self.lanes.update(writes.lanes)
        return writes


def _encode(writes: Writes) -> None:
    for document in writes.ledger:
        bson.encode(document)
    for operations in writes.entities.values():
        for one in operations:
            if isinstance(one, InsertOne | ReplaceOne):
                bson.encode(one._doc)
    for document in to_outbox(writes.outbox):
        bson.encode(document)


def records(count: int) -> Iterator[ConsumerRecord]:
    """The records as a consumer gives them, sorted by nothing but their time."""
    offsets: dict[tuple[str, int], int] = {}
    for waiting in backlog.events(count, max(1, count // backlog.EVENTS_PER_KNOWN_LOT)):
        partition = partition_for(waiting.key, PARTITIONS)
        offset = offsets.get((waiting.topic.name, partition), 0)
        offsets[waiting.topic.name, partition] = offset + 1
        yield ConsumerRecord(
            topic=waiting.topic.name,
            partition=partition,
            offset=offset,
            timestamp=1_681_700_000_000,
            timestamp_type=1,
            key=waiting.key.encode(),
            value=waiting.value,
            checksum=None,
            serialized_key_size=len(waiting.key),
            serialized_value_size=len(waiting.value),
            headers=tuple(waiting.headers),
        )


async def measure(_: Place, events: int, tell: Tell) -> Said:
    """Microseconds of CPU per event, part by part."""
    tell("in memory")
    every = list(records(events))
    known = list(backlog.known_lots(max(1, events // backlog.EVENTS_PER_KNOWN_LOT)))
    passes = []
    for _round in range(PASSES):
        one = Pass({lot.id: lot for lot in known})
        for first in range(0, len(every), BATCH):
            one.work(every[first : first + BATCH])
        passes.append(one.took)

    def middle(part: str) -> Figure:
        return Figure(
            f"{part}: CPU µs per event", statistics.median(getattr(took, part) for took in passes) / events * 1e6
        )

    return Said("in-memory", (middle("decode"), middle("decide"), middle("prepare")))
