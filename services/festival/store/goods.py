"""Documents of shipments, transfers and replenishment proposals."""

from dataclasses import asdict
from typing import Any

from services.festival.domain import Replenishment, Shipment, Transfer
from services.festival.domain.logistics.shipment import DispatchStatus, Parcel, ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.domain.planning import RequestDemand
from services.festival.domain.replenishment import Forecast, Move, Refill
from services.festival.store.requests import conflict_documents, conflicts_from
from shared.runtime.processor import Collection, Document


def _shipment_document(shipment: Shipment) -> dict[str, Any]:
    return {
        "festival": shipment.festival,
        "name": shipment.name,
        "request": shipment.request,
        "facility": shipment.facility,
        "booth": shipment.booth,
        "parcels": [
            {"reservation": p.reservation, "lot": p.lot, "qty": p.qty, "leg": p.leg.value} for p in shipment.parcels
        ],
        "status": shipment.status.value,
        "counted": [{"lot": lot, "qty": qty} for lot, qty in shipment.counted],
        "due": shipment.due,
        "overdue": shipment.overdue,
        "stocked": [{"lot": lot, "qty": qty} for lot, qty in shipment.stocked],
        "recounts": shipment.recounts,
    }


def _shipment(document: Document) -> Shipment:
    return Shipment(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        request=document["request"],
        facility=document["facility"],
        booth=document["booth"],
        parcels=tuple(
            Parcel(p["reservation"], p["lot"], p["qty"], DispatchStatus(p["leg"])) for p in document["parcels"]
        ),
        status=ShipmentStatus(document["status"]),
        counted=tuple((entry["lot"], entry["qty"]) for entry in document["counted"]),
        # Older documents lack these fields.
        due=document.get("due"),
        overdue=document.get("overdue", False),
        stocked=tuple((entry["lot"], entry["qty"]) for entry in document["stocked"]),
        recounts=document["recounts"],
    )


def _transfer_document(transfer: Transfer) -> dict[str, Any]:
    return {
        "festival": transfer.festival,
        "name": transfer.name,
        "booth": transfer.booth,
        "to": transfer.to,
        "sent": [{"lot": lot, "qty": qty} for lot, qty in transfer.sent],
        "due": transfer.due,
        "overdue": transfer.overdue,
        "status": transfer.status.value,
        "counted": [{"lot": lot, "qty": qty} for lot, qty in transfer.counted],
        "stocked": [{"lot": lot, "qty": qty} for lot, qty in transfer.stocked],
        "recounts": transfer.recounts,
    }


def _transfer(document: Document) -> Transfer:
    return Transfer(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        booth=document["booth"],
        to=document["to"],
        sent=tuple((entry["lot"], entry["qty"]) for entry in document["sent"]),
        due=document["due"],
        overdue=document["overdue"],
        status=TransferStatus(document["status"]),
        counted=tuple((entry["lot"], entry["qty"]) for entry in document["counted"]),
        stocked=tuple((entry["lot"], entry["qty"]) for entry in document["stocked"]),
        recounts=document["recounts"],
    )


def _replenishment_document(replenishment: Replenishment) -> dict[str, Any]:
    return {
        "festival": replenishment.festival,
        "name": replenishment.name,
        "at": replenishment.at,
        "until": replenishment.until,
        "opens": replenishment.opens,
        "forecasts": [asdict(forecast) for forecast in replenishment.forecasts],
        "moves": [asdict(move) for move in replenishment.moves],
        "refills": [_refill_document(refill) for refill in replenishment.refills],
        **({"conflicts": conflict_documents(replenishment.conflicts)} if replenishment.conflicts else {}),
    }


def _refill_document(refill: Refill) -> dict[str, Any]:
    demand = refill.wanted
    return {
        "wanted": {"booth": demand.booth, "product": demand.product, "qty": demand.qty},
        "reason": refill.reason,
        "reason_id": refill.reason_id,
    }


def _replenishment(document: Document) -> Replenishment:
    return Replenishment(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        at=document["at"],
        until=document["until"],
        opens=document.get("opens"),
        forecasts=tuple(Forecast(**fields) for fields in document["forecasts"]),
        moves=tuple(Move(**fields) for fields in document["moves"]),
        refills=tuple(
            Refill(**{**fields, "wanted": RequestDemand(**fields["wanted"])}) for fields in document["refills"]
        ),
        conflicts=conflicts_from(document.get("conflicts", ())),
    )


SHIPMENTS = Collection("shipments", Shipment, _shipment_document, _shipment, ("request",), ("festival",))
TRANSFERS = Collection("transfers", Transfer, _transfer_document, _transfer, listed_by=("festival",))
REPLENISHMENTS = Collection("replenishments", Replenishment, _replenishment_document, _replenishment)
