"""Replenishment proposals: sales rates, shortages until closing, surpluses."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain.planning import Rules
from services.festival.domain.replenishment import (
    HeldLot,
    Move,
    Proposal,
    SalesHistory,
    SalesHour,
    Situation,
    propose,
    rules_after,
)
from services.festival.domain.replenishment.forecast import ALPHA, levels, rates
from shared.events.language import MAX_QTY

NOON = datetime(2023, 4, 18, 4, tzinfo=UTC)
DAY = date(2023, 4, 1)
FIRST = 467_000  # the first hour of a history; any hour does


def a_history(booth: str, *sold: int, minutes: int = 60, product: str = "KBS") -> SalesHistory:
    return SalesHistory(booth, product, tuple(SalesHour(FIRST + n, qty, minutes) for n, qty in enumerate(sold)))


def a_lot(booth: str, left: int, lot: str = "L1", *, product: str = "KBS", **more: object) -> HeldLot:
    return HeldLot(booth, lot, "PR-KPG", product, DAY, left, **more)  # type: ignore[arg-type]


def a_situation(*parts: SalesHistory | HeldLot, hours: float = 4, **more: object) -> Situation:
    histories = tuple(part for part in parts if isinstance(part, SalesHistory))
    held_lots = tuple(part for part in parts if isinstance(part, HeldLot))
    sells = {part.booth: frozenset({"KBS", "KTI"}) for part in parts}
    situation = {"sells": sells, "histories": histories, "held": held_lots, **more}
    return Situation(at=NOON, until=NOON + timedelta(hours=hours), **situation)  # type: ignore[arg-type]


def walks(proposal: Proposal) -> list[tuple[str, str, str, int]]:
    return [(move.booth, move.to, move.lot, move.qty) for move in proposal.moves]


def wanted_pieces(proposal: Proposal) -> dict[str, int]:
    return {refill.wanted.booth: refill.wanted.qty for refill in proposal.refills}


# --- the forecast


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.floats(0, 50))
def test_whole_hours_are_smoothed_as_pandas_does_it(sold: list[int], start: float) -> None:
    *_, last = levels(a_history("B1", *sold).hours, start)
    judge = pd.Series([start, *sold]).ewm(alpha=ALPHA, adjust=True).mean()
    assert last.level == pytest.approx(judge.iloc[-1], abs=1e-9)


def test_a_sale_in_the_first_minutes_is_too_little_to_expect_anything_of() -> None:
    """Ten pieces at once, in a product's first minutes on sale."""
    situation = a_situation(a_history("B1", 10, minutes=5), a_lot("B1", 40), a_history("B2", 0, minutes=50), hours=10)
    proposal = propose(situation)
    assert [
        (forecast.known, forecast.expected, forecast.missing, forecast.runs_out) for forecast in proposal.forecasts
    ] == [
        (False, 0, 0, None),
        (False, 0, 0, None),
    ]
    assert not proposal.moves
    assert not proposal.refills


def test_the_first_minutes_of_many_booths_do_not_add_up_to_an_hour() -> None:
    """All booths open at once: their minutes are the same minutes."""
    histories = [a_history(f"B{n}", 10, minutes=5) for n in range(1, 100)]
    proposal = propose(a_situation(*histories, a_lot("B1", 5), hours=10))
    assert not any(forecast.known or forecast.expected for forecast in proposal.forecasts)
    assert not proposal.moves
    assert not proposal.refills


@pytest.mark.parametrize(("minutes", "known"), [(59, False), (60, True)])
def test_an_hour_on_sale_at_one_booth_is_enough(minutes: int, known: bool) -> None:
    proposal = propose(a_situation(a_history("B1", 10, minutes=minutes), a_lot("B1", 5)))
    assert [forecast.known for forecast in proposal.forecasts] == [known]
    assert bool(wanted_pieces(proposal)) is known


def test_a_booths_first_minutes_do_not_outweigh_the_hours_of_the_others() -> None:
    """Ten pieces at once at a booth that has just opened, where others sell two an hour."""
    others = [a_history(f"B{n}", 2, 2, 2) for n in (1, 2)]
    situation = a_situation(*others, a_history("B3", 10, minutes=5), a_lot("B3", 20), hours=10)
    [new] = [forecast for forecast in propose(situation).forecasts if forecast.booth == "B3"]
    assert (new.known, new.expected, new.missing) == (True, 20, 0)


