"""Production's two processors: a facility's lots and reports, and the entries of the catalogue."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TypeVar

from services.production.domain import entries, facility_catalogue, rules
from services.production.domain.entities import Counter, Lot, ReportKind, TerminalReport, WaitingReport, counter_id
from services.production.domain.entries import Entry, EntryCommand, SetEntry, command_key
from services.production.domain.facility_catalogue import FacilityCatalogue, waiting_at
from services.production.store import (
    COUNTERS,
    ENTRIES,
    ENTRY_COMMANDS,
    FACILITIES,
    LOTS,
    REPORTS,
    REVISIONS,
    WAITING_REPORTS,
)
from shared.events import catalogue, lot_number
from shared.events.catalogue import (
    FACILITY_CATALOGUE,
    REFERENCES,
    EntryAnswered,
    EntryAsked,
    FacilityListed,
    ProductListed,
    RetireEntry,
    SetFacility,
    SetLeadTime,
    SetProduct,
    SetTerm,
)
from shared.events.language import Event
from shared.events.production import (
    LOT_ANSWERS,
    RELEASED,
    TERMINAL,
    CorrectionRefused,
    LiftRecall,
    LotCorrected,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportReleased,
    ReportWithdrawn,
    WithdrawalRefused,
    WithdrawReport,
)
from shared.http.command_handler import CommandHandler
from shared.runtime.processor import Processor, Rule, on
from shared.runtime.state import Read, Ref
from shared.settings import Settings

B = TypeVar("B", SetTerm, SetProduct, SetFacility, SetLeadTime, RetireEntry)


def _of_goods(event: Event, body: ProductionReported) -> tuple[Ref, ...]:
    return (
        Ref(TerminalReport, event.known_as),
        Ref(Counter, counter_id(body.facility, body.product, body.made_on)),
        Ref(FacilityCatalogue, body.facility),
    )


def _of_lot(event: Event, body: ProductionCorrected | RecallLot | LiftRecall | WithdrawReport) -> Iterator[Ref]:
    yield Ref(TerminalReport, event.known_as)
    yield Ref(FacilityCatalogue, body.facility)
    number = lot_number.parse(body.lot)
    # Another facility's lot belongs to another lane and is not needed to refuse it.
    if number is not None and number.facility == body.facility:
        yield Ref(Lot, str(number))


def _of_correction(_event: Event, body: LotCorrected | CorrectionRefused) -> tuple[Ref, ...]:
    return Ref(TerminalReport, body.correction), Ref(Lot, body.lot)


def _of_withdrawal(_event: Event, body: ReportWithdrawn | WithdrawalRefused) -> tuple[Ref, ...]:
    return Ref(TerminalReport, body.withdrawal), Ref(Lot, body.lot)


def _of_listing(_event: Event, body: FacilityListed | ProductListed) -> tuple[Read, ...]:
    return Ref(FacilityCatalogue, body.facility), waiting_at(body.facility)


def _of_released(_event: Event, body: ReportReleased) -> Iterator[Read]:
    yield Ref(TerminalReport, body.report)
    yield Ref(WaitingReport, body.report)
    yield Ref(Counter, counter_id(body.facility, body.product, body.made_on))
    yield Ref(FacilityCatalogue, body.facility)
    if body.more:
        yield waiting_at(body.facility)


def _of_command(event: Event, body: SetEntry | RetireEntry) -> tuple[Ref, ...]:
    return Ref(Entry, body.entry), Ref(EntryCommand, command_key(body.entry, event.id))


def _of_question(_event: Event, body: EntryAsked) -> tuple[Ref, ...]:
    return (Ref(Entry, body.entry),)


def _of_answer(_event: Event, body: EntryAnswered) -> tuple[Ref, ...]:
    return Ref(Entry, body.entry), Ref(EntryCommand, command_key(body.entry, body.command))


def _given(path: str, summary: str, body: type[B], rule: Rule[B]) -> CommandHandler:
    return CommandHandler(path, summary, on(body, rule, reads=_of_command))


COMMANDS = (
    _given(
        "/entries/{entry:path}/set-term",
        "Add or change a category, a unit or an island",
        SetTerm,
        entries.set_entry,
    ),
    _given("/entries/{entry:path}/set-product", "Add or change a product", SetProduct, entries.set_entry),
    _given("/entries/{entry:path}/set-facility", "Add or change a facility", SetFacility, entries.set_entry),
    _given(
        "/entries/{entry:path}/set-lead-time", "Add or change the days of a parcel", SetLeadTime, entries.set_entry
    ),
    _given("/entries/{entry:path}/retire", "Retire an entry", RetireEntry, entries.retire),
)


def by_facility(clock_skew: timedelta) -> Processor:
    """The processor by facility."""
    return Processor(
        service="production",
        key="facility",
        topics=(TERMINAL, LOT_ANSWERS, FACILITY_CATALOGUE, RELEASED),
        collections=(COUNTERS, LOTS, REPORTS, FACILITIES, WAITING_REPORTS),
        handlers=(
            on(ProductionReported, partial(rules.record, clock_skew), reads=_of_goods),
            on(ProductionCorrected, rules.about_lot(ReportKind.CORRECTION, rules.pass_on), reads=_of_lot),
            on(RecallLot, rules.about_lot(ReportKind.RECALL, rules.recall), reads=_of_lot),
            on(LiftRecall, rules.about_lot(ReportKind.LIFT, rules.lift), reads=_of_lot),
            on(WithdrawReport, rules.about_lot(ReportKind.WITHDRAWAL, rules.withdraw), reads=_of_lot),
            on(LotCorrected, rules.answer_correction, reads=_of_correction),
            on(CorrectionRefused, rules.answer_correction, reads=_of_correction),
            on(ReportWithdrawn, rules.answer_withdrawal, reads=_of_withdrawal),
            on(WithdrawalRefused, rules.answer_withdrawal, reads=_of_withdrawal),
            on(FacilityListed, facility_catalogue.list_facility, reads=_of_listing),
            on(ProductListed, facility_catalogue.list_product, reads=_of_listing),
            on(ReportReleased, partial(rules.decide_released, clock_skew), reads=_of_released),
        ),
    )


FACILITY = by_facility(timedelta(seconds=Settings().clock_skew_seconds))
ENTRY = Processor(
    service="production",
    key="entry",
    topics=(catalogue.ENTRY_COMMANDS, REFERENCES),
    collections=(ENTRIES, REVISIONS, ENTRY_COMMANDS),
    handlers=(
        *(command.handler for command in COMMANDS),
        on(EntryAsked, entries.answer, reads=_of_question),
        on(EntryAnswered, entries.hear_answer, reads=_of_answer),
    ),
)
PROCESSORS = (FACILITY, ENTRY)
