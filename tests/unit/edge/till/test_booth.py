"""A till's knowledge of its booth."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.till.booth import BoothView, view
from edge.till.receipts import Receipts, known_receipts
from shared.events.festival import (
    BoothClosing,
    BoothStockLost,
    BoothStockMoved,
    LotRecounted,
    TillAdded,
    TillStruck,
)
from shared.events.language import Body
from shared.events.sales import BoothRedirected
from tests.support.builders.till import (
    BOOTH,
    NOW,
    a_device_notice,
    a_spooled_record,
    a_stocking,
    an_opening,
    changed,
    line,
    receipt,
    void,
    withdrawn,
)

NOTHING = Receipts({}, {})


def booth_view(*events: Body, till: str = "T1", device: str = "d1", receipts: Receipts = NOTHING) -> BoothView:
    return view(till, device, events, receipts)


def slices(events: list[Body], *devices: tuple[str, str]) -> list[int]:
    return [booth_view(*events, till=till, device=device).lots["L"].slice for till, device in devices]


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=5),
    st.lists(
        st.tuples(st.sampled_from(["T1", "T2", "T9"]), st.uuids().map(str)), min_size=1, max_size=6, unique=True
    ),
    st.integers(0, 6),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_slices_of_all_devices_and_of_names_without_one_sum_to_the_booths_stock(
    pieces: list[int], devices: list[tuple[str, str]], strikes: int, lost: int, moved: int
) -> None:
    events: list[Body] = [an_opening("T1", "T2", "T3"), *(a_stocking("L", qty) for qty in pieces)]
    events += [a_device_notice(till, device) for till, device in devices]
    struck, remaining = devices[:strikes], devices[strikes:]
    events += [TillStruck(booth=BOOTH, till=till, device=device) for till, device in struck]
    if lost := min(lost, sum(pieces)):
        events.append(BoothStockLost(booth=BOOTH, lot="L", qty=lost))
    if moved := min(moved, sum(pieces) - lost):
        events.append(BoothStockMoved(booth=BOOTH, lot="L", qty=moved, to="ODOP.B08"))
    assert all(part == 0 for part in slices(events, *struck))
    # A name that was not heard has the part of whoever comes under it.
    names = {"T1", "T2", "T3"} - {till for till, _ in devices}
    parts = slices(events, *remaining) + [slices(events, (name, "new"))[0] for name in sorted(names)]
    assert sum(parts) == sum(pieces) - lost - moved
    assert max(parts) - min(parts) <= 1


def test_a_device_takes_the_part_of_its_name_when_nobody_else_has_it() -> None:
    events: list[Body] = [an_opening("T1", "T2"), a_stocking("L", 10)]
    assert slices(events, ("T1", "d1"), ("T2", "d2")) == [5, 5]


def test_two_devices_of_one_name_have_a_part_each() -> None:
    events: list[Body] = [
        an_opening("T1"),
        a_stocking("L", 10),
        a_device_notice("T1", "d1"),
        a_device_notice("T1", "d2"),
    ]
    assert slices(events, ("T1", "d1"), ("T1", "d2")) == [5, 5]


def test_a_device_that_replaces_another_has_a_part_beside_it_until_that_is_struck() -> None:
    events: list[Body] = [an_opening("T1"), a_stocking("L", 10), a_device_notice("T1", "old")]
    assert slices(events, ("T1", "new")) == [5]
    events.append(TillStruck(booth=BOOTH, till="T1", device="old"))
    assert slices(events, ("T1", "old"), ("T1", "new")) == [0, 10]
    assert booth_view(*events, device="old").struck
    assert not booth_view(*events, device="new").struck


def test_a_name_that_is_struck_has_no_part_and_no_device_of_it() -> None:
    events: list[Body] = [an_opening("T1", "T2"), a_stocking("L", 10), a_device_notice("T2", "d2")]
    events.append(TillStruck(booth=BOOTH, till="T2"))
    assert slices(events, ("T1", "d1"), ("T2", "d2"), ("T2", "another")) == [10, 0, 0]


def test_a_device_of_which_one_branch_was_struck_keeps_its_part() -> None:
    events: list[Body] = [an_opening("T1"), a_stocking("L", 10), a_device_notice("T1", "d1")]
    events.append(TillStruck(booth=BOOTH, till="T1", device="d1", branch=2))
    assert slices(events, ("T1", "d1")) == [10]


def test_a_till_that_was_added_has_a_part() -> None:
    events: list[Body] = [an_opening("T1"), a_stocking("L", 10), TillAdded(booth=BOOTH, till="T2")]
    assert slices(events, ("T1", "d1"), ("T2", "d2")) == [5, 5]
    assert booth_view(*events, till="T2", device="d2").listed


def test_prices_are_those_of_the_highest_revision_that_is_valid() -> None:
    later, much_later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    booth = booth_view(
        changed(3, much_later, KTI=300),
        an_opening("T1", prices={"KTI": 100}),
        changed(4, later, KTI=400, KBS=40),
        changed(2, NOW, KTI=200),
    )
    assert [
        (booth.prices_at(moment).revision, booth.prices_at(moment).prices)
        for moment in (NOW - timedelta(microseconds=1), NOW, later, much_later)
    ] == [(1, {"KTI": 100}), (2, {"KTI": 200}), (4, {"KTI": 400, "KBS": 40}), (4, {"KTI": 400, "KBS": 40})]


def test_what_is_left_follows_this_devices_sales_and_voids() -> None:
    records = [
        a_spooled_record("r1", receipt(line(1, 3, lot="A"), line(2, 2))),
        a_spooled_record("r2", receipt(line(1, 2, lot="A"))),
        a_spooled_record("v", void("r2", (1, 1))),
    ]
    booth = booth_view(an_opening(), a_stocking("A", 10), a_stocking("B", 5), receipts=known_receipts(records, []))
    assert (booth.left_of_lot("A"), booth.left_of_lot("B")) == (6, 5)
    assert booth.left_of("KTI") == 9


def test_a_recount_replaces_what_was_counted_in_and_keeps_what_left() -> None:
    events: list[Body] = [an_opening("T1"), a_stocking("L", 4), BoothStockLost(booth=BOOTH, lot="L", qty=1)]
    first = a_stocking("L", 4)
    recount = LotRecounted(**first.model_dump() | {"qty": 40, "revision": 1})
    assert booth_view(*events, recount).lots["L"].stocked == 39
    assert booth_view(*events, recount, recount).lots["L"].stocked == 39
    assert booth_view(*events, recount, a_stocking("L", 5)).lots["L"].stocked == 44
    new = recount.model_copy(update={"lot": "N", "qty": 3})
    assert booth_view(*events, new).left_of_lot("N") == 3


def test_a_withdrawn_lot_is_not_left() -> None:
    receipts = known_receipts([a_spooled_record("r1", receipt(line(1, 3, lot="A")))], [])
    booth = booth_view(an_opening(), a_stocking("A", 10), a_stocking("B", 5), withdrawn("A"), receipts=receipts)
    assert booth.left_of("KTI") == 5
    assert booth.left_of_lot("A") <= 0
    assert booth.withdrawn == {"A"}


def test_oldest_lots_come_first() -> None:
    booth = booth_view(
        an_opening(),
        a_stocking("B", 1, days_old=1),
        a_stocking("A", 1, days_old=1),
        a_stocking("C", 1, days_old=9),
        a_stocking("D", 1, product="KBS"),
    )
    assert [lot.id for lot in booth.lots_of("KTI")] == ["C", "A", "B"]


def test_a_till_that_heard_nothing_knows_nothing() -> None:
    booth = booth_view()
    assert (booth.listed, booth.lots, booth.closing, booth.zone) == (False, {}, None, None)
    assert (booth.prices_at(NOW).revision, booth.prices_at(NOW).prices) == (0, {})
    assert booth.left_of("KTI") == 0


def test_the_closing_and_the_zone_are_known() -> None:
    booth = booth_view(an_opening("T2"), BoothClosing(booth=BOOTH, festival="ODOP", deadline=NOW))
    assert (booth.closing, booth.zone, booth.listed) == (NOW, "Asia/Makassar", False)


def redirected(merged: bool, to: str = "ODOP.B08") -> BoothRedirected:
    return BoothRedirected(booth=BOOTH, to=to, merged=merged)


def test_a_till_learns_where_its_records_count() -> None:
    assert booth_view(an_opening()).redirected is None
    assert booth_view(an_opening(), redirected(merged=True)).redirected == redirected(merged=True)
    assert booth_view(redirected(merged=False)).redirected == redirected(merged=False)


def test_a_stray_booth_that_is_opened_later_is_a_booth_of_its_own() -> None:
    opened = [an_opening(), redirected(merged=False)]
    assert booth_view(*opened).redirected is None
    assert booth_view(*opened, redirected(merged=True, to="ODOP.B09")).redirected is not None
