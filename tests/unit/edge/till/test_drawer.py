"""Cash adds up from a drawer's opening to its count, and nobody sees the sum before."""

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.spool import SpooledRecord
from edge.till.drawer import day_lines, drawers, open_drawer
from shared.events.sales import CashCounted, CashDropped, DrawerOpened, PaymentKind
from tests.support.builders.till import BOOTH, NOW, a_spooled_record, line, receipt, void

PLACE = {"booth": BOOTH, "till": "T1", "device": "d1", "seq": 1}
DAY = date(2023, 4, 18)


def day_of(moment: datetime) -> date:
    return moment.date()


def an_opening_record(id: str, rupiah: int = 200_000) -> SpooledRecord:
    return a_spooled_record(id, DrawerOpened(**PLACE, cashier="P1", float_rupiah=rupiah, opened_at=NOW))


def a_drop_record(drawer: str, rupiah: int) -> SpooledRecord:
    return a_spooled_record("drop", CashDropped(**PLACE, drawer=drawer, rupiah=rupiah, dropped_at=NOW))


def a_count_record(drawer: str, rupiah: int, expected: int) -> SpooledRecord:
    body = CashCounted(**PLACE, drawer=drawer, counted_rupiah=rupiah, expected_rupiah=expected, counted_at=NOW)
    return a_spooled_record("count", body)


@given(
    st.integers(0, 10**6),
    st.lists(
        st.one_of(
            st.tuples(st.just("sale"), st.sampled_from(PaymentKind), st.integers(0, 10**6)),
            st.tuples(st.just("void"), st.sampled_from(PaymentKind), st.integers(0, 10**6)),
            st.tuples(st.just("drop"), st.just(PaymentKind.CASH), st.integers(1, 10**6)),
        ),
        max_size=20,
    ),
)
def test_the_expected_sum_is_float_and_cash_less_refunds_and_drops(
    float_rupiah: int, moves: list[tuple[str, PaymentKind, int]]
) -> None:
    records, expected = [an_opening_record("d", float_rupiah), an_opening_record("another", 1)], float_rupiah
    for change, kind, rupiah in moves:
        if change == "sale":
            records.append(a_spooled_record("r", receipt(line(unit_price_rupiah=rupiah), kind=kind, drawer="d")))
        elif change == "void":
            records.append(a_spooled_record("v", void("r", (1, 1), rupiah=rupiah, refund=kind, drawer="d")))
        else:
            records.append(a_drop_record("d", rupiah))
        if kind is PaymentKind.CASH:
            expected += rupiah if change == "sale" else -rupiah
    mine, second = drawers(records)
    assert (mine.expected_rupiah, second.expected_rupiah) == (expected, 1)
    assert mine.difference_rupiah is None


def test_a_drawer_is_open_until_it_is_counted() -> None:
    records = [an_opening_record("d1"), a_count_record("d1", 150_000, 200_000)]
    assert open_drawer(records) is None
    assert [drawer.difference_rupiah for drawer in drawers(records)] == [-50_000]
    later = open_drawer([*records, an_opening_record("d2")])
    assert later is not None
    assert later.id == "d2"


def test_the_count_keeps_what_was_expected_then() -> None:
    late = a_spooled_record("r", receipt(drawer="d"))
    [drawer] = drawers([an_opening_record("d"), a_count_record("d", 200_000, 200_000), late])
    assert (drawer.expected_rupiah, drawer.difference_rupiah) == (200_000, 0)


def test_a_day_is_told_by_kinds_of_payment() -> None:
    records = [
        a_spooled_record("r1", receipt(line(1, 2, unit_price_rupiah=100, discount_rupiah=50))),
        a_spooled_record("r2", receipt(line(unit_price_rupiah=70))),
        a_spooled_record("r3", receipt(line(unit_price_rupiah=30), kind=PaymentKind.QRIS)),
        a_spooled_record("r4", receipt(line(unit_price_rupiah=9), sold_at=NOW + timedelta(days=1))),
        a_spooled_record("v1", void("r1", (1, 1), rupiah=75)),
        a_spooled_record("v2", void("r1", (1, 1), rupiah=75, voided_at=NOW - timedelta(days=1))),
    ]
    assert [
        (row.kind.value, row.receipts, row.net_rupiah, row.refunds, row.refunded_rupiah)
        for row in day_lines(records, DAY, day_of)
    ] == [("cash", 2, 220, 1, 75), ("qris", 1, 30, 0, 0), ("other", 0, 0, 0, 0)]


def test_cash_of_a_day_is_hidden_while_its_drawer_is_not_counted() -> None:
    records = [
        an_opening_record("d"),
        a_spooled_record("r", receipt(drawer="d")),
        a_spooled_record("q", receipt(kind=PaymentKind.QRIS)),
    ]
    cash, qris, _ = day_lines(records, DAY, day_of)
    assert (cash.receipts, cash.net_rupiah, cash.refunded_rupiah) == (1, None, None)
    assert qris.net_rupiah == 250_000
    cash, *_ = day_lines([*records, a_count_record("d", 450_000, 450_000)], DAY, day_of)
    assert cash.net_rupiah == 250_000
