"""What terminals reported: each report has one answer."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.production.domain.entities import Lot, ReportKind, ReportOutcome, TerminalReport


def checks(evidence: Evidence) -> Iterator[Check]:
    yield answered(evidence)
    yield became_lots(evidence)


def answered(evidence: Evidence) -> Check:
    """Once all is quiet nothing waits: inventory has said whether a correction fits."""
    check = Check("answers to terminals", "each report has exactly one answer")
    for report in evidence.of(TerminalReport).values():
        check.same(f"report {report.id}", evidence.heard.answers[report.id], 1, "answers, not")
        if report.outcome is ReportOutcome.WAITING:
            check.wrong(f"report {report.id} waits for inventory's answer")
    for id in sorted(evidence.heard.answers.keys() - evidence.of(TerminalReport).keys()):
        check.wrong(f"report {id} was answered, but production does not know it")
    return check


def became_lots(evidence: Evidence) -> Check:
    """What was accepted is there: a lot for each production, the sum of its corrections, the recall."""
    check = Check("reports and lots", "each accepted report is in its lot, and each lot is from one report")
    lots, reports = evidence.of(Lot), evidence.of(TerminalReport)
    corrected: dict[str, int] = {}
    for report in reports.values():
        if report.outcome is not ReportOutcome.ACCEPTED:
            continue
        lot = lots.get(report.lot or "")
        if lot is None:
            check.expect(False, f"report {report.id} was accepted for lot {report.lot}, which is not there")
        elif report.kind is ReportKind.PRODUCTION:
            check.same(f"lot {lot.id}", lot.report, report.id, "is its report, not")
        elif report.kind is ReportKind.CORRECTION:
            corrected[lot.id] = corrected.get(lot.id, 0) + (report.change or 0)
        else:
            check.expect(lot.recalled, f"report {report.id} recalls lot {lot.id}, which is not recalled")
    for lot in lots.values():
        check.same(f"lot {lot.id}", lot.corrected, corrected.get(lot.id, 0), "corrected, by its reports")
        check.expect(lot.report in reports, f"lot {lot.id} is from report {lot.report}, which is not there")
    return check
