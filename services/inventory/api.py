"""What people may read of the stock over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from services.inventory.domain import Lot
from services.inventory.store import LOTS
from shared.service import Service


class Balance(BaseModel):
    """One lot in pieces."""

    lot: str
    facility: str
    product: str
    category: str
    made_on: date
    best_before: date | None
    recalled: bool
    recorded: int
    corrected: int
    on_hand: int
    reserved: int
    dispatched: int
    returned: int
    written_off: int
    revision: int

    @classmethod
    def of(cls, lot: Lot) -> "Balance":
        names = cls.model_fields.keys() - {"lot"}
        return cls(lot=lot.id, **{name: getattr(lot, name) for name in names})


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["stock"])
    lots = service.database[LOTS.name]

    @router.get("/lots/{lot}", summary="One lot's balance")
    async def one(lot: str) -> Balance:
        found = await lots.find_one({"_id": lot})
        if found is None:
            raise HTTPException(404, f"No lot {lot} is known here. A lot's number is on its label.")
        return Balance.of(LOTS.from_document(found))

    @router.get("/lots", summary="Lots of a facility or a product, a page at a time in the order of their numbers")
    async def many(
        facility: str | None = None,
        product: str | None = None,
        after: Annotated[str, Query(description="the last lot of the page before")] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[Balance]:
        wanted = {"facility": facility, "product": product}
        query = {"_id": {"$gt": after}, **{name: value for name, value in wanted.items() if value is not None}}
        page = await lots.find(query).sort("_id", 1).limit(limit).to_list(None)
        return [Balance.of(LOTS.from_document(document)) for document in page]

    return router
