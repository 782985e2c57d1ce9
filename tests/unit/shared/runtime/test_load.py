"""What part 2 of the step finds for the reads of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from shared import envelope
from shared.events.language import Body, Event, Id, Topic
from shared.mongo import Database
from shared.runtime.batch import Item, Loaded
from shared.runtime.processor import Collection, Decision, Processor, View, on
from shared.runtime.state import ForeignView, KeyRange, OwnedQuery, Read, Ref, State
from shared.runtime.step import load
from shared.runtime.storage import RuntimeStore
from tests.support.records import a_record


class Asked(Body):
    shelf: Id


@dataclass(frozen=True, slots=True)
class Crate:
    id: str
    shelf: str


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    shelf: str


ASKED = Topic("karya.test.asked.v1", "shelf", (Asked,))


def ignore(state: State, _event: Event, _body: Asked) -> Decision:
    return state, []


def _shelf(entity: Crate | Tag) -> dict[str, Any]:
    return {"shelf": entity.shelf}


CRATES = Collection("crates", Crate, _shelf, lambda d: Crate(d["_id"], d["shelf"]), indexes=("shelf",))
TAGS = Collection("tags", Tag, _shelf, lambda d: Tag(d["_id"], d["shelf"]), indexes=("shelf",))
WRITER = Processor("test", "tag", (ASKED,), (TAGS,), (on(Asked, ignore, reads=lambda _event, _body: ()),))


@dataclass
class Stored:
    """A collection, or what was found in it."""

    documents: list[Mapping[str, Any]]

    def find(self, query: dict[str, dict[str, Any]]) -> "Stored":
        [(name, bound)] = query.items()
        return Stored([document for document in self.documents if _within(document[name], bound)])

    async def to_list(self, _length: None) -> list[Mapping[str, Any]]:
        return self.documents


def _within(value: str, bound: dict[str, Any]) -> bool:
    return value in bound["$in"] if "$in" in bound else bool(bound["$gt"] < value < bound["$lt"])


class NothingWorked:
    async def processed(self, _ids: list[str]) -> dict[str, bytes]:
        return {}

    async def parked(self, _keys: set[str]) -> dict[str, Any]:
        return {}


async def loaded_for(*reads_of_events: tuple[Read, ...]) -> Loaded:
    by_event = {f"e{n}": reads for n, reads in enumerate(reads_of_events)}
    handler = on(Asked, ignore, reads=lambda event, _body: by_event[event.id])
    processor = Processor("test", "crate", (ASKED,), (CRATES,), (handler,), views=(View(TAGS, WRITER),))
    records = [a_record(Asked(shelf="A"), id=id, topic=ASKED) for id in by_event]
    items = [Item(record, envelope.decode(ASKED, record)) for record in records]
    documents: list[Mapping[str, Any]] = [
        {"_id": id, "shelf": shelf} for id, shelf in (("1", "A"), ("2", "A"), ("3", "B"))
    ]
    database = {"crates": Stored(documents), "tags": Stored(documents)}
    store = cast("RuntimeStore", NothingWorked())
    return await load(processor, cast("Database", database), store, items)


async def test_each_query_of_each_event_has_its_own_result() -> None:
    on_a, on_b, on_c = (OwnedQuery(Crate, "shelf", shelf) for shelf in "ABC")
    tags_a, tag_3, up = (
        ForeignView(Tag, "shelf", "A"),
        ForeignView(Tag, "_id", "3"),
        KeyRange(Crate, "shelf", "A", "Z"),
    )
    loaded = await loaded_for((on_a, on_b, tags_a), (on_a, on_c, up), (tag_3,))
    assert loaded.results == {
        on_a: ["1", "2"],
        on_b: ["3"],
        on_c: [],
        tags_a: ["1", "2"],
        tag_3: ["3"],
        up: ["3"],
    }
    assert loaded.entities[Crate, "3"] == Crate("3", "B")
    assert loaded.entities[Tag, "3"] == Tag("3", "B")


async def test_an_entity_that_is_read_by_id_is_there_or_known_to_be_missing() -> None:
    loaded = await loaded_for((Ref(Crate, "1"), Ref(Crate, "9")))
    assert loaded.entities == {(Crate, "1"): Crate("1", "A"), (Crate, "9"): None}
    assert loaded.results == {}


async def test_a_query_by_id_finds_what_another_event_reads_by_id() -> None:
    first, again = OwnedQuery(Crate, "_id", "1"), Ref(Crate, "1")
    for events in (((first,), (again,)), ((again,), (first,))):
        loaded = await loaded_for(*events)
        assert loaded.results == {first: ["1"]}
        assert loaded.entities == {(Crate, "1"): Crate("1", "A")}
