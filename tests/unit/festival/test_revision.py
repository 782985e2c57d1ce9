"""Revisions: missing pieces are planned again, and every line that can stay stays."""

from typing import Any

import pytest

from services.festival.domain import Booth, Command, Shipment
from services.festival.domain.allocation import planner
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.shipment import ShipmentStatus
from shared.events.festival import (
    AllocationConfirmed,
    AllocationFellShort,
    AllocationPlanned,
    AllocationRevised,
    BackReason,
    BoothClosing,
    CancelFestival,
    CategoryLimit,
    CommandRefusal,
    CommandRefused,
    PlanRule,
    Price,
)
from shared.events.inventory import ReleaseRequested, ReservationRequested
from shared.events.language import Body
from tests.support.builders.festival import (
    B1,
    B2,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_closing,
    a_receipt,
    a_report,
    a_request,
    a_revision,
    a_shipment,
    a_world,
    an_accept,
    an_announcement,
    kinds,
)


def two_facilities(**changed: Any) -> FestivalWorld:
    """Six pieces for the first booth, half of them from each of two facilities, all reserved; and more in stock."""
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 10, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 6), **changed))
    world.settle()
    return world


def revised(world: FestivalWorld, *without: str, **changed: Any) -> AllocationRevised:
    """The event of a revision, after festival has received its own order."""
    world.give(a_revision(*without, **changed))
    [revision] = [body for body in world.hear_itself() if isinstance(body, AllocationRevised)]
    return revision


def stock_refusal(world: FestivalWorld, body: Body) -> tuple[str, CommandRefusal]:
    """The field and reason of a revision that is refused for its stock."""
    before = world.request()
    world.give(body)
    [refusal] = world.hear_itself()
    assert isinstance(refusal, CommandRefused)
    assert world.request() == before
    assert world.one(Command, refusal.command).outcome is CommandStatus.REFUSED
    return refusal.field, refusal.reason


def lines(world: FestivalWorld, status: LineStatus, name: str = "R1") -> dict[str, int]:
    """Pieces by lot."""
    pieces: dict[str, int] = {}
    for line in world.request(name).lines:
        if line.status is status:
            pieces[line.lot] = pieces.get(line.lot, 0) + line.qty
    return pieces


def test_a_boat_that_did_not_sail_gives_way_to_who_can_send() -> None:
    world = two_facilities()
    revision = revised(world, "LP-AAA", reason="the ferry is cancelled")
    assert (revision.carried_out, revision.kept) == (False, 3)
    assert [(line.lot, line.qty) for line in revision.added] == [("LB", 3)]
    assert [(line.lot, line.qty, line.why) for line in revision.back] == [("LA", 3, BackReason.FACILITY)]
    assert [(share.facility, share.before, share.after) for share in revision.shares] == [
        ("LP-AAA", 3, 0),
        ("LP-BBB", 3, 6),
    ]
    assert not revision.short
    assert revision.reason == (
        "the ferry is cancelled: LP-AAA can't send; 3 pieces go back; 3 of 3 missing pieces are planned again."
    )
    assert "LP-AAA tidak dapat mengirim" in revision.reason_id
    # Still pending: no line is released or requested, and its lines do not count.
    assert not any(world.orders.values())
    assert lines(world, LineStatus.RESERVED) == {"LA": 3, "LB": 3}
    assert world.request().status is RequestStatus.SETTLED
    assert kinds(world.give(an_accept())) == ["ReleaseRequested", "ReservationRequested"]
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 6}
    assert lines(world, LineStatus.RELEASED) == {"LA": 3}
    assert world.bodies(AllocationConfirmed)[-1].reserved == 6
    assert world.lots["LA"].on_hand == 10


def test_with_consent_a_revision_is_carried_out_at_once() -> None:
    world = two_facilities()
    revision = revised(world, "LP-BBB", consent=True)
    assert revision.carried_out
    assert world.request().pending_revision is None
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_STATE)


