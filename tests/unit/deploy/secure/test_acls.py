"""Rights on Kafka, compared with a table that was written by hand."""

from collections import defaultdict
from dataclasses import replace

import pytest

from deploy.secure import acls as module
from deploy.secure.acls import Acl, Binding, Operation, Pattern, Resource, acls, bindings
from deploy.secure.subscribers import streams_of_subscribers
from deploy.secure.users import user_names
from deploy.topics import OF_RIGHTS, SERVICES, all_topics, read_topics, writers
from shared.errors import BadSettings
from shared.settings import Settings

pytestmark = pytest.mark.unit

# Who writes each topic, besides the operator, who replays what could not be used.
WRITERS = {
    "karya.booth-reports.v1": "sales",
    "karya.booth-stock.v1": "festival",
    "karya.catalogue-commands.v1": "production",
    "karya.catalogue-references.v1": "production",
    "karya.catalogue.v1": "production",
    "karya.demand.v1": "sales",
    "karya.facility-catalogue.v1": "production",
    "karya.festival.deadlines.v1": "festival",
    "karya.festival.journal.v1": "festival",
    "karya.festival.v1": "festival",
    "karya.gateway.journal.v1": "gateway",
    "karya.held-commands.v1": "gateway",
    "karya.held-reports.v1": "gateway",
    "karya.held-sales.v1": "gateway",
    "karya.identity-commands.v1": "identity",
    "karya.identity-grants.v1": "identity",
    "karya.identity.journal.v1": "identity",
    "karya.identity.v1": "identity",
    "karya.inventory.journal.v1": "inventory",
    "karya.inventory.v1": "inventory",
    "karya.lot-answers.v1": "inventory",
    "karya.operator.v1": "operator",
    "karya.organiser.v1": "festival",
    "karya.production.journal.v1": "production",
    "karya.production.v1": "production",
    "karya.public.sales.v1": "sales",
    "karya.released-reports.v1": "production",
    "karya.report-answers.v1": "production",
    "karya.reservations.v1": "inventory",
    "karya.sale-shares.v1": "sales",
    "karya.sales.deadlines.v1": "sales",
    "karya.sales.journal.v1": "sales",
    "karya.sales.v1": "sales",
    "karya.settlements.v1": "sales",
    "karya.stock-orders.v1": "festival",
    "karya.terminal.production.v1": "gateway",
    "karya.till.sales.v1": "gateway",
}
READS = {
    "production": {
        "karya.catalogue-commands.v1",
        "karya.catalogue-references.v1",
        "karya.facility-catalogue.v1",
        "karya.lot-answers.v1",
        "karya.released-reports.v1",
        "karya.terminal.production.v1",
    },
    "inventory": {"karya.production.v1", "karya.stock-orders.v1"},
    "festival": {
        "karya.booth-reports.v1",
        "karya.catalogue.v1",
        "karya.festival.deadlines.v1",
        "karya.inventory.v1",
        "karya.organiser.v1",
        "karya.reservations.v1",
    },
    "sales": {
        "karya.booth-stock.v1",
        "karya.sale-shares.v1",
        "karya.sales.deadlines.v1",
        "karya.till.sales.v1",
    },
    "identity": {"karya.festival.v1", "karya.identity-commands.v1", "karya.identity-grants.v1"},
    "gateway": {
        "karya.booth-stock.v1",
        "karya.facility-catalogue.v1",
        "karya.held-commands.v1",
        "karya.held-reports.v1",
        "karya.held-sales.v1",
        "karya.identity.v1",
        "karya.public.sales.v1",
        "karya.report-answers.v1",
        "karya.sales.v1",
        "karya.settlements.v1",
    },
    "portal": {
        "karya.catalogue.v1",
        "karya.festival.v1",
        "karya.inventory.v1",
        "karya.public.sales.v1",
    },
    "subscriber.market": {"karya.public.sales.v1"},
    "subscriber.ministry": {"karya.demand.v1", "karya.settlements.v1"},
    "subscriber.all": {
        "karya.demand.v1",
        "karya.festival.v1",
        "karya.inventory.v1",
        "karya.public.sales.v1",
        "karya.settlements.v1",
    },
}
SUBSCRIBERS = ("subscriber.market", "subscriber.ministry", "subscriber.all")
SETTINGS = Settings(
    topic_prefix="t1.",
    subscribers="market=karya.public.sales.v1, ministry=karya.demand.v1,ministry = karya.settlements.v1, all=*",
)
# What gives somebody a role, or a device its key. A replay onto these is the administrator's.
GIVES_RIGHTS = {
    "karya.festival.v1",
    "karya.identity-commands.v1",
    "karya.identity-grants.v1",
    "karya.identity.v1",
}
GROUPS = {
    "production": {"karya.production.entry", "karya.production.facility"},
    "inventory": {"karya.inventory.lot"},
    "festival": {"karya.festival.entry", "karya.festival.festival", "karya.festival.lot"},
    "sales": {"karya.sales.booth", "karya.sales.facility"},
    "identity": {"karya.identity.festival", "karya.identity.subject"},
    "gateway": {
        "karya.gateway.booth",
        "karya.gateway.facility",
        "karya.gateway.place",
        "karya.gateway.subject",
    },
}
EVERY_TOPIC = {*WRITERS, *(f"{name}.dlq" for name in set().union(*(READS[service] for service in SERVICES)))}