def test_an_hour_without_goods_says_nothing() -> None:
    hours = a_history("B1", 6, 4).hours
    *_, before = levels(hours, 5)
    *_, after = levels([*hours, SalesHour(FIRST + 2, 0, 0)], 5)
    assert after == before


def test_what_sold_out_in_a_quarter_of_an_hour_sells_four_times_as_fast() -> None:
    *_, slow = levels([SalesHour(FIRST, 8, 60)], 8)
    *_, fast = levels([SalesHour(FIRST, 8, 15)], 32)
    assert (slow.level, fast.level) == (8, 32)


def test_two_halves_of_an_hour_weigh_as_one() -> None:
    *_, whole = levels([SalesHour(FIRST, 10, 60)], 0)
    *_, halves = levels([SalesHour(FIRST, 5, 30), SalesHour(FIRST + 1, 5, 30)], 0)
    assert halves.level == pytest.approx(whole.level, rel=0.05)


def test_a_piece_that_was_sold_was_there() -> None:
    *_, last = levels([SalesHour(FIRST, 1, 0)], 0)
    assert 0 < last.level < 60


def test_a_booth_with_nothing_to_go_by_sells_as_the_others_do() -> None:
    rate_of = rates([a_history("B1", 12, 12), a_history("B2", 6, 6), a_history("B3")])
    assert rate_of["B3", "KBS"].an_hour == pytest.approx(9)
    assert rate_of["B1", "KBS"].an_hour > 10.5
    assert rate_of["B2", "KBS"].an_hour < 7.5


def test_a_first_sale_tells_nothing_of_a_day() -> None:
    [rate] = rates([SalesHistory("B1", "KBS", (SalesHour(FIRST, 40, 1),))]).values()
    assert (rate.known, rate.an_hour) == (False, 0)


def test_no_order_of_the_booths_changes_what_is_found() -> None:
    histories = [a_history(f"B{n}", n % 4, 3 * n % 7, 5 * n % 11, minutes=7 * n) for n in range(1, 9)]
    rate_of = rates(histories)
    for seed in range(20):
        assert rates(Random(seed).sample(histories, len(histories))) == rate_of


def test_other_products_say_nothing_of_a_product() -> None:
    rate_of = rates([a_history("B1", 12, 12), a_history("B2", product="KTI")])
    assert rate_of["B2", "KTI"].an_hour == 0


def test_the_spread_grows_with_what_was_off_before() -> None:
    calm = rates([a_history("B1", *[10] * 8)])["B1", "KBS"]
    wild = rates([a_history("B1", *[0, 20] * 4)])["B1", "KBS"]
    assert calm.scatter == 1
    assert wild.scatter > 5
    assert wild.spread(4) > 2 * calm.spread(4)


def test_buyers_who_come_by_chance_alone_have_a_scatter_near_one() -> None:
    rng = Random(5)
    histories = [
        a_history(f"B{n}", *(sum(rng.random() < 0.1 for _ in range(100)) for _ in range(9))) for n in range(40)
    ]
    # A binomial number of buyers with a tenth of a chance each scatters nine tenths as much; levels are off too.
    assert rates(histories)["B1", "KBS"].scatter == pytest.approx(1, abs=0.2)


# --- the proposal


def test_who_runs_out_gets_from_who_has_too_much() -> None:
    proposal = propose(
        a_situation(a_history("B1", *[10] * 5), a_lot("B1", 5), a_history("B2", *[1] * 5), a_lot("B2", 90))
    )
    [move] = proposal.moves
    assert (move.booth, move.to, move.lot) == ("B2", "B1", "L1")
    # Within half an hour the last piece is gone; of the 33 that are wanted after that come all, and some for luck.
    assert 34 <= move.qty <= 60
    assert "B1 has 5 of KBS" in move.reason
    assert f"B2 keeps {90 - move.qty}" in move.reason
    assert "B1 punya 5 KBS" in move.reason_id
    assert proposal.refills == ()
    first = proposal.forecasts[0]
    assert (first.booth, first.left, first.expected, first.missing) == ("B1", 5, 38, 33)
    assert first.runs_out is not None
    assert NOON < first.runs_out < NOON + timedelta(minutes=45)
    assert proposal.forecasts[1].runs_out is None


def test_what_no_booth_can_spare_is_asked_of_facilities() -> None:
    proposal = propose(a_situation(a_history("B1", *[10] * 5), a_lot("B1", 5)))
    # They come in two hours: what is missed until then can't be helped.
    assert wanted_pieces(proposal) == {"B1": 20}
    assert "B1 has 5 of KBS" in proposal.refills[0].reason
    assert "B1 punya 5 KBS" in proposal.refills[0].reason_id


