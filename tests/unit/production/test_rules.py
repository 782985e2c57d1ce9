"""Reports that production accepts and rejects, and its answers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.production.domain.entities import Counter, Lot, ReportOutcome, TerminalReport, counter_id
from shared.events.language import Body
from shared.events.lot_number import MAX_COUNTER, parse
from shared.events.production import (
    CorrectionRequested,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    Refusal,
    ReportAccepted,
    ReportRejected,
    WithdrawalRequested,
)
from tests.support.builders.production import (
    MAKER,
    NOW,
    SKEW,
    TODAY,
    Production,
    a_correction_report,
    a_production_report,
    a_refused_correction,
    an_accepted_correction,
    gone,
    kept_promised,
    lifted,
    recalled,
    withdrawn,
)


def refusal(published: list[Body]) -> tuple[str, Refusal]:
    [answer] = published
    assert isinstance(answer, ReportRejected)
    return answer.field, answer.reason


def record(production: Production, **changed: Any) -> str:
    """The number of a newly recorded lot."""
    recorded, _ = production.give(a_production_report(**changed))
    assert isinstance(recorded, LotRecorded)
    return recorded.lot


# Goods


def test_a_report_becomes_a_numbered_lot() -> None:
    production = Production()
    recorded, accepted = production.give(a_production_report(), id="r1")
    lot = "PR-KPG-KTI-230418-001-G"
    assert recorded == LotRecorded(lot=lot, facility="PR-KPG", product="KTI", category="tenun", qty=12, made_on=TODAY)
    assert accepted == ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="r1", lot=lot)
    assert production.entities[Lot, lot].maker == MAKER
    assert production.entities[TerminalReport, "r1"].outcome is ReportOutcome.ACCEPTED


def test_lots_of_a_product_and_day_are_counted() -> None:
    production = Production()
    counters = [parse(record(production, made_on=day)) for day in (TODAY, TODAY, TODAY - timedelta(days=1))]
    assert [number and number.counter for number in counters] == [1, 2, 1]


def test_best_before_is_worked_out_from_the_shelf_life() -> None:
    production = Production()
    record(production, product="KBS")
    record(production, product="KBS", best_before=TODAY + timedelta(days=1))
    record(production, product="KTI")
    assert [lot.best_before for lot in production.all(Lot)] == [
        date(2023, 4, 20),
        date(2023, 4, 19),
        None,
    ]


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"facility": "Kupang"}, "facility", Refusal.UNKNOWN_FACILITY),
        ({"facility": "pr-kpg"}, "facility", Refusal.UNKNOWN_FACILITY),
        ({"product": "kain"}, "product", Refusal.UNKNOWN_PRODUCT),
        ({"product": "XXX"}, "product", Refusal.NOT_MADE_HERE),
        ({"product": "KRJ"}, "product", Refusal.NOT_MADE_HERE),
        ({"qty": 0}, "qty", Refusal.NOT_POSITIVE),
        ({"qty": -3}, "qty", Refusal.NOT_POSITIVE),
        ({"qty": 201}, "qty", Refusal.TOO_LARGE),
        ({"made_on": TODAY + timedelta(days=1)}, "made_on", Refusal.IN_FUTURE),
        ({"made_on": date.max}, "made_on", Refusal.IN_FUTURE),
        ({"made_on": TODAY - timedelta(days=401)}, "made_on", Refusal.TOO_OLD),
        ({"made_on": date.min}, "made_on", Refusal.TOO_OLD),
        ({"best_before": TODAY - timedelta(days=1)}, "best_before", Refusal.BEFORE_MADE),
        (
            {"product": "KBS", "best_before": TODAY + timedelta(days=3)},
            "best_before",
            Refusal.BEYOND_SHELF_LIFE,
        ),
    ],
)
def test_a_wrong_report_is_refused_with_the_field_and_why(
    changed: dict[str, Any], field: str, reason: Refusal
) -> None:
    production = Production()
    assert refusal(production.give(a_production_report(**changed), id="r1")) == (field, reason)
    assert production.all(Lot) == []
    assert production.all(Counter) == []
    report = production.entities[TerminalReport, "r1"]
    assert (report.outcome, report.rejection.reason) == (ReportOutcome.REJECTED, reason)


@pytest.mark.parametrize(
    "changed",
    [
        {"qty": 1},
        {"qty": 200},
        {"made_on": TODAY - timedelta(days=400)},
        {"best_before": TODAY},
        {"best_before": date.max},
        {"product": "KBS", "best_before": TODAY + timedelta(days=2)},
        {"maker": None},
    ],
)
def test_a_report_at_the_bound_is_taken(changed: dict[str, Any]) -> None:
    assert record(Production(), **changed)


@pytest.mark.parametrize(
    ("logged_at", "is_taken"),
    [
        (datetime(2023, 4, 17, 15, 44, tzinfo=UTC), False),
        (datetime(2023, 4, 17, 15, 45, tzinfo=UTC), True),  # 23.45 WITA: midnight with the allowance
        (datetime(2023, 4, 17, 16, 0, tzinfo=UTC), True),
    ],
)
def test_the_day_is_the_facilitys_with_an_allowance_for_its_clock(logged_at: datetime, is_taken: bool) -> None:
    assert timedelta(minutes=15) == SKEW
    first = Production().give(a_production_report(made_on=TODAY), at=logged_at)[0]
    assert isinstance(first, LotRecorded) == is_taken


def test_a_day_has_a_last_number() -> None:
    production = Production()
    full = Counter(counter_id("PR-KPG", "KTI", TODAY), last=MAX_COUNTER)
    production.entities[Counter, full.id] = full
    assert refusal(production.give(a_production_report())) == ("made_on", Refusal.DAY_FULL)


def test_an_id_taken_by_another_terminal_is_refused_and_the_first_report_kept() -> None:
    production = Production()
    production.give(a_production_report(), id="r1", source="one")
    before = dict(production.entities)
    lot = production.all(Lot)[0].id
    for body in (a_production_report(), a_correction_report(lot), recalled(lot)):
        assert refusal(production.give(body, id="r1", source="two")) == ("id", Refusal.ID_REUSED)
    assert production.entities == before


# Corrections


def test_a_correction_is_passed_on_and_answered_when_inventory_took_it() -> None:
    production = Production()
    lot = record(production)
    assert production.give(a_correction_report(lot, -4), id="c1") == [
        CorrectionRequested(lot=lot, facility="PR-KPG", correction="c1", change=-4)
    ]
    assert production.entities[TerminalReport, "c1"].outcome is ReportOutcome.WAITING
    assert production.give(an_accepted_correction(lot, "c1", -4)) == [
        ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="c1", lot=lot)
    ]
    assert production.entities[TerminalReport, "c1"].outcome is ReportOutcome.ACCEPTED
    entity = production.entities[Lot, lot]
    assert (entity.qty, entity.corrected, entity.corrections) == (12, -4, 1)


def test_a_correction_beyond_the_stock_is_refused_when_inventory_says_so() -> None:
    production = Production()
    lot = record(production)
    production.give(a_correction_report(lot, -40), id="c1")
    assert refusal(production.give(a_refused_correction(lot, "c1"))) == ("change", Refusal.NOT_ENOUGH_STOCK)
    assert production.entities[Lot, lot].corrected == 0


def test_an_answer_said_again_or_to_nobody_changes_nothing() -> None:
    production = Production()
    lot, other = record(production), record(production)
    production.give(a_correction_report(lot, -4), id="c1")
    assert production.give(an_accepted_correction(other, "c1")) == []
    production.give(an_accepted_correction(lot, "c1", -4))
    before = dict(production.entities)
    for answer in (
        an_accepted_correction(lot, "c1", -4),
        a_refused_correction(lot, "c1"),
        an_accepted_correction(lot, "c2"),
        an_accepted_correction("PR-KPG-x", "c1"),
    ):
        assert production.give(answer) == []
    assert production.entities == before


@pytest.mark.parametrize("change", [201, -201])
def test_an_absurd_change_is_refused(change: int) -> None:
    production = Production()
    assert refusal(production.give(a_correction_report(record(production), change))) == ("change", Refusal.TOO_LARGE)


def test_a_change_of_nothing_is_refused() -> None:
    production = Production()
    assert refusal(production.give(a_correction_report(record(production), 0))) == ("change", Refusal.NO_CHANGE)


# Recalls


def test_a_recall_is_said_once() -> None:
    production = Production()
    lot = record(production)
    assert production.give(recalled(lot), id="x1") == [
        LotRecalled(lot=lot, facility="PR-KPG", reason="mouldy"),
        ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="x1", lot=lot),
    ]
    assert production.entities[Lot, lot].recalled
    assert refusal(production.give(recalled(lot))) == ("lot", Refusal.ALREADY_RECALLED)


def test_a_recall_is_lifted_with_a_reason_and_can_be_made_again() -> None:
    production = Production()
    lot = record(production)
    assert refusal(production.give(lifted(lot))) == ("lot", Refusal.NOT_RECALLED)
    production.give(recalled(lot))
    assert refusal(production.give(lifted(lot, reason=" "))) == ("reason", Refusal.NO_REASON)
    assert production.entities[Lot, lot].recalled
    assert production.give(lifted(lot), id="x1") == [
        LotRecallLifted(lot=lot, facility="PR-KPG", reason="the wrong lot was recalled"),
        ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="x1", lot=lot),
    ]
    assert not production.entities[Lot, lot].recalled
    assert refusal(production.give(lifted(lot))) == ("lot", Refusal.NOT_RECALLED)
    assert isinstance(production.give(recalled(lot))[0], LotRecalled)


# Withdrawals


def test_a_report_is_withdrawn_when_inventory_says_so_and_its_number_is_never_given_again() -> None:
    production = Production()
    lot = record(production)
    assert production.give(withdrawn(lot), id="w1") == [
        WithdrawalRequested(lot=lot, facility="PR-KPG", withdrawal="w1")
    ]
    assert production.entities[TerminalReport, "w1"].outcome is ReportOutcome.WAITING
    assert production.give(gone(lot, "w1")) == [
        ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="w1", lot=lot)
    ]
    stored_lot = production.entities[Lot, lot]
    assert (stored_lot.withdrawn, stored_lot.qty + stored_lot.corrected) == (True, 0)
    assert production.entities[TerminalReport, "w1"].change == -12
    assert production.give(gone(lot, "w1")) == []
    assert record(production) != lot
    for say in (a_correction_report, recalled, lifted, withdrawn):
        assert refusal(production.give(say(lot))) == ("lot", Refusal.WITHDRAWN)


def test_a_report_stays_while_its_pieces_are_promised() -> None:
    production = Production()
    lot = record(production)
    production.give(withdrawn(lot), id="w1")
    assert refusal(production.give(kept_promised(lot, "w1"))) == ("lot", Refusal.PROMISED)
    assert not production.entities[Lot, lot].withdrawn
    assert production.give(gone(lot, "w1")) == []


def test_a_correction_that_comes_after_a_withdrawal_hears_of_it() -> None:
    production = Production()
    lot = record(production)
    production.give(withdrawn(lot), id="w1")
    production.give(a_correction_report(lot, 3), id="c1")
    assert production.give(an_accepted_correction(lot, "w1", 3)) == []
    production.give(gone(lot, "w1"))
    assert refusal(production.give(a_refused_correction(lot, "c1"))) == ("lot", Refusal.WITHDRAWN)


# Lots as typed


@pytest.mark.parametrize("say", [a_correction_report, recalled, withdrawn])
def test_a_lot_is_found_however_it_was_typed(say: Any) -> None:
    production = Production()
    lot = record(production)
    published = production.give(say(lot.lower().replace("-", " ")))
    assert not isinstance(published[0], ReportRejected)


@pytest.mark.parametrize("say", [a_correction_report, recalled])
@pytest.mark.parametrize(
    ("typed", "facility", "field", "reason"),
    [
        ("PR-KPG-KTI-230418-001-F", "PR-KPG", "lot", Refusal.UNKNOWN_LOT),  # the check character
        ("PR-KPG-KTI-230418-007-4", "PR-KPG", "lot", Refusal.UNKNOWN_LOT),  # never recorded
        ("the red one", "PR-KPG", "lot", Refusal.UNKNOWN_LOT),
        ("PR-KPG-KTI-230418-001-G", "LP-KPG", "lot", Refusal.OTHER_FACILITY),
        ("PR-KPG-KTI-230418-001-G", "LP-XXX", "facility", Refusal.UNKNOWN_FACILITY),
    ],
)
def test_a_lot_that_is_not_the_facilitys_is_refused(
    say: Any, typed: str, facility: str, field: str, reason: Refusal
) -> None:
    production = Production()
    assert record(production) == "PR-KPG-KTI-230418-001-G"
    assert refusal(production.give(say(typed, facility=facility))) == (field, reason)


# Whatever comes

words = st.one_of(
    st.sampled_from(["PR-KPG", "LP-KPG", "KTI", "KBS", "KRJ"]),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=80),
)
amounts = st.one_of(st.integers(-5, 250), st.integers(-(2**53), 2**53))
days = st.one_of(st.dates(TODAY - timedelta(days=500), TODAY + timedelta(days=5)), st.dates())
ids = st.from_regex(r"[!-~]{1,200}", fullmatch=True)


@given(st.data())
def test_whatever_comes_is_answered_once_and_lots_are_told_apart(data: st.DataObject) -> None:
    production = Production()
    lots: list[str] = []
    answered: list[str] = []
    report_ids: list[str] = []
    for id in data.draw(st.lists(ids, max_size=12, unique=True)):
        facility = data.draw(words, "facility")
        lot = data.draw(st.one_of(st.sampled_from(lots) if lots else words, words), "lot")
        maker = data.draw(st.sampled_from([None, MAKER]))
        body: Body = data.draw(
            st.one_of(
                st.builds(
                    a_production_report,
                    facility=st.just(facility),
                    product=words,
                    qty=amounts,
                    made_on=days,
                    best_before=st.one_of(st.none(), days),
                    maker=st.just(maker),
                ),
                st.builds(a_production_report, product=st.sampled_from(["KTI", "KBS"]), made_on=st.just(TODAY)),
                st.builds(a_correction_report, st.just(lot), amounts, facility=st.just(lot[:6] or facility)),
                st.builds(recalled, st.just(lot), facility=st.just(lot[:6] or facility)),
            ),
            "body",
        )
        published = production.give(body, id=id, at=NOW)
        report_ids.append(id)
        lots += [event.lot for event in published if isinstance(event, LotRecorded)]
        # Inventory answers some at once, some twice, and the rest at the end.
        for event in list(published):
            if isinstance(event, CorrectionRequested):
                for _ in range(data.draw(st.integers(0, 2))):
                    answer = data.draw(st.sampled_from([an_accepted_correction, a_refused_correction]))
                    published += production.give(answer(event.lot, event.correction))
        answered += [event.report for event in published if isinstance(event, ReportAccepted | ReportRejected)]
        assert not any(MAKER in event.model_dump_json() for event in published)
    for report in production.all(TerminalReport):
        if report.outcome is ReportOutcome.WAITING:
            published = production.give(an_accepted_correction(report.lot, report.id))
            answered += [event.report for event in published if isinstance(event, ReportAccepted | ReportRejected)]
    assert sorted(answered) == sorted(report_ids)
    assert len(set(lots)) == len(lots)
    assert all(str(parse(lot)) == lot for lot in lots)


@given(
    st.from_regex(r"[!-~][ -~]{11,60}", fullmatch=True),
    st.sampled_from(["product", "lot", "lot of recall", "reason"]),
)
def test_no_refusal_repeats_what_was_typed(typed: str, where: str) -> None:
    production = Production()
    bodies: dict[str, Body] = {
        "product": a_production_report(product=typed),
        "lot": a_correction_report(typed),
        "lot of recall": recalled(typed),
        "reason": a_correction_report("nothing", reason=typed),
    }
    [answer] = production.give(bodies[where])
    assert isinstance(answer, ReportRejected)
    assert typed not in answer.model_dump_json(exclude={"facility", "terminal", "report"})
