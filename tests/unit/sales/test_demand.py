"""Sold-out times, lost sales, and the demand signal of a facility. Pieces, prices and times are made up."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain import Booth, FacilityDemand, shelf
from services.sales.domain.booth import BoothLot
from services.sales.domain.lost_sales import count_demand, opening_hours
from services.sales.domain.shelf import ShelfHistory, from_epoch_seconds
from shared.events.language import Body
from shared.events.sales import DemandCounted, DemandLine, DemandSignalled, ShareOpened, SoldOut
from tests.support.builders.sales import (
    B1,
    B2,
    NOON,
    ODOP,
    PRICE,
    SalesWorld,
    a_closing,
    a_last_word,
    a_stocking,
    a_void,
    an_opening,
    open_booth,
)

DAY = datetime(2023, 4, 18, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return DAY + timedelta(days=day, hours=hour, minutes=minute)


def a_booth(
    kti: Iterable[tuple[datetime, int]], came: Iterable[tuple[datetime, int]] = ((at(8), 10),), closes: int = 16
) -> Booth:
    """A booth that sold KTI of LP-A at these times, and something else from 8:00 to `closes`."""
    came, kti = list(came), list(kti)
    stocked, sold = sum(qty for _, qty in came), sum(qty for _, qty in kti)
    shelves: shelf.Shelves = ()
    for when, qty in came:
        shelves = shelf.stock_in(shelves, "LP-A", "KTI", when, qty)
    for when, qty in kti:
        shelves = shelf.sell(shelves, "LP-A", "KTI", when, qty)
    for hour in range(8, closes + 1):
        shelves = shelf.sell(shelves, "LP-B", "KUE", at(hour), 1)
    lot = BoothLot("L1", "LP-A", "KTI", date(2023, 4, 1), stocked=stocked, label_qty=sold, label_rupiah=sold * PRICE)
    return Booth(B1, festival=ODOP, lots=(lot,), shelves=shelves)


def line_of(booth: Booth) -> DemandLine:
    [line] = count_demand(booth, opening_hours(booth), "LP-A").lines
    return line


# when it ran out, and what was lost


def test_lost_sales_are_the_pace_while_it_was_there_times_the_time_it_was_missing() -> None:
    line = line_of(a_booth([(at(9), 4), (at(12), 6)]))
    assert line == DemandLine(
        booth=B1,
        product="KTI",
        stocked=10,
        sold=10,
        unsold=0,
        sold_rupiah=10 * PRICE,
        price_rupiah=PRICE,
        there_minutes=240,
        missing_minutes=240,
        sold_out=(SoldOut(at=at(12), until=None),),
        lost_sales=10,
    )


def test_what_was_not_sold_out_lost_nothing() -> None:
    line = line_of(a_booth([(at(9), 9)]))
    assert (line.sold_out, line.missing_minutes, line.lost_sales, line.unsold) == ((), 0, 0, 1)
    assert line.there_minutes == 480


def test_what_nobody_bought_has_no_price_and_did_not_sell_out_though_it_is_gone() -> None:
    spoilt = a_booth([])
    spoilt = replace(spoilt, lots=(replace(spoilt.lots[0], lost=10),))
    line = line_of(spoilt)
    assert (line.price_rupiah, line.sold_out, line.lost_sales) == (None, (), 0)


def test_a_gap_that_a_fresh_delivery_filled_is_counted_too() -> None:
    line = line_of(a_booth([(at(10), 10), (at(15), 2)], came=[(at(8), 10), (at(13), 10)]))
    assert line.sold_out == (SoldOut(at=at(10), until=at(13)),)
    # 12 pieces in 8:00-10:00 and 13:00-16:00.
    assert (line.there_minutes, line.missing_minutes, line.lost_sales) == (300, 180, 7)


def test_a_delivery_before_the_shelf_was_empty_leaves_no_gap() -> None:
    line = line_of(a_booth([(at(10), 9), (at(14), 2)], came=[(at(8), 10), (at(13), 10)]))
    assert line.sold_out == ()


def test_what_was_counted_in_after_it_was_sold_leaves_one_gap_and_not_two() -> None:
    line = line_of(a_booth([(at(9), 5), (at(12), 15)], came=[(at(18), 10), (at(18, 5), 10)]))
    assert line.sold_out == (SoldOut(at=at(12), until=None),)
    assert (line.there_minutes, line.missing_minutes) == (180, 240)


# when several make the same


def of_two(
    own_sales: Iterable[tuple[datetime, int]], other_sales: Iterable[tuple[datetime, int]], unsold: int = 0
) -> dict[str, DemandLine]:
    """KTI of LP-A and of LP-C at one booth, each from 8:00 on; `unsold` pieces of LP-C stay unsold."""
    booth, other_sales = a_booth(own_sales), list(other_sales)
    sold = sum(qty for _, qty in other_sales)
    shelves = shelf.stock_in(booth.shelves, "LP-C", "KTI", at(8), sold + unsold)
    for when, qty in other_sales:
        shelves = shelf.sell(shelves, "LP-C", "KTI", when, qty)
    lot = BoothLot(
        "L2", "LP-C", "KTI", date(2023, 4, 1), stocked=sold + unsold, label_qty=sold, label_rupiah=sold * PRICE
    )
    booth = replace(booth, lots=(*booth.lots, lot), shelves=shelves)
    return {facility: count_demand(booth, opening_hours(booth), facility).lines[0] for facility in ("LP-A", "LP-C")}


def test_who_sold_out_lost_nothing_while_others_had_the_same() -> None:
    line = of_two([(at(10), 10)], [(at(11), 1)], unsold=9)["LP-A"]
    assert line.sold_out == (SoldOut(at=at(10), until=None),)
    assert (line.there_minutes, line.missing_minutes, line.lost_sales) == (120, 360, 0)


def test_what_was_lost_once_nobody_had_any_is_shared_by_what_each_sold() -> None:
    lines = of_two([(at(9), 4), (at(10), 6)], [(at(11), 10), (at(12), 20)])
    # 40 pieces in 8:00-12:00, none in 12:00-16:00: 40 lost, and LP-A had sold a quarter.
    assert {facility: line.lost_sales for facility, line in lines.items()} == {"LP-A": 10, "LP-C": 30}
    assert (lines["LP-A"].missing_minutes, lines["LP-C"].missing_minutes) == (360, 240)


# when goods went to another booth


def move_away(booth: Booth, *moves: tuple[datetime, int]) -> Booth:
    shelves, [lot] = booth.shelves, booth.lots
    for when, qty in moves:
        shelves = shelf.move_out(shelves, "LP-A", "KTI", when, qty)
        lot = replace(lot, moved=lot.moved + qty)
    return replace(booth, shelves=shelves, lots=(lot,))


def test_what_was_moved_away_did_not_sell_out_and_is_neither_there_nor_missing() -> None:
    line = line_of(move_away(a_booth([(at(9), 4)]), (at(12), 6)))
    assert (line.stocked, line.sold, line.unsold) == (4, 4, 0)
    assert (line.sold_out, line.there_minutes, line.missing_minutes, line.lost_sales) == ((), 240, 0, 0)


def test_what_was_left_by_a_transfer_and_then_sold_did_sell_out() -> None:
    line = line_of(move_away(a_booth([(at(9), 4), (at(14), 1)]), (at(12), 5)))
    assert line.sold_out == (SoldOut(at=at(14), until=None),)
    assert (line.there_minutes, line.missing_minutes, line.lost_sales) == (360, 120, 2)


def test_a_shelf_that_a_transfer_emptied_and_a_delivery_filled_did_not_sell_out() -> None:
    booth = a_booth([(at(9), 4), (at(15), 2)], came=[(at(8), 10), (at(13), 10)])
    line = line_of(move_away(booth, (at(11), 6)))
    assert (line.sold_out, line.there_minutes, line.missing_minutes) == ((), 360, 0)


def test_a_delivery_after_less_was_left_ends_a_gap_that_sales_made() -> None:
    booth = a_booth([(at(9), 4), (at(15), 2)], came=[(at(8), 10), (at(13), 10)])
    line = line_of(move_away(booth, (at(8, 30), 6)))
    assert line.sold_out == (SoldOut(at=at(9), until=at(13)),)


def test_goods_that_left_unsold_were_there_until_they_left() -> None:
    line = line_of(move_away(a_booth([]), (at(10), 10)))
    assert (line.sold_out, line.there_minutes, line.missing_minutes) == ((), 120, 0)


def test_what_is_gone_within_minutes_is_estimated_over_an_hour() -> None:
    line = line_of(a_booth([(at(8, 1), 10)], closes=9))
    assert (line.there_minutes, line.missing_minutes, line.lost_sales) == (1, 59, 10)


def test_a_night_is_no_opening_hour() -> None:
    booth = a_booth([(at(12), 10)])
    booth = replace(booth, shelves=shelf.sell(booth.shelves, "LP-B", "KUE", at(8, day=1), 1))
    booth = replace(booth, shelves=shelf.sell(booth.shelves, "LP-B", "KUE", at(11, day=1), 1))
    assert [(from_epoch_seconds(first), from_epoch_seconds(last)) for first, last in opening_hours(booth)] == [
        (at(8), at(16)),
        (at(8, day=1), at(11, day=1)),
    ]
    line = line_of(booth)
    assert (line.there_minutes, line.missing_minutes, line.lost_sales) == (240, 420, 18)


def test_where_all_ran_out_at_once_nobody_can_tell_what_was_lost() -> None:
    shelves = shelf.sell(shelf.stock_in((), "LP-A", "KTI", at(8), 1), "LP-A", "KTI", at(9), 1)
    lot = BoothLot("L1", "LP-A", "KTI", date(2023, 4, 1), stocked=1, label_qty=1, label_rupiah=PRICE)
    line = line_of(Booth(B1, festival=ODOP, lots=(lot,), shelves=shelves))
    assert (line.sold_out, line.lost_sales) == ((SoldOut(at=at(9), until=None),), 0)


# sums by the hour


@given(st.lists(st.tuples(st.integers(0, 72 * 3600), st.integers(1, 9), st.booleans()), max_size=40))
def test_sums_by_the_hour_are_the_sales_that_stand_in_any_order(sales: list[tuple[int, int, bool]]) -> None:
    shelves: shelf.Shelves = ()
    for second, qty, _ in sales:
        shelves = shelf.sell(shelves, "LP-A", "KTI", from_epoch_seconds(second), qty)
    for second, qty, voided in sales:
        if voided:
            shelves = shelf.sell(shelves, "LP-A", "KTI", from_epoch_seconds(second), -qty)
    hours = shelves[0].hours if shelves else ()
    standing = [(second, qty) for second, qty, voided in sales if not voided]
    assert [hour.hour for hour in hours] == sorted({second // 3600 for second, _ in standing})
    for hour in hours:
        hour_sales = [(second, qty) for second, qty in standing if second // 3600 == hour.hour]
        assert hour.qty == sum(qty for _, qty in hour_sales)
        assert hour.began <= min(second for second, _ in hour_sales)
        assert hour.ended >= max(second for second, _ in hour_sales)


def test_a_shelf_grows_with_the_hours_and_not_with_the_sales() -> None:
    shelves: shelf.Shelves = ()
    for minute in range(600):
        shelves = shelf.sell(shelves, "LP-A", "KTI", at(8) + timedelta(minutes=minute), 1)
    [only] = shelves
    assert [hour.qty for hour in only.hours] == [60] * 10


def test_what_came_at_one_moment_is_one_delivery() -> None:
    shelves = shelf.stock_in(shelf.stock_in((), "LP-A", "KTI", at(9), 2), "LP-A", "KTI", at(9), 3)
    shelves = shelf.stock_in(shelves, "LP-A", "KTI", at(8), 1)
    assert shelves == (
        ShelfHistory("LP-A", "KTI", ((shelf.epoch_seconds(at(8)), 1), (shelf.epoch_seconds(at(9)), 5))),
    )


# what the facility hears


def take(world: SalesWorld, *bodies: Body) -> list[DemandSignalled]:
    published = [event for body in bodies for event in world.settle_up(body)]
    return [body for body in published if isinstance(body, DemandSignalled)]


def a_share_opening(booth: str = B1) -> ShareOpened:
    return ShareOpened(facility="LP-A", festival=ODOP, booth=booth)


def a_line(booth: str = B1, product: str = "KTI", **changed: int | None) -> DemandLine:
    fields = {"stocked": 10, "sold": 6, "unsold": 4, "sold_rupiah": 60, "price_rupiah": 10}
    minutes = {"there_minutes": 120, "missing_minutes": 0, "lost_sales": 0}
    return DemandLine(booth=booth, product=product, sold_out=(), **fields | minutes | changed)


def count(*lines: DemandLine, booth: str = B1) -> DemandCounted:
    return DemandCounted(facility="LP-A", festival=ODOP, booth=booth, lines=lines)


def test_the_signal_comes_once_every_booth_that_opened_has_counted() -> None:
    world = SalesWorld()
    assert take(world, a_share_opening(B1), a_share_opening(B2), count(a_line(B1))) == []
    [signal] = take(world, count(a_line(B2, sold=9, unsold=1, lost_sales=3), booth=B2))
    assert (signal.facility, signal.festival, signal.revision) == ("LP-A", ODOP, 1)
    [product] = signal.products
    assert (product.product, product.stocked, product.sold, product.unsold) == ("KTI", 20, 15, 5)
    assert (product.sold_rupiah, product.lost_sales) == (120, 3)
    assert [line.booth for line in product.booths] == [B2, B1]


def test_a_change_after_that_is_said_again_with_a_higher_revision_and_the_same_is_not() -> None:
    world = SalesWorld()
    take(world, a_share_opening(), count(a_line()))
    assert take(world, count(a_line())) == []
    [again] = take(world, count(a_line(sold=7)))
    assert (again.revision, again.products[0].sold) == (2, 7)


def test_the_signal_waits_again_for_a_booth_that_opens_later() -> None:
    world = SalesWorld()
    take(world, a_share_opening(B1), count(a_line(B1)), a_share_opening(B2))
    assert take(world, count(a_line(B1, sold=7))) == []
    [signal] = take(world, count(a_line(B2), booth=B2))
    assert (signal.revision, signal.products[0].sold) == (2, 13)


def test_what_was_most_asked_for_comes_first_and_the_booth_with_the_best_pace() -> None:
    world = SalesWorld()
    take(world, a_share_opening(B1), a_share_opening(B2))
    slow, fast = a_line(B1, "KUE", sold=6), a_line(B2, "KUE", sold=5, there_minutes=60, lost_sales=20)
    [signal] = take(world, count(a_line(B1, sold=15), slow, booth=B1), count(fast, booth=B2))
    assert [(total.product, total.sold, total.lost_sales) for total in signal.products] == [
        ("KUE", 11, 20),
        ("KTI", 15, 0),
    ]
    assert [line.booth for line in signal.products[0].booths] == [B2, B1]


def test_of_many_booths_the_best_fifty_are_listed_and_all_are_counted() -> None:
    world = SalesWorld()
    names = [f"ODOP.X{n}" for n in range(60)]
    take(world, *map(a_share_opening, names))
    published = take(world, *(count(a_line(name, sold=n), booth=name) for n, name in enumerate(names)))
    [product] = published[-1].products
    assert [line.sold for line in product.booths] == list(range(59, 9, -1))
    assert product.sold == sum(range(60))


# from the till to the facility


def test_a_booth_counts_when_it_is_settled_and_after_a_late_sale() -> None:
    world = open_booth(3)
    world.sell("s1", 1)
    world.sell("s2", 3, sold_at=NOON + timedelta(minutes=9))
    world.give(a_closing(), a_last_word(4), a_last_word(1, "T2"))
    assert world.bodies(DemandCounted) == []
    world.fire()
    world.sell("late", 2, sold_at=NOON + timedelta(hours=1))
    world.shares[B1].appendleft(a_share_opening())  # the booth was open before this world began to listen
    world.pass_all_on()
    assert [(signal.revision, signal.products[0].sold) for signal in world.bodies(DemandSignalled)] == [
        (1, 2),
        (2, 3),
    ]
    [demand] = world.all(FacilityDemand)
    [line] = demand.booths[0].lines or ()
    assert [gap.at for gap in line.sold_out] == [NOON + timedelta(hours=1)]


def test_a_booth_that_turns_out_to_have_been_open_longer_counts_for_all_again() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("L1", 1), a_stocking("K1", 5, product="KUE", facility="LP-B"))
    world.sell("s1", 1)
    world.sell("s2", 2, "K1", product="KUE", sold_at=NOON + timedelta(hours=2))
    world.give(a_closing())
    world.fire()
    published = world.sell("late", 3, "K1", product="KUE", sold_at=NOON + timedelta(hours=4))
    again = {body.facility: body.lines[0] for body in published if isinstance(body, DemandCounted)}
    assert again.keys() == {"LP-A", "LP-B"}
    assert (again["LP-A"].missing_minutes, again["LP-A"].lost_sales) == (240, 4)
    published = world.sell("more", 4, "K1", product="KUE", sold_at=NOON + timedelta(hours=4))
    assert [body.facility for body in published if isinstance(body, DemandCounted)] == ["LP-B"]


def test_a_late_sale_counts_for_another_maker_of_the_same_if_it_lost_more_or_less_by_it() -> None:
    world = SalesWorld()
    world.give(
        an_opening(), a_stocking("L1", 1), a_stocking("C1", 2, facility="LP-C"), a_stocking("K1", 5, product="KUE")
    )
    world.sell("s1", 1)
    world.sell("s2", 2, "C1", sold_at=NOON + timedelta(hours=1))
    world.sell("s3", 3, "K1", product="KUE", sold_at=NOON + timedelta(hours=4))
    world.give(a_closing())
    before = {body.facility: body.lines[0] for body in world.fire() if isinstance(body, DemandCounted)}
    assert before["LP-A"].lost_sales == 0
    published = world.sell("late", 4, "C1", sold_at=NOON + timedelta(hours=2))
    again = {body.facility: body.lines[0] for body in published if isinstance(body, DemandCounted)}
    assert (again["LP-A"].lost_sales, again["LP-C"].lost_sales) == (1, 2)


def test_a_late_sale_is_not_told_to_another_maker_who_lost_nothing_by_it() -> None:
    world = SalesWorld()
    world.give(
        an_opening(), a_stocking("L1", 1), a_stocking("C1", 9, facility="LP-C"), a_stocking("K1", 5, product="KUE")
    )
    world.sell("s1", 1)
    world.sell("s3", 2, "K1", product="KUE", sold_at=NOON + timedelta(hours=4))
    world.give(a_closing())
    world.fire()
    published = world.sell("late", 3, "C1", sold_at=NOON + timedelta(hours=2))
    assert [body.facility for body in published if isinstance(body, DemandCounted)] == ["LP-C"]


def test_a_void_takes_its_pieces_out_of_its_hour() -> None:
    world = open_booth()
    world.sell("s1", 1)
    world.sell("s2", 2, qty=2)
    world.give(a_void("s2", 3, qty=2))
    assert [hour.qty for history in world.booth().shelves for hour in history.hours] == [1]
    world.give(a_void("s1", 4))
    assert [history.hours for history in world.booth().shelves] == [()]
