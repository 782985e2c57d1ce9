"""HTTP pages of production. No page contains the maker of a lot."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from services.production.api import catalogue
from services.production.store import LOTS, REPORTS, WAITING_REPORTS
from shared.access.rights import Action, Limit
from shared.events import lot_number
from shared.http.access import require
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message


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


class WaitingReportPage(BaseModel):
    """A report of goods that waits until its facility and its product are in the catalogue."""

    report: str
    facility: str
    terminal: str
    product: str
    qty: int
    made_on: date
    taken_at: datetime


def routes(service: Service) -> APIRouter:
    """The router of the service."""
    router = APIRouter(tags=["production"])
    router.include_router(catalogue.routes(service))
    lots, reports = service.database[LOTS.name], service.database[REPORTS.name]

    @router.get("/lots/{lot}", summary="A lot as it was recorded")
    async def lot(lot: str) -> LotPage:
        number = lot_number.parse(lot)
        if number is None:
            raise PageRefused(
                404,
                Message("This is not a lot number: its check character does not fit. Read the label again."),
            )
        document = await lots.find_one({"_id": str(number)})
        if document is None:
            raise PageRefused(404, Message("Lot {lot} is not recorded.", lot=str(number)))
        entity = LOTS.from_document(document)
        names = LotPage.model_fields.keys() - {"lot"}
        return LotPage(lot=entity.id, **{name: getattr(entity, name) for name in names})

    @router.get("/reports/{report}", summary="Outcome of a terminal's report")
    async def report(request: Request, report: str) -> ReportPage:
        document = await reports.find_one({"_id": report})
        if document is None:
            raise PageRefused(404, Message("This report has not been processed yet."))
        entity = REPORTS.from_document(document)
        require(request, Action.READ_LOTS, {Limit.FACILITY: entity.facility})
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

    @router.get("/waiting-reports", summary="Reports that wait for the catalogue, a page at a time as they arrived")
    async def waiting_reports(
        listing: Annotated[Listing, Depends()], facility: str | None = None
    ) -> list[WaitingReportPage]:
        filters = {"waits_at": facility or {"$gt": ""}}
        page = await listing.page(service.database, WAITING_REPORTS, filters)
        return [
            WaitingReportPage(
                report=waiting.id,
                facility=waiting.body.facility,
                terminal=waiting.body.terminal,
                product=waiting.body.product,
                qty=waiting.body.qty,
                made_on=waiting.body.made_on,
                taken_at=waiting.logged_at,
            )
            for waiting in page
        ]

    return router