def test_facilities_are_asked_for_what_moves_leave_missing() -> None:
    little = propose(
        a_situation(a_history("B1", *[10] * 5), a_lot("B1", 20), a_history("B2", *[0] * 5), a_lot("B2", 11))
    )
    alone = propose(a_situation(a_history("B1", *[10] * 5), a_lot("B1", 20), a_history("B2", *[0] * 5)))
    [move] = little.moves
    assert wanted_pieces(little)["B1"] == wanted_pieces(alone)["B1"] - move.qty


def test_what_comes_after_closing_is_not_sent() -> None:
    rows = (a_history("B1", *[10] * 5), a_lot("B1", 0), a_history("B2", *[0] * 5), a_lot("B2", 500))
    assert propose(a_situation(*rows, hours=0.5)) == Proposal(propose(a_situation(*rows, hours=0.5)).forecasts)
    early = propose(a_situation(*rows[:2], hours=2))
    assert wanted_pieces(early) == {}


def test_what_is_on_its_way_counts_as_there_but_cannot_be_given() -> None:
    slow, fast = a_history("B1", *[0] * 5), a_history("B2", *[10] * 5)
    coming = propose(a_situation(slow, a_lot("B1", 0, coming=200), fast, a_lot("B2", 0, coming=90)))
    assert coming.moves == ()
    assert coming.refills == ()
    assert [forecast.left for forecast in coming.forecasts] == [200, 90]


def test_what_comes_anyway_is_not_asked_for_again() -> None:
    sold_out = (a_history("B1", 4, 4, 4), a_history("B2", 4, 4, 4), a_lot("B2", 16))
    wait = timedelta(hours=2)
    qty = wanted_pieces(propose(a_situation(*sold_out, sent_within=wait)))["B1"]
    coming = a_lot("B1", 0, coming=qty)
    assert wanted_pieces(propose(a_situation(*sold_out, coming, sent_within=wait))) == {}, (
        "what is missed until then is gone"
    )


def test_a_recalled_lot_is_not_there_and_stays() -> None:
    slow, fast = a_history("B1", *[0] * 5), a_history("B2", *[10] * 5)
    proposal = propose(a_situation(slow, a_lot("B1", 200, withdrawn=True), fast, a_lot("B2", 200, withdrawn=True)))
    assert proposal.moves == ()
    assert [forecast.left for forecast in proposal.forecasts] == [0, 0]


def test_what_will_be_stale_stays_and_what_spoils_first_leaves_first() -> None:
    rows = [
        a_history("B1", *[0] * 5),
        a_lot("B1", 200, "stale", best_before=date(2023, 4, 19)),
        a_lot("B1", 9, "keeps"),
        a_lot("B1", 9, "spoils", best_before=date(2023, 4, 20)),
        a_history("B2", *[10] * 5),
    ]
    proposal = propose(a_situation(*rows, rules=Rules(last_day=date(2023, 4, 20))))
    assert walks(proposal) == [("B1", "B2", "spoils", 9), ("B1", "B2", "keeps", 9)]


def test_nobody_gets_what_has_no_price_there() -> None:
    rows = (a_history("B1", *[0] * 5), a_lot("B1", 200), a_history("B2", *[10] * 5))
    sells = {"B1": frozenset({"KBS"}), "B2": frozenset({"KTI"})}
    assert propose(a_situation(*rows, sells=sells)).moves == ()


def test_a_booth_gets_no_more_than_it_has_room_for() -> None:
    rows = (a_history("B1", *[0] * 5), a_lot("B1", 200), a_history("B2", *[10] * 5))
    rules = Rules(capacity={"B2": 12})
    proposal = propose(a_situation(*rows, rules=rules))
    assert walks(proposal) == [("B1", "B2", "L1", 12)]
    assert rules_after(rules, proposal.moves).capacity == {"B2": 0}
    kinds = Rules(categories={("B2", "KBS"): "kue"}, limits={("B2", "kue"): 7})
    assert walks(propose(a_situation(*rows, rules=kinds))) == [("B1", "B2", "L1", 7)]


def test_a_few_pieces_are_not_worth_a_walk() -> None:
    proposal = propose(
        a_situation(a_history("B1", *[1] * 5), a_lot("B1", 4), a_history("B2", *[0] * 5), a_lot("B2", 50))
    )
    assert proposal.moves == ()


