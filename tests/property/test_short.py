"""The missing pieces by a request's sums are those of its lines, whatever is lost, found, replaced and refused."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain import Request, Shipment
from services.festival.domain.allocation.request import Beyond, shortfalls, surpluses
from services.festival.domain.logistics.shipment import ShipmentStatus
from tests.support.builders.festival import (
    B1,
    B2,
    FestivalWorld,
    a_booth_closing,
    a_receipt,
    a_recount,
    a_request,
    a_revision,
    a_shipment,
    a_world,
)
from tests.support.examples import examples

pytestmark = pytest.mark.property

FACILITIES = ("LP-AAA", "LP-BBB")
PRODUCTS = ("KTI", "KRJ")


def step(world: FestivalWorld, random: Random, number: int) -> None:
    """Something that may change what is missing; orders and answers of inventory come later than other steps."""
    shipments = world.all(Shipment)
    received = [shipment for shipment in shipments if shipment.status is ShipmentStatus.RECEIVED]
    sent = [shipment for shipment in shipments if shipment.status is ShipmentStatus.SENT]
    orders = [lot for lot in sorted(world.lots) if world.orders[lot]]
    answers = [lot for lot in sorted(world.lots) if world.answers[lot]]
    booth, facility = random.choice((B1, B2)), random.choice(FACILITIES)
    match random.randrange(10):
        case 0:
            world.make(f"M{number}", random.randint(1, 9), facility, random.choice(PRODUCTS))
        case 1:
            world.give(a_shipment(f"S{number}", facility, booth))
        case 2 if sent:
            shipment = random.choice(sent)
            counted = {lot: random.randint(0, qty) for lot, qty in shipment.lots.items()}
            world.give(a_receipt(shipment.name, shipment.booth, **counted))
        case 3 | 4 if received:
            shipment = random.choice(received)
            counted = {lot: random.choice((0, qty, qty, qty + 2)) for lot, qty in shipment.lots.items()}
            world.give(a_recount(shipment.name, shipment.booth, **counted))
        case 5:
            world.give(
                a_revision(*random.sample(FACILITIES, random.choice((0, 0, 1))), consent=random.random() < 0.8)
            )
        case 6 if random.random() < 0.2:
            world.give(a_booth_closing(booth))
        case 7 if answers:
            world.hear(random.choice(answers))
        case 8 if orders:
            world.carry_out(random.choice(orders))
        case 9 if world.wishes:
            world.hear_itself()
        case _:
            lot = random.choice(sorted(world.lots))
            free = world.lots[lot].on_hand
            if free and random.random() < 0.3:
                world.take(lot, random.randint(1, free))
            else:
                world.settle()


@given(
    lots=st.lists(
        st.tuples(st.sampled_from(FACILITIES), st.sampled_from(PRODUCTS), st.integers(1, 12)), min_size=1, max_size=5
    ),
    asked=st.dictionaries(
        st.tuples(st.sampled_from([B1, B2]), st.sampled_from(PRODUCTS)), st.integers(1, 15), min_size=1
    ),
    percent=st.sampled_from([None, 20]),
    random=st.randoms(use_true_random=False),
)
@examples(150)
def test_what_is_missing_by_the_sums_is_missing_by_the_lines(
    lots: list[tuple[str, str, int]], asked: dict[tuple[str, str], int], percent: int | None, random: Random
) -> None:
    world = a_world()
    for n, (facility, product, qty) in enumerate(lots):
        world.make(f"L{n}", qty, facility, product)
    world.give(
        a_request(*((booth, product, qty) for (booth, product), qty in asked.items()), revise_at_percent=percent)
    )
    if not world.all(Request):
        return  # nothing could be planned
    for number in range(40):
        step(world, random, number)
        request = world.request()
        assert request.short == sum(gap.short for gap in shortfalls(request))
        assert request.beyond == tuple(
            sorted(Beyond(row.booth, row.product, row.surplus) for row in surpluses(request))
        )
