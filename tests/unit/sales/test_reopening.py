"""Selling again at a booth that was closed: until a settlement with it is issued, and closed again as at first."""

from datetime import date, timedelta

import pytest

from services.sales.domain import FacilityDemand
from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import SaleStatus
from shared.events.festival import DisputeOutcome
from shared.events.language import Body
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    BoothReopened,
    BoothSettled,
    DemandSignalled,
    ReopeningGranted,
    ReopeningRefused,
    ResolutionApplied,
    ResolutionRefused,
    SellThroughCounted,
    SellThroughSoFar,
    SettlementCorrected,
    SettlementIssued,
    SettlementPostponed,
    ShareHoldRequested,
)
from tests.support.builders.sales import (
    B1,
    B2,
    DEADLINE,
    ODOP,
    PRICE,
    SalesWorld,
    a_closing,
    a_last_word,
    a_reopening,
    a_sale,
    a_stocking,
    a_word,
    an_opening,
    open_booth,
)

NEVER_HERE = str(LotNumber("LP-ZZZ", "KTI", date(2023, 4, 5), 1))
OF_CAKES = str(LotNumber("LP-ZZZ", "KUE", date(2023, 4, 5), 1))
GRANTED = ReopeningGranted(festival=ODOP, booth=B1, order="o1", opening=2)
LATER = DEADLINE + timedelta(hours=48)


def refused_for(facility: str) -> ReopeningRefused:
    return ReopeningRefused(festival=ODOP, booth=B1, order="o1", facility=facility)


def two_booths(*facilities: str) -> SalesWorld:
    """Each facility has ten pieces at B1 and at B2; B1 is settled, and B2 is open."""
    world = SalesWorld()
    for booth in (B1, B2):
        world.give(an_opening(booth, tills=("T1",)))
        for facility in facilities:
            world.give(a_stocking(f"{facility}-KTI", 10, booth, facility=facility))
    world.hear_all()
    world.sell("s1", 1, f"{facilities[0]}-KTI", 4)
    world.give(a_last_word(2), a_closing())
    world.hear_all()
    assert world.booth().status is BoothStatus.SETTLED
    world.published.clear()
    return world


def test_a_closing_booth_opens_at_once() -> None:
    world = open_booth()
    world.give(a_last_word(1), a_closing())
    assert world.booth().status is BoothStatus.CLOSING, "T2 has sent nothing"
    bodies = world.give(a_reopening())
    assert BoothReopened(booth=B1, opening=2) in bodies
    assert GRANTED in bodies
    booth = world.booth()
    assert (booth.status, booth.deadline, booth.opening) == (BoothStatus.OPEN, None, 2)
    assert world.hear_all() == [SettlementPostponed(facility="LP-A", festival=ODOP, booth=B1)]
    assert world.fire() == [], "the deadline of the closing has fallen away"


def test_a_settled_booth_opens_once_every_facility_holds_its_settlement() -> None:
    world = two_booths("LP-A", "LP-B")
    bodies = world.give(a_reopening())
    assert [type(body) for body in bodies] == [ShareHoldRequested] * 2
    assert world.booth().status is BoothStatus.SETTLED
    world.pass_all_on()
    world.tell(world.answers.popleft())
    assert world.booth().status is BoothStatus.SETTLED, "LP-B has not answered"
    assert GRANTED in world.tell(world.answers.popleft())
    assert world.booth().status is BoothStatus.OPEN
    assert world.bodies(SettlementIssued) == []
    postponed = [body for body in world.hear_all() if isinstance(body, SettlementPostponed)]
    assert [body.facility for body in postponed] == ["LP-A", "LP-B"]
    assert [demand.complete for demand in world.all(FacilityDemand)] == [False, False]


def test_no_settlement_is_issued_while_facilities_decide() -> None:
    world = two_booths("LP-A")
    world.give(a_reopening())
    world.pass_all_on()
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    world.hear_all()
    assert world.booth(B2).status is BoothStatus.SETTLED
    assert world.booth().status is BoothStatus.OPEN
    assert world.bodies(SettlementIssued) == world.bodies(DemandSignalled) == []


