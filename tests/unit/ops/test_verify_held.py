"""What `verify` makes of held records, without any server."""

import json
from datetime import UTC, datetime

import pytest

from ops.verify.evidence import Evidence
from ops.verify.held import held
from ops.verify.report import Check
from ops.verify.topic_evidence import PublishedEvent
from services.gateway.domain.held_record import HeldRecord, HeldStatus, held_id

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
HELD, RELEASED, REFUSED = "RecordHeld", "HeldRecordReleased", "HeldRecordRefused"


def checked(kept: dict[str, HeldStatus], *published: tuple[str, str]) -> Check:
    evidence = Evidence()
    for number, (record, kind) in enumerate(published):
        value = json.dumps({"device": "d", "record": record}).encode()
        evidence.published.add(PublishedEvent(kind, "karya/gateway", f"e{number}", "", value))
    evidence.entities[HeldRecord] = {
        record: HeldRecord(
            held_id("LP-KPG", "d", record), "LP-KPG", "d", record, "t", 1, None, (), b"", "", 0, NOW, status
        )
        for record, status in kept.items()
    }
    return held(evidence)


def test_held_and_refused_records_are_counted_and_no_fault() -> None:
    kept = {"a": HeldStatus.HELD, "b": HeldStatus.REFUSED, "c": HeldStatus.RELEASED}
    facts = [("a", HELD), ("b", HELD), ("c", HELD), ("b", REFUSED), ("c", REFUSED), ("c", RELEASED)]
    check = checked(kept, *facts)
    assert (check.looked_at, check.broken) == (3, [])
    assert [note.split(" ")[0] for note in check.notes] == ["1", "1"]
    assert checked({}).notes == []


@pytest.mark.parametrize(
    ("kept", "published"),
    [
        ({"a": HeldStatus.HELD}, []),
        ({}, [("a", HELD)]),
        ({"a": HeldStatus.HELD}, [("a", HELD), ("a", RELEASED)]),
        ({"a": HeldStatus.RELEASED}, [("a", HELD), ("a", REFUSED)]),
    ],
)
def test_a_record_with_another_status_is_found(kept: dict[str, HeldStatus], published: list[tuple[str, str]]) -> None:
    [sentence] = checked(kept, *published).broken
    assert "d a" in sentence
