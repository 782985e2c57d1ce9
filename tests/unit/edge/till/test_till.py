"""What a till keeps, and what it refuses at once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from edge.spool.check import check
from edge.till.basket import BasketEntry
from edge.till.till import Till
from shared.errors import WrongEntry
from shared.events.sales import (
    TILL,
    BoothCounted,
    BoothReopened,
    CashCounted,
    CashDropped,
    DrawerOpened,
    LotCount,
    Payment,
    PaymentKind,
    ProductCount,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from tests.support.builders.till import (
    BOOTH,
    LOT,
    NOW,
    OTHER,
    PRICE,
    a_snapshot,
    a_stocking,
    an_opening,
    changed,
    closing,
    line,
    receive,
    reinstated,
    void_refused,
    withdrawn,
)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with Till(tmp_path, BOOTH, "T1") as till:
        yield till


@pytest.fixture
def stocked_till(till: Till) -> Till:
    """A till that has heard of its booth: prices, and ten pieces of each lot."""
    receive(till, an_opening("T1"), a_stocking(LOT, 10), a_stocking(OTHER, 10))
    return till


def test_every_record_names_its_place_and_the_one_before(stocked_till: Till) -> None:
    till = stocked_till
    receipt = till.sell([BasketEntry(LOT, 2), BasketEntry("kti")], at=NOW).record
    with pytest.raises(WrongEntry):
        till.sell([BasketEntry("kti", 0)], at=NOW)
    void = till.void("1", 1, 1, at=NOW).record
    count = till.count({LOT.lower(): 3, OTHER: 0, "kti": 2}, at=NOW)
    till.close(at=NOW)
    place = {"booth": BOOTH, "till": "T1", "device": till.spool.device}
    assert [record.body for record in till.spool.records()] == [
        ReceiptIssued(
            **place,
            seq=1,
            lines=(line(1, 2, lot=LOT), line(2, 1)),
            payment=Payment(kind=PaymentKind.CASH),
            price_list=1,
            sold_at=NOW,
        ),
        ReceiptVoided(
            **place,
            seq=2,
            previous=receipt.id,
            receipt=receipt.id,
            lines=(VoidedLine(line=1, qty=1),),
            refund_rupiah=PRICE,
            voided_at=NOW,
        ),
        BoothCounted(
            **place,
            seq=3,
            previous=void.id,
            counted_at=NOW,
            final=True,
            lots=(LotCount(lot=LOT, qty=3), LotCount(lot=OTHER, qty=0)),
            products=(ProductCount(product="KTI", qty=2),),
        ),
        TillClosed(**place, seq=4, previous=count.id, last_seq=4),
    ]
    assert check(till.spool.path, TILL).ok


# Prices


def test_a_sale_carries_the_price_list_that_was_valid_at_its_moment(till: Till) -> None:
    with pytest.raises(WrongEntry, match="no price of KTI"):
        till.sell([BasketEntry("KTI", 2)], at=NOW)
    assert till.sell([BasketEntry("KTI", 1, 5)], at=NOW).receipt.price_list == 0
    receive(till, an_opening("T1"), changed(2, NOW + timedelta(hours=1), KTI=300_000))
    early, late = (till.sell([BasketEntry("KTI")], at=NOW + timedelta(hours=hours)) for hours in (0, 1))
    assert (early.amount_rupiah, early.receipt.price_list) == (250_000, 1)
    assert (late.amount_rupiah, late.receipt.price_list) == (300_000, 2)


def test_a_departing_price_is_kept_with_its_reason(stocked_till: Till) -> None:
    with pytest.raises(WrongEntry, match="--why"):
        stocked_till.sell([BasketEntry("KTI", 1, 200_000)], at=NOW)
    sold = stocked_till.sell([BasketEntry("KTI", 1, 200_000)], at=NOW, why="a scratch")
    assert sold.receipt.lines[0].price_reason == "a scratch"
    assert list(map(str, sold.warnings)) == ["The booth's price of KTI is Rp250.000."]


# Payment


def test_discounts_and_change_add_up(stocked_till: Till) -> None:
    sold = stocked_till.sell(
        [BasketEntry(LOT, 2, discount_rupiah=20_000), BasketEntry("KTI", 1)],
        at=NOW,
        discount_rupiah=30_000,
        given_rupiah=1_000_000,
    )
    assert sold.amount_rupiah == 3 * PRICE - 50_000
    assert sum(sold.receipt.net_rupiah) == sold.amount_rupiah
    assert sold.receipt.payment == Payment(kind=PaymentKind.CASH, given_rupiah=1_000_000, change_rupiah=300_000)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"given_rupiah": 249_999}, "Rp249.999 is Rp1 too little: the sum is Rp250.000"),
        ({"given_rupiah": 300_000, "payment": PaymentKind.QRIS}, "for cash only"),
        ({"discount_rupiah": 250_001}, "more than the sum Rp250.000"),
        ({"reference": "x" * 501}, "reference"),
    ],
)
def test_a_payment_that_does_not_fit_is_refused_and_nothing_kept(
    stocked_till: Till, how: dict[str, Any], words: str
) -> None:
    with pytest.raises(WrongEntry, match=words):
        stocked_till.sell([BasketEntry("KTI")], at=NOW, **how)
    assert stocked_till.spool.counts().records == 0


def test_a_payment_without_cash_has_its_reference_and_no_drawer(stocked_till: Till) -> None:
    stocked_till.open("P1", 0, at=NOW)
    sold = stocked_till.sell([BasketEntry("KTI")], at=NOW, payment=PaymentKind.QRIS, reference="Q77")
    assert sold.receipt.payment == Payment(kind=PaymentKind.QRIS, reference="Q77")
    assert sold.receipt.drawer is None


# Goods


def test_a_sale_beyond_the_tills_part_is_kept_with_a_warning(stocked_till: Till) -> None:
    assert stocked_till.sell([BasketEntry(LOT, 4)], at=NOW).warnings == ()
    [warning] = map(str, stocked_till.sell([BasketEntry(LOT, 7)], at=NOW).warnings)
    assert "allows 6 more" in warning
    assert stocked_till.spool.counts().records == 2


def test_a_sale_before_anything_was_heard_is_kept_with_a_warning(till: Till) -> None:
    [warning] = map(str, till.sell([BasketEntry(LOT, 4, 1)], at=NOW).warnings)
    assert "please sync" in warning
    assert "no list of prices yet" in warning


def test_a_product_that_the_booth_does_not_sell_is_refused_unless_the_cashier_means_it(stocked_till: Till) -> None:
    with pytest.raises(WrongEntry, match=r"no price of KTJ\. Did you mean KTI\?"):
        stocked_till.sell([BasketEntry("KTJ", 1, 9)], at=NOW)
    stocked_till.sell([BasketEntry("KTJ", 1, 9)], at=NOW, unlisted=True)
    with pytest.raises(WrongEntry, match="no price of KTK"):
        stocked_till.edit_receipt(1, [BasketEntry("KTK", 1, 9)])
    stocked_till.edit_receipt(1, [BasketEntry("KTK", 1, 9)], unlisted=True)
    [record] = stocked_till.spool.records()
    assert [line.product for line in getattr(record.body, "lines", ())] == ["KTK"]


def test_a_withdrawn_lot_is_refused_wherever_it_lies_in_the_basket_unless_it_happened(stocked_till: Till) -> None:
    receive(stocked_till, withdrawn(LOT))
    with pytest.raises(WrongEntry, match="withdrawn"):
        stocked_till.sell([BasketEntry(OTHER), BasketEntry(LOT)], at=NOW)
    assert stocked_till.sell([BasketEntry(OTHER), BasketEntry("KTI")], at=NOW).warnings == ()
    assert stocked_till.sell([BasketEntry(LOT)], at=NOW, happened=True).warnings != ()
    assert stocked_till.spool.counts().records == 2


def test_a_lot_whose_recall_is_lifted_is_sold_again(stocked_till: Till) -> None:
    receive(stocked_till, withdrawn(LOT), reinstated(LOT))
    assert stocked_till.view().withdrawn == frozenset()
    assert stocked_till.sell([BasketEntry(LOT, 1)], at=NOW).warnings == ()


def test_a_product_whose_lots_were_all_withdrawn_is_refused(till: Till) -> None:
    receive(till, an_opening("T1"), a_stocking(LOT, 10), withdrawn(LOT))
    with pytest.raises(WrongEntry, match="All lots of KTI"):
        till.sell([BasketEntry("KTI")], at=NOW)


def test_a_closed_till_sells_only_what_happened_and_closes_again(stocked_till: Till) -> None:
    stocked_till.sell([BasketEntry("KTI")], at=NOW)
    stocked_till.close(at=NOW)
    for again in (lambda: stocked_till.sell([BasketEntry("KTI")], at=NOW), lambda: stocked_till.close(at=NOW)):
        with pytest.raises(WrongEntry, match="closed"):
            again()
    stocked_till.sell([BasketEntry("KTI")], at=NOW, happened=True)
    closed = stocked_till.close(at=NOW).body
    assert isinstance(closed, TillClosed)
    assert (closed.seq, closed.last_seq) == (4, 4)


def test_a_closed_till_sells_on_once_it_heard_that_its_booth_was_reopened(stocked_till: Till) -> None:
    stocked_till.sell([BasketEntry("KTI")], at=NOW)
    stocked_till.close(at=NOW)
    receive(stocked_till, closing(NOW + timedelta(hours=48)))
    assert stocked_till.view().closing == NOW + timedelta(hours=48)
    receive(stocked_till, BoothReopened(booth=BOOTH, opening=2))
    assert (stocked_till.view().closing, stocked_till.view().opening) == (None, 2)
    stocked_till.sell([BasketEntry("KTI")], at=NOW)
    closed = stocked_till.close(at=NOW).body
    assert isinstance(closed, TillClosed)
    assert (closed.seq, closed.last_seq, closed.opening) == (4, 4, 2)
    with pytest.raises(WrongEntry, match="closed"):
        stocked_till.sell([BasketEntry("KTI")], at=NOW)
    receive(stocked_till, closing(NOW + timedelta(hours=72), opening=2))
    assert stocked_till.view().closing == NOW + timedelta(hours=72)


def test_a_till_that_sold_nothing_more_closes_again(stocked_till: Till) -> None:
    stocked_till.close(at=NOW)
    receive(stocked_till, BoothReopened(booth=BOOTH, opening=2))
    closed = stocked_till.close(at=NOW).body
    assert isinstance(closed, TillClosed)
    assert (closed.seq, closed.opening) == (2, 2)


def test_an_interim_count_says_so(till: Till) -> None:
    body = till.count({"KTI": 3}, at=NOW, final=False).body
    assert isinstance(body, BoothCounted)
    assert (body.final, body.lots) == (False, ())


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (lambda t: t.sell([BasketEntry("KTI", 10**7, 1)], at=NOW), "qty"),
        (lambda t: t.sell([BasketEntry("KTI", 1, 10**10)], at=NOW), "unit_price_rupiah"),
        (lambda t: t.sell([BasketEntry("KTI", 10**6, 10**9)], at=NOW), r"^The receipt comes to more than Rp1\.000\."),
        (lambda t: t.void(str(uuid4()), 1, 10**7, at=NOW, refund_rupiah=1), "qty"),
        (lambda t: t.count({LOT[:-1] + "#": 1}, at=NOW), "neither a lot number"),
        (lambda t: t.count({LOT: 1, LOT.lower(): 1}, at=NOW), "named twice"),
        (lambda t: t.count({}, at=NOW), "Nothing was counted"),
        (lambda t: t.open("the tall man", 1, at=NOW), "^cashier: It has at most 120 letters, digits"),
        (lambda t: t.drop(5, at=NOW), "No drawer is open"),
        (lambda t: t.count_cash(5, at=NOW), "No drawer is open"),
    ],
)
def test_what_can_not_be_is_refused_at_once_and_not_kept(till: Till, entry: Any, words: str) -> None:
    with pytest.raises(WrongEntry, match=words):
        entry(till)
    assert till.spool.counts().records == 0


@pytest.mark.parametrize(("booth", "name"), [("", "T1"), (BOOTH, "a/b"), ("../x", "T1")])
def test_names_are_checked_before_a_file_is_made(tmp_path: Path, booth: str, name: str) -> None:
    with pytest.raises(WrongEntry):
        Till(tmp_path, booth, name)
    assert list(tmp_path.iterdir()) == []


# Voids


def test_a_receipt_is_voided_whole_by_line_or_by_pieces_and_never_beyond(stocked_till: Till) -> None:
    sold = stocked_till.sell(
        [BasketEntry(LOT, 3), BasketEntry("KTI", 2)], at=NOW, discount_rupiah=100, payment=PaymentKind.QRIS
    )
    some = stocked_till.void("1", 1, 2, at=NOW)
    with pytest.raises(WrongEntry, match="from 1 to 1 pieces"):
        stocked_till.void("1", 1, 2, at=NOW)
    remaining = stocked_till.void(sold.record.id.upper(), at=NOW, reason="came back")
    assert [(line.line, line.qty) for line in remaining.void.lines] == [(1, 1), (2, 2)]
    assert some.void.refund_rupiah + remaining.void.refund_rupiah == sold.amount_rupiah
    assert {some.void.refund, remaining.void.refund} == {PaymentKind.QRIS}
    assert remaining.void.reason == "came back"
    with pytest.raises(WrongEntry, match="void already"):
        stocked_till.void("1", at=NOW)


def test_a_receipt_of_a_lost_till_is_voided_by_what_sales_told_of_it(stocked_till: Till) -> None:
    id = str(uuid4())
    receive(stocked_till, a_snapshot(id, 1, 3, net=100, voided=1), a_snapshot(id, 2, 1, net=7))
    outcome = stocked_till.void(id, at=NOW)
    assert [(line.line, line.qty) for line in outcome.void.lines] == [(1, 2), (2, 1)]
    assert (outcome.void.refund_rupiah, outcome.void.refund, outcome.assumed) == (66 + 7, PaymentKind.CASH, True)
    with pytest.raises(WrongEntry, match="void already"):
        stocked_till.void(id, 1, 1, at=NOW)


def test_a_receipt_that_nobody_told_of_needs_line_pieces_and_what_is_paid_back(stocked_till: Till) -> None:
    id = str(uuid4())
    with pytest.raises(WrongEntry, match="does not know that receipt"):
        stocked_till.void(id, at=NOW)
    with pytest.raises(WrongEntry, match="does not know that receipt"):
        stocked_till.void(id, 1, 2, at=NOW)
    outcome = stocked_till.void(id, 1, 2, at=NOW, refund_rupiah=30_000)
    assert (outcome.void.receipt, outcome.void.lines, outcome.void.refund_rupiah) == (
        id,
        (VoidedLine(line=1, qty=2),),
        30_000,
    )


@pytest.mark.parametrize(
    ("receipt", "words"),
    [("9", "Record 9 of this till is no receipt"), ("2", "no receipt"), ("the last one", "neither the number")],
)
def test_what_is_no_receipt_is_not_voided(stocked_till: Till, receipt: str, words: str) -> None:
    stocked_till.sell([BasketEntry("KTI")], at=NOW)
    stocked_till.count({"KTI": 1}, at=NOW)
    with pytest.raises(WrongEntry, match=words):
        stocked_till.void(receipt, at=NOW)


def test_what_the_till_knows_is_paid_back_and_nothing_else(stocked_till: Till) -> None:
    stocked_till.sell([BasketEntry("KTI", 2)], at=NOW, payment=PaymentKind.QRIS)
    with pytest.raises(WrongEntry, match=r"Rp500\.000 is to be paid back"):
        stocked_till.void("1", at=NOW, refund_rupiah=1)
    outcome = stocked_till.void("1", 1, 1, at=NOW)
    assert (outcome.void.refund, outcome.assumed) == (PaymentKind.QRIS, False)
    outcome = stocked_till.void("1", at=NOW, refund=PaymentKind.CASH)
    assert (outcome.void.refund, outcome.assumed) == (PaymentKind.CASH, False)


def test_a_refused_void_leaves_the_pieces_to_void(stocked_till: Till) -> None:
    receipt = stocked_till.sell([BasketEntry("KTI", 2)], at=NOW).record.id
    stocked_till.void("1", at=NOW)
    with pytest.raises(WrongEntry, match="void already"):
        stocked_till.void("1", at=NOW)
    receive(stocked_till, a_snapshot(receipt, 1, 2, voided=1), void_refused(receipt, 1, qty=2, left=1))
    assert stocked_till.void("1", at=NOW).void.lines == (VoidedLine(line=1, qty=1),)


# Cash


def test_a_drawer_is_opened_used_counted_and_opened_again(stocked_till: Till) -> None:
    drawer = stocked_till.open(" P1 ", 200_000, at=NOW).id
    with pytest.raises(WrongEntry, match="P1 has the drawer"):
        stocked_till.open("P2", 0, at=NOW)
    stocked_till.sell([BasketEntry("KTI", 2)], at=NOW, given_rupiah=600_000)
    stocked_till.sell([BasketEntry("KTI")], at=NOW, payment=PaymentKind.QRIS)
    stocked_till.drop(300_000, at=NOW, reason="to the safe")
    with pytest.raises(WrongEntry, match="nothing to take out"):
        stocked_till.drop(0, at=NOW)
    stocked_till.void("2", 1, 1, at=NOW)
    count = stocked_till.count_cash(149_000, at=NOW)
    assert (count.drawer, count.counted_rupiah, count.expected_rupiah) == (drawer, 149_000, 150_000)
    bodies = [record.body for record in stocked_till.spool.records()]
    assert [body.drawer for body in bodies if isinstance(body, ReceiptIssued)] == [drawer, None]
    assert [body.drawer for body in bodies if isinstance(body, ReceiptVoided | CashDropped | CashCounted)] == [
        drawer
    ] * 3
    assert [body.cashier for body in bodies if isinstance(body, DrawerOpened)] == ["P1"]
    assert stocked_till.open_drawer() is None
    stocked_till.open("P2", 0, at=NOW)


def test_the_till_that_pays_back_books_the_cash(tmp_path: Path, stocked_till: Till) -> None:
    receipt = stocked_till.sell([BasketEntry("KTI")], at=NOW).record.id
    with Till(tmp_path, BOOTH, "T2") as second_till:
        receive(second_till, a_snapshot(receipt, 1, 1))
        second_till.open("P2", 300_000, at=NOW)
        second_till.void(receipt, at=NOW)
        assert second_till.count_cash(0, at=NOW).expected_rupiah == 50_000


def test_cash_without_a_drawer_is_taken(stocked_till: Till) -> None:
    assert stocked_till.sell([BasketEntry("KTI")], at=NOW).receipt.drawer is None
    assert stocked_till.void("1", at=NOW).void.drawer is None
