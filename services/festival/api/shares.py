"""GET /facilities/{facility}/shares: what plans give a facility, and why not more."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel

from services.festival.api.reads import Reader
from services.festival.store import PLAN_TERMS, REQUESTS
from shared.runtime.service import Service


class FacilitySharePage(BaseModel):
    """The pieces of a facility in the latest plan of a request, of those that it offered, and why not more
    (`reason_id`: in Indonesian). `status`: of the request."""

    facility: str
    festival: str
    request: str
    status: str
    day: date | None
    offered: int
    allocated: int
    reason: str
    reason_id: str


def routes(service: Service) -> APIRouter:
    """The router of the page."""
    router = APIRouter(tags=["festivals"])
    reader = Reader(service)

    @router.get("/facilities/{facility}/shares", summary="What plans give a facility, and why not more")
    async def shares(facility: str, festival: str | None = None) -> list[FacilitySharePage]:
        of_festival = {"festival": festival} if festival is not None else {}
        terms = await reader.matching(PLAN_TERMS, {"shares.facility": facility, **of_festival})
        ids = [plan_terms.id for plan_terms in terms]
        requests = {request.id: request for request in await reader.matching(REQUESTS, {"_id": {"$in": ids}})}
        return [
            FacilitySharePage(
                facility=facility,
                festival=request.festival,
                request=request.name,
                status=request.status.value,
                day=request.day,
                offered=share.offered,
                allocated=share.allocated,
                reason=share.reason,
                reason_id=share.reason_id,
            )
            for plan_terms in terms
            if (request := requests.get(plan_terms.id)) is not None
            for share in plan_terms.shares
            if share.facility == facility
        ]

    return router
