"""What a service must end with, folded in memory: the pure rules over the distinct events, in their order."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from shared.envelope import derived_id
from shared.events.language import Event, Publication
from shared.family import Family
from shared.mongo import Database
from shared.state import Hint, Key, Ref, State

Documents = dict[str, dict[str, Any]]


class Model:
    """One family's documents and the ids of what it says."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._entities: dict[Key, Any] = {}
        self._seen: set[str] = set()
        self.said: dict[str, list[str]] = defaultdict(list)

    def work(self, events: Iterable[Event]) -> None:
        for event in events:
            cause = f"{event.source} {event.id}"
            if cause in self._seen:
                continue
            self._seen.add(cause)
            for ref in self._family.touches(event):
                assert not isinstance(ref, Hint), "the model has no hints"
                assert isinstance(ref, Ref)
                self._entities.setdefault((ref.entity, ref.id), None)
            state, outputs = self._family.decide(State(self._entities), event)
            self._entities.update(state.changes)
            for index, output in enumerate(outputs):
                if isinstance(output, Publication):
                    self.said[output.topic.name].append(derived_id(cause, output.topic.name, index))

    @property
    def documents(self) -> dict[str, Documents]:
        """By collection and id, as the service would keep them."""
        found: dict[str, Documents] = {collection.name: {} for collection in self._family.collections}
        collections = {collection.entity: collection for collection in self._family.collections}
        for (kind, id), entity in self._entities.items():
            if entity is not None:
                found[collections[kind].name][id] = {"_id": id, **collections[kind].to_document(entity)}
        return found


async def documents(family: Family, database: Database) -> dict[str, Documents]:
    """The same of a service's real database."""
    return {
        collection.name: {d["_id"]: d for d in await database[collection.name].find({}).to_list(None)}
        for collection in family.collections
    }


async def settled(database: Database, expected_events: int) -> bool:
    """All these events are worked and nothing waits to be said."""
    worked = await database["ledger"].count_documents({})
    return worked == expected_events and await database["outbox"].count_documents({}) == 0
