"""What became of a record follows from all snapshots of its lines."""

import pytest

from edge.till.tracking import RecordStatus, tracked_records
from shared.events.language import Body
from shared.events.sales import BoothRedirected, TillClosed
from tests.support.builders.till import (
    BOOTH,
    a_device_notice,
    a_snapshot,
    a_spooled_record,
    line,
    receipt,
    void,
    void_refused,
)

TWO_LINES = receipt(line(1, 15), line(2, 5))


def test_a_record_is_to_send_then_sent() -> None:
    closed = TillClosed(booth=BOOTH, till="T1", device="d1", seq=1, last_seq=1)
    records = [
        a_spooled_record("a", TWO_LINES, sent=False),
        a_spooled_record("b", TWO_LINES),
        a_spooled_record("c", closed),
    ]
    assert [row.status for row in tracked_records(records, [a_device_notice("T1", "d1")])] == [
        RecordStatus.TO_SEND,
        RecordStatus.SENT,
        RecordStatus.SENT,
    ]


@pytest.mark.parametrize(("merged", "status"), [(True, RecordStatus.FORWARDED), (False, RecordStatus.SENT)])
def test_what_a_merged_booth_has_not_answered_counts_at_the_other_one(merged: bool, status: RecordStatus) -> None:
    records = [
        a_spooled_record("a", TWO_LINES),
        a_spooled_record("b", TWO_LINES),
        a_spooled_record("c", TWO_LINES, sent=False),
    ]
    answers = [a_snapshot("a", 1, 15), a_snapshot("a", 2, 5)]
    rows = tracked_records(records, [*answers, BoothRedirected(booth=BOOTH, to="ODOP.B08", merged=merged)])
    assert [row.status for row in rows] == [RecordStatus.RECORDED, status, RecordStatus.TO_SEND]


@pytest.mark.parametrize(
    ("bodies", "status", "counts"),
    [
        ([a_snapshot("r", 1, 15)], RecordStatus.SENT, (0, 0, 0, 0)),
        ([a_snapshot("r", 1, 15), a_snapshot("r", 2, 5)], RecordStatus.RECORDED, (0, 0, 0, 0)),
        ([a_snapshot("r", 1, 15, waiting=3), a_snapshot("r", 2, 5)], RecordStatus.WAITING, (3, 0, 0, 0)),
        ([a_snapshot("r", 1, 15, waiting=3), a_snapshot("r", 2, 5, disputed=2)], RecordStatus.DISPUTED, (3, 2, 0, 0)),
        ([a_snapshot("r", 1, 15, rejected=15), a_snapshot("r", 2, 5)], RecordStatus.REJECTED, (0, 0, 15, 0)),
        ([a_snapshot("r", 1, 15, voided=1), a_snapshot("r", 2, 5)], RecordStatus.RECORDED, (0, 0, 0, 1)),
        ([a_snapshot("r", 1, 15, voided=15), a_snapshot("r", 2, 5, voided=5)], RecordStatus.VOIDED, (0, 0, 0, 20)),
        (
            [
                a_snapshot("r", 1, 15, revision=2),
                a_snapshot("r", 1, 15, revision=1, disputed=15),
                a_snapshot("r", 2, 5),
                a_snapshot("other", 1, 15, disputed=15),
            ],
            RecordStatus.RECORDED,
            (0, 0, 0, 0),
        ),
    ],
)
def test_a_receipt_stands_as_its_lines_do(
    bodies: list[Body], status: RecordStatus, counts: tuple[int, int, int, int]
) -> None:
    [row] = tracked_records([a_spooled_record("r", TWO_LINES)], bodies)
    assert row.status is status
    assert (row.waiting, row.disputed, row.rejected, row.voided) == counts


def test_a_void_is_answered_when_sales_tells_of_so_many_pieces() -> None:
    records = [
        a_spooled_record("r", receipt(line(1, 5))),
        a_spooled_record("v1", void("r", (1, 2))),
        a_spooled_record("v2", void("r", (1, 1))),
    ]
    assert [row.status for row in tracked_records(records, [a_snapshot("r", 1, 5, voided=2)])] == [
        RecordStatus.RECORDED,
        RecordStatus.VOIDED,
        RecordStatus.SENT,
    ]


def test_a_refused_void_is_shown_at_the_record_that_asked_for_it() -> None:
    records = [
        a_spooled_record("v1", void("r", (1, 1))),
        a_spooled_record("v2", void("r", (1, 1))),
        a_spooled_record("v3", void("r", (2, 1))),
        a_spooled_record("v4", void("another", (1, 1))),
    ]
    refusal = void_refused("r", 1, qty=1, left=0)
    bodies = [a_snapshot("r", 1, 1, voided=1), refusal, void_refused("r", 2, qty=1, left=0, till="T2")]
    rows = tracked_records(records, bodies)
    assert [row.status for row in rows] == [
        RecordStatus.VOIDED,
        RecordStatus.REFUSED,
        RecordStatus.SENT,
        RecordStatus.SENT,
    ]
    assert rows[1].refused == (refusal,)
