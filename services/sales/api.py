"""What people may read of booths, sales and settlements over HTTP. Nobody's name is on any page."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from services.sales.domain import Booth, Sale, Settlement
from services.sales.domain.sale import SaleStatus, entity_id
from services.sales.domain.settlement import settlement_id
from services.sales.store import BOOTHS, SALES, SETTLEMENTS
from shared.service import Service

Limit = Annotated[int, Query(ge=1, le=500)]


class Price(BaseModel):
    product: str
    price_rupiah: int


class BoothLotPage(BaseModel):
    """One lot at the booth, in pieces; `counted` is what the cashier saw."""

    lot: str
    facility: str
    product: str
    made_on: date
    stocked: int
    sold: int
    lost: int
    unsold: int
    beyond: int
    counted: int | None
    sold_rupiah: int
    withdrawn: str | None


class TillPage(BaseModel):
    """`missing`: ranges of its records that were not heard. `complete`: nothing more is waited for."""

    till: str
    closed: bool
    complete: bool
    missing: list[tuple[int, int]]


class BoothPage(BaseModel):
    """A booth: what it holds and sold, which sales wait for stock or a decision, which tills are waited for."""

    booth: str
    festival: str | None
    name: str | None
    status: str
    deadline: datetime | None
    prices: list[Price]
    lots: list[BoothLotPage]
    tills: list[TillPage]
    sold: int
    sold_rupiah: int
    waiting: int
    disputed: int
    revision: int

    @classmethod
    def of(cls, booth: Booth) -> "BoothPage":
        counts = dict(booth.counts)
        names = BoothLotPage.model_fields.keys() - {"counted"}
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            status=booth.status.value,
            deadline=booth.deadline,
            prices=[Price(product=price.product, price_rupiah=price.price_rupiah) for price in booth.prices],
            lots=[
                BoothLotPage(counted=counts.get(lot.lot), **{name: getattr(lot, name) for name in names})
                for lot in booth.lots
            ],
            tills=[
                TillPage(
                    till=till.till,
                    closed=till.last_seq is not None,
                    complete=till.complete,
                    missing=list(till.missing),
                )
                for till in map(booth.till, booth.tills or sorted(till.till for till in booth.heard))
            ],
            sold=sum(lot.sold for lot in booth.lots),
            sold_rupiah=sum(lot.sold_rupiah for lot in booth.lots),
            waiting=len(booth.waiting),
            disputed=len(booth.disputed),
            revision=booth.revision,
        )


class SalePage(BaseModel):
    """One sale and what became of it."""

    sale: str
    booth: str
    festival: str | None
    till: str
    lot: str | None
    facility: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    amount_rupiah: int
    sold_at: datetime
    status: SaleStatus
    lot_attributed: bool
    lot_recalled: bool
    dispute_accepted: bool

    @classmethod
    def of(cls, sale: Sale) -> "SalePage":
        return cls(**{name: getattr(sale, name) for name in cls.model_fields})


class BoothSharePage(BaseModel):
    booth: str
    settled: bool
    qty: int
    sold_rupiah: int


class SettlementPage(BaseModel):
    """What one facility sold at one festival so far, and its parts. Final once `issued` and every booth is settled;
    `revision` says how often it was told."""

    facility: str
    festival: str
    issued: bool
    revision: int
    qty: int
    sold_rupiah: int
    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int
    booths: list[BoothSharePage]

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementPage":
        parts = settlement.parts
        names = BoothSharePage.model_fields
        return cls(
            facility=settlement.facility,
            festival=settlement.festival,
            issued=settlement.revision > 0,
            revision=settlement.revision,
            qty=settlement.qty,
            sold_rupiah=settlement.sold_rupiah,
            facility_rupiah=parts.facility_rupiah,
            maker_premium_rupiah=parts.maker_premium_rupiah,
            programme_rupiah=parts.programme_rupiah,
            booths=[BoothSharePage(**{name: getattr(booth, name) for name in names}) for booth in settlement.booths],
        )


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["sales"])
    booths, sales = service.database[BOOTHS.name], service.database[SALES.name]
    settlements = service.database[SETTLEMENTS.name]

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

    return router


def _given(**wanted: str | None) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}
