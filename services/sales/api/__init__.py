"""What people may read of booths, sales, settlements and demand over HTTP."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from services.sales.api.pages import BoothPage, DemandPage, SalePage, SettlementPage
from services.sales.domain.demand import demand_id
from services.sales.domain.sale import SaleStatus, entity_id
from services.sales.domain.settlement import settlement_id
from services.sales.store import BOOTHS, DEMANDS, SALES, SETTLEMENTS
from shared.service import Service

Limit = Annotated[int, Query(ge=1, le=500)]


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["sales"])
    booths, sales = service.database[BOOTHS.name], service.database[SALES.name]
    settlements, demand = service.database[SETTLEMENTS.name], service.database[DEMANDS.name]

    @router.get("/booths", summary="Booths (of a festival), a page at a time in the order of their ids")
    async def many_booths(
        festival: str | None = None,
        after: Annotated[str, Query(description="the last booth of the page before")] = "",
        limit: Limit = 100,
    ) -> list[BoothPage]:
        query = {"_id": {"$gt": after}, **_given(festival=festival)}
        page = await booths.find(query).sort("_id", 1).limit(limit).to_list(None)
        return [BoothPage.of(BOOTHS.from_document(document)) for document in page]

    @router.get("/booths/{booth}", summary="A booth: stock, sales, and what is waited for")
    async def one_booth(booth: str) -> BoothPage:
        found = await booths.find_one({"_id": booth})
        if found is None:
            raise HTTPException(404, f"No booth {booth} is known here. A booth's id is as in ODOP.B07.")
        return BoothPage.of(BOOTHS.from_document(found))

    @router.get("/booths/{booth}/sales", summary="A booth's sales, a page at a time in the order of their ids")
    async def many_sales(
        booth: str,
        status: SaleStatus | None = None,
        after: Annotated[str, Query(description="the last sale of the page before")] = "",
        limit: Limit = 100,
    ) -> list[SalePage]:
        # Ids begin with the booth's and a space; "!" is the character after that.
        ids = {"$gt": entity_id(booth, after), "$lt": f"{booth}!"}
        query = {"_id": ids, **_given(status=status and status.value)}
        page = await sales.find(query).sort("_id", 1).limit(limit).to_list(None)
        return [SalePage.of(SALES.from_document(document)) for document in page]

    @router.get("/settlements", summary="Settlements of a facility or a festival, a page at a time")
    async def many_settlements(
        facility: str | None = None,
        festival: str | None = None,
        after: Annotated[str, Query(description="facility/festival of the last one of the page before")] = "",
        limit: Limit = 100,
    ) -> list[SettlementPage]:
        query = {"_id": {"$gt": after}, **_given(facility=facility, festival=festival)}
        page = await settlements.find(query).sort("_id", 1).limit(limit).to_list(None)
        return [SettlementPage.of(SETTLEMENTS.from_document(document)) for document in page]

    @router.get("/settlements/{facility}/{festival}", summary="What a facility sold at a festival")
    async def one_settlement(facility: str, festival: str) -> SettlementPage:
        found = await settlements.find_one({"_id": settlement_id(facility, festival)})
        if found is None:
            raise HTTPException(404, f"Nothing of {facility} was at a booth of {festival}, as far as is known here.")
        return SettlementPage.of(SETTLEMENTS.from_document(found))

    @router.get("/facilities/{facility}/demand", summary="What a facility's products were asked for, by festival")
    async def facility_demand(
        facility: str,
        festival: str | None = None,
        after: Annotated[str, Query(description="the last festival of the page before")] = "",
        limit: Limit = 100,
    ) -> list[DemandPage]:
        query = {"_id": {"$gt": demand_id(facility, after)}, "facility": facility, **_given(festival=festival)}
        page = await demand.find(query).sort("_id", 1).limit(limit).to_list(None)
        return [DemandPage.of(DEMANDS.from_document(document)) for document in page]

    return router


def _given(**wanted: str | None) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}
