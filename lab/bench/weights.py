"""Bytes: what one event leaves in Kafka and in MongoDB, without compression, indexes and further copies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bson
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from pymongo import InsertOne, ReplaceOne

from lab.bench.report import Figure
from shared import envelope
from shared.runtime.storage import ChangeSet, to_outbox


class Weights:
    """The mean of each kind of thing, over all that was weighed."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def add(self, kind: str, size: int, count: int = 1) -> None:
        bytes_before, count_before = self._sums.get(kind, (0, 0))
        self._sums[kind] = bytes_before + size, count_before + count

    def message(self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> None:
        """One record with its key and headers; but for 5 to 8 bytes that tell its length, time and place."""
        size = DefaultRecordBatchBuilder.size_of(key, value, list(headers))
        self.add(f"message {envelope.header(headers, 'ce_type')}", size)

    def written(self, writes: ChangeSet) -> None:
        """All that one transaction writes, but for lanes, which stay as many as they are."""
        self._documents("ledger entry", writes.ledger)
        for collection, operations in writes.entities.items():
            made = (one._doc for one in operations if isinstance(one, InsertOne | ReplaceOne))
            self._documents(f"document of {collection}", made)
        pages = sum(len(bson.encode(page)) for page in to_outbox(writes.outbox))
        self.add("outbox record", pages, len(writes.outbox))
        for numbered in writes.outbox:
            self.message(numbered.record.key, numbered.record.value, numbered.record.headers)

    def figures(self, of: str) -> list[Figure]:
        return [Figure(f"{of}, {kind}: bytes", size / count) for kind, (size, count) in self._sums.items()]

    def _documents(self, kind: str, documents: Iterable[Mapping[str, Any]]) -> None:
        for document in documents:
            self.add(kind, len(bson.encode(document)))
