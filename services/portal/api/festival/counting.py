"""Counts of what came to a booth: as forms send them, and as commands give them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastapi import Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.forms import Form
from services.portal.api.people import Person
from services.portal.domain.answers import BoothRow, SentLotRow
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message

COUNTED = "counted-"
# The page of an arrival, by its status, the form, the counts to compare before they are confirmed, and the problem.
ArrivalPage: TypeAlias = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ArrivalNames:
    """How people call what comes to a booth. `booths`: names by booth; `products`: codes by lot."""

    booths: Mapping[str, str]
    products: Mapping[str, str]

    @classmethod
    def of(cls, booths: Sequence[BoothRow]) -> "ArrivalNames":
        """The names of the festival's booths and their lots. A lot on its way is known there too."""
        return cls(
            {booth.booth: booth.shown_name for booth in booths},
            {lot.lot: lot.product for booth in booths for lot in booth.lots if lot.product},
        )

    def booth_name(self, booth: str) -> str:
        return self.booths.get(booth, booth)

    def product(self, lot: str) -> str:
        """The code of the lot's product; empty if it is not known."""
        return self.products.get(lot, "")


@dataclass(frozen=True, slots=True)
class BoothArrival:
    """What comes to a booth and is counted there. `place`: of its commands; `address`: of its page."""

    lots: Sequence[SentLotRow]
    booth: str
    place: tuple[str, ...]
    address: str


async def receive_by_form(
    desk: Desk, person: Person, sent: Form, arrival: BoothArrival, page: ArrivalPage
) -> Response:
    """Compare the counts of the form with what was sent, and receive the arrival once they are confirmed."""
    try:
        counted = counted_lots(arrival.lots, sent)
    except WrongEntry as wrong:
        return await _refused(page, sent, wrong)
    if sent.get("confirmed") != "yes":
        return await page(200, sent, counted)
    return await _give(desk, person, sent, arrival, page, "receive", counted)


async def recount_by_form(
    desk: Desk, person: Person, sent: Form, arrival: BoothArrival, page: ArrivalPage
) -> Response:
    """Put counts right that were wrong."""
    try:
        counted = recounted_lots(arrival.lots, sent)
    except WrongEntry as wrong:
        return await _refused(page, sent, wrong)
    return await _give(desk, person, sent, arrival, page, "recount", counted)


async def _refused(page: ArrivalPage, sent: Form, wrong: WrongEntry) -> Response:
    return await refused_entry(lambda status, message: page(status, sent, problem=message), wrong)


async def _give(
    desk: Desk,
    person: Person,
    sent: Form,
    arrival: BoothArrival,
    page: ArrivalPage,
    action: str,
    counted: Mapping[str, int],
) -> Response:
    return await desk.give(
        person,
        sent,
        *arrival.place,
        action,
        body={"booth": arrival.booth, "counted": rows_of(counted)},
        then=arrival.address,
        again=lambda status, message: page(status, sent, problem=message),
    )


def counted_lots(lots: Sequence[SentLotRow], sent: Mapping[str, str]) -> dict[str, int]:
    """The counted pieces of every lot of an arrival. Raises WrongEntry for a lot that nobody has counted."""
    if sent.get("as_sent") == "yes":
        return {lot.lot: lot.sent for lot in lots}
    texts = {lot.lot: sent.get(f"{COUNTED}{lot.lot}", "").strip() for lot in lots}
    if not all(texts.values()):
        raise WrongEntry(Message("Count every lot, also one of which nothing came: type 0."))
    return {lot: typed.whole(text) for lot, text in texts.items()}


def recounted_lots(lots: Sequence[SentLotRow], sent: Mapping[str, str]) -> dict[str, int]:
    """The whole counts of the lots whose count was wrong, and of one that was not sent. Raises WrongEntry."""
    former = {lot.lot: lot.counted for lot in lots}
    counts = {lot: typed.whole(text) for lot in former if (text := sent.get(f"{COUNTED}{lot}", "").strip())}
    changed = {lot: qty for lot, qty in counts.items() if qty != former[lot]}
    if other := sent.get("other", "").strip():
        changed[typed.lot(other)] = typed.whole(sent.get("other_qty", ""))
    if not changed:
        raise WrongEntry(Message("Type the right count of at least one lot."))
    return changed


def rows_of(counts: Mapping[str, int]) -> list[dict[str, str | int]]:
    """The counts as a command has them."""
    return [{"lot": lot, "qty": qty} for lot, qty in counts.items()]
