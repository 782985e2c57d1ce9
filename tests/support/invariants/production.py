"""What holds of production, whatever it heard."""

from collections import Counter as Count
from collections import defaultdict

from services.production.domain.entities import Counter, Lot, ReportKind, ReportOutcome, TerminalReport
from shared.events import lot_number
from shared.events.production import (
    ANSWERS,
    PRODUCTION,
    TERMINAL,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    Refusal,
    ReportAccepted,
    ReportRejected,
)
from tests.support.shell import Kafka, ServiceShell

MAKER = "p.makerpseudonym"


def check_lots(production: ServiceShell) -> None:
    """Lots are numbered 1 to the counter without a gap, and corrected by what was accepted."""
    lots = production.all(Lot)
    numbers: dict[str, list[int]] = defaultdict(list)
    for lot in lots:
        number = lot_number.parse(lot.id)
        assert number is not None
        assert (number.facility, number.product, number.made_on) == (lot.facility, lot.product, lot.made_on)
        numbers[f"{lot.facility}/{lot.product}/{lot.made_on.isoformat()}"].append(number.counter)
    assert {counter.id: list(range(1, counter.last + 1)) for counter in production.all(Counter)} == {
        id: sorted(counters) for id, counters in numbers.items()
    }
    accepted: dict[str, list[int]] = defaultdict(list)
    withdrawn: dict[str, list[int]] = defaultdict(list)
    for report in production.all(TerminalReport):
        assert (report.outcome is ReportOutcome.REJECTED) == (report.rejection is not None)
        if report.kind is ReportKind.CORRECTION and report.outcome is ReportOutcome.ACCEPTED:
            accepted[report.lot or ""].append(report.change or 0)
        if report.kind is ReportKind.WITHDRAWAL and report.outcome is ReportOutcome.ACCEPTED:
            withdrawn[report.lot or ""].append(report.change or 0)
    for lot in lots:
        taken = sum(accepted[lot.id]) + sum(withdrawn[lot.id])
        assert (lot.corrected, lot.corrections) == (taken, len(accepted[lot.id])), lot
        assert lot.withdrawn == bool(withdrawn[lot.id]), lot


def check_publications(production: ServiceShell) -> None:
    """Every report ended; its terminal was told once, and production said each lot and each recall once."""
    kafka = production.kafka
    reports = {report.id: report for report in production.all(TerminalReport)}
    assert reports.keys() == {event.id for event in kafka.events(TERMINAL)}
    answers: dict[str, list[str]] = defaultdict(list)
    for event in kafka.events(ANSWERS):
        body = event.body
        if isinstance(body, ReportAccepted):
            answers[body.report].append("accepted")
        elif isinstance(body, ReportRejected) and body.reason is not Refusal.ID_REUSED:
            answers[body.report].append("rejected")
    assert {id: [report.outcome.value] for id, report in reports.items()} == answers
    recorded = kafka.bodies(PRODUCTION, LotRecorded)
    assert sorted((lot.lot, lot.qty) for lot in recorded) == sorted((lot.id, lot.qty) for lot in production.all(Lot))
    recalls = Count(recall.lot for recall in kafka.bodies(PRODUCTION, LotRecalled))
    lifts = Count(lift.lot for lift in kafka.bodies(PRODUCTION, LotRecallLifted))
    assert {lot.id: recalls[lot.id] - lifts[lot.id] for lot in production.all(Lot)} == {
        lot.id: int(lot.recalled) for lot in production.all(Lot)
    }


def check_nobody_learns_a_maker(kafka: Kafka) -> None:
    """Beyond the terminals' own topic and its dead letters no byte of a maker."""
    for topic in list(kafka.logs):
        if topic not in (TERMINAL.name, TERMINAL.dlq):
            for record in kafka.records(topic):
                assert MAKER.encode() not in b"".join([record.value or b"", *(v or b"" for _, v in record.headers)])
