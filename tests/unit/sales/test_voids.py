"""Voids: by receipt, line and pieces, from any till, exact to the rupiah, and never above the sold pieces."""

import pytest

from services.sales.domain import selling
from services.sales.domain.booth import RefusedOrder
from services.sales.domain.receipt import SaleStatus
from shared.events.sales import (
    PartBasis,
    PaymentKind,
    SaleAccounted,
    SalePublished,
    SaleShared,
    VoidedLine,
    VoidRefused,
)
from tests.support.builders.sales import (
    B1,
    B2,
    PRICE,
    SalesWorld,
    a_line,
    a_receipt,
    a_stocking,
    a_void,
    an_opening,
    an_order,
    open_booth,
)


def refunds(world: SalesWorld) -> dict[str, int]:
    """Rupiah paid back, by drawer."""
    return {
        drawer.id: sum(taking.refunded_rupiah for taking in drawer.takings)
        for drawer in world.booth().drawers
        if any(taking.refunded_rupiah for taking in drawer.takings)
    }


def test_a_void_gives_pieces_and_share_back_and_is_public() -> None:
    world = open_booth()
    world.sell("s1", 1, qty=4)
    world.give(a_void("s1", qty=4))
    last = world.bodies(SaleAccounted)[-1]
    assert (last.voided, last.returned_rupiah, last.parts, last.revision) == (4, 4 * PRICE, (), 2)
    shared = world.bodies(SaleShared)[-1]
    assert (shared.qty, shared.lots, shared.change_qty, shared.change_rupiah) == (0, (), -4, -4 * PRICE)
    assert (world.lot().sold, world.lot().sold_rupiah, world.lot().unsold) == (0, 0, 10)
    world.pass_all_on()
    assert world.bodies(SalePublished)[-1].qty == 0


def test_partial_voids_return_the_difference_of_two_roundings_and_together_exactly_the_net() -> None:
    world = open_booth()
    world.tell(a_receipt(1, a_line("L1", 3, unit_price_rupiah=100, discount_rupiah=1)), "r")
    returned = []
    for seq in (2, 3, 4):
        world.give(a_void("r", seq))
        returned.append(world.sale("r").returned_rupiah)
    # 299 rupiah for 3 pieces: what stands is 199, 99 and 0.
    assert returned == [100, 200, 299]
    assert world.sale("r").status is SaleStatus.VOIDED
    assert world.earned("LP-A") == (0, 0)


def test_a_void_of_more_than_is_left_is_refused_visibly_and_nothing_of_it_is_done() -> None:
    world = open_booth()
    world.sell("s1", qty=3)
    world.give(a_void("s1", 2, qty=2))
    [refused] = world.give(a_void("s1", 3, qty=2))
    assert refused == VoidRefused(booth=B1, receipt="s1", line=1, till="T1", qty=2, left=1)
    assert (world.sale("s1").voided, world.lot().sold) == (2, 1)
    # The till has paid it back all the same: its drawer says so.
    assert refunds(world) == {f"{B1}-T1": 4 * PRICE}


def test_a_void_of_a_line_that_the_receipt_does_not_have_is_refused() -> None:
    world = open_booth()
    world.sell("s1")
    [refused] = world.give(a_void("s1", line=2))
    assert isinstance(refused, VoidRefused)
    assert (refused.line, refused.left) == (2, 0)


def test_of_one_void_that_names_a_line_twice_the_part_that_is_too_much_is_refused() -> None:
    world = open_booth()
    world.sell("s1", qty=3)
    twice = (VoidedLine(line=1, qty=2), VoidedLine(line=1, qty=2))
    published = world.give(a_void("s1", 2, lines=twice))
    assert [body.left for body in published if isinstance(body, VoidRefused)] == [1]
    assert world.sale("s1").voided == 2


def test_a_void_names_lines_and_leaves_the_others_alone() -> None:
    world = open_booth(9, L2=9)
    world.tell(a_receipt(1, a_line("L1", 2), a_line("L2", 3, 2)), "r")
    world.give(a_void("r", 2, lines=(VoidedLine(line=2, qty=1), VoidedLine(line=1, qty=2))))
    assert [(sale.recorded, sale.voided) for sale in world.receipt("r").sales] == [(0, 2), (2, 1)]


