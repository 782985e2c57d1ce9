"""Revisions on made-up cases: nothing moves that can stay, and all that can be had of what is missing is planned."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain.allocation.request import shortfalls
from services.festival.domain.line import LineStatus, pieces
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus
from shared.events.festival import AllocationRevised
from tests.support.builders.festival import (
    B1,
    B2,
    FestivalWorld,
    a_booth_closing,
    a_receipt,
    a_request,
    a_revision,
    a_shipment,
    a_world,
)
from tests.support.examples import examples

pytestmark = pytest.mark.property

FACILITIES = ("LP-AAA", "LP-BBB", "LP-CCC")
PRODUCTS = ("KTI", "KRJ")
LEAVES = (LineStatus.RELEASING, LineStatus.RELEASED)


@dataclass(frozen=True, slots=True)
class Case:
    """Lots before and after the plan (facility, product, pieces), what is asked, which facilities send how much less
    than they should, and what then happens."""

    lots: list[tuple[str, str, int]]
    later: list[tuple[str, str, int]]
    asked: dict[tuple[str, str], int]
    sent: dict[str, int]
    closes: bool
    without: frozenset[str]
    consent: bool


some_lots = st.lists(
    st.tuples(st.sampled_from(FACILITIES), st.sampled_from(PRODUCTS), st.integers(1, 12)), max_size=5
)
cases = st.builds(
    Case,
    lots=some_lots,
    later=some_lots,
    asked=st.dictionaries(
        st.tuples(st.sampled_from([B1, B2]), st.sampled_from(PRODUCTS)), st.integers(1, 15), min_size=1
    ),
    sent=st.dictionaries(st.sampled_from(FACILITIES), st.integers(0, 4), max_size=2),
    closes=st.booleans(),
    without=st.frozensets(st.sampled_from(FACILITIES), max_size=2),
    consent=st.booleans(),
    # Else there is no request to revise.
).filter(lambda case: bool({made for _, made, _ in case.lots} & {product for _, product in case.asked}))


def world_before_revision(case: Case) -> FestivalWorld:
    world = a_world()
    for n, (facility, product, qty) in enumerate(case.lots):
        world.make(f"L{n}", qty, facility, product)
    world.give(a_request(*((booth, product, qty) for (booth, product), qty in case.asked.items())))
    world.settle()
    for facility, lost in case.sent.items():
        for booth in (B1, B2):
            world.give(a_shipment(f"{facility}-{booth}", facility, booth))
        world.settle()
        for shipment in world.all(Shipment):
            if shipment.status is ShipmentStatus.SENT:
                counted = {lot: max(0, qty - lost) for lot, qty in shipment.lots.items()}
                world.give(a_receipt(shipment.name, shipment.booth, **counted))
    for n, (facility, product, qty) in enumerate(case.later):
        world.make(f"M{n}", qty, facility, product)
    if case.closes:
        world.give(a_booth_closing(B2))
    world.settle()
    return world


@given(cases)
@examples(150)
def test_only_what_can_not_stay_goes_and_what_can_be_had_comes(case: Case) -> None:
    world = world_before_revision(case)
    before = world.request()
    # Of others festival says that they have no part in it.
    without = case.without & {offer.facility for offer in before.offers}
    there: Counter[str] = Counter()
    for lot in world.lots.values():
        if lot.facility not in without:
            there[lot.product] += lot.on_hand
    world.give(a_revision(*sorted(without), consent=case.consent))
    revisions = [body for body in world.hear_itself() if isinstance(body, AllocationRevised)] if world.wishes else []
    after = world.request()

    back_lines = {
        line.reservation: line
        for line in before.lines
        if line.status is LineStatus.RESERVED and line.facility in without
    }
    missing: Counter[str] = Counter()
    for short in shortfalls(before):
        if short.booth not in before.closed:
            missing[short.product] += short.short
    for line in back_lines.values():
        missing[line.product] += line.qty
    possible = +Counter({product: min(qty, there[product]) for product, qty in missing.items()})
    if not revisions:
        assert not back_lines
        assert not possible
        assert after == before
        return
    [revision] = revisions
    assert {line.reservation for line in revision.back} == back_lines.keys()
    for former, now in zip(before.lines, after.lines, strict=False):
        if former.reservation in back_lines and case.consent:
            assert now.status in LEAVES
        else:
            assert now == former
    assert revision.kept == pieces(before.lines) - sum(line.qty for line in back_lines.values())
    added_pieces: Counter[str] = Counter()
    for added in revision.added:
        assert added.facility not in without
        assert added.booth not in before.closed
        added_pieces[added.product] += added.qty
    assert added_pieces == possible
    short_after = sum(shortage.after for shortage in revision.short if shortage.booth not in before.closed)
    assert short_after == missing.total() - added_pieces.total()
