"""GET /festivals/{festival}/requests/{request}/what-if: what other terms would change, before a plan is accepted."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.api.reads import Reader
from services.festival.domain.allocation.request import request_id
from services.festival.domain.allocation.what_if import OtherTerms, WhatIf, may_be_asked, what_if
from services.festival.domain.booth_sales import less_sold
from services.festival.domain.line import PROMISED
from services.festival.store import BOOTH_SALES, BOOTHS, PLAN_LINES, STOCK
from shared import typed
from shared.errors import WrongEntry
from shared.faults import value_error
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message, as_message

MOST_FACILITIES = 1000
Facilities = Annotated[list[str] | None, Query(max_length=MOST_FACILITIES)]
Weights = Annotated[list[str] | None, Query(max_length=MOST_FACILITIES, description="of facilities, e.g. `PR-KPG=2`")]


class ShareDifferencePage(EntityPage):
    """The pieces of a facility in the plan that waits and by the other terms. `reason`: why there are not more then
    (`reason_id`: in Indonesian)."""

    facility: str
    offered: int
    before: int
    after: int
    reason: str
    reason_id: str


class BoothDifferencePage(EntityPage):
    """The pieces that a booth gets in the plan that waits and by the other terms. `reason`: of what is short then
    (`reason_id`: in Indonesian)."""

    booth: str
    product: str
    asked: int
    before: int
    after: int
    reason: str
    reason_id: str


class WhatIfPage(BaseModel):
    """What other terms would change in a plan that waits, by the stock of now. `shipments`: facility-booth pairs."""

    request: str
    festival: str
    planned_before: int
    planned_after: int
    shipments_before: int
    shipments_after: int
    shares: list[ShareDifferencePage]
    booths: list[BoothDifferencePage]

    @classmethod
    def of(cls, festival: str, request: str, difference: WhatIf) -> "WhatIfPage":
        return cls(
            request=request,
            festival=festival,
            planned_before=difference.planned_before,
            planned_after=difference.planned_after,
            shipments_before=difference.shipments_before,
            shipments_after=difference.shipments_after,
            shares=[ShareDifferencePage.model_validate(share) for share in difference.shares],
            booths=[BoothDifferencePage.model_validate(booth) for booth in difference.booths],
        )


def routes(service: Service) -> APIRouter:
    """The router of the page."""
    router = APIRouter(tags=["festivals"])
    reader = Reader(service)

    @router.get(
        "/festivals/{festival}/requests/{request}/what-if",
        summary="What other terms would change in a plan that waits",
    )
    async def page(
        festival: str,
        request: str,
        without: Facilities = None,
        weight: Weights = None,
        even: Annotated[bool | None, Query(description="whether booths share a shortage evenly")] = None,
    ) -> WhatIfPage:
        terms = OtherTerms(tuple(without or ()), _weights(weight or ()), even)
        plan = await reader.request(
            request_id(festival, request),
            Message("{festival} has no request {request}.", festival=festival, request=request),
        )
        if not may_be_asked(plan):
            message = Message(
                "The plan of {request} does not wait to be accepted. Revise it instead.", request=request
            )
            raise PageRefused(409, message)
        ids = sorted({demand.booth for demand in plan.demands})
        products = sorted({demand.product for demand in plan.demands})
        booths = await reader.matching(BOOTHS, {"_id": {"$in": ids}})
        sales = {row.id: row for row in await reader.matching(BOOTH_SALES, {"_id": {"$in": ids}})}
        pages = await reader.matching(PLAN_LINES, {"coming_to": {"$in": ids}})
        promised = [
            line
            for page in pages
            if page.request != plan.id
            for line in page.lines
            if line.status in PROMISED and line.booth in ids
        ]
        difference = await asyncio.to_thread(
            what_if,
            await reader.planned(festival),
            plan,
            await reader.matching(STOCK, {"plannable": {"$in": products}}),
            [less_sold(booth, sales.get(booth.id)) for booth in booths],
            promised,
            datetime.now(UTC),
            terms,
        )
        return WhatIfPage.of(festival, request, difference)

    return router


def _weights(entries: Sequence[str]) -> tuple[tuple[str, int], ...]:
    try:
        return tuple(typed.pairs(entries, "PR-KPG=2", typed.facility).items())
    except WrongEntry as wrong:
        raise RequestValidationError([value_error(("query", "weight"), as_message(wrong.message))]) from None
