"""The end of a booth: when it is settled, what is said then, and how it is corrected after."""

from datetime import timedelta

import pytest

from services.sales.domain.booth import Booth, BoothStatus, TillHeard, hear
from services.sales.domain.sale import SaleStatus
from shared.events.festival import DisputeOutcome
from shared.events.language import Body, DeadlineReached
from shared.events.sales import (
    BoothSettled,
    DemandCounted,
    SaleDisputed,
    SalePublished,
    SaleRecorded,
    SaleVoidRecorded,
    SellThroughCounted,
    ShareEarned,
    ShareOpened,
    SoldThrough,
)
from tests.unit.sales.builders import (
    B1,
    DEADLINE,
    World,
    a_closing,
    a_count,
    a_last_word,
    a_loss,
    a_sale,
    a_stocking,
    a_void,
    a_word,
    an_opening,
    open_booth,
)

REJECTED = DisputeOutcome.REJECTED


def kinds(said: list[Body]) -> list[type[Body]]:
    return [type(body) for body in said]


def sell_through(said: list[Body]) -> SellThroughCounted:
    [found] = [body for body in said if isinstance(body, SellThroughCounted)]
    return found


def settled(qty: int = 10, **lots: int) -> World:
    """A booth that was settled at its deadline before anything was sold."""
    world = open_booth(qty, **lots)
    world.give(a_closing())
    world.fire()
    world.said.clear()
    return world


# which records of a till were heard


def test_a_till_is_complete_when_it_closed_and_no_record_is_missing() -> None:
    booth = Booth(B1)
    for seq in (2, 5, 1, 2, 4):
        booth = hear(booth, "T1", seq)
    assert booth.till("T1") == TillHeard("T1", ((1, 2), (4, 5)))
    assert not booth.till("T1").complete
    booth = hear(booth, "T1", 7, 7)
    assert booth.till("T1").missing == ((3, 3), (6, 6))
    booth = hear(hear(booth, "T1", 6), "T1", 3)
    assert booth.till("T1") == TillHeard("T1", ((1, 7),), 7)
    assert booth.till("T1").complete


def test_a_till_that_closes_again_has_more_to_say() -> None:
    booth = hear(hear(Booth(B1), "T1", 1, 1), "T1", 3, 3)
    assert booth.till("T1").missing == ((2, 2),)


def test_what_is_missing_of_an_open_till_are_its_gaps() -> None:
    assert TillHeard("T1", ((3, 4), (6, 6))).missing == ((1, 2), (5, 5))
    assert TillHeard("T1").missing == ()


# settling


def test_a_booth_is_settled_when_its_last_till_is_complete() -> None:
    world = open_booth()
    world.sell("s1", 1)
    world.give(a_last_word(2), a_closing(), a_last_word(2, "T2"))
    assert world.booth().status is BoothStatus.CLOSING
    said = world.give(a_count(1, "T2", L1=8))
    assert kinds(said) == [SellThroughCounted, BoothSettled, DemandCounted]
    report = sell_through(said)
    assert report.lots == (SoldThrough(lot="L1", stocked=10, sold=1, lost=0, unsold=9, counted=8),)
    assert (report.revision, report.disputed) == (1, ())
    # The deadline that was asked for comes all the same, and changes nothing.
    assert world.fire() == []


def test_a_booth_whose_tills_closed_before_is_settled_with_the_closing() -> None:
    world = open_booth()
    world.give(a_last_word(1), a_last_word(1, "T2"))
    assert kinds(world.give(a_closing())) == [SellThroughCounted, BoothSettled, DemandCounted]
    assert world.deadlines == {}


def test_a_till_that_festival_did_not_name_is_not_waited_for() -> None:
    world = open_booth()
    world.tell(a_sale(1, till="T9"))
    world.give(a_last_word(1), a_last_word(1, "T2"), a_closing())
    assert world.booth().status is BoothStatus.SETTLED
    assert world.lot().sold == 1


def test_a_booth_without_a_known_till_is_settled_by_its_deadline_only() -> None:
    world = World()
    world.give(a_stocking(), a_closing())
    assert world.booth().status is BoothStatus.CLOSING
    assert kinds(world.fire()) == [SellThroughCounted, BoothSettled, DemandCounted]


def test_what_still_waits_is_disputed_when_the_booth_is_settled() -> None:
    world = open_booth(3)
    world.sell("b", 1, qty=5)
    world.sell("a", 2, None, product="KUE")
    world.give(a_closing())
    said = world.fire()
    assert kinds(said) == [SaleDisputed, SaleDisputed, SellThroughCounted, BoothSettled, DemandCounted]
    assert sell_through(said).disputed == ("b", "a")
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
    world = World()
    world.give(an_opening(), a_stocking(), a_stocking(), a_stocking("L2"), a_stocking("X", facility="LP-B"))
    assert [share.facility for share in world.heard(ShareOpened)] == ["LP-A", "LP-B"]
    world.give(a_closing())
    world.fire()
    assert [share.facility for share in world.heard(BoothSettled)] == ["LP-A", "LP-B"]
    world.sell("s1")
    assert len(world.heard(BoothSettled)) == 2