def test_one_who_has_enough_is_taken_before_one_who_has_more_and_before_two() -> None:
    rows = [a_history("B1", *[5] * 6), a_lot("B1", 15)]
    for booth, left in (("B2", 900), ("B3", 100), ("B4", 9)):
        rows += [a_history(booth, *[0] * 6), a_lot(booth, left)]
    proposal = propose(a_situation(*rows))
    assert {(move.booth, move.to) for move in proposal.moves} == {("B3", "B1")}


def test_if_nobody_has_enough_the_one_with_most_is_asked_first() -> None:
    rows = [a_history("B1", *[10] * 6)]
    for booth, left in (("B2", 14), ("B3", 26), ("B4", 20)):
        rows += [a_history(booth, *[0] * 6), a_lot(booth, left)]
    proposal = propose(a_situation(*rows))
    assert [move.booth for move in proposal.moves][:2] == ["B3", "B4"]


def test_people_who_walk_anyway_carry_more() -> None:
    rows: list[SalesHistory | HeldLot] = []
    for product in ("KBS", "KTI"):
        rows += [a_history("B1", *[5] * 6, product=product), a_history("B2", *[0] * 6, product=product)]
        rows += [a_history("B3", *[0] * 6, product=product)]
        rows += [a_lot("B2", 200 if product == "KTI" else 100, product=product)]
        rows += [a_lot("B3", 100 if product == "KTI" else 200, product=product)]
    proposal = propose(a_situation(*rows))
    assert [(move.booth, move.product) for move in proposal.moves] == [("B2", "KBS"), ("B2", "KTI")]


def test_who_runs_out_first_is_served_first() -> None:
    rows = [a_history("B1", *[10] * 5), a_lot("B1", 30), a_history("B2", *[10] * 5), a_lot("B2", 1)]
    proposal = propose(a_situation(*rows, a_history("B3", *[0] * 5), a_lot("B3", 12)))
    assert {move.to for move in proposal.moves} == {"B2"}


def test_what_is_more_than_people_can_carry_is_asked_of_facilities() -> None:
    rows = [a_history("B1", *[10] * 5), a_history("B2", *[10] * 5), a_history("B3", *[0] * 5)]
    rows += [a_lot("B3", 20, f"L{n}") for n in range(9)]
    uncut = propose(a_situation(*rows))
    assert len(uncut.moves) > 3
    assert wanted_pieces(uncut) == {}
    cut = propose(a_situation(*rows, most_moves=3))
    assert len(cut.moves) == 3
    none = propose(a_situation(*rows, most_moves=0))
    assert none.moves == ()
    assert wanted_pieces(none)["B1"] == wanted_pieces(none)["B2"] > 0
    carried = sum(move.qty for move in cut.moves if move.to == "B2")
    assert wanted_pieces(cut) == {"B2": wanted_pieces(none)["B2"] - carried}


def test_nobody_walks_for_a_few_pieces_because_more_can_not_be_carried() -> None:
    rows = [a_history("B1", *[10] * 5), a_history("B2", *[0] * 5), a_lot("B2", 2, "L1"), a_lot("B2", 90, "L2")]
    assert propose(a_situation(*rows, most_moves=1)).moves == ()
    assert len(propose(a_situation(*rows, most_moves=2)).moves) == 2


def test_no_more_is_asked_than_a_message_can_say() -> None:
    crowd = a_history("B1", MAX_QTY, MAX_QTY, MAX_QTY)
    assert wanted_pieces(propose(a_situation(crowd, a_lot("B1", 0), hours=20))) == {"B1": MAX_QTY}


def test_a_quiet_festival_needs_nothing() -> None:
    proposal = propose(a_situation(a_history("B1", 0, 0), a_lot("B1", 3)))
    assert (proposal.moves, proposal.refills) == ((), ())
    assert proposal.forecasts[0].runs_out is None


def test_there_may_be_nothing_at_all() -> None:
    assert propose(Situation(NOON, NOON + timedelta(hours=1), {}, (), ())) == Proposal(())


def test_moves_say_the_lot_and_who_made_it() -> None:
    proposal = propose(a_situation(a_history("B1", *[10] * 5), a_history("B2", *[0] * 5), a_lot("B2", 90)))
    assert all(isinstance(move, Move) and move.facility == "PR-KPG" for move in proposal.moves)
