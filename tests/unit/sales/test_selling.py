"""What becomes of a sale, one rule at a time."""

from datetime import date

import pytest

from services.sales.domain.sale import SaleStatus
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    SaleDisputed,
    SalePublished,
    SaleRecorded,
    SaleVoidRecorded,
    SaleWithdrawn,
    SellThroughSoFar,
    ShareEarned,
    ShareOpened,
    ShareReversed,
)
from tests.unit.sales.builders import (
    B1,
    B2,
    PRICE,
    World,
    a_closing,
    a_loss,
    a_sale,
    a_stocking,
    a_void,
    a_withdrawal,
    a_word,
    an_opening,
    open_booth,
)

RECORDED = [SaleRecorded, ShareEarned, SalePublished]
TAKEN_BACK = [SaleVoidRecorded, ShareReversed, SaleWithdrawn]


def kinds(said: object) -> list[type]:
    assert isinstance(said, list)
    return [type(body) for body in said]


def test_a_covered_sale_is_recorded_earned_and_published_at_the_tills_price() -> None:
    world = open_booth()
    said = world.sell("s1", qty=3)
    assert kinds(said) == [*RECORDED, SellThroughSoFar]
    recorded, earned, published, _ = said
    assert isinstance(recorded, SaleRecorded)
    assert (recorded.sale, recorded.lot, recorded.facility, recorded.qty) == ("s1", "L1", "LP-A", 3)
    assert recorded.amount_rupiah == 3 * PRICE
    assert not any((recorded.lot_attributed, recorded.lot_recalled, recorded.dispute_accepted))
    assert isinstance(earned, ShareEarned)
    assert isinstance(published, SalePublished)
    assert earned.amount_rupiah == published.amount_rupiah == recorded.amount_rupiah
    lot = world.lot()
    assert (lot.stocked, lot.sold, lot.unsold, lot.sold_rupiah) == (10, 3, 7, 3 * PRICE)


def test_subscribers_see_no_person_no_till_and_no_booth() -> None:
    assert not {"booth", "till", "maker", "buyer", "cashier"} & SalePublished.model_fields.keys()
    assert not {"booth", "till", "maker", "buyer", "cashier"} & SaleWithdrawn.model_fields.keys()


def test_a_sale_without_a_lot_takes_the_oldest_that_has_enough() -> None:
    world = World()
    world.give(an_opening(), a_stocking("NEW", 9, made_on=date(2023, 4, 9)))
    world.give(a_stocking("OLD", 2, made_on=date(2023, 4, 2)), a_stocking("MID", 9, made_on=date(2023, 4, 3)))
    world.give(a_stocking("ELSE", 9, product="KUE", made_on=date(2020, 1, 1)))
    world.sell("s1", 1, None, 2)
    world.sell("s2", 2, None, 3)
    assert [world.sale(id).lot for id in ("s1", "s2")] == ["OLD", "MID"]
    assert all(sale.lot_attributed for sale in world.heard(SaleRecorded))


def test_of_lots_made_on_one_day_the_lower_number_is_the_oldest() -> None:
    world = open_booth(5, L0=5)
    world.sell("s1", lot=None)
    assert world.sale("s1").lot == "L0"


def test_a_recalled_lot_is_attributed_only_if_no_other_will_do() -> None:
    world = open_booth(5, L2=1)
    world.give(a_withdrawal("L1"))
    world.sell("s1", 1, None)
    world.sell("s2", 2, None)
    assert [(sale.lot, sale.lot_recalled) for sale in world.heard(SaleRecorded)] == [("L2", False), ("L1", True)]


def test_what_was_sold_of_a_recalled_lot_is_recorded_and_marked() -> None:
    world = open_booth()
    world.give(a_withdrawal())
    world.sell("s1")
    [recorded] = world.heard(SaleRecorded)
    assert recorded.lot_recalled
    assert not recorded.lot_attributed


def test_a_sale_of_a_booth_that_is_not_known_waits_until_it_has_stock() -> None:
    world = World()
    assert world.sell("s1") == []
    assert world.give(an_opening()) == []
    assert kinds(world.give(a_stocking())) == [ShareOpened, *RECORDED, SellThroughSoFar]


def test_a_sale_is_never_covered_by_another_product_or_a_lot_that_is_not_here() -> None:
    world = open_booth()
    for n, (lot, product) in enumerate([("L1", "KUE"), ("L9", "KTI"), (None, "KUE")], 1):
        assert world.sell(f"s{n}", n, lot, product=product) == []
    assert len(world.booth().waiting) == 3


def test_what_waits_is_recorded_in_the_order_in_which_it_came() -> None:
    world = open_booth(0)
    # By id the last would be the first.
    for n, (id, qty) in enumerate([("c", 4), ("b", 4), ("a", 4), ("d", 2)], 1):
        world.sell(id, n, "L1", qty)
    world.give(a_stocking(qty=10))
    assert [sale.sale for sale in world.heard(SaleRecorded)] == ["c", "b", "d"]
    assert world.status("a") is SaleStatus.WAITING
    world.give(a_stocking(qty=4))
    assert world.status("a") is SaleStatus.RECORDED
    assert world.booth().waiting == ()


