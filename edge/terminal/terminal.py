"""The records of a terminal, and production's answers to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from edge.spool import Counts, Owner, Spool, SpooledRecord
from edge.sync import Subscription, SyncReport, sync
from edge.terminal.catalogue import FacilityCatalogue, received_catalogue
from edge.terminal.maker import key_at, pseudonym
from shared import typed
from shared.errors import WrongEntry
from shared.events import lot_number, names
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.language import Body
from shared.events.production import (
    ANSWERS,
    TERMINAL,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    ReportRejected,
)
from shared.faults import fault_message
from shared.settings import Settings
from shared.wording import Message

REPORTS = (ProductionReported, ProductionCorrected, RecallLot)


class ReportStatus(StrEnum):
    """The state of a report: in the spool, in Kafka, or answered by production."""

    TO_SEND = "to send"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TrackedReport:
    """A record with its status and production's answer."""

    record: SpooledRecord
    status: ReportStatus
    answer: ReportAccepted | ReportRejected | None


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
        if qty < 1:
            raise WrongEntry("The quantity must be at least 1.")
        if best_before and best_before < made_on:
            raise WrongEntry("The best-before day is earlier than the day of making.")
        catalogue = self.catalogue()
        code = typed.product(catalogue.code_of(product))
        maker_pseudonym = pseudonym(key_at(self._key_path), self.facility, maker) if maker is not None else None
        return self._append(
            at,
            lambda: ProductionReported(
                facility=self.facility,
                terminal=self.name,
                product=code,
                qty=qty,
                made_on=made_on,
                best_before=best_before,
                maker=maker_pseudonym,
            ),
            FacilityCatalogue() if unlisted else catalogue,
        )

    def correct(self, lot: str, change: int, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Record that the lot holds `change` pieces more (or fewer, if negative) than reported."""
        if change == 0:
            raise WrongEntry("The change is 0: nothing to correct. Say +3 for three more, -3 for three fewer.")
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

    def tracked_reports(self) -> list[TrackedReport]:
        """Every record in the order of recording, with its status and answer."""
        answers: dict[str, ReportAccepted | ReportRejected] = {}
        for event in self.spool.received(ANSWERS):
            if isinstance(event.body, ReportAccepted | ReportRejected) and event.body.terminal == self.name:
                answers.setdefault(event.body.report, event.body)
        return [_standing(record, answers.get(record.id)) for record in self.spool.records()]

    def catalogue(self) -> FacilityCatalogue:
        """The device's copy of the facility's part of the catalogue."""
        return received_catalogue(event.body for event in self.spool.received(FACILITY_CATALOGUE))

    def counts(self) -> Counts:
        return self.spool.counts()

    async def sync(
        self, settings: Settings, *, wait: float, on_sent: Callable[[int], None] = lambda _: None
    ) -> SyncReport:
        """Send pending records, receive answers and the facility's catalogue; wait up to `wait` seconds for missing
        answers."""
        subscriptions = [
            Subscription(ANSWERS, self.facility, about="report"),
            Subscription(FACILITY_CATALOGUE, self.facility),
        ]
        return await sync(self.spool, settings, subscriptions, awaited=REPORTS, wait=wait, on_sent=on_sent)

    def _own_lot(self, typed: str) -> str:
        number = lot_number.parse(typed)
        if number is None:
            raise WrongEntry(
                "This is no lot number: a character is missing or wrong. Please compare it with the label."
            )
        if number.facility != self.facility:
            raise WrongEntry("This lot was made by another facility; only a terminal there can change it.")
        return str(number)

    def _append(
        self, at: datetime, body: Callable[[], Body], catalogue: FacilityCatalogue | None = None
    ) -> SpooledRecord:
        try:
            report = body()
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, fault["loc"]))
            raise WrongEntry(Message("{field}: {reason}", field=field, reason=fault_message(fault))) from None
        if catalogue is not None and isinstance(report, ProductionReported):
            catalogue.check(report)
        return self.spool.append(lambda _: report, at)


def _standing(record: SpooledRecord, answer: ReportAccepted | ReportRejected | None) -> TrackedReport:
    if answer is not None:
        status = ReportStatus.ACCEPTED if isinstance(answer, ReportAccepted) else ReportStatus.REJECTED
    else:
        status = ReportStatus.SENT if record.acknowledged else ReportStatus.TO_SEND
    return TrackedReport(record, status, answer)
