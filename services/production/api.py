"""HTTP pages of production. No page contains the maker of a lot."""

from datetime import date, datetime

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from services.production.domain.catalogue import Catalogue
from services.production.store import LOTS, REPORTS
from shared.events import lot_number
from shared.runtime.service import Service


class FacilityPage(BaseModel):
    code: str
    kind: str
    name: str
    products: list[str]


class ProductPage(BaseModel):
    """`max_qty`: the most pieces that one report may have."""

    code: str
    name: str
    category: str
    unit: str
    max_qty: int
    shelf_life_days: int | None


class LotPage(BaseModel):
    """A lot as it was recorded, in pieces. `corrected`: the sum of the corrections that inventory accepted.
    `withdrawn`: its report was withdrawn, so there is no such lot."""

    lot: str
    facility: str
    product: str
    category: str
    qty: int
    corrected: int
    made_on: date
    best_before: date | None
    recorded_at: datetime
    recalled: bool
    withdrawn: bool


class ReportRejectionPage(BaseModel):
    field: str
    reason: str
    message: str
    template: str
    values: dict[str, str | int]


class ReportPage(BaseModel):
    """One report of a terminal and its outcome."""

    report: str
    facility: str
    terminal: str
    kind: str
    outcome: str
    taken_at: datetime
    lot: str | None
    wrong: ReportRejectionPage | None


def routes(service: Service, catalogue: Catalogue) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["production"])
    lots, reports = service.database[LOTS.name], service.database[REPORTS.name]

    @router.get("/facilities", summary="Facilities and their products")
    async def facilities() -> list[FacilityPage]:
        return [
            FacilityPage(
                code=facility.code, kind=facility.kind, name=facility.name, products=sorted(facility.products)
            )
            for facility in catalogue.facilities.values()
        ]

    @router.get("/products", summary="Products of the catalogue")
    async def products() -> list[ProductPage]:
        return [
            ProductPage(
                code=product.code,
                name=product.name,
                category=product.category,
                unit=product.unit,
                max_qty=product.max_qty,
                shelf_life_days=product.shelf_life.days if product.shelf_life else None,
            )
            for product in catalogue.products.values()
        ]

    @router.get("/lots/{lot}", summary="A lot as it was recorded")
    async def lot(lot: str) -> LotPage:
        number = lot_number.parse(lot)
        if number is None:
            raise HTTPException(
                404, "This is not a lot number: its check character does not fit. Read the label again."
            )
        document = await lots.find_one({"_id": str(number)})
        if document is None:
            raise HTTPException(404, f"Lot {number} is not recorded.")
        entity = LOTS.from_document(document)
        names = LotPage.model_fields.keys() - {"lot"}
        return LotPage(lot=entity.id, **{name: getattr(entity, name) for name in names})

    @router.get("/reports/{report}", summary="Outcome of a terminal's report")
    async def report(report: str) -> ReportPage:
        document = await reports.find_one({"_id": report})
        if document is None:
            raise HTTPException(404, "This report has not been processed yet.")
        entity = REPORTS.from_document(document)
        rejection = None
        if entity.rejection is not None:
            rejection = ReportRejectionPage(
                field=entity.rejection.field,
                reason=entity.rejection.reason.value,
                message=entity.rejection.message.english,
                template=entity.rejection.message.template,
                values=entity.rejection.message.plain_values,
            )
        return ReportPage(
            report=entity.id,
            facility=entity.facility,
            terminal=entity.terminal,
            kind=entity.kind.value,
            outcome=entity.outcome.value,
            taken_at=entity.taken_at,
            lot=entity.lot,
            wrong=rejection,
        )

    return router
