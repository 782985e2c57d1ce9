"""The end of a booth: its settlement, the reports of it, and later corrections."""

from datetime import timedelta

import pytest

from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import SaleStatus
from shared.events.festival import DisputeOutcome
from shared.events.language import Body, DeadlineReached
from shared.events.sales import (
    BoothSettled,
    DemandCounted,
    DeviceHeard,
    SaleAccounted,
    SaleShared,
    SellThroughCounted,
    ShareOpened,
    SoldThrough,
)
from tests.support.builders.sales import (
    B1,
    DEADLINE,
    SalesWorld,
    a_closing,
    a_count,
    a_last_word,
    a_loss,
    a_stocking,
    a_void,
    a_word,
    an_opening,
    open_booth,
)

REJECTED = DisputeOutcome.REJECTED


def kinds(published: list[Body]) -> list[type[Body]]:
    """The kinds of the publications, without DeviceHeard."""
    return [type(body) for body in published if not isinstance(body, DeviceHeard)]


def sell_through(published: list[Body]) -> SellThroughCounted:
    [report] = [body for body in published if isinstance(body, SellThroughCounted)]
    return report


def settled_world(qty: int = 10, **lots: int) -> SalesWorld:
    """A booth that was settled at its deadline before anything was sold."""
    world = open_booth(qty, **lots)
    world.give(a_closing())
    world.fire()
    world.published.clear()
    return world


# settling


def test_a_booth_is_settled_when_its_last_till_is_complete() -> None:
    world = open_booth()
    world.sell("s1", 1)
    world.give(a_last_word(2), a_closing(), a_last_word(2, "T2"))
    assert world.booth().status is BoothStatus.CLOSING
    published = world.give(a_count(1, "T2", L1=8))
    assert kinds(published) == [SellThroughCounted, BoothSettled, DemandCounted]
    report = sell_through(published)
    assert report.lots == (SoldThrough(lot="L1", stocked=10, sold=1, lost=0, unsold=9, counted=8, unexplained=1),)
    assert (report.revision, report.disputed) == (1, ())
    # The deadline that was asked for comes all the same, and changes nothing.
    assert world.fire() == []


def test_a_booth_whose_tills_closed_before_is_settled_with_the_closing() -> None:
    world = open_booth()
    world.give(a_last_word(1), a_last_word(1, "T2"))
    assert kinds(world.give(a_closing())) == [SellThroughCounted, BoothSettled, DemandCounted]
    assert world.deadlines == {}


def test_a_booth_without_a_known_till_is_settled_by_its_deadline_only() -> None:
    world = SalesWorld()
    world.give(a_stocking(), a_closing())
    assert world.booth().status is BoothStatus.CLOSING
    assert kinds(world.fire()) == [SellThroughCounted, BoothSettled, DemandCounted]


def test_what_still_waits_is_disputed_when_the_booth_is_settled() -> None:
    world = open_booth(3)
    world.sell("b", 1, qty=5)
    world.sell("a", 2, None, product="KUE")
    world.give(a_closing())
    published = world.fire()
    assert kinds(published) == [SaleAccounted, SaleAccounted, SellThroughCounted, BoothSettled, DemandCounted]
    assert sell_through(published).disputed == ("b/1", "a/1")
    assert [world.status(sale) for sale in "ab"] == [SaleStatus.DISPUTED] * 2
    assert world.booth().waiting == ()


def test_only_the_deadline_that_is_pending_settles() -> None:
    world = open_booth()
    early = DeadlineReached(key=B1, deadline=B1, due=DEADLINE)
    assert world.give(early) == []
    world.give(a_closing(), a_closing(deadline=DEADLINE + timedelta(hours=1)))
    assert world.give(early) == []
    assert world.booth().status is BoothStatus.CLOSING
    assert kinds(world.fire()) == [SellThroughCounted, BoothSettled, DemandCounted]


def test_a_facility_is_told_once_that_the_booth_holds_its_goods_and_once_that_it_is_settled() -> None:
    world = SalesWorld()
    world.give(an_opening(), a_stocking(), a_stocking(), a_stocking("L2"), a_stocking("X", facility="LP-B"))
    assert [share.facility for share in world.bodies(ShareOpened)] == ["LP-A", "LP-B"]
    world.give(a_closing())
    world.fire()
    assert [share.facility for share in world.bodies(BoothSettled)] == ["LP-A", "LP-B"]
    world.sell("s1")
    assert len(world.bodies(BoothSettled)) == 2


# after settling


def test_a_late_sale_is_recorded_up_to_what_is_unaccounted_for_else_disputed_at_once() -> None:
    world = settled_world(10)
    published = world.sell("s1", 1, qty=8)
    assert kinds(published) == [SaleAccounted, SaleShared, SellThroughCounted, DemandCounted]
    assert (sell_through(published).revision, sell_through(published).lots[0].sold) == (2, 8)
    published = world.sell("s2", 2, qty=3)
    assert (world.sale("s2").recorded, world.sale("s2").disputed) == (2, 1)
    assert (sell_through(published).revision, sell_through(published).disputed) == (3, ("s2/1",))


def test_a_late_void_corrects_what_was_counted_and_leaves_disputes_to_people() -> None:
    world = settled_world(3)
    world.sell("s1", 1, qty=3)
    world.sell("s2", 2, qty=3)
    published = world.give(a_void("s1", 3, qty=3))
    assert sell_through(published).lots[0].unsold == 3
    assert (world.sale("s2").recorded, world.status("s2")) == (0, SaleStatus.DISPUTED)


def test_what_changes_no_sum_of_a_settled_booth_is_not_reported_again() -> None:
    world = settled_world()
    assert kinds(world.give(a_last_word(1), a_closing())) == []


def test_what_moves_between_the_lots_of_a_settled_booth_is_reported_again() -> None:
    world = settled_world(5)
    world.give(a_stocking("X", 5, facility="LP-B"))
    world.sell("s1", 1, None, 4)
    published = world.give(a_count(2, L1=5, X=1))
    assert [(lot.lot, lot.sold) for lot in sell_through(published).lots] == [("L1", 0), ("X", 4)]
    # Both makers hear what their goods sold now.
    assert [body.facility for body in published if isinstance(body, DemandCounted)] == ["LP-A", "LP-B"]


def test_a_late_loss_count_and_stock_are_reported_again() -> None:
    world = settled_world()
    assert sell_through(world.give(a_loss(1))).lots[0].lost == 1
    assert sell_through(world.give(a_count(1, L1=4))).lots[0].counted == 4
    published = world.give(a_stocking("X", facility="LP-B"))
    assert kinds(published) == [ShareOpened, SellThroughCounted, BoothSettled, DemandCounted]


def test_a_report_lists_at_most_a_thousand_disputes_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.sales.domain.closing.MOST_LISTED", 2)
    world = settled_world(0)
    for n in (1, 2, 3):
        world.sell(f"s{n}", n)
    assert world.bodies(SellThroughCounted)[-1].disputed == ("s1/1", "s2/1")
    assert sell_through(world.give(a_word("s1/1", REJECTED))).disputed == ("s2/1", "s3/1")
