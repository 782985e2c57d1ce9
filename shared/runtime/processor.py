"""A processor: the topics whose events change the same documents, and what it does with each kind of event."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

from shared.events.language import Body, Deadline, Event, Publication, Topic
from shared.runtime.state import Entity, ForeignView, KeyRange, OwnedQuery, Read, Ref, State

Document: TypeAlias = Mapping[str, Any]
Decision: TypeAlias = tuple[State, list[Publication | Deadline]]
Decide: TypeAlias = Callable[[State, Event], Decision]

E = TypeVar("E", bound=Entity)
B = TypeVar("B", bound=Body)
Rule: TypeAlias = Callable[[State, Event, B], Decision]


@dataclass(frozen=True, slots=True)
class Collection(Generic[E]):
    """Where entities of one class are kept. `_id` is the entity's id; the functions map all the rest but when they
    arrived. `indexes`: fields that they are looked up by; `sparse`: such fields that few documents have;
    `listed_by`: fields that they are looked up by in the order of their arrival, `arrived` itself for all of them."""

    name: str
    entity: type[E]
    to_document: Callable[[E], dict[str, Any]]
    from_document: Callable[[Document], E]
    indexes: tuple[str, ...] = ()
    listed_by: tuple[str, ...] = ()
    sparse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handler:
    """The one registration of an event in a processor: its body class, its rule, and what the rule reads.

    `reads` names every entity and query that the rule may see; new entities may be put besides.
    """

    body: type[Body]
    rule: Callable[[State, Event, Any], Decision]
    reads: Callable[[Event, Any], Iterable[Read]]


def on(body: type[B], rule: Rule[B], *, reads: Callable[[Event, B], Iterable[Read]]) -> Handler:
    """Register the rule of an event and its reads, both of which take the event and its body."""
    return Handler(body, rule, reads)


@dataclass(frozen=True, slots=True)
class View(Generic[E]):
    """A collection that the processor reads and that `writer`, another processor of the service, writes.

    What is read of it is as old as `writer`'s lag was when the batch was loaded. It stays so until the commit. A view
    has no bound of its own: beyond `most_lag_seconds` the service is not ready and names the view. Rules go on.
    """

    collection: Collection[E]
    writer: "Processor"


@dataclass(frozen=True, slots=True)
class Processor:
    """One subscriber of one service: group `karya.<service>.<key>`, one lane per partition number.

    `collections` are its own to read and write, `views` to read. `deadlines` is the service's deadline topic, if a
    rule asks for deadlines. Raises TypeError unless each event of its topics has exactly one handler, each topic,
    collection and entity stands once, and views are of the same service.
    """

    service: str
    key: str
    topics: tuple[Topic, ...]
    collections: tuple[Collection[Any], ...]
    handlers: tuple[Handler, ...]
    views: tuple[View[Any], ...] = ()
    deadlines: Topic | None = None
    by_body: Mapping[type[Body], Handler] = field(init=False, repr=False, compare=False)
    foreign: Set[type[Any]] = field(init=False, repr=False, compare=False)
    _kinds: Set[tuple[type[Any], type[Any]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        registered = Counter(handler.body for handler in self.handlers)
        expected = {body for topic in self.topics for body in topic.bodies}
        faults = {
            "registered more than once": [body for body, times in registered.items() if times > 1],
            "without a registration": expected - registered.keys(),
            "in none of the topics": registered.keys() - expected,
        }
        words = [f"{fault}: {_names(bodies)}" for fault, bodies in faults.items() if bodies]
        words += [
            f"{view.writer.group} does not write {view.collection.name}"
            for view in self.views
            if view.collection not in view.writer.collections or view.collection in self.collections
        ]
        collections = (*self.collections, *(view.collection for view in self.views))
        names = [*(topic.name for topic in self.topics), *(collection.name for collection in collections)]
        names += [collection.entity.__name__ for collection in collections]
        words += [f"{name} is named twice" for name, times in Counter(names).items() if times > 1]
        words += [
            f"{view.writer.group} is of another service" for view in self.views if view.writer.service != self.service
        ]
        if words:
            raise TypeError(f"{self.group}: {'; '.join(words)}")
        object.__setattr__(self, "by_body", {handler.body: handler for handler in self.handlers})
        foreign = frozenset(view.collection.entity for view in self.views)
        kinds: set[tuple[type[Any], type[Any]]] = {(ForeignView, entity) for entity in foreign}
        for collection in self.collections:
            kinds |= {(kind, collection.entity) for kind in (Ref, OwnedQuery, KeyRange)}
        object.__setattr__(self, "foreign", foreign)
        object.__setattr__(self, "_kinds", kinds)

    @property
    def group(self) -> str:
        return f"karya.{self.service}.{self.key}"

    @property
    def readable(self) -> Mapping[type[Any], Collection[Any]]:
        """The collections that its events may read, by the class of their entities."""
        of_others = (view.collection for view in self.views)
        return {collection.entity: collection for collection in (*self.collections, *of_others)}

    def reads(self, event: Event) -> tuple[Read, ...]:
        """Everything that the event reads. Raises TypeError unless its own entities are read by `Ref` and by owned
        query, those of its views by `ForeignView`, and no others."""
        reads = tuple(self.by_body[type(event.body)].reads(event, event.body))
        for read in reads:
            if (type(read), read.entity) not in self._kinds:
                raise TypeError(f"{self.group} may not read {read.entity.__name__} by {type(read).__name__}")
        return reads

    def decide(self, state: State, event: Event) -> Decision:
        """The state after the event, and what is said about it."""
        return self.by_body[type(event.body)].rule(state, event, event.body)

    def with_decide(self, decide: Decide) -> "Processor":
        """The same processor with `decide` in place of every rule: for a replay, or for a fault in a test."""

        def rule(state: State, event: Event, _body: Body) -> Decision:
            return decide(state, event)

        return replace(self, handlers=tuple(replace(handler, rule=rule) for handler in self.handlers))


def viewed(writer: Processor, processors: Iterable[Processor]) -> tuple[str, ...]:
    """The names of `writer`'s collections that other processors view: they are as old as its lag."""
    views = (view for processor in processors for view in processor.views if view.writer.group == writer.group)
    return tuple(sorted({view.collection.name for view in views}))


def _names(bodies: Iterable[type[Body]]) -> str:
    return ", ".join(sorted(body.__name__ for body in bodies))
