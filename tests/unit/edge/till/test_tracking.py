"""What became of a record follows from all snapshots of its lines."""

import pytest

from edge.till.tracking import RecordStatus, tracked_records
from shared.events.language import Body
from shared.events.sales import TillClosed
from tests.support.builders.till import BOOTH, accounted, device_heard, line, receipt, said, void, void_refused

TWO_LINES = receipt(line(1, 15), line(2, 5))


def test_a_record_is_to_send_then_sent() -> None:
    closed = TillClosed(booth=BOOTH, till="T1", device="d1", seq=1, last_seq=1)
    records = [said("a", TWO_LINES, sent=False), said("b", TWO_LINES), said("c", closed)]
    assert [row.status for row in tracked_records(records, [device_heard("T1", "d1")])] == [
        RecordStatus.TO_SEND,
        RecordStatus.SENT,
        RecordStatus.SENT,
    ]


@pytest.mark.parametrize(
    ("bodies", "status", "counts"),
    [
        ([accounted("r", 1, 15)], RecordStatus.SENT, (0, 0, 0, 0)),
        ([accounted("r", 1, 15), accounted("r", 2, 5)], RecordStatus.RECORDED, (0, 0, 0, 0)),
        ([accounted("r", 1, 15, waiting=3), accounted("r", 2, 5)], RecordStatus.WAITING, (3, 0, 0, 0)),
        ([accounted("r", 1, 15, waiting=3), accounted("r", 2, 5, disputed=2)], RecordStatus.DISPUTED, (3, 2, 0, 0)),
        ([accounted("r", 1, 15, rejected=15), accounted("r", 2, 5)], RecordStatus.REJECTED, (0, 0, 15, 0)),
        ([accounted("r", 1, 15, voided=1), accounted("r", 2, 5)], RecordStatus.RECORDED, (0, 0, 0, 1)),
        ([accounted("r", 1, 15, voided=15), accounted("r", 2, 5, voided=5)], RecordStatus.VOIDED, (0, 0, 0, 20)),
        (
            [
                accounted("r", 1, 15, revision=2),
                accounted("r", 1, 15, revision=1, disputed=15),
                accounted("r", 2, 5),
                accounted("other", 1, 15, disputed=15),
            ],
            RecordStatus.RECORDED,
            (0, 0, 0, 0),
        ),
    ],
)
def test_a_receipt_stands_as_its_lines_do(
    bodies: list[Body], status: RecordStatus, counts: tuple[int, int, int, int]
) -> None:
    [row] = tracked_records([said("r", TWO_LINES)], bodies)
    assert row.status is status
    assert (row.waiting, row.disputed, row.rejected, row.voided) == counts


def test_a_void_is_answered_when_sales_tells_of_so_many_pieces() -> None:
    records = [said("r", receipt(line(1, 5))), said("v1", void("r", (1, 2))), said("v2", void("r", (1, 1)))]
    assert [row.status for row in tracked_records(records, [accounted("r", 1, 5, voided=2)])] == [
        RecordStatus.RECORDED,
        RecordStatus.VOIDED,
        RecordStatus.SENT,
    ]


def test_a_refused_void_is_shown_at_the_record_that_asked_for_it() -> None:
    records = [
        said("v1", void("r", (1, 1))),
        said("v2", void("r", (1, 1))),
        said("v3", void("r", (2, 1))),
        said("v4", void("another", (1, 1))),
    ]
    refusal = void_refused("r", 1, qty=1, left=0)
    bodies = [accounted("r", 1, 1, voided=1), refusal, void_refused("r", 2, qty=1, left=0, till="T2")]
    rows = tracked_records(records, bodies)
    assert [row.status for row in rows] == [
        RecordStatus.VOIDED,
        RecordStatus.REFUSED,
        RecordStatus.SENT,
        RecordStatus.SENT,
    ]
    assert rows[1].refused == (refusal,)
