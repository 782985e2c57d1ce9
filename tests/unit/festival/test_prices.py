"""A booth's price list, as the organiser changes it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.festival.api.pages import BoothPage
from services.festival.domain import Booth
from shared.events.festival import (
    BoothOpened,
    CancelFestival,
    ChangePrice,
    CommandRefusal,
    CommandRefused,
    Price,
    PricesChanged,
)
from tests.support.builders.festival import (
    B1,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_closing,
    a_world,
    kinds,
)

HOUR = timedelta(hours=1)
# The festival's last day is over at midnight in WITA.
END = datetime(2023, 4, 20, 16, 0, tzinfo=UTC)


def a_change(
    product: str = "KTI", rupiah: int = 12_000, valid_from: datetime | None = None, booth: str = B1
) -> ChangePrice:
    return ChangePrice(festival=ODOP, booth=booth, product=product, price_rupiah=rupiah, valid_from=valid_from)


def prices(world: FestivalWorld) -> dict[str, int]:
    return {tag.product: tag.price_rupiah for tag in world.one(Booth, B1).prices}


def test_a_booth_opens_with_list_1_and_says_its_zone() -> None:
    world = a_world()
    assert {body.zone for body in world.bodies(BoothOpened)} == {"Asia/Makassar"}
    page = BoothPage.of(world.one(Booth, B1))
    assert (page.price_list, page.prices_from) == (1, None)


def test_a_change_makes_the_next_list_which_is_said_whole() -> None:
    world = a_world()
    world.give(a_booth("ODOP.B3", prices=(Price(product="KTI", price_rupiah=10, category="tenun"),)))
    assert world.give(a_change(booth="ODOP.B3")) == [
        PricesChanged(
            booth="ODOP.B3",
            revision=2,
            valid_from=NOON,
            prices=(Price(product="KTI", price_rupiah=12_000, category="tenun"),),
        )
    ]


def test_a_later_change_keeps_the_ones_before() -> None:
    world = a_world()
    world.give(a_change("KTI", 12_000, NOON + HOUR))
    [later] = world.give(a_change("KRJ", 9_000, NOON + 2 * HOUR))
    assert isinstance(later, PricesChanged)
    assert (later.revision, later.valid_from) == (3, NOON + 2 * HOUR)
    assert {price.product: price.price_rupiah for price in later.prices} == {
        "KTI": 12_000,
        "KRJ": 9_000,
        "KUE": 10_000,
    }
    page = BoothPage.of(world.one(Booth, B1))
    assert (page.price_list, page.prices_from) == (3, NOON + 2 * HOUR)


def test_two_changes_can_be_valid_from_the_same_moment() -> None:
    world = a_world()
    for rupiah in (12_000, 13_000):
        world.give(a_change(rupiah=rupiah, valid_from=NOON + HOUR))
    assert prices(world)["KTI"] == 13_000


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (a_change("SVR"), "product", CommandRefusal.NO_PRICE),
        (a_change(booth="ODOP.B9"), "booth", CommandRefusal.UNKNOWN_BOOTH),
        (a_change(valid_from=NOON - timedelta(milliseconds=1)), "valid_from", CommandRefusal.OUT_OF_RANGE),
        (a_change(valid_from=END + timedelta(milliseconds=1)), "valid_from", CommandRefusal.WRONG_DAYS),
    ],
)
def test_a_wrong_change(change: ChangePrice, field: str, reason: CommandRefusal) -> None:
    assert a_world().refusal(change) == (field, reason)


def test_a_change_can_be_valid_to_the_end_of_the_last_day() -> None:
    assert kinds(a_world().give(a_change(valid_from=END))) == ["PricesChanged"]


def test_a_change_after_the_last_day_is_valid_from_now_on() -> None:
    world = a_world()
    world.now = END + HOUR
    [changed] = world.give(a_change())
    assert isinstance(changed, PricesChanged)
    assert changed.valid_from == END + HOUR


@pytest.mark.parametrize("valid_from", [None, NOON + HOUR])
def test_a_change_never_goes_back_before_a_list_that_is_published(valid_from: datetime | None) -> None:
    world = a_world()
    world.give(a_change(valid_from=NOON + 2 * HOUR))
    assert world.refusal(a_change("KRJ", valid_from=valid_from)) == ("valid_from", CommandRefusal.OUT_OF_RANGE)
    refused = world.bodies(CommandRefused)[-1]
    assert "Price list 2 is valid from 2023-04-18 14:00 WITA" in refused.message


@pytest.mark.parametrize("end", [a_closing(), a_booth_closing(), CancelFestival(festival=ODOP)])
def test_prices_change_only_while_booth_and_festival_are_open(end: object) -> None:
    world = a_world(end)  # type: ignore[arg-type]
    assert world.refusal(a_change())[1] is CommandRefusal.WRONG_STATE


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["KTI", "KRJ", "KUE", "SVR"]),
            st.integers(0, 50_000),
            st.one_of(st.none(), st.integers(-2, 80)),
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_order_of_changes_lists_are_numbered_without_gaps_and_never_go_back(
    changes: list[tuple[str, int, int | None, int]],
) -> None:
    world = a_world()
    expected = prices(world)
    for product, rupiah, hours, passed in changes:
        world.now += passed * HOUR
        valid_from = None if hours is None else NOON + hours * HOUR
        for change in world.give(a_change(product, rupiah, valid_from)):
            if isinstance(change, PricesChanged):
                expected[product] = rupiah
                assert change.valid_from == (valid_from or world.now)
                assert {price.product: price.price_rupiah for price in change.prices} == expected
    lists = world.bodies(PricesChanged)
    assert [price_list.revision for price_list in lists] == list(range(2, len(lists) + 2))
    moments = [price_list.valid_from for price_list in lists]
    assert moments == sorted(moments)
    assert prices(world) == expected
