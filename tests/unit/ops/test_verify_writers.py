"""What `verify` makes of records on topics that one service owns, without any server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest
from aiokafka import ConsumerRecord

from deploy.topics import all_topics, writers
from ops.verify.accounts import first_headers
from ops.verify.writers import NEAR, WriterAudit
from shared import envelope
from shared.derivation import CURRENT, FIRST, derivation, named_id
from shared.events.catalogue import ENTRY_COMMANDS
from shared.events.festival import ORGANISER
from shared.events.gateway import HELD_COMMANDS
from shared.events.identity import IDENTITY_COMMANDS
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Body, DeadlineReached, Event, Topic
from shared.events.operator import OPERATOR
from shared.events.production import PRODUCTION, TERMINAL
from shared.events.sales import DEMAND, SALES_DEADLINES, SETTLEMENTS, TILL, DemandSignalled
from shared.runtime.timer_service import reached_id

pytestmark = pytest.mark.unit

TOLD = DemandSignalled(facility="LP-KPG", festival="ODOP", revision=1, products=())
DUE = datetime(2026, 4, 20, 9, tzinfo=UTC)
CAUSE = "till/1 sale-1"


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """As much of a Kafka record as is looked at."""

    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None = b"{}"
    partition: int = 2
    offset: int = 7


def caused(
    topic: Topic, body: Body, *, by: str = CAUSE, n: int = 0, source: str = "karya/sales", number: int = CURRENT
) -> ConsumerRecord:
    """What `source` says n-th because of the event `by`, as the shell makes it. `number`: of the ids' derivation."""
    origin, id = by.split(" ")
    event = Event(id, origin, "key", DUE, DUE, TOLD)
    headers = envelope.caused(envelope.cause(event, by, {}, source, derivation(number)), topic, body, n)
    return cast("ConsumerRecord", WrittenRecord(headers, envelope.encode(body)))


def a_publication(topic: Topic, body: Body, *, id: str, source: str = "karya/sales") -> ConsumerRecord:
    headers = envelope.headers(id=id, source=source, topic=topic, body=body, time=DUE, cause="anything")
    return cast("ConsumerRecord", WrittenRecord(headers, envelope.encode(body)))


def broken_records(topic: Topic, *records: ConsumerRecord, ledger: Sequence[str] = (CAUSE,)) -> list[str]:
    """What is wrong with these records of a topic; `ledger`: what sales has worked."""
    audit = WriterAudit()
    audit.learn("sales", ledger)
    for record in records:
        audit.enter(topic.name, record, first_headers(record.headers))
    audit.close()
    return audit.check.broken


@pytest.mark.parametrize("n", [0, NEAR - 1, NEAR, 5_000])
def test_what_an_event_in_the_ledger_made_a_service_say_is_its_own(n: int) -> None:
    assert broken_records(DEMAND, caused(DEMAND, TOLD, n=n)) == []


def test_a_cause_is_known_by_its_source_also_where_two_senders_use_one_id() -> None:
    ledger = ("till/2 sale-1", CAUSE, "till/3 sale-1")
    assert broken_records(DEMAND, caused(DEMAND, TOLD), ledger=ledger) == []
    assert broken_records(DEMAND, caused(DEMAND, TOLD, by="till/4 sale-1"), ledger=ledger) != []


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (caused(DEMAND, TOLD, source="karya/festival"), "its ce_source is another"),
        (caused(DEMAND, TOLD, source="season"), "its ce_source is another"),
        (cast("ConsumerRecord", WrittenRecord([], None)), "its ce_source is another"),
        (caused(DEMAND, TOLD, by="till/1 sale-2"), "no event in the ledger caused it"),
        (caused(DEMAND, TOLD, by="till/2 sale-1"), "its id does not follow from its cause"),
    ],
    ids=["another service", "no service", "nothing at all", "unknown cause", "another's cause"],
)
def test_a_record_that_its_topics_owner_never_said_is_found_with_its_place(record: ConsumerRecord, why: str) -> None:
    assert broken_records(DEMAND, record) == [f"karya.demand.v1 2/7 was not written by sales: {why}"]