def test_any_till_of_the_booth_voids_what_a_lost_one_sold_and_its_own_drawer_pays() -> None:
    world = open_booth()
    world.sell("s1", qty=2)
    world.give(a_void("s1", 1, "T2", qty=2))
    assert world.status("s1") is SaleStatus.VOIDED
    assert refunds(world) == {f"{B1}-T2": 2 * PRICE}


def test_the_organiser_voids_what_was_heard_of_a_lost_till_and_no_drawer_pays() -> None:
    world = open_booth()
    world.sell("s1", qty=3)
    world.give(an_order("s1", 2))
    assert (world.sale("s1").voided, world.lot().sold) == (2, 1)
    assert refunds(world) == {}
    [refused] = world.give(an_order("s1", 2))
    assert isinstance(refused, VoidRefused)
    assert (refused.till, refused.left) == (None, 1)


def test_a_void_before_its_receipt_waits_for_it_and_moves_no_share() -> None:
    world = open_booth()
    world.give(a_void("s1", 1, till="T2", qty=2))
    assert [early.receipt for early in world.booth().early_voids] == ["s1"]
    world.sell("s1", qty=2)
    assert world.status("s1") is SaleStatus.VOIDED
    assert (world.lot().unsold, world.earned("LP-A"), world.booth().early_voids) == (10, (0, 0), ())
    assert refunds(world) == {f"{B1}-T2": 2 * PRICE}


def test_of_early_voids_that_are_too_many_the_later_one_is_refused_when_the_receipt_comes() -> None:
    world = open_booth()
    world.give(a_void("s1", 1, till="T2", qty=2), an_order("s1", 2), a_void("other", 2, till="T2"))
    published = world.sell("s1", qty=3)
    assert [(body.till, body.left) for body in published if isinstance(body, VoidRefused)] == [(None, 1)]
    assert world.sale("s1").recorded == 1
    assert [early.receipt for early in world.booth().early_voids] == ["other"]


def test_a_void_of_what_waits_ends_its_waiting_before_recorded_pieces_go_back() -> None:
    world = open_booth(3)
    world.sell("s1", qty=5)
    world.give(a_void("s1", qty=2))
    assert (world.sale("s1").recorded, world.sale("s1").waiting) == (3, 0)
    assert world.booth().waiting == ()
    assert world.give(a_stocking(qty=5)) == []


def test_a_void_of_another_booths_receipt_leaves_that_one_alone() -> None:
    world = open_booth()
    world.give(an_opening(B2))
    world.sell("s1")
    world.give(a_void("s1", 1, booth=B2))
    assert world.status("s1") is SaleStatus.RECORDED


def test_a_void_of_an_unlabelled_sale_takes_it_out_of_the_pool() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("A", 6), a_stocking("B", 6, facility="LP-B"))
    world.sell("s1", 1, None, 8)
    world.give(a_void("s1", qty=3))
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert (pool.qty, pool.rupiah) == (5, 5 * PRICE)
    assert world.earned("LP-A")[0] + world.earned("LP-B")[0] == 5
    assert {part.basis for part in world.sale("s1").parts} == {PartBasis.SHARE}


def test_money_goes_back_in_the_way_that_the_till_said() -> None:
    world = open_booth()
    world.sell("s1")
    world.give(a_void("s1", refund=PaymentKind.QRIS))
    [drawer] = world.booth().drawers
    assert {taking.kind: taking.refunded_rupiah for taking in drawer.takings} == {
        PaymentKind.CASH: 0,
        PaymentKind.QRIS: PRICE,
    }
    assert drawer.cash_rupiah == PRICE


def test_voids_of_receipts_that_never_come_do_not_fill_the_booth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selling, "MOST_EARLY_VOIDS", 2)
    world = open_booth()
    world.give(a_void("never-1", 1, till="T2"), a_void("never-2", 2, till="T2"))
    [refused] = world.give(a_void("never-3", 3, till="T2"))
    assert isinstance(refused, VoidRefused)
    assert (refused.receipt, refused.left, len(world.booth().early_voids)) == ("never-3", 0, 2)


def test_what_the_organiser_asked_in_vain_is_kept_for_people_to_read() -> None:
    world = open_booth()
    world.sell("s1", qty=3)
    world.give(an_order("s1", 2), an_order("s1", 2))
    assert world.booth().refused_orders == (RefusedOrder("s1", 1, 2, 1),)
