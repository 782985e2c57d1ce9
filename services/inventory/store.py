"""The MongoDB document of a lot."""

from datetime import date
from typing import Any

from services.inventory.domain import Lot
from services.inventory.domain.lot import Find, Reservation, ReservationStatus
from shared.runtime.processor import Collection, Document

# Tables, because enum lookups and `.value` are slow in Python 3.11.
_STANDINGS = {standing.value: standing for standing in ReservationStatus}
_VALUES = {standing: standing.value for standing in ReservationStatus}


def _to_document(lot: Lot) -> dict[str, Any]:
    return {
        "facility": lot.facility,
        "product": lot.product,
        "category": lot.category,
        "made_on": lot.made_on.isoformat(),
        "best_before": lot.best_before and lot.best_before.isoformat(),
        "recorded": lot.recorded,
        "on_hand": lot.on_hand,
        "corrected": lot.corrected,
        "returned": lot.returned,
        "written_off": lot.written_off,
        "recalled": lot.recalled,
        "withdrawn": lot.withdrawn,
        "revision": lot.revision,
        "reservations": [
            {
                "id": reservation.id,
                "festival": reservation.festival,
                "request": reservation.request,
                "booth": reservation.booth,
                "qty": reservation.qty,
                "standing": _VALUES[reservation.status],
            }
            for reservation in lot.reservations
        ],
        # Nearly no lot has any.
        **(
            {"finds": [{"festival": find.festival, "booth": find.booth, "qty": find.qty} for find in lot.finds]}
            if lot.finds
            else {}
        ),
    }


def _from_document(document: Document) -> Lot:
    best_before = document["best_before"]
    return Lot(
        id=document["_id"],
        facility=document["facility"],
        product=document["product"],
        category=document["category"],
        made_on=date.fromisoformat(document["made_on"]),
        best_before=best_before and date.fromisoformat(best_before),
        recorded=document["recorded"],
        on_hand=document["on_hand"],
        corrected=document["corrected"],
        returned=document["returned"],
        written_off=document["written_off"],
        recalled=document["recalled"],
        withdrawn=document.get("withdrawn", False),
        revision=document["revision"],
        reservations=tuple(
            Reservation(
                reservation["id"],
                reservation["festival"],
                reservation["request"],
                reservation["booth"],
                reservation["qty"],
                _STANDINGS[reservation["standing"]],
            )
            for reservation in document["reservations"]
        ),
        finds=tuple(Find(**find) for find in document.get("finds", ())),
    )


LOTS = Collection("lots", Lot, _to_document, _from_document, listed_by=("facility", "product", "arrived"))
