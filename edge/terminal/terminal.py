"""The records of a terminal, and production's answers to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import ValidationError

from edge.snapshot import CatalogueSnapshot
from edge.spool import Counts, IntakeRefusal, Owner, RecordPlace, Spool, SpooledRecord
from edge.sync import Subscription, SyncReport, SyncRoute, sync
from edge.terminal.catalogue import CatalogueCopy, received_catalogue
from edge.terminal.maker import key_at, pseudonym
from shared import typed
from shared.errors import WrongEntry
from shared.events import lot_number, names
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.language import Body
from shared.events.production import (
    ANSWERS,
    TERMINAL,
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    ReportRejected,
    WithdrawReport,
)
from shared.events.sales import PUBLIC_SALES, SETTLEMENTS
from shared.faults import fault_message
from shared.wording import Message, as_message

B = TypeVar("B", bound=Body)
REPORTS = (ProductionReported, ProductionCorrected, RecallLot, LiftRecall, WithdrawReport)


class ReportStatus(StrEnum):
    """The state of a report: in the spool, in Kafka, answered by production, or taken out before it was sent.
    `NOT_TAKEN`: the gateway did not take it; `HELD`: it waits there for an operator. Each sync offers both again."""

    TO_SEND = "to send"
    NOT_TAKEN = "not taken"
    HELD = "held"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TAKEN_OUT = "taken out"


@dataclass(frozen=True, slots=True)
class MadeEntry:
    """A person's entry about a new lot. `maker`: a private number, of which only a keyed pseudonym is kept."""

    product: str
    qty: int
    made_on: date
    best_before: date | None = None
    maker: str | None = None


@dataclass(frozen=True, slots=True)
class ReportChange:
    """New values of an unsent report; None leaves a value as it is."""

    product: str | None = None
    qty: int | None = None
    made_on: date | None = None
    best_before: date | None = None
    maker: str | None = None
    lot: str | None = None
    change: int | None = None
    reason: str | None = None


_FIELDS: Mapping[type[Body], tuple[str, ...]] = {
    ProductionReported: ("product", "qty", "made_on", "best_before", "maker"),
    ProductionCorrected: ("lot", "change", "reason"),
    RecallLot: ("lot", "reason"),
    LiftRecall: ("lot", "reason"),
    WithdrawReport: ("lot", "reason"),
}


@dataclass(frozen=True, slots=True)
class TrackedReport:
    """A record with its status and production's answer, or why the gateway did not store it."""

    record: SpooledRecord
    status: ReportStatus
    answer: ReportAccepted | ReportRejected | None
    refusal: IntakeRefusal | None = None


def owner(folder: Path, facility: str, name: str) -> Owner:
    """The spool owner for terminal `name` of `facility` in `folder`. Raises WrongEntry for invalid names."""
    for rule, text in ((names.FACILITY, facility), (names.TERMINAL, name)):
        if (complaint := rule.wrong(text)) is not None:
            raise WrongEntry(complaint)
    return Owner(folder / "terminal" / f"{facility}.{name}.spool", TERMINAL, f"terminal/{facility}/{name}")


