"""The states of a sale, one rule at a time."""

from datetime import date

import pytest

from services.sales.domain.receipt import SaleStatus
from shared.events.sales import (
    DeviceHeard,
    PartBasis,
    SaleAccounted,
    SalePublished,
    SaleShared,
    SellThroughSoFar,
    ShareOpened,
)
from tests.support.builders.sales import (
    B1,
    B2,
    PRICE,
    SalesWorld,
    a_loss,
    a_move,
    a_reinstatement,
    a_sale,
    a_stocking,
    a_void,
    a_withdrawal,
    an_opening,
    open_booth,
)

RECORDED = [SaleAccounted, SaleShared]


def kinds(published: object) -> list[type]:
    """The kinds of the publications, without DeviceHeard."""
    assert isinstance(published, list)
    return [type(body) for body in published if not isinstance(body, DeviceHeard)]


def snapshots(world: SalesWorld, sale: str) -> list[SaleAccounted]:
    return [snapshot for snapshot in world.bodies(SaleAccounted) if snapshot.sale == sale]


def pieces(snapshot: SaleAccounted) -> dict[str, int]:
    """Pieces of the sale by lot."""
    return {part.lot: part.qty for part in snapshot.parts}


def test_a_covered_sale_is_recorded_shared_and_published_at_the_tills_price() -> None:
    world = open_booth()
    published = world.sell("s1", qty=3)
    assert kinds(published) == [*RECORDED, SellThroughSoFar]
    _, accounted, shared, _ = published
    assert isinstance(accounted, SaleAccounted)
    assert (accounted.sale, accounted.lot, accounted.qty, accounted.revision) == ("s1/1", "L1", 3, 1)
    [part] = accounted.parts
    assert (part.lot, part.facility, part.qty, part.amount_rupiah) == ("L1", "LP-A", 3, 3 * PRICE)
    assert (part.basis, part.recalled) == (PartBasis.LABEL, False)
    assert isinstance(shared, SaleShared)
    assert (shared.qty, shared.amount_rupiah, shared.change_qty, shared.change_rupiah) == (3, 3 * PRICE, 3, 3 * PRICE)
    assert (shared.pooled_change_qty, shared.pooled_change_rupiah, shared.continued) == (0, 0, False)
    world.pass_all_on()
    [published] = world.bodies(SalePublished)
    assert (published.qty, published.amount_rupiah) == (3, 3 * PRICE)
    lot = world.lot()
    assert (lot.stocked, lot.sold, lot.unsold, lot.sold_rupiah) == (10, 3, 7, 3 * PRICE)


def test_a_sale_is_recorded_as_far_as_its_lot_goes_and_waits_for_the_rest_only() -> None:
    world = open_booth(3)
    world.sell("s1", qty=5)
    sale = world.sale("s1")
    assert (sale.recorded, sale.waiting) == (3, 2)
    assert world.earned("LP-A") == (3, 3 * PRICE)
    world.give(a_stocking(qty=1))
    assert [(pieces(snapshot), snapshot.waiting) for snapshot in snapshots(world, "s1/1")] == [
        ({"L1": 3}, 2),
        ({"L1": 4}, 1),
    ]
    assert [snapshot.revision for snapshot in snapshots(world, "s1/1")] == [1, 2]


def test_a_sale_that_nothing_covers_is_told_as_waiting_and_shared_with_nobody() -> None:
    world = open_booth(0)
    published = world.sell("s1", qty=2)
    assert kinds(published) == [SaleAccounted]
    [accounted] = snapshots(world, "s1/1")
    assert (accounted.waiting, accounted.parts, accounted.open_rupiah) == (2, (), 2 * PRICE)


def test_a_labelled_sale_never_takes_of_another_lot() -> None:
    world = open_booth(2, L2=9)
    world.sell("s1", qty=3)
    assert world.pieces() == {"L1": (2, 0), "L2": (0, 0)}


def test_what_was_sold_of_a_recalled_lot_is_recorded_and_marked() -> None:
    world = open_booth()
    world.give(a_withdrawal())
    world.sell("s1")
    assert [part.recalled for part in snapshots(world, "s1/1")[0].parts] == [True]


def test_what_was_sold_while_a_lot_was_recalled_stays_marked_and_later_sales_are_not() -> None:
    world = open_booth(3)
    world.give(a_withdrawal())
    world.sell("s1")
    world.give(a_reinstatement())
    world.sell("s2")
    assert world.lot("L1").withdrawn is None
    assert [snapshots(world, f"{name}/1")[-1].parts[0].recalled for name in ("s1", "s2")] == [True, False]


