"""A festival from announcement to close, as steps; and what waits for its organiser."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.portal.domain.answers import (
    PROPOSED,
    BoothRow,
    BoothSalesRow,
    FestivalRow,
    OpenStepRow,
    RequestRow,
    ShipmentRow,
)
from services.portal.domain.stock_answers import TransferRow
from shared.wording import Message

# Statuses of the other services.
OPEN, CANCELLED, CLOSED = "open", "cancelled", "closed"
WITHDRAWN = "withdrawn"
SENT, DROPPED, RECEIVED = "sent", "dropped", "received"
SETTLED = "settled"


class StepState(StrEnum):
    """Where a festival is with a step."""

    DONE = "done"
    CURRENT = "current"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class FestivalStep:
    """A step of a festival with a sentence on it. `place`: the page of the festival that belongs to it."""

    place: str
    title: Message
    sentence: Message
    state: StepState


@dataclass(frozen=True, slots=True)
class Progress:
    """A festival with all that its steps follow from."""

    festival: FestivalRow
    booths: Sequence[BoothRow]
    requests: Sequence[RequestRow]
    shipments: Sequence[ShipmentRow]
    open_steps: Sequence[OpenStepRow]
    transfers: Sequence[TransferRow] = ()
    sales: Sequence[BoothSalesRow] = ()

    @property
    def is_closed(self) -> bool:
        return self.festival.status == CLOSED

    def booth_name(self, booth: str) -> str:
        return next((row.shown_name for row in self.booths if row.booth == booth), booth)

    @property
    def proposed(self) -> list[RequestRow]:
        """The plans that wait to be accepted."""
        return [request for request in self.requests if request.status == PROPOSED and not request.lapsed]

    @property
    def on_the_way(self) -> list[ShipmentRow]:
        return [shipment for shipment in self.shipments if shipment.status == SENT]

    @property
    def carried(self) -> list[TransferRow]:
        """The transfers between booths that nobody has counted in."""
        return [transfer for transfer in self.transfers if transfer.status == SENT]

    @property
    def uncovered(self) -> int:
        """Sales that wait for stock, which may still come."""
        return sum(sale.waiting > 0 and not sale.disputed for booth in self.sales for sale in booth.sales)

    @property
    def coming_home(self) -> int:
        """Pieces of settled booths that no facility has counted in."""
        return sum(booth.left for booth in self.booths if booth.status == SETTLED)

    @property
    def disputed(self) -> int:
        return sum(len(booth.disputed) for booth in self.booths)

    @property
    def sold(self) -> int:
        """The pieces sold so far. Festival counts those of a booth once it is settled, and sales at once."""
        return sum(booth.sold for booth in self.booths) + self._not_counted

    @property
    def left(self) -> int:
        return sum(booth.left for booth in self.booths) - self._not_counted

    @property
    def _not_counted(self) -> int:
        """Sold pieces that festival still counts as left."""
        counted = {booth.booth: booth.sold for booth in self.booths}
        return sum(max(0, booth.sold - counted.get(booth.booth, booth.sold)) for booth in self.sales)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for the organiser. `place`: the page of the festival where it is done."""

    festival: FestivalRow
    sentence: Message
    place: str
    is_urgent: bool = False


def steps_of(progress: Progress) -> list[FestivalStep]:
    """The steps of a festival in their order. The first that is not done is the current one."""
    steps: list[FestivalStep] = []
    for place, title, sentence, done in _steps(progress):
        is_current = not done and all(step.state is StepState.DONE for step in steps)
        state = StepState.DONE if done else StepState.CURRENT if is_current else StepState.LATER
        steps.append(FestivalStep(place, title, sentence, state))
    return steps


def _steps(progress: Progress) -> Iterator[tuple[str, Message, Message, bool]]:
    festival = progress.festival
    is_over = festival.status != OPEN
    yield "", Message("Announce"), Message("{name} is announced.", name=festival.name), True
    yield "booths", Message("Booths and prices"), _booths(progress), bool(progress.booths)
    accepted = [request for request in progress.requests if request.status == SETTLED]
    yield "plans", Message("Plan"), _plans(progress), is_over or (bool(accepted) and not progress.proposed)
    received = any(shipment.status == RECEIVED for shipment in progress.shipments)
    yield (
        "parcels",
        Message("Send and receive"),
        _parcels(progress),
        is_over or (received and not progress.on_the_way),
    )
    yield "sales", Message("Sell"), _sales(progress), is_over
    yield "close", Message("Close"), _close(progress), festival.status in (CLOSED, CANCELLED)


def _booths(progress: Progress) -> Message:
    count = len(progress.booths)
    if progress.is_closed:
        return Message("{count:booth|booths} took part.", count=count)
    return Message("{count:booth is|booths are} open.", count=count) if count else Message("Open the first booth.")


