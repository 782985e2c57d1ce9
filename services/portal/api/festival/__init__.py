"""The pages of one festival, from its announcement to its close."""

from fastapi import APIRouter

from services.portal.api.festival import (
    announce,
    booths,
    change,
    close,
    members,
    parcels,
    plans,
    receipts,
    refills,
    sales,
    stock,
    strays,
    transfers,
)
from services.portal.api.festival.desk import Desk
from services.portal.api.people import People


def routes(desk: Desk, people: People) -> list[APIRouter]:
    """The routers of these pages."""
    return [
        announce.routes(desk, people),
        booths.routes(desk),
        plans.routes(desk),
        parcels.routes(desk),
        transfers.routes(desk),
        refills.routes(desk),
        members.routes(desk),
        stock.routes(desk),
        sales.routes(desk),
        receipts.routes(desk),
        strays.routes(desk),
        close.routes(desk),
        change.routes(desk),
    ]
