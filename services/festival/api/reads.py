"""The pages of festivals: plans with their reasons, shipments, booths, open steps, the stock."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.festival.api.completion import Completion
from services.festival.api.goods import ShipmentPage, TransferPage
from services.festival.api.pages import (
    BoothPage,
    FestivalPage,
    LotStock,
    MissingPages,
    ProductStock,
    RequestPage,
    RequestSummary,
)
from services.festival.api.refills import ReplenishmentPage
from services.festival.domain import Booth, Festival, Request, Shipment, StockView, Transfer
from services.festival.domain.allocation.bounds import planning_rules
from services.festival.domain.allocation.lines import Lines
from services.festival.domain.allocation.request import PlanTerms, request_id
from services.festival.domain.changing import with_added
from services.festival.domain.festival import FestivalStatus
from services.festival.domain.logistics.shipment import shipment_id
from services.festival.domain.logistics.transfer import transfer_id
from services.festival.domain.missing import missing
from services.festival.domain.planning import Rules
from services.festival.store import (
    BOOTHS,
    FESTIVALS,
    PLAN_LINES,
    PLAN_TERMS,
    REPLENISHMENTS,
    REQUESTS,
    SHIPMENTS,
    STOCK,
    TRANSFERS,
)
from shared.http.listing import Listing
from shared.http.problems import NOT_KNOWN, PageRefused
from shared.runtime.processor import Collection
from shared.runtime.service import Service
from shared.runtime.state import E
from shared.wording import Message

_NUMBER = attrgetter("number")
Paged = Annotated[Listing, Depends()]


class Reader:
    """Reads entities from the service's own database. Raises PyMongoError."""

    def __init__(self, service: Service) -> None:
        self._database = service.database
        self._completion = Completion(service)

    async def find(self, collection: Collection[E], id: str, unknown: Message) -> E:
        """The entity of this id. Raises PageRefused 404, with the sentence `unknown`."""
        document = await self._database[collection.name].find_one({"_id": id})
        if document is None:
            raise PageRefused(404, unknown)
        return collection.from_document(document)

    async def page(self, listing: Listing, collection: Collection[E], **filters: str) -> list[E]:
        """A page of the entities whose fields have the values of `filters`, in the order of arrival."""
        return await listing.page(self._database, collection, filters)

    async def festival(self, id: str) -> Festival:
        """The festival of this id. Raises PageRefused 404."""
        return await self.find(FESTIVALS, id, Message("No festival {festival} is known here.", festival=id))

    async def request(self, id: str, unknown: Message) -> Request:
        """The request of this id, with everything. Raises PageRefused 404."""
        request: Request = await self.find(REQUESTS, id, unknown)
        terms: PlanTerms = await self.find(PLAN_TERMS, id, unknown)
        pages = await self._database[PLAN_LINES.name].find({"request": id}).to_list(None)
        in_order = sorted(map(PLAN_LINES.from_document, pages), key=_NUMBER)
        # The parts are read one after the other, so the sums are those of the lines.
        return replace(request, lines=Lines.of(line for page in in_order for line in page.lines), terms=terms)

    async def rules(self, festival: str | None, day: date | None) -> Rules:
        """The rules by which a festival plans for all its days or for one. Without a festival: a lot is good on the
        day, or today. Raises PageRefused 404 for an unknown festival."""
        now = datetime.now(UTC)
        if festival is None:
            return Rules(last_day=day or now.date())
        return planning_rules(await self.planned(festival), now, day=day)

    async def planned(self, id: str) -> Festival:
        """The festival as a request would plan for it now, with the facilities that were added since. Raises
        PageRefused 404."""
        entity = await self.festival(id)
        return with_added(entity, await self._completion.added(entity))

    async def matching(self, collection: Collection[E], query: Mapping[str, Any]) -> list[E]:
        """The entities of these documents, in the order of their ids."""
        cursor = self._database[collection.name].find(query).sort("_id", 1)
        return [collection.from_document(document) for document in await cursor.to_list(None)]

    async def of_festival(self, collection: Collection[E], festival: str) -> list[E]:
        """All entities of a festival, in the order of their ids. Raises PageRefused 404 for an unknown festival."""
        await self.festival(festival)
        cursor = self._database[collection.name].find({"festival": festival}).sort("_id", 1)
        return [collection.from_document(document) for document in await cursor.to_list(None)]

    async def page_of(self, listing: Listing, collection: Collection[E], festival: str) -> list[E]:
        """A page of the entities of a festival. Raises PageRefused 404 for an unknown festival."""
        await self.festival(festival)
        return await self.page(listing, collection, festival=festival)


