"""Devices: the records received from each, and the records that a booth waits for.

`a3` stands for the third record of holder `a` of a device's identity.
"""

from datetime import timedelta

from services.sales.domain.booth import BoothStatus
from services.sales.domain.device import Device, join, receive_record, strike
from shared.events.language import Body
from shared.events.sales import DeviceHeard
from tests.support.builders.sales import (
    B1,
    NOON,
    SalesWorld,
    a_closing,
    a_last_word,
    a_sale,
    a_strike,
    a_till_more,
    a_void,
    an_introduction,
    an_opening,
    open_booth,
)

Devices = tuple[Device, ...]


def device_after(devices: Devices, *records: str | tuple[str, str]) -> Devices:
    """The device after these records. Each follows the holder's record before; a pair names another predecessor. A
    name with `!` is a TillClosed."""
    for record in records:
        name, previous = record if isinstance(record, tuple) else (record, None)
        closes, name = name.endswith("!"), name.rstrip("!")
        seq = int(name[1:])
        if previous is None and seq > 1:
            previous = f"{name[0]}{seq - 1}"
        body = an_introduction(seq, device="D", previous=previous)
        devices, _ = receive_record(devices, body, name, seq if closes else None)
    return devices


def branches(devices: Devices) -> list[tuple[tuple[tuple[int, int], ...], bool]]:
    """The numbers received of each branch, and whether it is complete."""
    [device] = devices
    return [(branch.seen, branch.complete) for branch in device.branches]


def test_a_device_is_complete_when_it_closed_and_no_record_is_missing() -> None:
    devices = device_after((), "a2", "a1", "a4", "a5")
    assert branches(devices) == [(((1, 2), (4, 5)), False)]
    devices = device_after(devices, "a7!")
    assert devices[0].branches[0].missing == ((3, 3), (6, 6))
    devices = device_after(devices, "a6", "a3")
    assert branches(devices) == [(((1, 7),), True)]


def test_the_records_that_another_booth_knows_join_those_of_the_same_device() -> None:
    known = device_after((), "a1", "a2", ("b2", "a1"))
    [copy] = device_after(known, "a3", "a4", "b3!", "a6")
    joined = join(known, copy)
    assert joined == (copy,)
    assert join(joined, known[0]) == joined, "heard late"
    [other] = device_after((), "a1", "a2", "a3", "a4", "a5!")
    assert branches(join(device_after((), "a2", "a4"), other)) == [(((1, 5),), True)]


def test_a_device_that_goes_on_after_its_last_word_is_not_complete_until_it_closes_again() -> None:
    devices = device_after((), "a1!", "a2")
    assert branches(devices) == [(((1, 2),), False)]
    assert branches(device_after(devices, "a4!")) == [(((1, 2), (4, 4)), False)]
    assert branches(device_after(devices, "a4!", "a3")) == [(((1, 4),), True)]


def test_what_is_missing_of_an_open_device_are_its_gaps() -> None:
    assert device_after((), "a3", "a4", "a6")[0].branches[0].missing == ((1, 2), (5, 5))
    assert device_after((), "a1")[0].branches[0].missing == ()


def test_a_spool_restored_from_an_old_copy_is_a_branch_of_its_own() -> None:
    devices = device_after((), "a1", "a2", "a3", "a4!", ("b3", "a2"), "b4")
    assert branches(devices) == [(((1, 4),), True), (((3, 4),), False)]
    assert branches(device_after(devices, "b5!")) == [(((1, 4),), True), (((3, 5),), True)]


def test_the_copy_may_be_heard_before_the_original() -> None:
    devices = device_after((), "a1", "a2", ("b3", "a2"), "b4", "b5!", "a3", "a4")
    assert branches(devices) == [(((1, 5),), True), (((3, 4),), False)]
    assert branches(device_after(devices, "a5!")) == [(((1, 5),), True), (((3, 5),), True)]


def test_a_restored_copy_never_fills_a_hole_of_the_original() -> None:
    devices = device_after((), "a1", "a2", "a3", "a6", ("b4", "a3"), "b5", "b6!", "a7!")
    assert not devices[0].complete
    assert devices[0].branches[0].missing == ((5, 5),)


