"""Recounts of what came to a booth: sales takes them in any state, and settled books change by a correction."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import SaleStatus
from services.sales.domain.shelf import ShelfHistory, restock, stock_in
from shared.events.festival import DisputeOutcome
from shared.events.sales import (
    BoothSettled,
    PoolAdjusted,
    SellThroughCounted,
    SettlementCorrected,
    SettlementIssued,
    ShareOpened,
)
from tests.support.builders.sales import (
    NOON,
    PRICE,
    SalesWorld,
    a_closing,
    a_loss,
    a_recount,
    a_stocking,
    a_withdrawal,
    a_word,
    open_booth,
)


def a_settled_booth(stocked: int = 4, sold: int = 30) -> SalesWorld:
    """`sold` pieces of L1 were sold where `stocked` were known; the booth is settled."""
    world = open_booth(stocked)
    world.sell("s1", 1, qty=sold)
    world.give(a_closing())
    world.fire()
    world.pass_all_on()
    return world


def test_what_sales_waited_for_is_there_after_all() -> None:
    world = open_booth(4)
    world.sell("s1", 1, qty=30)
    assert (world.sale("s1").recorded, world.sale("s1").waiting) == (4, 26)
    world.give(a_recount(40))
    assert (world.sale("s1").recorded, world.sale("s1").waiting) == (30, 0)
    assert (world.lot().stocked, world.lot().unsold) == (40, 10)
    assert world.earned("LP-A") == (30, 30 * PRICE)


def test_a_closing_booth_takes_a_recount() -> None:
    world = open_booth(4)
    world.sell("s1", 1, qty=30)
    world.give(a_closing(), a_recount(40))
    assert world.booth().status is BoothStatus.CLOSING
    assert world.sale("s1").recorded == 30


def test_after_settlement_a_recount_makes_a_correction() -> None:
    world = a_settled_booth()
    [issued] = world.bodies(SettlementIssued)
    assert (issued.qty, issued.sold_rupiah) == (4, 4 * PRICE)
    assert world.status("s1") is SaleStatus.DISPUTED
    bodies = world.give(a_recount(40))
    [report] = [body for body in bodies if isinstance(body, SellThroughCounted)]
    assert report.revision == 2
    assert (report.lots[0].stocked, report.lots[0].sold, report.disputed) == (40, 30, ())
    world.pass_all_on()
    [corrected] = world.bodies(SettlementCorrected)
    assert (corrected.revision, corrected.qty, corrected.sold_rupiah) == (2, 30, 30 * PRICE)
    assert world.status("s1") is SaleStatus.RECORDED


def test_a_recount_that_covers_nothing_leaves_the_settlement_as_it_is() -> None:
    world = a_settled_booth(10, 3)
    world.give(a_recount(9))
    world.pass_all_on()
    assert not world.bodies(SettlementCorrected)
    assert world.bodies(SellThroughCounted)[-1].lots[0].unsold == 6


def test_what_a_person_rejected_stays_rejected() -> None:
    world = a_settled_booth()
    world.give(a_word("s1/1", DisputeOutcome.REJECTED), a_recount(40))
    assert (world.sale("s1").recorded, world.sale("s1").rejected) == (4, 26)


def test_disputes_are_covered_in_the_order_of_their_sales() -> None:
    world = open_booth(1)
    world.sell("late", 1, qty=5, sold_at=NOON + timedelta(hours=2))
    world.sell("early", 2, qty=5, sold_at=NOON)
    world.give(a_closing())
    world.fire()
    world.give(a_recount(7))
    assert (world.sale("early").disputed, world.sale("late").disputed) == (0, 3)


def test_an_older_recount_changes_nothing() -> None:
    world = open_booth(4)
    world.give(a_recount(40, revision=2), a_recount(7, revision=1))
    assert world.lot().stocked == 40
    world.give(a_stocking(qty=5), a_recount(40, revision=2))
    assert world.lot().stocked == 45


def test_a_lot_that_was_never_there_is_counted_in() -> None:
    world = a_settled_booth(10, 3)
    bodies = world.give(a_recount(5, "C1", facility="LP-C", product="KUE"))
    assert [body.facility for body in bodies if isinstance(body, ShareOpened)] == ["LP-C"]
    assert [body.facility for body in bodies if isinstance(body, BoothSettled)] == ["LP-C"]
    world.pass_all_on()
    issued = {body.facility: body.qty for body in world.bodies(SettlementIssued)}
    assert issued == {"LP-A": 3, "LP-C": 0}
    assert world.lot("C1").unsold == 5


def test_a_withdrawn_lot_stays_withdrawn() -> None:
    world = open_booth(4)
    world.give(a_withdrawal(), a_recount(40))
    assert world.lot().withdrawn == "mould"


def test_unlabelled_sales_are_shared_by_the_new_count() -> None:
    world = open_booth(10)
    world.give(a_stocking("L2", 10, facility="LP-B"))
    world.sell("s1", 1, None, 10)
    assert world.pieces() == {"L1": (0, 5), "L2": (0, 5)}
    bodies = world.give(a_recount(30, "L2", facility="LP-B"))
    assert sum(body.change_qty for body in bodies if isinstance(body, PoolAdjusted)) == 0
    # 10 : 30, by largest remainder.
    assert world.pieces() == {"L1": (0, 3), "L2": (0, 7)}


def test_fewer_than_were_sold_leaves_the_sales_and_shows_what_is_beyond() -> None:
    world = open_booth(10)
    world.sell("s1", 1, qty=9)
    world.give(a_recount(7))
    assert (world.lot().sold, world.lot().beyond, world.lot().unsold) == (9, 2, 0)
    assert world.earned("LP-A") == (9, 9 * PRICE)


def test_sold_out_ends_when_more_is_counted() -> None:
    world = open_booth(3)
    world.sell("s1", 1, qty=3)
    assert world.booth().interim.sold_out == ("KTI",)
    world.give(a_recount(5))
    assert world.booth().interim.sold_out == ()


@pytest.mark.parametrize(("change", "arrivals"), [(3, (5, 7)), (-3, (5, 1)), (-4, (5,)), (-6, (3,)), (-9, ())])
def test_the_last_arrivals_change(change: int, arrivals: tuple[int, ...]) -> None:
    shelves = stock_in((), "LP-A", "KTI", NOON, 5)
    shelves = stock_in(shelves, "LP-A", "KTI", NOON + timedelta(hours=1), 4)
    [shelf] = restock(shelves, "LP-A", "KTI", NOON + timedelta(days=1), change)
    assert tuple(qty for _, qty in shelf.arrivals) == arrivals


def test_without_an_arrival_the_pieces_arrive_now() -> None:
    [shelf] = restock((), "LP-A", "KTI", NOON, 3)
    assert shelf == ShelfHistory("LP-A", "KTI", ((int(NOON.timestamp()), 3),))


@given(
    stocked=st.integers(1, 20),
    sales=st.lists(st.tuples(st.sampled_from(["L1", None]), st.integers(1, 12)), max_size=4),
    counts=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    lost=st.integers(0, 3),
    close_after=st.integers(0, 4),
)
def test_every_piece_and_every_rupiah_keeps_its_place(
    stocked: int, sales: list[tuple[str | None, int]], counts: list[int], lost: int, close_after: int
) -> None:
    world = open_booth(stocked)
    for n, (lot, qty) in enumerate(sales, 1):
        world.sell(f"s{n}", n, lot, qty)
    if lost:
        world.give(a_loss(lost))
    for n, counted in enumerate(counts, 1):
        if n > close_after and world.booth().status is BoothStatus.OPEN:
            world.give(a_closing())
            world.fire()
        world.give(a_recount(counted, revision=n))
    lot = world.lot()
    assert lot.stocked == counts[-1]
    assert lot.stocked + lot.beyond == lot.sold + lot.lost + lot.moved + lot.unsold
    recorded = 0
    for n, (_, qty) in enumerate(sales, 1):
        sale = world.sale(f"s{n}")
        assert qty == sale.recorded + sale.waiting + sale.disputed + sale.rejected + sale.voided
        recorded += sale.recorded
    assert lot.sold == recorded
    assert world.earned("LP-A") == (recorded, recorded * PRICE)
