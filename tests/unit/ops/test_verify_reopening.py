"""The checks of `verify` on a booth that was closed, sold again and was closed again, without any server."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ops.verify.booths import booth_stock, sell_through
from ops.verify.evidence import Evidence
from ops.verify.requests import revisions
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import Request
from services.festival.domain.booth import BoothStatus as FestivalStatus
from services.festival.domain.booth import PriceTag
from services.festival.domain.booth_lot import BoothLot as HeldLot
from services.sales.domain import Booth, Settlement
from services.sales.domain.booth import BoothStatus, Reopening
from services.sales.domain.settlement import BoothShare
from tests.support.builders.sales import (
    B1,
    B2,
    DEADLINE,
    ODOP,
    PRICE,
    a_closing,
    a_last_word,
    a_reopening,
    a_stocking,
    an_opening,
)
from tests.support.witness import Witness, broken, with_entity

pytestmark = pytest.mark.unit

AGAIN = DEADLINE + timedelta(hours=48)


def reopened() -> Witness:
    """B1 sold 4 of 10 and was settled, 2 went home, and it sells again; B2 is open."""
    world = Witness()
    for booth in (B1, B2):
        world.give(an_opening(booth, tills=("T1",)), a_stocking("L1", 10, booth))
    world.hear_all()
    world.sell("s1", 1, qty=4)
    world.give(a_last_word(2), a_closing())
    world.hear_all()
    world.give(a_reopening(L1=2))
    world.hear_all()
    world.sell("s2", 3, qty=1)
    return world


def closed_again() -> Witness:
    world = reopened()
    world.give(a_closing(deadline=AGAIN), a_last_word(4, opening=2))
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    return world


def with_festival(evidence: Evidence) -> Evidence:
    """The evidence with B1 as festival keeps it while it sells again."""
    festival_booth = FestivalBooth(
        B1,
        ODOP,
        "Booth",
        (PriceTag("KTI", PRICE), PriceTag("KUE", 5_000)),
        ("T1",),
        lots=(HeldLot("L1", "LP-A", "KTI", date(2023, 4, 1), received=10, returned=2, returned_before=2),),
        opening=2,
        revision=1,
    )
    booths = {id: booth for id, booth in evidence.of(Booth).items() if id == B1}
    return Evidence(evidence.published, evidence.entities | {FestivalBooth: {B1: festival_booth}, Booth: booths})


@pytest.mark.parametrize("world", [reopened, closed_again])
def test_a_reopened_booth_adds_up(world: object) -> None:
    assert callable(world)
    evidence = world().evidence()
    assert broken(evidence) == {}
    assert evidence.of(Booth)[B1].opening == 2


def test_both_services_agree_on_a_reopened_booth() -> None:
    evidence = with_festival(reopened().evidence())
    assert (booth_stock(evidence).broken, sell_through(evidence).broken) == ([], [])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda booth: replace(booth, opening=1),
        lambda booth: replace(booth, status=FestivalStatus.CLOSING),
        lambda booth: replace(booth, reopening="o2"),
        lambda booth: replace(booth, lots=(replace(booth.lots[0], returned_before=0),)),
    ],
)
def test_what_festival_keeps_wrong_of_a_reopened_booth_is_found(wrong: object) -> None:
    evidence = with_festival(reopened().evidence())
    assert callable(wrong)
    assert len(booth_stock(with_entity(evidence, FestivalBooth, wrong)).broken) == 1


@pytest.mark.parametrize(("opening", "wrong"), [(1, 1), (2, 0)])
def test_a_request_ended_by_a_closing_stays_so_at_a_reopened_booth(opening: int, wrong: int) -> None:
    request = Request("ODOP/R1", ODOP, "R1", (), 72, closed=(B1,))
    booth = FestivalBooth(B1, ODOP, "Booth", (), (), opening=opening)
    evidence = Evidence(entities={Request: {request.id: request}, FestivalBooth: {B1: booth}})
    assert len(revisions(evidence).broken) == wrong


def test_a_request_that_sales_never_answered_is_found() -> None:
    evidence = with_festival(reopened().evidence())
    waiting = with_entity(evidence, Booth, lambda booth: replace(booth, reopening=Reopening("o2", 3)), B1)
    assert booth_stock(waiting).broken == [f"booth {B1} is to be reopened, and nobody has answered"]


def test_a_booth_that_sells_after_its_settlement_was_issued_is_found() -> None:
    def issued(settlement: Settlement) -> Settlement:
        return replace(settlement, booths=tuple(map(as_issued, settlement.booths)))

    def as_issued(share: BoothShare) -> BoothShare:
        return replace(share, issued=True)

    violations = broken(with_entity(reopened().evidence(), Settlement, issued))
    assert f"booth {B1} sells, though the settlement of LP-A with it was issued" in violations["settlements"]


def test_a_settled_booth_that_opens_without_a_word_is_found() -> None:
    evidence = closed_again().evidence()
    violations = broken(with_entity(evidence, Booth, lambda booth: replace(booth, status=BoothStatus.OPEN), B1))
    assert {"settlements", "demand"} <= violations.keys()


def test_a_device_that_still_counts_as_closed_is_found() -> None:
    def still_closed(booth: Booth) -> Booth:
        [device] = booth.devices
        [branch] = device.branches
        return replace(booth, devices=(replace(device, branches=(replace(branch, last_seq=2),)),))

    assert broken(with_entity(reopened().evidence(), Booth, still_closed, B1)).keys() == {"devices"}


def test_a_booth_that_settles_again_before_its_till_closed_again_is_found() -> None:
    world = reopened()
    world.give(a_closing(deadline=AGAIN))
    world.fire()
    evidence = world.evidence()
    assert broken(evidence) == {}, "at the deadline"
    evidence.published.deadlines.clear()
    assert broken(evidence).keys() == {"devices"}
