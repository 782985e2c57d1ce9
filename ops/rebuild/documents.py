"""Two databases of one service, document by document."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.derivation import FIRST
from shared.mongo import Database, Document
from shared.runtime.processor import Collection, Processor

PAGE = 100_000
BATCH = 2000
SHOWN = 5
LANES = "lanes"
OUTBOX = "outbox"

Pair = tuple[Document | None, Document | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One document: `fields` differ, or it is in one of the two only. Never a value: it may be private."""

    id: str
    fields: tuple[str, ...] = ()
    only: str = ""

    def __str__(self) -> str:
        return f"{self.id}: only {self.only}" if self.only else f"{self.id}: {', '.join(self.fields)}"


@dataclass(slots=True)
class Compared:
    """One collection. `first`: the first few that differ."""

    name: str
    rebuilt: int = 0
    live: int = 0
    same: int = 0
    different: int = 0
    first: list[Difference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "collection": self.name,
            "rebuilt": self.rebuilt,
            "live": self.live,
            "same": self.same,
            "different": self.different,
            "first": [str(one) for one in self.first],
        }


async def compare_documents(live: Database, rebuilt: Database, processors: Iterable[Processor]) -> list[Compared]:
    """Every collection that one of the two has, but for the outbox: what waits in it is no state, and it must be
    empty when this is asked. Of a lane `next_out` does not count: a deadline that was asked for again after it was
    said takes a number each time, and only Kafka's one event tells of both. An entity that was written before a field
    was added is the same if `processors` read the same of both."""
    kept = {collection.name: collection for processor in processors for collection in processor.collections}
    found = []
    for name in await collections(live, rebuilt):
        if name == OUTBOX:
            continue
        one = Compared(name)
        async for there, here in pairs(live, rebuilt, name):
            if name == LANES and there is not None:
                # A lane from before there were several derivations does not name its own.
                there = {"derivation": FIRST, **there}
            one.live += there is not None
            one.rebuilt += here is not None
            difference = _difference(there, here, but=("next_out",) if name == LANES else ())
            if difference is None or (name in kept and there and here and _read_alike(kept[name], there, here)):
                one.same += 1
                continue
            one.different += 1
            if len(one.first) < SHOWN:
                one.first.append(difference)
        found.append(one)
    return found


async def collections(live: Database, rebuilt: Database) -> list[str]:
    names = {*await live.list_collection_names(), *await rebuilt.list_collection_names()}
    return sorted(name for name in names if not name.startswith("system."))


async def pairs(live: Database, rebuilt: Database, name: str) -> AsyncIterator[Pair]:
    """Documents with the same id side by side, live first, in the order of ids; None where there is none."""
    left, right = _in_order(live, name), _in_order(rebuilt, name)
    there, here = await anext(left, None), await anext(right, None)
    while there is not None or here is not None:
        if here is None or (there is not None and there["_id"] < here["_id"]):
            yield there, None
            there = await anext(left, None)
        elif there is None or here["_id"] < there["_id"]:
            yield None, here
            here = await anext(right, None)
        else:
            yield there, here
            there, here = await anext(left, None), await anext(right, None)


async def _in_order(database: Database, name: str) -> AsyncIterator[Document]:
    # Page by page, and not by one cursor: reading a large collection may take longer than a cursor lives. The pages
    # are large, for the local server looks through the whole collection for each of them.
    last: Any = None
    while True:
        where: Document = {} if last is None else {"_id": {"$gt": last}}
        read = 0
        async for document in database[name].find(where).sort("_id", 1).limit(PAGE).batch_size(BATCH):
            yield document
            read, last = read + 1, document["_id"]
        if read < PAGE:
            return


def _read_alike(collection: Collection[Any], there: Document, here: Document) -> bool:
    if there.keys() - here.keys():
        return False  # it lacks nothing but has more than the service writes
    try:
        return bool(collection.from_document(there) == collection.from_document(here))
    except (KeyError, TypeError, ValueError):
        return False  # one can't be read at all: the fields tell why


def _difference(there: Document | None, here: Document | None, but: tuple[str, ...]) -> Difference | None:
    if there is None or here is None:
        one = there or here
        assert one is not None
        return Difference(str(one["_id"]), only="live" if here is None else "rebuilt")
    missing = object()
    fields = tuple(
        name
        for name in dict.fromkeys((*there, *here))
        if name not in but and there.get(name, missing) != here.get(name, missing)
    )
    return Difference(str(there["_id"]), fields) if fields else None
