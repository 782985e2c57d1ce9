"""What people may read of booths, sales, settlements and demand over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from services.sales.api.pages import BoothPage, DemandPage, ReceiptPage, SettlementPage, StrayPage, TakingsPage
from services.sales.domain.booth import BoothStatus
from services.sales.domain.demand import demand_id
from services.sales.domain.receipt import SaleStatus, entity_id
from services.sales.domain.settlement import settlement_id
from services.sales.store import BOOTHS, DEMANDS, RECEIPTS, SETTLEMENTS, number_key
from shared.service import Service

Limit = Annotated[int, Query(ge=1, le=500)]


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["sales"])
    booths, receipts = service.database[BOOTHS.name], service.database[RECEIPTS.name]
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

    @router.get(
        "/booths/{booth}/receipts", summary="A booth's receipts, a page at a time in the order they were taken in"
    )
    async def many_receipts(
        booth: str,
        status: Annotated[SaleStatus | None, Query(description="only receipts with such a sale")] = None,
        after: Annotated[int, Query(ge=0, description="`number` of the last receipt of the page before")] = 0,
        limit: Limit = 100,
    ) -> list[ReceiptPage]:
        # Keys begin with the booth's id and a space; "!" is the character after that.
        keys = {"$gt": number_key(booth, after), "$lt": f"{booth}!"}
        query = {"numbered": keys, **({"sales.status": status.value} if status is not None else {})}
        page = await receipts.find(query).sort("numbered", 1).limit(limit).to_list(None)
        if not page:
            return []
        lists = BOOTHS.from_document(await booths.find_one({"_id": booth}) or {}).price_lists
        return [ReceiptPage.of(RECEIPTS.from_document(document), lists) for document in page]

    @router.get("/booths/{booth}/receipts/{receipt}", summary="One receipt and what became of its sales")
    async def one_receipt(booth: str, receipt: str) -> ReceiptPage:
        found = await receipts.find_one({"_id": entity_id(booth, receipt)})
        if found is None:
            raise HTTPException(404, f"No receipt {receipt} of booth {booth} is known here.")
        lists = BOOTHS.from_document(await booths.find_one({"_id": booth}) or {}).price_lists
        return ReceiptPage.of(RECEIPTS.from_document(found), lists)

    @router.get("/booths/{booth}/takings", summary="What a booth took, by day and payment kind, and by drawer")
    async def takings(booth: str) -> TakingsPage:
        found = await booths.find_one({"_id": booth})
        if found is None:
            raise HTTPException(404, f"No booth {booth} is known here. A booth's id is as in ODOP.B07.")
        return TakingsPage.of(BOOTHS.from_document(found))

    @router.get("/strays", summary="Booths that tills sell at and that no festival has opened, a page at a time")
    async def strays(
        after: Annotated[str, Query(description="the last booth of the page before")] = "", limit: Limit = 100
    ) -> list[StrayPage]:
        query = {"_id": {"$gt": after}, "status": BoothStatus.UNKNOWN.value, "devices": {"$ne": []}}
        page = await booths.find(query).sort("_id", 1).limit(limit).to_list(None)
        found = [BOOTHS.from_document(document) for document in page]
        return [StrayPage.of(booth, await sold(booth.id, 1), await sold(booth.id, -1)) for booth in found]

    async def sold(booth: str, order: int) -> datetime | None:
        """When the booth's earliest (1) or latest (-1) receipt was issued."""
        keys = {"$gt": f"{booth} ", "$lt": f"{booth}!"}
        page = await receipts.find({"sold": keys}).sort("sold", order).limit(1).to_list(None)
        return page[0]["sold_at"] if page else None

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
