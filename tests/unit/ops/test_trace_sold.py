"""What the life of a lot tells of its sales, without any server. All made up."""

import random
from datetime import UTC, date

import pytest

from ops.trace.sold import LotSales
from ops.trace.timeline import TimelineEntry
from shared import envelope
from shared.events.festival import DisputeOutcome, DisputeResolved
from shared.events.language import Event
from shared.events.lot_number import LotNumber
from shared.events.sales import SALE_SHARES, SALES, PoolAdjusted
from tests.support.builders.sales import (
    B1,
    NOON,
    SalesWorld,
    a_closing,
    a_count,
    a_last_word,
    a_line,
    a_receipt,
    a_sale,
    a_stocking,
    a_void,
    an_opening,
    record_id,
)

pytestmark = pytest.mark.unit

D1 = f"{B1}-T1"
A, B = (str(LotNumber(place, "KTI", date(2023, 4, 1), 1)) for place in ("LA-KPG", "LB-KPG"))
PRICE = {"unit_price_rupiah": 1_000}


def a_booth() -> SalesWorld:
    world = SalesWorld()
    world.give(
        an_opening(tills=("T1",)),
        a_stocking(A, 10, facility="LA-KPG"),
        a_stocking(B, 10, facility="LB-KPG"),
    )
    return world


def life(
    world: SalesWorld, lot: str = A, *, every_sale: bool = True, shuffled: int | None = None
) -> list[TimelineEntry]:
    """What was told of the lot, in the order in which it was said or (`shuffled`) in another."""
    sales = LotSales(lot, lot[:6], "KTI")
    bodies = list(enumerate(world.published))
    if shuffled is not None:
        random.Random(shuffled).shuffle(bodies)
    for number, body in bodies:
        topic = next((topic for topic in (SALES, SALE_SHARES) if type(body) in topic.bodies), None)
        if topic is not None and sales.may_concern(topic, envelope.encode(body)):
            sales.add(Event(str(number), "karya/sales", "key", NOON, NOON, body))
    return list(sales.entries(UTC, every_sale=every_sale))


def texts(world: SalesWorld, lot: str = A, *, every_sale: bool = True) -> list[str]:
    return [str(entry.text) for entry in life(world, lot, every_sale=every_sale)]


def test_each_part_of_a_basket_is_told_of_its_own_lot() -> None:
    world = a_booth()
    world.give(a_receipt(1, a_line(A, 2, **PRICE), a_line(B, 3, 2, **PRICE)))
    assert texts(world) == [f"2 sold at {B1} for Rp2.000"]
    assert texts(world, B) == [f"3 sold at {B1} for Rp3.000"]


def test_a_share_of_an_unlabelled_sale_is_marked_as_such() -> None:
    world = a_booth()
    world.give(a_sale(1, None, 4, **PRICE), a_sale(2, A, 1, **PRICE))
    assert texts(world)[:2] == [
        f"2 sold at {B1} for Rp2.000 (a share of what was sold without a label)",
        f"1 sold at {B1} for Rp1.000",
    ]
    [summed] = [text for text in texts(world, every_sale=False) if "between" in text]
    assert summed == f"3 sold at {B1} in 2 sales between 04:00 and 04:59 UTC for Rp3.000 (2 without a label)"


@pytest.mark.parametrize("lot", [A, None], ids=["by label", "by share"])
def test_a_void_is_told_and_what_was_voided_counts_no_more_as_sold(lot: str | None) -> None:
    world = a_booth()
    world.give(a_sale(1, lot, 4, **PRICE), a_void(record_id(D1, 1), seq=2, qty=4))
    assert not any(" sold at " in text for text in texts(world))
    voided = 4 if lot else 2
    assert f"{voided} of a sale at {B1} voided, back at the booth" in texts(world)


def test_a_dispute_and_the_organisers_word_on_it_are_told() -> None:
    world = a_booth()
    world.give(
        a_sale(1, A, 12, **PRICE),
        a_sale(2, "L9", 1, **PRICE),
        a_last_word(3),
        a_closing(),
        DisputeResolved(booth=B1, sale=f"{record_id(D1, 1)}/1", outcome=DisputeOutcome.REJECTED),
        DisputeResolved(booth=B1, sale=f"{record_id(D1, 2)}/1", outcome=DisputeOutcome.ACCEPTED, lot=A),
    )
    assert texts(world) == [
        f"10 sold at {B1} for Rp10.000",
        f"1 sold at {B1} for Rp1.000 (named by the organiser)",
        f"2 of a sale at {B1} disputed: more than the booth had",
        f"2 of a sale at {B1} rejected: the organiser says that they were not sold",
    ]


def test_what_a_count_moved_is_told_once_as_it_stands_last() -> None:
    world = a_booth()
    world.give(a_sale(1, None, 4, **PRICE))
    world.give(a_count(2, **{A: 6, B: 10}), a_count(3, **{A: 7, B: 9}, at=NOON.replace(hour=5)))
    assert texts(world)[1:] == [f"moved to this lot: 1 unlabelled at {B1}, Rp1.000 (by count, counted)"]
    assert texts(world, B)[1:] == [f"moved from this lot: 1 unlabelled at {B1}, Rp1.000 (by count, counted)"]
    world.give(a_count(4, **{A: 8, B: 8}, at=NOON.replace(hour=6)))
    assert len(world.bodies(PoolAdjusted)) > 2
    assert not any("unlabelled at" in text for text in texts(world))


@pytest.mark.parametrize("seed", range(20))
def test_the_last_word_counts_whatever_order_it_is_read_in(seed: int) -> None:
    world = a_booth()
    world.give(a_sale(1, A, 4, **PRICE), a_void(record_id(D1, 1), seq=2, qty=1), a_sale(3, None, 5, **PRICE))
    world.give(a_count(4, **{A: 3, B: 10}))
    in_order, shuffled = life(world), life(world, shuffled=seed)
    assert sorted(shuffled, key=str) == sorted(in_order, key=str)
