"""What people may read of production over HTTP. The maker of a lot is on no page."""

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
    """A lot as it was recorded, in pieces; `corrected` is what inventory has taken of corrections since."""

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


class ReportRejectionPage(BaseModel):
    field: str
    reason: str
    message: str
    message_id: str


class ReportPage(BaseModel):
    """What became of one report."""

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

    @router.get("/facilities", summary="Who may report, and what they make")
    async def facilities() -> list[FacilityPage]:
        return [
            FacilityPage(code=f.code, kind=f.kind, name=f.name, products=sorted(f.products))
            for f in catalogue.facilities.values()
        ]

    @router.get("/products", summary="What may be reported")
    async def products() -> list[ProductPage]:
        return [
            ProductPage(
                code=p.code,
                name=p.name,
                category=p.category,
                unit=p.unit,
                max_qty=p.max_qty,
                shelf_life_days=p.shelf_life.days if p.shelf_life else None,
            )
            for p in catalogue.products.values()
        ]

    @router.get("/lots/{lot}", summary="A lot as it was recorded")
    async def lot(lot: str) -> LotPage:
        number = lot_number.parse(lot)
        if number is None:
            raise HTTPException(404, "This is no lot number: its check character does not fit. Read the label again.")
        document = await lots.find_one({"_id": str(number)})
        if document is None:
            raise HTTPException(404, f"No lot {number} was recorded.")
        found = LOTS.from_document(document)
        names = LotPage.model_fields.keys() - {"lot"}
        return LotPage(lot=found.id, **{name: getattr(found, name) for name in names})

    @router.get("/reports/{report}", summary="What became of a terminal's report")
    async def report(report: str) -> ReportPage:
        document = await reports.find_one({"_id": report})
        if document is None:
            raise HTTPException(404, "This report has not been worked (yet).")
        found = REPORTS.from_document(document)
        wrong = None
        if found.rejection is not None:
            wrong = ReportRejectionPage(
                field=found.rejection.field,
                reason=found.rejection.reason.value,
                message=found.rejection.message,
                message_id=found.rejection.message_id,
            )
        return ReportPage(
            report=found.id,
            facility=found.facility,
            terminal=found.terminal,
            kind=found.kind.value,
            outcome=found.outcome.value,
            taken_at=found.taken_at,
            lot=found.lot,
            wrong=wrong,
        )

    return router
