"""What `verify` makes of ledgers, dead letters, journals and pseudonyms, without any server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord

from ops.verify.accounts import JournalAudit, LedgerAudit, OffsetRuns
from ops.verify.privacy import PseudonymScanner
from ops.verify.report import SHOWN, Check, VerifyReport
from shared import envelope
from shared.events.journal import BatchWorked, Range
from shared.events.production import PRODUCTION, LotRecorded
from shared.runtime.dlq import dead_letter
from shared.runtime.storage import Lane

pytestmark = pytest.mark.unit

GROUP = "karya.inventory.lot"
LANE = f"{GROUP}/000"
BODY = LotRecorded(lot="L1", facility="LP-KPG", product="KTI", category="tenun", qty=9, made_on=date(2026, 4, 1))


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """As much of a Kafka record as accounts look at."""

    offset: int = 0
    value: bytes | None = envelope.encode(BODY)
    key: bytes | None = b"L1"
    topic: str = PRODUCTION.name
    partition: int = 0
    timestamp: int = 1_681_785_000_000
    headers: Sequence[tuple[str, bytes | None]] = field(
        default_factory=lambda: envelope.headers(
            id="e1", source="test", topic=PRODUCTION, body=BODY, time=envelope.EPOCH
        )
    )


def a_record(**changed: Any) -> ConsumerRecord:
    return cast("ConsumerRecord", LedgerRecord(**changed))


def a_letter(record: ConsumerRecord, reason: str) -> ConsumerRecord:
    letter = dead_letter(record, service="inventory", reason=reason, message="")
    return a_record(value=letter.value, key=letter.key, topic=letter.topic, headers=letter.headers)


def books(
    *, worked: bool = True, lane: str = LANE, digest: bytes | None = None, parked: dict[str, list[str]] | None = None
) -> tuple[LedgerAudit, Check]:
    check = Check("records", "")
    entry = (digest or envelope.digest(envelope.encode(BODY)), lane)
    return LedgerAudit(check, "inventory", {"test e1": entry} if worked else {}, parked or {}), check


def broken_after_close(audit: tuple[LedgerAudit, Check]) -> list[str]:
    audit[0].close()
    return audit[1].broken


def test_a_record_that_was_worked_is_heard_once_however_often_it_came() -> None:
    audit = books()
    assert [audit[0].enter(GROUP, "test e1", a_record(offset=offset)) for offset in range(3)] == [True, False, False]
    assert broken_after_close(audit) == []


@pytest.mark.parametrize(
    ("audit", "sentence"),
    [
        (books(worked=False), "neither in the ledger"),
        (books(digest=b"another body"), "neither in the ledger"),
        (books(lane=f"{GROUP}/001"), "neither in the ledger"),
        (books(worked=False, parked={"karya.sales.booth L1": ["test e1"]}), "neither in the ledger"),
    ],
    ids=["not worked", "other body", "other lane", "parked elsewhere"],
)
def test_a_record_without_its_entry_is_found(audit: tuple[LedgerAudit, Check], sentence: str) -> None:
    assert not audit[0].enter(GROUP, "test e1", a_record())
    assert sentence in broken_after_close(audit)[0]


def test_a_record_that_waits_in_a_parked_key_is_accounted_for() -> None:
    audit = books(worked=False, parked={f"{GROUP} L1": ["test e1"]})
    assert not audit[0].enter(GROUP, "test e1", a_record())
    assert broken_after_close(audit) == []


@pytest.mark.parametrize("letter_first", [True, False])
def test_a_dead_letter_accounts_for_its_record(letter_first: bool) -> None:
    audit = books(worked=False)
    bad = a_record(value=b"{", offset=4)
    letter = a_letter(bad, "BAD_BODY")
    if letter_first:
        assert audit[0].set_aside(PRODUCTION, letter) == "BAD_BODY"
    audit[0].enter(GROUP, "test e1", bad)
    if not letter_first:
        audit[0].set_aside(PRODUCTION, letter)
    assert broken_after_close(audit) == []


def test_a_good_record_that_was_set_aside_is_found() -> None:
    audit = books(worked=False)
    audit[0].enter(GROUP, "test e1", a_record())
    audit[0].set_aside(PRODUCTION, a_letter(a_record(), "BAD_BODY"))
    assert "can be read" in broken_after_close(audit)[0]


def test_one_that_a_bug_set_aside_is_no_fault_of_the_accounts() -> None:
    audit = books(worked=False)
    audit[0].enter(GROUP, "test e1", a_record())
    audit[0].set_aside(PRODUCTION, a_letter(a_record(), "BUG"))
    assert broken_after_close(audit) == []


def test_an_entry_without_a_record_is_found() -> None:
    assert "no record of its topics" in broken_after_close(books())[0]


def batch(number: int, first: int, next: int, topic: str = "t") -> BatchWorked:
    return BatchWorked(lane=LANE, batch=number, ranges=(Range(topic=topic, first=first, next=next),))


@pytest.mark.parametrize(
    ("batches_told", "batches", "next", "faults"),
    [
        ([batch(1, 0, 5), batch(2, 5, 7)], 2, 7, 0),
        ([batch(2, 5, 7), batch(1, 0, 5), batch(1, 0, 5)], 2, 7, 0),
        ([batch(1, 0, 5)], 2, 5, 1),
        ([batch(1, 0, 5), batch(2, 6, 7)], 2, 7, 1),
        ([batch(1, 0, 5), batch(2, 4, 7)], 2, 7, 1),
        ([batch(1, 0, 5)], 1, 6, 1),
        ([batch(1, 0, 5), batch(3, 5, 7)], 2, 7, 1),
        ([batch(1, 0, 7), batch(2, 9, 11)], 2, 11, 0),
        ([batch(1, 0, 7), batch(2, 9, 11), batch(3, 10, 12)], 3, 12, 1),
        ([batch(1, 0, 7), batch(2, 10, 12)], 2, 12, 1),
    ],
    ids=[
        "whole",
        "twice, out of order",
        "one missing",
        "a record passed over",
        "an overlap",
        "short of the lane",
        "wrong number",
        "a hole passed over",
        "an overlap behind a hole",
        "a hole and a record passed over",
    ],
)
def test_a_journal_must_tell_all_of_its_lane(
    batches_told: list[BatchWorked], batches: int, next: int, faults: int
) -> None:
    journals = JournalAudit()
    for batch in batches_told:
        journals.add_batch(batch)
    # Offsets 7 and 8 are a transaction's.
    for offsets in ((0, 1, 2), (3, 4, 5, 6, 9), (10, 11)):
        journals.add_records(
            [cast("ConsumerRecord[Any, Any]", LedgerRecord(offset, topic="t")) for offset in offsets]
        )
    journals.compare(Lane(GROUP, 0, {"t": next}, batches=batches))
    assert journals.check.total == faults, journals.check.broken


@pytest.mark.parametrize(
    ("first", "next", "some"),
    [(0, 1, True), (3, 3, False), (5, 8, False), (4, 6, True), (7, 9, True), (11, 20, False), (0, 20, True)],
)
def test_whether_a_record_lies_between_two_offsets_is_known(first: int, next: int, some: bool) -> None:
    runs = OffsetRuns()
    for offsets in ([0, 1], [2, 3, 4], [8, 10]):
        runs.add(offsets)
    assert runs.any(first, next) is some


def test_a_pseudonym_is_found_wherever_it_stands_and_never_shown() -> None:
    scanner = PseudonymScanner()
    scanner.learn("p.mazcrdi4ewgq7ubn")
    for data in (b'{"x":"p.mazcrdi4ewgq7ubn"}', b"by p.mazcrdi4ewgq7ubn.", b"\x05p.mazcrdi4ewgq7ubn\x00"):
        scanner.scan([data], lambda _: "place")
    assert scanner.check.broken == ["place holds a maker's pseudonym"] * 3
    scanner.scan([b"p.mazcrdi4ewgq7ubm, mazcrdi4ewgq7ubn"], lambda _: "elsewhere")
    assert scanner.check.total == 3


def test_pseudonyms_that_can_not_be_told_from_other_words_are_noted() -> None:
    scanner = PseudonymScanner()
    scanner.learn("M1")
    scanner.scan([b"M1"], lambda _: "place")
    assert scanner.check.ok
    assert scanner.check.notes == ["1 pseudonym is too short to search for"]


def test_a_check_shows_the_first_and_counts_all() -> None:
    check = Check("name", "about")
    for number in range(SHOWN + 5):
        check.expect_equal(1, 2, "lot {lot}: {first} and {second}", lot=number)
    assert (len(check.broken), check.total, check.looked_at) == (SHOWN, SHOWN + 5, SHOWN + 5)
    assert not VerifyReport(checks=(check,)).ok


def test_a_report_without_checks_is_not_ok() -> None:
    assert not VerifyReport().ok
    assert not VerifyReport(waits=("something",)).ok
