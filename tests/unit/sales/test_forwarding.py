"""Records that count at another booth: strays, and booths that were opened by mistake."""

import pytest

from services.sales import handlers
from services.sales.domain import forwarding
from services.sales.domain.booth import BoothStatus
from services.sales.domain.booth import Forwarding as Forwarded
from services.sales.domain.forwarding import forwarded_record
from services.sales.domain.receipt import SaleStatus
from shared.events.festival import BoothForwarded
from shared.events.language import Body
from shared.events.sales import (
    BoothForwardingBegun,
    BoothForwardingRefused,
    BoothRedirected,
    DeviceForwarded,
    DeviceHeard,
    ForwardedAs,
    ForwardingContinued,
    ForwardingRefusal,
    LotCount,
    RecordForwarded,
    SaleAccounted,
)
from tests.support.builders.sales import (
    B1,
    B2,
    NOON,
    ODOP,
    PRICE,
    SalesWorld,
    a_cash_count,
    a_closing,
    a_count,
    a_drawer,
    a_drop,
    a_last_word,
    a_loss,
    a_move,
    a_sale,
    a_stocking,
    a_strike,
    a_void,
    a_withdrawal,
    an_opening,
    an_order,
)

WRONG = "odop.b1"
DEVICE = f"{WRONG}-T1"


def moving(stray: str = WRONG, to: str = B1, order: str = "o-1") -> BoothForwarded:
    return BoothForwarded(booth=stray, to=to, festival=ODOP, order=order)


def merging(booth: str = B2, to: str = B1, order: str = "o-1") -> BoothForwarded:
    return BoothForwarded(booth=booth, to=to, festival=ODOP, order=order, merge=True)


