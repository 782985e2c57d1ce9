"""Every plan keeps the limits of its festival and booths, present and promised stock included."""

from datetime import timedelta

import pytest

from services.festival.api.commands import CommandPage
from services.festival.domain import Command, Request
from services.festival.domain.allocation.lines import StoredLines
from services.festival.domain.allocation.pages import coming_to, pages_of
from services.festival.handlers import FESTIVAL
from services.festival.store import PLAN_LINES
from shared.envelope import encode
from shared.events.festival import (
    AllocationPlanned,
    CategoryLimit,
    CommandRefusal,
    CommandRefused,
    LeadTime,
    OpenBooth,
    PlanRule,
    Price,
    ProgrammeWeight,
    RequestAllocation,
)
from shared.events.language import MAX_VALUE_BYTES, Body, Event
from shared.runtime.state import Ref
from tests.support.builders.festival import (
    B1,
    B2,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_receipt,
    a_request,
    a_sell_through,
    a_shipment,
    an_announcement,
    product_codes,
)

TOMORROW = (NOON + timedelta(days=1)).date()


def a_world_with(*bodies: Body) -> FestivalWorld:
    world = FestivalWorld()
    for body in bodies:
        world.give(body)
    return world


def planned(
    world: FestivalWorld, *demands: tuple[str, str, int], request: str, **changed: object
) -> AllocationPlanned:
    [plan] = [
        body
        for body in world.give(a_request(*demands, request=request, **changed))
        if isinstance(body, AllocationPlanned)
    ]
    return plan


def command_refusal(
    world: FestivalWorld, *demands: tuple[str, str, int], request: str, **changed: object
) -> CommandRefused:
    [refusal] = world.give(a_request(*demands, request=request, **changed))
    assert isinstance(refusal, CommandRefused)
    return refusal


def pieces(plan: AllocationPlanned) -> int:
    return sum(line.qty for line in plan.lines)


def an_event(body: RequestAllocation) -> Event:
    return Event("e1", "test", ODOP, NOON, NOON, body)


def of_kinds(capacity: int | None = None, **limits: int) -> OpenBooth:
    prices = tuple(
        Price(product=product, price_rupiah=1, category=category)
        for product, category in (("KTI", "tenun"), ("TTN", "tenun"), ("KUE", "kue"))
    )
    category_limits = tuple(CategoryLimit(category=category, qty=qty) for category, qty in limits.items())
    return a_booth(B1, prices=prices, capacity=capacity, limits=category_limits)


def test_what_is_promised_on_its_way_and_there_takes_room() -> None:
    world = a_world_with(an_announcement(), of_kinds(capacity=10))
    world.make("LA", 100)
    assert pieces(planned(world, (B1, "KTI", 4), request="R1")) == 4
    world.settle()
    assert pieces(planned(world, (B1, "KTI", 9), request="R2", consent=False)) == 6
    full = command_refusal(world, (B1, "KTI", 1), request="R3")
    assert [(conflict.rules, conflict.short) for conflict in full.conflicts] == [((PlanRule.CAPACITY,), 1)]
    world.give(a_shipment())
    world.settle()
    command_refusal(world, (B1, "KTI", 1), request="R3")
    world.give(a_receipt(LA=4))
    command_refusal(world, (B1, "KTI", 1), request="R3")
    world.give(a_sell_through(LA=3))
    assert pieces(planned(world, (B1, "KTI", 9), request="R3")) == 3


@pytest.mark.parametrize("consent", [True, False])
def test_of_what_nothing_can_be_planned_there_is_no_request_but_the_rules_against_it(consent: bool) -> None:
    world = a_world_with(an_announcement(), of_kinds(capacity=10), a_booth(B2))
    world.make("LA", 100)
    planned(world, (B1, "KTI", 10), request="R1")
    refusal = command_refusal(world, (B1, "KTI", 1), (B2, "KUE", 2), request="R2", consent=consent)
    assert (refusal.field, refusal.reason) == ("demands", CommandRefusal.NOTHING_TO_PLAN)
    assert refusal.message == (
        f"Nothing of what R2 asks for can be planned. {B1} lacks 1 of 1 pieces of KTI: the booth has room for 0 more "
        f"pieces and would like 1. {B2} lacks 2 of 2 pieces of KUE: no facility has any that can be planned."
    )
    assert [(conflict.booth, conflict.rules) for conflict in refusal.conflicts] == [
        (B1, (PlanRule.CAPACITY,)),
        (B2, (PlanRule.STOCK,)),
    ]
    assert all(conflict.reason_id for conflict in refusal.conflicts)
    assert [request.name for request in world.all(Request)] == ["R1"]
    command = world.one(Command, refusal.command)
    page = CommandPage.of(command)
    assert page.wrong is not None
    assert [conflict.reason_id for conflict in page.wrong.conflicts] == [
        conflict.reason_id for conflict in refusal.conflicts
    ]


def test_a_refusal_says_why_even_of_a_demand_with_the_longest_names() -> None:
    late = tuple(LeadTime(facility=f"LP-{home}", days=9) for home in ("AAA", "BBB", "CCC"))
    booth, product = "ODOP." + "y" * 40, "KTI"
    world = a_world_with(an_announcement(first_day=TOMORROW, lead_days=late), a_booth(booth, product))
    for n, lead_time in enumerate(late):
        world.make(f"L{n}", 9, facility=lead_time.facility, product=product)
    refusal = command_refusal(world, (booth, product, 9), request="R" * 60)
    assert " lacks 9 of 9 pieces of " in refusal.message
    assert len(refusal.message) <= 500
    assert "more demand" not in refusal.message


