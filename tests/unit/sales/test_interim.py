"""Interim reports of an open booth: early enough for a refill, and not more of them for more sales."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain import shelf
from services.sales.domain.interim import HOURS_BACK, MOST_HOURS, publish_interim
from shared.envelope import encode
from shared.events.language import MAX_VALUE_BYTES
from shared.events.sales import LotSoFar, ProductSoFar, SaleAccounted, SellThroughCounted, SellThroughSoFar
from tests.support.builders.sales import (
    B1,
    NOON,
    ODOP,
    SalesWorld,
    a_closing,
    a_loss,
    a_move,
    a_stocking,
    a_void,
    an_opening,
    open_booth,
)

HOUR = shelf.epoch_seconds(NOON) // shelf.HOUR


def minutes(after: float) -> datetime:
    return NOON + timedelta(minutes=after)


def reports(world: SalesWorld) -> list[SellThroughSoFar]:
    return world.bodies(SellThroughSoFar)


def hours(product: ProductSoFar) -> list[tuple[int, int, int]]:
    """Hours from noon on, pieces and minutes."""
    return [
        (hour - HOUR, sold, lasted)
        for hour, sold, lasted in zip(product.hours, product.sold, product.minutes, strict=True)
    ]


def test_the_first_sale_of_each_quarter_of_an_hour_tells_all_so_far() -> None:
    world = open_booth(K1=5)
    for n, at in enumerate((0, 5, 14, 15, 29, 61)):
        world.sell(f"s{n}", n + 1, "K1" if n % 2 else "L1", sold_at=minutes(at))
    assert [(report.revision, report.at) for report in reports(world)] == [
        (1, minutes(0)),
        (2, minutes(15)),
        (3, minutes(61)),
    ]
    last = reports(world)[-1]
    assert (last.festival, last.booth) == (ODOP, B1)
    assert last.lots == (LotSoFar(lot="L1", sold=3), LotSoFar(lot="K1", sold=3))
    [product] = last.products
    assert hours(product) == [(0, 5, 60), (1, 1, 1)]


def test_the_sale_that_takes_the_last_piece_of_a_product_is_told_at_once_and_once() -> None:
    world = open_booth(2, L2=1)
    for n in range(3):
        world.sell(f"s{n}", n + 1, None, sold_at=minutes(n))
    assert [report.revision for report in reports(world)] == [1, 2]
    # A piece that comes back and goes again is no news: else it could be told without end.
    world.give(a_void("s2", 4))
    world.sell("again", 5, None, sold_at=minutes(4))
    assert len(reports(world)) == 2
    world.give(a_stocking("L3", 1))
    world.sell("more", 6, "L3", sold_at=minutes(5))
    assert [report.revision for report in reports(world)] == [1, 2, 3]


def test_what_was_lost_or_moved_is_not_left() -> None:
    world = open_booth(6)
    world.sell("s1", 1)
    world.give(a_loss(2), a_move(2))
    world.sell("s2", 2)
    assert [report.lots[0].sold for report in reports(world)] == [1, 2]


def test_a_late_upload_tells_each_of_its_quarters_once_and_holds_up_no_other() -> None:
    world = open_booth(50)
    world.sell("mad clock", 1, sold_at=datetime(2099, 1, 1, tzinfo=UTC))
    for n in range(8):
        world.sell(f"s{n}", n + 2, sold_at=minutes(60 + 5 * n))
    for n in range(8):
        world.sell(f"late{n}", n + 1, till="T2", sold_at=minutes(50 + 5 * n))
    times = [report.at for report in reports(world)]
    assert times == [datetime(2099, 1, 1, tzinfo=UTC), *map(minutes, (60, 75, 90, 50))]


def test_an_hour_counts_for_as_long_as_goods_were_there() -> None:
    """Otherwise a product without stock would look like a product without demand."""
    world = open_booth(2)
    # Of two facilities: together they are what there is to sell.
    cakes = [a_stocking("K1", 5, product="KUE"), a_stocking("K2", 1, product="KUE", facility="LP-B")]
    world.give(*cakes, a_stocking("B1", 3, product="KRJ"))
    world.sell("s1", 1, sold_at=minutes(10))
    world.sell("s2", 2, "K1", product="KUE", sold_at=minutes(20))
    world.sell("s3", 3, sold_at=minutes(40))
    world.sell("s4", 4, "K1", product="KUE", sold_at=minutes(130))
    hours_by_product = {product.product: hours(product) for product in reports(world)[-1].products}
    assert hours_by_product == {
        # Sold out after half an hour.
        "KTI": [(0, 2, 30)],
        "KUE": [(0, 1, 50), (1, 0, 60), (2, 1, 10)],
        # Nobody wanted it.
        "KRJ": [(0, 0, 50), (1, 0, 60), (2, 0, 10)],
    }


def test_a_night_has_no_minutes() -> None:
    world = open_booth()
    for n, at in enumerate((0, 30, 24 * 60, 24 * 60 + 20)):
        world.sell(f"s{n}", n + 1, sold_at=minutes(at))
    [product] = reports(world)[-1].products
    assert hours(product) == [(0, 2, 30), (24, 2, 20)]


def test_a_booth_that_is_closing_counts_at_its_end_instead() -> None:
    world = open_booth()
    world.give(a_closing())
    world.sell("s1", 1)
    world.fire()
    world.sell("s2", 2)
    assert reports(world) == []
    assert len(world.bodies(SellThroughCounted)) == 2


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 3)), max_size=60))
def test_there_are_no_more_reports_than_quarters_and_sold_out_products(sales: list[tuple[int, int]]) -> None:
    world = open_booth(20, L2=20)
    for n, (at, qty) in enumerate(sales):
        world.sell(f"s{n}", n + 1, None, qty, sold_at=minutes(at))
    interim_reports = reports(world)
    quarters = {at // 15 for at, _ in sales}
    assert [report.revision for report in interim_reports] == list(range(1, len(interim_reports) + 1))
    assert len(interim_reports) <= len(quarters) + 1
    # Each is the whole truth at its moment: the hours sum to the lots.
    for report in interim_reports:
        sold = sum(lot.sold for lot in report.lots)
        assert sold == sum(sum(product.sold) for product in report.products)
    if interim_reports:
        recorded = {sale.sale: sum(part.qty for part in sale.parts) for sale in world.bodies(SaleAccounted)}
        assert sum(lot.sold for lot in interim_reports[-1].lots) <= sum(recorded.values())


def test_a_report_stays_a_readable_record_however_much_is_sold() -> None:
    world = SalesWorld()
    products = [f"{a}{b}X" for a in "ABCDEFGHIJKLMNOPQRST" for b in "ABCDEFGHIJ"]
    world.give(an_opening(), *(a_stocking(f"L{p}", 999, product=p) for p in products))
    booth = world.booth()
    shelves = booth.shelves
    for product in products:
        for hour in range(100):
            shelves = shelf.sell(shelves, "LP-A", product, minutes(60 * hour), 1)
    for shelf_sales in shelves:
        assert len(shelf_sales.hours) == 100
    lots = tuple(replace(lot, label_qty=100) for lot in booth.lots)
    _, [publication] = publish_interim(replace(booth, shelves=shelves, lots=lots), products[0], NOON)
    body = publication.body
    assert isinstance(body, SellThroughSoFar)
    assert len(encode(body)) < MAX_VALUE_BYTES
    assert sum(len(product.hours) for product in body.products) <= MOST_HOURS
    assert body.products[0].hours[-1] == HOUR + 99
    assert len(body.products[0].hours) < HOURS_BACK