def test_what_was_sent_stays_even_of_a_facility_that_can_send_no_more() -> None:
    world = two_facilities()
    world.give(a_shipment())
    assert stock_refusal(world, a_revision("LP-AAA")) == ("request", CommandRefusal.NOTHING_TO_PLAN)
    world.settle()
    world.give(a_receipt(LA=3))
    assert stock_refusal(world, a_revision("LP-AAA")) == ("request", CommandRefusal.NOTHING_TO_PLAN)


def test_what_was_lost_on_the_way_is_missing_again() -> None:
    world = two_facilities()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    assert world.request().lines[0].lost == 2
    revision = revised(world, consent=True)
    assert sum(line.qty for line in revision.added) == 2
    assert not revision.back
    assert revision.kept == 4
    assert [(shortfall.before, shortfall.after) for shortfall in revision.short] == [(2, 0)]
    assert revision.reason.startswith("2 pieces were lost on the way")
    world.settle()
    [*_, last] = world.bodies(AllocationConfirmed)
    assert last.reserved == 6
    assert stock_refusal(world, a_revision()) == ("request", CommandRefusal.NOTHING_TO_PLAN)


def test_a_booth_that_closes_gives_its_unsent_stock_back_and_closes_once() -> None:
    world = two_facilities()
    bodies = world.give(a_booth_closing())
    assert kinds(bodies) == ["BoothClosing", "ReleaseRequested", "ReleaseRequested"]
    world.settle()
    assert lines(world, LineStatus.RELEASED) == {"LA": 3, "LB": 3}
    assert world.bodies(AllocationFellShort)[-1].reserved == 0
    assert world.refusal(a_booth_closing()) == ("booth", CommandRefusal.WRONG_STATE)
    assert world.refusal(a_request((B1, "KTI", 1), request="R2")) == ("demands", CommandRefusal.WRONG_STATE)
    # The request has no demand left.
    assert stock_refusal(world, a_revision()) == ("request", CommandRefusal.NOTHING_TO_PLAN)
    world.give(a_closing())
    assert [body.booth for body in world.bodies(BoothClosing)] == [B1, B2]


def test_what_a_closed_booth_gives_back_another_may_have() -> None:
    world = a_world()
    world.make("LA", 6)
    world.give(a_request((B1, "KTI", 6), (B2, "KTI", 6)))
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}
    world.give(a_booth_closing())
    world.settle()
    revision = revised(world, consent=True)
    assert [(line.booth, line.lot, line.qty) for line in revision.added] == [(B2, "LA", 3)]
    assert revision.reason == "ODOP.B1 closed; 3 of 3 missing pieces are planned again."
    world.settle()
    assert {(line.booth, line.qty) for line in world.request().lines if line.status is LineStatus.RESERVED} == {
        (B2, 3)
    }


def test_goods_on_their_way_must_be_received_before_a_booth_closes() -> None:
    world = two_facilities()
    world.give(a_shipment())
    assert world.refusal(a_booth_closing()) == ("booth", CommandRefusal.WRONG_STATE)
    world.settle()
    assert world.refusal(a_booth_closing()) == ("booth", CommandRefusal.WRONG_STATE)
    assert world.give(a_booth_closing(B2))
    world.give(a_receipt(LA=3))
    assert world.refusal(a_booth_closing(till_hours=-1)) == ("till_hours", CommandRefusal.OUT_OF_RANGE)
    assert world.refusal(a_booth_closing("ODOP.B9")) == ("booth", CommandRefusal.UNKNOWN_BOOTH)
    assert world.give(a_booth_closing())
    world.give(a_closing())
    assert world.refusal(a_booth_closing()) == ("festival", CommandRefusal.WRONG_STATE)


