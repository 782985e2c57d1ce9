"""What a rule may see of a batch: its own reads, and of queries always the result after what was put before."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import envelope
from shared.errors import ForeignWrite, UndeclaredRead
from shared.events.language import Body, Event, Id, Topic
from shared.runtime.batch import Batch, Item, Loaded, reads_of
from shared.runtime.processor import Collection, Decision, Processor, View, on
from shared.runtime.state import Entities, ForeignView, KeyRange, OwnedQuery, Query, Read, Ref, State
from shared.runtime.storage import Lane
from tests.support import reading
from tests.support.records import a_record


@dataclass(frozen=True, slots=True)
class Box:
    id: str
    shelf: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    id: str
    shelf: str


ON_A, ON_B = OwnedQuery(Box, "shelf", "A"), OwnedQuery(Box, "shelf", "B")
FROM_B = KeyRange(Box, "shelf", "A", "Z")
LABELS_A = ForeignView(Label, "shelf", "A")


def a_state(*reads: Read, boxes: Iterable[Box] = (), labels: Iterable[Label] = ()) -> State:
    return State(entities(reads, boxes, labels), reads)


def entities(reads: Iterable[Read], boxes: Iterable[Box] = (), labels: Iterable[Label] = ()) -> Entities:
    loaded: dict[Any, Any] = {(type(entity), entity.id): entity for entity in (*boxes, *labels)}
    results: dict[Query[Any], list[str]] = {
        query: [id for (kind, id), entity in loaded.items() if kind is query.entity and matches(query, entity)]
        for query in reads
        if not isinstance(query, Ref)
    }
    return Entities(loaded, results, foreign=frozenset({Label}))


def matches(query: Query[Any], entity: Box | Label) -> bool:
    return query.value == entity.shelf if isinstance(query, ForeignView) else query.matches(entity)


def ids(instances: Iterable[Box | Label]) -> list[str]:
    return [instance.id for instance in instances]


def test_a_query_finds_in_the_order_of_ids_what_was_loaded_for_it() -> None:
    boxes = [Box("2", "A"), Box("1", "A"), Box("3", "B")]
    state = a_state(ON_A, FROM_B, LABELS_A, boxes=boxes, labels=[Label("l", "A"), Label("m", "B")])
    assert (ids(state.find(ON_A)), ids(state.find(FROM_B))) == (["1", "2"], ["3"])
    assert state.find(LABELS_A) == [Label("l", "A")]


@pytest.mark.parametrize("query", [ON_B, FROM_B])
def test_an_owned_query_sees_what_the_event_itself_put(query: Query[Box]) -> None:
    state = a_state(query, Ref(Box, "1"), boxes=[Box("1", "A"), Box("3", "B")])
    state_after = state.put(Box("1", "B"), Box("2", "B"))
    assert ids(state_after.find(query)) == ["1", "2", "3"]
    assert ids(state_after.put(Box("3", "A")).find(query)) == ["1", "2"]
    assert state_after.put(Box("3", "B", "new")).find(query)[2].mark == "new"
    assert ids(state.find(query)) == ["3"]


@pytest.mark.parametrize("query", [ON_B, FROM_B])
def test_an_owned_query_sees_what_the_batch_changed_before(query: Query[Box]) -> None:
    batch = entities([query], boxes=[Box("1", "A"), Box("3", "B")])

    def boxes() -> list[Box]:
        return State(batch, [query]).find(query)

    assert ids(boxes()) == ["3"]
    batch.apply({(Box, "1"): Box("1", "B"), (Box, "2"): Box("2", "B")})
    assert ids(boxes()) == ["1", "2", "3"]
    batch.apply({(Box, "3"): Box("3", "A")})
    batch.apply({(Box, "2"): Box("2", "B", "new")})
    assert boxes() == [Box("1", "B"), Box("2", "B", "new")]


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("AB"), st.booleans()), max_size=12))
def test_an_owned_query_is_what_a_search_through_everything_finds(changes: list[tuple[str, str, bool]]) -> None:
    boxes = {"1": Box("1", "A"), "2": Box("2", "B")}
    batch = entities([ON_A, ON_B, FROM_B], boxes=boxes.values())
    for n, (id, shelf, looks) in enumerate(changes):
        boxes[id] = Box(id, shelf, str(n))
        batch.apply({(Box, id): boxes[id]})
        for query in (ON_A, ON_B, FROM_B) if looks else ():
            expected = [box for _, box in sorted(boxes.items()) if query.matches(box)]
            assert State(batch, [query]).find(query) == expected


def test_what_another_event_reads_is_not_there() -> None:
    batch = entities([ON_A, ON_B, LABELS_A], boxes=[Box("1", "A"), Box("2", "B")], labels=[Label("l", "A")])
    state = State(batch, [ON_A, Ref(Box, "9")])
    for query in (ON_B, LABELS_A, KeyRange(Box, "shelf", "0", "9")):
        with pytest.raises(UndeclaredRead):
            state.find(query)
    for key in ((Box, "2"), (Label, "l"), (Box, "8"), (Label, "9")):
        with pytest.raises(UndeclaredRead):
            state.get(*key)
    assert state.get(Box, "1") == Box("1", "A")  # the query found it
    batch.apply({(Box, "1"): Box("1", "B")})
    with pytest.raises(UndeclaredRead):
        State(batch, [ON_A]).get(Box, "1")


def test_a_query_of_one_kind_does_not_stand_for_one_of_the_other() -> None:
    for declared, asked in (
        (LABELS_A, OwnedQuery(Label, "shelf", "A")),
        (ON_A, ForeignView(Box, "shelf", "A")),
    ):
        assert declared != asked
        with pytest.raises(UndeclaredRead):
            a_state(declared).find(asked)


def test_what_is_known_not_to_exist_is_none() -> None:
    assert State.of(absent=(Ref(Box, "1"),)).get(Box, "1") is None


def test_a_foreign_view_can_not_be_written() -> None:
    state = a_state(LABELS_A, Ref(Box, "1"), labels=[Label("l", "A")], boxes=[Box("1", "A")])
    [label] = state.find(LABELS_A)
    for put in ((label,), (Box("1", "B"), replace(label, shelf="B")), (Label("new", "A"),)):
        with pytest.raises(ForeignWrite, match="Label"):
            state.put(*put)
    assert state.put(Box("1", "B")).find(LABELS_A) == [label]


class Shelved(Body):
    """A box comes to a shelf; `asks` for the boxes of another."""

    box: Id
    shelf: Id
    asks: Id


class Counted(Body):
    shelf: Id
    boxes: tuple[Id, ...]


SHELVED = Topic("karya.test.shelved.v1", "box", (Shelved,))
COUNTED = Topic("karya.test.counted.v1", "shelf", (Counted,))


def shelve(state: State, _event: Event, body: Shelved) -> Decision:
    box_ids = ids(state.find(OwnedQuery(Box, "shelf", body.asks)))
    return state.put(Box(body.box, body.shelf)), [COUNTED.of(Counted(shelf=body.asks, boxes=tuple(box_ids)))]


def shelf_reads(_event: Event, body: Shelved) -> Iterable[Read]:
    return Ref(Box, body.box), OwnedQuery(Box, "shelf", body.asks)


def relabel(state: State, _event: Event, body: Shelved) -> Decision:
    return state.put(Label(body.box, body.shelf)), []


def peek(state: State, _event: Event, body: Shelved) -> Decision:
    return state.put(Box(body.box, state.find(OwnedQuery(Box, "shelf", "A"))[0].shelf)), []


def _shelf(entity: Box | Label) -> dict[str, Any]:
    return {"shelf": entity.shelf}


BOXES = Collection("boxes", Box, _shelf, lambda d: Box(d["_id"], d["shelf"]), indexes=("shelf",))
LABELS = Collection("labels", Label, _shelf, lambda d: Label(d["_id"], d["shelf"]), indexes=("shelf",))
WRITER = Processor("test", "labels", (SHELVED,), (LABELS,), (on(Shelved, relabel, reads=shelf_reads),))


def a_processor(rule: Callable[[State, Event, Shelved], Decision], reads: Any = shelf_reads) -> Processor:
    handlers = (on(Shelved, rule, reads=reads),)
    return Processor("test", "boxes", (SHELVED,), (BOXES,), handlers, views=(View(LABELS, WRITER),))


def work_batch(processor: Processor, stored: Mapping[str, str], *bodies: Shelved) -> list[tuple[str, Any]]:
    """What one batch says, as the name of the event (or the reason of a dead letter) and its boxes."""
    loaded, items = Loaded(), []
    for n, body in enumerate(bodies):
        record = a_record(body, id=f"e{n}", offset=n, topic=SHELVED)
        event = envelope.decode(SHELVED, record)
        items.append(Item(record, event, f"s e{n}", bytes([n]), reads=reads_of(processor, event)))
        documents = {id: {"_id": id, "shelf": shelf} for id, shelf in stored.items()}
        reading.load(processor, items[-1].reads, lambda of: documents if of is BOXES else {}, loaded)  # noqa: B023
    batch = Batch(processor, "", {0: Lane(processor.group, 0)}, loaded)
    batch.work(0, items)
    records = [entry.record for entry in batch.finish().outbox]
    counts = [Counted.model_validate_json(record.value or b"") for record in records if record.topic == COUNTED.name]
    letters = [envelope.header(record.headers, "dlq_reason") for record in records if record.topic.endswith(".dlq")]
    return [("counted", count.boxes) for count in counts] + [(letter or "", None) for letter in letters]


def a_shelving(box: str, shelf: str, asks: str) -> Shelved:
    return Shelved(box=box, shelf=shelf, asks=asks)


def test_an_event_finds_what_events_before_it_in_its_batch_left() -> None:
    bodies = [
        a_shelving("1", "B", "B"),
        a_shelving("2", "B", "B"),
        a_shelving("3", "A", "B"),
        a_shelving("4", "A", "A"),
    ]
    assert work_batch(a_processor(shelve), {"1": "A", "3": "B", "5": "A"}, *bodies) == [
        ("counted", ("3",)),
        ("counted", ("1", "3")),
        ("counted", ("1", "2", "3")),
        ("counted", ("3", "5")),
    ]


def test_a_rule_that_writes_a_foreign_view_parks_its_key() -> None:
    assert work_batch(a_processor(relabel), {}, a_shelving("1", "A", "A")) == [("BUG", None)]


def test_a_rule_that_needs_what_only_another_event_reads_parks_its_key() -> None:
    outcomes = work_batch(a_processor(peek), {"9": "A"}, a_shelving("1", "B", "A"), a_shelving("2", "B", "B"))
    assert outcomes == [("BUG", None)]


def test_a_read_of_the_other_kind_parks_its_key() -> None:
    def as_a_view(_event: Event, body: Shelved) -> Iterable[Read]:
        return Ref(Box, body.box), ForeignView(Box, "shelf", body.asks)

    assert work_batch(a_processor(shelve, as_a_view), {}, a_shelving("1", "B", "A")) == [("BUG", None)]


def test_reads_that_can_not_be_named_park_the_key() -> None:
    def failing(_event: Event, _body: Shelved) -> Iterable[Read]:
        raise ZeroDivisionError

    assert work_batch(a_processor(shelve, failing), {}, a_shelving("1", "B", "A")) == [("BUG", None)]
