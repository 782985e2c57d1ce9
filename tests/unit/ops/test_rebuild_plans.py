"""Recorded plans: the same festival again, without ever seeing the stock."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.rebuild.plans import RecordedPlans
from services.festival.domain import Booth, Command, Festival, Replenishment, Request, Shipment
from services.festival.domain.allocation import planner, request
from services.festival.domain.replenishment import replenish
from services.festival.handlers import LOT as VIEW_PROCESSOR
from services.festival.handlers import by_festival
from shared import envelope
from shared.derivation import derived_id
from shared.events.festival import FESTIVAL, AllocationPlanned, LeadTime, PlanLine, Replenish, ReplenishmentProposed
from shared.events.language import Deadline, Event, Publication, event_type
from shared.events.parts import in_parts
from shared.runtime.processor import Processor
from tests.support.builders.festival import (
    B1,
    B2,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_receipt,
    a_report,
    a_request,
    a_revision,
    a_shipment,
    an_accept,
    an_announcement,
)

pytestmark = pytest.mark.unit

PRODUCTS = ("KTI", "KRJ")
PLANNED = event_type(FESTIVAL, AllocationPlanned)


class Recorded(FestivalWorld):
    """A world that remembers every event of the festival and what was said to it."""

    def __init__(self) -> None:
        super().__init__()
        self.worked: list[tuple[Event, list[Publication | Deadline]]] = []

    def _decide(self, processor: Processor, event: Event) -> list[Publication | Deadline]:
        outputs = super()._decide(processor, event)
        if processor is not VIEW_PROCESSOR:
            self.worked.append((event, outputs))
        return outputs

    def topic(self) -> RecordedPlans:
        """The festival topic as readers have it, taken in."""
        plans = RecordedPlans()
        for event, outputs in self.worked:
            for index, output in enumerate(outputs):
                if isinstance(output, Publication) and output.topic is FESTIVAL:
                    id = derived_id(f"{event.source} {event.id}", FESTIVAL.name, index)
                    plans.add(id, event_type(FESTIVAL, type(output.body)), envelope.encode(output.body))
        return plans


@dataclass(frozen=True, slots=True)
class PlanCase:
    """Lots as facility, product and pieces; who took how much of which lot unseen; what is asked; how it goes on; and
    when it is revised, without whom, and whether that is wanted at once."""

    lots: list[tuple[str, str, int]]
    taken: list[tuple[int, int]]
    asked: list[tuple[tuple[str, str], int]]
    consent: bool
    ends: str
    percent: int | None = None
    revisions: tuple[tuple[tuple[str, ...], bool], ...] = ()


CASES = st.builds(
    PlanCase,
    st.lists(
        st.tuples(st.sampled_from(["LP-AAA", "LP-BBB", "LP-CCC"]), st.sampled_from(PRODUCTS), st.integers(1, 9)),
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=4),
    st.lists(
        st.tuples(st.tuples(st.sampled_from([B1, B2]), st.sampled_from(PRODUCTS)), st.integers(1, 20)),
        min_size=1,
        max_size=4,
        unique_by=lambda value: value[0],
    ),
    st.booleans(),
    st.sampled_from(["settled", "lapsed", "sent", "closed"]),
    st.sampled_from([None, 1, 60]),
    st.lists(st.tuples(st.sampled_from([(), ("LP-AAA",), ("LP-AAA", "LP-BBB")]), st.booleans()), max_size=3).map(
        tuple
    ),
)


def recorded_world(case: PlanCase) -> Recorded:
    world = Recorded()
    for body in (an_announcement(), a_booth(B1), a_booth(B2)):
        world.give(body)
    for n, (facility, product, qty) in enumerate(case.lots):
        world.make(f"L{n}", qty, facility, product)
    for n, qty in case.taken:
        if n < len(case.lots) and qty <= world.lots[f"L{n}"].on_hand:
            world.take(f"L{n}", qty)
    wishes = [(booth, product, qty) for (booth, product), qty in case.asked]
    world.give(a_request(*wishes, consent=case.consent, revise_at_percent=case.percent))
    if not case.consent:
        world.give(an_accept())
    world.settle()
    if case.ends == "lapsed" and f"hold/{ODOP}/R1" in world.deadlines:
        world.fire(f"hold/{ODOP}/R1")
    elif case.ends == "sent":
        world.give(a_shipment(facility="LP-AAA"))
        world.settle()
        world.give(a_receipt())
    elif case.ends == "closed":
        world.give(a_booth_closing())
    world.settle()
    for without, consent in case.revisions:
        world.give(a_revision(*without, consent=consent))
        world.settle()
    world.give(an_accept())
    world.settle()
    return world


@given(CASES)
@settings(max_examples=100, deadline=None)
def test_remembered_plans_lead_to_the_same_festival_and_the_same_words(case: PlanCase) -> None:
    world = recorded_world(case)
    plans = world.topic()
    processor = by_festival(plans)
    replay = FestivalWorld()
    for event, outputs in world.worked:
        assert replay._decide(processor, event) == outputs
    for entity in (Booth, Command, Festival, Request, Shipment):
        assert replay.all(entity) == world.all(entity)
    assert plans.unknown == []


def test_a_remembered_refill_is_the_same_refill() -> None:
    """Only what facilities send of it came from a stock that can't be seen again."""
    world = Recorded()
    for body in (an_announcement(), a_booth(B1), a_booth(B2)):
        world.give(body)
    world.make("LA", 90)
    world.give(a_request((B1, "KTI", 20), (B2, "KTI", 20)))
    world.settle()
    for booth, shipment in ((B1, "S1"), (B2, "S2")):
        world.give(a_shipment(shipment, booth=booth))
        world.settle()
        world.give(a_receipt(shipment, booth, LA=20))
    hour = int(NOON.timestamp()) // 3600
    world.give(a_report(B1, hours=[("KTI", hour - n, 5) for n in (3, 2, 1)], LA=15))
    world.give(a_report(B2, hours=[("KTI", hour - n, 1) for n in (3, 2, 1)], LA=3))
    until = NOON + timedelta(hours=6)
    world.give(Replenish(festival=ODOP, request="R2", until=until, products=("KTI",), consent=True))
    world.settle()
    [proposal] = world.bodies(ReplenishmentProposed)
    assert proposal.transfers
    assert proposal.refills
    plans = world.topic()
    replay = FestivalWorld()
    for event, outputs in world.worked:
        assert replay._decide(by_festival(plans), event) == outputs
    assert replay.all(Replenishment) == world.all(Replenishment)
    assert replay.all(Booth) == world.all(Booth)
    assert plans.unknown == []


