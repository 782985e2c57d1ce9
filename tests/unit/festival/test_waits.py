"""Every wait of an organiser ends by an answer or by its deadline. Each waiting entity has one deadline."""

from datetime import timedelta

from services.festival.domain import Festival, Shipment
from services.festival.domain.allocation.request import LineStatus, RequestStatus
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.festival.domain.missing import missing
from shared.events.festival import (
    AllocationWithdrawn,
    CommandRefusal,
    CommandRefused,
    LeadTime,
    ShipmentOverdue,
    Withdrawal,
)
from shared.events.language import DeadlineReached
from tests.support.builders.festival import (
    B1,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_receipt,
    a_request,
    a_revision,
    a_shipment,
    a_world,
    an_accept,
    an_announcement,
    kinds,
)

HOLD, ARRIVE = "hold/ODOP/R1", "arrive/ODOP/S1"


def a_proposal(hours: int = 72) -> FestivalWorld:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 4), consent=False, hold_hours=hours))
    return world


def a_sent_shipment(**lead_days: int) -> FestivalWorld:
    world = FestivalWorld()
    days = tuple(LeadTime(facility=name.replace("_", "-"), days=days) for name, days in lead_days.items())
    opening = NOON.date() + timedelta(days=30)
    world.give(an_announcement(first_day=opening, last_day=opening, lead_days=days))
    world.give(a_booth(B1))
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    return world


def test_a_plan_that_nobody_accepts_is_withdrawn_and_said_to_be() -> None:
    world = a_proposal(hours=2)
    assert world.deadlines[HOLD].due == world.request().hold_until == NOON + timedelta(hours=2)
    withdrawn = AllocationWithdrawn(festival=ODOP, request="R1", why=Withdrawal.NOT_ACCEPTED)
    assert world.fire(HOLD) == [withdrawn]
    assert world.request().status is RequestStatus.WITHDRAWN
    assert [line.status for line in world.request().lines] == [LineStatus.RELEASED]
    assert not world.orders, "nothing was held, so nothing goes back"


def test_a_withdrawn_plan_can_not_be_accepted_and_the_refusal_says_why() -> None:
    world = a_proposal()
    world.fire(HOLD)
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_STATE)
    [refused] = [body for body in world.published if type(body).__name__ == "CommandRefused"]
    assert "not accepted in time" in getattr(refused, "message", "")


def test_a_withdrawn_plan_leaves_its_room_at_the_booth_to_others() -> None:
    world = FestivalWorld()
    world.give(an_announcement())
    world.give(a_booth(B1, capacity=10))
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 10), consent=False))
    other = a_request((B1, "KTI", 10), request="R2")
    assert world.refusal(other) == ("demands", CommandRefusal.NOTHING_TO_PLAN)
    world.fire(HOLD)
    world.give(other)
    assert [line.qty for line in world.request("R2").lines] == [10]


def test_accepting_moves_the_one_deadline_and_the_old_time_means_nothing() -> None:
    world = a_proposal(hours=2)
    proposed = world.deadlines[HOLD]
    world.now += timedelta(hours=1)
    world.give(an_accept())
    world.settle()
    assert list(world.deadlines) == [HOLD]
    assert world.deadlines[HOLD].due == NOON + timedelta(hours=3)
    # It was on its way already when the plan was accepted.
    assert world.give(DeadlineReached(key=ODOP, deadline=proposed.id, due=proposed.due)) == []
    assert [line.status for line in world.request().lines] == [LineStatus.RESERVED]
    assert kinds(world.fire(HOLD)) == ["ReleaseRequested"]


def test_closing_withdraws_a_plan_that_was_not_accepted_and_its_deadline_says_nothing_more() -> None:
    world = a_proposal()
    bodies = world.give(a_closing())
    assert AllocationWithdrawn(festival=ODOP, request="R1", why=Withdrawal.FESTIVAL_ENDED) in bodies
    assert world.fire(HOLD) == []


def test_a_revision_that_nobody_accepts_ends_too_also_when_the_hold_was_over_before() -> None:
    world = a_sent_shipment()
    world.fire(HOLD)
    world.give(a_receipt(LA=4))
    world.make("LB", 9)
    world.now = NOON + timedelta(days=4)
    world.give(a_revision())
    world.hear_itself()
    assert world.request().pending_revision is not None
    assert world.deadlines[HOLD].due == world.request().hold_until == NOON + timedelta(days=7)
    assert world.fire(HOLD) == []
    assert world.request().pending_revision is None
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_STATE)


def test_a_revision_that_waits_does_not_hold_what_is_reserved_any_longer() -> None:
    world = a_world()
    world.make("LA", 4)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.make("LB", 6)
    due = world.deadlines[HOLD].due
    world.now += timedelta(hours=5)
    world.give(a_revision())
    world.hear_itself()
    assert world.request().pending_revision is not None
    assert world.deadlines[HOLD].due == due


