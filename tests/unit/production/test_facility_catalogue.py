"""Reports that wait for their facility's catalogue, and what a retirement leaves valid."""

from datetime import timedelta

import pytest

from services.production.domain import facility_catalogue
from services.production.domain.entities import Lot, ReportOutcome, TerminalReport, WaitingReport
from services.production.domain.facility_catalogue import FacilityCatalogue
from shared.events.language import Body
from shared.events.production import LotRecorded, Refusal, ReportAccepted, ReportRejected, ReportReleased
from tests.support.builders.production import (
    MAKER,
    NOW,
    TODAY,
    Production,
    a_correction_report,
    a_production_report,
    facility_listed,
    product_listed,
)

HOUR = timedelta(hours=1)


def released(published: list[Body]) -> list[ReportReleased]:
    assert all(isinstance(body, ReportReleased) for body in published), published
    return [body for body in published if isinstance(body, ReportReleased)]


def reasons(published: list[Body]) -> list[Refusal]:
    return [body.reason for body in published if isinstance(body, ReportRejected)]


def test_a_report_waits_for_its_facility_and_is_decided_once_it_has_come() -> None:
    production = Production(with_catalogue=False)
    assert production.give(a_production_report(), id="r1", source="terminal") == []
    assert production.entities[TerminalReport, "r1"].outcome is ReportOutcome.WAITING
    assert production.give(product_listed()) == [], "without the facility's entry nothing can be decided"
    [release] = released(production.give(facility_listed(products=("KTI",))))
    assert release == ReportReleased(facility="PR-KPG", report="r1", product="KTI", made_on=TODAY)
    recorded, accepted = production.give(release)
    assert isinstance(recorded, LotRecorded)
    assert accepted == ReportAccepted(facility="PR-KPG", terminal="PR-KPG.T1", report="r1", lot=recorded.lot)
    assert production.entities[Lot, recorded.lot].maker == MAKER
    assert production.give(release) == [], "a second release changes nothing"


def test_a_report_waits_for_its_product_too() -> None:
    production = Production(with_catalogue=False)
    production.give(facility_listed(products=("KTI", "KBS")))
    production.give(product_listed("KBS"))
    assert production.give(a_production_report(product="KTI"), id="r1") == []
    assert len(production.give(a_production_report(product="KBS"))) == 2, "the other product is known"
    assert released(production.give(product_listed("KBS", revision=2))) == []
    [release] = released(production.give(product_listed("KTI")))
    assert isinstance(production.give(release)[0], LotRecorded)


def test_a_waiting_report_of_a_product_that_is_not_listed_is_refused() -> None:
    production = Production(with_catalogue=False)
    production.give(a_production_report(product="KRJ"))
    [release] = released(production.give(facility_listed()))
    assert reasons(production.give(release)) == [Refusal.NOT_MADE_HERE]


def test_a_waiting_report_is_judged_by_its_own_time() -> None:
    production = Production(with_catalogue=False)
    production.give(a_production_report(made_on=TODAY + timedelta(days=1)), id="r1")
    late = NOW + timedelta(days=3)
    assert production.give(facility_listed(), at=late) == [], "the product has not come"
    [release] = released(production.give(product_listed(), at=late))
    assert reasons(production.give(release, at=late)) == [Refusal.IN_FUTURE]


def test_an_id_that_waits_is_taken() -> None:
    production = Production(with_catalogue=False)
    production.give(a_production_report(), id="r1", source="one")
    assert reasons(production.give(a_production_report(), id="r1", source="two")) == [Refusal.ID_REUSED]


def test_a_correction_does_not_wait_where_no_lot_can_be() -> None:
    production = Production(with_catalogue=False)
    assert reasons(production.give(a_correction_report("PR-KPG-KTI-230418-001-G"))) == [Refusal.UNKNOWN_FACILITY]


def test_many_waiting_reports_are_released_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facility_catalogue, "RELEASED_AT_ONCE", 2)
    production = Production(with_catalogue=False)
    for number in range(5):
        production.give(a_production_report(), id=f"r{number}", at=NOW + timedelta(seconds=number))
    production.give(product_listed())
    queue = production.give(facility_listed())
    order: list[str] = []
    while queue:
        body = queue.pop(0)
        if isinstance(body, ReportReleased):
            order.append(body.report)
            queue += production.give(body)
    assert order == ["r0", "r1", "r2", "r3", "r4"]
    assert len(production.all(Lot)) == 5
    assert not any(waiting.waits_at for waiting in production.all(WaitingReport))


def test_a_report_made_before_the_product_was_retired_stays_valid() -> None:
    production = Production()
    production.give(product_listed(revision=2, retired_at=NOW))
    assert isinstance(production.give(a_production_report(), at=NOW + HOUR, time=NOW - HOUR)[0], LotRecorded)
    assert reasons(production.give(a_production_report(), at=NOW + HOUR, time=NOW)) == [Refusal.RETIRED]


def test_a_report_made_before_the_product_left_the_list_stays_valid() -> None:
    production = Production()
    production.give(facility_listed(revision=2, products=("KBS",), changed_at=NOW))
    assert isinstance(production.give(a_production_report(), at=NOW + HOUR, time=NOW - HOUR)[0], LotRecorded)
    assert reasons(production.give(a_production_report(), at=NOW + HOUR, time=NOW)) == [Refusal.NOT_MADE_HERE]
    production.give(facility_listed(revision=3, products=("KBS", "KTI"), changed_at=NOW + HOUR))
    assert isinstance(production.give(a_production_report(), at=NOW + HOUR, time=NOW)[0], LotRecorded)


def test_a_retired_facility_reports_nothing_new_but_corrects_what_it_made() -> None:
    production = Production()
    recorded = production.give(a_production_report())[0]
    assert isinstance(recorded, LotRecorded)
    production.give(facility_listed(revision=2, retired_at=NOW))
    assert reasons(production.give(a_production_report(), time=NOW)) == [Refusal.RETIRED]
    assert isinstance(production.give(a_production_report(), time=NOW - HOUR)[0], LotRecorded)
    assert reasons(production.give(a_correction_report(recorded.lot))) == []


def test_a_lower_revision_that_comes_later_changes_nothing() -> None:
    production = Production()
    production.give(product_listed(revision=3, max_qty=10))
    production.give(product_listed(revision=2, max_qty=999))
    production.give(facility_listed(revision=3, products=("KTI",)))
    production.give(facility_listed(revision=2, products=()))
    assert reasons(production.give(a_production_report(qty=11))) == [Refusal.TOO_LARGE]
    stored_catalogue = production.entities[FacilityCatalogue, "PR-KPG"]
    assert (stored_catalogue.revision, stored_catalogue.products["KTI"].revision) == (3, 3)
