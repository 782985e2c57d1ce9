"""How lots are kept."""

from datetime import date
from typing import Any

from services.inventory.domain import Lot
from services.inventory.domain.lot import Reservation, Standing
from shared.runtime.processor import Collection, Document

# In Python 3.11 an enum is slow to find a member, and a member its value.
_STANDINGS = {standing.value: standing for standing in Standing}
_VALUES = {standing: standing.value for standing in Standing}


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
        "revision": lot.revision,
        "reservations": [
            {
                "id": r.id,
                "festival": r.festival,
                "request": r.request,
                "booth": r.booth,
                "qty": r.qty,
                "standing": _VALUES[r.standing],
            }
            for r in lot.reservations
        ],
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
        revision=document["revision"],
        reservations=tuple(
            Reservation(r["id"], r["festival"], r["request"], r["booth"], r["qty"], _STANDINGS[r["standing"]])
            for r in document["reservations"]
        ),
    )


LOTS = Collection("lots", Lot, _to_document, _from_document, listed_by=("facility", "product", "arrived"))