class Forwarding(SalesWorld):
    """A world whose forwarded records wait until a test lets them come."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[Body] = []

    def tell(self, body: Body, id: str | None = None, source: str = "test", subject: str | None = None) -> list[Body]:
        bodies = super().tell(body, id, source, subject)
        under_way = RecordForwarded | DeviceForwarded | ForwardingContinued
        self.under_way += [publication for publication in bodies if isinstance(publication, under_way)]
        return bodies

    def arrive(self) -> list[Body]:
        """Everything that is forwarded comes to its booth, in order."""
        bodies: list[Body] = []
        while self.under_way:
            bodies += self.tell(self.under_way.pop(0))
        return bodies


@pytest.fixture
def world() -> Forwarding:
    """B1 is open with 10 pieces of L1; a till sells 3 pieces at a booth that does not exist."""
    world = Forwarding()
    world.give(an_opening(), a_stocking("L1", 10))
    world.sell("s1", 1, "L1", 3, booth=WRONG)
    return world


# strays


def test_a_stray_sale_is_accepted_by_its_own_lane_and_waits(world: Forwarding) -> None:
    assert world.booth(WRONG).status is BoothStatus.UNKNOWN
    assert world.status("s1", WRONG) is SaleStatus.WAITING
    assert world.bodies(DeviceHeard) == [DeviceHeard(booth=WRONG, till="T1", device=DEVICE)]


def test_a_stray_is_published_to_the_right_booth_with_the_original_inside(world: Forwarding) -> None:
    bodies = world.give(moving())
    world.arrive()
    [forwarded] = world.bodies(RecordForwarded)
    assert (forwarded.key, forwarded.booth, forwarded.id) == (B1, WRONG, "s1")
    assert (forwarded.source, forwarded.time, forwarded.type) == (f"till/{WRONG}/T1", NOON, "ReceiptIssued")
    assert a_sale(1, "L1", 3, booth=WRONG).model_dump_json() == forwarded.record
    assert bodies[-1] == BoothForwardingBegun(festival=ODOP, booth=WRONG, to=B1, order="o-1", records=1)
    assert world.status("s1", B1) is SaleStatus.RECORDED
    assert world.lot("L1", B1).label_qty == 3


def test_its_number_counts_for_its_device_at_the_right_booth(world: Forwarding) -> None:
    world.give(moving())
    world.arrive()
    [device] = world.booth(B1).devices
    assert (device.device, device.till, device.seen) == (DEVICE, "T1", ((1, 1),))
    world.give(a_last_word(2, booth=WRONG))
    world.arrive()
    [device] = world.booth(B1).devices
    assert device.complete
    assert device.seen == ((1, 2),)


def test_what_comes_after_the_move_is_forwarded_at_once(world: Forwarding) -> None:
    world.give(moving())
    world.arrive()
    world.sell("s2", 2, "L1", 2, booth=WRONG)
    world.give(a_void("s1", 3, booth=WRONG, qty=1))
    world.arrive()
    assert world.lot("L1", B1).label_qty == 4
    assert world.sale("s1", B1).voided == 1
    assert world.booth(B1).devices[0].seen == ((1, 3),)


def test_a_moved_sale_counts_once_even_if_its_booth_is_opened_and_stocked_later(world: Forwarding) -> None:
    world.give(moving())
    world.arrive()
    sale = world.sale("s1", WRONG)
    assert (sale.status, sale.forwarded, sale.qty) == (SaleStatus.FORWARDED, 3, 3)
    [*_, last] = [body for body in world.bodies(SaleAccounted) if body.booth == WRONG]
    assert (last.forwarded, last.waiting, last.open_rupiah, last.revision) == (3, 0, 3 * PRICE, 2)
    world.give(an_opening(WRONG), a_stocking("L9", 10, WRONG))
    assert world.sale("s1", WRONG) == sale
    assert world.lot("L9", WRONG).sold == 0
    # Its own tills sell there from now on.
    world.sell("own", 1, "L9", 1, booth=WRONG, till="T7")
    assert world.under_way == []
    assert world.lot("L9", WRONG).sold == 1


def test_a_move_that_is_repeated_changes_nothing_and_another_booth_is_refused(world: Forwarding) -> None:
    world.give(moving())
    world.arrive()
    bodies = world.give(moving(order="o-2"))
    assert bodies == [BoothForwardingBegun(festival=ODOP, booth=WRONG, to=B1, order="o-2", records=1)]
    [refused] = world.give(moving(to=B2, order="o-3"))
    assert isinstance(refused, BoothForwardingRefused)
    assert (refused.reason, refused.other) == (ForwardingRefusal.ELSEWHERE, B1)


@pytest.mark.parametrize(
    ("stray", "reason"),
    [
        ("nobody.b1", ForwardingRefusal.NO_RECORDS),
        (B1, ForwardingRefusal.OPENED),
    ],
)
def test_only_a_booth_with_records_that_nobody_opened_is_moved(
    world: Forwarding, stray: str, reason: ForwardingRefusal
) -> None:
    [refused] = world.give(moving(stray, B2))
    assert isinstance(refused, BoothForwardingRefused)
    assert refused.reason is reason


def test_records_that_come_before_the_opening_are_no_strays_after_it(world: Forwarding) -> None:
    world.give(an_opening(WRONG), a_stocking("L1", 10, WRONG))
    assert world.status("s1", WRONG) is SaleStatus.RECORDED
    [refused] = world.give(moving())
    assert isinstance(refused, BoothForwardingRefused)


def test_every_kind_of_record_is_forwarded_as_it_came(world: Forwarding) -> None:
    world.give(
        a_drawer(2, 50_000, booth=WRONG),
        a_void("s1", 3, booth=WRONG, qty=1),
        a_count(4, booth=WRONG, L1=8),
        a_cash_count(5, f"{DEVICE}-2", 50_000, 50_000, booth=WRONG),
        a_last_word(6, booth=WRONG),
    )
    world.give(moving())
    world.arrive()
    booth = world.booth(B1)
    assert [device.complete for device in booth.devices] == [True]
    assert world.lot("L1").label_qty == 2
    assert world.lot("L1").latest is not None
    assert next(drawer for drawer in booth.drawers if drawer.cashier).counted_rupiah == 50_000


def test_a_mended_stray_keeps_its_own_id_at_the_right_booth() -> None:
    world = Forwarding()
    world.give(an_opening(), a_stocking("L1", 10))
    world.tell(a_sale(1, "L1", 3, booth=WRONG), "copy", f"till/{WRONG}/T1", subject="s1")
    world.give(moving())
    world.give(a_void("s1", 2, booth=WRONG, qty=1))
    world.arrive()
    assert world.sale("s1", B1).voided == 1
    assert world.booth(B1).early_voids == ()
    [device] = world.booth(B1).devices
    assert device.branches == world.booth(WRONG).devices[0].branches


def test_a_stray_for_a_settled_booth_is_a_late_sale() -> None:
    world = Forwarding()
    world.give(an_opening(tills=("T9",)), a_stocking("L1", 10), a_last_word(1, till="T9"), a_closing())
    assert world.booth(B1).status is BoothStatus.SETTLED
    world.sell("s1", 1, "L1", 3, booth=WRONG)
    world.give(moving())
    reports = [type(body).__name__ for body in world.arrive()]
    assert "SellThroughCounted" in reports
    assert world.lot("L1").sold == 3


# strays with many records


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Forwarding:
    """Seven records wait at a booth that does not exist, and at most two of them are forwarded at once."""
    monkeypatch.setattr(forwarding, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(handlers, "MOST_AT_ONCE", 2)
    world = Forwarding()
    world.give(an_opening(), a_stocking("L1", 20), a_drawer(1, 50_000, booth=WRONG))
    for seq in range(2, 7):
        world.sell(f"s{seq}", seq, "L1", 1, booth=WRONG)
    world.give(a_void("s3", 7, booth=WRONG, qty=1))
    return world


def forwarded_numbers(world: Forwarding) -> list[int]:
    return [forwarded_record(body).seq for body in world.bodies(RecordForwarded)]


def test_many_records_are_forwarded_in_bounded_parts_and_in_their_order(many: Forwarding) -> None:
    assert not [body for body in many.give(moving()) if isinstance(body, RecordForwarded)]
    steps = 0
    while parts := [body for body in many.under_way if isinstance(body, ForwardingContinued)]:
        many.under_way.remove(parts[0])
        outputs = many.tell(parts[0])
        assert len([body for body in outputs if isinstance(body, RecordForwarded)]) <= 2
        assert len(outputs) <= 2 * 2 + 1
        steps += 1
        assert many.booth(WRONG).unmoved == max(0, 7 - 2 * steps)
    assert steps == 4
    many.arrive()
    assert forwarded_numbers(many) == [1, 2, 3, 4, 5, 6, 7]
    assert [device.seen for device in many.booth(B1).devices] == [((1, 7),)]
    assert (many.lot("L1").label_qty, many.sale("s3").voided) == (4, 1)
    assert many.booth(WRONG).waiting == ()
    assert many.booth(WRONG).forwarding == Forwarded(B1, 7)


def test_what_comes_between_two_parts_is_forwarded_after_what_came_before_it(many: Forwarding) -> None:
    many.give(moving())
    many.tell(many.under_way.pop(0))
    late = many.sell("s8", 8, "L1", 2, booth=WRONG)
    assert not [body for body in late if isinstance(body, RecordForwarded)]
    many.arrive()
    many.sell("s9", 9, "L1", 1, booth=WRONG)
    many.arrive()
    assert forwarded_numbers(many) == list(range(1, 10))
    assert many.lot("L1").label_qty == 7
    assert many.booth(WRONG).waiting == ()


def test_a_part_that_comes_again_forwards_nothing_again(many: Forwarding) -> None:
    many.give(moving())
    first = many.under_way[0]
    many.arrive()
    assert many.tell(first, "again") == []
    many.give(moving(order="o-2"))
    many.arrive()
    assert forwarded_numbers(many) == [1, 2, 3, 4, 5, 6, 7]


def test_a_booth_that_is_opened_between_two_parts_keeps_nothing_that_was_ordered_away(many: Forwarding) -> None:
    many.give(moving())
    many.tell(many.under_way.pop(0))
    many.give(an_opening(WRONG), a_stocking("L1", 20, WRONG))
    many.sell("own", 8, "L1", 1, booth=WRONG)
    many.arrive()
    assert forwarded_numbers(many) == [1, 2, 3, 4, 5, 6, 7]
    assert (many.lot("L1").label_qty, many.lot("L1", WRONG).label_qty) == (4, 1)
    assert many.sale("s3").voided == 1
    assert many.booth(WRONG).forwarding is None


# what the tills of the booth hear


def test_the_tills_of_a_moved_or_merged_booth_hear_once_where_their_records_count(world: Forwarding) -> None:
    world.give(moving(), moving(order="o-2"), an_opening(B2), merging(), merging(order="o-3"))
    assert world.bodies(BoothRedirected) == [
        BoothRedirected(booth=WRONG, to=B1, merged=False),
        BoothRedirected(booth=B2, to=B1, merged=True),
    ]


def test_a_refused_move_or_merge_tells_the_tills_nothing(world: Forwarding) -> None:
    world.give(moving("nobody.b1"), moving(B1, B2), merging("ODOP.B9"))
    assert world.bodies(BoothRedirected) == []


# merging


@pytest.fixture
def twice() -> Forwarding:
    """B1 and B2 are open; B2 has 10 pieces of L1, and a till there has sold 3 of them."""
    world = Forwarding()
    world.give(an_opening(), an_opening(B2), a_stocking("L1", 10, B2), a_stocking("L2", 4, B2))
    world.sell("s1", 1, "L1", 3, booth=B2)
    return world


def test_a_merge_names_the_unsold_pieces_and_hands_the_devices_over(twice: Forwarding) -> None:
    twice.give(a_loss(1, "L1", B2), a_withdrawal("L2", B2))
    bodies = twice.give(merging())
    assert bodies[-1] == BoothForwardingBegun(
        festival=ODOP, booth=B2, to=B1, order="o-1", records=1, lots=(LotCount(lot="L1", qty=6),)
    )
    twice.arrive()
    [device] = twice.booth(B1).devices
    assert device == twice.booth(B2).devices[0]
    assert DeviceHeard(booth=B1, till="T1", device=f"{B2}-T1") in twice.bodies(DeviceHeard)


def test_sales_before_the_merge_stay_and_those_after_it_count_at_the_other_booth(twice: Forwarding) -> None:
    twice.give(merging(), a_move(7, "L1", B2), a_move(4, "L2", B2))
    twice.give(a_stocking("L1", 7), a_stocking("L2", 4))
    twice.sell("s2", 2, "L1", 2, booth=B2)
    twice.arrive()
    assert (twice.lot("L1", B2).sold, twice.lot("L1", B1).sold) == (3, 2)
    assert (twice.lot("L1", B2).unsold, twice.lot("L1", B1).unsold) == (0, 5)
    assert [device.seen for device in twice.booth(B1).devices] == [((1, 2),)]
    assert twice.booth(B2).receipts == 1


def test_the_first_booth_settles_without_its_tills_and_the_second_waits_for_them(twice: Forwarding) -> None:
    twice.give(merging(), a_move(7, "L1", B2), a_move(4, "L2", B2), a_closing(B2))
    assert twice.booth(B2).status is BoothStatus.SETTLED
    twice.arrive()
    twice.give(a_last_word(1, booth=B1), a_last_word(1, till="T2", booth=B1), a_closing(B1))
    assert twice.booth(B1).status is BoothStatus.CLOSING
    twice.give(a_last_word(2, booth=B2))
    twice.arrive()
    assert twice.booth(B1).status is BoothStatus.SETTLED


def test_a_void_of_a_sale_before_the_merge_stays_in_the_first_booths_books(twice: Forwarding) -> None:
    twice.give(merging(), a_move(7, "L1", B2))
    twice.arrive()
    bodies = twice.give(a_void("s1", 2, booth=B2, qty=1))
    [forwarded] = [body for body in bodies if isinstance(body, RecordForwarded)]
    assert forwarded.effect is ForwardedAs.NUMBER
    twice.arrive()
    assert twice.sale("s1", B2).voided == 1
    assert twice.booth(B1).early_voids == ()
    assert twice.booth(B1).devices[0].seen == ((1, 2),)
    twice.give(an_order("s1", 1, booth=B2))
    assert twice.sale("s1", B2).voided == 2


def test_a_drawer_is_counted_where_it_was_opened() -> None:
    world = Forwarding()
    world.give(an_opening(), an_opening(B2), a_drawer(1, 50_000, booth=B2), merging())
    world.arrive()
    world.give(a_cash_count(2, f"{B2}-T1-1", 50_000, 50_000, booth=B2), a_drawer(3, 10_000, booth=B2))
    world.arrive()
    assert [(drawer.float_rupiah, drawer.counted_rupiah) for drawer in world.booth(B2).drawers] == [(50_000, 50_000)]
    assert [(drawer.float_rupiah, drawer.counted_rupiah) for drawer in world.booth(B1).drawers] == [(10_000, None)]


def test_a_record_that_was_missing_at_the_merge_fills_its_gap_at_the_other_booth() -> None:
    world = Forwarding()
    world.give(an_opening(), an_opening(B2), a_stocking("L1", 10))
    world.sell("s2", 2, "L1", 1, booth=B2)
    world.give(merging())
    world.arrive()
    assert world.booth(B1).devices[0].branches[0].missing == ((1, 1),)
    world.tell(a_sale(1, "L1", 1, booth=B2), f"{B2}-T1-1")
    world.arrive()
    assert world.booth(B1).devices[0].branches[0].missing == ()


def test_a_booth_merges_once_and_only_an_open_one_of_the_festival() -> None:
    world = Forwarding()
    world.give(an_opening(), an_opening(B2), merging())
    for body in (merging(), merging("ODOP.B9"), BoothForwarded(booth=B1, to=B2, festival="X", order="o", merge=True)):
        [refused] = world.give(body.model_copy(update={"order": "o-9"}))
        assert isinstance(refused, BoothForwardingRefused), body


def test_records_go_on_through_a_booth_that_was_merged_itself(twice: Forwarding) -> None:
    twice.give(an_opening("ODOP.B3"), a_stocking("L1", 10, "ODOP.B3"), merging())
    twice.give(merging(B1, "ODOP.B3", "o-2"))
    twice.sell("s2", 2, "L1", 2, booth=B2)
    twice.arrive()
    assert twice.lot("L1", "ODOP.B3").sold == 2
    assert twice.booth("ODOP.B3").devices[0].seen == ((1, 2),)


def test_a_void_of_a_sale_before_two_merges_counts_once_and_keeps_its_number_at_the_last_booth(
    twice: Forwarding,
) -> None:
    twice.give(an_opening("ODOP.B3"), a_drawer(2, 50_000, booth=B2), merging(), merging(B1, "ODOP.B3", "o-2"))
    twice.arrive()
    drawer = f"{B2}-T1-2"
    twice.give(
        a_void("s1", 3, booth=B2, qty=1, refund_rupiah=PRICE),
        a_drop(4, drawer, 10_000, booth=B2),
        a_cash_count(5, drawer, 40_000, 40_000, booth=B2),
    )
    twice.arrive()
    assert twice.sale("s1", B2).voided == 1
    for later in (B1, "ODOP.B3"):
        booth = twice.booth(later)
        assert (booth.early_voids, booth.drawers) == ((), ()), later
        assert [device.seen for device in booth.devices] == [((1, 5),)], later


def test_a_receipt_that_comes_after_the_merge_meets_the_void_that_came_before_it(twice: Forwarding) -> None:
    twice.give(a_void("late", 1, booth=B2, till="T2", qty=2))
    assert [void.receipt for void in twice.booth(B2).early_voids] == ["late"]
    twice.give(merging(), a_move(7, "L1", B2))
    twice.arrive()
    twice.sell("late", 2, "L1", 2, booth=B2)
    twice.arrive()
    assert twice.status("late", B2) is SaleStatus.VOIDED
    assert twice.booth(B2).early_voids == ()
    assert twice.booth(B1).receipts == 0
    assert [device.seen for device in twice.booth(B1).devices] == [((1, 2),), ((1, 1),)]


def test_a_struck_tills_device_does_not_stand_for_the_till_of_that_name_at_the_other_booth(
    twice: Forwarding,
) -> None:
    twice.give(a_strike("T1", booth=B2), merging())
    twice.arrive()
    twice.give(a_last_word(1, till="T2"), a_closing())
    assert twice.booth(B1).status is BoothStatus.CLOSING, "T1 of B1 has sent nothing"
    twice.give(a_last_word(1))
    assert twice.booth(B1).status is BoothStatus.SETTLED


def test_a_stray_that_was_opened_after_its_move_merges_without_a_gap(world: Forwarding) -> None:
    stray = "ODOP.B9"
    world.sell("r1", 1, "L1", 1, booth=stray)
    world.give(moving(stray))
    world.arrive()
    world.give(an_opening(stray), a_stocking("L1", 5, stray))
    world.sell("r2", 2, "L1", 1, booth=stray)
    assert [device.seen for device in world.booth(B1).devices] == [((1, 1),)]
    world.give(merging(stray))
    world.give(a_last_word(3, booth=stray))
    world.arrive()
    [device] = world.booth(B1).devices
    assert (device.seen, device.complete) == (((1, 3),), True)
    assert (world.lot("L1", stray).sold, world.lot("L1", B1).sold) == (1, 1)