def names(principal: str, operation: Operation, resource: Resource = Resource.TOPIC) -> set[str]:
    return {
        acl.name
        for acl in acls(SETTINGS)
        if (acl.principal, acl.operation, acl.resource) == (principal, operation, resource)
    }


def test_the_table_has_every_topic() -> None:
    assert {topic.name for topic in all_topics()} == set(WRITERS)
    assert {name: service for name, service in WRITERS.items() if name in writers()} == writers()


def test_each_topic_is_written_by_one_principal_and_its_dead_letters_by_its_readers() -> None:
    found = defaultdict(set)
    for acl in acls(SETTINGS):
        if acl.operation is Operation.WRITE:
            found[acl.name].add(acl.principal)
    expected = {name: {writer} for name, writer in WRITERS.items()}
    for name in read_topics():
        if name not in GIVES_RIGHTS:
            expected[name].add("operator")
        expected[f"{name}.dlq"] = {service for service in SERVICES if name in READS[service]}
    assert found == expected


def test_nobody_but_their_writer_writes_what_gives_rights() -> None:
    assert {topic.name for topic in OF_RIGHTS} == GIVES_RIGHTS
    for name in GIVES_RIGHTS:
        writers_of_it = {
            acl.principal for acl in acls(SETTINGS) if (acl.name, acl.operation) == (name, Operation.WRITE)
        }
        assert writers_of_it == {WRITERS[name]}


@pytest.mark.parametrize(
    "text", ["market", "=karya.demand.v1", "Market=karya.demand.v1", "a.b=*", "market=karya.sales.v1"]
)
def test_a_subscriber_is_named_with_a_public_stream(text: str) -> None:
    with pytest.raises(BadSettings, match="KARYA_SUBSCRIBERS"):
        streams_of_subscribers(Settings(subscribers=text))


def test_without_subscribers_nobody_reads_as_one() -> None:
    assert streams_of_subscribers(Settings(subscribers="")) == {}
    assert list(streams_of_subscribers(Settings())) == ["subscriber.market"]


def test_topics_of_devices_are_written_by_the_gateway_and_replays_alone() -> None:
    for topic in ("karya.terminal.production.v1", "karya.till.sales.v1"):
        assert {
            acl.principal for acl in acls(SETTINGS) if acl.name == topic and acl.operation is Operation.WRITE
        } == {
            "gateway",
            "operator",
        }


def test_each_principal_reads_what_it_needs() -> None:
    for principal, expected in READS.items():
        assert names(principal, Operation.READ) == expected, principal
    assert names("operator", Operation.READ) == EVERY_TOPIC


def test_services_have_their_own_groups_and_a_subscriber_those_under_its_name() -> None:
    for service, expected in GROUPS.items():
        assert names(service, Operation.READ, Resource.GROUP) == expected
    assert names("operator", Operation.DESCRIBE, Resource.GROUP) == set().union(*GROUPS.values())
    assert names("operator", Operation.READ, Resource.GROUP) == set()
    for subscriber in SUBSCRIBERS:
        assert names(subscriber, Operation.READ, Resource.GROUP) == {f"{subscriber}."}


