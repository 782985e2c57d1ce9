"""The cash of tills by drawer: receipts, refunds, the expected sum and the blind count. Sums are made up."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from pydantic import ValidationError

from services.sales.domain.drawer import Drawer, Taking
from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.events.sales import MAX_TILL_RUPIAH, Payment, PaymentKind, TillRecord
from tests.support.builders.sales import (
    B1,
    NOON,
    PRICE,
    SalesWorld,
    a_cash_count,
    a_drawer,
    a_drop,
    a_line,
    a_receipt,
    a_sale,
    a_void,
    an_order,
    open_booth,
    record_id,
)

AT_NOON = epoch_seconds(NOON) // HOUR
T1, T2 = f"{B1}-T1", f"{B1}-T2"
MORNING = record_id(T1, 1)


def drawer(world: SalesWorld, id: str = MORNING) -> Drawer:
    return next(candidate for candidate in world.booth().drawers if candidate.id == id)


def a_payment(kind: PaymentKind) -> Payment:
    return Payment(kind=kind)


def test_a_drawer_has_its_float_and_what_was_paid_into_it_less_what_was_dropped() -> None:
    world = open_booth()
    world.give(a_drawer(1, 200_000))
    world.sell("s1", 2, qty=3, drawer=MORNING)
    world.give(a_drop(3, MORNING, 50_000))
    session = drawer(world)
    assert (session.cashier, session.till, session.device) == ("K1", "T1", T1)
    assert (session.float_rupiah, session.dropped_rupiah) == (200_000, 50_000)
    assert session.cash_rupiah == 200_000 + 3 * PRICE - 50_000


def test_takings_are_told_by_hour_and_payment_kind() -> None:
    world = open_booth()
    for seq, (kind, minutes) in enumerate(
        [("cash", 0), ("qris", 10), ("cash", 59), ("cash", 61), ("other", 62), ("qris", 5)], 1
    ):
        payment = a_payment(PaymentKind(kind))
        world.sell(f"s{seq}", seq, payment=payment, sold_at=NOON + timedelta(minutes=minutes))
    assert set(drawer(world, T1).takings) == {
        Taking(AT_NOON, PaymentKind.CASH, 2, 2 * PRICE),
        Taking(AT_NOON, PaymentKind.QRIS, 2, 2 * PRICE),
        Taking(AT_NOON + 1, PaymentKind.CASH, 1, PRICE),
        Taking(AT_NOON + 1, PaymentKind.OTHER, 1, PRICE),
    }


def test_only_cash_is_in_the_drawer() -> None:
    world = open_booth()
    world.sell("s1", 1, payment=a_payment(PaymentKind.QRIS))
    world.sell("s2", 2, payment=a_payment(PaymentKind.OTHER))
    assert drawer(world, T1).cash_rupiah == 0


def test_net_amounts_are_taken_once_per_receipt_whether_its_pieces_are_covered_or_not() -> None:
    world = open_booth(0)
    world.tell(a_receipt(1, discount_rupiah=1), "r")
    [taking] = drawer(world, T1).takings
    assert (taking.receipts, taking.net_rupiah) == (1, PRICE - 1)


def test_the_till_that_pays_back_books_the_cash_and_not_the_one_that_sold() -> None:
    world = open_booth()
    world.give(a_drawer(1, 100_000), a_drawer(1, 50_000, "K2", "T2"))
    world.sell("s1", 2, qty=2, drawer=MORNING)
    theirs = record_id(T2, 1)
    world.give(a_void("s1", 2, "T2", drawer=theirs, voided_at=NOON + timedelta(hours=3)))
    assert drawer(world).cash_rupiah == 100_000 + 2 * PRICE
    assert drawer(world, theirs).cash_rupiah == 50_000 - PRICE
    assert drawer(world, theirs).takings == (Taking(AT_NOON + 3, PaymentKind.CASH, refunded_rupiah=PRICE),)


def test_money_that_was_taken_while_no_drawer_was_open_is_under_the_device() -> None:
    world = open_booth()
    world.sell("s1", 1)
    world.give(a_void("s1", 2))
    session = drawer(world, T1)
    assert (session.cashier, session.opened_at, session.cash_rupiah) == (None, None, 0)


def test_the_organisers_void_pays_nothing_and_a_refused_one_what_the_till_told() -> None:
    world = open_booth()
    world.sell("s1", 1, qty=2)
    world.give(an_order("s1", 1))
    assert drawer(world, T1).cash_rupiah == 2 * PRICE
    world.give(a_void("s1", 2, qty=2))
    assert drawer(world, T1).cash_rupiah == 0


def test_a_blind_count_says_how_much_too_much_or_too_little_is_there() -> None:
    world = open_booth()
    world.give(a_drawer(1, 100_000))
    world.sell("s1", 2, drawer=MORNING)
    assert drawer(world).difference_rupiah is None
    world.give(a_cash_count(3, MORNING, 100_000 + PRICE - 500, 100_000 + PRICE))
    session = drawer(world)
    assert (session.counted_rupiah, session.expected_rupiah, session.difference_rupiah) == (
        100_000 + PRICE - 500,
        100_000 + PRICE,
        -500,
    )


def test_of_two_cash_counts_the_later_moment_stands() -> None:
    for order in permutations(range(2)):
        world = open_booth()
        counts = [a_cash_count(1, T1, 5, 5), a_cash_count(2, T1, 7, 5, NOON + timedelta(minutes=1))]
        world.give(*(counts[place] for place in order))
        assert drawer(world, T1).counted_rupiah == 7


def test_a_drawer_is_the_same_in_whatever_order_its_records_are_heard() -> None:
    records: list[TillRecord] = [
        a_drawer(1, 100_000),
        a_sale(2, qty=2, drawer=MORNING),
        a_drop(3, MORNING, 20_000),
        a_void("B", 4, drawer=MORNING),
        a_cash_count(5, MORNING, 90_000, 90_001),
    ]
    ends = []
    for order in permutations(records):
        world = open_booth()
        for body in order:
            world.tell(body, "B" if body is records[1] else None)
        ends.append(drawer(world))
    assert [end for end in ends if {*end.takings} != {*ends[0].takings}] == []
    sums = {(end.cashier, end.float_rupiah, end.cash_rupiah, end.difference_rupiah) for end in ends}
    assert sums == {("K1", 100_000, 80_000 + PRICE, 10_000 - PRICE)}


@pytest.mark.parametrize(
    "record",
    [
        lambda rupiah: a_receipt(1, *[a_line(None, 11, n, unit_price_rupiah=rupiah // 1_000) for n in range(1, 101)]),
        lambda rupiah: a_receipt(1, a_line(None, 1_001, unit_price_rupiah=rupiah // 1_000)),
        lambda rupiah: a_void("r", 1, refund_rupiah=rupiah + 1),
        lambda rupiah: a_drawer(1, rupiah + 1),
        lambda rupiah: a_drop(1, "d", rupiah + 1),
        lambda rupiah: a_cash_count(1, "d", rupiah + 1, 0),
    ],
)
def test_no_record_of_a_till_tells_so_much_that_a_sum_of_millions_breaks_the_database(
    record: Callable[[int], TillRecord],
) -> None:
    assert 9_000_000 * MAX_TILL_RUPIAH < 2**63, "what a document can hold"
    with pytest.raises(ValidationError):
        record(MAX_TILL_RUPIAH)
