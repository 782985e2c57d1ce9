"""Prices compared with the lists: an old list, or a different price, in any order of arrival."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from services.sales.domain.prices import PriceComparison, PriceList, compare_price, valid_at, with_list
from tests.support.builders.sales import (
    B1,
    NOON,
    PRICE,
    SalesWorld,
    a_line,
    a_receipt,
    a_stocking,
    an_opening,
    new_prices,
)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


LISTS = (
    PriceList(1, None, (("KTI", 100), ("KUE", 50))),
    PriceList(2, at(60), (("KTI", 120), ("KUE", 50))),
    PriceList(3, at(120), (("KTI", 90),)),
)


@pytest.mark.parametrize(
    ("till_revision", "product", "price", "minutes", "marked"),
    [
        pytest.param(1, "KTI", 100, 0, PriceComparison(False, False), id="as listed"),
        pytest.param(1, "KTI", 90, 0, PriceComparison(False, True), id="departs"),
        pytest.param(
            1, "KTI", 100, 60, PriceComparison(True, False), id="by an old list, from the moment of the new one"
        ),
        pytest.param(1, "KTI", 100, 59, PriceComparison(False, False), id="before the new list is valid"),
        pytest.param(1, "KTI", 120, 60, PriceComparison(True, True), id="by an old list and departing from it"),
        pytest.param(1, "KUE", 50, 60, PriceComparison(False, False), id="the new list left this price as it was"),
        pytest.param(2, "KTI", 120, 0, PriceComparison(False, False), id="the till knew what was not valid yet"),
        pytest.param(2, "KTI", 120, 120, PriceComparison(True, False), id="by the list before the last"),
        pytest.param(2, "KUE", 50, 120, PriceComparison(True, False), id="no longer on the list"),
        pytest.param(0, "KTI", 1, 60, PriceComparison(False, False), id="the till knew no list"),
        pytest.param(9, "KTI", 1, 60, PriceComparison(False, False), id="the till's list was not heard yet"),
        pytest.param(1, "ELSE", 1, 0, PriceComparison(False, False), id="the list has no such product"),
        pytest.param(3, "KTI", 0, 120, PriceComparison(False, True), id="for nothing"),
    ],
)
def test_a_price_is_marked(
    till_revision: int, product: str, price: int, minutes: int, marked: PriceComparison
) -> None:
    assert compare_price(LISTS, till_revision, product, price, at(minutes)) == marked


def test_lists_are_kept_in_the_order_of_their_revisions_each_once() -> None:
    for order in permutations(LISTS):
        lists: tuple[PriceList, ...] = ()
        for price_list in (*order, order[0]):
            lists = with_list(lists, price_list)
        assert lists == LISTS


def test_of_lists_that_are_valid_the_highest_revision_is_due() -> None:
    back = PriceList(4, at(30), (("KTI", 80),))
    assert valid_at(LISTS, at(-1)) == LISTS[0]
    assert valid_at((*LISTS, back), at(90)) == back
    assert valid_at((), at(0)) is None


def marks(world: SalesWorld) -> list[PriceComparison]:
    receipt = world.receipt("r")
    lists = world.booth().price_lists
    return [
        compare_price(lists, receipt.price_list, sale.product, sale.unit_price_rupiah, receipt.sold_at)
        for sale in receipt.sales
    ]


def test_a_sale_is_marked_alike_whether_it_or_the_new_prices_are_heard_first() -> None:
    lines = (a_line("L1", 1), a_line("L1", 1, 2, unit_price_rupiah=PRICE - 1, price_reason="last one"))
    receipt = a_receipt(1, *lines, price_list=1, sold_at=at(90))
    prices = new_prices(2, at(60), KTI=PRICE + 5)
    ends = []
    for first, second in ((receipt, prices), (prices, receipt)):
        world = SalesWorld()
        world.give(an_opening(), a_stocking())
        for body in (first, second):
            world.tell(body, "r" if body is receipt else None)
        ends.append(marks(world))
    assert ends == [[PriceComparison(True, False), PriceComparison(True, True)]] * 2


def test_what_a_sale_costs_is_what_the_till_said() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking(), new_prices(2, at(0), KTI=1))
    world.tell(a_receipt(1, a_line("L1", 1, price_reason="friends"), price_list=1), "r")
    assert world.sale("r").net_rupiah == PRICE
    assert world.sale("r").price_reason == "friends"
    assert world.earned("LP-A", B1) == (1, PRICE)
