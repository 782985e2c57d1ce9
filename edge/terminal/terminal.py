"""What a terminal records, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from edge.spool import Counts, Owner, Said, Spool
from edge.sync import Ear, Exchanged, exchange
from edge.terminal.maker import key_at, pseudonym
from shared import typed
from shared.errors import WrongEntry
from shared.events import lot_number, names
from shared.events.language import Body, in_words
from shared.events.production import (
    ANSWERS,
    TERMINAL,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    ReportAccepted,
    ReportRejected,
)
from shared.settings import Settings

REPORTS = (ProductionReported, ProductionCorrected, RecallLot)


class Standing(StrEnum):
    """Where a record is: in the spool, with Kafka, or answered by production."""

    TO_SEND = "to send"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Standings:
    """A record and what became of it."""

    said: Said
    standing: Standing
    answer: ReportAccepted | ReportRejected | None


def owner(folder: Path, facility: str, name: str) -> Owner:
    """Whose spool terminal `name` of `facility` has in `folder`. Raises WrongEntry for names that can't be."""
    for rule, given in ((names.FACILITY, facility), (names.TERMINAL, name)):
        if (words := rule.wrong(given)) is not None:
            raise WrongEntry(words)
    return Owner(folder / "terminal" / f"{facility}.{name}.spool", TERMINAL, f"terminal/{facility}/{name}")


class Terminal:
    """Terminal `name` of `facility`, with its spool in `folder`.

    Raises WrongEntry for names that can't be, SpoolFailed as the spool does.
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
    ) -> Said:
        """`qty` pieces were made. `maker` is a private number, of which only a keyed pseudonym is kept."""
        if qty < 1:
            raise WrongEntry("The quantity must be at least 1.")
        if best_before and best_before < made_on:
            raise WrongEntry("The best-before day is earlier than the day of making.")
        code = typed.product(product)
        who = pseudonym(key_at(self._key_path), self.facility, maker) if maker is not None else None
        return self._say(
            at,
            lambda: ProductionReported(
                facility=self.facility,
                terminal=self.name,
                product=code,
                qty=qty,
                made_on=made_on,
                best_before=best_before,
                maker=who,
            ),
        )

    def correct(self, lot: str, change: int, *, at: datetime, reason: str = "") -> Said:
        """The lot holds `change` pieces more, or fewer, than was recorded."""
        if change == 0:
            raise WrongEntry("The change is 0: nothing to correct. Say +3 for three more, -3 for three fewer.")
        number = self._own_lot(lot)
        return self._say(
            at,
            lambda: ProductionCorrected(
                facility=self.facility, terminal=self.name, lot=number, change=change, reason=reason
            ),
        )

    def recall(self, lot: str, *, at: datetime, reason: str = "") -> Said:
        """The lot must leave every sale."""
        number = self._own_lot(lot)
        return self._say(
            at,
            lambda: RecallLot(facility=self.facility, terminal=self.name, lot=number, reason=reason),
        )

    def standings(self) -> list[Standings]:
        """Every record in the order it was made, with what became of it."""
        answers: dict[str, ReportAccepted | ReportRejected] = {}
        for heard in self.spool.heard(ANSWERS):
            if isinstance(heard.body, ReportAccepted | ReportRejected) and heard.body.terminal == self.name:
                answers.setdefault(heard.body.report, heard.body)
        return [_standing(said, answers.get(said.id)) for said in self.spool.all_said()]

    def counts(self) -> Counts:
        return self.spool.counts()

    async def sync(
        self, settings: Settings, *, wait: float, on_sent: Callable[[int], None] = lambda _: None
    ) -> Exchanged:
        """Send what waits, hear the answers; wait up to `wait` seconds for those still missing."""
        ears = [Ear(ANSWERS, self.facility, about="report")]
        return await exchange(self.spool, settings, ears, awaited=REPORTS, wait=wait, on_sent=on_sent)

    def _own_lot(self, typed: str) -> str:
        number = lot_number.parse(typed)
        if number is None:
            raise WrongEntry(
                "This is no lot number: a character is missing or wrong. Please compare it with the label."
            )
        if number.facility != self.facility:
            raise WrongEntry("This lot was made by another facility; only a terminal there can change it.")
        return str(number)

    def _say(self, at: datetime, body: Callable[[], Body]) -> Said:
        try:
            ready = body()
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise WrongEntry(f"{'.'.join(map(str, wrong['loc']))}: {in_words(wrong['msg'])}.") from None
        return self.spool.say(lambda _: ready, at)


def _standing(said: Said, answer: ReportAccepted | ReportRejected | None) -> Standings:
    if answer is not None:
        standing = Standing.ACCEPTED if isinstance(answer, ReportAccepted) else Standing.REJECTED
    else:
        standing = Standing.SENT if said.acknowledged else Standing.TO_SEND
    return Standings(said, standing, answer)