def test_a_lower_count_is_no_sale() -> None:
    world = open_booth()
    assert world.give(a_count(1, L1=2)) == []
    assert (world.lot().sold, world.lot().unsold) == (0, 10)


def test_a_count_that_comes_before_the_stock_is_kept() -> None:
    world = World()
    world.give(a_count(1, L1=2), an_opening(), a_stocking(), a_closing())
    assert sell_through(world.fire()).lots[0].counted == 2


# after settling


def test_a_late_sale_is_recorded_up_to_what_is_unaccounted_for_else_disputed_at_once() -> None:
    world = settled(10)
    said = world.sell("s1", 1, qty=8)
    assert kinds(said) == [SaleRecorded, ShareEarned, SalePublished, SellThroughCounted, DemandCounted]
    assert (sell_through(said).revision, sell_through(said).lots[0].sold) == (2, 8)
    said = world.sell("s2", 2, qty=3)
    assert kinds(said) == [SaleDisputed, SellThroughCounted]
    assert (sell_through(said).revision, sell_through(said).disputed) == (3, ("s2",))


def test_a_late_void_corrects_what_was_counted_and_leaves_disputes_to_people() -> None:
    world = settled(3)
    world.sell("s1", 1, qty=3)
    world.sell("s2", 2, qty=3)
    said = world.give(a_void("s1", 3))
    assert sell_through(said).lots[0].unsold == 3
    assert world.status("s2") is SaleStatus.DISPUTED


def test_a_void_ends_a_dispute() -> None:
    world = settled(0)
    world.sell("s1", 1)
    said = world.give(a_void("s1"))
    assert kinds(said) == [SaleVoidRecorded, SellThroughCounted]
    assert sell_through(said).disputed == ()
    assert SaleRecorded not in kinds(world.give(a_word("s1")))


def test_what_changes_no_sum_of_a_settled_booth_is_not_reported_again() -> None:
    world = settled()
    assert world.give(a_last_word(1), a_closing()) == []


def test_a_late_loss_count_and_stock_are_reported_again() -> None:
    world = settled()
    assert sell_through(world.give(a_loss(1))).lots[0].lost == 1
    assert sell_through(world.give(a_count(1, L1=4))).lots[0].counted == 4
    said = world.give(a_stocking("X", facility="LP-B"))
    assert kinds(said) == [ShareOpened, SellThroughCounted, BoothSettled, DemandCounted]


def test_an_accepted_dispute_is_recorded_beyond_what_was_stocked() -> None:
    world = settled(3)
    world.sell("s1", 1, qty=5)
    said = world.give(a_word("s1"))
    assert kinds(said) == [SaleRecorded, ShareEarned, SalePublished, SellThroughCounted, DemandCounted]
    report = sell_through(said)
    assert report.disputed == ()
    assert report.lots == (SoldThrough(lot="L1", stocked=3, sold=5, lost=0, unsold=0, counted=None, beyond=2),)
    [recorded] = world.heard(SaleRecorded)
    assert recorded.dispute_accepted
    assert SaleVoidRecorded in kinds(world.give(a_void("s1")))
    assert (world.lot().unsold, world.lot().beyond) == (3, 0)


def test_an_accepted_dispute_without_a_lot_takes_the_products_oldest() -> None:
    world = settled(1, L2=5)
    world.sell("s1", 1, None, 6)
    world.sell("s2", 2, None, 5)
    assert world.status("s2") is SaleStatus.RECORDED
    world.give(a_word("s1"))
    assert (world.sale("s1").lot, world.sale("s1").lot_attributed) == ("L1", True)


def test_an_accepted_dispute_that_nobody_can_book_stays_in_dispute_and_is_said_again() -> None:
    world = settled()
    world.sell("s1", 1, "NOLABEL", product="KUE")
    said = world.give(a_word("s1"))
    assert kinds(said) == [SellThroughCounted]
    assert sell_through(said).disputed == ("s1",)
    assert sell_through(world.give(a_word("s1", REJECTED))).disputed == ()


def test_a_rejected_dispute_ends_and_is_reported() -> None:
    world = settled(0)
    world.sell("s1", 1)
    said = world.give(a_word("s1", REJECTED))
    assert kinds(said) == [SellThroughCounted]
    assert sell_through(said).disputed == ()
    assert world.status("s1") is SaleStatus.REJECTED


def test_a_word_on_a_sale_that_is_not_in_dispute_changes_no_sale() -> None:
    world = settled()
    world.sell("s1", 1)
    for sale in ("s1", "never"):
        assert kinds(world.give(a_word(sale, REJECTED))) == [SellThroughCounted]
    assert world.status("s1") is SaleStatus.RECORDED


def test_a_report_lists_at_most_a_thousand_disputes_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.sales.domain.closing.MOST_LISTED", 2)
    world = settled(0)
    for n in (1, 2, 3):
        world.sell(f"s{n}", n)
    assert world.heard(SellThroughCounted)[-1].disputed == ("s1", "s2")
    assert sell_through(world.give(a_word("s1", REJECTED))).disputed == ("s2", "s3")
