"""What a facility is owed: issued when every booth is settled, corrected after, shared to the rupiah."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain.settlement import Parts, Percentages, split
from services.sales.handlers import percentages
from shared.errors import BadSettings
from shared.events.language import MAX_WHOLE, Body
from shared.events.sales import (
    BoothSettled,
    SettlementCorrected,
    SettlementIssued,
    ShareEarned,
    ShareOpened,
    ShareReversed,
)
from shared.settings import Settings
from tests.unit.sales.builders import B1, B2, ODOP, World


def opened(booth: str = B1, facility: str = "LP-A") -> ShareOpened:
    return ShareOpened(facility=facility, festival=ODOP, booth=booth)


def earned(rupiah: int, qty: int = 1, booth: str = B1, facility: str = "LP-A") -> ShareEarned:
    return ShareEarned(
        facility=facility, festival=ODOP, booth=booth, sale="s", product="KTI", qty=qty, amount_rupiah=rupiah
    )


def reversed_(rupiah: int, qty: int = 1, booth: str = B1) -> ShareReversed:
    return ShareReversed(
        facility="LP-A", festival=ODOP, booth=booth, sale="s", product="KTI", qty=qty, amount_rupiah=rupiah
    )


def settled(booth: str = B1, facility: str = "LP-A") -> BoothSettled:
    return BoothSettled(facility=facility, festival=ODOP, booth=booth)


def take(world: World, *bodies: Body) -> list[Body]:
    return [said for body in bodies for said in world.settle_up(body)]


def test_a_settlement_is_issued_once_every_booth_that_opened_is_settled() -> None:
    world = World()
    assert take(world, opened(B1), opened(B2), earned(10_000, 2, B1), earned(5_000, 1, B2), settled(B1)) == []
    said = take(world, settled(B2))
    assert said == [
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
    world = World()
    take(world, opened(), earned(100), settled())
    [late] = take(world, earned(60))
    [void] = take(world, reversed_(100))
    assert isinstance(late, SettlementCorrected)
    assert isinstance(void, SettlementCorrected)
    assert [(one.revision, one.sold_rupiah, one.qty) for one in (late, void)] == [(2, 160, 2), (3, 60, 1)]


def test_a_settlement_waits_again_for_a_booth_that_opens_later() -> None:
    world = World()
    take(world, opened(B1), earned(100), settled(B1))
    assert take(world, opened(B2), earned(50, 1, B2), earned(7)) == []
    [corrected] = take(world, settled(B2))
    assert isinstance(corrected, SettlementCorrected)
    assert (corrected.revision, corrected.sold_rupiah) == (2, 157)


def test_a_booth_that_opens_later_and_sells_nothing_corrects_nothing() -> None:
    world = World()
    take(world, opened(B1), earned(100), settled(B1))
    assert take(world, opened(B2), settled(B2)) == []


def test_a_facility_that_sold_nothing_hears_that_too() -> None:
    world = World()
    [issued] = take(world, opened(), settled())
    assert isinstance(issued, SettlementIssued)
    assert (issued.qty, issued.sold_rupiah) == (0, 0)


def test_facilities_do_not_wait_for_one_another() -> None:
    world = World()
    said = take(world, opened(facility="LP-A"), opened(facility="LP-B"), settled(facility="LP-B"))
    assert [type(one) for one in said] == [SettlementIssued]
    assert world.settlement("LP-A").revision == 0


@given(
    st.integers(0, MAX_WHOLE),
    st.integers(0, 100).flatmap(lambda a: st.tuples(st.just(a), st.integers(0, 100 - a))),
)
def test_the_parts_are_whole_add_up_and_are_at_most_a_rupiah_off(rupiah: int, two: tuple[int, int]) -> None:
    by = Percentages(*two, 100 - sum(two))
    parts = split(rupiah, by)
    shared = (parts.facility_rupiah, parts.maker_premium_rupiah, parts.programme_rupiah)
    assert sum(shared) == rupiah
    for part, percent in zip(shared, (by.facility, by.maker, by.programme), strict=True):
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