def test_a_line_that_goes_on_where_another_one_was_heard_further_leaves_the_original_open() -> None:
    devices = device_after((), "a1", "a2", "a3", ("b3", "a2"), "b4", "b5", "a5", "b6!", "a6!")
    assert branches(devices) == [(((1, 3),), False), (((3, 6),), True), (((5, 6),), True)]


def test_a_sequence_that_begins_again_fills_no_hole_at_the_beginning() -> None:
    devices = device_after((), "a2", "b1!", "a3!")
    assert branches(devices) == [(((2, 3),), False), (((1, 1),), True)]


def test_a_copy_whose_first_record_is_lost_has_a_hole() -> None:
    devices = device_after((), "a1", "a2", "a3", "b4", "b5!", "a4!")
    assert branches(devices) == [(((1, 4),), True), (((4, 5),), False)]
    assert devices[0].branches[1].missing == ((3, 3),)


def test_a_sequence_that_begins_again_is_a_branch() -> None:
    devices = device_after((), "a1", "a2", "a3!", "b1", "b2")
    assert branches(devices) == [(((1, 3),), True), (((1, 2),), False)]
    assert branches(device_after(devices, "b3!")) == [(((1, 3),), True), (((1, 3),), True)]


def test_a_third_holder_is_a_third_branch() -> None:
    devices = device_after((), "a1", "a2", "a3", ("b3", "a2"), ("c3", "a2"), "c4!", "b4!", "a4!")
    assert branches(devices) == [(((1, 4),), True), (((3, 4),), True), (((3, 4),), True)]


def test_striking_names_a_branch_a_device_or_all_of_a_tills_name() -> None:
    devices = device_after((), "a1", "a2", ("b2", "a1"))
    assert [branch.struck for branch in strike(devices, "T1", "D", 2)[0].branches] == [False, True]
    assert strike(devices, "T1", "D", None)[0].complete
    assert strike(devices, "T1", None, None)[0].struck
    for arguments in (("T2", None, None), ("T1", "E", None), ("T1", "D", 3)):
        assert strike(devices, *arguments) == devices


# what a booth waits for


def is_closing(world: SalesWorld) -> bool:
    return world.booth().status is BoothStatus.CLOSING


def closing(*bodies: Body) -> SalesWorld:
    """A closing booth with tills T1 and T2 that received these records."""
    world = open_booth()
    world.give(*bodies, a_closing())
    return world


def test_the_first_record_of_a_device_is_answered_with_word_of_it() -> None:
    world = open_booth()
    assert world.give(an_introduction()) == [DeviceHeard(booth=B1, till="T1", device=f"{B1}-T1")]
    assert world.give(a_last_word(2)) == []


def test_a_booth_waits_for_both_of_two_devices_of_one_name() -> None:
    world = closing(a_last_word(1, "T2"), a_last_word(1, device="A"), an_introduction(1, device="B"))
    assert is_closing(world)
    world.give(a_last_word(2, device="B"))
    assert not is_closing(world)


def test_a_booth_waits_for_the_unsent_sales_of_a_device_that_was_replaced_in_the_middle_of_the_day() -> None:
    world = closing(
        a_sale(1, device="OLD"),
        an_introduction(1, device="NEW"),
        a_last_word(2, device="NEW"),
        a_last_word(1, "T2"),
    )
    assert is_closing(world)
    # It turns up two days later with what it had not sent.
    world.give(a_sale(2, device="OLD"), a_sale(3, device="OLD"))
    assert is_closing(world)
    world.give(a_last_word(4, device="OLD"))
    assert not is_closing(world)
    assert world.lot().sold == 3


def test_a_booth_waits_for_at_least_one_device_of_each_name_that_festival_gave() -> None:
    world = closing(a_last_word(1))
    assert is_closing(world)
    world.give(a_last_word(1, "T2"))
    assert not is_closing(world)


def test_a_till_that_was_added_is_waited_for() -> None:
    world = closing(a_till_more("T3"), a_last_word(1), a_last_word(1, "T2"))
    assert is_closing(world)
    world.give(a_last_word(1, "T3"))
    assert not is_closing(world)