def test_a_shipment_that_nobody_counts_in_is_overdue_after_its_lead_time_and_a_day() -> None:
    assert a_sent_shipment().deadlines[ARRIVE].due == NOON + timedelta(days=1)
    world = a_sent_shipment(LP_AAA=4)
    due = NOON + timedelta(days=5)
    assert world.deadlines[ARRIVE].due == due
    overdue = ShipmentOverdue(festival=ODOP, request="R1", shipment="S1", facility="LP-AAA", booth=B1, due=due)
    assert world.fire(ARRIVE) == [overdue]
    [shipment] = world.all(Shipment)
    assert (shipment.status, shipment.overdue) == (ShipmentStatus.SENT, True)
    [first, _] = missing(world.one(Festival, ODOP), [], [shipment], [])
    assert "overdue" in str(first.message)


def test_an_overdue_shipment_is_received_as_any_other() -> None:
    world = a_sent_shipment()
    world.fire(ARRIVE)
    assert kinds(world.give(a_receipt(LA=10))) == ["ShipmentReceived", "BoothStocked"]


def test_a_shipment_that_came_in_time_is_never_overdue() -> None:
    world = a_sent_shipment()
    world.give(a_receipt(LA=9))
    assert world.fire(ARRIVE) == []
    [shipment] = world.all(Shipment)
    assert (shipment.status, shipment.overdue) == (ShipmentStatus.RECEIVED, False)


def test_a_dropped_shipment_waits_for_nobody() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.recall("LA")
    world.give(a_shipment())
    world.settle()
    assert ARRIVE not in world.deadlines


def three_days_ahead(**lead_days: int) -> FestivalWorld:
    """A festival of two days that opens in three, with a lot at each of two facilities."""
    world = FestivalWorld()
    days = tuple(LeadTime(facility=name.replace("_", "-"), days=days) for name, days in lead_days.items())
    opening = NOON.date() + timedelta(days=3)
    world.give(an_announcement(first_day=opening, last_day=opening + timedelta(days=1), lead_days=days))
    world.give(a_booth(B1))
    world.make("LA", 10)
    world.make("LB", 10, facility="LP-BBB")
    return world


def test_a_plan_that_would_come_too_late_by_now_is_not_accepted_as_it_is() -> None:
    world = three_days_ahead(LP_AAA=2)
    world.give(a_request((B1, "KTI", 10), consent=False))
    world.now += timedelta(days=1)
    world.give(a_request((B1, "KTI", 2), request="R2", consent=False))
    world.give(an_accept("R2"))
    world.now += timedelta(days=1)
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_DAYS)
    [refused] = world.bodies(CommandRefused)
    assert "LP-AAA" in refused.message
    assert "LP-BBB" not in refused.message
    # Revised and accepted in one, it would come as late.
    world.make("LC", 5, facility="LP-CCC")
    world.give(a_revision("LP-BBB", consent=True))
    [late] = world.hear_itself()
    assert isinstance(late, CommandRefused)
    assert late.reason is CommandRefusal.WRONG_DAYS
    world.give(a_revision("LP-AAA"))
    world.hear_itself()
    world.give(an_accept())
    world.settle()
    assert {line.facility for line in world.request().lines if line.status is LineStatus.RESERVED} == {
        "LP-BBB",
        "LP-CCC",
    }


def test_a_revision_that_would_come_too_late_by_now_is_not_accepted_as_it_is() -> None:
    world = three_days_ahead(LP_CCC=2)
    world.give(a_request((B1, "KTI", 25)))
    world.settle()
    world.make("LC", 5, facility="LP-CCC")
    world.give(a_revision())
    world.hear_itself()
    world.now += timedelta(days=2)
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_DAYS)
    assert world.request().pending_revision is not None


def test_what_would_come_after_the_last_day_does_not_leave() -> None:
    world = three_days_ahead(LP_AAA=2)
    world.give(a_request((B1, "KTI", 20), hold_hours=240))
    world.settle()
    # Too late for the opening, but there is a day to sell it on.
    world.now = NOON + timedelta(days=2)
    assert kinds(world.give(a_shipment())) == ["DispatchOrdered"]
    world = three_days_ahead(LP_AAA=2)
    world.give(a_request((B1, "KTI", 20), hold_hours=240))
    world.settle()
    world.now = NOON + timedelta(days=3)
    assert world.refusal(a_shipment()) == ("facility", CommandRefusal.WRONG_DAYS)
    assert kinds(world.give(a_shipment(facility="LP-BBB"))) == ["DispatchOrdered"]
    world.give(a_revision("LP-AAA", consent=True))
    world.settle()
    assert world.lots["LA"].on_hand == 10
