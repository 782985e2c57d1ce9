"""Bytes that one event leaves in Kafka and in MongoDB, without compression, indexes and replicas."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bson
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from pymongo import InsertOne, ReplaceOne

from lab.bench.report import Figure
from shared import envelope
from shared.runtime.storage import ChangeSet, to_outbox


class RecordSizes:
    """The mean size of each kind of record and document."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def add(self, kind: str, size: int, count: int = 1) -> None:
        bytes_before, count_before = self._sums.get(kind, (0, 0))
        self._sums[kind] = bytes_before + size, count_before + count

    def add_message(
        self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Add one record with its key and headers, without the 5 to 8 bytes of its length, time and offset."""
        size = DefaultRecordBatchBuilder.size_of(key, value, list(headers))
        self.add(f"message {envelope.header(headers, 'ce_type')}", size)

    def add_writes(self, writes: ChangeSet) -> None:
        """Add everything that one transaction writes, except the lane documents, whose number is constant."""
        self._documents("ledger entry", writes.ledger)
        for collection, operations in writes.entities.items():
            documents = (operation._doc for operation in operations if isinstance(operation, InsertOne | ReplaceOne))
            self._documents(f"document of {collection}", documents)
        pages = sum(len(bson.encode(page)) for page in to_outbox(writes.outbox))
        self.add("outbox record", pages, len(writes.outbox))
        for numbered in writes.outbox:
            self.add_message(numbered.record.key, numbered.record.value, numbered.record.headers)

    def figures(self, subject: str) -> list[Figure]:
        return [Figure(f"{subject}, {kind}: bytes", size / count) for kind, (size, count) in self._sums.items()]

    def _documents(self, kind: str, documents: Iterable[Mapping[str, Any]]) -> None:
        for document in documents:
            self.add(kind, len(bson.encode(document)))
