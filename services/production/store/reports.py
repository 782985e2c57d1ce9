"""The MongoDB documents of counters, lots and reports."""

from datetime import date
from typing import Any

from services.production.domain.entities import Counter, Lot, ReportKind, ReportOutcome, TerminalReport
from services.production.domain.refusals import ReportRejection
from shared.events.production import Refusal
from shared.rejections import rejection_document
from shared.runtime.processor import Collection, Document
from shared.wording import message_of


def _counter_document(counter: Counter) -> dict[str, Any]:
    return {"last": counter.last}


def _counter(document: Document) -> Counter:
    return Counter(id=document["_id"], last=document["last"])


def _lot_document(lot: Lot) -> dict[str, Any]:
    return {
        "facility": lot.facility,
        "product": lot.product,
        "category": lot.category,
        "qty": lot.qty,
        "made_on": lot.made_on.isoformat(),
        "best_before": lot.best_before.isoformat() if lot.best_before else None,
        "maker": lot.maker,
        "report": lot.report,
        "recorded_at": lot.recorded_at,
        "corrected": lot.corrected,
        "corrections": lot.corrections,
        "recalled": lot.recalled,
        "withdrawn": lot.withdrawn,
    }


def _lot(document: Document) -> Lot:
    best_before = document["best_before"]
    return Lot(
        id=document["_id"],
        facility=document["facility"],
        product=document["product"],
        category=document["category"],
        qty=document["qty"],
        made_on=date.fromisoformat(document["made_on"]),
        best_before=date.fromisoformat(best_before) if best_before else None,
        maker=document["maker"],
        report=document["report"],
        recorded_at=document["recorded_at"],
        corrected=document["corrected"],
        corrections=document["corrections"],
        recalled=document["recalled"],
        withdrawn=document.get("withdrawn", False),
    )


def _report_document(report: TerminalReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "facility": report.facility,
        "terminal": report.terminal,
        "kind": report.kind.value,
        "outcome": report.outcome.value,
        "taken_at": report.taken_at,
        "lot": report.lot,
        "change": report.change,
        "wrong": rejection_document(report.rejection),
    }


def _report(document: Document) -> TerminalReport:
    rejection = document["wrong"]
    return TerminalReport(
        id=document["_id"],
        source=document["source"],
        facility=document["facility"],
        terminal=document["terminal"],
        kind=ReportKind(document["kind"]),
        outcome=ReportOutcome(document["outcome"]),
        taken_at=document["taken_at"],
        lot=document["lot"],
        change=document["change"],
        rejection=rejection
        and ReportRejection(
            rejection["field"],
            Refusal(rejection["reason"]),
            message_of(rejection["template"], rejection["values"]),
        ),
    )


COUNTERS = Collection("counters", Counter, _counter_document, _counter)
LOTS = Collection("lots", Lot, _lot_document, _lot, indexes=("facility",))
REPORTS = Collection("reports", TerminalReport, _report_document, _report, indexes=("facility",))
