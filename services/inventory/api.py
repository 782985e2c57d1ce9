"""HTTP pages of the stock."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.inventory.domain import Lot
from services.inventory.store import LOTS
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message


class Balance(BaseModel):
    """One lot in pieces. `withdrawn`: its report was withdrawn, so there is no such lot."""

    lot: str
    facility: str
    product: str
    category: str
    made_on: date
    best_before: date | None
    recalled: bool
    withdrawn: bool
    recorded: int
    corrected: int
    on_hand: int
    reserved: int
    dispatched: int
    returned: int
    written_off: int
    found: int
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
    async def balance(lot: str) -> Balance:
        document = await lots.find_one({"_id": lot})
        if document is None:
            raise PageRefused(404, Message("Lot {lot} is not known here. The lot number is on the label.", lot=lot))
        return Balance.of(LOTS.from_document(document))

    @router.get("/lots", summary="Lots of a facility or a product, a page at a time as they arrived")
    async def many(
        listing: Annotated[Listing, Depends()], facility: str | None = None, product: str | None = None
    ) -> list[Balance]:
        filters = {"facility": facility, "product": product}
        filters = {name: value for name, value in filters.items() if value is not None}
        return [Balance.of(lot) for lot in await listing.page(service.database, LOTS, filters)]

    return router