def test_a_till_that_the_booth_does_not_list_is_waited_for_once_it_was_heard() -> None:
    world = closing(a_sale(1, till="T9"), a_last_word(1), a_last_word(1, "T2"))
    assert is_closing(world)
    # Its second record is lost: the hole is seen and waited for.
    world.give(a_last_word(3, "T9"))
    assert is_closing(world)
    assert [
        branch.missing for device in world.booth().devices for branch in device.branches if device.till == "T9"
    ] == [((2, 2),)]
    world.give(a_sale(2, till="T9"))
    assert not is_closing(world)
    assert world.lot().sold == 2


def test_a_restored_spool_doubles_no_sale_and_hides_none() -> None:
    world = open_booth()
    world.tell(a_sale(1, device="D"), "x1")
    world.tell(a_sale(2, device="D", previous="x1"), "x2")
    world.tell(a_sale(2, device="D", previous="x1", qty=2), "y2")
    # The copy sends again what it has in common with the original.
    assert world.tell(a_sale(1, device="D"), "x1") == []
    assert world.lot().sold == 4
    world.give(a_closing(), a_last_word(1, "T2"))
    world.tell(a_last_word(3, device="D", previous="y2"), "y3")
    assert is_closing(world)
    world.tell(a_last_word(3, device="D", previous="x2"), "x3")
    assert not is_closing(world)


def test_the_organiser_strikes_what_is_lost_by_branch_device_or_name() -> None:
    for struck in (a_strike(device="D", branch=1), a_strike(device="D"), a_strike()):
        world = closing(a_sale(1, device="D"), a_last_word(3, device="D"), a_last_word(1, "T2"))
        assert is_closing(world)
        world.give(a_strike(device="ELSE"), a_strike("T2"))
        assert is_closing(world)
        world.give(struck)
        assert not is_closing(world), struck


def test_a_till_that_never_spoke_is_struck_by_its_name_only() -> None:
    world = closing(a_last_word(1))
    world.give(a_strike("T2", device="D"))
    assert is_closing(world)
    world.give(a_strike("T2"))
    assert not is_closing(world)


def test_a_device_that_was_struck_before_it_was_heard_is_not_waited_for() -> None:
    world = closing(a_strike(device="D"), a_sale(1, device="D"), a_last_word(1, "T2"))
    assert not is_closing(world)
    assert world.lot().sold == 1, "what it sent was sold all the same"
    assert world.booth().devices[0].struck


def test_a_new_branch_of_a_struck_device_is_waited_for() -> None:
    world = open_booth()
    world.tell(a_sale(1, device="D"), "x1")
    world.tell(a_sale(2, device="D", previous="x1"), "x2")
    world.give(a_strike(device="D"))
    world.tell(a_sale(2, device="D", previous="x1"), "y2")
    world.give(a_closing(), a_last_word(1, "T2"))
    assert is_closing(world)


def test_a_device_of_a_struck_name_that_speaks_later_is_waited_for() -> None:
    world = closing(a_strike(), an_introduction(1, device="NEW"), a_last_word(1, "T2"))
    assert is_closing(world)


def test_what_a_struck_device_sends_all_the_same_is_sold() -> None:
    world = closing(a_sale(1, device="D"), a_strike(device="D"), a_last_word(1, "T2"))
    assert not is_closing(world)
    world.give(a_sale(2, device="D", qty=2))
    assert world.lot().sold == 3


def test_the_deadline_settles_whoever_is_missing() -> None:
    world = closing(a_sale(1), a_last_word(4))
    assert is_closing(world)
    world.fire()
    assert world.booth().status is BoothStatus.SETTLED


def test_records_of_before_the_opening_count() -> None:
    world = SalesWorld()
    world.give(a_last_word(1), a_last_word(1, "T2"), an_opening(), a_closing())
    assert not is_closing(world)


def test_every_kind_of_record_is_part_of_the_sequence() -> None:
    world = closing(an_introduction(1), a_void("never", 2), a_last_word(3), a_last_word(1, "T2"), a_void("never", 4))
    assert is_closing(world)
    world.give(a_last_word(5))
    assert not is_closing(world)


def test_a_deadline_that_was_moved_settles_only_at_its_new_time() -> None:
    world = closing(a_sale(1))
    world.give(a_closing(deadline=NOON + timedelta(hours=99)))
    assert is_closing(world)
    world.fire()
    assert not is_closing(world)
