"""The page of a replenishment: forecasts of booths, proposed moves, proposed refills."""

from datetime import datetime

from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.api.pages import ConflictPage
from services.festival.domain import Replenishment


class ForecastPage(EntityPage):
    """The stock of a product at a booth, with pieces on their way, and its expected sales until closing.

    `give_or_take`: the standard deviation of these sales. `missing`: the shortage.
    Unless `known`, too little is known yet of the product's sales to expect any.
    """

    booth: str
    product: str
    left: int
    expected: int
    give_or_take: int
    missing: int
    runs_out: datetime | None
    known: bool


class MovePage(EntityPage):
    """A proposed move from `booth` to booth `to`, and the reason (`reason_id`: in Indonesian)."""

    booth: str
    to: str
    lot: str
    facility: str
    product: str
    qty: int
    reason: str
    reason_id: str


class RefillPage(BaseModel):
    """A demand that facilities should meet, and the reason (`reason_id`: in Indonesian)."""

    booth: str
    product: str
    qty: int
    reason: str
    reason_id: str


class ReplenishmentPage(BaseModel):
    """The forecasts of booths from `at` (or from the next opening, `opens`) `until` closing, and the proposals.

    `transfers` are for people to carry out, `refills` for facilities to send. Request `request` has the plan of the
    refills, or `conflicts` say why there is none.
    """

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
    def of(cls, replenishment: Replenishment) -> "ReplenishmentPage":
        return cls(
            request=replenishment.name,
            festival=replenishment.festival,
            at=replenishment.at,
            until=replenishment.until,
            opens=replenishment.opens,
            forecasts=[ForecastPage.model_validate(forecast) for forecast in replenishment.forecasts],
            transfers=[MovePage.model_validate(move) for move in replenishment.moves],
            refills=[
                RefillPage(
                    booth=refill.wanted.booth,
                    product=refill.wanted.product,
                    qty=refill.wanted.qty,
                    reason=refill.reason,
                    reason_id=refill.reason_id,
                )
                for refill in replenishment.refills
            ],
            conflicts=[ConflictPage.model_validate(conflict) for conflict in replenishment.conflicts],
        )