def _plans(progress: Progress) -> Message:
    if progress.proposed:
        return Message("{count:plan waits|plans wait} for you to accept.", count=len(progress.proposed))
    held = sum(request.held for request in progress.requests)
    if held and progress.is_closed:
        return Message("{qty:piece was|pieces were} reserved for the booths.", qty=held)
    if held:
        return Message("{qty:piece is|pieces are} reserved for the booths.", qty=held)
    return Message("Ask for goods, and a fair plan is proposed.")


def _parcels(progress: Progress) -> Message:
    if progress.on_the_way:
        return Message("{count:parcel is|parcels are} on the way.", count=len(progress.on_the_way))
    received = sum(shipment.status == RECEIVED for shipment in progress.shipments)
    if received:
        return Message("{count:parcel has|parcels have} arrived.", count=received)
    return Message("Nothing has been sent yet.")


def _sales(progress: Progress) -> Message:
    if progress.disputed:
        return Message("{count:sale is|sales are} in dispute.", count=progress.disputed)
    if progress.is_closed:
        return Message("{qty:piece was|pieces were} sold.", qty=progress.sold)
    if progress.sold:
        return Message("{qty:piece is|pieces are} sold so far.", qty=progress.sold)
    return Message("{qty:piece is|pieces are} at the booths.", qty=progress.left)


def _close(progress: Progress) -> Message:
    festival = progress.festival
    if festival.status == CANCELLED:
        return Message("The festival is cancelled.")
    if festival.status == CLOSED:
        return Message("The festival is closed, and every piece is accounted for.")
    blocking = sum(step.blocks for step in progress.open_steps)
    return Message("{count:step is|steps are} open until the festival can be closed.", count=blocking)


def waiting(progress: Progress, today: date) -> Iterator[Waiting]:
    """What waits for the organiser of the festival, the most urgent first. `today`: there."""
    if progress.festival.status in (CLOSED, CANCELLED):
        return
    items = [
        *_arrivals(progress),
        *_in_doubt(progress),
        *_planning(progress),
        *_closing(progress, today),
    ]
    yield from sorted(items, key=lambda item: not item.is_urgent)


def _arrivals(progress: Progress) -> Iterator[Waiting]:
    festival = progress.festival
    for shipment in progress.on_the_way:
        names = {"shipment": shipment.shipment, "booth": progress.booth_name(shipment.booth)}
        place = f"parcels/{shipment.shipment}"
        if shipment.overdue:
            yield Waiting(festival, Message("Parcel {shipment} to {booth} is overdue.", **names), place, True)
        else:
            yield Waiting(festival, Message("Parcel {shipment} is on its way to {booth}.", **names), place)
    for transfer in progress.carried:
        moved = {"transfer": transfer.transfer, "booth": progress.booth_name(transfer.to)}
        place = f"transfers/{transfer.transfer}"
        if transfer.overdue:
            yield Waiting(festival, Message("Transfer {transfer} to {booth} is overdue.", **moved), place, True)
        else:
            yield Waiting(festival, Message("Transfer {transfer} is on its way to {booth}.", **moved), place)


def _in_doubt(progress: Progress) -> Iterator[Waiting]:
    festival = progress.festival
    if progress.disputed:
        yield Waiting(
            festival, Message("{count:sale is|sales are} in dispute.", count=progress.disputed), "sales", True
        )
    if progress.uncovered:
        yield Waiting(
            festival,
            Message(
                "{count:sale waits|sales wait} for stock: count in what came, or decide.", count=progress.uncovered
            ),
            "sales",
        )


def _planning(progress: Progress) -> Iterator[Waiting]:
    festival = progress.festival
    for request in progress.proposed:
        yield Waiting(
            festival,
            Message("Plan {request} waits for you to accept.", request=request.request),
            f"plans/{request.request}",
        )
    if not progress.booths:
        yield Waiting(festival, Message("No booth is open yet."), "booths")
    elif not progress.requests:
        yield Waiting(festival, Message("No goods have been asked for yet."), "plans")


def _closing(progress: Progress, today: date) -> Iterator[Waiting]:
    festival = progress.festival
    if festival.status == OPEN and today > festival.last_day:
        yield Waiting(festival, Message("Its last day is over: close it."), "close", True)
    if progress.coming_home:
        yield Waiting(
            festival,
            Message("{count:piece comes|pieces come} home: count them in.", count=progress.coming_home),
            "close",
        )
    if festival.status != OPEN and (blocking := sum(step.blocks for step in progress.open_steps)):
        yield Waiting(
            festival,
            Message("{count:step is|steps are} open until the festival can be closed.", count=blocking),
            "close",
        )
