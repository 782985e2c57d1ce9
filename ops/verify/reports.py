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
        check.expect_equal(
            evidence.published.answers[report.id],
            expected,
            "report {report}: {first} answers, not {second}",
            report=report.id,
        )
        if report.outcome is ReportOutcome.WAITING and report.id not in waiting:
            check.fail("report {report} waits for inventory's answer", report=report.id)
    for id, waiting_report in waiting.items():
        catalogue = catalogues.get(waiting_report.waits_at)
        if catalogue is not None and can_be_decided(catalogue, waiting_report):
            check.fail(
                "report {report} waits, although the catalogue of {waits_at} has come",
                report=id,
                waits_at=waiting_report.waits_at,
            )
    for id in sorted(evidence.published.answers.keys() - evidence.of(TerminalReport).keys()):
        check.fail("report {report} was answered, but production does not know it", report=id)
    return check


def catalogue(evidence: Evidence) -> Check:
    """Each facility's lane holds the newest revisions of the facility's entry and of its products."""
    check = Check("catalogue", "each facility holds the newest revisions of the catalogue's entries")
    entries, catalogues = evidence.of(Entry), evidence.of(FacilityCatalogue)
    histories = Counter(revision.entry for revision in evidence.of(EntryRevision).values())
    for entry in entries.values():
        check.expect_equal(
            histories[entry.id],
            entry.revision,
            "entry {entry}: {first} revisions are kept, not {second}",
            entry=entry.id,
        )
        if not isinstance(entry.fact, FacilitySet):
            continue
        facility = code_of(entry.id)
        catalogue = catalogues.get(facility, FacilityCatalogue(facility))
        check.expect_equal(
            catalogue.revision,
            entry.revision,
            "facility {facility}: {first} is its revision there, not {second}",
            facility=facility,
        )
        for product in entry.fact.products:
            of_product = entries.get(entry_id(EntryKind.PRODUCT, product))
            listing = catalogue.products.get(product)
            listed_revision, newest = listing.revision if listing else 0, of_product.revision if of_product else 0
            check.expect_equal(
                listed_revision,
                newest,
                "product {product} at {facility}: {first} is its revision there, not {second}",
                product=product,
                facility=facility,
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
            check.expect(
                False,
                "report {report} was accepted for lot {lot}, which is not there",
                report=report.id,
                lot=report.lot,
            )
            continue
        match report.kind:
            case ReportKind.PRODUCTION:
                check.expect_equal(
                    lot.report, report.id, "lot {lot}: {first} is its report, not {second}", lot=lot.id
                )
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
        check.expect_equal(
            lot.corrected, corrected[lot.id], "lot {lot}: {first} corrected, by its reports {second}", lot=lot.id
        )
        check.expect_equal(
            int(lot.recalled),
            recalls[lot.id],
            "lot {lot}: {first} is its recall, but recalls less liftings are {second}",
            lot=lot.id,
        )
        check.expect_equal(
            lot.withdrawn,
            lot.id in withdrawn,
            "lot {lot}: {first} is whether it is withdrawn, by its reports {second}",
            lot=lot.id,
        )
        check.expect(
            lot.report in reports,
            "lot {lot} is from report {report}, which is not there",
            lot=lot.id,
            report=lot.report,
        )
    return check
