"""A key family: the topics whose events change the same documents, and the rules that they go by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from shared.events.language import Deadline, Event, Publication, Topic
from shared.runtime.state import Entity, Read, State

Document: TypeAlias = Mapping[str, Any]
Decision: TypeAlias = tuple[State, list[Publication | Deadline]]
Decide: TypeAlias = Callable[[State, Event], Decision]

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Collection(Generic[E]):
    """Where entities of one class are kept. `_id` is the entity's id; the functions map all the rest but when they
    arrived. `indexes`: fields that they are looked up by; `listed_by`: fields that they are looked up by in the
    order of their arrival, `arrived` itself for all of them."""

    name: str
    entity: type[E]
    to_document: Callable[[E], dict[str, Any]]
    from_document: Callable[[Document], E]
    indexes: tuple[str, ...] = ()
    listed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """One subscriber of one service: group `karya.<service>.<key>`, one lane per partition number.

    `touches` names every entity that `decide` may read or change for an event (new ones may be put
    besides). `deadlines` is the service's deadline topic, if `decide` asks for deadlines.
    """

    service: str
    key: str
    topics: tuple[Topic, ...]
    collections: tuple[Collection[Any], ...]
    touches: Callable[[Event], Iterable[Read]]
    decide: Decide
    deadlines: Topic | None = None

    @property
    def group(self) -> str:
        return f"karya.{self.service}.{self.key}"
