"""Public events: no person, till, booth or receipt; no gaps; and the sums of the settlement."""

from uuid import UUID

from services.sales.domain.public import public_adjustment, public_sale
from shared.events.sales import AdjustmentPublished, SalePublished, SaleShared
from tests.support.builders.sales import (
    B1,
    B2,
    PRICE,
    SalesWorld,
    a_closing,
    a_count,
    a_line,
    a_receipt,
    a_stocking,
    a_void,
    an_opening,
    open_booth,
)

FACILITIES = ("LP-A", "LP-B")


def of_two() -> SalesWorld:
    """Two booths with goods of two makers."""
    world = SalesWorld()
    for booth in (B1, B2):
        world.give(an_opening(booth), a_stocking("A", 10, booth), a_stocking("B", 10, booth, facility="LP-B"))
    return world


def public(world: SalesWorld, facility: str) -> list[SalePublished | AdjustmentPublished]:
    return [
        event
        for event in world.published
        if isinstance(event, SalePublished | AdjustmentPublished) and event.facility == facility
    ]


def latest_sums(world: SalesWorld, facility: str) -> tuple[int, int]:
    """Pieces and rupiah of the latest snapshots, as a subscriber keeps them."""
    latest: dict[tuple[type, str], SalePublished | AdjustmentPublished] = {}
    for event in public(world, facility):
        name = (type(event), event.sale if isinstance(event, SalePublished) else event.adjustment)
        if name not in latest or latest[name].revision < event.revision:
            latest[name] = event
    return sum(event.qty for event in latest.values()), sum(event.amount_rupiah for event in latest.values())


def test_subscribers_see_no_person_no_till_no_booth_and_no_receipt() -> None:
    hidden = {"booth", "till", "device", "drawer", "maker", "buyer", "cashier", "receipt", "payment"}
    assert not hidden & SalePublished.model_fields.keys()
    assert not hidden & AdjustmentPublished.model_fields.keys()


def test_nothing_that_is_published_joins_the_lines_of_a_receipt_or_names_a_booth() -> None:
    world = open_booth(5, L2=5)
    world.tell(a_receipt(1, a_line("L1", 1), a_line("L2", 1, 2)), "r")
    world.pass_all_on()
    sales = [event for event in public(world, "LP-A") if isinstance(event, SalePublished)]
    assert len({event.sale for event in sales}) == 2
    for event in sales:
        assert UUID(event.sale).version == 5
        assert B1 not in event.model_dump_json()


def test_a_sale_has_one_public_id_at_a_booth_and_another_elsewhere() -> None:
    assert public_sale(B1, "r/1") == public_sale(B1, "r/1")
    assert len({public_sale(B1, "r/1"), public_sale(B2, "r/1"), public_sale(B1, "r/2")}) == 3
    assert len({public_adjustment(B1, "KTI"), public_adjustment(B2, "KTI"), public_adjustment(B1, "KUE")}) == 3


def test_what_a_facility_has_in_a_sale_is_one_event_that_lists_its_lots() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking("A1", 2), a_stocking("A2", 2), a_stocking("B", 4, facility="LP-B"))
    world.sell("s1", 1, None, 6)
    world.pass_all_on()
    [own] = public(world, "LP-A")
    [other] = public(world, "LP-B")
    assert isinstance(own, SalePublished)
    assert isinstance(other, SalePublished)
    assert own.sale == other.sale
    assert [(lot.lot, lot.qty, lot.amount_rupiah) for lot in own.lots] == [("A1", 2, 2 * PRICE), ("A2", 1, PRICE)]
    assert (own.qty, other.qty) == (3, 3)


def test_a_part_that_vanished_is_published_as_nothing() -> None:
    world = open_booth()
    world.sell("s1")
    world.give(a_void("s1"))
    world.pass_all_on()
    assert [(event.qty, event.amount_rupiah, event.revision) for event in public(world, "LP-A")] == [
        (1, PRICE, 1),
        (0, 0, 2),
    ]


def a_day(world: SalesWorld) -> None:
    """Sales of both booths, labelled and not, voids and counts, before and after the settlement."""
    for booth in (B1, B2):
        world.sell("s1", 1, None, 7, booth=booth)
        world.sell("s2", 2, "A", 3, booth=booth, unit_price_rupiah=777)
        world.give(a_count(3, booth=booth, A=7, B=3), a_void("s1", 4, booth=booth, qty=2), a_closing(booth))
        world.fire(booth)
        world.sell("late", 5, None, 4, booth=booth, unit_price_rupiah=1)
        world.give(a_void("s1", 6, booth=booth, qty=5))


def test_a_facilitys_public_events_are_numbered_without_gaps_whatever_order_booths_are_heard_in() -> None:
    world = of_two()
    a_day(world)
    while any(world.shares.values()):
        for booth in (B2, B1):
            if world.shares[booth]:
                world.pass_on(booth)
    for facility in FACILITIES:
        assert [event.sequence for event in public(world, facility)] == list(
            range(1, len(public(world, facility)) + 1)
        )
        assert {type(event) for event in public(world, facility)} == {SalePublished, AdjustmentPublished}


def test_snapshots_upserted_by_their_revision_are_the_sums_of_the_settlement() -> None:
    world = of_two()
    a_day(world)
    world.pass_all_on()
    for facility in FACILITIES:
        settlement = world.settlement(facility)
        assert latest_sums(world, facility) == (settlement.qty, settlement.sold_rupiah)
        assert settlement.published is not None
        assert (settlement.published.qty, settlement.published.sold_rupiah) == (
            settlement.qty,
            settlement.sold_rupiah,
        )
    assert sum(world.settlement(facility).qty for facility in FACILITIES) == 2 * (7 + 3 + 4 - 7)


def test_half_of_a_change_is_published_as_what_it_is_because_each_snapshot_is_whole() -> None:
    world = of_two()
    a_day(world)
    continued = [event for event in world.bodies(SaleShared) if event.continued]
    assert continued
    world.pass_all_on()
    assert len(public(world, "LP-A")) == sum(
        event.facility == "LP-A"
        for event in world.published
        if type(event).__name__ in ("SaleShared", "PoolAdjusted")
    )
