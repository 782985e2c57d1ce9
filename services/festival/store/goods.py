"""How goods on their way are kept, and what was proposed to move."""

from dataclasses import asdict
from typing import Any

from services.festival.domain import Replenishment, Shipment, Transfer
from services.festival.domain.logistics.shipment import Leg, Parcel, ShipmentStatus
from services.festival.domain.logistics.transfer import TransferStatus
from services.festival.domain.planning import Wanted
from services.festival.domain.replenishment import Forecast, Move, Refill
from services.festival.store.requests import conflict_documents, conflicts
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
    }


def _shipment(document: Document) -> Shipment:
    return Shipment(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        request=document["request"],
        facility=document["facility"],
        booth=document["booth"],
        parcels=tuple(Parcel(p["reservation"], p["lot"], p["qty"], Leg(p["leg"])) for p in document["parcels"]),
        status=ShipmentStatus(document["status"]),
        counted=tuple((one["lot"], one["qty"]) for one in document["counted"]),
        # Not there in what was written before shipments were expected by a time.
        due=document.get("due"),
        overdue=document.get("overdue", False),
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
    }


def _transfer(document: Document) -> Transfer:
    return Transfer(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        booth=document["booth"],
        to=document["to"],
        sent=tuple((one["lot"], one["qty"]) for one in document["sent"]),
        due=document["due"],
        overdue=document["overdue"],
        status=TransferStatus(document["status"]),
        counted=tuple((one["lot"], one["qty"]) for one in document["counted"]),
    )


def _replenishment_document(found: Replenishment) -> dict[str, Any]:
    return {
        "festival": found.festival,
        "name": found.name,
        "at": found.at,
        "until": found.until,
        "opens": found.opens,
        "forecasts": [asdict(one) for one in found.forecasts],
        "moves": [asdict(one) for one in found.moves],
        "refills": [_refill_document(one) for one in found.refills],
        **({"conflicts": conflict_documents(found.conflicts)} if found.conflicts else {}),
    }


def _refill_document(refill: Refill) -> dict[str, Any]:
    wanted = refill.wanted
    return {
        "wanted": {"booth": wanted.booth, "product": wanted.product, "qty": wanted.qty},
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
        forecasts=tuple(Forecast(**one) for one in document["forecasts"]),
        moves=tuple(Move(**one) for one in document["moves"]),
        refills=tuple(Refill(**{**one, "wanted": Wanted(**one["wanted"])}) for one in document["refills"]),
        conflicts=conflicts(document.get("conflicts", ())),
    )


SHIPMENTS = Collection("shipments", Shipment, _shipment_document, _shipment, ("request",), ("festival",))
TRANSFERS = Collection("transfers", Transfer, _transfer_document, _transfer, listed_by=("festival",))
REPLENISHMENTS = Collection("replenishments", Replenishment, _replenishment_document, _replenishment)
