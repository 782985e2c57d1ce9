"""Checks of terminals' reports: answers, and the lots that they became."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.production.domain.entities import Lot, ReportKind, ReportOutcome, TerminalReport


def checks(evidence: Evidence) -> Iterator[Check]:
    yield answered(evidence)
    yield became_lots(evidence)


def answered(evidence: Evidence) -> Check:
    """Each report has one answer. None waits at quiescence, since inventory has answered every correction."""
    check = Check("answers to terminals", "each report has exactly one answer")
    for report in evidence.of(TerminalReport).values():
        check.expect_equal(f"report {report.id}", evidence.published.answers[report.id], 1, "answers, not")
        if report.outcome is ReportOutcome.WAITING:
            check.fail(f"report {report.id} waits for inventory's answer")
    for id in sorted(evidence.published.answers.keys() - evidence.of(TerminalReport).keys()):
        check.fail(f"report {id} was answered, but production does not know it")
    return check


def became_lots(evidence: Evidence) -> Check:
    """Each accepted report is applied: a lot for each production, the sum of corrections, recalls not yet lifted, the
    withdrawal."""
    check = Check("reports and lots", "each accepted report is in its lot, and each lot is from one report")
    lots, reports = evidence.of(Lot), evidence.of(TerminalReport)
    corrected: dict[str, int] = {}
    recalls: dict[str, int] = {}
    withdrawn: set[str] = set()
    for report in reports.values():
        if report.outcome is not ReportOutcome.ACCEPTED:
            continue
        lot = lots.get(report.lot or "")
        if lot is None:
            check.expect(False, f"report {report.id} was accepted for lot {report.lot}, which is not there")
        elif report.kind is ReportKind.PRODUCTION:
            check.expect_equal(f"lot {lot.id}", lot.report, report.id, "is its report, not")
        elif report.kind in (ReportKind.CORRECTION, ReportKind.WITHDRAWAL):
            corrected[lot.id] = corrected.get(lot.id, 0) + (report.change or 0)
        if report.kind is ReportKind.WITHDRAWAL:
            withdrawn.add(report.lot or "")
        elif report.kind in (ReportKind.RECALL, ReportKind.LIFT):
            step = 1 if report.kind is ReportKind.RECALL else -1
            recalls[report.lot or ""] = recalls.get(report.lot or "", 0) + step
    for lot in lots.values():
        check.expect_equal(f"lot {lot.id}", lot.corrected, corrected.get(lot.id, 0), "corrected, by its reports")
        check.expect_equal(
            f"lot {lot.id}", int(lot.recalled), recalls.get(lot.id, 0), "is its recall, but recalls less liftings are"
        )
        check.expect_equal(
            f"lot {lot.id}", lot.withdrawn, lot.id in withdrawn, "is whether it is withdrawn, by its reports"
        )
        check.expect(lot.report in reports, f"lot {lot.id} is from report {lot.report}, which is not there")
    return check
