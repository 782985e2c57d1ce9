"""Settlements: issued when every booth is settled, corrected later, divided to the rupiah."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.api.pages import SettlementPage
from services.sales.domain.settlement import Parts, Percentages, split
from services.sales.handlers import percentages
from shared.errors import BadSettings
from shared.events.language import MAX_WHOLE, Body
from shared.events.sales import (
    AdjustmentCause,
    AdjustmentPublished,
    BoothSettled,
    PoolAdjusted,
    SalePublished,
    SaleShared,
    SettlementCorrected,
    SettlementIssued,
    ShareHoldAnswered,
    ShareHoldRequested,
    ShareOpened,
)
from shared.settings import Settings
from tests.support.builders.sales import B1, B2, NOON, ODOP, SalesWorld


def a_share_opening(booth: str = B1, facility: str = "LP-A") -> ShareOpened:
    return ShareOpened(facility=facility, festival=ODOP, booth=booth)


def a_sale_share(
    rupiah: int, qty: int = 1, booth: str = B1, *, pooled: bool = False, continued: bool = False
) -> SaleShared:
    """A change of the facility's part of a sale."""
    return SaleShared(
        facility="LP-A",
        festival=ODOP,
        booth=booth,
        sale="s/1",
        product="KTI",
        revision=1,
        lots=(),
        qty=max(qty, 0),
        amount_rupiah=max(rupiah, 0),
        change_qty=qty,
        change_rupiah=rupiah,
        pooled_change_qty=qty if pooled else 0,
        pooled_change_rupiah=rupiah if pooled else 0,
        sold_at=NOON,
        continued=continued,
    )


def a_pool_adjustment(
    rupiah: int, qty: int, booth: str = B1, *, counted: bool = False, continued: bool = False
) -> PoolAdjusted:
    return PoolAdjusted(
        facility="LP-A",
        festival=ODOP,
        booth=booth,
        product="KTI",
        revision=1,
        cause=AdjustmentCause.COUNT,
        counted=counted,
        share_qty=0,
        share_rupiah=0,
        adjusted_qty=qty,
        adjusted_rupiah=rupiah,
        change_qty=qty,
        change_rupiah=rupiah,
        lots=(),
        continued=continued,
    )


def a_booth_settling(booth: str = B1, facility: str = "LP-A") -> BoothSettled:
    return BoothSettled(facility=facility, festival=ODOP, booth=booth)


def take(world: SalesWorld, *bodies: Body) -> list[SettlementIssued]:
    published = [event for body in bodies for event in world.settle_up(body)]
    assert {type(body) for body in published} <= {
        SettlementIssued,
        SettlementCorrected,
        SalePublished,
        AdjustmentPublished,
    }
    return [body for body in published if isinstance(body, SettlementIssued)]


def test_a_settlement_is_issued_once_every_booth_that_opened_is_settled() -> None:
    world = SalesWorld()
    assert (
        take(
            world,
            a_share_opening(B1),
            a_share_opening(B2),
            a_sale_share(10_000, 2, B1),
            a_sale_share(5_000, 1, B2),
            a_booth_settling(B1),
        )
        == []
    )
    published = take(world, a_booth_settling(B2))
    assert published == [
        SettlementIssued(
            facility="LP-A",
            festival=ODOP,
            revision=1,
            qty=3,
            sold_rupiah=15_000,
            facility_rupiah=9_000,
            maker_premium_rupiah=3_750,
            programme_rupiah=2_250,
        )
    ]


def test_a_change_after_that_is_a_correction_with_a_higher_revision() -> None:
    world = SalesWorld()
    take(world, a_share_opening(), a_sale_share(100), a_booth_settling())
    [late] = take(world, a_sale_share(60))
    [void] = take(world, a_sale_share(-100, -1))
    assert isinstance(late, SettlementCorrected)
    assert isinstance(void, SettlementCorrected)
    assert [(body.revision, body.sold_rupiah, body.qty) for body in (late, void)] == [(2, 160, 2), (3, 60, 1)]


