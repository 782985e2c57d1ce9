"""How goods on their way look over HTTP: shipments from facilities, transfers between booths."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from services.festival.api.pages import EntityPage
from services.festival.domain import Shipment, Transfer
from services.festival.domain.logistics.shipment import ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus


class ParcelPage(EntityPage):
    """`leg`: ordered, left or dropped."""

    reservation: str
    lot: str
    qty: int
    leg: str


class SentLot(BaseModel):
    """`counted` is missing until the booth has counted."""

    lot: str
    sent: int
    counted: int | None


class ShipmentPage(BaseModel):
    """`lots`: what has left, and what was counted of it. It is expected by `due`; `overdue`: it had not come then."""

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
        # What the booth did not name counts as 0, once it has counted.
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
    """`lots`: what left `booth` for booth `to`, and what was counted there of it. It is expected by `due`."""

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


def _sent_lots(sent: Mapping[str, int], counted: Mapping[str, int], uncounted: int | None) -> list[SentLot]:
    return [
        SentLot(lot=lot, sent=sent.get(lot, 0), counted=counted.get(lot, uncounted))
        for lot in sorted(sent.keys() | counted.keys())
    ]
