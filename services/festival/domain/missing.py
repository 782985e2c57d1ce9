"""The open steps before a festival can be closed, or before a closing festival is closed, as a list for people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.festival.domain.booth import Booth, BoothStatus, LastCount
from services.festival.domain.booth_lot import Account
from services.festival.domain.festival import Festival, FestivalStatus
from services.festival.domain.logistics.shipment import Shipment, ShipmentStatus
from services.festival.domain.logistics.transfer import Transfer, TransferStatus
from shared.wording import Message


class MissingKind(StrEnum):
    """The kind of an open step.

    - `NOT_RECEIVED`: a shipment or transfer is on its way.
    - `NOT_CLOSED`: the organiser has not closed the festival.
    - `NOT_SETTLED`: sales has not counted the booth.
    - `NOT_HOME`: pieces are left at a booth.
    - `NOT_STOCKED`: pieces came home, and inventory has not confirmed them.
    - `DISPUTED`: pieces of a sale wait for the organiser's decision.
    """

    NOT_RECEIVED = "not_received"
    NOT_CLOSED = "not_closed"
    NOT_SETTLED = "not_settled"
    NOT_HOME = "not_home"
    NOT_STOCKED = "not_stocked"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Missing:
    """One step to take or to wait for; `qty` in pieces.

    - `blocks`: false if the step is still possible after the festival is closed.
    - `counted`, `unexplained`: the last count of the lot, and the further pieces that should have been there.
    """

    what: MissingKind
    message: Message
    blocks: bool = True
    booth: str | None = None
    lot: str | None = None
    shipment: str | None = None
    sale: str | None = None
    qty: int | None = None
    transfer: str | None = None
    counted: int | None = None
    unexplained: int | None = None


def missing(
    festival: Festival, booths: Sequence[Booth], shipments: Iterable[Shipment], transfers: Iterable[Transfer]
) -> list[Missing]:
    """The open steps in the order in which they can be taken.

    `booths`, `shipments` and `transfers` are all those of the festival. Once it is closed or cancelled, only disputed
    sales are left.
    """
    steps: list[Missing] = []
    if festival.status is FestivalStatus.OPEN:
        steps += _shipments_on_the_way(shipments)
        steps += _transfers_on_the_way(transfers)
        for booth in booths:
            if booth.status is not BoothStatus.OPEN:
                steps += _at_booth(booth)
        steps.append(Missing(MissingKind.NOT_CLOSED, Message("Close the festival when the last sale was made.")))
    elif festival.status is FestivalStatus.CLOSING:
        for booth in booths:
            steps += _at_booth(booth)
    for booth in booths:
        steps += _disputes(booth)
    return steps


def _shipments_on_the_way(shipments: Iterable[Shipment]) -> Iterator[Missing]:
    for shipment in shipments:
        if shipment.status is ShipmentStatus.SENDING:
            message = Message(
                "Parcel {shipment} to {booth} has not left yet; inventory has to answer.",
                shipment=shipment.name,
                booth=shipment.booth,
            )
        elif shipment.status is not ShipmentStatus.SENT:
            continue
        elif shipment.overdue:
            message = Message(
                "Parcel {shipment} is overdue: ask where it is, or receive it at {booth}, with 0 for what is lost.",
                shipment=shipment.name,
                booth=shipment.booth,
            )
        else:
            message = Message(
                "Parcel {shipment} is on its way: receive it at {booth}, with 0 for what is lost.",
                shipment=shipment.name,
                booth=shipment.booth,
            )
        qty = sum(parcel.qty for parcel in shipment.parcels)
        yield Missing(MissingKind.NOT_RECEIVED, message, shipment=shipment.name, booth=shipment.booth, qty=qty)


def _transfers_on_the_way(transfers: Iterable[Transfer]) -> Iterator[Missing]:
    for transfer in transfers:
        if transfer.status is TransferStatus.SENT:
            message = Message(
                "Transfer {transfer} is on its way: receive it at {booth}, with 0 for what is lost.",
                transfer=transfer.name,
                booth=transfer.to,
            )
            if transfer.overdue:
                message = Message(
                    "Transfer {transfer} is overdue: look for it, or receive it at {booth}, with 0 for what is lost.",
                    transfer=transfer.name,
                    booth=transfer.to,
                )
            qty = sum(qty for _, qty in transfer.sent)
            yield Missing(MissingKind.NOT_RECEIVED, message, transfer=transfer.name, booth=transfer.to, qty=qty)


def _at_booth(booth: Booth) -> Iterator[Missing]:
    if booth.status is not BoothStatus.SETTLED:
        message = Message(
            "Booth {booth} is not settled: its tills have until the deadline to send what is left.", booth=booth.id
        )
        yield Missing(MissingKind.NOT_SETTLED, message, booth=booth.id)
        return
    last_counts = {count.lot: count for count in booth.seen}
    for lot, account in booth.accounts().items():
        if account.left:
            yield _not_home(booth, lot, account, last_counts.get(lot))
        if account.returning:
            message = Message(
                "{qty} pieces of {lot} came home; inventory has to take them in.", qty=account.returning, lot=lot
            )
            if account.returning < 0:
                message = Message(
                    "{qty} fewer pieces of {lot} came home; inventory has to take that in.",
                    qty=-account.returning,
                    lot=lot,
                )
            yield Missing(MissingKind.NOT_STOCKED, message, booth=booth.id, lot=lot, qty=account.returning)


def _not_home(booth: Booth, lot: str, account: Account, last_count: LastCount | None) -> Missing:
    if last_count is None:
        message = Message(
            "{qty} pieces of {lot} are left at {booth}: receive what comes home, 0 if nothing does.",
            qty=account.left,
            lot=lot,
            booth=booth.id,
        )
        return Missing(MissingKind.NOT_HOME, message, booth=booth.id, lot=lot, qty=account.left)
    returned = account.returned + account.returning
    message = Message(
        "{counted} pieces of {lot} were counted at {booth}, {unexplained} are unexplained: receive what comes home, "
        "0 if nothing does.",
        counted=last_count.counted,
        lot=lot,
        booth=booth.id,
        unexplained=last_count.unexplained,
    )
    if returned:
        message = Message(
            "{counted} pieces of {lot} were counted at {booth}, {unexplained} are unexplained, {returned} came home "
            "since: receive what comes home, 0 if nothing does.",
            counted=last_count.counted,
            lot=lot,
            booth=booth.id,
            unexplained=last_count.unexplained,
            returned=returned,
        )
    return Missing(
        MissingKind.NOT_HOME,
        message,
        booth=booth.id,
        lot=lot,
        qty=account.left,
        counted=last_count.counted,
        unexplained=last_count.unexplained,
    )


def _disputes(booth: Booth) -> Iterator[Missing]:
    for sale in booth.disputed:
        message = Message(
            "Sale {sale} of {booth} has pieces that the booth was not known to hold: accept or reject them.",
            sale=sale,
            booth=booth.id,
        )
        yield Missing(MissingKind.DISPUTED, message, blocks=False, booth=booth.id, sale=sale)
