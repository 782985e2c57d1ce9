"""Replenishment while booths sell: proposals fit the stock, and refills are ordinary requests."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.festival.api.refills import ReplenishmentPage
from services.festival.domain import Booth, Replenishment, Request
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.planning import RequestDemand
from services.festival.domain.replenishment import Forecast, Move, Proposal, Refill, Situation
from services.festival.domain.replenishment.replenish import most_urgent, proposal_events
from shared.envelope import encode
from shared.events.festival import (
    AllocationPlanned,
    AnnounceFestival,
    CommandRefusal,
    LeadTime,
    PlanRule,
    Replenish,
    ReplenishmentProposed,
)
from shared.events.language import MAX_VALUE_BYTES
from shared.events.parts import joined
from tests.support.builders.festival import (
    B1,
    B2,
    NOON,
    ODOP,
    FestivalWorld,
    a_booth,
    a_closing,
    a_receipt,
    a_report,
    a_request,
    a_revision,
    a_shipment,
    a_transfer,
    an_announcement,
    an_arrival,
    kinds,
)

HOUR = int(NOON.timestamp()) // 3600
UNTIL = NOON + timedelta(hours=5)


def a_replenishment(request: str = "R2", **changed: Any) -> Replenish:
    defaults: dict[str, Any] = {"festival": ODOP, "request": request, "until": UNTIL, "products": ("KTI",)}
    return Replenish(**defaults | changed)


def selling(*, first: int, second: int, festival: AnnounceFestival | None = None, **booth: Any) -> FestivalWorld:
    """Four hours of sales: B1 sold five an hour and has `first` pieces of LA left, B2 sold one and has `second`."""
    world = FestivalWorld()
    world.give(festival or an_announcement())
    for name in (B1, B2):
        world.give(a_booth(name, "KTI", **booth))
    world.make("LA", 200, best_before=date(2023, 9, 1))
    world.give(a_request((B1, "KTI", first + 20), (B2, "KTI", second + 4)))
    world.settle()
    for name, shipment, qty in ((B1, "S1", first + 20), (B2, "S2", second + 4)):
        world.give(a_shipment(shipment, booth=name))
        world.settle()
        world.give(a_receipt(shipment, name, LA=qty))
    past = range(HOUR - 4, HOUR)
    world.give(a_report(B1, hours=[("KTI", hour, 5) for hour in past], LA=20))
    world.give(a_report(B2, hours=[("KTI", hour, 1) for hour in past], LA=4))
    world.published.clear()
    return world


def the_proposal(world: FestivalWorld) -> ReplenishmentProposed:
    [proposal] = world.bodies(ReplenishmentProposed)
    return proposal


def test_who_has_too_much_gives_and_facilities_send_the_rest() -> None:
    world = selling(first=2, second=15)
    bodies = world.give(a_replenishment())
    assert kinds(bodies) == ["AllocationPlanned", "ReplenishmentProposed"]
    proposal = the_proposal(world)
    assert (proposal.request, proposal.at, proposal.until) == ("R2", NOON, UNTIL)
    first = next(forecast for forecast in proposal.forecasts if forecast.booth == B1)
    assert (first.product, first.left) == ("KTI", 2)
    # Five an hour for five hours.
    assert 20 <= first.expected <= 25
    assert first.missing == first.expected - 2
    assert first.runs_out is not None
    assert first.runs_out.second == 0
    [move] = proposal.transfers
    assert (move.booth, move.to, move.lot, move.product) == (B2, B1, "LA", "KTI")
    assert move.reason
    assert move.reason_id
    [refill] = proposal.refills
    assert (refill.booth, refill.product) == (B1, "KTI")
    assert first.left + move.qty + refill.qty <= first.expected + first.give_or_take
    request = world.request("R2")
    assert (request.status, request.demands[0].qty) == (RequestStatus.PROPOSED, refill.qty)
    [replenishment] = world.all(Replenishment)
    assert [forecast.booth for forecast in replenishment.forecasts] == [
        forecast.booth for forecast in proposal.forecasts
    ]


def test_what_nobody_is_asked_to_carry_facilities_are_asked_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.festival.domain.replenishment.replenish.MOVES_OF_A_BOOTH", 0)
    world = selling(first=2, second=15)
    world.give(a_replenishment())
    proposal = the_proposal(world)
    [refill] = proposal.refills
    first = next(forecast for forecast in proposal.forecasts if forecast.booth == B1)
    assert proposal.transfers == ()
    # Until a parcel comes, two hours of sales are lost, and the two pieces at the booth are sold.
    assert refill.qty >= first.expected * 3 // 5


def test_with_consent_facilities_send_and_people_carry() -> None:
    world = selling(first=2, second=15)
    world.give(a_replenishment(consent=True))
    world.settle()
    [move], [refill] = the_proposal(world).transfers, the_proposal(world).refills
    world.give(a_shipment("S3", booth=B1, request="R2"))
    world.settle()
    world.give(a_receipt("S3", B1, LA=refill.qty))
    world.give(a_transfer("T1", move.booth, move.to, LA=move.qty))
    world.give(an_arrival("T1", move.to, LA=move.qty))
    booth = world.one(Booth, B1)
    booth_lot = booth.find_lot("LA")
    assert booth_lot is not None
    assert booth_lot.received == 22 + move.qty + refill.qty


def test_what_is_to_come_is_not_asked_for_again() -> None:
    world = selling(first=2, second=12)
    world.give(a_replenishment(consent=True))
    world.settle()
    [refill] = the_proposal(world).refills
    for sent in (False, True):
        if sent:
            world.give(a_shipment("S3", booth=B1, request="R2"))
            world.settle()
        world.published.clear()
        world.give(a_replenishment("R4" if sent else "R3"))
        again = the_proposal(world)
        first = next(forecast for forecast in again.forecasts if forecast.booth == B1)
        assert (first.left, first.missing) == (2 + refill.qty, first.expected - 2 - refill.qty)
        assert sum(refill.qty for refill in again.refills) < refill.qty


def test_what_nobody_accepted_does_not_come() -> None:
    world = selling(first=2, second=12)
    world.give(a_replenishment())
    [first] = the_proposal(world).refills
    world.published.clear()
    world.give(a_replenishment("R3"))
    assert the_proposal(world).refills == (first,)


def test_facilities_send_only_what_is_named() -> None:
    world = selling(first=2, second=4)
    bodies = world.give(a_replenishment(products=()))
    assert kinds(bodies) == ["ReplenishmentProposed"]
    assert the_proposal(world).refills == ()
    assert [request.name for request in world.all(Request)] == ["R1"]


def test_a_booth_that_lacks_nothing_gets_nothing() -> None:
    world = selling(first=60, second=20)
    world.give(a_replenishment())
    proposal = the_proposal(world)
    assert (proposal.transfers, proposal.refills) == ((), ())
    assert [forecast.missing for forecast in proposal.forecasts] == [0, 0]


def test_what_was_sold_makes_room() -> None:
    # 22 pieces came and 20 are sold: 24 at once leave room for 22 more, 24 in all would leave room for 2.
    pieces = [_planned(selling(first=2, second=4, capacity=capacity)) for capacity in (None, 24)]
    assert pieces[0] == pieces[1] > 2


def _planned(world: FestivalWorld) -> int:
    world.give(a_replenishment())
    return sum(line.qty for planned in world.bodies(AllocationPlanned) for line in planned.lines)


def test_what_moves_takes_the_room_that_facilities_could_fill() -> None:
    world = selling(first=2, second=20, capacity=24)
    world.give(a_replenishment(until=NOON + timedelta(hours=7)))
    [move] = the_proposal(world).transfers
    [planned] = world.bodies(AllocationPlanned)
    assert move.qty + sum(line.qty for line in planned.lines) == 22


def test_an_ordinary_request_counts_what_was_sold_too() -> None:
    world = selling(first=2, second=4, capacity=24)
    world.give(a_request((B1, "KTI", 30), request="R3", consent=False))
    [planned] = world.bodies(AllocationPlanned)
    assert sum(line.qty for line in planned.lines) == 22


def test_a_revision_counts_what_was_sold_too() -> None:
    world = FestivalWorld()
    world.give(an_announcement())
    world.give(a_booth(B1, "KTI", capacity=24))
    world.make("LA", 200)
    world.give(a_request((B1, "KTI", 40)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(LA=24))
    world.give(a_report(B1, hours=[("KTI", HOUR - 1, 20)], LA=20))
    world.published.clear()
    world.give(a_revision(consent=True))
    world.settle()
    [planned] = world.bodies(AllocationPlanned)
    assert sum(line.qty for line in planned.lines) == 16


def test_what_takes_a_day_comes_too_late() -> None:
    # The festival has not begun by its calendar: for an ordinary request there would be time.
    slow = an_announcement(
        first_day=date(2023, 4, 25),
        last_day=date(2023, 4, 29),
        lead_days=(LeadTime(facility="LP-AAA", days=1),),
    )
    world = selling(first=2, second=4, festival=slow)
    world.give(a_replenishment())
    proposal = the_proposal(world)
    assert proposal.refills
    assert PlanRule.LEAD_TIME in proposal.conflicts[0].rules
    assert [request.name for request in world.all(Request)] == ["R1"]
    page = ReplenishmentPage.of(world.all(Replenishment)[0])
    assert [conflict.reason_id for conflict in page.conflicts] == [
        conflict.reason_id for conflict in proposal.conflicts
    ]


MORNING, EVENING = NOON + timedelta(hours=20), NOON + timedelta(hours=24)


def test_in_the_evening_only_the_hours_of_the_next_day_count() -> None:
    world = selling(first=2, second=4)
    world.give(a_replenishment(opens=MORNING, until=EVENING))
    proposal = the_proposal(world)
    assert (proposal.at, proposal.opens, proposal.until) == (NOON, MORNING, EVENING)
    first = next(forecast for forecast in proposal.forecasts if forecast.booth == B1)
    # Five an hour for four hours, of which none is missed until a parcel comes.
    assert 16 <= first.expected <= 20
    assert [(refill.booth, refill.qty) for refill in proposal.refills] == [(B1, first.expected - 2)]
    assert first.runs_out is not None
    assert MORNING < first.runs_out < MORNING + timedelta(hours=1)
    [replenishment] = world.all(Replenishment)
    assert replenishment.opens == MORNING


def test_booths_that_opened_before_are_open_now() -> None:
    pieces = []
    for opens in (None, NOON - timedelta(hours=4)):
        world = selling(first=2, second=4)
        world.give(a_replenishment(opens=opens))
        pieces.append([(forecast.expected, forecast.runs_out) for forecast in the_proposal(world).forecasts])
    assert pieces[0] == pieces[1]


@pytest.mark.parametrize(("days", "comes"), [(1, True), (2, False)])
def test_what_takes_a_day_comes_overnight(days: int, comes: bool) -> None:
    far = an_announcement(
        first_day=date(2023, 4, 25),
        last_day=date(2023, 4, 29),
        lead_days=(LeadTime(facility="LP-AAA", days=days),),
    )
    world = selling(first=2, second=4, festival=far)
    world.give(a_replenishment(opens=MORNING, until=EVENING))
    sent = [line for planned in world.bodies(AllocationPlanned) for line in planned.lines]
    late = [conflict for conflict in the_proposal(world).conflicts if PlanRule.LEAD_TIME in conflict.rules]
    assert (bool(sent), bool(late)) == (comes, not comes)


def test_recalled_goods_and_closing_booths_stay_out_of_it() -> None:
    world = selling(first=2, second=15)
    world.recall("LA")
    world.settle()
    world.give(a_replenishment())
    assert the_proposal(world).transfers == ()
    world.give(a_closing())
    assert world.refusal(a_replenishment("R4")) == ("festival", CommandRefusal.WRONG_STATE)


def test_a_clock_that_is_ahead_does_not_count() -> None:
    world = selling(first=60, second=20)
    world.give(a_report(B1, 2, hours=[("KTI", HOUR + 90, 500)], LA=20))
    world.give(a_replenishment())
    assert max(forecast.expected for forecast in the_proposal(world).forecasts) < 100


def test_the_day_on_which_it_spoils_goes_with_the_goods() -> None:
    world = selling(first=2, second=15)
    world.give(a_booth("ODOP.B3", "KTI"))
    world.give(a_transfer("T1", B2, "ODOP.B3", LA=3))
    lots: list[BoothLot] = [lot for booth in world.all(Booth) for lot in booth.lots]
    assert {lot.best_before for lot in lots} == {date(2023, 9, 1)}


def a_large_proposal(booths: int) -> Proposal:
    """A forecast, a move and a refill for each booth, with long names and sentences."""
    text = "x" * 200
    names = [f"A-LONG-FESTIVAL-2026.A-LONG-BOOTH-{n:04}" for n in range(booths)]
    lot = "PR-KPG-KTI-230418-007-4"
    return Proposal(
        tuple(Forecast(booth, "KTI", 0, n, 9, n, UNTIL) for n, booth in enumerate(names)),
        tuple(Move(booth, names[0], lot, "PR-KPG", "KTI", 5, text, text) for booth in names),
        tuple(Refill(RequestDemand(booth, "KTI", n + 1), text, text) for n, booth in enumerate(names)),
    )


def test_a_proposal_of_any_size_is_said_whole_in_readable_records_the_most_urgent_first() -> None:
    proposal = most_urgent(a_large_proposal(2000), ("KTI",))
    replenishment = Replenishment(
        "ODOP/R2", ODOP, "R2", NOON, UNTIL, proposal.forecasts, proposal.moves, proposal.refills
    )
    bodies = [event.body for event in proposal_events(replenishment)]
    assert len(bodies) > 1
    assert all(len(encode(body)) <= MAX_VALUE_BYTES for body in bodies)
    whole = joined(bodies)
    assert isinstance(whole, ReplenishmentProposed)
    assert (len(whole.forecasts), len(whole.transfers), len(whole.refills)) == (2000, 2000, 2000)
    assert whole.forecasts[0].missing == whole.refills[0].qty - 1 == 1999
    assert joined(bodies[1:]) is None


@pytest.mark.parametrize(("limit", "field"), [("MAX_FORECASTS", "festival"), ("allocation.MAX_DEMANDS", "products")])
def test_a_proposal_that_is_too_large_to_keep_is_refused_and_not_cut(
    monkeypatch: pytest.MonkeyPatch, limit: str, field: str
) -> None:
    world = selling(first=2, second=2)
    monkeypatch.setattr(f"services.festival.domain.replenishment.replenish.{limit}", 0)
    assert world.refusal(a_replenishment()) == (field, CommandRefusal.TOO_MANY)


def test_people_carry_more_where_more_booths_are(monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int | None] = []

    def no_proposal(now: Situation) -> Proposal:
        most.append(now.most_moves)
        return Proposal(())

    monkeypatch.setattr("services.festival.domain.replenishment.replenish.propose", no_proposal)
    world = selling(first=2, second=2)
    world.give(a_replenishment())
    world.give(a_booth("ODOP.B3", "KTI"))
    world.give(a_replenishment("R3"))
    assert set(most) == {20, 30}


@pytest.mark.parametrize(
    ("order", "field", "reason"),
    [
        (a_replenishment(until=NOON), "until", CommandRefusal.OUT_OF_RANGE),
        (a_replenishment(until=NOON + timedelta(hours=25)), "until", CommandRefusal.OUT_OF_RANGE),
        (a_replenishment(opens=UNTIL), "opens", CommandRefusal.OUT_OF_RANGE),
        (a_replenishment("R1"), "request", CommandRefusal.ALREADY_EXISTS),
        (a_replenishment("R0"), "request", CommandRefusal.ALREADY_EXISTS),
        (a_replenishment("a/b"), "request", CommandRefusal.BAD_NAME),
        (a_replenishment(hold_hours=-1), "hold_hours", CommandRefusal.OUT_OF_RANGE),
        (a_replenishment(products=tuple(f"P{n}" for n in range(501))), "products", CommandRefusal.TOO_MANY),
    ],
)
def test_what_can_not_be_is_refused(order: Replenish, field: str, reason: CommandRefusal) -> None:
    world = selling(first=60, second=20)
    world.give(a_replenishment("R0"))
    assert world.refusal(order) == (field, reason)
