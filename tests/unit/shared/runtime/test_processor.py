"""One registration per event: what a processor must be made of."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from deploy.topics import SERVICES
from shared.events.language import Body, Event, Id, Topic
from shared.runtime.processor import Collection, Decision, Processor, View, on, viewed
from shared.runtime.state import ForeignView, KeyRange, OwnedQuery, Read, Ref, State
from tests.support.records import IN, NOON, PROCESSOR, Added, Grew, RunningTotal, account_of, add

ALL = [processor for processors in SERVICES.values() for processor in processors]


class Closed(Body):
    account: Id


def ignore(state: State, _event: Event, _body: Body) -> Decision:
    return state, []


def no_reads(_event: Event, _body: Body) -> Iterable[Read]:
    return ()


class Viewed(RunningTotal):
    """An entity that another processor writes."""


EVENT = Event("e1", "till-1", "a", NOON, NOON, Added(account="a", amount=1))


def viewing(reads: Callable[[Event, Body], Iterable[Read]]) -> Processor:
    """A processor with a view of what another writes."""
    [accounts] = PROCESSOR.collections
    seen = replace(accounts, name="seen", entity=Viewed)
    writer = replace(PROCESSOR, key="writer", collections=(seen,))
    return replace(PROCESSOR, handlers=(on(Added, add, reads=reads),), views=(View(seen, writer),))


@pytest.mark.parametrize("processor", ALL, ids=lambda processor: processor.group)
def test_each_event_of_a_processor_s_topics_has_one_handler(processor: Processor) -> None:
    expected = {body for topic in processor.topics for body in topic.bodies}
    assert len(processor.handlers) == len(expected)
    assert {body: handler.body for body, handler in processor.by_body.items()} == {body: body for body in expected}


@pytest.mark.parametrize("processor", ALL, ids=lambda processor: processor.group)
def test_a_view_is_of_another_processor_of_the_service(processor: Processor) -> None:
    for view in processor.views:
        assert view.writer in SERVICES[processor.service]
        assert view.writer is not processor


def test_what_others_view_is_named_to_its_writer() -> None:
    names = {writer.group: viewed(writer, processors) for processors in SERVICES.values() for writer in processors}
    assert {group: views for group, views in names.items() if views} == {"karya.festival.lot": ("stock",)}


def test_an_event_without_a_registration_is_named() -> None:
    topic = replace(IN, bodies=(Added, Closed))
    with pytest.raises(TypeError, match=r"karya\.test\.account: without a registration: Closed"):
        replace(PROCESSOR, topics=(topic,))


def test_an_event_that_is_registered_twice_is_named() -> None:
    with pytest.raises(TypeError, match="registered more than once: Added"):
        replace(PROCESSOR, handlers=(*PROCESSOR.handlers, on(Added, add, reads=account_of)))


def test_a_topic_or_a_collection_that_stands_twice_is_named() -> None:
    with pytest.raises(TypeError, match=f"{IN.name} is named twice"):
        replace(PROCESSOR, topics=(IN, IN))
    (collection,) = PROCESSOR.collections
    with pytest.raises(TypeError, match=f"{collection.name} is named twice"):
        replace(PROCESSOR, collections=(collection, replace(collection, entity=Closed)))


def test_a_view_of_another_service_is_refused() -> None:
    (collection,) = PROCESSOR.collections
    elsewhere = replace(PROCESSOR, service="elsewhere")
    with pytest.raises(TypeError, match=r"karya\.elsewhere\.account is of another service"):
        replace(PROCESSOR, collections=(), views=(View(collection, elsewhere),))


def test_a_registration_for_an_event_of_no_topic_is_named() -> None:
    with pytest.raises(TypeError, match="in none of the topics: Closed, Grew"):
        replace(
            PROCESSOR,
            handlers=(*PROCESSOR.handlers, on(Grew, ignore, reads=no_reads), on(Closed, ignore, reads=no_reads)),
        )


def test_a_processor_views_only_what_another_writes() -> None:
    [accounts] = PROCESSOR.collections
    other = Collection("others", RunningTotal, accounts.to_document, accounts.from_document)
    for views in ((View(accounts, PROCESSOR),), (View(other, PROCESSOR),)):
        with pytest.raises(TypeError, match=r"karya\.test\.account does not write"):
            replace(PROCESSOR, views=views)


@pytest.mark.parametrize(
    "read",
    [
        ForeignView(RunningTotal, "total", "1"),
        OwnedQuery(Viewed, "total", "1"),
        KeyRange(Viewed, "total", "1", "2"),
        Ref(Viewed, "1"),
        Ref(Closed, "1"),
    ],
)
def test_a_read_of_the_other_kind_is_refused(read: Read) -> None:
    def reads(_event: Event, _body: Body) -> Iterable[Read]:
        return Ref(RunningTotal, "a"), read

    processor = viewing(reads)
    with pytest.raises(TypeError, match=f"may not read {read.entity.__name__} by {type(read).__name__}"):
        processor.reads(EVENT)


def test_own_entities_are_queried_and_those_of_a_view_viewed() -> None:
    own = OwnedQuery(RunningTotal, "total", "1"), KeyRange(RunningTotal, "total", "1", "2"), Ref(RunningTotal, "1")
    all_reads = (*own, ForeignView(Viewed, "total", "1"))
    assert viewing(lambda _event, _body: all_reads).reads(EVENT) == all_reads


def test_two_topics_may_carry_one_event() -> None:
    again = Topic("karya.test.again.v1", "account", (Added,))
    assert replace(PROCESSOR, topics=(IN, again)).by_body.keys() == {Added}


def test_another_decision_takes_the_place_of_every_rule() -> None:
    def decide(_state: State, event: Event) -> Decision:
        raise ZeroDivisionError(event.id)

    processor = PROCESSOR.with_decide(decide)
    assert processor.reads(EVENT) == PROCESSOR.reads(EVENT)
    with pytest.raises(ZeroDivisionError, match="e1"):
        processor.decide(State.of(), EVENT)
