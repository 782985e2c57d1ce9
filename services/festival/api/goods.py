"""The pages of goods on their way: shipments from facilities, transfers between booths."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.domain import Shipment, Transfer
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus


class ParcelPage(EntityPage):
    """A parcel of a shipment. `leg`: ordered, left or dropped."""

    reservation: str
    lot: str
    qty: int
    leg: str


class SentLot(BaseModel):
    """A lot on its way. `counted` is null until the booth has counted, as are the others.

    `stocked` of the counted pieces are in stock. `lost`: sent and not stocked. `surplus`: counted beyond the pieces
    sent; until a recount they are not in stock.
    """

    lot: str
    sent: int
    counted: int | None
    stocked: int | None = None
    lost: int | None = None
    surplus: int | None = None


class ShipmentPage(BaseModel):
    """A shipment, expected by `due`. `lots`: the pieces that left and the count. `overdue`: not received by `due`.

    `recounts`: how often it was counted again.
    """

    shipment: str
    festival: str
    request: str
    facility: str
    booth: str
    status: str
    due: datetime | None
    overdue: bool
    recounts: int
    parcels: list[ParcelPage]
    lots: list[SentLot]

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentPage":
        stocked = dict(shipment.stocked) if shipment.status is ShipmentStatus.RECEIVED else None
        return cls(
            shipment=shipment.name,
            festival=shipment.festival,
            request=shipment.request_name,
            facility=shipment.facility,
            booth=shipment.booth,
            status=shipment.status.value,
            due=shipment.due,
            overdue=shipment.overdue,
            parcels=[ParcelPage.model_validate(parcel) for parcel in shipment.parcels],
            recounts=shipment.recounts,
            lots=_sent_lots(shipment.lots, dict(shipment.counted), stocked),
        )


class TransferPage(BaseModel):
    """A transfer from `booth` to booth `to`, expected by `due`. `lots`: the pieces that left and the count."""

    transfer: str
    festival: str
    booth: str
    to: str
    status: str
    due: datetime
    overdue: bool
    recounts: int
    lots: list[SentLot]

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferPage":
        stocked = dict(transfer.stocked) if transfer.status is TransferStatus.RECEIVED else None
        return cls(
            transfer=transfer.name,
            festival=transfer.festival,
            booth=transfer.booth,
            to=transfer.to,
            status=transfer.status.value,
            due=transfer.due,
            overdue=transfer.overdue,
            recounts=transfer.recounts,
            lots=_sent_lots(dict(transfer.sent), dict(transfer.counted), stocked),
        )


def _sent_lots(
    sent: Mapping[str, int], counted: Mapping[str, int], stocked: Mapping[str, int] | None
) -> list[SentLot]:
    """The lots of an arrival. `stocked` is None until it is received."""
    lots = sorted(sent.keys() | counted.keys())
    if stocked is None:
        return [SentLot(lot=lot, sent=sent.get(lot, 0), counted=None) for lot in lots]
    return [
        SentLot(
            lot=lot,
            sent=sent.get(lot, 0),
            # Lots that the booth did not name count as 0.
            counted=counted.get(lot, 0),
            stocked=stocked.get(lot, 0),
            lost=max(0, sent.get(lot, 0) - stocked.get(lot, 0)),
            surplus=max(0, counted.get(lot, 0) - sent.get(lot, 0)),
        )
        for lot in lots
    ]
