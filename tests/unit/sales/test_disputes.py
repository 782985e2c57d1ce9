"""Disputed pieces and the organiser's decision: no facility is credited with pieces that it never sent."""

from datetime import date

from services.sales.domain.receipt import SaleStatus
from shared.events.festival import DisputeOutcome
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    BoothSettled,
    PartBasis,
    SaleAccounted,
    SaleShared,
    SellThroughCounted,
    SettlementIssued,
    ShareOpened,
    SoldThrough,
)
from tests.support.builders.sales import (
    PRICE,
    SalesWorld,
    a_closing,
    a_count,
    a_line,
    a_loss,
    a_receipt,
    a_stocking,
    a_void,
    a_word,
    an_opening,
    open_booth,
)

REJECTED = DisputeOutcome.REJECTED
NEVER_HERE = str(LotNumber("LP-ZZZ", "KTI", date(2023, 4, 5), 1))


def settled_world(qty: int = 10, **lots: int) -> SalesWorld:
    """A booth that was settled at its deadline before anything was sold."""
    world = open_booth(qty, **lots)
    world.give(a_closing())
    world.fire()
    world.published.clear()
    return world


def last_report(world: SalesWorld) -> SellThroughCounted:
    return world.bodies(SellThroughCounted)[-1]


def test_only_the_pieces_that_are_not_there_are_in_dispute() -> None:
    world = open_booth(3)
    world.sell("s1", 1, qty=5)
    world.give(a_closing())
    world.fire()
    sale = world.sale("s1")
    assert (sale.recorded, sale.disputed, sale.waiting, sale.status) == (3, 2, 0, SaleStatus.DISPUTED)
    assert last_report(world).disputed == ("s1/1",)
    assert world.earned("LP-A") == (3, 3 * PRICE)


def test_of_a_receipt_only_the_line_that_is_not_covered_is_in_dispute() -> None:
    world = open_booth(3)
    world.tell(a_receipt(1, a_line("L1", 2), a_line("C9", 2, 2, product="KUE")), "r")
    world.give(a_closing())
    world.fire()
    assert [sale.status for sale in world.receipt("r").sales] == [SaleStatus.RECORDED, SaleStatus.DISPUTED]
    assert last_report(world).disputed == ("r/2",)
    world.give(a_word("r/2", REJECTED))
    assert world.receipt("r").sales[0].recorded == 2


def test_what_is_accepted_without_a_lot_is_credited_up_to_what_came_and_the_rest_stays_in_dispute() -> None:
    world = settled_world(3)
    world.give(a_loss(2))
    world.sell("s1", 1, qty=5)
    assert (world.sale("s1").recorded, world.sale("s1").disputed) == (1, 4)
    world.give(a_word("s1/1"))
    assert (world.sale("s1").recorded, world.sale("s1").disputed) == (3, 2)
    assert last_report(world).disputed == ("s1/1",)
    assert last_report(world).lots == (
        SoldThrough(lot="L1", stocked=3, sold=3, lost=2, unsold=0, counted=None, beyond=2),
    )
    world.published.clear()
    # A second word of the same kind finds nothing that could be credited.
    world.give(a_word("s1/1"))
    assert (world.sale("s1").recorded, world.bodies(SaleShared)) == (3, [])


def test_an_unlabelled_dispute_that_is_accepted_is_shared_by_the_rule_and_credits_nobody_twice() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("A", 5, facility="LA-KPG"), a_stocking("B", 5, facility="LP-ATB"))
    world.give(a_stocking("C", 10, facility="LP-KPG"), *(a_loss(qty, lot) for lot, qty in {"A": 5, "B": 5}.items()))
    world.sell("s1", 1, None, 25)
    world.give(a_closing())
    world.fire()
    assert (world.sale("s1").recorded, world.sale("s1").disputed) == (10, 15)
    world.give(a_word("s1/1"))
    assert world.pieces() == {"A": (0, 5), "B": (0, 5), "C": (0, 10)}
    assert world.sale("s1").disputed == 5


def test_the_organiser_may_name_the_lot_also_beyond_what_came_of_it() -> None:
    world = settled_world(3, L2=9)
    world.sell("s1", 1, "L1", 5)
    world.give(a_word("s1/1", lot="L1"))
    assert [(part.lot, part.qty, part.basis) for part in world.sale("s1").parts] == [
        ("L1", 3, PartBasis.LABEL),
        ("L1", 2, PartBasis.NAMED),
    ]
    assert (world.lot().sold, world.lot().beyond, world.lot("L2").sold) == (5, 2, 0)
    assert world.earned("LP-A") == (5, 5 * PRICE)
    assert last_report(world).disputed == ()