def test_stock_of_a_booth_whose_opening_is_late_sells_all_the_same() -> None:
    world = World()
    world.give(a_stocking())
    assert kinds(world.sell("s1")) == RECORDED
    assert world.give(an_opening()) == []
    assert (world.booth().status.value, world.booth().name) == ("open", "Booth")


def test_lost_pieces_can_not_be_sold() -> None:
    world = open_booth(3)
    world.give(a_loss(2))
    world.sell("s1", 1, qty=1)
    assert world.sell("s2", 2, qty=1) == []


def test_pieces_lost_after_they_were_sold_undo_no_sale() -> None:
    world = open_booth(3)
    world.sell("s1", qty=2)
    assert world.give(a_loss(2)) == []
    lot = world.lot()
    assert (lot.sold, lot.lost, lot.unsold, lot.beyond) == (2, 2, 0, 1)


def test_a_loss_of_what_was_never_stocked_is_a_fault_that_is_seen() -> None:
    with pytest.raises(LookupError, match="L9"):
        open_booth().give(a_loss(1, "L9"))


def test_one_sale_from_two_sources_counts_once() -> None:
    world = open_booth()
    world.sell("s1", qty=2)
    assert world.tell(a_sale(1, "L1", 5), "s1", source="another") == []
    assert world.lot().sold == 2


def test_two_booths_may_use_one_id() -> None:
    world = open_booth()
    world.give(an_opening(B2), a_stocking(booth=B2))
    world.sell("s1")
    world.sell("s1", booth=B2, qty=2)
    assert (world.lot(booth=B1).sold, world.lot(booth=B2).sold) == (1, 2)
    assert kinds(world.give(a_void("s1", booth=B2))) == TAKEN_BACK
    assert (world.status("s1", B1), world.status("s1", B2)) == (SaleStatus.RECORDED, SaleStatus.VOIDED)


def test_an_id_that_the_language_can_not_carry_gets_one_that_it_can() -> None:
    world = open_booth()
    world.sell("{s1}")
    [recorded] = world.heard(SaleRecorded)
    assert recorded.sale != "{s1}"
    assert len(recorded.sale) == 36


def test_a_void_reverses_share_and_public_sale_and_gives_the_pieces_back() -> None:
    world = open_booth()
    world.sell("s1", 1, qty=4)
    said = world.give(a_void("s1"))
    assert kinds(said) == TAKEN_BACK
    answer = said[0]
    assert isinstance(answer, SaleVoidRecorded)
    assert answer.stood
    assert (world.lot().sold, world.lot().sold_rupiah, world.lot().unsold) == (0, 0, 10)


def test_a_second_void_changes_nothing() -> None:
    world = open_booth()
    world.sell("s1", 1)
    world.give(a_void("s1"))
    assert world.give(a_void("s1", 3)) == []
    assert world.lot().unsold == 10


def test_the_pieces_of_a_void_go_to_who_waits_for_them() -> None:
    world = open_booth(4)
    world.sell("s1", 1, qty=4)
    world.sell("s2", 2, qty=3)
    assert kinds(world.give(a_void("s1", 3))) == TAKEN_BACK + RECORDED
    assert world.status("s2") is SaleStatus.RECORDED


def test_a_void_before_its_sale_waits_for_it_and_moves_no_money() -> None:
    world = open_booth()
    assert world.give(a_void("s1", 1, till="T2")) == []
    said = world.sell("s1")
    assert kinds(said) == [SaleVoidRecorded]
    answer = said[0]
    assert isinstance(answer, SaleVoidRecorded)
    assert not answer.stood
    assert world.lot().unsold == 10
    assert world.booth().early_voids == ()
    assert world.give(a_void("s1", 2)) == []


def test_a_void_of_a_sale_that_waits_ends_it() -> None:
    world = open_booth(0)
    world.sell("s1", 1)
    assert kinds(world.give(a_void("s1"))) == [SaleVoidRecorded]
    assert world.booth().waiting == ()
    assert kinds(world.give(a_stocking())) == [ShareOpened]


def test_a_void_of_another_booths_sale_leaves_that_sale_alone() -> None:
    world = open_booth()
    world.give(an_opening(B2))
    world.sell("s1")
    assert world.give(a_void("s1", 1, booth=B2)) == []
    assert world.status("s1") is SaleStatus.RECORDED


def test_a_label_that_was_never_stocked_says_who_made_it_once_the_dispute_is_accepted() -> None:
    number = str(LotNumber("LP-ZZZ", "KTI", date(2023, 4, 5), 1))
    world = open_booth()
    world.sell("s1", 1, number)
    world.give(a_closing())
    assert SaleDisputed in kinds(world.fire())
    said = world.give(a_word("s1"))
    assert kinds(said)[:4] == [ShareOpened, *RECORDED]
    [recorded] = world.heard(SaleRecorded)
    assert (recorded.facility, recorded.lot, recorded.dispute_accepted) == ("LP-ZZZ", number, True)
    assert (world.lot(number).stocked, world.lot(number).beyond) == (0, 1)