def test_a_booth_closes_while_inventory_still_answers() -> None:
    world = a_world()
    world.make("LA", 2)
    world.make("LB", 9, facility="LP-BBB")
    world.take("LA", 2)
    world.give(a_request((B1, "KTI", 4)))
    world.give(a_booth_closing())
    world.settle()
    # Its refused part is not planned again, and what was reserved after all goes straight back.
    assert lines(world, LineStatus.REFUSED) == {"LA": 2}
    assert lines(world, LineStatus.RELEASED) == {"LB": 2}
    assert len(world.request().lines) == 2


def test_a_plan_that_nobody_accepted_yet_is_revised_as_it_stands() -> None:
    world = two_facilities(consent=False)
    revision = revised(world, "LP-AAA")
    assert revision.carried_out
    assert world.request().status is RequestStatus.PROPOSED
    assert lines(world, LineStatus.PLANNED) == {"LB": 6}
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 6}
    again = two_facilities(consent=False)
    assert revised(again, "LP-AAA", consent=True).carried_out
    again.settle()
    assert lines(again, LineStatus.RESERVED) == {"LB": 6}
    assert again.bodies(AllocationConfirmed)[-1].reserved == 6


def test_a_booth_that_closes_leaves_a_proposed_plan() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 4), (B2, "KTI", 4), consent=False))
    assert kinds(world.give(a_booth_closing())) == ["BoothClosing"]
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 4}
    assert {line.booth for line in world.request().lines if line.status is LineStatus.RESERVED} == {B2}


def test_a_second_revision_replaces_the_one_that_waits() -> None:
    world = two_facilities()
    revised(world, "LP-AAA")
    revision = revised(world, "LP-BBB")
    assert [(line.lot, line.qty) for line in revision.added] == [("LA", 3)]
    assert lines(world, LineStatus.PROPOSED) == {"LA": 3}
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}
    ids = [line.reservation for line in world.request().lines]
    assert len(set(ids)) == len(ids) == 4


def test_a_revision_that_waits_is_withdrawn_when_what_should_go_back_is_sent() -> None:
    world = two_facilities()
    revised(world, "LP-AAA")
    world.give(a_shipment(facility="LP-BBB"))
    assert world.request().pending_revision is not None
    world.give(a_shipment("S2"))
    assert world.request().pending_revision is None
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_STATE)
    world.settle()
    assert lines(world, LineStatus.DISPATCHED) == {"LA": 3, "LB": 3}


@pytest.mark.parametrize("end", ["hold", "closed booth", "closed", "cancelled"])
def test_a_revision_that_waits_ends_with_what_it_was_made_for(end: str) -> None:
    world = two_facilities()
    revised(world, "LP-AAA")
    ends: dict[str, Body] = {
        "closed booth": a_booth_closing(),
        "closed": a_closing(),
        "cancelled": CancelFestival(festival=ODOP),
    }
    if end == "hold":
        world.fire(f"hold/{ODOP}/R1")
    else:
        world.give(ends[end])
    assert world.request().pending_revision is None
    world.settle()
    assert world.lots["LA"].on_hand == world.lots["LB"].on_hand == 10
    assert world.refusal(an_accept())[1] is CommandRefusal.WRONG_STATE


def test_what_waits_takes_no_room_and_no_stock_from_others() -> None:
    world = two_facilities()
    revised(world, "LP-AAA")
    world.give(a_request((B2, "KTI", 14), request="R2"))
    world.settle()
    assert sum(lines(world, LineStatus.RESERVED, "R2").values()) == 14
    # Another request took the stock first. The refused line is planned again like any other.
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 3}
    assert world.bodies(AllocationFellShort)[-1].reserved == 3


def test_a_facility_that_can_not_send_is_not_asked_for_a_refused_part_either() -> None:
    world = a_world()
    for n, facility in enumerate(("LP-AAA", "LP-BBB", "LP-CCC")):
        world.make(f"L{n}", 10, facility=facility)
    world.give(a_request((B1, "KTI", 9)))
    world.settle()
    world.take("L1", 7)
    world.take("L2", 7)
    revised(world, "LP-AAA", consent=True)
    world.settle()
    assert "L0" not in lines(world, LineStatus.RESERVED)
    assert world.bodies(AllocationFellShort)[-1].reserved == 6
    # Until the organiser says that it can again.
    revised(world, consent=True)
    world.settle()
    assert lines(world, LineStatus.RESERVED)["L0"] == 3


