"""What `decide` sees and returns: the entities an event touches, immutable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from shared.errors import NotLoaded


class Entity(Protocol):
    """A frozen dataclass with an identity: one document of one collection."""

    @property
    def id(self) -> str: ...


E = TypeVar("E", bound=Entity)
Key = tuple[type[Any], str]


@dataclass(frozen=True, slots=True)
class Ref:
    """One entity that an event will read or change."""

    entity: type[Any]
    id: str


@dataclass(frozen=True, slots=True)
class Hint:
    """All entities of a view whose indexed `field` has `value`: read only, perhaps out of date."""

    entity: type[Any]
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class KeyRange:
    """All entities whose indexed text `field` lies between `above` and `below`, both excluded. They must belong to
    the event's own lane, so that none is missing."""

    entity: type[Any]
    field: str
    above: str
    below: str


Read: TypeAlias = Ref | Hint | KeyRange


class State:
    """Entities by class and id. `put` returns a new state; nothing is ever changed in place."""

    __slots__ = ("_changed", "_loaded")

    def __init__(self, loaded: Mapping[Key, Any] | None = None, changed: Mapping[Key, Any] | None = None) -> None:
        self._loaded: Mapping[Key, Any] = loaded or {}
        self._changed: Mapping[Key, Any] = changed or {}

    @classmethod
    def of(cls, *entities: Entity, absent: tuple[Ref, ...] = ()) -> "State":
        """A state that holds these entities and knows that the `absent` ones do not exist."""
        loaded: dict[Key, Any] = {(type(e), e.id): e for e in entities}
        loaded.update({(ref.entity, ref.id): None for ref in absent})
        return cls(loaded)

    def get(self, entity: type[E], id: str) -> E | None:
        """The entity, or None if there is none yet. Raises NotLoaded if the event never said it touches it."""
        key = (entity, id)
        if key in self._changed:
            found: E | None = self._changed[key]
            return found
        try:
            found = self._loaded[key]
        except KeyError:
            raise NotLoaded(f"{entity.__name__} {id} was not among what the event touches") from None
        return found

    def all(self, entity: type[E]) -> Iterator[E]:
        """Every entity of this class that was loaded or put, in the order of their ids."""
        found = {**self._loaded, **self._changed}
        for kind, id in sorted((key for key in found if key[0] is entity), key=lambda key: key[1]):
            if found[kind, id] is not None:
                yield found[kind, id]

    def put(self, *entities: Entity) -> "State":
        """This state with these entities in place of what had their ids."""
        return State(self._loaded, {**self._changed, **{(type(e), e.id): e for e in entities}})

    @property
    def changes(self) -> Mapping[Key, Any]:
        """What was put since the state was loaded."""
        return self._changed
