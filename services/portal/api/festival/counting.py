"""Counts of what came to a booth: as forms send them, and as commands give them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi import Request, Response

from services.portal.api.festival.desk import Desk, refused_entry
from services.portal.api.forms import Form
from services.portal.api.people import Person
from services.portal.domain.answers import BoothRow, SentLotRow, ShipmentRow
from services.portal.domain.parcels import compare, next_name
from services.portal.domain.steps import OPEN
from services.portal.domain.stock_answers import TransferRow
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
    """A parcel or transfer that comes to a booth and is counted there. `kind`: `parcels` or `transfers`, as in the
    address of its page."""

    festival: str
    kind: str
    name: str
    lots: Sequence[SentLotRow]
    booth: str

    @property
    def place(self) -> tuple[str, ...]:
        """Where its commands go."""
        return ("festivals", self.festival, "shipments" if self.kind == "parcels" else "transfers", self.name)

    @property
    def address(self) -> str:
        return f"/festivals/{self.festival}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The open booths at which an arrival may be counted instead of its own. `transfer`: a free name for the transfer
    that then moves its pieces there."""

    booths: Sequence[BoothRow]
    transfer: str


def _elsewhere(booths: Sequence[BoothRow], transfers: Sequence[str], arrival: BoothArrival) -> Elsewhere:
    """Where else the arrival may be counted: nowhere if its own booth is not open, as nothing could leave that."""
    open_booths = [booth for booth in booths if booth.status == OPEN]
    is_open = any(booth.booth == arrival.booth for booth in open_booths)
    others = [booth for booth in open_booths if booth.booth != arrival.booth] if is_open else []
    return Elsewhere(others, next_name("T", transfers))


async def show_arrival(
    desk: Desk,
    request: Request,
    person: Person,
    arrival: BoothArrival,
    status: int,
    sent: Form | None,
    counted: Mapping[str, int] | None,
    problem: Message | None,
    *,
    is_on_the_way: bool,
    **row: ShipmentRow | TransferRow,
) -> Response:
    """The page of a parcel or transfer, whose `row` has the name that its template knows. `counted`: what the form
    says, to be confirmed."""
    booths = await desk.organiser.booths(person, arrival.festival)
    transfers = await desk.organiser.transfers(person, arrival.festival) if is_on_the_way else []
    names = [transfer.transfer for transfer in transfers]
    return await desk.show(
        request,
        "parcel.html" if arrival.kind == "parcels" else "transfer.html",
        person,
        arrival.festival,
        status,
        arrival=arrival,
        elsewhere=_elsewhere(booths, names, arrival) if is_on_the_way else None,
        arrival_names=ArrivalNames.of(booths),
        sent=sent or {},
        compared=compare(arrival.lots, counted) if counted is not None else None,
        problem=problem,
        **row,
    )


async def receive_by_form(
    desk: Desk, person: Person, sent: Form, arrival: BoothArrival, page: ArrivalPage
) -> Response:
    """Compare the counts of the form with what was sent, and receive the arrival once they are confirmed.

    What was counted at another booth is received at its own, as the books have it there, and moved by a transfer.
    """
    booth = sent.get("booth") or arrival.booth
    try:
        counted = counted_lots(arrival.lots, sent)
        if booth != arrival.booth:
            _check_sold_at(await desk.organiser.booths(person, arrival.festival), booth, counted)
    except WrongEntry as wrong:
        return await _refused(page, sent, wrong)
    if sent.get("confirmed") != "yes":
        return await page(200, sent, counted)
    if booth == arrival.booth:
        return await _give(desk, person, sent, arrival, page, "receive", counted)
    transfer = sent.get("transfer", "")
    return await desk.give_all(
        person,
        sent,
        received_elsewhere(arrival, booth, counted, transfer),
        f"/festivals/{arrival.festival}/transfers/{transfer}" if any(counted.values()) else arrival.address,
        lambda status, message: page(status, sent, problem=message),
    )


def _check_sold_at(booths: Sequence[BoothRow], booth: str, counted: Mapping[str, int]) -> None:
    """Raise WrongEntry if the booth is not open, or has no price for a counted product.

    Its transfer would be refused, and only after the arrival is received.
    """
    other = next((row for row in booths if row.booth == booth and row.status == OPEN), None)
    if other is None:
        raise WrongEntry(Message("Choose an open booth of this festival."))
    priced = {price.product for price in other.prices}
    for lot in (lot for row in booths for lot in row.lots if counted.get(lot.lot)):
        if lot.product and lot.product not in priced:
            raise WrongEntry(
                Message(
                    "Booth {booth} has no price for {product}, so it can't sell it.", booth=booth, product=lot.product
                )
            )


def received_elsewhere(
    arrival: BoothArrival, booth: str, counted: Mapping[str, int], transfer: str
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The commands by which an arrival that was counted at another booth comes there, each with its place."""
    yield (*arrival.place, "receive"), {"booth": arrival.booth, "counted": rows_of(counted)}
    # A surplus is not in stock before a recount.
    stocked = {lot.lot: qty for lot in arrival.lots if (qty := min(lot.sent, counted.get(lot.lot, 0)))}
    if stocked:
        moved = {"transfer": transfer, "booth": arrival.booth, "to": booth, "lots": rows_of(stocked)}
        place = ("festivals", arrival.festival, "transfers")
        yield place, moved
        yield (*place, transfer, "receive"), {"booth": booth, "counted": rows_of(stocked)}


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
