"""Requests for stock: planned, accepted, reserved, refused and planned again, held until the deadline."""

from datetime import date, timedelta

import pytest

from services.festival.domain import Command
from services.festival.domain.allocation import planner
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.line import LineStatus
from shared.events.festival import (
    AllocationConfirmed,
    AllocationFellShort,
    AllocationPlanned,
    CancelFestival,
    CommandRefusal,
    Shortfall,
)
from shared.events.inventory import OrderRefusal, ReleaseRequested, ReservationRefused, ReservationRequested
from shared.events.language import DeadlineReached
from tests.support.builders.festival import (
    B1,
    B2,
    LAST_DAY,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_request,
    a_shipment,
    a_world,
    an_accept,
    an_announcement,
    kinds,
)


def statuses(world: FestivalWorld, name: str = "R1") -> list[LineStatus]:
    return [line.status for line in world.request(name).lines]


def test_a_plan_waits_until_it_is_accepted() -> None:
    world = a_world()
    world.make("LA", 10)
    assert kinds(world.give(a_request((B1, "KTI", 4), consent=False))) == ["AllocationPlanned"]
    assert not world.orders
    bodies = world.give(an_accept())
    assert kinds(bodies) == ["ReservationRequested"]
    assert world.deadlines["hold/ODOP/R1"].due == NOON + timedelta(hours=72)
    world.settle()
    assert world.bodies(AllocationConfirmed) == [AllocationConfirmed(festival=ODOP, request="R1", reserved=4)]


def test_with_consent_it_is_asked_for_at_once() -> None:
    world = a_world()
    world.make("LA", 10)
    assert kinds(world.give(a_request((B1, "KTI", 4)))) == ["AllocationPlanned", "ReservationRequested"]


def test_the_plan_shows_shares_reasons_revisions_and_what_is_short() -> None:
    world = a_world()
    world.make("LA", 3)
    [planned] = world.give(a_request((B1, "KTI", 4), consent=False))
    assert isinstance(planned, AllocationPlanned)
    [line], [share] = planned.lines, planned.shares
    assert (line.reservation, line.lot, line.qty, line.revision) == ("ODOP/R1.1", "LA", 3, 1)
    assert (share.facility, share.offered, share.allocated) == ("LP-AAA", 3, 3)
    assert share.reason
    assert planned.short == (Shortfall(booth=B1, product="KTI", asked=4, short=1),)


def test_what_spoils_before_the_festival_is_over_is_not_planned() -> None:
    world = a_world()
    world.make("LA", 9, product="KUE", best_before=LAST_DAY - timedelta(days=1))
    world.make("LB", 2, product="KUE", best_before=LAST_DAY)
    world.give(a_request((B1, "KUE", 5)))
    assert [line.lot for line in world.request().lines] == ["LB"]


def test_a_recalled_lot_is_not_planned() -> None:
    world = a_world()
    world.make("LA", 9)
    world.recall("LA")
    world.see("LA")
    assert kinds(world.give(a_request((B1, "KTI", 5)))) == ["CommandRefused"]


def test_only_the_shortage_is_planned_again() -> None:
    world = a_world()
    world.make("LA", 10, made_on=date(2023, 3, 1))
    world.make("LB", 10)
    world.take("LA", 8)
    world.give(a_request((B1, "KTI", 5), (B2, "KTI", 2)))
    world.settle()
    first, second = world.bodies(AllocationPlanned)
    assert [(line.lot, line.qty) for line in first.lines] == [("LA", 5), ("LA", 2)]
    assert second.replan
    assert [(line.lot, line.qty) for line in second.lines] == [("LB", 5)]
    assert second.short == ()
    assert [(share.facility, share.allocated) for share in second.shares] == [("LP-AAA", 7)]
    assert world.bodies(AllocationConfirmed) == [AllocationConfirmed(festival=ODOP, request="R1", reserved=7)]


def test_what_a_refusing_lot_still_has_is_taken_and_the_rest_stays_short() -> None:
    world = a_world()
    world.make("LA", 10)
    world.take("LA", 7)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    assert [(line.qty, line.status) for line in world.request().lines] == [
        (10, LineStatus.REFUSED),
        (3, LineStatus.RESERVED),
    ]
    [shortfall] = world.bodies(AllocationFellShort)
    assert (shortfall.reserved, shortfall.short) == (3, 7)