class Terminal:
    """Terminal `name` of `facility`, with its spool in `folder`.

    Raises WrongEntry for invalid names, SpoolFailed as the spool does.
    """

    def __init__(self, folder: Path, facility: str, name: str) -> None:
        self.facility = facility.strip().upper()
        self.name = name.strip()
        self._key_path = folder / "terminal" / f"{self.facility}.key"
        self.spool = Spool(owner(folder, self.facility, self.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()

    def record(
        self,
        product: str,
        qty: int,
        *,
        made_on: date,
        at: datetime,
        best_before: date | None = None,
        maker: str | None = None,
        unlisted: bool = False,
    ) -> SpooledRecord:
        """Record a lot of `qty` pieces of a product, by its code or its name in the device's list.

        `maker` is a private number, of which only a keyed pseudonym is kept. `unlisted`: the device's copy of the
        catalogue is not asked, for it may be old. Raises WrongEntry for what production would refuse.
        """
        entry = MadeEntry(product, qty, made_on, best_before, maker)
        [record] = self.record_all([entry], at=at, unlisted=unlisted)
        return record

    def record_all(
        self, entries: Sequence[MadeEntry], *, at: datetime, unlisted: bool = False
    ) -> list[SpooledRecord]:
        """Record many lots, all of them or none. Raises WrongEntry as `record` does."""
        catalogue = self.catalogue()
        bodies = [self._production(entry, self._pseudonym(entry.maker), catalogue, unlisted) for entry in entries]
        return self.spool.append_all([partial(_written, body) for body in bodies], at)

    def refusals(self, entries: Sequence[MadeEntry], *, unlisted: bool = False) -> list[Message | None]:
        """The fault of each entry, in a sentence; None for an entry that can be recorded."""
        catalogue = self.catalogue()
        return [self._refusal(entry, catalogue, unlisted) for entry in entries]

    def correct(self, lot: str, change: int, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Record that the lot holds `change` pieces more (or fewer, if negative) than reported."""
        if change == 0:
            raise WrongEntry(
                Message("The change is 0: nothing to correct. Say +3 for three more, -3 for three fewer.")
            )
        number = self._own_lot(lot)
        return self._append(
            at,
            lambda: ProductionCorrected(
                facility=self.facility, terminal=self.name, lot=number, change=change, reason=reason
            ),
        )

    def recall(self, lot: str, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Record a recall: the lot must leave every sale."""
        number = self._own_lot(lot)
        return self._append(
            at,
            lambda: RecallLot(facility=self.facility, terminal=self.name, lot=number, reason=reason),
        )

    def lift(self, lot: str, *, at: datetime, reason: str) -> SpooledRecord:
        """Record that a recall is lifted: what is still there may be sold again."""
        number = self._own_lot(lot)
        if not reason.strip():
            raise WrongEntry(Message('A recall is lifted only with a reason: --reason "the wrong lot was recalled".'))
        return self._append(
            at,
            lambda: LiftRecall(facility=self.facility, terminal=self.name, lot=number, reason=reason.strip()),
        )

    def withdraw(self, lot: str, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Record that the report of a lot is withdrawn: there is no such lot."""
        number = self._own_lot(lot)
        return self._append(
            at,
            lambda: WithdrawReport(facility=self.facility, terminal=self.name, lot=number, reason=reason),
        )

    def edit(self, number: int, change: ReportChange, *, unlisted: bool = False) -> SpooledRecord:
        """Change an unsent record. Raises WrongEntry for one that was sent, and for a change that does not fit it."""
        return self.spool.amend(number, lambda _, body: self._changed(number, body, change, unlisted))

    def take_out(self, number: int) -> SpooledRecord:
        """Take an unsent record out: it is never sent, and its number is not given again."""
        return self.spool.take_out(number)

    def tracked_reports(self) -> list[TrackedReport]:
        """Every record in the order of recording, with its status and answer."""
        answers: dict[str, ReportAccepted | ReportRejected] = {}
        for event in self.spool.received(ANSWERS):
            if isinstance(event.body, ReportAccepted | ReportRejected) and event.body.terminal == self.name:
                answers.setdefault(event.body.report, event.body)
        refusals = self.spool.refusals()
        return [
            _standing(record, answers.get(record.id), refusals.get(record.number)) for record in self.spool.records()
        ]

    def catalogue(self) -> CatalogueCopy:
        """The device's copy of the facility's part of the catalogue."""
        return received_catalogue(event.body for event in self.spool.received(FACILITY_CATALOGUE))

    def keep_snapshot(self, snapshot: CatalogueSnapshot, *, at: datetime) -> CatalogueCopy:
        """Keep the facility's part of a snapshot in the device's copy, which is returned. Of each entry the highest
        revision counts. Raises WrongEntry if the facility is not there."""
        events = snapshot.of_facility(self.facility, at)
        self.spool.keep_snapshot(FACILITY_CATALOGUE, events, snapshot.address, snapshot.etag)
        return self.catalogue()

    def counts(self) -> Counts:
        return self.spool.counts()

    async def sync(
        self,
        route: SyncRoute,
        *,
        wait: float,
        sales: bool = False,
        on_sent: Callable[[int], None] = lambda _: None,
    ) -> SyncReport:
        """Send pending records, receive answers and the facility's catalogue; wait up to `wait` seconds for missing
        answers, and at first for the catalogue. `sales`: receive the facility's sales and settlements too."""
        subscriptions = [
            Subscription(ANSWERS, self.facility, about="report"),
            Subscription(FACILITY_CATALOGUE, self.facility),
        ]
        if sales:
            subscriptions += [Subscription(topic, self.facility) for topic in (PUBLIC_SALES, SETTLEMENTS)]
        return await sync(
            self.spool,
            route,
            subscriptions,
            awaited=REPORTS,
            wait=wait,
            complete=lambda: self.catalogue().facility is not None,
            on_sent=on_sent,
        )

    def _refusal(self, entry: MadeEntry, catalogue: CatalogueCopy, unlisted: bool) -> Message | None:
        try:
            self._production(entry, self._pseudonym(entry.maker), catalogue, unlisted)
        except WrongEntry as wrong:
            return as_message(wrong.message)
        return None

    def _production(
        self, entry: MadeEntry, maker: str | None, catalogue: CatalogueCopy, unlisted: bool
    ) -> ProductionReported:
        if entry.qty < 1:
            raise WrongEntry(Message("The quantity must be at least 1."))
        if entry.best_before and entry.best_before < entry.made_on:
            raise WrongEntry(Message("The best-before day is earlier than the day of making."))
        code = typed.product(catalogue.code_of(entry.product))
        report = _checked(
            lambda: ProductionReported(
                facility=self.facility,
                terminal=self.name,
                product=code,
                qty=entry.qty,
                made_on=entry.made_on,
                best_before=entry.best_before,
                maker=maker,
            )
        )
        if not unlisted:
            catalogue.check(report)
        return report

    def _pseudonym(self, maker: str | None) -> str | None:
        return pseudonym(key_at(self._key_path), self.facility, maker) if maker is not None else None

    def _changed(self, number: int, body: Body, change: ReportChange, unlisted: bool) -> Body:
        new_values = {name: value for name, value in asdict(change).items() if value is not None}
        fields = _FIELDS[type(body)]
        if not new_values:
            raise WrongEntry(
                Message("Nothing is changed. Record {number} has {fields}.", number=number, fields=_listed(fields))
            )
        if unfit := sorted(new_values.keys() - set(fields)):
            raise WrongEntry(
                Message(
                    "Record {number} has no {field}; it has {fields}.",
                    number=number,
                    field=unfit[0].replace("_", " "),
                    fields=_listed(fields),
                )
            )
        if "lot" in new_values:
            new_values["lot"] = self._own_lot(new_values["lot"])
        match body:
            case ProductionReported():
                former = MadeEntry(body.product, body.qty, body.made_on, body.best_before)
                maker = self._pseudonym(change.maker) if change.maker is not None else body.maker
                new_values.pop("maker", None)
                return self._production(replace(former, **new_values), maker, self.catalogue(), unlisted)
            case ProductionCorrected() if change.change == 0:
                raise WrongEntry(
                    Message(
                        "The change is 0: nothing to correct. Take the record out: remove {number}", number=number
                    )
                )
            case LiftRecall() if change.reason is not None and not change.reason.strip():
                raise WrongEntry(Message("A recall is lifted only with a reason."))
            case _:
                return _checked(lambda: type(body)(**dict(body) | new_values))

    def _own_lot(self, typed: str) -> str:
        number = lot_number.parse(typed)
        if number is None:
            raise WrongEntry(
                Message("This is no lot number: a character is missing or wrong. Please compare it with the label.")
            )
        if number.facility != self.facility:
            raise WrongEntry(Message("This lot was made by another facility; only a terminal there can change it."))
        return str(number)

    def _append(self, at: datetime, body: Callable[[], Body]) -> SpooledRecord:
        report = _checked(body)
        return self.spool.append(lambda _: report, at)


def _written(body: Body, _place: RecordPlace) -> Body:
    return body


def _checked(body: Callable[[], B]) -> B:
    """The body. Translates a ValidationError of the published language into WrongEntry."""
    try:
        return body()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, fault["loc"]))
        raise WrongEntry(Message("{field}: {reason}", field=field, reason=fault_message(fault))) from None


def _listed(fields: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in fields)


def _standing(
    record: SpooledRecord, answer: ReportAccepted | ReportRejected | None, refusal: IntakeRefusal | None
) -> TrackedReport:
    if answer is not None:
        return TrackedReport(
            record, ReportStatus.ACCEPTED if isinstance(answer, ReportAccepted) else ReportStatus.REJECTED, answer
        )
    if refusal is not None:
        status = ReportStatus.HELD if refusal.is_held else ReportStatus.NOT_TAKEN
    else:
        status = ReportStatus.SENT if record.acknowledged else ReportStatus.TO_SEND
        status = ReportStatus.TAKEN_OUT if record.taken_out else status
    return TrackedReport(record, status, None, refusal)
