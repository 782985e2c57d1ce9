"""Festival checks names in its commands, so that tills and plans can use all that it accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain import Booth, Festival
from shared.events import names
from shared.events.festival import (
    BoothOpened,
    CategoryLimit,
    CommandRefusal,
    CommandRefused,
    LeadTime,
    Price,
    ProgrammeWeight,
)
from shared.events.language import Body
from tests.support.builders.festival import ODOP, FestivalWorld, a_booth, a_shipment, an_announcement
from tests.support.examples import examples

pytestmark = pytest.mark.unit


def an_announced() -> FestivalWorld:
    world = FestivalWorld()
    world.give(an_announcement())
    return world


def test_a_name_with_an_underscore_goes_all_the_way() -> None:
    world = FestivalWorld()
    world.give(an_announcement("PEKAN_RAYA"))
    world.give(a_booth("PEKAN_RAYA.B_1", "KTI", tills=("KASIR_1",)))
    [booth] = world.all(Booth)
    assert (booth.id, booth.tills) == ("PEKAN_RAYA.B_1", ("KASIR_1",))
    assert names.BOOTH.wrong(booth.id) is None
    assert names.TILL.wrong("KASIR_1") is None


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        (a_booth("ODOP.B1", "kti"), "prices", names.PRODUCT),
        (a_booth("ODOP.B1", "KT1"), "prices", names.PRODUCT),
        (a_booth("ODOP.B1", "KAIN"), "prices", names.PRODUCT),
        (a_booth("ODOP.B1", tills=("T1", "KASIR/1")), "tills", names.TILL),
        (a_booth("ODOP.B1", tills=("a:b",)), "tills", names.TILL),
        (a_booth("ODOP.B.1", festival=ODOP), "booth", names.BOOTH),
        (a_booth("ODOP.-1", festival=ODOP), "booth", names.BOOTH),
        (
            a_booth(
                "ODOP.B1",
                prices=(Price(product="KTI", price_rupiah=1, category="a/b"),),
                limits=(CategoryLimit(category="a/b", qty=1),),
            ),
            "prices",
            names.CATEGORY,
        ),
        (an_announcement("NEW", weights=(ProgrammeWeight(facility="pr-kpg", weight=2),)), "weights", names.FACILITY),
        (an_announcement("NEW", lead_days=(LeadTime(facility="KUPANG", days=1),)), "lead_days", names.FACILITY),
        (an_announcement("A.B"), "festival", names.FESTIVAL),
        (a_shipment("S:1"), "shipment", names.SHIPMENT),
    ],
)
def test_a_name_that_nobody_could_use_is_refused_where_it_is_said(
    body: Body, field: str, rule: names.NameRule
) -> None:
    world = an_announced()
    assert world.refusal(body) == (field, CommandRefusal.BAD_NAME)
    assert world.bodies(CommandRefused)[-1].message.startswith(rule.words.english)


ODD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,8}", fullmatch=True)


@given(ODD, ODD, ODD, st.from_regex("[KTIkt1]{1,4}", fullmatch=True))
@examples(300)
def test_whatever_festival_takes_a_till_can_use(festival: str, booth: str, till: str, product: str) -> None:
    world = FestivalWorld()
    world.give(an_announcement(festival))
    if not world.all(Festival):
        assert names.FESTIVAL.wrong(festival) is not None
        return
    bodies = world.give(a_booth(f"{festival}.{booth}", product, festival=festival, tills=(till,)))
    usable = (
        names.BOOTH.wrong(f"{festival}.{booth}") is None
        and names.TILL.wrong(till) is None
        and names.PRODUCT.wrong(product) is None
    )
    assert any(isinstance(body, BoothOpened) for body in bodies) == usable