def test_a_view_that_lags_is_not_asked_for_what_the_request_took_itself() -> None:
    world = a_world()
    world.make("LA", 5)
    world.make("LB", 5)
    world.take("LA", 5)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    assert statuses(world) == [LineStatus.REFUSED, LineStatus.RESERVED]


def test_nothing_is_said_while_a_line_is_open() -> None:
    world = a_world()
    world.make("LA", 10)
    world.make("LB", 10, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 10)))
    world.carry_out("LA")
    assert world.hear("LA") == []
    world.carry_out("LB")
    assert kinds(world.hear("LB")) == ["AllocationConfirmed"]


def test_what_is_not_sent_in_time_goes_back() -> None:
    world = a_world()
    world.make("LA", 5)
    world.make("LB", 5, facility="LP-BBB")
    world.give(a_request((B1, "KTI", 10), hold_hours=2))
    world.settle()
    world.give(a_shipment(facility="LP-AAA"))
    assert kinds(world.fire("hold/ODOP/R1")) == ["ReleaseRequested"]
    world.settle()
    assert statuses(world) == [LineStatus.DISPATCHED, LineStatus.RELEASED]
    assert [body.reserved for body in world.bodies(AllocationFellShort)] == [5]


def test_the_outcome_is_said_once_when_the_last_line_has_gone_back() -> None:
    world = a_world()
    world.make("LA", 5)
    world.make("LB", 5)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.fire("hold/ODOP/R1")
    world.settle()
    assert [body.reserved for body in world.bodies(AllocationFellShort)] == [0]


def test_a_lot_that_inventory_does_not_know_leaves_its_pieces_short() -> None:
    world = a_world()
    world.make("LA", 5)
    world.make("LB", 5)
    world.give(a_request((B1, "KTI", 5)))
    refused = ReservationRefused(
        festival=ODOP,
        request="R1",
        reservation="ODOP/R1.1",
        lot="LA",
        product=None,
        booth=B1,
        qty=5,
        on_hand=0,
        reason=OrderRefusal.UNKNOWN_LOT,
    )
    assert kinds(world.give(refused)) == ["AllocationFellShort"]
    assert world.give(refused) == []


def test_what_is_only_asked_at_the_deadline_goes_back_when_it_is_answered() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    assert world.fire("hold/ODOP/R1") == []
    world.carry_out("LA")
    assert kinds(world.hear("LA")) == ["ReleaseRequested"]
    world.carry_out("LA")
    assert kinds(world.hear("LA")) == ["AllocationFellShort"]
    assert world.lots["LA"].on_hand == 5


def test_what_is_refused_after_the_deadline_is_not_planned_again() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    world.make("LB", 5)
    world.take("LA", 1)
    world.fire("hold/ODOP/R1")
    world.settle()
    assert statuses(world) == [LineStatus.REFUSED]
    assert [body.reserved for body in world.bodies(AllocationFellShort)] == [0]


def test_a_deadline_that_nobody_waits_for_changes_nothing() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    world.settle()
    early = DeadlineReached(key=ODOP, deadline="hold/ODOP/R1", due=NOON)
    assert world.give(early) == []
    assert world.give(DeadlineReached(key=ODOP, deadline="else/R1", due=NOON)) == []
    assert statuses(world) == [LineStatus.RESERVED]


def test_a_recall_takes_a_reservation_away_and_says_what_is_short() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    world.settle()
    world.recall("LA")
    world.settle()
    assert statuses(world) == [LineStatus.RELEASED]
    assert [body.reserved for body in world.bodies(AllocationFellShort)] == [0]


def test_cancelling_gives_everything_back() -> None:
    world = a_world()
    world.make("LA", 5)
    world.make("LB", 5, product="KRJ")
    world.give(a_request((B1, "KTI", 4)))
    world.settle()
    world.give(a_request((B1, "KRJ", 5), request="R2"))
    world.give(a_request((B2, "KTI", 5), request="R3", consent=False))
    assert kinds(world.give(CancelFestival(festival=ODOP, reason="rain"))) == [
        "FestivalCancelled",
        "ReleaseRequested",
        "AllocationWithdrawn",
    ]
    world.settle()
    assert [lot.on_hand for lot in world.lots.values()] == [5, 5]
    assert world.request("R3").status is RequestStatus.WITHDRAWN
    assert len(world.bodies(ReleaseRequested)) == 2


