"""The checks of `verify` on mended copies and archived letters, without any server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest
from aiokafka import ConsumerRecord

from ops import repairs
from ops.verify.repaired import RepairAudit
from shared import envelope
from shared.events.language import Body
from shared.events.operator import OPERATOR, LetterArchived, LetterMended
from shared.events.production import TERMINAL

pytestmark = pytest.mark.unit

AT = datetime(2026, 4, 18, 2, 30, tzinfo=UTC)
PLACE = f"{TERMINAL.name}/3/17"
COPY = repairs.copy_id(PLACE, TERMINAL.name)
VALUE = b'{"qty":"12"}'


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """As much of a Kafka record as is looked at."""

    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None
    key: bytes | None = PLACE.encode()
    timestamp: int = int(AT.timestamp() * 1000)


def record(headers: Sequence[tuple[str, bytes | None]], value: bytes = b"{}") -> ConsumerRecord:
    return cast("ConsumerRecord", WrittenRecord(headers, value))


def said(body: Body) -> ConsumerRecord:
    headers = envelope.headers(id="x", source=repairs.SOURCE, topic=OPERATOR, body=body, time=AT)
    return record(list(headers), envelope.encode(body))


def mended() -> ConsumerRecord:
    return said(
        LetterMended(
            original=PLACE,
            letter=f"{TERMINAL.dlq}/3/0",
            reason="BAD_BODY",
            arrived_at=AT,
            mended=COPY,
            digest="0f",
            fields=("qty",),
            actor="op.kupang",
        )
    )


def archived() -> ConsumerRecord:
    return said(
        LetterArchived(
            original=PLACE, letter=f"{TERMINAL.dlq}/3/0", arrived_at=AT, actor="op.kupang", reason="made up"
        )
    )


def audit(
    *,
    letter: str | None = "BAD_BODY",
    copy: str | None = COPY,
    mends: str = PLACE,
    events: Sequence[ConsumerRecord] = (),
    worked: bool = False,
) -> RepairAudit:
    audit = RepairAudit()
    if letter is not None:
        headers = [("dlq_partition", b"3"), ("dlq_offset", b"17")]
        audit.add_letter(TERMINAL.name, "production", letter, "terminal/1 report-1", record(headers, VALUE))
    if copy is not None:
        headers = [("ce_source", b"karya/operator"), ("ce_id", copy.encode()), (repairs.MENDS, mends.encode())]
        audit.add_record(TERMINAL.name, record(headers))
    audit.add_events(events)
    audit.close(lambda _service, id: envelope.digest(VALUE) if worked and id == "terminal/1 report-1" else None)
    return audit


def test_a_mended_letter_adds_up() -> None:
    right = audit(events=[mended()])
    assert (right.check.broken, right.check.notes, right.check.looked_at) == ([], [], 2)
    assert dict(right.states()) == {("production", TERMINAL.name, "BAD_BODY", "mended"): 1}


def test_a_crash_before_the_event_is_a_note() -> None:
    check = audit()
    assert check.check.broken == []
    assert check.check.notes == [f"{PLACE} has a mended copy, and no event says so: repeat `karya dlq mend`"]
    assert dict(check.states()) == {("production", TERMINAL.name, "BAD_BODY", "mended"): 1}


def test_an_archived_letter_adds_up() -> None:
    right = audit(copy=None, events=[archived()])
    assert (right.check.broken, right.check.looked_at) == ([], 1)
    assert dict(right.states()) == {("production", TERMINAL.name, "BAD_BODY", "archived"): 1}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (audit(worked=True, events=[mended()]), "was worked itself, and by its mended copy"),
        (audit(letter=None, events=[mended()]), "which is no dead letter"),
        (audit(letter="BUG", events=[mended()]), "which is readable and waits for its replay"),
        (audit(copy="second-copy", events=[mended()]), "it may count twice"),
        (audit(copy=None, events=[mended()]), f"its topic has no copy {COPY}"),
        (audit(copy=None, letter="KEY_PARKED", events=[archived()]), "is no unusable dead letter"),
        (audit(copy=None, letter=None, events=[archived()]), "is no unusable dead letter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_add_up_is_found(wrong: RepairAudit, sentence: str) -> None:
    assert any(sentence in broken for broken in wrong.check.broken), wrong.check.broken


def test_a_record_that_only_says_to_be_a_copy_is_none() -> None:
    pretender = RepairAudit()
    pretender.add_record(TERMINAL.name, record([("ce_source", b"terminal/1"), (repairs.MENDS, PLACE.encode())]))
    pretender.close(lambda _service, _id: None)
    assert pretender.check.looked_at == 0
