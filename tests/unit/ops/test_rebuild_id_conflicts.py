"""Refusals of ids that were used before: followed where they were said, and nowhere else."""

from datetime import date

import pytest
from aiokafka import ConsumerRecord

from ops.rebuild.id_conflicts import IdConflicts
from services.festival.store import COMMANDS
from shared import envelope
from shared.derivation import derived_id
from shared.events.festival import FESTIVAL, CommandRefusal, CommandRefused
from shared.events.language import Body, Event, Topic, event_type
from shared.events.production import ANSWERS, PRODUCTION, ProductionReported, Refusal, ReportAccepted, ReportRejected
from shared.runtime.batch import Item
from shared.runtime.dlq import ID_REUSED

pytestmark = pytest.mark.unit

REPORT = ProductionReported(facility="F", terminal="F.T1", product="KTI", qty=1, made_on=date(2026, 4, 1))
EVENT = Event("r1", "source", "F", envelope.EPOCH, envelope.EPOCH, REPORT)


def a_rejection(reason: Refusal, message: str = "") -> ReportRejected:
    return ReportRejected(
        facility="F",
        terminal="F.T1",
        report="r1",
        field="id",
        reason=reason,
        message=message,
        template=message,
        values={},
    )


def conflicts_after(body: Body, topic: Topic = ANSWERS, source: str = "source") -> IdConflicts:
    conflicts = IdConflicts()
    id = derived_id(f"{source} r1", topic.name, 0)
    conflicts.add_event(topic.name, id, event_type(topic, type(body)), envelope.encode(body))
    return conflicts


def test_a_refusal_that_was_said_of_an_event_is_its_outcome() -> None:
    refusal = a_rejection(Refusal.ID_REUSED)
    assert conflicts_after(refusal).refusal(EVENT) == ANSWERS.of(refusal)


def test_the_refusal_of_a_command_is_not_taken_for_one_of_a_report_though_both_ids_may_be_equal() -> None:
    refusal = CommandRefused(
        festival="F", command="r1", field="id", reason=CommandRefusal.ID_TAKEN, message="", template="", values={}
    )
    conflicts = conflicts_after(refusal, FESTIVAL)
    assert conflicts.refusal(EVENT) == FESTIVAL.of(refusal)
    assert list(conflicts._dependents) == [COMMANDS.name]


@pytest.mark.parametrize(
    "conflicts",
    [
        conflicts_after(a_rejection(Refusal.NOT_POSITIVE)),
        conflicts_after(a_rejection(Refusal.NOT_POSITIVE, "not id_reused")),
        conflicts_after(ReportAccepted(facility="F", terminal="F.T1", report="r1", lot="id_reused")),
        conflicts_after(a_rejection(Refusal.ID_REUSED), source="another"),
        conflicts_after(a_rejection(Refusal.ID_REUSED), topic=PRODUCTION),
    ],
    ids=["another reason", "a word in the message", "an acceptance", "another source", "another topic"],
)
def test_any_other_word_changes_nothing(conflicts: IdConflicts) -> None:
    assert conflicts.refusal(EVENT) is None


def test_a_record_that_was_a_dead_letter_for_its_id_is_one_again_and_no_other_is() -> None:
    conflicts = IdConflicts()
    conflicts.add_letter("topic/1/7", ID_REUSED)
    conflicts.add_letter("topic/1/8", "BUG")
    assert [conflicts.as_recorded(an_item(offset)).reason for offset in (6, 7, 8)] == ["", ID_REUSED, ""]


def an_item(offset: int) -> Item:
    record = ConsumerRecord("topic", 1, offset, 0, 0, None, b"{}", None, -1, 2, ())
    return Item(record, EVENT, "source r1", b"digest")