def routes(service: Service) -> APIRouter:
    """The router of the pages."""
    router = APIRouter(tags=["festivals"])
    reader = Reader(service)

    @router.get("/festivals", summary="Festivals, a page at a time as they arrived")
    async def festivals(listing: Paged, status: FestivalStatus | None = None) -> list[FestivalPage]:
        query = {} if status is None else {"status": status.value}
        return [FestivalPage.of(festival) for festival in await reader.page(listing, FESTIVALS, **query)]

    @router.get("/festivals/{festival}", summary="One festival, with its sums once it is closed")
    async def festival(festival: str) -> FestivalPage:
        return FestivalPage.of(await reader.festival(festival))

    @router.get("/festivals/{festival}/booths", summary="Its booths and what they hold")
    async def booths(festival: str, listing: Paged) -> list[BoothPage]:
        return [BoothPage.of(booth) for booth in await reader.page_of(listing, BOOTHS, festival)]

    @router.get("/festivals/{festival}/booths/{booth}", summary="One booth and what it holds")
    async def booth(festival: str, booth: str) -> BoothPage:
        entity: Booth = await reader.find(BOOTHS, booth, Message("No booth {booth} is known here.", booth=booth))
        if entity.festival != festival:
            raise PageRefused(
                404,
                Message(
                    "Booth {booth} is one of {other}, not of {festival}.",
                    booth=booth,
                    other=entity.festival,
                    festival=festival,
                ),
            )
        return BoothPage.of(entity)

    @router.get("/festivals/{festival}/requests", summary="Its requests for stock, without their lines")
    async def requests(festival: str, listing: Paged) -> list[RequestSummary]:
        return [RequestSummary.of(request) for request in await reader.page_of(listing, REQUESTS, festival)]

    @router.get("/festivals/{festival}/requests/{request}", summary="A plan: lines, shares and their reasons")
    async def request(festival: str, request: str) -> RequestPage:
        return RequestPage.of(
            await reader.request(
                request_id(festival, request),
                Message("{festival} has no request {request}.", festival=festival, request=request),
            )
        )

    @router.get("/festivals/{festival}/replenishments/{request}", summary="What was proposed while booths sold")
    async def replenishment(festival: str, request: str) -> ReplenishmentPage:
        id = request_id(festival, request)
        unknown = Message("{festival} has no replenishment {request}.", festival=festival, request=request)
        return ReplenishmentPage.of(await reader.find(REPLENISHMENTS, id, unknown))

    @router.get("/festivals/{festival}/shipments", summary="Its shipments")
    async def shipments(festival: str, listing: Paged) -> list[ShipmentPage]:
        return [ShipmentPage.of(shipment) for shipment in await reader.page_of(listing, SHIPMENTS, festival)]

    @router.get("/festivals/{festival}/shipments/{shipment}", summary="One shipment: what left, what was counted")
    async def shipment(festival: str, shipment: str) -> ShipmentPage:
        id = shipment_id(festival, shipment)
        entity: Shipment = await reader.find(
            SHIPMENTS, id, Message("{festival} has no shipment {shipment}.", festival=festival, shipment=shipment)
        )
        return ShipmentPage.of(entity)

    @router.get("/festivals/{festival}/transfers", summary="Its transfers between booths")
    async def transfers(festival: str, listing: Paged) -> list[TransferPage]:
        return [TransferPage.of(transfer) for transfer in await reader.page_of(listing, TRANSFERS, festival)]

    @router.get("/festivals/{festival}/transfers/{transfer}", summary="One transfer: what left, what was counted")
    async def transfer(festival: str, transfer: str) -> TransferPage:
        id = transfer_id(festival, transfer)
        entity: Transfer = await reader.find(
            TRANSFERS, id, Message("{festival} has no transfer {transfer}.", festival=festival, transfer=transfer)
        )
        return TransferPage.of(entity)

    @router.get("/festivals/{festival}/missing", summary="What is missing until the festival is closed")
    async def what_is_missing(festival: str) -> MissingPages:
        booths = await reader.of_festival(BOOTHS, festival)
        shipments = await reader.of_festival(SHIPMENTS, festival)
        transfers = await reader.of_festival(TRANSFERS, festival)
        # The festival is read last, so that its status is never older than the steps.
        entity = await reader.festival(festival)
        return MissingPages.of(entity, missing(entity, booths, shipments, transfers))

    @router.get(
        "/stock",
        summary="What is on hand of each product, and what of it can be planned",
        tags=["stock"],
        responses={404: {"description": NOT_KNOWN}},
    )
    async def stock(festival: str | None = None, day: date | None = None) -> list[ProductStock]:
        rules = await reader.rules(festival, day)
        cursor = service.database[STOCK.name].find({"plannable": {"$gt": ""}})
        products: dict[str, list[StockView]] = {}
        for document in await cursor.to_list(None):
            products.setdefault(document["product"], []).append(STOCK.from_document(document))
        return [ProductStock.of(product, lots, rules) for product, lots in sorted(products.items())]

    @router.get("/stock/{product}", summary="The lots of a product, and which can be planned", tags=["stock"])
    async def lots(
        product: str, listing: Paged, festival: str | None = None, day: date | None = None
    ) -> list[LotStock]:
        rules = await reader.rules(festival, day)
        return [LotStock.under(rules, lot) for lot in await reader.page(listing, STOCK, plannable=product)]

    return router