@pytest.mark.parametrize("lost", [None, 0, 1, 2])
def test_a_long_plan_is_taken_only_whole(monkeypatch: pytest.MonkeyPatch, lost: int | None) -> None:
    monkeypatch.setattr(request, "in_parts", partial(in_parts, row_bytes=900))
    world = Recorded()
    for body in (an_announcement(), a_booth(B1)):
        world.give(body)
    for n in range(8):
        world.make(f"L{n}", 1)
    world.give(a_request((B1, "KTI", 9)))
    event, outputs = world.worked[-1]
    parts = [output for output in outputs if isinstance(output, Publication) and output.topic is FESTIVAL]
    assert len(parts) > 2
    plans = RecordedPlans()
    for index, part in enumerate(parts):
        if index != lost:
            id = derived_id(f"{event.source} {event.id}", FESTIVAL.name, index)
            plans.add(id, PLANNED, envelope.encode(part.body))
    replay = FestivalWorld()
    for earlier, decision in world.worked:
        assert (replay._decide(by_festival(plans), earlier) == decision) is (lost is None or earlier is not event)
    assert plans.unknown == ([] if lost is None else [f"{event.source} {event.id}"])


def test_a_plan_that_was_refused_is_refused_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(planner, "MAX_LINES", 1)
        world = recorded_world(
            PlanCase([("LP-AAA", "KTI", 1), ("LP-BBB", "KTI", 1)], [], [((B1, "KTI"), 2)], True, "settled")
        )
    assert world.all(Request) == []
    replay = FestivalWorld()
    for event, outputs in world.worked:
        assert replay._decide(by_festival(world.topic()), event) == outputs


def a_replenished_world() -> Recorded:
    """Facilities should send goods, and nothing can be planned."""
    world = Recorded()
    for body in (an_announcement(), a_booth(B1)):
        world.give(body)
    world.make("LA", 20)
    world.give(a_request((B1, "KTI", 20)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=20))
    hour = int(NOON.timestamp()) // 3600
    world.give(a_report(B1, hours=[("KTI", hour - n, 6) for n in (3, 2, 1)], LA=18))
    world.give(Replenish(festival=ODOP, request="R2", until=NOON + timedelta(hours=6), products=("KTI",)))
    return world


