"""Rights on Kafka, compared with a table that was written by hand."""

from collections import defaultdict
from dataclasses import replace

import pytest

from deploy.secure import acls as module
from deploy.secure.acls import SUBSCRIBERS_GROUPS, Acl, Operation, Pattern, Resource, acls, bindings
from deploy.secure.users import user_names
from deploy.topics import SERVICES, all_topics, read_topics, writers
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
        "karya.demand.v1",
        "karya.festival.v1",
        "karya.inventory.v1",
        "karya.public.sales.v1",
        "karya.settlements.v1",
    },
    "subscriber": {
        "karya.demand.v1",
        "karya.festival.v1",
        "karya.inventory.v1",
        "karya.public.sales.v1",
        "karya.settlements.v1",
    },
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
        acl.name for acl in acls() if (acl.principal, acl.operation, acl.resource) == (principal, operation, resource)
    }


def test_the_table_has_every_topic() -> None:
    assert {topic.name for topic in all_topics()} == set(WRITERS)
    assert {name: service for name, service in WRITERS.items() if name in writers()} == writers()


def test_each_topic_is_written_by_one_principal_and_its_dead_letters_by_its_readers() -> None:
    found = defaultdict(set)
    for acl in acls():
        if acl.operation is Operation.WRITE:
            found[acl.name].add(acl.principal)
    expected = {name: {writer} for name, writer in WRITERS.items()}
    for name in read_topics():
        expected[name].add("operator")
        expected[f"{name}.dlq"] = {service for service in SERVICES if name in READS[service]}
    assert found == expected


def test_topics_of_devices_are_written_by_the_gateway_and_replays_alone() -> None:
    for topic in ("karya.terminal.production.v1", "karya.till.sales.v1"):
        assert {acl.principal for acl in acls() if acl.name == topic and acl.operation is Operation.WRITE} == {
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
    assert names("subscriber", Operation.READ, Resource.GROUP) == {SUBSCRIBERS_GROUPS}


def test_settings_are_read_by_services_of_their_own_topics() -> None:
    for service in SERVICES:
        inputs = READS[service]
        own = {*inputs, *(f"{name}.dlq" for name in inputs), f"karya.{service}.journal.v1"}
        assert names(service, Operation.DESCRIBE_CONFIGS) == own
    assert {acl.principal for acl in acls() if acl.operation is Operation.DESCRIBE_CONFIGS} == set(SERVICES)


def too_wide(right: Acl) -> bool:
    """Whether the right is for names that nobody listed."""
    listed = EVERY_TOPIC if right.resource is Resource.TOPIC else set().union(*GROUPS.values())
    if right.pattern is Pattern.PREFIXED:
        subscribers = Acl("subscriber", Operation.READ, Resource.GROUP, "subscriber.", Pattern.PREFIXED)
        return right != subscribers or any(name.startswith(right.name) for name in listed)
    return right.name not in listed


def test_no_right_is_for_names_that_nobody_listed() -> None:
    assert [right for right in acls() if too_wide(right)] == []
    one = next(right for right in acls() if right.resource is Resource.TOPIC)
    for wide in (replace(one, name="*"), replace(one, name="karya.", pattern=Pattern.PREFIXED)):
        assert too_wide(wide)


def test_both_users_of_a_principal_have_its_rights_on_the_full_names() -> None:
    settings = Settings(topic_prefix="t1.")
    found = bindings(settings)
    for acl in acls():
        for user in user_names(acl.principal):
            right = (acl.resource, f"t1.{acl.name}", acl.pattern, f"User:{user}", "*", acl.operation, 3)
            assert right in found
    assert len(found) == 2 * len(acls())


def test_a_processor_more_is_a_right_more(monkeypatch: pytest.MonkeyPatch) -> None:
    [lot] = SERVICES["inventory"]
    wider = {**SERVICES, "sales": (*SERVICES["sales"], replace(lot, service="sales"))}
    before = acls()
    monkeypatch.setattr(module, "SERVICES", wider)
    assert Acl("sales", Operation.READ, Resource.TOPIC, "karya.production.v1") in acls() - before
