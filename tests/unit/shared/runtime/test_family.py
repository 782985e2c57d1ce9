"""One registration per event: what a family must be made of."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from deploy.topics import SERVICES
from shared.events.language import Body, Event, Id, Topic
from shared.runtime.family import Collection, Decision, Family, View, on
from shared.runtime.state import Read, State
from tests.support.records import FAMILY, IN, NOON, Account, Added, Grew, account_of, add

ALL = [family for families in SERVICES.values() for family in families]


class Closed(Body):
    account: Id


def ignore(state: State, _event: Event, _body: Body) -> Decision:
    return state, []


def nothing(_event: Event, _body: Body) -> Iterable[Read]:
    return ()


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.group)
def test_each_event_of_a_family_s_topics_has_one_handler(family: Family) -> None:
    expected = {body for topic in family.topics for body in topic.bodies}
    assert len(family.handlers) == len(expected)
    assert {body: handler.body for body, handler in family.by_body.items()} == {body: body for body in expected}


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.group)
def test_a_view_is_of_another_family_of_the_service(family: Family) -> None:
    for view in family.views:
        assert view.writer in SERVICES[family.service]
        assert view.writer is not family


def test_an_event_without_a_registration_is_named() -> None:
    topic = replace(IN, bodies=(Added, Closed))
    with pytest.raises(TypeError, match=r"karya\.test\.account: without a registration: Closed"):
        replace(FAMILY, topics=(topic,))


def test_an_event_that_is_registered_twice_is_named() -> None:
    with pytest.raises(TypeError, match="registered more than once: Added"):
        replace(FAMILY, handlers=(*FAMILY.handlers, on(Added, add, reads=account_of)))


def test_a_registration_for_an_event_of_no_topic_is_named() -> None:
    with pytest.raises(TypeError, match="in none of the topics: Closed, Grew"):
        replace(
            FAMILY, handlers=(*FAMILY.handlers, on(Grew, ignore, reads=nothing), on(Closed, ignore, reads=nothing))
        )


def test_a_family_views_only_what_another_writes() -> None:
    [accounts] = FAMILY.collections
    other = Collection("others", Account, accounts.to_document, accounts.from_document)
    for views in ((View(accounts, FAMILY),), (View(other, FAMILY),)):
        with pytest.raises(TypeError, match=r"karya\.test\.account does not write"):
            replace(FAMILY, views=views)


def test_two_topics_may_carry_one_event() -> None:
    again = Topic("karya.test.again.v1", "account", (Added,))
    assert replace(FAMILY, topics=(IN, again)).by_body.keys() == {Added}


def test_another_decision_takes_the_place_of_every_rule() -> None:
    def decide(_state: State, event: Event) -> Decision:
        raise ZeroDivisionError(event.id)

    family = FAMILY.deciding(decide)
    event = Event("e1", "till-1", "a", NOON, NOON, Added(account="a", amount=1))
    assert family.reads(event) == FAMILY.reads(event)
    with pytest.raises(ZeroDivisionError, match="e1"):
        family.decide(State.of(), event)
