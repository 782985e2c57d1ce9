"""Checks of terminals' reports: answers, and the lots that they became."""

from collections import Counter
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.production.domain.entities import Lot, ReportKind, ReportOutcome, TerminalReport, WaitingReport
from services.production.domain.entries import Entry, EntryRevision
from services.production.domain.facility_catalogue import FacilityCatalogue, can_be_decided
from shared.events.catalogue import EntryKind, FacilitySet, code_of, entry_id


def checks(evidence: Evidence) -> Iterator[Check]:
    yield answered(evidence)
    yield became_lots(evidence)
    yield catalogue(evidence)


def answered(evidence: Evidence) -> Check:
    """Each report has one answer, but those that wait for the catalogue have none.

    At quiescence no other report waits, since inventory has answered every correction.
    """
    check = Check("answers to terminals", "each report has exactly one answer, or waits for the catalogue")
    waiting = {
        id: waiting_report for id, waiting_report in evidence.of(WaitingReport).items() if waiting_report.waits_at
    }
    catalogues = evidence.of(FacilityCatalogue)
    for report in evidence.of(TerminalReport).values():
        expected = 0 if report.id in waiting else 1
        check.expect_equal(f"report {report.id}", evidence.published.answers[report.id], expected, "answers, not")
        if report.outcome is ReportOutcome.WAITING and report.id not in waiting:
            check.fail(f"report {report.id} waits for inventory's answer")
    for id, waiting_report in waiting.items():
        catalogue = catalogues.get(waiting_report.waits_at)
        if catalogue is not None and can_be_decided(catalogue, waiting_report):
            check.fail(f"report {id} waits, although the catalogue of {waiting_report.waits_at} has come")
    for id in sorted(evidence.published.answers.keys() - evidence.of(TerminalReport).keys()):
        check.fail(f"report {id} was answered, but production does not know it")
    return check


def catalogue(evidence: Evidence) -> Check:
    """Each facility's lane holds the newest revisions of the facility's entry and of its products."""
    check = Check("catalogue", "each facility holds the newest revisions of the catalogue's entries")
    entries, catalogues = evidence.of(Entry), evidence.of(FacilityCatalogue)
    histories = Counter(revision.entry for revision in evidence.of(EntryRevision).values())
    for entry in entries.values():
        check.expect_equal(f"entry {entry.id}", histories[entry.id], entry.revision, "revisions are kept, not")
        if not isinstance(entry.fact, FacilitySet):
            continue
        facility = code_of(entry.id)
        catalogue = catalogues.get(facility, FacilityCatalogue(facility))
        check.expect_equal(f"facility {facility}", catalogue.revision, entry.revision, "is its revision there, not")
        for product in entry.fact.products:
            of_product = entries.get(entry_id(EntryKind.PRODUCT, product))
            listing = catalogue.products.get(product)
            listed_revision, newest = listing.revision if listing else 0, of_product.revision if of_product else 0
            check.expect_equal(
                f"product {product} at {facility}", listed_revision, newest, "is its revision there, not"
            )
    return check


def became_lots(evidence: Evidence) -> Check:
    """Each accepted report is applied to its lot.

    A report of goods is the lot's origin. The lot has the sum of its corrections, and is recalled or withdrawn as its
    reports say.
    """
    check = Check("reports and lots", "each accepted report is in its lot, and each lot is from one report")
    lots, reports = evidence.of(Lot), evidence.of(TerminalReport)
    corrected: Counter[str] = Counter()
    recalls: Counter[str] = Counter()
    withdrawn: set[str] = set()
    for report in reports.values():
        if report.outcome is not ReportOutcome.ACCEPTED:
            continue
        lot = lots.get(report.lot or "")
        if lot is None:
            check.expect(False, f"report {report.id} was accepted for lot {report.lot}, which is not there")
            continue
        match report.kind:
            case ReportKind.PRODUCTION:
                check.expect_equal(f"lot {lot.id}", lot.report, report.id, "is its report, not")
            case ReportKind.CORRECTION:
                corrected[lot.id] += report.change or 0
            case ReportKind.RECALL:
                recalls[lot.id] += 1
            case ReportKind.LIFT:
                recalls[lot.id] -= 1
            case ReportKind.WITHDRAWAL:
                corrected[lot.id] += report.change or 0
                withdrawn.add(lot.id)
    for lot in lots.values():
        check.expect_equal(f"lot {lot.id}", lot.corrected, corrected[lot.id], "corrected, by its reports")
        check.expect_equal(
            f"lot {lot.id}", int(lot.recalled), recalls[lot.id], "is its recall, but recalls less liftings are"
        )
        check.expect_equal(
            f"lot {lot.id}", lot.withdrawn, lot.id in withdrawn, "is whether it is withdrawn, by its reports"
        )
        check.expect(lot.report in reports, f"lot {lot.id} is from report {lot.report}, which is not there")
    return check
