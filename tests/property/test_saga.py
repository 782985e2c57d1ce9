"""Many requests for few lots, with orders, answers and balances in any order that lanes allow: each is answered once,
nothing is promised twice, and nobody goes without what lies there still."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain import Request
from services.festival.domain.allocation.request import RequestStatus, shortfalls
from services.festival.domain.line import HELD
from shared.events.festival import AllocationConfirmed, AllocationFellShort, CommandRefusal, CommandRefused
from tests.support.builders.festival import FestivalWorld, a_booth, a_request, an_announcement

pytestmark = pytest.mark.property

FESTIVALS = ("FA", "FB", "FC")
FACILITIES = ("LP-AAA", "LP-BBB", "LP-CCC")
PRODUCTS = ("KTI", "KUE")


@dataclass(frozen=True, slots=True)
class Asked:
    """So many pieces of each product for the festival's booth."""

    festival: str
    pieces: tuple[tuple[str, int], ...]


LOTS = st.lists(
    st.tuples(st.sampled_from(FACILITIES), st.sampled_from(PRODUCTS), st.integers(1, 12)), min_size=1, max_size=6
)
ASKED = st.builds(
    Asked,
    st.sampled_from(FESTIVALS),
    st.dictionaries(st.sampled_from(PRODUCTS), st.integers(1, 15), min_size=1).map(lambda some: tuple(some.items())),
)


def a_market(lots: list[tuple[str, str, int]]) -> FestivalWorld:
    world = FestivalWorld()
    for festival in FESTIVALS:
        world.give(an_announcement(festival))
        world.give(a_booth(f"{festival}.B1", *PRODUCTS))
    for n, (facility, product, qty) in enumerate(lots):
        world.make(f"L{n}", qty, facility, product)
    return world


def run(world: FestivalWorld, wishes: list[Asked], random: Random) -> None:
    """Whatever can happen next happens in an order that nobody chose; each lot's own queues keep theirs."""
    waiting = list(enumerate(wishes))
    while True:
        steps = ["ask"] * bool(waiting)
        for lot in sorted(world.lots):
            steps += [f"carry_out {lot}"] * bool(world.orders[lot])
            steps += [f"hear {lot}"] * bool(world.answers[lot])
            steps += [f"see {lot}"] * bool(world.balances[lot])
        if all(step.startswith("see") for step in steps):
            return
        action, _, lot = random.choice(steps).partition(" ")
        if action == "ask":
            n, request = waiting.pop(0)
            demands = [(f"{request.festival}.B1", product, qty) for product, qty in request.pieces]
            world.give(a_request(*demands, festival=request.festival, request=f"R{n}"))
        else:
            getattr(world, action)(lot)


def answers_to(world: FestivalWorld, request: Request) -> list[AllocationConfirmed | AllocationFellShort]:
    outcomes = [body for body in world.published if isinstance(body, AllocationConfirmed | AllocationFellShort)]
    return [
        outcome for outcome in outcomes if (outcome.festival, outcome.request) == (request.festival, request.name)
    ]


@given(lots=LOTS, wishes=st.lists(ASKED, min_size=2, max_size=12), random=st.randoms(use_true_random=False))
def test_each_request_is_answered_once_and_nobody_goes_without_what_is_there(
    lots: list[tuple[str, str, int]], wishes: list[Asked], random: Random
) -> None:
    world = a_market(lots)
    run(world, wishes, random)
    requests = world.all(Request)
    refused = world.bodies(CommandRefused)
    assert {refusal.reason for refusal in refused} <= {CommandRefusal.NOTHING_TO_PLAN}
    assert len(requests) + len(refused) == len(wishes)
    promised: Counter[str] = Counter()
    missed = {conflict.product for refusal in refused for conflict in refusal.conflicts}
    for request in requests:
        assert request.status is RequestStatus.SETTLED
        [answer] = answers_to(world, request)
        held_lines = [line for line in request.lines if line.status in HELD]
        assert answer.reserved == sum(line.qty for line in held_lines)
        short = answer.short if isinstance(answer, AllocationFellShort) else 0
        assert sum(line.qty for line in held_lines) + short == sum(want.qty for want in request.demands)
        missed |= {gap.product for gap in shortfalls(request)}
        for line in held_lines:
            promised[line.lot] += line.qty
    for id, lot in world.lots.items():
        assert lot.on_hand >= 0
        assert lot.on_hand + promised[id] == lot.recorded
        assert lot.product not in missed or lot.on_hand == 0, "somebody goes without what lies there"
