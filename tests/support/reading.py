"""What the load of the step does for a rule, over documents in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions

from shared.events.language import Event
from shared.runtime.batch import Loaded
from shared.runtime.processor import Collection, Document, Processor
from shared.runtime.state import Entities, ForeignView, KeyRange, Read, Ref, State

_UTC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)

# Of a collection, by id.
Documents = Callable[[Collection[Any]], Mapping[str, Document]]


class Stored(Mapping[str, Document]):
    """The documents in BSON, decoded when they are looked at."""

    def __init__(self, stored: Mapping[str, bytes]) -> None:
        self._stored = stored

    def __getitem__(self, id: str) -> Document:
        return bson.decode(self._stored[id], _UTC)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def load(processor: Processor, reads: Iterable[Read], documents: Documents, loaded: Loaded) -> None:
    """Add to `loaded` what these reads find in `documents`, and check that the processor may read it so."""
    for read in reads:
        collection = processor.readable[read.entity]
        stored = documents(collection)
        if isinstance(read, Ref):
            document = stored.get(read.id)
            loaded.entities[read] = None if document is None else collection.from_document(document)
            continue
        indexes = (*collection.indexes, *collection.sparse, *collection.listed_by, "_id")
        assert read.field in indexes, f"no index finds {read}"
        assert isinstance(read, ForeignView) is (collection not in processor.collections), (
            f"{read} is of the other kind"
        )
        results = [document for document in stored.values() if _finds(read, document)]
        loaded.results[read] = [document["_id"] for document in results]
        for document in results:
            entity = collection.from_document(document)
            assert isinstance(read, ForeignView) or read.matches(entity), f"{read} finds what it does not match"
            loaded.entities[read.entity, document["_id"]] = entity


def state(
    processor: Processor, event: Event, documents: Documents, *, crowd: Mapping[Any, Any] | None = None
) -> State:
    """What the event may see. `crowd`: entities that other events of its batch have loaded."""
    loaded, reads = Loaded(), processor.reads(event)
    load(processor, reads, documents, loaded)
    return State(Entities({**(crowd or {}), **loaded.entities}, loaded.results, processor.foreign), reads)


def _finds(read: Read, document: Document) -> bool:
    assert not isinstance(read, Ref)
    value = document.get(read.field)
    if isinstance(read, KeyRange):
        return bool(read.above < value < read.below)
    return read.value in value if isinstance(value, list) else bool(value == read.value)
