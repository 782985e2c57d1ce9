"""The open steps that an organiser sees until a festival is closed."""

from services.festival.api.pages import BoothPage, MissingPages
from services.festival.domain import Booth, Festival, Shipment, Transfer
from services.festival.domain.missing import Missing, MissingKind, missing
from shared.events.festival import CancelFestival
from tests.support.builders.festival import (
    B1,
    B2,
    ODOP,
    FestivalWorld,
    a_booth_closing,
    a_closing,
    a_receipt,
    a_request,
    a_return,
    a_sell_through,
    a_shipment,
    a_transfer,
    a_world,
    an_arrival,
)


def steps(world: FestivalWorld) -> list[Missing]:
    return missing(world.one(Festival, ODOP), world.all(Booth), world.all(Shipment), world.all(Transfer))


def missing_kinds(world: FestivalWorld) -> list[MissingKind]:
    return [step.what for step in steps(world)]


def world_with_shipment() -> FestivalWorld:
    """Four pieces of LA have left for the first booth."""
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 4)))
    world.settle()
    world.give(a_shipment())
    return world


def closing(sold: int | None = None) -> FestivalWorld:
    """All four arrived, and the second booth, always empty, is settled."""
    world = world_with_shipment()
    world.settle()
    world.give(a_receipt(LA=4))
    world.give(a_closing())
    world.give(a_sell_through(B2))
    if sold is not None:
        world.give(a_sell_through(B1, LA=sold))
    return world


def test_an_open_festival_waits_to_be_closed() -> None:
    assert missing_kinds(a_world()) == [MissingKind.NOT_CLOSED]


def test_what_is_on_its_way_must_be_received_first() -> None:
    world = world_with_shipment()
    assert missing_kinds(world) == [MissingKind.NOT_RECEIVED, MissingKind.NOT_CLOSED]
    assert "inventory" in str(steps(world)[0].message)
    world.settle()
    [on_its_way, _] = steps(world)
    assert (on_its_way.shipment, on_its_way.booth, on_its_way.qty) == ("S1", B1, 4)
    world.give(a_receipt(LA=3))
    assert missing_kinds(world) == [MissingKind.NOT_CLOSED]


def test_a_transfer_on_its_way_must_be_received_first() -> None:
    world = world_with_shipment()
    world.settle()
    world.give(a_receipt(LA=4))
    world.give(a_transfer(LA=3))
    [on_its_way, _] = steps(world)
    assert (on_its_way.transfer, on_its_way.booth, on_its_way.qty) == ("T1", B2, 3)
    assert missing_kinds(world) == [MissingKind.NOT_RECEIVED, MissingKind.NOT_CLOSED]
    world.give(an_arrival(LA=3))
    assert missing_kinds(world) == [MissingKind.NOT_CLOSED]


def test_a_closing_festival_waits_for_sales_and_for_what_is_left() -> None:
    assert [(step.what, step.booth) for step in steps(closing())] == [(MissingKind.NOT_SETTLED, B1)]
    [step] = steps(closing(1))
    assert (step.what, step.booth, step.lot, step.qty) == (MissingKind.NOT_HOME, B1, "LA", 3)


def test_what_was_counted_is_said_and_what_is_unexplained() -> None:
    world = closing()
    world.give(a_sell_through(B1, seen={"LA": (0, 3)}, LA=1))
    [step] = steps(world)
    assert str(step.message) == (
        f"0 pieces of LA were counted at {B1}, 3 are unexplained: receive what comes home, 0 if nothing does."
    )
    assert (step.what, step.qty, step.counted, step.unexplained) == (MissingKind.NOT_HOME, 3, 0, 3)
    world.give(a_return("LA", 1, final=False))
    assert "3 are unexplained, 1 came home since:" in str(steps(world)[0].message)


def test_the_sell_through_of_the_highest_revision_has_the_last_count() -> None:
    world = closing()
    world.give(a_sell_through(B1, 2, seen={"LA": (2, 1)}, LA=1))
    world.give(a_sell_through(B1, 1, seen={"LA": (0, 3)}, LA=1))
    [step] = MissingPages.of(world.one(Festival, ODOP), steps(world)).missing
    assert (step.counted, step.unexplained) == (2, 1)
    [lot] = BoothPage.of(world.one(Booth, B1)).lots
    assert (lot.counted, lot.unexplained, lot.left) == (2, 1, 3)


def test_what_came_home_waits_for_inventory() -> None:
    world = closing(1)
    world.give(a_return("LA", 2))
    [coming] = steps(world)
    assert (coming.what, coming.lot, coming.qty) == (MissingKind.NOT_STOCKED, "LA", 2)
    world.settle()
    assert missing_kinds(world) == []


def test_a_sale_in_dispute_is_shown_and_stops_nothing() -> None:
    world = closing(4)
    world.give(a_sell_through(B1, 2, ("sale-1",), LA=4))
    [dispute] = steps(world)
    assert (dispute.what, dispute.sale, dispute.blocks) == (MissingKind.DISPUTED, "sale-1", False)


def test_a_cancelled_festival_lacks_nothing() -> None:
    world = a_world(CancelFestival(festival=ODOP))
    assert missing_kinds(world) == []


def test_a_booth_that_closed_early_is_waited_for_while_the_festival_goes_on() -> None:
    world = world_with_shipment()
    world.settle()
    world.give(a_receipt(LA=4))
    world.give(a_booth_closing())
    assert missing_kinds(world) == [MissingKind.NOT_SETTLED, MissingKind.NOT_CLOSED]
    world.give(a_sell_through(B1, LA=1))
    step = steps(world)[0]
    assert (step.what, step.qty) == (MissingKind.NOT_HOME, 3)
    world.give(a_return("LA", 3))
    world.settle()
    assert missing_kinds(world) == [MissingKind.NOT_CLOSED]
