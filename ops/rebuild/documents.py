"""Comparison of two databases of one service, document by document."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.derivation import FIRST
from shared.mongo import Database, Document
from shared.runtime.processor import Collection, Processor
from shared.wording import Message

PAGE = 100_000
BATCH = 2000
SHOWN = 5
LANES = "lanes"
OUTBOX = "outbox"

Pair = tuple[Document | None, Document | None]


@dataclass(frozen=True, slots=True)
class DocumentDifference:
    """A differing document: its differing `fields`, or the `only` database that has it. No values: they may be
    private."""

    id: str
    fields: tuple[str, ...] = ()
    only: str = ""

    @property
    def message(self) -> Message:
        if self.only:
            return Message("{id}: only {database:word}", id=self.id, database=self.only)
        return Message("{id}: {fields}", id=self.id, fields=", ".join(self.fields))

    def __str__(self) -> str:
        return self.message.english


@dataclass(slots=True)
class CollectionComparison:
    """Counts of one compared collection. `first`: the first differences."""

    name: str
    rebuilt: int = 0
    live: int = 0
    same: int = 0
    different: int = 0
    first: list[DocumentDifference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "collection": self.name,
            "rebuilt": self.rebuilt,
            "live": self.live,
            "same": self.same,
            "different": self.different,
            "first": [str(difference) for difference in self.first],
        }


async def compare_documents(
    live: Database, rebuilt: Database, processors: Iterable[Processor]
) -> list[CollectionComparison]:
    """Compare every collection of the two databases, except the outbox, which must be empty. The field `next_out` of
    lanes is ignored: a deadline that was requested again after its event takes a number each time, but has only one
    event in Kafka. An entity that was written before a field was added counts as equal if `processors` read equal
    entities."""
    entity_collections = {
        collection.name: collection for processor in processors for collection in processor.collections
    }
    comparisons = []
    for name in await collections(live, rebuilt):
        if name == OUTBOX:
            continue
        comparison = CollectionComparison(name)
        async for live_document, rebuilt_document in pairs(live, rebuilt, name):
            if name == LANES and live_document is not None:
                # A lane from before there were several derivations does not name its own.
                live_document = {"derivation": FIRST, **live_document}
            comparison.live += live_document is not None
            comparison.rebuilt += rebuilt_document is not None
            difference = _difference(live_document, rebuilt_document, ignored=("next_out",) if name == LANES else ())
            if difference is None or (
                name in entity_collections
                and live_document
                and rebuilt_document
                and _read_alike(entity_collections[name], live_document, rebuilt_document)
            ):
                comparison.same += 1
                continue
            comparison.different += 1
            if len(comparison.first) < SHOWN:
                comparison.first.append(difference)
        comparisons.append(comparison)
    return comparisons


async def collections(live: Database, rebuilt: Database) -> list[str]:
    names = {*await live.list_collection_names(), *await rebuilt.list_collection_names()}
    return sorted(name for name in names if not name.startswith("system."))


async def pairs(live: Database, rebuilt: Database, name: str) -> AsyncIterator[Pair]:
    """Pairs of documents with the same id, live first, in the order of ids; None for a missing document."""
    live_documents, rebuilt_documents = _in_order(live, name), _in_order(rebuilt, name)
    live_document, rebuilt_document = await anext(live_documents, None), await anext(rebuilt_documents, None)
    while live_document is not None or rebuilt_document is not None:
        if rebuilt_document is None or (live_document is not None and live_document["_id"] < rebuilt_document["_id"]):
            yield live_document, None
            live_document = await anext(live_documents, None)
        elif live_document is None or rebuilt_document["_id"] < live_document["_id"]:
            yield None, rebuilt_document
            rebuilt_document = await anext(rebuilt_documents, None)
        else:
            yield live_document, rebuilt_document
            live_document, rebuilt_document = await anext(live_documents, None), await anext(rebuilt_documents, None)


async def _in_order(database: Database, name: str) -> AsyncIterator[Document]:
    # Page by page, since reading a large collection may take longer than a cursor lives. The pages are large, since
    # the local server scans the whole collection for each of them.
    last_id: Any = None
    while True:
        query: Document = {} if last_id is None else {"_id": {"$gt": last_id}}
        count = 0
        async for document in database[name].find(query).sort("_id", 1).limit(PAGE).batch_size(BATCH):
            yield document
            count, last_id = count + 1, document["_id"]
        if count < PAGE:
            return


def _read_alike(collection: Collection[Any], live: Document, rebuilt: Document) -> bool:
    if live.keys() - rebuilt.keys():
        return False  # an extra field that the service does not write
    try:
        return bool(collection.from_document(live) == collection.from_document(rebuilt))
    except (KeyError, TypeError, ValueError):
        return False  # an unreadable document: its fields are reported


def _difference(
    live: Document | None, rebuilt: Document | None, ignored: tuple[str, ...]
) -> DocumentDifference | None:
    if live is None or rebuilt is None:
        document = live or rebuilt
        assert document is not None
        return DocumentDifference(str(document["_id"]), only="live" if rebuilt is None else "rebuilt")
    absent = object()
    fields = tuple(
        name
        for name in dict.fromkeys((*live, *rebuilt))
        if name not in ignored and live.get(name, absent) != rebuilt.get(name, absent)
    )
    return DocumentDifference(str(live["_id"]), fields) if fields else None
