"""What holds of production, whatever it heard."""

from collections import Counter as Count
from collections import defaultdict

from services.production.domain.entities import (
    Counter,
    Lot,
    ReportKind,
    ReportOutcome,
    TerminalReport,
    WaitingReport,
)
from services.production.domain.entries import Entry, EntryCommand, EntryCommandStatus, EntryRevision
from services.production.domain.facility_catalogue import FacilityCatalogue, can_be_decided
from shared.events import lot_number
from shared.events.catalogue import FacilitySet
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
        deduction = sum(accepted[lot.id]) + sum(withdrawn[lot.id])
        assert (lot.corrected, lot.corrections) == (deduction, len(accepted[lot.id])), lot
        assert lot.withdrawn == bool(withdrawn[lot.id]), lot


def check_publications(production: ServiceShell) -> None:
    """Every report ended or waits for the catalogue; its terminal was told once, and production said each lot and
    each recall once."""
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
    waiting = {report.id for report in production.all(WaitingReport) if report.waits_at}
    ended = {id: [report.outcome.value] for id, report in reports.items() if id not in waiting}
    assert ended == answers
    assert {reports[id].outcome for id in waiting} <= {ReportOutcome.WAITING}
    recorded = kafka.bodies(PRODUCTION, LotRecorded)
    assert sorted((lot.lot, lot.qty) for lot in recorded) == sorted((lot.id, lot.qty) for lot in production.all(Lot))
    recalls = Count(recall.lot for recall in kafka.bodies(PRODUCTION, LotRecalled))
    lifts = Count(lift.lot for lift in kafka.bodies(PRODUCTION, LotRecallLifted))
    assert {lot.id: recalls[lot.id] - lifts[lot.id] for lot in production.all(Lot)} == {
        lot.id: int(lot.recalled) for lot in production.all(Lot)
    }


def check_catalogue(production: ServiceShell) -> None:
    """Each facility holds the newest revisions of its entry and its products; no report waits that can be decided."""
    entries = {entry.id: entry for entry in production.all(Entry)}
    catalogues = {facility.id: facility for facility in production.all(FacilityCatalogue)}
    for entry in entries.values():
        history = [revision.fact.revision for revision in production.all(EntryRevision) if revision.entry == entry.id]
        assert sorted(history) == list(range(1, entry.revision + 1))
        if isinstance(entry.fact, FacilitySet):
            facility = catalogues[entry.id.partition("/")[2]]
            assert facility.revision == entry.revision
            for product in entry.fact.products:
                of_product = entries.get(f"product/{product}")
                listed = facility.products.get(product)
                assert (listed.revision if listed else 0) == (of_product.revision if of_product else 0)
    for waiting in production.all(WaitingReport):
        assert not (waiting.waits_at in catalogues and can_be_decided(catalogues[waiting.waits_at], waiting))
    assert EntryCommandStatus.WAITING not in {command.status for command in production.all(EntryCommand)}


def check_nobody_learns_a_maker(kafka: Kafka) -> None:
    """Beyond the terminals' own topic and its dead letters no byte of a maker."""
    for topic in list(kafka.logs):
        if topic not in (TERMINAL.name, TERMINAL.dlq):
            for record in kafka.records(topic):
                assert MAKER.encode() not in b"".join([record.value or b"", *(v or b"" for _, v in record.headers)])
