"""What a cashier types has one meaning or is refused; prices, discounts and reasons of lines."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.till.basket import BasketEntry, parse_basket, receipt_lines, warnings, with_discounts
from edge.till.booth import KnownPrices, view
from edge.till.receipts import Receipts
from shared.errors import WrongEntry
from shared.events.festival import TillStruck
from shared.events.lot_number import LotNumber
from shared.events.sales import MAX_LINES
from tests.support.builders.till import BOOTH, LOT, OTHER, a_stocking, an_opening, line

LIST = KnownPrices(4, None, {"KTI": 250_000, "KRJ": 50_000})


@pytest.mark.parametrize(
    ("words", "basket"),
    [
        (["KRJ"], [BasketEntry("KRJ")]),
        (["KRJ", "15"], [BasketEntry("KRJ", 15)]),
        (["KRJ=15"], [BasketEntry("KRJ", 15)]),
        (["KRJ", "2", "KTI"], [BasketEntry("KRJ", 2), BasketEntry("KTI")]),
        (["KRJ", "KTI", "1.250"], [BasketEntry("KRJ"), BasketEntry("KTI", 1250)]),
        (["krj=2@45.000", LOT], [BasketEntry("krj", 2, 45_000), BasketEntry(LOT)]),
        (["KRJ@Rp45.000", "3"], [BasketEntry("KRJ", 3, 45_000)]),
        ([LOT, "2", f"{OTHER}=3"], [BasketEntry(LOT, 2), BasketEntry(OTHER, 3)]),
    ],
)
def test_a_basket_is_read_in_one_way(words: list[str], basket: list[BasketEntry]) -> None:
    assert parse_basket(words) == basket


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["15", "KRJ"], "before any item"),
        (["KRJ", "2", "3"], "one number too many"),
        (["KRJ=2", "3"], "one number too many"),
        (["KRJ="], "was not understood"),
        (["=2"], "before any item"),
        (["KRJ@"], "was not understood"),
        (["KRJ=2=3"], "whole number"),
        (["KRJ=two"], "whole number"),
        (["KRJ", "1,5"], "whole number"),
        (["KRJ", "1.5"], "whole number"),
        (["KRJ", "the blue one"], "neither a lot number"),
        ([LOT[:-1] + "#"], "neither a lot number"),
    ],
)
def test_what_has_no_single_meaning_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        parse_basket(words)


@given(st.lists(st.tuples(st.sampled_from(["KRJ", "KTI", LOT]), st.integers(1, 999), st.booleans()), min_size=1))
def test_both_ways_to_write_pieces_mean_the_same(basket: list[tuple[str, int, bool]]) -> None:
    words = [word for item, qty, joined in basket for word in ([f"{item}={qty}"] if joined else [item, f"{qty}"])]
    assert parse_basket(words) == [BasketEntry(item, qty) for item, qty, _ in basket]


def test_a_discount_goes_to_the_line_of_its_item() -> None:
    basket = with_discounts([BasketEntry("KRJ"), BasketEntry(LOT)], [f"{LOT.lower()}=5.000"])
    assert [entry.discount_rupiah for entry in basket] == [0, 5000]


@pytest.mark.parametrize(
    ("discounts", "message"),
    [
        (["KBS=5.000"], "in this basket 0 times"),
        (["KRJ=5.000"], "in this basket 2 times"),
        (["KTI=1", "KTI=2"], "two discounts"),
        (["5.000"], "lacks an item or an amount"),
    ],
)
def test_a_discount_that_fits_no_single_line_is_refused(discounts: list[str], message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        with_discounts([BasketEntry("KRJ"), BasketEntry("KTI"), BasketEntry("KRJ")], discounts)


def test_lines_have_the_lists_price_unless_another_is_given_with_a_reason() -> None:
    assert receipt_lines([BasketEntry("kti", 2), BasketEntry(LOT, 1, 200_000)], LIST, "a scratch") == (
        line(1, 2),
        line(2, lot=LOT, unit_price_rupiah=200_000, price_reason="a scratch"),
    )


def test_the_lists_own_price_needs_no_reason() -> None:
    assert receipt_lines([BasketEntry("KTI", 1, 250_000)], LIST, "") == (line(1),)


def test_a_price_of_what_the_list_does_not_have_needs_no_reason_but_may_have_one() -> None:
    unknown = KnownPrices(0, None, {})
    assert receipt_lines([BasketEntry("KTI", 1, 7)], unknown, "") == (line(1, unit_price_rupiah=7),)
    assert receipt_lines([BasketEntry("KTI", 1, 7)], unknown, "so it is said")[0].price_reason == "so it is said"


@pytest.mark.parametrize(
    ("basket", "why", "message"),
    [
        ([], "", "Nothing is in the basket"),
        ([BasketEntry("KTI", 0)], "", "at least 1"),
        ([BasketEntry("KBS")], "", "no price of KBS"),
        ([BasketEntry("KTI", 1, 200_000)], "", "Rp250.000, and this says Rp200.000.*--why"),
        ([BasketEntry("KTI", 1, 200_000)], "  ", "--why"),
        ([BasketEntry("KTI")], "because", "leave it out"),
        ([BasketEntry("KTI", 1, None, 250_001)], "", "more than its Rp250.000"),
        ([BasketEntry("KTI")] * (MAX_LINES + 1), "", f"at most {MAX_LINES}"),
    ],
)
def test_what_should_not_be_sold_so_is_refused(basket: list[BasketEntry], why: str, message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        receipt_lines(basket, LIST, why)


def warnings_of(*lines: Any, events: Any = ()) -> tuple[str, ...]:
    booth = view("T1", "d1", [an_opening("T1", "T2"), a_stocking(LOT, 8), *events], Receipts({}, {}))
    return tuple(map(str, warnings(booth, lines, LIST.prices)))


def test_pieces_of_all_lines_count_against_the_tills_part() -> None:
    assert warnings_of(line(1, 2, lot=LOT), line(2, 2)) == ()
    [warning] = warnings_of(line(1, 2, lot=LOT), line(2, 3))
    assert "allows 2 more of KTI" in warning
    [warning] = warnings_of(line(1, 3), line(2, 5, lot=LOT))
    assert f"allows 1 more of {LOT}" in warning


def test_what_is_odd_is_told() -> None:
    [warning] = warnings_of(line(1, lot=OTHER))
    assert "not known to be at this booth" in warning
    [warning] = warnings_of(line(1, unit_price_rupiah=1))
    assert warning == "The booth's price of KTI is Rp250.000."
    [warning] = warnings_of(line(1, 99), events=[TillStruck(booth=BOOTH, till="T1", device="d1")])
    assert "struck this till as lost" in warning


def test_a_product_that_is_not_on_the_list_is_refused_with_the_nearest() -> None:
    named = KnownPrices(4, None, {"KTI": 250_000, "KRJ": 50_000}, {"KRJ": "Kerajinan tangan"})
    with pytest.raises(WrongEntry, match=r"no price of KRI\. Did you mean KRJ \(Kerajinan tangan\) or KTI\?"):
        receipt_lines([BasketEntry("KRI")], named, "")
    with pytest.raises(WrongEntry, match=r"no price of XYZ\. Please sync"):
        receipt_lines([BasketEntry("XYZ")], named, "")


def test_a_product_that_is_not_on_the_list_is_refused_at_a_price_too_unless_that_is_meant() -> None:
    with pytest.raises(WrongEntry, match=r"no price of KRI\. Did you mean KRJ .* --unlisted KRI=2@25\.000"):
        receipt_lines([BasketEntry("KRI", 2, 7)], LIST, "")
    foreign = str(LotNumber("PR-KPG", "SVR", date(2023, 4, 18), 1))
    with pytest.raises(WrongEntry, match=r"no price of SVR\."):
        receipt_lines([BasketEntry(foreign, 1, 7)], LIST, "")
    [sold] = receipt_lines([BasketEntry("KRI", 2, 7)], LIST, "", None)
    assert (sold.product, sold.unit_price_rupiah) == ("KRI", 7)
    with pytest.raises(WrongEntry, match="knows no price of KRI"):
        receipt_lines([BasketEntry("KRI", 2)], LIST, "", None)


def test_the_catalogue_is_asked_where_no_list_of_prices_has_come() -> None:
    nothing = KnownPrices(0, None, {})
    with pytest.raises(WrongEntry, match=r"no product KRI\. Did you mean KRJ \(Kerajinan tangan\)\?"):
        receipt_lines([BasketEntry("KRI", 2, 7)], nothing, "", {"KRJ": "Kerajinan tangan"})
    for known in ({}, {"KRI": "Krim"}, None):
        assert receipt_lines([BasketEntry("KRI", 2, 7)], nothing, "", known)[0].product == "KRI"
    # The list of prices is the booth's own: what else is in the catalogue is not sold here.
    with pytest.raises(WrongEntry, match=r"no price of SVR\."):
        receipt_lines([BasketEntry("SVR", 1, 7)], LIST, "", {"SVR": "Suvenir"})
