"""Production's one processor: whatever changes a facility's lots, in the order of the facility's lane."""

from datetime import timedelta
from functools import partial

from services.production import reference
from services.production.domain import rules
from services.production.domain.catalogue import Catalogue
from services.production.domain.entities import Counter, Lot, TerminalReport, counter_id
from services.production.store import COUNTERS, LOTS, REPORTS
from shared.events import lot_number
from shared.events.language import Event
from shared.events.production import (
    LOT_ANSWERS,
    TERMINAL,
    CorrectionRefused,
    LiftRecall,
    LotCorrected,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawReport,
)
from shared.runtime.processor import Processor, on
from shared.runtime.state import Ref
from shared.settings import Settings


def _of_goods(event: Event, body: ProductionReported) -> tuple[Ref, ...]:
    return Ref(TerminalReport, event.known_as), Ref(Counter, counter_id(body.facility, body.product, body.made_on))


def _of_lot(event: Event, body: ProductionCorrected | RecallLot | LiftRecall | WithdrawReport) -> tuple[Ref, ...]:
    number = lot_number.parse(body.lot)
    # Another facility's lot belongs to another lane and is not needed to refuse it.
    if number is None or number.facility != body.facility:
        return (Ref(TerminalReport, event.known_as),)
    return Ref(TerminalReport, event.known_as), Ref(Lot, str(number))


def _of_correction(_event: Event, body: LotCorrected | CorrectionRefused) -> tuple[Ref, ...]:
    return Ref(TerminalReport, body.correction), Ref(Lot, body.lot)


def _of_withdrawal(_event: Event, body: ReportWithdrawn | WithdrawalRefused) -> tuple[Ref, ...]:
    return Ref(TerminalReport, body.withdrawal), Ref(Lot, body.lot)


def processor(catalogue: Catalogue, clock_skew: timedelta) -> Processor:
    """The processor by facility, deciding by this catalogue."""
    return Processor(
        service="production",
        key="facility",
        topics=(TERMINAL, LOT_ANSWERS),
        collections=(COUNTERS, LOTS, REPORTS),
        handlers=(
            on(ProductionReported, partial(rules.record, catalogue, clock_skew), reads=_of_goods),
            on(ProductionCorrected, partial(rules.pass_on, catalogue), reads=_of_lot),
            on(RecallLot, partial(rules.recall, catalogue), reads=_of_lot),
            on(LiftRecall, partial(rules.lift, catalogue), reads=_of_lot),
            on(WithdrawReport, partial(rules.withdraw, catalogue), reads=_of_lot),
            on(LotCorrected, rules.answer_correction, reads=_of_correction),
            on(CorrectionRefused, rules.answer_correction, reads=_of_correction),
            on(ReportWithdrawn, rules.answer_withdrawal, reads=_of_withdrawal),
            on(WithdrawalRefused, rules.answer_withdrawal, reads=_of_withdrawal),
        ),
    )


# A reference that does not hold together stops the service here, before it has read anything.
PROCESSORS = (processor(reference.load().catalogue, timedelta(seconds=Settings().clock_skew_seconds)),)