def test_the_hold_begins_anew_when_a_revision_is_carried_out() -> None:
    world = two_facilities()
    first = world.request().hold_until
    assert first is not None
    world.fire(f"hold/{ODOP}/R1")
    world.settle()
    assert world.request().lapsed
    revision = revised(world, consent=True)
    assert sum(line.qty for line in revision.added) == 6
    world.settle()
    assert not world.request().lapsed
    assert world.bodies(AllocationConfirmed)[-1].reserved == 6
    second = world.request().hold_until
    assert second is not None
    assert second > first
    world.fire(f"hold/{ODOP}/R1")
    world.settle()
    assert not lines(world, LineStatus.RESERVED)


def test_kept_lines_lapse_at_the_new_time_though_nothing_was_added() -> None:
    world = a_world()
    world.make("LA", 3)
    world.make("LB", 3, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    assert not revised(world, "LP-AAA", consent=True).added
    world.settle()
    world.fire(f"hold/{ODOP}/R1")
    world.settle()
    assert world.lots["LB"].on_hand == 3


def test_a_revision_waits_until_inventory_has_answered() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 6)))
    assert world.refusal(a_revision()) == ("request", CommandRefusal.WRONG_STATE)
    world.settle()
    assert world.refusal(a_revision(request="R9")) == ("request", CommandRefusal.UNKNOWN_REQUEST)
    assert world.refusal(a_revision("LP-Z")) == ("without", CommandRefusal.UNKNOWN_FACILITY)
    # The request can reach this state between the command and the revision.
    world.give(a_revision("LP-AAA"))
    world.give(a_booth_closing())
    [refusal] = world.hear_itself()
    assert isinstance(refusal, CommandRefused)
    assert refusal.reason is CommandRefusal.WRONG_STATE
    world.settle()
    world.give(a_closing())
    assert world.refusal(a_revision()) == ("festival", CommandRefusal.WRONG_STATE)


def test_a_plan_that_was_withdrawn_is_not_revised() -> None:
    world = two_facilities(consent=False)
    world.give(a_revision("LP-AAA"))
    world.fire(f"hold/{ODOP}/R1")
    [refusal] = world.hear_itself()
    assert isinstance(refusal, CommandRefused)
    assert world.refusal(a_revision()) == ("request", CommandRefusal.WRONG_STATE)


def test_a_booth_without_room_is_why_nothing_missing_can_be_had() -> None:
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1, capacity=4)):
        world.give(body)
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    stock_refusal(world, a_revision())
    [refusal] = world.bodies(CommandRefused)
    assert refusal.message.endswith(
        f"{B1} lacks 2 of 6 pieces of KTI: the booth has room for 0 more pieces and would like 2."
    )
    assert refusal.conflicts[0].rules == (PlanRule.CAPACITY,)


@pytest.mark.parametrize("why", ["sent", "closed", "over"])
def test_who_accepts_a_revision_that_is_no_more_hears_so(why: str) -> None:
    world = two_facilities()
    revised(world, "LP-AAA")
    if why == "sent":
        world.give(a_shipment())
    elif why == "closed":
        world.give(a_booth_closing())
    else:
        world.fire(f"hold/{ODOP}/R1")
    world.settle()
    id = world.next_id()
    world.give(an_accept(), id)
    wrong = world.one(Command, id).wrong
    assert wrong is not None
    assert str(wrong.message).startswith("The revision of R1 was withdrawn before it was accepted:")
    assert wrong.reason is CommandRefusal.WRONG_STATE


