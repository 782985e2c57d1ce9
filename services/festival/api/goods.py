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
    """A lot on its way. `counted` is null until the booth has counted."""

    lot: str
    sent: int
    counted: int | None


class ShipmentPage(BaseModel):
    """A shipment, expected by `due`. `lots`: the pieces that left and the count. `overdue`: not received by `due`."""

    shipment: str
    festival: str
    request: str
    facility: str
    booth: str
    status: str
    due: datetime | None
    overdue: bool
    parcels: list[ParcelPage]
    lots: list[SentLot]

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentPage":
        # After the count, lots that the booth did not name count as 0.
        uncounted = 0 if shipment.status is ShipmentStatus.RECEIVED else None
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
            lots=_sent_lots(shipment.lots, dict(shipment.counted), uncounted),
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
    lots: list[SentLot]

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferPage":
        uncounted = 0 if transfer.status is TransferStatus.RECEIVED else None
        return cls(
            transfer=transfer.name,
            festival=transfer.festival,
            booth=transfer.booth,
            to=transfer.to,
            status=transfer.status.value,
            due=transfer.due,
            overdue=transfer.overdue,
            lots=_sent_lots(dict(transfer.sent), dict(transfer.counted), uncounted),
        )


def _sent_lots(sent_pieces: Mapping[str, int], counted: Mapping[str, int], uncounted: int | None) -> list[SentLot]:
    return [
        SentLot(lot=lot, sent=sent_pieces.get(lot, 0), counted=counted.get(lot, uncounted))
        for lot in sorted(sent_pieces.keys() | counted.keys())
    ]