def test_a_refusal_of_many_demands_names_as_many_as_it_can_hold() -> None:
    products = product_codes(400)
    world = a_world_with(an_announcement(), a_booth(B1, *products))
    refusal = command_refusal(world, *((B1, product, 1) for product in products), request="R1")
    assert 300 < len(refusal.message) <= 500
    assert refusal.message.endswith("more demands.")
    assert len(encode(refusal)) < MAX_VALUE_BYTES // 2


def test_a_plan_is_bounded_without_loading_the_requests_of_which_nothing_is_to_come() -> None:
    world = a_world_with(an_announcement(), a_booth(B1, capacity=10))
    world.make("LA", 30)
    for name in ("R1", "R2", "R3"):
        world.give(a_request((B1, "KTI", 3), request=name))
    world.settle()
    world.give(a_shipment(request="R1"))
    world.settle()
    world.fire("hold/ODOP/R2")
    world.settle()
    promises = {page.request: PLAN_LINES.to_document(page)["coming_to"] for page in world.all(StoredLines)}
    assert promises == {"ODOP/R1": [], "ODOP/R2": [], "ODOP/R3": [B1]}
    reads = FESTIVAL.reads(an_event(a_request((B1, "KTI", 9), request="R4")))
    queries = [read for read in reads if read.entity in (Request, StoredLines) and not isinstance(read, Ref)]
    assert queries == [pages_of("ODOP/R4"), coming_to(B1)]
    assert pieces(planned(world, (B1, "KTI", 9), request="R4")) == 4


def test_a_category_s_limit_counts_all_its_products() -> None:
    world = a_world_with(an_announcement(), of_kinds(tenun=5))
    for lot, product in (("LA", "KTI"), ("LB", "TTN"), ("LC", "KUE")):
        world.make(lot, 100, product=product)
    assert pieces(planned(world, (B1, "KTI", 3), request="R1")) == 3
    rest = planned(world, (B1, "TTN", 9), (B1, "KUE", 9), request="R2")
    assert {line.product: line.qty for line in rest.lines} == {"TTN": 2, "KUE": 9}
    assert [conflict.rules for conflict in rest.conflicts] == [(PlanRule.CATEGORY,)]


def test_a_parcel_comes_before_the_opening_and_later_before_the_last_day() -> None:
    days = (LeadTime(facility="LP-AAA", days=2), LeadTime(facility="LP-BBB", days=1))
    world = a_world_with(
        an_announcement(first_day=TOMORROW, last_day=TOMORROW + timedelta(days=2), lead_days=days), a_booth(B1)
    )
    world.make("LA", 5)
    world.make("LB", 5, facility="LP-BBB")
    before = planned(world, (B1, "KTI", 10), request="R1", consent=False)
    assert [line.lot for line in before.lines] == ["LB"]
    assert before.conflicts[0].rules == (PlanRule.STOCK, PlanRule.LEAD_TIME)
    assert "LP-AAA" in before.conflicts[0].reason_id
    world.now += timedelta(days=1)
    assert len(planned(world, (B1, "KTI", 10), request="R2", consent=False).lines) == 2
    world.now += timedelta(days=1)
    assert [line.lot for line in planned(world, (B1, "KTI", 10), request="R3", consent=False).lines] == ["LB"]


def test_a_replan_keeps_to_lead_times() -> None:
    world = a_world_with(
        an_announcement(first_day=TOMORROW, lead_days=(LeadTime(facility="LP-BBB", days=9),)), a_booth(B1)
    )
    world.make("LA", 5)
    world.make("LB", 5, facility="LP-BBB")
    planned(world, (B1, "KTI", 5), request="R1", consent=False)
    world.make("LC", 2)
    world.take("LA", 4)
    world.give(a_request((B1, "KTI", 5), request="R2"))
    world.settle()
    assert {line.lot for line in world.request("R2").lines} == {"LA", "LC"}


def test_weights_are_the_festival_s() -> None:
    world = a_world_with(an_announcement(weights=(ProgrammeWeight(facility="LP-AAA", weight=2),)), a_booth(B1))
    world.make("LA", 30)
    world.make("LB", 30, facility="LP-BBB")
    plan = planned(world, (B1, "KTI", 30), request="R1")
    assert {share.facility: share.allocated for share in plan.shares} == {"LP-AAA": 20, "LP-BBB": 10}


@pytest.mark.parametrize(("even", "shipments"), [(True, 2), (False, 1)])
def test_a_request_says_whether_booths_share_evenly(even: bool, shipments: int) -> None:
    world = a_world_with(an_announcement(), a_booth(B1), a_booth(B2))
    world.make("LA", 10)
    plan = planned(world, (B1, "KTI", 10), (B2, "KTI", 10), request="R1", even=even)
    assert plan.shipments == plan.shipments_at_least == shipments


def test_what_can_bound_nothing_or_is_said_twice_is_refused() -> None:
    twice = (LeadTime(facility="LP-AAA", days=1), LeadTime(facility="LP-AAA", days=2))
    world = FestivalWorld()
    assert world.refusal(an_announcement(lead_days=twice)) == ("lead_days", CommandRefusal.NAMED_TWICE)
    heavy = (ProgrammeWeight(facility="LP-AAA", weight=101),)
    assert world.refusal(an_announcement(weights=heavy)) == ("weights", CommandRefusal.OUT_OF_RANGE)
    world.give(an_announcement())
    limit = CategoryLimit(category="tenun", qty=1)
    assert world.refusal(a_booth(B1, limits=(limit,))) == ("limits", CommandRefusal.MISSING)
    assert world.refusal(of_kinds().model_copy(update={"limits": (limit, limit)})) == (
        "limits",
        CommandRefusal.NAMED_TWICE,
    )