def test_nothing_to_be_had_is_said_and_changes_nothing() -> None:
    world = a_world()
    world.make("LA", 2)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    assert stock_refusal(world, a_revision()) == ("request", CommandRefusal.NOTHING_TO_PLAN)
    refusal = world.bodies(CommandRefused)[-1]
    assert refusal.message == (
        "Nothing of the 4 pieces that are missing under R1 can be had now. "
        f"{B1} lacks 4 of 6 pieces of KTI: no facility has any that can be planned."
    )
    assert [conflict.rules for conflict in refusal.conflicts] == [(PlanRule.STOCK,)]
    world.make("LB", 2, facility="LP-BBB")
    assert [(shortfall.before, shortfall.after) for shortfall in revised(world).short] == [(4, 2)]


def test_a_facility_that_is_left_out_is_named_with_what_it_has() -> None:
    world = a_world()
    world.make("LA", 4)
    world.make("LB", 3, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.make("LC", 9, facility="LP-BBB")
    world.give(a_revision("LP-BBB", consent=True))
    world.settle()
    [conflict] = world.request().conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.LEFT_OUT)
    assert "9 pieces of LP-BBB are left out by the revision" in conflict.reason
    assert "9 buah dari LP-BBB tidak dipakai menurut revisi" in conflict.reason_id
    assert not any(line.facility == "LP-BBB" for line in world.request().lines if line.status is LineStatus.RESERVED)


def test_the_room_at_a_booth_bounds_a_revision() -> None:
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1, capacity=8)):
        world.give(body)
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    world.make("LK", 9, product="KRJ", facility="LP-BBB")
    world.give(a_request((B1, "KRJ", 4), request="R2"))
    world.settle()
    # Five were lost, and one is there; others were promised room for four.
    assert sum(line.qty for line in revised(world).added) == 3


def test_what_is_sold_makes_room_too() -> None:
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1, capacity=6)):
        world.give(body)
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=4))
    world.make("LK", 9, product="KRJ")
    world.give(a_request((B1, "KRJ", 2), request="R2"))
    world.settle()
    assert stock_refusal(world, a_revision()) == ("request", CommandRefusal.NOTHING_TO_PLAN)
    world.give(a_report(LA=1))
    assert sum(line.qty for line in revised(world).added) == 1


def test_what_goes_back_makes_room_for_what_comes() -> None:
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1, capacity=6)):
        world.give(body)
    world.make("LA", 10)
    world.make("LB", 10, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    assert sum(line.qty for line in revised(world, "LP-AAA").added) == 3


def a_revision_that_waits(capacity: int | None = None, tenun: int | None = None) -> FestivalWorld:
    """Six pieces were sent to a booth with room for eight, and one arrived. A revision of five is pending."""
    limits = (CategoryLimit(category="tenun", qty=tenun),) if tenun is not None else ()
    prices = tuple(Price(product=product, price_rupiah=10_000, category="tenun") for product in ("KTI", "KRJ"))
    world = FestivalWorld()
    for body in (an_announcement(), a_booth(B1, prices=prices, capacity=capacity, limits=limits)):
        world.give(body)
    world.make("LA", 20)
    world.make("LK", 9, product="KRJ", facility="LP-BBB")
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    assert sum(line.qty for line in revised(world).added) == 5
    return world


@pytest.mark.parametrize("room", [{"capacity": 8}, {"tenun": 8}])
def test_a_revision_whose_room_was_promised_to_others_is_not_carried_out(room: dict[str, int]) -> None:
    world = a_revision_that_waits(**room)
    world.give(a_request((B1, "KRJ", 7), request="R2"))
    world.settle()
    assert sum(lines(world, LineStatus.RESERVED, "R2").values()) == 7
    assert world.refusal(an_accept()) == ("request", CommandRefusal.TOO_MANY)
    assert "room" in world.bodies(CommandRefused)[-1].message
    # It still waits: what others were promised may go back.
    world.fire(f"hold/{ODOP}/R2")
    world.settle()
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 5}