def test_a_booth_with_an_issued_settlement_stays_settled_and_the_others_are_issued_later() -> None:
    world = two_booths("LP-A", "LP-B")
    # Only LP-B sells at a third booth, so LP-A is settled first.
    world.give(an_opening("ODOP.B3", tills=("T1",)), a_stocking("LP-B-KUE", 5, "ODOP.B3", facility="LP-B"))
    world.hear_all()
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    world.hear_all()
    assert [body.facility for body in world.bodies(SettlementIssued)] == ["LP-A"]
    world.give(a_reopening())
    world.pass_all_on()
    assert world.tell(world.answers.popleft()) == [
        refused_for("LP-A"),
        BoothSettled(facility="LP-B", festival=ODOP, booth=B1),
    ]
    world.hear_all()
    booth = world.booth()
    assert (booth.status, booth.opening, booth.reopening) == (BoothStatus.SETTLED, 1, None)
    world.give(a_last_word(1, booth="ODOP.B3"), a_closing("ODOP.B3"))
    world.hear_all()
    assert [body.facility for body in world.bodies(SettlementIssued)] == ["LP-A", "LP-B"]
    assert [body.facility for body in world.bodies(DemandSignalled)] == ["LP-A", "LP-B"]


def test_a_settlement_that_another_booth_completes_meanwhile_wins_the_race() -> None:
    world = two_booths("LP-A")
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    world.give(a_reopening())
    # B2's words are first at the facility.
    while world.shares[B2]:
        world.pass_on(B2)
    assert len(world.bodies(SettlementIssued)) == 1
    world.hear_all()
    assert world.bodies(ReopeningRefused) == [refused_for("LP-A")]


def test_a_booth_that_came_after_the_settlement_is_not_in_it() -> None:
    world = open_booth()
    world.give(a_last_word(1), a_last_word(1, "T2"), a_closing())
    world.hear_all()
    assert len(world.bodies(SettlementIssued)) == 1
    for booth in (B2, "ODOP.B3"):
        world.give(an_opening(booth, tills=("T1",)), a_stocking("L1", 5, booth))
        world.hear_all()
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    world.hear_all()
    world.give(a_reopening(B2))
    world.hear_all()
    assert world.booth(B2).status is BoothStatus.OPEN
    world.give(a_reopening(order="o2"))
    world.hear_all()
    assert world.booth(B1).status is BoothStatus.SETTLED


def test_closing_again_works_as_the_first_time() -> None:
    world = two_booths("LP-A")
    world.give(a_reopening())
    world.hear_all()
    world.sell("s2", 3, "LP-A-KTI", 2)
    world.give(a_closing(deadline=LATER))
    assert world.booth().status is BoothStatus.CLOSING, "the till has not closed again"
    world.give(a_last_word(4, opening=2))
    assert world.booth().status is BoothStatus.SETTLED
    assert world.bodies(SellThroughCounted)[-1].lots[0].sold == 6
    world.give(a_last_word(1, booth=B2), a_closing(B2))
    world.hear_all()
    [issued] = world.bodies(SettlementIssued)
    assert (issued.qty, issued.sold_rupiah) == (6, 6 * PRICE)
    assert world.bodies(SettlementCorrected) == []
    assert len(world.bodies(DemandSignalled)) == 1


def test_a_till_that_closed_before_it_heard_may_sell_on() -> None:
    world = open_booth()
    world.give(a_last_word(1), a_closing(), a_reopening())
    world.give(a_last_word(1, "T2"))
    assert not any(device.complete for device in world.booth().devices), "T2 closed the first opening"
    world.give(a_sale(2, qty=1, till="T2"), a_closing(deadline=LATER))
    world.give(a_last_word(2, opening=2))
    assert world.booth().status is BoothStatus.CLOSING
    world.give(a_last_word(3, "T2", opening=2))
    assert world.booth().status is BoothStatus.SETTLED


def test_the_first_deadline_does_not_end_the_second_closing() -> None:
    world = open_booth()
    world.give(a_closing())
    first = world.deadlines[B1]
    world.give(a_reopening(), a_closing(deadline=LATER))
    assert world.deadlines[B1].due == LATER
    world.deadlines[B1] = first
    assert world.fire() == []
    assert world.booth().status is BoothStatus.CLOSING


