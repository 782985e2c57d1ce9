"""A till's unsent records can be changed as long as drawers, counts and voids stay true."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.spool.check import check
from edge.till.basket import BasketEntry
from edge.till.till import Till
from services.sales.domain.device import receive_record
from shared.errors import WrongEntry
from shared.events.sales import (
    TILL,
    DrawerOpened,
    PaymentKind,
    ReceiptIssued,
    RecordTakenOut,
    TillRecord,
)
from tests.support.builders.till import BOOTH, LOT, NOW, PRICE, a_stocking, an_opening, changed, receive

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with Till(tmp_path, BOOTH, "T1") as till:
        receive(till, an_opening("T1"), a_stocking(LOT, 10))
        yield till


def sell(till: Till, qty: int = 1, kind: PaymentKind = PaymentKind.CASH) -> None:
    till.sell([BasketEntry(LOT, qty)], payment=kind, at=NOW)


def numbers_missing(till: Till) -> object:
    """The numbers for which sales still waits, once it has all records."""
    devices = ()
    for record in till.spool.records():
        assert isinstance(record.body, TillRecord)
        devices, _ = receive_record(devices, record.body, record.id)
    [device] = devices
    return [branch.missing for branch in device.branches]


def test_an_edited_receipt_keeps_its_time_its_prices_and_its_drawer(till: Till) -> None:
    till.open("P1", 100_000, at=NOW)
    sell(till, 2)
    receive(till, changed(2, LATER, KTI=1))
    sell(till)
    sold = till.edit_receipt(2, [BasketEntry(LOT, 3)])
    receipt = sold.receipt
    assert (sold.amount_rupiah, receipt.sold_at, receipt.price_list, sold.warnings) == (3 * PRICE, NOW, 1, ())
    [drawer] = till.drawers()
    assert receipt.drawer == drawer.id
    assert drawer.expected_rupiah == 100_000 + 4 * PRICE
    assert till.receipts().sold_by_lot() == {LOT: 4}
    assert numbers_missing(till) == [()]
    assert check(till.spool.path, TILL).ok


def test_a_receipt_that_was_paid_otherwise_leaves_the_drawer(till: Till) -> None:
    till.open("P1", 0, at=NOW)
    sell(till, 2)
    till.edit_receipt(2, [BasketEntry(LOT, 2)], payment=PaymentKind.QRIS, reference="Q7")
    assert till.drawers()[0].expected_rupiah == 0
    till.edit_receipt(2, [BasketEntry(LOT, 1)], payment=PaymentKind.CASH)
    assert till.drawers()[0].expected_rupiah == PRICE


def test_an_edited_float_goes_with_everything_in_its_drawer(till: Till) -> None:
    till.open("P1", 100_000, at=NOW)
    sell(till)
    till.drop(50_000, at=NOW)
    before = till.drawers()[0].id
    opening = till.edit_float(1, 200_000)
    assert isinstance(opening.body, DrawerOpened)
    [drawer] = till.drawers()
    assert (drawer.id, drawer.id == before, drawer.expected_rupiah) == (opening.id, False, 150_000 + PRICE)
    assert check(till.spool.path, TILL).ok
    assert numbers_missing(till) == [()]


def test_what_is_taken_out_leaves_its_number_and_a_word(till: Till) -> None:
    sell(till, 2)
    sell(till, 3)
    record = till.take_out(1, at=LATER, reason="typed twice")
    assert record.body == RecordTakenOut(
        booth=BOOTH,
        till="T1",
        device=till.spool.device,
        seq=1,
        kind="ReceiptIssued",
        rupiah=2 * PRICE,
        reason="typed twice",
        taken_out_at=LATER,
    )
    assert till.receipts().sold_by_lot() == {LOT: 3}
    assert numbers_missing(till) == [()]
    assert check(till.spool.path, TILL).ok
    with pytest.raises(WrongEntry, match="taken out already"):
        till.take_out(1, at=LATER)


def test_a_till_that_was_closed_by_mistake_sells_on(till: Till) -> None:
    sell(till)
    till.close(at=NOW)
    till.take_out(2, at=NOW)
    sell(till)
    assert len(till.receipts().lines) == 2


def test_a_counted_drawer_stays_as_it_was_counted(till: Till) -> None:
    till.open("P1", 0, at=NOW)
    sell(till)
    sell(till, kind=PaymentKind.QRIS)
    till.drop(1, at=NOW)
    till.count_cash(PRICE, at=NOW)
    before = till.spool.records()
    for number in (2, 4):
        with pytest.raises(WrongEntry, match="was counted with record"):
            till.take_out(number, at=NOW)
    with pytest.raises(WrongEntry, match="was counted with record"):
        till.edit_receipt(2, [BasketEntry(LOT, 2)])
    with pytest.raises(WrongEntry, match="was counted with record"):
        till.edit_receipt(3, [BasketEntry(LOT, 1)], payment=PaymentKind.CASH)
    with pytest.raises(WrongEntry, match="was counted with record"):
        till.edit_float(1, 5)
    with pytest.raises(WrongEntry, match="has seen the expected sum"):
        till.take_out(5, at=NOW)
    assert till.spool.records() == before
    till.edit_receipt(3, [BasketEntry(LOT, 2)])


def test_what_later_records_rest_on_stays(till: Till) -> None:
    till.open("P1", 0, at=NOW)
    sell(till, 2)
    till.void("2", at=NOW)
    with pytest.raises(WrongEntry, match="belongs to the drawer"):
        till.take_out(1, at=NOW)
    with pytest.raises(WrongEntry, match="Take that void out first: remove 3"):
        till.take_out(2, at=NOW)
    with pytest.raises(WrongEntry, match="Take that void out first"):
        till.edit_receipt(2, [BasketEntry(LOT, 1)])
    till.take_out(3, at=NOW)
    till.take_out(2, at=NOW)
    till.take_out(1, at=NOW)
    assert till.drawers() == []
    assert numbers_missing(till) == [()]


def test_a_sent_record_stays(till: Till) -> None:
    sell(till)
    till.spool.offer(500)
    with pytest.raises(WrongEntry, match="begun to send"):
        till.take_out(1, at=NOW)
    with pytest.raises(WrongEntry, match="begun to send"):
        till.edit_receipt(1, [BasketEntry(LOT, 1)])


def test_only_a_receipt_and_a_float_are_edited(till: Till) -> None:
    till.count({LOT: 1}, at=NOW)
    with pytest.raises(WrongEntry, match="is no receipt"):
        till.edit_receipt(1, [BasketEntry(LOT, 1)])
    with pytest.raises(WrongEntry, match="Take it out and enter it again"):
        till.edit_float(1, 5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sell", "qris", "void", "drop", "count", "open", "edit", "out"]), st.integers(1, 9)
        ),
        min_size=3,
        max_size=25,
    )
)
def test_whatever_is_changed_numbers_and_drawers_add_up(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    with Till(tmp_path_factory.mktemp("till"), BOOTH, "T1") as till:
        receive(till, an_opening("T1"), a_stocking(LOT, 1000))
        for act, n in acts:
            try:
                _do(till, act, n)
            except WrongEntry:
                continue
        records = till.spool.records()
        if not records:
            return
        assert numbers_missing(till) == [()]
        assert check(till.spool.path, TILL).ok
        for drawer in till.drawers():
            cash = sum(
                sum(record.body.net_rupiah)
                for record in records
                if isinstance(record.body, ReceiptIssued)
                and record.body.drawer == drawer.id
                and record.body.payment.kind is PaymentKind.CASH
            )
            voided = sum(
                getattr(record.body, "refund_rupiah", 0) for record in records if _of(record.body, drawer.id)
            )
            assert drawer.expected_rupiah == drawer.float_rupiah + cash - voided - drawer.dropped_rupiah


def _of(body: object, drawer: str) -> bool:
    return getattr(body, "drawer", None) == drawer and getattr(body, "refund", None) is PaymentKind.CASH


def _do(till: Till, act: str, n: int) -> None:
    match act:
        case "sell":
            sell(till, n)
        case "qris":
            sell(till, n, PaymentKind.QRIS)
        case "void":
            till.void(str(n), at=NOW)
        case "drop":
            till.drop(n, at=NOW)
        case "count":
            till.count_cash(n, at=NOW)
        case "open":
            till.open("P1", n, at=NOW)
        case "edit":
            till.edit_receipt(n, [BasketEntry(LOT, n)], payment=(PaymentKind.CASH, None)[n % 2])
        case _:
            till.take_out(n, at=NOW)
