"""How production decides: pure, the same at every replay."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from services.production.domain import refusals
from services.production.domain.catalogue import Facility, Product
from services.production.domain.entities import (
    Counter,
    Lot,
    ReportKind,
    ReportOutcome,
    TerminalReport,
    WaitingReport,
    counter_id,
)
from services.production.domain.facility_catalogue import FacilityCatalogue, release
from services.production.domain.refusals import ReportRejection
from shared.events import lot_number, names
from shared.events.language import Deadline, Event, Publication
from shared.events.lot_number import LotNumber
from shared.events.production import (
    ANSWERS,
    PRODUCTION,
    CorrectionRefused,
    CorrectionRequested,
    LiftRecall,
    LotCorrected,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    ReportRejected,
    ReportReleased,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawalRequested,
    WithdrawReport,
)
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State

OLDEST = timedelta(days=400)

B = TypeVar("B", ProductionCorrected, RecallLot, LiftRecall, WithdrawReport)


def record(clock_skew: timedelta, state: State, event: Event, body: ProductionReported) -> Decision:
    """A report of goods becomes a lot, is rejected, or waits until the facility's catalogue has come.

    A terminal's clock may be ahead of Kafka's by `clock_skew`.
    """
    report = _report(event, body, ReportKind.PRODUCTION)
    if state.get(TerminalReport, report.id):
        return _reused(state, report)
    return _decide_goods(clock_skew, state, event, body)


def decide_released(clock_skew: timedelta, state: State, _event: Event, body: ReportReleased) -> Decision:
    """A report that has waited is decided, by the times of its own event."""
    waiting_report = state.get(WaitingReport, body.report)
    report = state.get(TerminalReport, body.report)
    published: list[Publication | Deadline] = []
    if waiting_report is not None and report is not None and report.outcome is ReportOutcome.WAITING:
        event = Event(
            waiting_report.id,
            waiting_report.source,
            waiting_report.key,
            waiting_report.time,
            waiting_report.logged_at,
            waiting_report.body,
        )
        state, published = _decide_goods(clock_skew, state, event, waiting_report.body)
    if body.more:
        state, publications = release(state, body.facility)
        published = [*published, *publications]
    return state, published


def _decide_goods(clock_skew: timedelta, state: State, event: Event, body: ProductionReported) -> Decision:
    report = _report(event, body, ReportKind.PRODUCTION)
    if names.FACILITY.wrong(body.facility):
        return _reject(state, report, refusals.UNKNOWN_FACILITY)
    catalogue = state.get(FacilityCatalogue, body.facility)
    if catalogue is None or not catalogue.revision:
        return _wait(state, event, report, body)
    if catalogue.retired_at is not None and event.time >= catalogue.retired_at:
        return _reject(state, report, refusals.RETIRED_FACILITY)
    if names.PRODUCT.wrong(body.product):
        return _reject(state, report, refusals.UNKNOWN_PRODUCT)
    facility = catalogue.facility_at(event.time)
    if body.product not in facility.products:
        return _reject(state, report, refusals.NOT_MADE_HERE)
    entry = catalogue.products.get(body.product)
    if entry is None:
        return _wait(state, event, report, body)
    if entry.retired_at is not None and event.time >= entry.retired_at:
        return _reject(state, report, refusals.RETIRED_PRODUCT)
    product = entry.product
    latest = facility.day_of(event.logged_at + clock_skew)
    wrong = wrong_goods(facility, product, body, latest)
    if wrong:
        return _reject(state, report, wrong)
    id = counter_id(facility.code, product.code, body.made_on)
    counter = state.get(Counter, id) or Counter(id, last=0)
    if counter.last >= lot_number.MAX_COUNTER:
        return _reject(state, report, refusals.DAY_FULL)
    counter = replace(counter, last=counter.last + 1)
    lot = Lot(
        id=str(LotNumber(facility.code, product.code, body.made_on, counter.last)),
        facility=facility.code,
        product=product.code,
        category=product.category,
        qty=body.qty,
        made_on=body.made_on,
        best_before=body.best_before or spoils_on(product, body.made_on),
        maker=body.maker,
        report=report.id,
        recorded_at=event.logged_at,
    )
    recorded = LotRecorded.model_construct(
        lot=lot.id,
        facility=lot.facility,
        product=lot.product,
        category=lot.category,
        qty=lot.qty,
        made_on=lot.made_on,
        best_before=lot.best_before,
    )
    accepted = replace(report, outcome=ReportOutcome.ACCEPTED, lot=lot.id)
    return state.put(counter, lot, accepted), [PRODUCTION.of(recorded), ANSWERS.of(_accepted(accepted, lot))]


def wrong_goods(
    facility: Facility, product: Product, body: ProductionReported, latest: date
) -> ReportRejection | None:
    """What is wrong with the goods of a report, `latest` being the facility's day."""
    if product.code not in facility.products:
        return refusals.NOT_MADE_HERE
    if body.qty <= 0:
        return refusals.NOT_POSITIVE
    if body.qty > product.max_qty:
        return refusals.too_large("qty", product.max_qty, product.unit)
    if body.made_on > latest:
        return refusals.IN_FUTURE
    if body.made_on < latest - OLDEST:
        return refusals.TOO_OLD
    if body.best_before and body.best_before < body.made_on:
        return refusals.BEFORE_MADE
    spoils = spoils_on(product, body.made_on)
    if body.best_before and spoils and body.best_before > spoils:
        return refusals.beyond_shelf_life((spoils - body.made_on).days)
    return None