def test_a_settlement_waits_again_for_a_booth_that_opens_later() -> None:
    world = SalesWorld()
    take(world, a_share_opening(B1), a_sale_share(100), a_booth_settling(B1))
    assert take(world, a_share_opening(B2), a_sale_share(50, 1, B2), a_sale_share(7)) == []
    [corrected] = take(world, a_booth_settling(B2))
    assert isinstance(corrected, SettlementCorrected)
    assert (corrected.revision, corrected.sold_rupiah) == (2, 157)


def test_figures_are_final_as_they_were_published_and_not_while_a_booth_sells_or_half_a_change_is_known() -> None:
    def is_final(*bodies: Body) -> bool:
        take(world, *bodies)
        page = SettlementPage.of(world.settlement())
        assert page.issued
        return page.final

    world = SalesWorld()
    assert is_final(a_share_opening(B1), a_sale_share(100), a_booth_settling(B1))
    assert not is_final(a_share_opening(B2), a_sale_share(50, 1, B2))
    assert is_final(a_booth_settling(B2))
    assert not is_final(a_sale_share(100, booth=B2, pooled=True, continued=True))
    assert is_final(a_pool_adjustment(-100, -1, booth=B2))


def test_a_booth_that_opens_later_and_sells_nothing_corrects_nothing() -> None:
    world = SalesWorld()
    take(world, a_share_opening(B1), a_sale_share(100), a_booth_settling(B1))
    assert take(world, a_share_opening(B2), a_booth_settling(B2)) == []


def test_a_facility_that_sold_nothing_hears_that_too() -> None:
    world = SalesWorld()
    [issued] = take(world, a_share_opening(), a_booth_settling())
    assert (issued.qty, issued.sold_rupiah) == (0, 0)


def test_facilities_do_not_wait_for_one_another() -> None:
    world = SalesWorld()
    published = take(
        world, a_share_opening(facility="LP-A"), a_share_opening(facility="LP-B"), a_booth_settling(facility="LP-B")
    )
    assert [body.facility for body in published] == ["LP-B"]
    assert world.settlement("LP-A").revision == 0


# unlabelled sales


def test_half_of_a_change_is_never_told_and_the_whole_is() -> None:
    world = SalesWorld()
    take(world, a_share_opening(), a_sale_share(500, 5, pooled=True), a_pool_adjustment(-300, -3), a_booth_settling())
    # 5 pieces were told, 2 are the facility's. All 5 go back, and so do the 3 that it never had.
    assert take(world, a_sale_share(-500, -5, pooled=True, continued=True)) == []
    assert world.settlement().qty == -3
    [corrected] = take(world, a_pool_adjustment(300, 3))
    assert (corrected.qty, corrected.sold_rupiah, corrected.revision) == (0, 0, 2)


def test_half_of_a_booths_change_is_not_told_by_another_booths_event_either() -> None:
    world = SalesWorld()
    take(
        world,
        a_share_opening(B1),
        a_share_opening(B2),
        a_sale_share(500, 5, B1, pooled=True),
        a_pool_adjustment(-300, -3, B1),
    )
    take(world, a_booth_settling(B1), a_booth_settling(B2))
    assert take(world, a_sale_share(-500, -5, B1, pooled=True, continued=True), a_sale_share(100, 1, B2)) == []
    [corrected] = take(world, a_pool_adjustment(300, 3, B1))
    assert (corrected.qty, corrected.sold_rupiah, corrected.revision) == (1, 100, 2)


def test_a_change_that_comes_to_nothing_in_the_end_is_not_told() -> None:
    world = SalesWorld()
    take(world, a_share_opening(), a_sale_share(100), a_booth_settling())
    assert take(world, a_sale_share(50, 1, pooled=True, continued=True), a_pool_adjustment(-50, -1)) == []


def test_unlabelled_sales_are_provisional_until_a_count_stands_behind_them() -> None:
    world = SalesWorld()
    [issued] = take(world, a_share_opening(), a_sale_share(70), a_sale_share(30, 2, pooled=True), a_booth_settling())
    assert (issued.qty, issued.provisional_qty, issued.provisional_rupiah) == (3, 2, 30)
    # The count moves nothing, and is told all the same: what was provisional is so no more.
    [corrected] = take(world, a_pool_adjustment(0, 0, counted=True))
    assert (corrected.qty, corrected.provisional_qty, corrected.provisional_rupiah) == (3, 0, 0)
    [late] = take(world, a_sale_share(10, 1, pooled=True))
    assert (late.qty, late.provisional_qty) == (4, 0)