def test_an_id_of_the_first_derivation_made_for_another_topic_does_not_follow() -> None:
    record = caused(DEMAND, TOLD, number=FIRST)
    assert broken_records(DEMAND, record) == []
    assert "does not follow" in broken_records(SETTLEMENTS, record)[0]


def test_what_the_clock_says_follows_from_the_deadline() -> None:
    body = DeadlineReached(key="ODOP.B1", deadline="ODOP.B1", due=DUE)
    right = reached_id("karya.sales.booth ODOP.B1", DUE)
    assert broken_records(SALES_DEADLINES, a_publication(SALES_DEADLINES, body, id=right), ledger=()) == []
    for foreign in (
        a_publication(SALES_DEADLINES, body, id="any"),
        a_publication(SALES_DEADLINES, body, id=reached_id("karya.sales.booth ODOP.B2", DUE)),
        a_publication(SALES_DEADLINES, body, id=right, source="probe"),
    ):
        assert len(broken_records(SALES_DEADLINES, foreign, ledger=())) == 1


def test_a_journal_that_somebody_else_wrote_or_nobody_can_read_is_found() -> None:
    topic, lane = journal("sales"), "karya.sales.booth/000"
    body = BatchWorked(lane=lane, batch=3, ranges=(Range(topic="t", first=0, next=1),))
    right = a_publication(topic, body, id=named_id(lane, topic.name, 3))
    assert broken_records(topic, right, ledger=()) == []
    assert len(broken_records(topic, a_publication(topic, body, id=named_id(lane, topic.name, 4)))) == 1
    garbage = cast("ConsumerRecord", WrittenRecord(right.headers, b"{"))
    assert len(broken_records(topic, garbage)) == 1


@pytest.mark.parametrize("topic", [TERMINAL, ENTRY_COMMANDS, ORGANISER, TILL])
def test_a_topic_that_people_write_has_no_foreign_records(topic: Topic) -> None:
    assert broken_records(topic, cast("ConsumerRecord", WrittenRecord([], None))) == []


@pytest.mark.parametrize(
    ("topic", "reason", "readable", "foreign"),
    [
        (PRODUCTION, "BAD_BODY", False, True),
        (PRODUCTION, "ID_REUSED", True, True),
        (PRODUCTION, "BUG", True, False),
        (PRODUCTION, "UNKNOWN_TYPE", True, False),
        (TERMINAL, "BAD_BODY", False, False),
    ],
)
def test_a_dead_letter_that_no_service_can_have_caused_is_found(
    topic: Topic, reason: str, readable: bool, foreign: bool
) -> None:
    letter = cast("ConsumerRecord", WrittenRecord([("dlq_partition", b"1"), ("dlq_offset", b"44")]))
    audit = WriterAudit()
    audit.set_aside(topic.name, letter, reason, readable=readable)
    audit.close()
    place = f"{topic.name} 1/44 was not written by production: its reader set it aside as {reason}"
    assert audit.check.broken == ([place] if foreign else [])


def test_a_record_is_named_once_however_much_is_wrong_with_it() -> None:
    audit = WriterAudit()
    record = caused(DEMAND, TOLD, source="season")
    audit.enter(DEMAND.name, record, first_headers(record.headers))
    audit.twice(DEMAND.name, record)
    assert len(audit.check.broken) == 1


def test_every_topic_is_written_by_one_service_or_by_people() -> None:
    owned = writers()
    by_people = {TERMINAL.name, ENTRY_COMMANDS.name, ORGANISER.name, TILL.name, OPERATOR.name}
    by_people |= {IDENTITY_COMMANDS.name, HELD_COMMANDS.name}
    assert {topic.name for topic in all_topics()} - owned.keys() == by_people
    assert owned.keys() <= {topic.name for topic in all_topics()}
