"""What a rule sees and returns: the entities that its event reads, immutable."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from shared.errors import ForeignWrite, UndeclaredRead


class Entity(Protocol):
    """A frozen dataclass with an identity: one document of one collection."""

    @property
    def id(self) -> str: ...


E = TypeVar("E", bound=Entity)
Key: TypeAlias = tuple[type[Any], str]


class Ref(NamedTuple):
    """Read by id: one entity, or the knowledge that there is none. It equals its own `Key`."""

    entity: type[Any]
    id: str


class OwnedQuery(NamedTuple, Generic[E]):
    """All entities whose indexed `field` has this value or is a tuple with it. They must lie in the event's lane.

    The result is complete and may be written. The entity has an attribute with the field's name and value.
    """

    entity: type[E]
    field: str
    value: str

    def matches(self, entity: Any) -> bool:
        value = getattr(entity, self.field)
        return self.value in value if isinstance(value, tuple) else bool(value == self.value)


class KeyRange(NamedTuple, Generic[E]):
    """An owned query by order: all entities whose indexed text `field` lies between two bounds, both excluded."""

    entity: type[E]
    field: str
    above: str
    below: str

    def matches(self, entity: Any) -> bool:
        return bool(self.above < getattr(entity, self.field) < self.below)


class ForeignView(NamedTuple, Generic[E]):
    """All entities of another processor's collection whose indexed `field` (or `_id`) has this value.

    The result is read only, and as old as the processor's `View` of the collection says.
    """

    entity: type[E]
    field: str
    value: str
    # Named tuples are equal if their fields are: without it, an owned query would stand for a foreign view.
    read_only: Literal[True] = True


Query: TypeAlias = OwnedQuery[E] | KeyRange[E] | ForeignView[E]
Read: TypeAlias = Ref | OwnedQuery[Any] | KeyRange[Any] | ForeignView[Any]


class Entities:
    """The entities of one batch: as they were loaded, then as its events left them. Only `apply` changes them."""

    __slots__ = ("_by_key", "_puts", "_results", "_seen", "foreign")

    def __init__(
        self,
        loaded: Mapping[Key, Any],
        results: Mapping[Query[Any], Iterable[str]] | None = None,
        foreign: Set[type[Any]] = frozenset(),
    ) -> None:
        """`loaded` has None for an entity that is known not to exist. `results`: ids by query, for every query that
        an event of the batch declares. `foreign`: classes that no event may put."""
        self.foreign = foreign
        self._by_key = dict(loaded)
        self._results: dict[Query[Any], set[str]] = {query: set(ids) for query, ids in (results or {}).items()}
        # Results follow what was put only when somebody asks: most events declare a query and never need it.
        self._puts: dict[type[Any], list[str]] = {
            query.entity: [] for query in self._results if not isinstance(query, ForeignView)
        }
        self._seen: dict[Query[Any], int] = {}

    def __getitem__(self, key: Key) -> Any:
        return self._by_key[key]

    def apply(self, changes: Mapping[Key, Any]) -> None:
        """Put these entities in place of those with the same keys."""
        self._by_key.update(changes)
        if self._puts:
            for kind, id in changes:
                if kind in self._puts:
                    self._puts[kind].append(id)

    def find(self, query: Query[Any]) -> Set[str]:
        """The ids of the query's result. Raises KeyError for a query that no event of the batch declared."""
        ids = self._results[query]
        if isinstance(query, ForeignView):
            return ids
        puts = self._puts[query.entity]
        count = self._seen.get(query, 0)
        if count < len(puts):
            for id in set(puts[count:]):
                if query.matches(self._by_key[query.entity, id]):
                    ids.add(id)
                else:
                    ids.discard(id)
            self._seen[query] = len(puts)
        return ids


class State:
    """What one event may see: the entities that it reads. `put` returns a new state; nothing changes in place."""

    __slots__ = ("_changed", "_entities", "_reads")

    def __init__(self, entities: Entities, reads: Sequence[Read], changed: Mapping[Key, Any] | None = None) -> None:
        """`reads`: what the event declares, and so may see of the batch's entities."""
        self._entities = entities
        self._reads = reads
        self._changed: Mapping[Key, Any] = changed or {}

    @classmethod
    def of(cls, *entities: Entity, absent: tuple[Ref, ...] = ()) -> "State":
        """A state in which an event reads these entities by id, and the `absent` ones, which do not exist."""
        loaded: dict[Key, Any] = {(type(entity), entity.id): entity for entity in entities}
        loaded.update(dict.fromkeys(absent))
        return cls(Entities(loaded), [Ref(*key) for key in loaded])

    def get(self, entity: type[E], id: str) -> E | None:
        """The entity, or None if there is none yet. Raises UndeclaredRead unless the event reads it, by id or as part
        of a query's result."""
        key = (entity, id)
        if key in self._changed:
            changed: E | None = self._changed[key]
            return changed
        if key in self._reads or self._is_found(key):
            loaded: E | None = self._entities[key]
            return loaded
        raise UndeclaredRead(f"The event does not read {entity.__name__} {id}.")

    def find(self, query: Query[E]) -> list[E]:
        """The query's result in the order of ids, with what was put before. Raises UndeclaredRead unless the event
        declared this very query."""
        if query not in self._reads:
            raise UndeclaredRead(f"The event does not declare the query {query}.")
        ids = self._entities.find(query)
        changed = {id: entity for (kind, id), entity in self._changed.items() if kind is query.entity}
        if changed and not isinstance(query, ForeignView):
            ids = (ids - changed.keys()) | {id for id, entity in changed.items() if query.matches(entity)}
        return [changed[id] if id in changed else self._entities[query.entity, id] for id in sorted(ids)]

    def put(self, *entities: Entity) -> "State":
        """This state with these entities in place of what had their ids. Raises ForeignWrite for one that is read
        only."""
        foreign = self._entities.foreign
        if foreign and not foreign.isdisjoint(map(type, entities)):
            raise ForeignWrite(f"{', '.join(type(entity).__name__ for entity in entities)}: one is read only here.")
        changed = {**self._changed, **{(type(entity), entity.id): entity for entity in entities}}
        return State(self._entities, self._reads, changed)

    @property
    def changes(self) -> Mapping[Key, Any]:
        """What was put since the state was made."""
        return self._changed

    def _is_found(self, key: Key) -> bool:
        queries = (read for read in self._reads if not isinstance(read, Ref))
        return any(query.entity is key[0] and key[1] in self._entities.find(query) for query in queries)