def test_settings_are_read_by_services_of_their_own_topics() -> None:
    for service in SERVICES:
        inputs = READS[service]
        own = {*inputs, *(f"{name}.dlq" for name in inputs), f"karya.{service}.journal.v1"}
        assert names(service, Operation.DESCRIBE_CONFIGS) == own
    assert {acl.principal for acl in acls(SETTINGS) if acl.operation is Operation.DESCRIBE_CONFIGS} == set(SERVICES)


def too_wide(right: Acl) -> bool:
    """Whether the right is for names that nobody listed."""
    listed = EVERY_TOPIC if right.resource is Resource.TOPIC else set().union(*GROUPS.values())
    if right.pattern is Pattern.PREFIXED:
        own = Acl(right.principal, Operation.READ, Resource.GROUP, f"{right.principal}.", Pattern.PREFIXED)
        return (
            right.principal not in SUBSCRIBERS or right != own or any(name.startswith(right.name) for name in listed)
        )
    return right.name not in listed


def test_no_right_is_for_names_that_nobody_listed() -> None:
    assert [right for right in acls(SETTINGS) if too_wide(right)] == []
    one = next(right for right in acls(SETTINGS) if right.resource is Resource.TOPIC)
    for wide in (replace(one, name="*"), replace(one, name="karya.", pattern=Pattern.PREFIXED)):
        assert too_wide(wide)


def test_both_users_of_a_principal_have_its_rights_on_the_full_names() -> None:
    found = bindings(SETTINGS)
    for acl in acls(SETTINGS):
        for user in user_names(acl.principal):
            right = (acl.resource, f"t1.{acl.name}", acl.pattern, f"User:{user}", "*", acl.operation, 3)
            assert right in found
    assert len(found) == 2 * len(acls(SETTINGS))


def test_a_processor_more_is_a_right_more(monkeypatch: pytest.MonkeyPatch) -> None:
    [lot] = SERVICES["inventory"]
    wider = {**SERVICES, "sales": (*SERVICES["sales"], replace(lot, service="sales"))}
    before = acls(SETTINGS)
    monkeypatch.setattr(module, "SERVICES", wider)
    assert Acl("sales", Operation.READ, Resource.TOPIC, "karya.production.v1") in acls(SETTINGS) - before


def a_binding(user: str, name: str, **changes: int) -> Binding:
    right = Binding(Resource.TOPIC, name, Pattern.LITERAL, f"User:{user}", "*", Operation.WRITE, 3)
    return right._replace(**changes)


@pytest.mark.parametrize(
    "wide",
    [
        a_binding("sales.1", "t1.karya.identity.v1"),
        a_binding("sales.2", "*"),
        a_binding("sales.1", "t1.", pattern=Pattern.PREFIXED),
        a_binding("sales.1", "t", pattern=Pattern.PREFIXED),
        a_binding("sales.1", "kafka-cluster", resource=4),
        a_binding("subscriber.former.1", "t1.karya.demand.v1"),
    ],
)
def test_a_right_that_a_user_of_karya_should_not_have_is_found_however_wide_it_is(wide: Binding) -> None:
    assert module._of_karya({wide, *bindings(SETTINGS)}, SETTINGS) == {wide, *bindings(SETTINGS)}
    elsewhere = {a_binding("weather", "*"), a_binding("sales.1", "t2.karya.sales.v1"), a_binding("*", "t1.x")}
    assert module._of_karya(elsewhere, SETTINGS) == set()


@pytest.mark.parametrize(
    "wide",
    [
        a_binding("*", "*"),
        a_binding("*", "t1.karya.till.sales.v1.dlq"),
        a_binding("*", "t1.karya.p", pattern=Pattern.PREFIXED),
        a_binding("*", "t1.karya.sales", resource=Resource.GROUP, pattern=Pattern.PREFIXED),
        a_binding("*", "kafka-cluster", resource=4),
    ],
)
def test_a_right_of_everybody_that_reaches_karya_is_told(wide: Binding) -> None:
    [sentence] = module._of_everybody({wide}, SETTINGS)
    assert wide.name in sentence
    denied = wide._replace(permission=2)
    assert (
        list(module._of_everybody({denied, a_binding("*", "weather.v1"), a_binding("weather", "*")}, SETTINGS)) == []
    )
