"""What a till knows of receipts, what a void may take, and what it pays back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.till.receipts import KnownLine, known_receipts, lines_to_void
from shared.errors import WrongEntry
from shared.events.sales import PaymentKind, VoidedLine
from tests.support.builders.till import PRICE, a_snapshot, a_spooled_record, line, receipt, void, void_refused


@given(st.integers(1, 200), st.integers(0, 10**9), st.data())
def test_voids_together_return_exactly_the_net_however_they_are_divided(
    qty: int, net: int, data: st.DataObject
) -> None:
    voided = returned = 0
    while voided < qty:
        receipts = KnownLine(line=1, lot=None, product="KTI", qty=qty, net_rupiah=net, voided=voided, own=True)
        pieces = data.draw(st.integers(1, receipts.left))
        returned += receipts.refund(pieces)
        assert 0 <= returned <= net
        voided += pieces
    assert returned == net


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 10**6)), min_size=1, max_size=8),
    st.data(),
)
def test_a_whole_void_of_any_receipt_returns_all_that_was_paid(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    gross = [qty * price for qty, price in lines]
    own = [data.draw(st.integers(0, amount)) for amount in gross]
    discount = data.draw(st.integers(0, sum(gross) - sum(own)))
    body = receipt(
        *(
            line(number, qty, unit_price_rupiah=price, discount_rupiah=line_discount)
            for number, ((qty, price), line_discount) in enumerate(zip(lines, own, strict=True), 1)
        ),
        discount_rupiah=discount,
    )
    assert sum(body.net_rupiah) == sum(gross) - sum(own) - discount
    receipts = known_receipts([a_spooled_record("r", body)], []).lines["r"]
    first = data.draw(st.sampled_from(sorted(receipts)))
    some = data.draw(st.integers(1, receipts[first].qty))
    returned = receipts[first].refund(some)
    remaining = known_receipts(
        [a_spooled_record("r", body), a_spooled_record("v", void("r", (first, some)))], []
    ).lines["r"]
    if any(known_line.left for known_line in remaining.values()):
        returned += sum(remaining[known_line.line].refund(known_line.qty) for known_line in lines_to_void(remaining))
    assert returned == sum(body.net_rupiah)


def test_a_receipt_is_known_from_what_sales_told() -> None:
    receipts = known_receipts([], [a_snapshot("r", 2, qty=3, net=100, voided=1), a_snapshot("r", 1, qty=1)])
    assert lines_to_void(receipts.lines["r"]) == (VoidedLine(line=1, qty=1), VoidedLine(line=2, qty=2))
    assert receipts.lines["r"][2].refund(1) == 66 - 33
    assert receipts.paid == {}


def test_an_own_receipt_is_known_before_sales_tells_of_it_and_how_it_was_paid() -> None:
    receipts = known_receipts([a_spooled_record("r", receipt(line(1, 2), kind=PaymentKind.QRIS), sent=False)], [])
    assert receipts.lines["r"][1].left == 2
    assert receipts.paid == {"r": PaymentKind.QRIS}
    assert receipts.sold_by_product() == {"KTI": 2}


def test_the_highest_revision_is_the_truth_in_whatever_order_it_comes() -> None:
    snapshots = [a_snapshot("r", 1, 5, revision=3, voided=2), a_snapshot("r", 1, 5, revision=2, voided=4)]
    for bodies in (snapshots, snapshots[::-1]):
        assert known_receipts([], bodies).lines["r"][1].left == 3


def test_voids_of_other_tills_and_own_ones_that_were_not_sent_count_together() -> None:
    records = [
        a_spooled_record("r", receipt(line(1, 10))),
        a_spooled_record("v1", void("r", (1, 2))),
        a_spooled_record("v2", void("r", (1, 3)), sent=False),
    ]
    # Sales has heard this till's 2 and another's 1.
    assert known_receipts(records, [a_snapshot("r", 1, 10, voided=3)]).lines["r"][1].left == 4
    # Sales has heard nothing so far.
    assert known_receipts(records, [a_snapshot("r", 1, 10)]).lines["r"][1].left == 5


def test_a_refused_void_takes_nothing() -> None:
    records = [
        a_spooled_record("r", receipt(line(1, 2))),
        a_spooled_record("v1", void("r", (1, 2))),
        a_spooled_record("v2", void("r", (1, 2))),
    ]
    bodies = [a_snapshot("r", 1, 2, voided=2, revision=2), void_refused("r", 1, qty=2, left=0)]
    assert known_receipts(records, bodies).lines["r"][1].voided == 2


def known(remaining: int) -> KnownLine:
    return KnownLine(line=1, lot=None, product="KTI", qty=5, net_rupiah=5 * PRICE, voided=5 - remaining, own=True)


@pytest.mark.parametrize(
    ("number", "pieces", "left", "words"),
    [
        (1, 4, 3, "from 1 to 3 pieces"),
        (1, 0, 3, "from 1 to 3 pieces"),
        (1, None, 0, "Nothing of line 1 is left"),
        (2, None, 3, "no line 2"),
        (None, None, 0, "Nothing of this receipt is left"),
    ],
)
def test_more_than_is_left_is_refused(number: int | None, pieces: int | None, left: int, words: str) -> None:
    with pytest.raises(WrongEntry, match=words):
        lines_to_void({1: known(left)}, number, pieces)