def test_a_festival_that_has_sent_something_is_not_cancelled() -> None:
    world = a_world()
    world.make("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    world.settle()
    world.give(a_shipment())
    assert world.refusal(CancelFestival(festival=ODOP)) == ("festival", CommandRefusal.WRONG_STATE)


def test_two_festivals_may_use_the_same_request_id() -> None:
    world = a_world(an_announcement("PKB"), a_booth("PKB.B1"))
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 5)))
    world.give(a_request(("PKB.B1", "KTI", 5), festival="PKB"))
    world.settle()
    assert world.lots["LA"].reserved == 10
    assert set(world.deadlines) == {"hold/ODOP/R1", "hold/PKB/R1"}


def test_wrong_requests_are_refused_kindly() -> None:
    world = a_world(an_announcement("PKB"), a_booth("PKB.B1"))
    world.make("LA", 5)
    good = a_request((B1, "KTI", 5), request="R0")
    world.give(good)
    for body, field, reason in [
        (a_request((B1, "KTI", 1), festival="NONE"), "festival", CommandRefusal.UNKNOWN_FESTIVAL),
        (good, "request", CommandRefusal.ALREADY_EXISTS),
        (a_request((B1, "KTI", 1), request="a/b"), "request", CommandRefusal.BAD_NAME),
        (a_request((B1, "KTI", 1), hold_hours=-1), "hold_hours", CommandRefusal.OUT_OF_RANGE),
        (a_request(), "demands", CommandRefusal.NOTHING_TO_PLAN),
        (a_request(*[(B1, f"P{n}", 1) for n in range(4001)]), "demands", CommandRefusal.TOO_MANY),
        (a_request((B1, "KTI", 1), (B1, "KTI", 2)), "demands", CommandRefusal.NAMED_TWICE),
        (a_request(("ODOP.B9", "KTI", 1)), "demands", CommandRefusal.UNKNOWN_BOOTH),
        (a_request(("PKB.B1", "KTI", 1)), "demands", CommandRefusal.UNKNOWN_BOOTH),
        (a_request((B1, "GOLD", 1)), "demands", CommandRefusal.NO_PRICE),
        (an_accept("R9"), "request", CommandRefusal.UNKNOWN_REQUEST),
        (an_accept("R0"), "request", CommandRefusal.WRONG_STATE),
    ]:
        assert world.refusal(body) == (field, reason)
    world.give(a_closing())
    assert world.refusal(a_request((B1, "KTI", 1))) == ("festival", CommandRefusal.WRONG_STATE)


def test_a_plan_of_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "MAX_LINES", 3)
    world = a_world()
    for n in range(4):
        world.make(f"L{n}", 1)
    assert world.refusal(a_request((B1, "KTI", 4))) == ("demands", CommandRefusal.TOO_MANY)


def test_an_id_that_another_command_has_is_refused_and_that_command_keeps_its_fate() -> None:
    world = a_world()
    id = world.next_id()
    world.give(a_booth("ODOP.B3"), id)
    [refusal] = world.give(a_booth("ODOP.B4"), id)
    assert getattr(refusal, "reason", None) is CommandRefusal.ID_TAKEN
    assert world.one(Command, id).outcome is CommandStatus.DONE


def test_an_id_that_inventory_could_not_carry_is_refused() -> None:
    world = a_world()
    for id in ("has/slash", "<script>", "x" * 121):
        [body] = world.give(a_booth("ODOP.B3"), id)
        assert getattr(body, "field", None) == "command"
        assert world.one(Command, id).outcome is CommandStatus.REFUSED


def test_reservations_name_the_booth_and_the_whole_request() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B2, "KTI", 4)))
    [order] = world.bodies(ReservationRequested)
    assert (order.booth, order.request, order.festival, order.qty) == (B2, "R1", ODOP, 4)
