"""Tills that are added to a booth or struck from it."""

import pytest

from services.festival.domain import Booth
from shared.events.festival import (
    AddTill,
    CancelFestival,
    CommandRefusal,
    StrikeTill,
    TillAdded,
    TillStruck,
)
from shared.events.language import Body
from tests.support.builders.festival import (
    B1,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_closing,
    a_sell_through,
    a_world,
)

FIRST = f"{B1}.T1"


def add(till: str = "T2", booth: str = B1) -> AddTill:
    return AddTill(festival=ODOP, booth=booth, till=till)


def strike(till: str = FIRST, device: str | None = None, booth: str = B1) -> StrikeTill:
    return StrikeTill(festival=ODOP, booth=booth, till=till, device=device)


def tills(world: FestivalWorld) -> tuple[str, ...]:
    return world.one(Booth, B1).tills


def test_a_till_is_added_once() -> None:
    world = a_world()
    assert world.give(add()) == [TillAdded(booth=B1, till="T2")]
    assert tills(world) == (FIRST, "T2")
    assert world.refusal(add()) == ("till", CommandRefusal.ALREADY_EXISTS)


def test_a_booth_has_no_more_tills_than_it_could_be_opened_with() -> None:
    world = a_world(a_booth("ODOP.B3", tills=tuple(f"T{n}" for n in range(50))))
    assert world.refusal(add("T50", "ODOP.B3")) == ("till", CommandRefusal.TOO_MANY)


@pytest.mark.parametrize("end", [a_closing(), a_booth_closing(), CancelFestival(festival=ODOP)])
def test_a_till_is_added_only_while_booth_and_festival_are_open(end: Body) -> None:
    assert a_world(end).refusal(add())[1] is CommandRefusal.WRONG_STATE


def test_an_unknown_booth_has_no_tills() -> None:
    for body in (add(booth="ODOP.B9"), strike(booth="ODOP.B9")):
        assert a_world().refusal(body) == ("booth", CommandRefusal.UNKNOWN_BOOTH)


@pytest.mark.parametrize("ended", [(), (a_booth_closing(),), (a_closing(),)])
@pytest.mark.parametrize("till", [FIRST, "T9"])
def test_one_device_is_struck_while_the_booth_is_open_or_closing_whether_its_till_is_listed_or_not(
    till: str, ended: tuple[Body, ...]
) -> None:
    world = a_world(*ended)
    for _ in range(2):
        assert world.give(strike(till, "d-1")) == [TillStruck(booth=B1, till=till, device="d-1")]
    assert tills(world) == (FIRST,)


def test_a_till_that_is_struck_whole_can_be_added_anew() -> None:
    world = a_world()
    assert world.give(strike()) == [TillStruck(booth=B1, till=FIRST)]
    assert tills(world) == ()
    assert world.give(strike()) == [TillStruck(booth=B1, till=FIRST)]
    assert world.give(add(FIRST)) == [TillAdded(booth=B1, till=FIRST)]


def test_a_settled_booth_waits_for_no_till() -> None:
    world = a_world(a_closing(), a_sell_through())
    assert world.refusal(strike()) == ("booth", CommandRefusal.WRONG_STATE)
