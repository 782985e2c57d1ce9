"""HTTP pages of booths, receipts, takings, settlements and demand."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from services.sales.api.disputes import BoothDoubtsPage, receipts_in_doubt
from services.sales.api.pages import (
    BoothPage,
    DeviceRecordsPage,
    FacilityDemandPage,
    ReceiptPage,
    SettlementPage,
    StrayPage,
    TakingsPage,
)
from services.sales.api.sell_through import SellThroughPage
from services.sales.domain import Booth, Receipt
from services.sales.domain.booth import BoothStatus
from services.sales.domain.receipt import SaleStatus, entity_id
from services.sales.domain.settlement import settlement_id
from services.sales.store import BOOTHS, DEMANDS, RECEIPTS, SETTLEMENTS
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.processor import Collection
from shared.runtime.service import Service
from shared.runtime.state import E
from shared.wording import Message

Paged = Annotated[Listing, Depends()]


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["sales"])
    database = service.database

    async def load(collection: Collection[E], id: str, unknown: Message) -> E:
        document = await database[collection.name].find_one({"_id": id})
        if document is None:
            raise PageRefused(404, unknown)
        return collection.from_document(document)

    async def booth_of(id: str) -> Booth:
        return await load(
            BOOTHS, id, Message("Booth {booth} is not known here. A booth id looks like ODOP.B07.", booth=id)
        )

    @router.get("/booths", summary="Booths (of a festival), a page at a time as they arrived")
    async def many_booths(listing: Paged, festival: str | None = None) -> list[BoothPage]:
        return [BoothPage.of(booth) for booth in await listing.page(database, BOOTHS, _given(festival=festival))]

    @router.get("/booths/{booth}", summary="A booth: stock, sales, and open records")
    async def one_booth(booth: str) -> BoothPage:
        return BoothPage.of(await booth_of(booth))

    @router.get("/booths/{booth}/receipts", summary="A booth's receipts, a page at a time as they arrived")
    async def many_receipts(
        booth: str,
        listing: Paged,
        status: Annotated[SaleStatus | None, Query(description="only receipts with a sale in this state")] = None,
    ) -> list[ReceiptPage]:
        lists = (await booth_of(booth)).price_lists
        filters = {"booth": booth, **({"sales.status": status.value} if status is not None else {})}
        return [ReceiptPage.of(receipt, lists) for receipt in await listing.page(database, RECEIPTS, filters)]

    @router.get("/booths/{booth}/receipts/{receipt}", summary="One receipt and the state of its sales")
    async def one_receipt(booth: str, receipt: str) -> ReceiptPage:
        unknown = Message("Receipt {receipt} of booth {booth} is not known here.", receipt=receipt, booth=booth)
        entity = await load(RECEIPTS, entity_id(booth, receipt), unknown)
        return ReceiptPage.of(entity, (await booth_of(booth)).price_lists)

    @router.get("/booths/{booth}/takings", summary="Takings of a booth, by day and payment kind, and by drawer")
    async def takings(booth: str) -> TakingsPage:
        return TakingsPage.of(await booth_of(booth))

    @router.get("/booths/{booth}/devices", summary="Which records of a booth's devices have arrived")
    async def device_records(booth: str) -> list[DeviceRecordsPage]:
        return [DeviceRecordsPage.of(device) for device in (await booth_of(booth)).devices]

    @router.get("/disputes", summary="Sales in doubt and takings by booth, a page of booths at a time")
    async def disputes(listing: Paged, festival: str | None = None) -> list[BoothDoubtsPage]:
        booths = await listing.page(database, BOOTHS, _given(festival=festival))
        ids = [id for booth in booths for id in receipts_in_doubt(booth)]
        receipts: dict[str, list[Receipt]] = defaultdict(list)
        for document in await database[RECEIPTS.name].find({"_id": {"$in": ids}}).to_list(None) if ids else ():
            receipts[document["booth"]].append(RECEIPTS.from_document(document))
        return [BoothDoubtsPage.of(booth, receipts[booth.id]) for booth in booths]

    @router.get("/sell-through", summary="Products sold by booth and hour, a page of booths at a time")
    async def sell_through(
        listing: Paged,
        festival: str | None = None,
        day: Annotated[date | None, Query(description="only the hours of this day there")] = None,
    ) -> list[SellThroughPage]:
        booths = await listing.page(database, BOOTHS, _given(festival=festival))
        return [SellThroughPage.of(booth, day) for booth in booths]

    @router.get("/strays", summary="Booths with sales that no festival has opened, a page at a time")
    async def strays(listing: Paged) -> list[StrayPage]:
        filters = {"status": BoothStatus.UNKNOWN.value, "devices": {"$ne": []}}
        booths = await listing.page(database, BOOTHS, filters)
        return [StrayPage.of(booth, await sold(booth.id, 1), await sold(booth.id, -1)) for booth in booths]

    async def sold(booth: str, order: int) -> datetime | None:
        """When the booth's earliest (1) or latest (-1) receipt was issued."""
        # Keys begin with the booth's id and a space; "!" is the character after that.
        keys = {"$gt": f"{booth} ", "$lt": f"{booth}!"}
        page = await database[RECEIPTS.name].find({"sold": keys}).sort("sold", order).limit(1).to_list(None)
        return page[0]["sold_at"] if page else None

    @router.get("/settlements", summary="Settlements of a facility or a festival, a page at a time as they arrived")
    async def many_settlements(
        listing: Paged, facility: str | None = None, festival: str | None = None
    ) -> list[SettlementPage]:
        filters = _given(facility=facility, festival=festival)
        return [SettlementPage.of(settlement) for settlement in await listing.page(database, SETTLEMENTS, filters)]

    @router.get("/settlements/{facility}/{festival}", summary="Settlement of a facility at a festival")
    async def one_settlement(facility: str, festival: str) -> SettlementPage:
        unknown = Message(
            "No goods of {facility} at a booth of {festival} are known here.", facility=facility, festival=festival
        )
        return SettlementPage.of(await load(SETTLEMENTS, settlement_id(facility, festival), unknown))

    @router.get("/facilities/{facility}/demand", summary="Demand for a facility's products, by festival")
    async def facility_demand(facility: str, listing: Paged, festival: str | None = None) -> list[FacilityDemandPage]:
        filters = _given(facility=facility, festival=festival)
        return [FacilityDemandPage.of(demand) for demand in await listing.page(database, DEMANDS, filters)]

    return router


def _given(**filters: str | None) -> Mapping[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}
