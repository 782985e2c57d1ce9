"""The page of what a booth sold by product and hour. All quantities are made up."""

from datetime import date, datetime

from services.sales.api.sell_through import SellThroughPage
from services.sales.domain import Booth, shelf
from services.sales.domain.booth import BoothLot
from tests.support.builders.sales import B1, ODOP, PRICE

MADE = date(2023, 4, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2023-04-18T{text}:00Z")


def sold(*sales: tuple[str, str, datetime, int]) -> Booth:
    shelves: shelf.Shelves = ()
    for facility, product, when, qty in sales:
        shelves = shelf.sell(shelves, facility, product, when, qty)
    lots = tuple(
        BoothLot(
            f"{facility}-1", facility, product, date(2023, 4, 1), stocked=10, moved=2, label_qty=3, label_rupiah=PRICE
        )
        for facility, product in sorted({sale[:2] for sale in sales})
    )
    return Booth(B1, festival=ODOP, zone="Asia/Makassar", lots=lots, shelves=shelves)


def test_the_facilities_of_a_product_are_one_row_for_each_hour() -> None:
    booth = sold(("LP-A", "KTI", at("01:10"), 2), ("LP-B", "KTI", at("01:50"), 1), ("LP-A", "KTI", at("03:00"), 4))
    [product] = SellThroughPage.of(booth, None).products
    assert [(hour.at, hour.qty) for hour in product.hours] == [(at("01:00"), 3), (at("03:00"), 4)]
    assert (product.product, product.stocked, product.moved, product.sold) == ("KTI", 20, 4, 6)
    assert (product.unsold, product.sold_rupiah) == (10, 2 * PRICE)


def test_a_day_is_that_of_the_place() -> None:
    # 23:30 in the evening of the 18th is 15:30 UTC; 17:00 UTC is an hour after midnight.
    booth = sold(("LP-A", "KTI", at("15:30"), 2), ("LP-A", "KTI", at("17:00"), 5))
    days = {day: SellThroughPage.of(booth, date(2023, 4, day)).products[0] for day in (18, 19)}
    assert {day: [hour.qty for hour in product.hours] for day, product in days.items()} == {18: [2], 19: [5]}
    assert {product.sold for product in days.values()} == {3}, "the sums are those of all days"