def test_a_revision_that_has_no_room_any_more_can_be_drawn_up_anew() -> None:
    world = a_revision_that_waits(capacity=8)
    world.give(a_request((B1, "KRJ", 4), request="R2"))
    world.settle()
    assert world.refusal(an_accept()) == ("request", CommandRefusal.TOO_MANY)
    assert sum(line.qty for line in revised(world).added) == 3
    world.give(an_accept())
    world.settle()
    assert sum(lines(world, LineStatus.RESERVED).values()) == 3


def test_what_a_waiting_revision_gives_back_is_room_and_so_is_what_was_sold() -> None:
    world = a_revision_that_waits(capacity=8)
    world.give(a_request((B1, "KRJ", 3), request="R2"))
    world.settle()
    assert world.refusal(an_accept()) == ("request", CommandRefusal.TOO_MANY)
    world.give(a_report(LA=1))
    world.give(an_accept())
    world.settle()
    assert sum(lines(world, LineStatus.RESERVED).values()) == 5
    # Full now, but for what goes back: the same room again.
    world.make("LB", 9, facility="LP-CCC")
    assert sum(line.qty for line in revised(world, "LP-AAA").added) == 5
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 5}


def test_a_lot_that_once_refused_may_have_stock_again() -> None:
    world = a_world()
    world.make("LA", 10)
    world.take("LA", 8)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 2}
    [reservation] = [reservation for reservation in world.lots["LA"].reservations if reservation.festival == "OTHER"]
    world.tell_inventory("LA", ReleaseRequested(lot="LA", reservation=reservation.id, festival="OTHER"))
    world.settle()
    assert sum(line.qty for line in revised(world).added) == 4


def test_nor_does_it_count_in_the_round_that_follows() -> None:
    world = a_world()
    world.make("LA", 10)
    world.take("LA", 8)
    world.give(a_request((B1, "KTI", 6)))
    world.settle()
    [reservation] = [reservation for reservation in world.lots["LA"].reservations if reservation.festival == "OTHER"]
    world.tell_inventory("LA", ReleaseRequested(lot="LA", reservation=reservation.id, festival="OTHER"))
    world.make("LB", 4, facility="LP-BBB")
    world.settle()
    world.take("LB", 4)
    assert any(line.lot == "LB" for line in revised(world, consent=True).added)
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}


def test_a_request_holds_only_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    world = two_facilities(revise_at_percent=30)
    monkeypatch.setattr(planner, "MAX_LINES", 2)
    assert stock_refusal(world, a_revision("LP-AAA")) == ("request", CommandRefusal.TOO_MANY)
    # A revision without a command ends here, with an event.
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    assert kinds(world.hear_itself()) == ["RevisionRequested"]
    assert kinds(world.hear_itself()) == ["AllocationPlanned", "AllocationRevised", "AllocationFellShort"]
    assert not world.request().revising


def test_a_plan_that_was_revised_too_often_can_still_be_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    for lot, facility in (("LA", "LP-AAA"), ("LB", "LP-BBB")):
        world.make(lot, 10, facility=facility)
    world.give(a_request((B1, "KTI", 6), consent=False))
    monkeypatch.setattr(planner, "MAX_LINES", 5)
    for without in ("LP-AAA", "LP-BBB", "LP-AAA"):
        revised(world, without)
    # Replaced lines count, as their numbers are not used again.
    assert len(world.request().lines) == 5
    assert stock_refusal(world, a_revision("LP-BBB")) == ("request", CommandRefusal.TOO_MANY)
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 6}


# by itself


def test_what_was_made_good_does_not_count_again() -> None:
    world = two_facilities(revise_at_percent=50)
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt())
    world.settle()
    assert len(world.bodies(AllocationRevised)) == 1
    for n, facility in enumerate(sorted({line.facility for line in world.request().lines})):
        world.give(a_shipment(f"T{n}", facility=facility))
    world.settle()
    for shipment in world.all(Shipment):
        if shipment.status is ShipmentStatus.SENT:
            [(lot, sent)] = shipment.lots.items()
            world.give(a_receipt(shipment.name, **{lot: sent - 1}))
    assert not world.wishes
    assert world.request().lost == 2


