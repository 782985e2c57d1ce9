"""Sales in doubt: which pieces, what they are worth, and why nothing covers them."""

from datetime import timedelta

import pytest

from services.sales.api.disputes import BoothDoubtsPage, receipts_in_doubt
from services.sales.domain import Receipt
from services.sales.domain.doubts import DoubtReason, doubts, takings_rupiah
from shared.events.festival import DisputeOutcome
from tests.support.builders.sales import (
    B1,
    NOON,
    PRICE,
    SalesWorld,
    a_closing,
    a_line,
    a_receipt,
    a_stocking,
    a_void,
    a_word,
    open_booth,
)


def page(world: SalesWorld) -> BoothDoubtsPage:
    booth = world.booth()
    named = receipts_in_doubt(booth)
    return BoothDoubtsPage.of(booth, [receipt for receipt in world.all(Receipt) if receipt.id in named])


def test_a_waiting_sale_is_told_while_the_booth_is_open_with_its_worth() -> None:
    world = open_booth(3)
    world.sell("s1", 1, qty=5)
    shown = page(world)
    [sale] = shown.sales
    assert (sale.sale, sale.lot, sale.product, sale.qty) == ("s1/1", "L1", "KTI", 5)
    assert (sale.waiting, sale.disputed, sale.rupiah, sale.sold_at) == (2, 0, 2 * PRICE, NOON)
    assert sale.why is DoubtReason.BEYOND_STOCK
    assert (shown.status, shown.takings_rupiah, shown.receipts, shown.sold) == ("open", 5 * PRICE, 1, 3)


def test_it_ends_with_stock_a_decision_or_a_void() -> None:
    world = open_booth(0)
    for seq, name in enumerate(("s1", "s2", "s3"), 1):
        world.sell(name, seq, qty=2, sold_at=NOON + timedelta(minutes=seq))
    assert [sale.sale for sale in page(world).sales] == ["s1/1", "s2/1", "s3/1"]
    world.give(a_stocking(qty=2))
    world.give(a_word("s2/1", DisputeOutcome.REJECTED, order="o1"), a_void("s3", 4, qty=2))
    assert page(world).sales == []
    assert page(world).takings_rupiah == takings_rupiah(world.booth()) == 4 * PRICE


def test_after_settling_it_is_disputed_and_rejected_pieces_are_worth_nothing_here() -> None:
    world = open_booth(3)
    world.sell("s1", 1, qty=5)
    world.give(a_closing())
    world.fire()
    [sale] = page(world).sales
    assert (sale.waiting, sale.disputed, sale.rupiah) == (0, 2, 2 * PRICE)
    world.give(a_word("s1/1", DisputeOutcome.REJECTED))
    assert page(world).sales == []


@pytest.mark.parametrize(
    ("lot", "product", "why"),
    [
        ("L9", "KTI", DoubtReason.NOT_STOCKED),
        (None, "KUE", DoubtReason.NOT_STOCKED),
        (None, "KTI", DoubtReason.BEYOND_STOCK),
        ("L1", "KTI", DoubtReason.BEYOND_STOCK),
        ("L1", "KUE", DoubtReason.OTHER_PRODUCT),
    ],
)
def test_the_reason(lot: str | None, product: str, why: DoubtReason) -> None:
    world = open_booth(1)
    world.tell(a_receipt(1, a_line(lot, 3, product=product)), "s1")
    assert [doubt.why for doubt in doubts(world.booth(), world.all(Receipt))] == [why]


def test_a_booth_that_no_festival_opened_is_told_as_such() -> None:
    world = SalesWorld()
    world.sell("s1")
    [doubt] = doubts(world.booth(B1), world.all(Receipt))
    assert doubt.why is DoubtReason.BOOTH_NOT_OPENED