def test_a_named_lot_is_no_share_of_the_pool_and_never_moves() -> None:
    world = settled_world(0, A=2)
    world.sell("s1", 1, None, 4)
    world.give(a_word("s1/1", lot="A"), a_count(2, A=2))
    assert world.pieces() == {"A": (2, 2)}


def test_a_lot_that_the_organiser_named_pushes_its_makers_share_onto_nobody_else() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("A", 1), a_stocking("B", 1, facility="LP-B"))
    for n in (1, 2, 3):
        world.sell(f"s{n}", n, None)
    world.give(a_closing())
    world.fire()
    world.give(a_word("s3/1", lot="B"))
    # LP-B has the piece that it sent and the one that the organiser gave it; LP-A no more than it sent.
    assert world.pieces() == {"A": (0, 1), "B": (1, 1)}


def test_a_lot_that_was_never_here_says_who_made_it_once_it_is_named() -> None:
    world = settled_world()
    world.sell("s1", 1, NEVER_HERE)
    assert world.status("s1") is SaleStatus.DISPUTED
    world.published.clear()
    world.give(a_word("s1/1"))
    assert world.status("s1") is SaleStatus.DISPUTED
    published = world.give(a_word("s1/1", lot=NEVER_HERE.lower()))
    assert [type(body) for body in published][:3] == [ShareOpened, SaleAccounted, SaleShared]
    assert [body.facility for body in published if isinstance(body, BoothSettled)] == ["LP-ZZZ"]
    assert (world.lot(NEVER_HERE).stocked, world.lot(NEVER_HERE).beyond) == (0, 1)
    world.pass_all_on()
    [issued] = [body for body in world.bodies(SettlementIssued) if body.facility == "LP-ZZZ"]
    assert (issued.qty, issued.provisional_qty) == (1, 0)


def test_a_named_lot_that_never_came_takes_no_part_in_counts_and_shares() -> None:
    world = settled_world(5)
    world.sell("s1", 1, None, 2)
    world.give(a_count(2, L1=3))
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert pool.counted
    world.sell("s2", 3, NEVER_HERE)
    world.give(a_word("s2/1", lot=NEVER_HERE))
    pool = world.booth().pool("KTI")
    assert pool is not None
    assert pool.counted
    assert world.lot(NEVER_HERE).pool_qty == 0


def test_a_lot_of_another_product_or_with_a_wrong_letter_is_not_booked() -> None:
    world = settled_world(5)
    world.give(a_stocking("C", 5, product="KUE"))
    world.sell("s1", 1, "L9")
    for lot in ("C", "nonsense", str(LotNumber("LP-ZZZ", "KUE", date(2023, 4, 5), 1))):
        published = world.give(a_word("s1/1", lot=lot))
        assert [type(body) for body in published] == [SellThroughCounted]
        assert last_report(world).disputed == ("s1/1",)


def test_rejected_pieces_stay_rejected_and_can_be_voided() -> None:
    world = settled_world(1)
    world.sell("s1", 1, qty=3)
    world.give(a_word("s1/1", REJECTED))
    sale = world.sale("s1")
    assert (sale.recorded, sale.rejected, sale.disputed, sale.status) == (1, 2, 0, SaleStatus.RECORDED)
    assert world.earned("LP-A") == (1, PRICE)
    assert last_report(world).disputed == ()
    world.give(a_void("s1", qty=2))
    assert (world.sale("s1").recorded, world.sale("s1").rejected) == (1, 0)


def test_a_word_on_a_sale_that_is_not_in_dispute_changes_no_sale_and_is_answered() -> None:
    world = settled_world()
    world.sell("s1", 1)
    for sale in ("s1/1", "never/1", "s1/2", "s1", "nonsense"):
        assert [type(body) for body in world.give(a_word(sale, REJECTED))] == [SellThroughCounted]
    assert world.status("s1") is SaleStatus.RECORDED


def test_a_void_ends_a_dispute() -> None:
    world = settled_world(0)
    world.sell("s1", 1)
    world.give(a_void("s1"))
    assert last_report(world).disputed == ()
    world.give(a_word("s1/1"))
    assert world.status("s1") is SaleStatus.VOIDED


def test_a_dispute_that_was_accepted_can_be_voided() -> None:
    world = settled_world(3)
    world.sell("s1", 1, qty=5)
    world.give(a_word("s1/1", lot="L1"), a_void("s1", qty=5))
    assert (world.lot().unsold, world.lot().beyond, world.earned("LP-A")) == (3, 0, (0, 0))