def test_what_is_lost_while_a_revision_waits_still_counts() -> None:
    world = two_facilities(revise_at_percent=50)
    world.give(a_shipment())
    world.settle()
    revised(world, "LP-BBB")
    world.give(a_receipt(LA=1))
    world.give(an_accept())
    world.settle()
    assert world.request().lost == 2


def test_what_nothing_can_be_done_about_is_not_asked_for_again() -> None:
    world = a_world()
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 2), (B2, "KTI", 6), revise_at_percent=10))
    world.settle()
    world.give(a_shipment())
    world.give(a_shipment("S2", booth=B2))
    world.settle()
    world.give(a_receipt(LA=1))
    world.give(a_booth_closing())
    # The booth's closing asks for the revision before the receipt is looked at once more.
    assert kinds(world.wishes) == ["RequestRested", "RevisionRequested"]
    assert kinds(world.hear_itself()) == []
    assert kinds(world.hear_itself()) == []
    world.give(a_receipt("S2", B2, LA=6))
    assert not world.wishes


def test_lost_and_freed_count_together() -> None:
    world = a_world()
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 5), (B2, "KTI", 5), revise_at_percent=60))
    world.settle()
    world.give(a_booth_closing(B2))
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=4))
    assert kinds(world.hear_itself()) == ["RevisionRequested"]


def test_by_itself_it_goes_on_without_whom_it_went_before() -> None:
    world = two_facilities(revise_at_percent=10)
    revised(world, "LP-AAA", consent=True)
    world.settle()
    world.give(a_shipment(facility="LP-BBB"))
    world.settle()
    world.give(a_receipt(LB=4))
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 2}


def test_what_the_view_still_counts_as_there_is_not_freed_once_more() -> None:
    world = a_world()
    world.make("LA", 6)
    world.give(a_request((B1, "KTI", 4), (B2, "KTI", 30), revise_at_percent=1))
    while world.orders["LA"]:
        world.carry_out("LA")
    while world.answers["LA"]:
        world.hear("LA")
    world.give(a_booth_closing())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}
    assert not lines(world, LineStatus.REFUSED)


def test_enough_lost_on_the_way_revises_without_being_asked() -> None:
    world = two_facilities(revise_at_percent=50)
    world.give(a_shipment())
    world.give(a_shipment("S2", facility="LP-BBB"))
    world.settle()
    world.give(a_receipt(LA=1))
    assert not world.wishes
    world.give(a_receipt("S2", LB=2))
    assert kinds(world.hear_itself()) == ["RevisionRequested"]
    [revision] = [body for body in world.hear_itself() if isinstance(body, AllocationRevised)]
    assert revision.carried_out
    assert sum(line.qty for line in revision.added) == 3
    world.settle()
    assert world.bodies(AllocationConfirmed)[-1].reserved == 6
    assert not world.wishes


def test_enough_recalled_revises_without_being_asked() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5), revise_at_percent=1))
    world.settle()
    world.make("LB", 9, facility="LP-BBB")
    world.recall("LA")
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 5}
    [revision] = world.bodies(AllocationRevised)
    assert revision.reason == "5 pieces were recalled; 5 of 5 missing pieces are planned again."
    assert "5 buah ditarik" in revision.reason_id
    assert world.bodies(AllocationConfirmed)[-1].reserved == 5
    assert not world.request().recalled


def test_what_was_planned_anew_stays_so_when_the_recall_is_lifted_and_the_lot_can_be_planned_again() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5), revise_at_percent=1))
    world.settle()
    world.make("LB", 5, facility="LP-BBB")
    world.recall("LA")
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 5}
    world.lift_recall("LA")
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LB": 5}
    world.give(a_request((B1, "KTI", 4), request="R2"))
    world.settle()
    assert [(line.lot, line.status) for line in world.request("R2").lines] == [("LA", LineStatus.RESERVED)]


