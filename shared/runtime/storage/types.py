"""The runtime's own values: lanes, outbox records, timers, and the change set of one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne

from shared.derivation import FIRST
from shared.mongo import Document

Operations: TypeAlias = list[InsertOne[Document] | ReplaceOne[Document] | DeleteOne | DeleteMany]
# The events that a parked key waits for, in order: `<source> <event id>` and the digest of the body.
ParkedEvents: TypeAlias = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """One partition number of one processor. `offsets`: the next offset to work, by full topic name. `marks`: the
    mark of the last record worked, by the same names. `derivation`: the number of the last batch's derivation of ids.
    """

    group: str
    partition: int
    offsets: Mapping[str, int] = field(default_factory=dict)
    next_out: int = 0
    batches: int = 0
    cluster: str = ""
    marks: Mapping[str, bytes] = field(default_factory=dict)
    derivation: int = FIRST

    @property
    def id(self) -> str:
        return lane_id(self.group, self.partition)


class OutboxRecord(NamedTuple):
    """A record to be published. `topic` is the full name. A partition of None follows from the key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class OutboxEntry(NamedTuple):
    """A record with its number in its lane's outbox."""

    lane: str
    number: int
    record: OutboxRecord

    @property
    def id(self) -> str:
        return outbox_id(self.lane, self.number)


@dataclass(frozen=True, slots=True)
class Timer:
    """A stored deadline: when it is due, its lane says DeadlineReached to `key`."""

    id: str
    lane: str
    key: str
    deadline: str
    due: datetime


@dataclass(slots=True)
class ChangeSet:
    """Everything that one transaction writes."""

    lanes: dict[int, Lane] = field(default_factory=dict)
    ledger: list[Document] = field(default_factory=list)
    entities: dict[str, Operations] = field(default_factory=dict)
    outbox: list[OutboxEntry] = field(default_factory=list)
    deadlines: dict[str, Timer] = field(default_factory=dict)
    deadlines_reached: list[str] = field(default_factory=list)
    parked: dict[str, ParkedEvents] = field(default_factory=dict)

    def send(self, partition: int, records: Iterable[OutboxRecord]) -> None:
        """Add records to the outbox, with the next numbers of the lane of `partition`."""
        lane = self.lanes[partition]
        id = lane.id
        entries = [OutboxEntry(id, number, record) for number, record in enumerate(records, lane.next_out)]
        self.outbox += entries
        self.lanes[partition] = replace(lane, next_out=lane.next_out + len(entries))


@lru_cache(maxsize=1024)
def lane_id(group: str, partition: int) -> str:
    return f"{group}/{partition:03d}"


def outbox_id(lane: str, number: int) -> str:
    # Fixed width, so that the order of strings is the order of numbers and one range covers a lane.
    return f"{lane}/{number:012d}"