def spoils_on(product: Product, made_on: date) -> date | None:
    """The day until which what was made then is good; None: for as long as anybody asks."""
    return made_on + product.shelf_life if product.shelf_life is not None else None


def _wait(state: State, event: Event, report: TerminalReport, body: ProductionReported) -> Decision:
    waiting_report = WaitingReport(
        report.id, body.facility, event.source, event.key, event.time, event.logged_at, body
    )
    return state.put(waiting_report, report), []


def about_lot(kind: ReportKind, rule: Callable[[State, TerminalReport, Lot, B], Decision]) -> Rule[B]:
    """The rule for a report about one of the facility's lots. A used id or an unknown lot is rejected."""

    def of_event(state: State, event: Event, body: B) -> Decision:
        report = _report(event, body, kind)
        if state.get(TerminalReport, report.id):
            return _reused(state, report)
        lot = _lot_of(state, body)
        if isinstance(lot, ReportRejection):
            return _reject(state, report, lot)
        return rule(state, replace(report, lot=lot.id), lot, body)

    return of_event


def pass_on(state: State, report: TerminalReport, lot: Lot, body: ProductionCorrected) -> Decision:
    """A correction of a possible size goes to inventory, which knows the stock."""
    if body.change == 0:
        return _reject(state, report, refusals.NO_CHANGE)
    facility = state.get(FacilityCatalogue, lot.facility)
    entry = facility.products.get(lot.product) if facility is not None else None
    if entry is not None and abs(body.change) > entry.product.max_qty:
        return _reject(state, report, refusals.too_large("change", entry.product.max_qty, entry.product.unit))
    requested = CorrectionRequested(lot=lot.id, facility=lot.facility, correction=report.id, change=body.change)
    return state.put(replace(report, change=body.change)), [PRODUCTION.of(requested)]


def answer_correction(state: State, _event: Event, answer: LotCorrected | CorrectionRefused) -> Decision:
    """Inventory's answer decides the correction."""
    report = state.get(TerminalReport, answer.correction)
    lot = state.get(Lot, answer.lot)
    # A second answer changes nothing, and neither does an answer to another report.
    if report is None or lot is None or not _awaits(report, ReportKind.CORRECTION, lot):
        return state, []
    if isinstance(answer, CorrectionRefused):
        return _reject(state, report, refusals.WITHDRAWN if lot.withdrawn else refusals.NOT_ENOUGH_STOCK)
    change = report.change or 0
    lot = replace(lot, corrected=lot.corrected + change, corrections=lot.corrections + 1)
    report = replace(report, outcome=ReportOutcome.ACCEPTED)
    return state.put(lot, report), [ANSWERS.of(_accepted(report, lot))]


def recall(state: State, report: TerminalReport, lot: Lot, body: RecallLot) -> Decision:
    """A lot is recalled, once."""
    if lot.recalled:
        return _reject(state, report, refusals.ALREADY_RECALLED)
    recalled = LotRecalled(lot=lot.id, facility=lot.facility, reason=body.reason)
    report = replace(report, outcome=ReportOutcome.ACCEPTED)
    return (
        state.put(replace(lot, recalled=True), report),
        [PRODUCTION.of(recalled), ANSWERS.of(_accepted(report, lot))],
    )


