"""Documents of the stock view."""

from datetime import date
from typing import Any

from services.festival.domain import StockView
from services.festival.store.days import as_day, day_text
from shared.runtime.processor import Collection, Document


def _view_document(view: StockView) -> dict[str, Any]:
    return {
        "revision": view.revision,
        "facility": view.facility,
        "product": view.product,
        "made_on": view.made_on.isoformat(),
        "best_before": day_text(view.best_before),
        "recalled": view.recalled,
        "on_hand": view.on_hand,
        # Redundant, for an index: a plan reads only lots with stock.
        "plannable": view.plannable,
    }


def _view(document: Document) -> StockView:
    return StockView(
        id=document["_id"],
        revision=document["revision"],
        facility=document["facility"],
        product=document["product"],
        made_on=date.fromisoformat(document["made_on"]),
        best_before=as_day(document["best_before"]),
        recalled=document["recalled"],
        on_hand=document["on_hand"],
    )


STOCK = Collection("stock", StockView, _view_document, _view, indexes=("facility",), listed_by=("plannable",))
