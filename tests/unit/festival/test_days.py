"""Requests for one day of a festival: good lots, parcels in time, holds, and the stock page."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.festival.api.pages import LotStock, ProductStock, RequestPage
from services.festival.domain import Festival, StockView
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.line import LineStatus
from services.festival.domain.replenishment import HeldLot, SalesHistory, SalesHour, Situation, propose
from shared.events.festival import (
    AllocationFellShort,
    AllocationPlanned,
    CommandRefusal,
    CommandRefused,
    LeadTime,
    PlanRule,
)
from tests.support.builders.festival import (
    B1,
    LAST_DAY,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_receipt,
    a_request,
    a_revision,
    a_shipment,
    a_world,
    an_accept,
    an_announcement,
    kinds,
)

FIRST_DAY = date(2023, 4, 18)
SECOND_DAY = date(2023, 4, 19)
END_OF_SECOND_DAY = datetime(2023, 4, 19, 16, tzinfo=UTC)


def a_far_world(days: int, **lead_days: int) -> FestivalWorld:
    """A festival of three days that opens in so many days."""
    world = FestivalWorld()
    opening = NOON.date() + timedelta(days=days)
    times = tuple(LeadTime(facility=name.replace("_", "-"), days=qty) for name, qty in lead_days.items())
    world.give(an_announcement(first_day=opening, last_day=opening + timedelta(days=2), lead_days=times))
    world.give(a_booth(B1))
    return world


def stock_page(world: FestivalWorld, day: date | None = None) -> ProductStock:
    rules = planning_rules(world.one(Festival, ODOP), world.now, day=day)
    return ProductStock.of("KUE", world.all(StockView), rules)


@pytest.mark.parametrize(
    ("best_before", "day", "planned"),
    [
        (FIRST_DAY, FIRST_DAY, True),
        (FIRST_DAY, SECOND_DAY, False),
        (FIRST_DAY, None, False),
        (LAST_DAY, None, True),
        (LAST_DAY - timedelta(days=1), None, False),
        (None, LAST_DAY, True),
    ],
)
def test_a_day_is_served_by_lots_that_are_good_on_it(
    best_before: date | None, day: date | None, *, planned: bool
) -> None:
    world = a_world()
    world.make("LA", 9, product="KUE", best_before=best_before)
    bodies = world.give(a_request((B1, "KUE", 5), consent=False, day=day))
    assert kinds(bodies) == ["AllocationPlanned" if planned else "CommandRefused"]
    assert stock_page(world, day).plannable == (9 if planned else 0)


def test_the_refusal_tells_what_is_kept_out_from_what_does_not_exist() -> None:
    world = a_world()
    world.make("LA", 86, product="KUE", best_before=SECOND_DAY)
    [refused] = world.give(a_request((B1, "KUE", 90)))
    assert isinstance(refused, CommandRefused)
    [conflict] = refused.conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.BEST_BEFORE)
    assert "86 pieces of LP-AAA would be past their best-before day; 4 more do not exist yet" in refused.message
    [kept_out] = stock_page(world).kept_out
    assert (kept_out.rules, kept_out.qty) == ([PlanRule.BEST_BEFORE], 86)
    lot = LotStock.under(planning_rules(world.one(Festival, ODOP), NOON), world.one(StockView, "LA"))
    assert lot.kept_out == (PlanRule.BEST_BEFORE,)


def test_what_is_not_made_yet_is_short() -> None:
    world = a_world()
    world.make("LA", 86, product="KUE", best_before=SECOND_DAY)
    [planned] = world.give(a_request((B1, "KUE", 90), day=SECOND_DAY, consent=False))
    assert isinstance(planned, AllocationPlanned)
    assert [(line.lot, line.qty) for line in planned.lines] == [("LA", 86)]
    assert [gap.short for gap in planned.short] == [4]
    assert RequestPage.of(world.request()).day == SECOND_DAY


def test_a_parcel_must_come_by_the_day() -> None:
    world = a_far_world(3, LP_AAA=5)
    world.make("LA", 9, product="KUE")
    assert world.refusal(a_request((B1, "KUE", 5))) == ("demands", CommandRefusal.NOTHING_TO_PLAN)
    day = NOON.date() + timedelta(days=5)
    assert kinds(world.give(a_request((B1, "KUE", 5), day=day, consent=False))) == ["AllocationPlanned"]
    assert stock_page(world).plannable == 0
    assert stock_page(world, day).plannable == 9


def test_a_plan_for_a_day_is_not_accepted_when_its_parcels_would_come_after_it() -> None:
    world = a_far_world(3, LP_AAA=5)
    world.make("LA", 9, product="KUE")
    world.give(a_request((B1, "KUE", 5), day=NOON.date() + timedelta(days=5), consent=False))
    world.now += timedelta(days=1)
    assert world.refusal(an_accept()) == ("request", CommandRefusal.WRONG_DAYS)


def test_stock_is_held_until_the_day_is_over() -> None:
    world = a_world()
    world.make("LA", 9, product="KUE")
    world.give(a_request((B1, "KUE", 5), day=SECOND_DAY))
    world.settle()
    assert world.request().hold_until == END_OF_SECOND_DAY
    world.fire("hold/ODOP/R1")
    assert world.request().lines[0].status is LineStatus.RELEASING


def test_hours_end_a_hold_sooner_than_the_day_but_never_later() -> None:
    world = a_world()
    world.make("LA", 9, product="KUE")
    world.give(a_request((B1, "KUE", 2), day=SECOND_DAY, hold_hours=2))
    world.give(a_request((B1, "KUE", 2), day=SECOND_DAY, hold_hours=200, request="R2"))
    assert world.request().hold_until == NOON + timedelta(hours=2)
    assert world.request("R2").hold_until == END_OF_SECOND_DAY


def test_a_refused_line_is_planned_again_for_the_same_day() -> None:
    world = a_world()
    world.make("LA", 5, product="KUE", best_before=SECOND_DAY, made_on=date(2023, 3, 1))
    world.make("LB", 5, product="KUE", best_before=SECOND_DAY)
    world.take("LA", 5)
    world.give(a_request((B1, "KUE", 5), day=SECOND_DAY))
    world.settle()
    assert [line.lot for line in world.request().lines if line.status is LineStatus.RESERVED] == ["LB"]


def test_a_revision_plans_for_the_same_day() -> None:
    world = a_world()
    world.make("LA", 5, product="KUE", best_before=SECOND_DAY)
    world.give(a_request((B1, "KUE", 9), day=SECOND_DAY))
    world.make("LB", 5, product="KUE", best_before=SECOND_DAY, facility="LP-BBB")
    world.settle()
    world.give(a_revision(consent=True))
    world.settle()
    assert sum(line.qty for line in world.request().lines if line.status is LineStatus.RESERVED) == 9


@pytest.mark.parametrize("day", [FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1)])
def test_a_day_is_one_of_the_festival(day: date) -> None:
    world = a_world()
    world.make("LA", 5, product="KUE")
    assert world.refusal(a_request((B1, "KUE", 5), day=day)) == ("day", CommandRefusal.WRONG_DAYS)


def test_a_day_that_is_over_is_refused() -> None:
    world = a_world()
    world.make("LA", 5, product="KUE")
    world.now += timedelta(days=1)
    assert world.refusal(a_request((B1, "KUE", 5), day=FIRST_DAY)) == ("day", CommandRefusal.WRONG_DAYS)


def test_a_refusal_names_every_rule_that_keeps_other_stock_out() -> None:
    """Also where no stock is left at all that a plan could use."""
    world = a_far_world(5, LP_BBB=9)
    world.make("LA", 5, product="KUE")
    world.make("LB", 7, product="KUE", facility="LP-BBB")
    world.make("LC", 3, product="KUE", best_before=NOON.date())
    world.take("LA", 5)
    world.give(a_request((B1, "KUE", 5)))
    world.settle()
    *_, again = world.bodies(AllocationPlanned)
    assert (again.replan, again.lines) == (True, ())
    [conflict] = again.conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME)
    assert "7 pieces of LP-BBB would come too late" in conflict.reason
    page = RequestPage.of(world.request())
    [gap] = page.shortfalls
    assert (gap.short, gap.rules) == (5, ["stock", "best_before", "lead_time"])
    assert (gap.reason, gap.reason_id) == (conflict.reason, conflict.reason_id)
    [answer] = world.bodies(AllocationFellShort)
    assert (answer.reserved, answer.short) == (0, 5)


def test_every_reason_has_a_code_and_a_sentence_in_both_languages() -> None:
    world = a_world()
    world.make("LA", 3, product="KUE", best_before=SECOND_DAY)
    world.make("LB", 4, product="KUE")
    world.give(a_request((B1, "KUE", 9), consent=False))
    page = RequestPage.of(world.request())
    [line] = page.lines
    assert (line.why, line.first) == ("only", "only")
    [gap] = page.shortfalls
    assert gap.rules == ["stock", "best_before"]
    for row in (line, gap, *page.shares):
        assert row.reason
        assert row.reason_id
        assert row.reason != row.reason_id


@pytest.mark.parametrize(("days", "good"), [(-1, False), (0, True), (1, True)])
def test_the_best_before_day_itself_is_good_in_plans_stock_and_moves_alike(days: int, *, good: bool) -> None:
    best = LAST_DAY + timedelta(days=days)
    world = a_world()
    world.make("LA", 9, product="KUE", best_before=best)
    planned = world.give(a_request((B1, "KUE", 5), consent=False, day=LAST_DAY))
    assert (kinds(planned) == ["AllocationPlanned"]) is good
    assert (stock_page(world, LAST_DAY).plannable == 9) is good
    rules = planning_rules(world.one(Festival, ODOP), NOON)
    held = HeldLot("ODOP.B2", "LA", "LP-AAA", "KUE", FIRST_DAY, left=90, best_before=best)
    sells = {booth: frozenset({"KUE"}) for booth in (B1, "ODOP.B2")}
    hour = int(NOON.timestamp()) // 3600 - 1
    histories = tuple(
        SalesHistory(booth, "KUE", (SalesHour(hour, qty, 60),)) for booth, qty in ((B1, 9), ("ODOP.B2", 0))
    )
    now = Situation(NOON, NOON + timedelta(hours=2), sells, histories, (held,), rules)
    assert bool(propose(now).moves) is good


def test_on_its_best_before_day_a_lot_can_be_sent_and_received() -> None:
    world = a_world()
    world.make("LA", 9, product="KUE", best_before=FIRST_DAY)
    world.give(a_request((B1, "KUE", 5), day=FIRST_DAY))
    world.settle()
    world.give(a_shipment())
    world.settle()
    assert "BoothStocked" in kinds(world.give(a_receipt(LA=5)))


def test_what_comes_by_parcel_counts_its_days_to_the_day_also_while_booths_sell() -> None:
    """The festival runs, and its last day is two days ahead."""
    world = FestivalWorld()
    world.give(an_announcement(lead_days=(LeadTime(facility="LP-AAA", days=1),)))
    world.give(a_booth(B1))
    world.make("LA", 9, product="KUE")
    assert world.refusal(a_request((B1, "KUE", 5), day=FIRST_DAY)) == ("demands", CommandRefusal.NOTHING_TO_PLAN)
    assert kinds(world.give(a_request((B1, "KUE", 5), day=SECOND_DAY, consent=False))) == ["AllocationPlanned"]
