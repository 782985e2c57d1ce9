"""How refills look over HTTP: what booths will sell, what should move, what facilities should send."""

from datetime import datetime

from pydantic import BaseModel

from services.festival.api.pages import ConflictPage, EntityPage
from services.festival.domain import Replenishment


class ForecastPage(EntityPage):
    """What the booth has of a product (with what is on its way) and will sell until closing if it has enough, give or
    take as many; `missing`: how many too few there are."""

    booth: str
    product: str
    left: int
    expected: int
    give_or_take: int
    missing: int
    runs_out: datetime | None


class MovePage(EntityPage):
    """What should go from `booth` to booth `to`, and why (`reason_id`: in Indonesian)."""

    booth: str
    to: str
    lot: str
    facility: str
    product: str
    qty: int
    reason: str
    reason_id: str


class RefillPage(BaseModel):
    """What facilities should send, and why (`reason_id`: in Indonesian)."""

    booth: str
    product: str
    qty: int
    reason: str
    reason_id: str


class ReplenishmentPage(BaseModel):
    """How booths will sell from `at` (or from when they open again, `opens`) `until` they close, and what is
    proposed: `transfers` for people to carry out, `refills` for facilities to send. If there are any, request
    `request` has the plan of these, or `conflicts` say why nothing of it can be planned."""

    request: str
    festival: str
    at: datetime
    until: datetime
    opens: datetime | None
    forecasts: list[ForecastPage]
    transfers: list[MovePage]
    refills: list[RefillPage]
    conflicts: list[ConflictPage]

    @classmethod
    def of(cls, found: Replenishment) -> "ReplenishmentPage":
        return cls(
            request=found.name,
            festival=found.festival,
            at=found.at,
            until=found.until,
            opens=found.opens,
            forecasts=[ForecastPage.model_validate(one) for one in found.forecasts],
            transfers=[MovePage.model_validate(one) for one in found.moves],
            refills=[
                RefillPage(
                    booth=one.wanted.booth,
                    product=one.wanted.product,
                    qty=one.wanted.qty,
                    reason=one.reason,
                    reason_id=one.reason_id,
                )
                for one in found.refills
            ],
            conflicts=[ConflictPage.model_validate(one) for one in found.conflicts],
        )
