"""What other terms would change in a plan that waits to be accepted."""

from datetime import date

from services.festival.domain import Booth, Festival
from services.festival.domain.allocation.what_if import OtherTerms, WhatIf, may_be_asked, what_if
from services.festival.domain.stock import StockView
from tests.support.builders.festival import B1, B2, NOON, ODOP, FestivalWorld, a_request, a_world, an_accept


def asked(world: FestivalWorld, terms: OtherTerms) -> WhatIf:
    stock = [
        StockView(lot.id, 1, lot.facility, "KTI", date(2023, 4, 1), None, False, 10) for lot in world.lots.values()
    ]
    booths = [world.one(Booth, booth) for booth in (B1, B2)]
    return what_if(world.one(Festival, ODOP), world.request(), stock, booths, [], NOON, terms)


def a_plan_that_waits() -> FestivalWorld:
    """Two facilities with ten pieces each, and two booths that ask for six each: six pieces of either facility."""
    world = a_world()
    world.make("LA", 10, facility="LP-AAA")
    world.make("LB", 10, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 6), (B2, "KTI", 6), consent=False))
    return world


def shares(difference: WhatIf) -> dict[str, tuple[int, int]]:
    return {share.facility: (share.before, share.after) for share in difference.shares}


def test_the_same_terms_change_nothing() -> None:
    difference = asked(a_plan_that_waits(), OtherTerms())
    assert shares(difference) == {"LP-AAA": (6, 6), "LP-BBB": (6, 6)}
    assert (difference.planned_before, difference.planned_after) == (12, 12)


def test_without_a_facility_the_other_gives_what_it_has_and_the_rest_is_short_with_its_reason() -> None:
    difference = asked(a_plan_that_waits(), OtherTerms(without=("LP-AAA",)))
    assert shares(difference) == {"LP-AAA": (6, 0), "LP-BBB": (6, 10)}
    assert (difference.planned_before, difference.planned_after) == (12, 10)
    assert [(booth.booth, booth.before, booth.after) for booth in difference.booths] == [(B1, 6, 5), (B2, 6, 5)]
    assert all(booth.reason and booth.reason_id for booth in difference.booths)


def test_a_weight_moves_the_shares_towards_it() -> None:
    difference = asked(a_plan_that_waits(), OtherTerms(weights=(("LP-BBB", 2),)))
    assert shares(difference) == {"LP-AAA": (6, 4), "LP-BBB": (6, 8)}


def test_without_an_even_split_a_shortage_is_one_booths() -> None:
    difference = asked(a_plan_that_waits(), OtherTerms(without=("LP-AAA",), spread_evenly=False))
    assert sorted(booth.after for booth in difference.booths) == [4, 6]
    assert difference.shipments_after == 2


def test_a_plan_that_was_accepted_has_no_other_terms() -> None:
    world = a_plan_that_waits()
    assert may_be_asked(world.request())
    world.give(an_accept())
    assert not may_be_asked(world.request())