def test_each_booth_is_counted_for_itself() -> None:
    world = SalesWorld()
    take(
        world,
        a_share_opening(B1),
        a_share_opening(B2),
        a_sale_share(30, 3, B1, pooled=True),
        a_sale_share(40, 4, B2, pooled=True),
    )
    take(world, a_pool_adjustment(0, 0, B1, counted=True), a_booth_settling(B1))
    [issued] = take(world, a_booth_settling(B2))
    assert (issued.qty, issued.provisional_qty, issued.provisional_rupiah) == (7, 4, 40)


# shares of the money


@given(
    st.integers(0, MAX_WHOLE),
    st.integers(0, 100).flatmap(lambda a: st.tuples(st.just(a), st.integers(0, 100 - a))),
)
def test_the_parts_are_whole_add_up_and_are_at_most_a_rupiah_off(rupiah: int, two: tuple[int, int]) -> None:
    by = Percentages(*two, 100 - sum(two))
    parts = split(rupiah, by)
    divided = (parts.facility_rupiah, parts.maker_premium_rupiah, parts.programme_rupiah)
    assert sum(divided) == rupiah
    for part, percent in zip(divided, (by.facility, by.maker, by.programme), strict=True):
        assert abs(part * 100 - rupiah * percent) < 100
        assert part == 0 or percent > 0


def test_who_lost_most_by_rounding_down_gets_the_rupiah_that_is_left() -> None:
    assert split(1, Percentages(60, 25, 15)) == Parts(1, 0, 0)
    assert split(7, Percentages(33, 33, 34)) == Parts(2, 2, 3)  # 2.31, 2.31, 2.38
    assert split(2, Percentages(50, 25, 25)) == Parts(1, 1, 0)


def test_percentages_that_do_not_add_up_are_refused_with_what_to_change() -> None:
    with pytest.raises(BadSettings, match=r"KARYA_FACILITY_PERCENT.*60, 30 and 15.*add up to 100"):
        percentages(Settings(maker_percent=30))
    assert percentages(Settings()) == Percentages(60, 25, 15)


def hold(booth: str = B1) -> ShareHoldRequested:
    return ShareHoldRequested(facility="LP-A", festival=ODOP, booth=booth, order="o1")


def answered(world: SalesWorld, booth: str = B1) -> bool:
    [answer] = world.settle_up(hold(booth))
    assert isinstance(answer, ShareHoldAnswered)
    assert (answer.key, answer.facility, answer.order) == (booth, "LP-A", "o1")
    return answer.held


def test_a_settlement_waits_for_a_booth_that_is_to_sell_again_until_it_was_issued() -> None:
    world = SalesWorld()
    take(world, a_share_opening(), a_share_opening(B2), a_booth_settling())
    assert answered(world)
    assert take(world, a_booth_settling(B2)) == []
    assert [type(body) for body in take(world, a_booth_settling())] == [SettlementIssued]
    assert not answered(world)
    assert take(world, a_sale_share(100)), "corrected, as it stays settled"


def test_a_complete_settlement_that_is_known_in_part_is_as_good_as_issued() -> None:
    world = SalesWorld()
    take(
        world,
        a_share_opening(),
        a_share_opening(B2),
        a_booth_settling(B2),
        a_sale_share(100, booth=B2, pooled=True, continued=True),
        a_booth_settling(),
    )
    assert not answered(world)
    [issued] = take(world, a_pool_adjustment(-100, -1, booth=B2))
    assert issued.sold_rupiah == 0


def test_a_booth_that_opened_after_a_settlement_is_in_none() -> None:
    world = SalesWorld()
    take(
        world,
        a_share_opening(),
        a_booth_settling(),
        a_share_opening(B2),
        a_share_opening("ODOP.B3"),
        a_booth_settling(B2),
    )
    assert answered(world, B2)
    assert not answered(world, B1)