def test_what_a_recall_keeps_from_leaving_counts_too_and_below_the_threshold_nothing_is_revised() -> None:
    world = two_facilities(revise_at_percent=60)
    world.recall("LB")
    world.settle()
    assert not world.bodies(AllocationRevised)
    world.give(a_shipment())
    world.recall("LA")
    # The dispatch comes after the recall, and is refused.
    world.make("LC", 9, facility="LP-CCC")
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LC": 6}


def test_what_is_recalled_while_a_revision_waits_still_counts() -> None:
    world = two_facilities()
    world.make("LC", 9, facility="LP-CCC")
    world.recall("LA")
    world.settle()
    assert sum(line.qty for line in revised(world).added) == 3
    world.recall("LB")
    world.settle()
    world.give(an_accept())
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LC": 3}
    assert world.request().recalled == 3


def test_a_closed_booth_revises_without_being_asked_and_its_lots_are_not_lost_sight_of() -> None:
    world = a_world()
    world.make("LA", 6)
    world.give(a_request((B1, "KTI", 6), (B2, "KTI", 6), revise_at_percent=20))
    world.settle()
    assert kinds(world.give(a_booth_closing())) == ["BoothClosing", "RevisionRequested"]
    bodies = world.hear_itself()
    assert kinds(bodies) == [
        "AllocationPlanned",
        "AllocationRevised",
        "ReleaseRequested",
        "ReservationRequested",
    ]
    # In this order, for one lot: what is released first can be reserved.
    assert [order.lot for order in bodies if isinstance(order, ReleaseRequested | ReservationRequested)] == [
        "LA",
        "LA",
    ]
    world.settle()
    assert lines(world, LineStatus.RESERVED) == {"LA": 6}
    assert {line.booth for line in world.request().lines if line.status is LineStatus.RESERVED} == {B2}
    assert not lines(world, LineStatus.REFUSED)


def test_below_the_threshold_a_closed_booth_only_gives_back() -> None:
    world = a_world()
    world.make("LA", 6)
    world.give(a_request((B1, "KTI", 1), (B2, "KTI", 9), revise_at_percent=50))
    world.settle()
    assert kinds(world.give(a_booth_closing())) == ["BoothClosing", "ReleaseRequested"]
    world.settle()
    assert not world.bodies(AllocationRevised)


def test_what_can_not_be_made_good_is_said_once() -> None:
    world = a_world()
    world.make("LA", 6)
    world.give(a_request((B1, "KTI", 6), revise_at_percent=1))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    assert kinds(world.hear_itself()) == ["RevisionRequested"]
    bodies = world.hear_itself()
    assert kinds(bodies) == ["AllocationPlanned", "AllocationRevised", "AllocationFellShort"]
    [planned] = [body for body in bodies if isinstance(body, AllocationPlanned)]
    assert not planned.lines
    world.settle()
    assert len(world.bodies(AllocationRevised)) == 1
    assert not world.wishes


def test_what_comes_while_inventory_still_answers_is_made_good_when_it_has() -> None:
    world = two_facilities(revise_at_percent=10)
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    world.fire(f"hold/{ODOP}/R1")
    assert kinds(world.hear_itself()) == []
    assert not world.bodies(AllocationRevised)
    world.settle()
    assert len(world.bodies(AllocationRevised)) == 1
    assert world.bodies(AllocationConfirmed)[-1].reserved == 6


def test_a_closing_festival_revises_nothing() -> None:
    world = two_facilities(revise_at_percent=10)
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=1))
    world.give(a_closing())
    world.settle()
    assert not world.bodies(AllocationRevised)
    assert {booth.status for booth in world.all(Booth)} == {BoothStatus.CLOSING}


@pytest.mark.parametrize("percent", [0, 101])
def test_a_threshold_is_a_percentage(percent: int) -> None:
    world = a_world()
    request = a_request((B1, "KTI", 1), revise_at_percent=percent)
    assert world.refusal(request) == ("revise_at_percent", CommandRefusal.OUT_OF_RANGE)
