"""What a lot's history tells of records that the gateway held."""

from datetime import UTC, datetime

import pytest

from ops.trace.held import HeldRecords
from shared.events.gateway import (
    HELD_SALES,
    HeldCommandRefused,
    HeldRecordRefused,
    HeldRecordReleased,
    HeldRefusal,
    RecordHeld,
)
from shared.events.language import Body
from tests.support.records import a_record

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 30, 4, tzinfo=UTC)
DEVICE = f"d-{'a' * 52}"
OF_RECORD = {"place": "ODOP.B1", "device": DEVICE, "topic": "karya.till.sales.v1"}


def told(*bodies: Body, ids: frozenset[str] = frozenset({"r1"})) -> list[tuple[str, str, str | None]]:
    held = HeldRecords()
    for number, body in enumerate(bodies):
        record = a_record(body, id=f"e{number}", topic=HELD_SALES)
        # A relay that was killed publishes some events again.
        held.add(HELD_SALES, [record, record])
    return [(entry.kind, entry.text, entry.actor) for entry in held.entries(ids)]


def a_held(record: str) -> RecordHeld:
    return RecordHeld(
        **OF_RECORD, record=record, type="x", source="x", digest="0" * 64, actor="s-somebody", held_at=NOON
    )


def test_a_record_of_the_lot_is_told_with_who_brought_it_and_who_decided() -> None:
    refused = HeldRecordRefused(**OF_RECORD, record="r1", reason="a copy", actor="s-operator", refused_at=NOON)
    released = HeldRecordReleased(**OF_RECORD, record="r1", digest="0" * 64, actor="s-operator", released_at=NOON)
    assert told(a_held("r1"), refused, released) == [
        ("RecordHeld", f"a record of the revoked device {DEVICE} is held", "s-somebody"),
        ("HeldRecordRefused", f"the held record of {DEVICE} is refused: a copy", "s-operator"),
        ("HeldRecordReleased", f"the held record of {DEVICE} is released", "s-operator"),
    ]


def test_other_records_and_refused_commands_are_not_told() -> None:
    command = HeldCommandRefused(
        place="ODOP.B1",
        command="r1",
        field="device",
        reason=HeldRefusal.NOTHING_HELD,
        message="No.",
        template="No.",
        values={},
    )
    assert told(a_held("r2"), command) == []