def lift(state: State, report: TerminalReport, lot: Lot, body: LiftRecall) -> Decision:
    """A recall is lifted, with a reason."""
    if not lot.recalled:
        return _reject(state, report, refusals.NOT_RECALLED)
    if not body.reason.strip():
        return _reject(state, report, refusals.NO_REASON)
    lifted = LotRecallLifted(lot=lot.id, facility=lot.facility, reason=body.reason)
    report = replace(report, outcome=ReportOutcome.ACCEPTED)
    return (
        state.put(replace(lot, recalled=False), report),
        [PRODUCTION.of(lifted), ANSWERS.of(_accepted(report, lot))],
    )


def withdraw(state: State, report: TerminalReport, lot: Lot, _body: WithdrawReport) -> Decision:
    """A withdrawal goes to inventory, which knows whether pieces of the lot are promised."""
    request = WithdrawalRequested(lot=lot.id, facility=lot.facility, withdrawal=report.id)
    return state.put(report), [PRODUCTION.of(request)]


def answer_withdrawal(state: State, _event: Event, answer: ReportWithdrawn | WithdrawalRefused) -> Decision:
    """Inventory's answer decides the withdrawal. The lot's number is never given again."""
    report = state.get(TerminalReport, answer.withdrawal)
    lot = state.get(Lot, answer.lot)
    # A second answer changes nothing, and neither does an answer to another report.
    if report is None or lot is None or not _awaits(report, ReportKind.WITHDRAWAL, lot):
        return state, []
    if isinstance(answer, WithdrawalRefused):
        return _reject(state, report, refusals.PROMISED)
    lot = replace(lot, corrected=lot.corrected - answer.qty, withdrawn=True)
    report = replace(report, outcome=ReportOutcome.ACCEPTED, change=-answer.qty)
    return state.put(lot, report), [ANSWERS.of(_accepted(report, lot))]


def _awaits(report: TerminalReport, kind: ReportKind, lot: Lot) -> bool:
    return report.kind is kind and report.outcome is ReportOutcome.WAITING and report.lot == lot.id


def _lot_of(
    state: State, body: ProductionCorrected | RecallLot | LiftRecall | WithdrawReport
) -> Lot | ReportRejection:
    facility = state.get(FacilityCatalogue, body.facility)
    # A facility whose catalogue has not come has no lot yet. A retired one may still correct and recall its lots.
    if facility is None or not facility.revision:
        return refusals.UNKNOWN_FACILITY
    number = lot_number.parse(body.lot)
    if number is None:
        return refusals.MISTYPED_LOT
    if number.facility != body.facility:
        return refusals.OTHER_FACILITY
    lot = state.get(Lot, str(number))
    if lot is None:
        return refusals.UNKNOWN_LOT
    return refusals.WITHDRAWN if lot.withdrawn else lot


def _report(
    event: Event,
    body: ProductionReported | ProductionCorrected | RecallLot | LiftRecall | WithdrawReport,
    kind: ReportKind,
) -> TerminalReport:
    return TerminalReport(
        id=event.known_as,
        source=event.source,
        facility=body.facility,
        terminal=body.terminal,
        kind=kind,
        outcome=ReportOutcome.WAITING,
        taken_at=event.logged_at,
    )


def _accepted(report: TerminalReport, lot: Lot) -> ReportAccepted:
    return ReportAccepted.model_construct(
        facility=report.facility, terminal=report.terminal, report=report.id, lot=lot.id
    )


def _reject(state: State, report: TerminalReport, wrong: ReportRejection) -> Decision:
    report = replace(report, outcome=ReportOutcome.REJECTED, rejection=wrong)
    return state.put(report), [ANSWERS.of(_rejected(report, wrong))]


def _reused(state: State, report: TerminalReport) -> Decision:
    # The first report with this id keeps its outcome.
    return state, [ANSWERS.of(_rejected(report, refusals.ID_REUSED))]


def _rejected(report: TerminalReport, wrong: ReportRejection) -> ReportRejected:
    return ReportRejected(
        facility=report.facility,
        terminal=report.terminal,
        report=report.id,
        field=wrong.field,
        reason=wrong.reason,
        message=wrong.message.english,
        template=wrong.message.template,
        values=wrong.message.plain_values,
    )