def test_a_sale_of_a_booth_that_is_not_known_waits_until_it_has_stock() -> None:
    world = SalesWorld()
    assert kinds(world.sell("s1")) == [SaleAccounted]
    assert snapshots(world, "s1/1")[0].festival is None
    assert world.give(an_opening()) == []
    assert kinds(world.give(a_stocking())) == [ShareOpened, *RECORDED, SellThroughSoFar]


def test_a_sale_is_never_covered_by_another_product_or_a_lot_that_is_not_here() -> None:
    world = open_booth()
    for n, (lot, product) in enumerate([("L1", "KUE"), ("L9", "KTI"), (None, "KUE")], 1):
        assert kinds(world.sell(f"s{n}", n, lot, product=product)) == [SaleAccounted]
    assert world.booth().waiting == ("s1", "s2", "s3")
    assert world.lot().sold == 0


def test_of_what_waits_the_sale_made_first_is_recorded_first() -> None:
    world = open_booth(0)
    # In another order than they were made: of two made at once the receipt's id decides.
    for n, (id, qty) in enumerate([("c", 4), ("b", 4), ("a", 4)], 1):
        world.sell(id, n, "L1", qty)
    world.give(a_stocking(qty=6))
    assert [(id, world.sale(id).recorded) for id in "abc"] == [("a", 4), ("b", 2), ("c", 0)]
    assert world.booth().waiting == ("c", "b")
    world.give(a_stocking(qty=6))
    assert world.booth().waiting == ()


def test_stock_of_a_booth_whose_opening_is_late_sells_all_the_same() -> None:
    world = SalesWorld()
    world.give(a_stocking())
    assert kinds(world.sell("s1")) == RECORDED
    assert world.give(an_opening()) == []
    assert (world.booth().status.value, world.booth().name) == ("open", "Booth")


def test_lost_and_moved_pieces_can_not_be_sold() -> None:
    world = open_booth(4)
    world.give(a_loss(2), a_move(1))
    world.sell("s1", 1, qty=2)
    assert (world.sale("s1").recorded, world.sale("s1").waiting) == (1, 1)


def test_pieces_lost_after_they_were_sold_undo_no_sale() -> None:
    world = open_booth(3)
    world.sell("s1", qty=2)
    assert world.give(a_loss(2)) == []
    lot = world.lot()
    assert (lot.sold, lot.lost, lot.unsold, lot.beyond) == (2, 2, 0, 1)


def test_a_loss_of_what_was_never_stocked_is_a_fault_that_is_seen() -> None:
    with pytest.raises(LookupError, match="L9"):
        open_booth().give(a_loss(1, "L9"))
    with pytest.raises(LookupError, match="L9"):
        open_booth().give(a_move(1, "L9"))


def test_one_receipt_from_two_sources_counts_once() -> None:
    world = open_booth()
    world.sell("s1", qty=2)
    assert world.tell(a_sale(1, "L1", 5), "s1", source="another") == []
    assert (world.lot().sold, world.booth().receipts) == (2, 1)
    assert [taking.receipts for drawer in world.booth().drawers for taking in drawer.takings] == [1]


def test_two_booths_may_use_one_id() -> None:
    world = open_booth()
    world.give(an_opening(B2), a_stocking(booth=B2))
    world.sell("s1")
    world.sell("s1", booth=B2, qty=2)
    assert (world.lot(booth=B1).sold, world.lot(booth=B2).sold) == (1, 2)
    world.give(a_void("s1", booth=B2, qty=2))
    assert (world.status("s1", B1), world.status("s1", B2)) == (SaleStatus.RECORDED, SaleStatus.VOIDED)


def test_an_id_that_the_language_can_not_carry_gets_one_that_it_can() -> None:
    world = open_booth()
    world.sell("{s1}")
    [accounted] = world.bodies(SaleAccounted)
    assert accounted.receipt != "{s1}"
    assert (len(accounted.receipt), accounted.sale) == (36, f"{accounted.receipt}/1")


def test_the_pieces_of_a_void_go_to_who_waits_for_them() -> None:
    world = open_booth(4)
    world.sell("s1", 1, qty=4)
    world.sell("s2", 2, qty=3)
    world.give(a_void("s1", 3, qty=2))
    assert [(world.sale(id).recorded, world.sale(id).waiting) for id in ("s1", "s2")] == [(2, 0), (2, 1)]


def test_what_covers_a_sale_does_not_cover_another_that_waits_for_the_same_lot() -> None:
    world = open_booth(0)
    world.sell("s1", 1, qty=3)
    world.sell("s2", 2, None, 3)
    world.give(a_stocking(qty=4, made_on=date(2023, 4, 2)))
    assert sum(world.sale(id).recorded for id in ("s1", "s2")) == 4
    assert sum(world.sale(id).waiting for id in ("s1", "s2")) == 2