def test_disputed_sales_wait_again_and_new_stock_covers_them() -> None:
    world = open_booth(3)
    world.give(a_stocking(booth=B2), *[an_opening(B2)])
    world.hear_all()
    world.sell("s1", 1, qty=5)
    world.give(a_closing())
    world.fire()
    assert world.status("s1") is SaleStatus.DISPUTED
    world.give(a_reopening())
    world.hear_all()
    assert (world.status("s1"), world.booth().waiting, world.booth().disputed) == (SaleStatus.WAITING, ("s1",), ())
    world.give(a_stocking(qty=2))
    assert world.sale("s1").recorded == 5
    assert world.earned("LP-A") == (5, 5 * PRICE)


def test_pieces_that_went_home_can_not_be_sold() -> None:
    world = two_booths("LP-A", "LP-B")
    world.give(a_reopening(**{"LP-A-KTI": 6}))
    world.hear_all()
    lot = world.lot("LP-A-KTI")
    assert (lot.stocked, lot.sold, lot.moved, lot.unsold) == (10, 4, 6, 0)
    world.sell("s2", 3, None, 3)
    assert world.sale("s2").parts[0].facility == "LP-B"


def test_festival_hears_at_once_what_the_booth_has_sold() -> None:
    world = two_booths("LP-A")
    world.give(a_reopening())
    world.hear_all()
    [report] = world.bodies(SellThroughSoFar)
    assert {lot.lot: lot.sold for lot in report.lots} == {"LP-A-KTI": 4}


def test_a_facility_that_is_credited_first_while_others_decide_is_asked_too() -> None:
    world = two_booths("LP-A")
    world.give(a_stocking(NEVER_HERE, 5, B2, facility="LP-ZZZ"))
    world.hear_all()
    world.sell("beyond", 3, None, 12)
    assert world.sale("beyond").disputed == 6
    world.give(a_reopening())
    world.give(a_word("beyond/1", lot=NEVER_HERE))
    assert "LP-ZZZ" in world.booth().facilities
    world.hear_all()
    assert world.booth().status is BoothStatus.OPEN
    assert {share.settled for share in world.settlement("LP-ZZZ").booths} == {False}


# Decisions while the booth is open


def at_an_open_booth(qty: int = 5, stocked: int = 3) -> SalesWorld:
    world = open_booth(stocked)
    world.sell("s1", 1, qty=qty)
    world.published.clear()
    return world


def answers(bodies: list[Body]) -> list[Body]:
    return [body for body in bodies if isinstance(body, ResolutionApplied | ResolutionRefused)]


def test_a_waiting_sale_is_rejected_while_the_booth_is_open() -> None:
    world = at_an_open_booth()
    [answer] = answers(world.give(a_word("s1/1", DisputeOutcome.REJECTED, order="o1")))
    assert isinstance(answer, ResolutionApplied)
    assert (answer.order, answer.accepted, answer.rejected, answer.left) == ("o1", 0, 2, 0)
    sale = world.sale("s1")
    assert (sale.recorded, sale.waiting, sale.rejected) == (3, 0, 2)
    assert world.booth().waiting == ()
    world.give(a_stocking(qty=9))
    assert world.sale("s1").recorded == 3, "it waits no more"


def test_a_waiting_sale_is_accepted_of_a_named_lot() -> None:
    world = at_an_open_booth()
    [answer] = answers(world.give(a_word("s1/1", lot=NEVER_HERE, order="o1")))
    assert isinstance(answer, ResolutionApplied)
    assert (answer.accepted, answer.left) == (2, 0)
    assert world.earned("LP-ZZZ") == (2, 2 * PRICE)
    world.give(a_closing())
    world.fire()
    assert world.booth().disputed == ()


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (a_word("s9/1", order="o1"), "unknown_sale"),
        (a_word("s1/2", order="o1"), "unknown_sale"),
        (a_word("s2/1", order="o1"), "not_in_doubt"),
        (a_word("s1/1", lot=OF_CAKES, order="o1"), "other_product"),
        (a_word("s1/1", order="o1"), "not_creditable"),
    ],
)
def test_what_a_decision_can_not_change_is_refused_with_the_reason(word: Body, reason: str) -> None:
    world = at_an_open_booth(stocked=4)
    world.give(a_stocking("L2", 1))
    world.sell("s2", 2, "L2", 1)
    before = world.booth()
    [answer] = answers(world.give(word))
    assert isinstance(answer, ResolutionRefused)
    assert answer.reason == reason
    assert world.booth() == before
