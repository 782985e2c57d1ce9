"""What a service must end with, folded in memory: the pure rules over the distinct events, in their order."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from shared.derivation import derived_id
from shared.events.language import Event, Publication
from shared.mongo import Database
from shared.runtime.family import Collection, Family
from shared.runtime.state import Key, Ref, State

Documents = dict[str, dict[str, Any]]


class Model:
    """The documents of one service and the ids of what it says."""

    def __init__(self, *families: Family) -> None:
        self._families = families
        self._entities: dict[Key, Any] = {}
        self._by_kind: dict[type[Any], dict[str, Any]] = defaultdict(dict)
        self._kept: dict[Key, tuple[Any, dict[str, Any]]] = {}
        self._seen: set[str] = set()
        self.said: dict[str, list[str]] = defaultdict(list)

    def work(self, events: Iterable[Event], family: Family | None = None) -> None:
        """What the family (the first one unless given) makes of these events, each seeing what it touches."""
        family = family or self._families[0]
        for event in events:
            cause = f"{event.source} {event.id}"
            if cause in self._seen:
                continue
            self._seen.add(cause)
            state, outputs = family.decide(State(self._touched(family, event)), event)
            self._entities.update(state.changes)
            for kind, id in state.changes:
                self._by_kind[kind][id] = state.changes[kind, id]
            for index, output in enumerate(outputs):
                if isinstance(output, Publication):
                    self.said[output.topic.name].append(derived_id(cause, output.topic.name, index))

    def _touched(self, family: Family, event: Event) -> dict[Key, Any]:
        found: dict[Key, Any] = {}
        collections = {collection.entity: collection for collection in family.collections}
        for one in family.touches(event):
            if isinstance(one, Ref):
                found[one.entity, one.id] = self._entities.get((one.entity, one.id))
                continue
            for id, entity in self._by_kind[one.entity].items():
                if self._document(collections[one.entity], id, entity).get(one.field) == one.value:
                    found[one.entity, id] = entity
        return found

    def _document(self, collection: Collection[Any], id: str, entity: Any) -> dict[str, Any]:
        """The entity as it would be kept, made anew only when it has changed: a hint looks at all of a kind."""
        key = collection.entity, id
        kept, document = self._kept.get(key, (None, {}))
        if kept is not entity:
            document = collection.to_document(entity)
            self._kept[key] = entity, document
        return document

    @property
    def documents(self) -> dict[str, Documents]:
        """By collection and id, as the service would keep them."""
        collections = {one.entity: one for family in self._families for one in family.collections}
        found: dict[str, Documents] = {collection.name: {} for collection in collections.values()}
        for (kind, id), entity in self._entities.items():
            if entity is not None:
                found[collections[kind].name][id] = {"_id": id, **collections[kind].to_document(entity)}
        return found


async def documents(database: Database, *families: Family) -> dict[str, Documents]:
    """The same of a service's real database: when they arrived is for the lanes to say, not for the rules."""
    return {
        collection.name: {d["_id"]: d for d in await database[collection.name].find({}, {"arrived": 0}).to_list(None)}
        for family in families
        for collection in family.collections
    }


async def settled(database: Database, expected_events: int) -> bool:
    """All these events are worked and nothing waits to be said."""
    worked = await database["ledger"].count_documents({})
    return worked == expected_events and await database["outbox"].count_documents({}) == 0
