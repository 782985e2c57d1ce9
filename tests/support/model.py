"""What a service must end with, folded in memory: the pure rules over the distinct events, in their order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from shared.derivation import derived_id
from shared.events.language import Event, Publication
from shared.mongo import Database
from shared.runtime.processor import Collection, Document, Processor
from tests.support import reading

Documents = dict[str, dict[str, Any]]


class Model:
    """The documents of one service and the ids of what it says."""

    def __init__(self, *processors: Processor) -> None:
        self._processors = processors
        self._stores: dict[str, dict[str, dict[str, Any]]] = {}
        self._seen: set[str] = set()
        self.published: dict[str, list[str]] = defaultdict(list)

    def work(self, events: Iterable[Event], processor: Processor | None = None) -> None:
        """What the processor (the first one unless given) makes of these events, each seeing what it reads."""
        processor = processor or self._processors[0]
        for event in events:
            cause = f"{event.source} {event.id}"
            if cause in self._seen:
                continue
            self._seen.add(cause)
            state, outputs = processor.decide(reading.state(processor, event, self._stored), event)
            for (kind, id), entity in state.changes.items():
                collection = processor.readable[kind]
                self._stores.setdefault(collection.name, {})[id] = {"_id": id, **collection.to_document(entity)}
            for index, output in enumerate(outputs):
                if isinstance(output, Publication):
                    self.published[output.topic.name].append(derived_id(cause, output.topic.name, index))

    def _stored(self, collection: Collection[Any]) -> Mapping[str, Document]:
        return self._stores.setdefault(collection.name, {})

    @property
    def documents(self) -> dict[str, Documents]:
        """By collection and id, as the service would keep them."""
        names = (collection.name for processor in self._processors for collection in processor.collections)
        return {name: dict(self._stores.get(name, {})) for name in names}


async def documents(database: Database, *processors: Processor) -> dict[str, Documents]:
    """The same of a service's real database: when they arrived is for the lanes to say, not for the rules."""
    return {
        collection.name: {d["_id"]: d for d in await database[collection.name].find({}, {"arrived": 0}).to_list(None)}
        for processor in processors
        for collection in processor.collections
    }


async def all_published(database: Database, expected_events: int) -> bool:
    """All these events are worked and nothing waits to be published."""
    worked = await database["ledger"].count_documents({})
    return worked == expected_events and await database["outbox"].count_documents({}) == 0