def test_a_refill_of_which_nothing_could_be_planned_is_none_again() -> None:
    world = a_replenished_world()
    assert world.bodies(ReplenishmentProposed)[0].conflicts
    plans = world.topic()
    replay = FestivalWorld()
    for event, outputs in world.worked:
        assert replay._decide(by_festival(plans), event) == outputs
    for entity in (Command, Replenishment, Request):
        assert replay.all(entity) == world.all(entity)
    assert plans.unknown == []


@pytest.mark.parametrize("lost", [None, 0, 1])
def test_a_long_replenishment_is_taken_only_whole(monkeypatch: pytest.MonkeyPatch, lost: int | None) -> None:
    monkeypatch.setattr(replenish, "in_parts", partial(in_parts, row_bytes=150))
    world = a_replenished_world()
    event, outputs = world.worked[-1]
    parts = [output for output in outputs if isinstance(output, Publication) and output.topic is FESTIVAL]
    assert len(parts) > 2
    assert isinstance(parts[0].body, ReplenishmentProposed)
    assert not parts[0].body.conflicts, "the reasons are in a later part"
    plans = RecordedPlans()
    for earlier, decision in world.worked:
        for index, output in enumerate(decision):
            if isinstance(output, Publication) and output.topic is FESTIVAL and (earlier, index) != (event, lost):
                id = derived_id(f"{earlier.source} {earlier.id}", FESTIVAL.name, index)
                plans.add(id, event_type(FESTIVAL, type(output.body)), envelope.encode(output.body))
    replay = FestivalWorld()
    for earlier, decision in world.worked:
        assert (replay._decide(by_festival(plans), earlier) == decision) is (lost is None or earlier is not event)
    assert plans.unknown == ([] if lost is None else [f"{event.source} {event.id}"])


def test_the_rules_that_kept_other_stock_out_are_remembered() -> None:
    world = Recorded()
    for body in (an_announcement(lead_days=(LeadTime(facility="LP-BBB", days=9),)), a_booth(B1)):
        world.give(body)
    world.make("LA", 5)
    world.make("LB", 7, facility="LP-BBB")
    world.take("LA", 5)
    world.give(a_request((B1, "KTI", 5)))
    world.settle()
    assert [rule.value for rule in world.request().conflicts[0].rules] == ["stock", "lead_time"]
    plans, replay = world.topic(), FestivalWorld()
    for event, outputs in world.worked:
        assert replay._decide(by_festival(plans), event) == outputs
    assert replay.all(Request) == world.all(Request)
    assert plans.unknown == []


def test_an_empty_plan_of_old_times_is_taken_as_it_was() -> None:
    with_plan, _ = recorded_world(PlanCase([], [], [((B1, "KTI"), 2)], True, "settled")).worked[3]
    old = AllocationPlanned(festival=ODOP, request="R1", replan=False, lines=(), shares=(), short=())
    plans = RecordedPlans()
    plans.add(derived_id(f"{with_plan.source} {with_plan.id}", FESTIVAL.name, 0), PLANNED, envelope.encode(old))
    replay = FestivalWorld()
    for body in (an_announcement(), a_booth(B1), a_booth(B2)):
        replay.give(body)
    replay._decide(by_festival(plans), with_plan)
    assert replay.request().lines == ()
    assert plans.unknown == []


def test_a_plan_that_is_in_no_topic_is_missed() -> None:
    world = recorded_world(PlanCase([("LP-AAA", "KTI", 5)], [], [((B1, "KTI"), 2)], True, "settled"))
    plans = RecordedPlans()
    replay = FestivalWorld()
    for event, _ in world.worked[:4]:
        replay._decide(by_festival(plans), event)
    [cause] = {f"{event.source} {event.id}" for event, _ in world.worked[3:4]}
    assert set(plans.unknown) == {cause}


def test_a_plan_from_before_plans_held_all_that_is_needed_is_missed() -> None:
    plans = RecordedPlans()
    world = recorded_world(PlanCase([("LP-AAA", "KTI", 5)], [], [((B1, "KTI"), 2)], True, "settled"))
    event, outputs = world.worked[3]
    [planned] = [output.body for output in outputs if isinstance(output, Publication) and output.topic is FESTIVAL]
    assert isinstance(planned, AllocationPlanned)
    bare = planned.model_copy(
        update={
            "offers": (),
            "lines": tuple(PlanLine(**line.model_dump(exclude={"made_on"})) for line in planned.lines),
        }
    )
    plans.add(derived_id(f"{event.source} {event.id}", FESTIVAL.name, 0), PLANNED, envelope.encode(bare))
    replay = FestivalWorld()
    for earlier, _ in world.worked[:4]:
        replay._decide(by_festival(plans), earlier)
    assert set(plans.unknown) == {f"{event.source} {event.id}"}
