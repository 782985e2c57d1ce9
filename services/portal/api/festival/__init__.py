"""The pages of one festival, from its announcement to its close."""

from fastapi import APIRouter

from services.portal.api.festival import announce, booths, close, members, parcels, plans, sales
from services.portal.api.festival.desk import Desk
from services.portal.api.people import People


def routes(desk: Desk, people: People) -> APIRouter:
    """The router of these pages."""
    router = APIRouter()
    for part in (
        announce.routes(desk, people),
        booths.routes(desk),
        plans.routes(desk),
        parcels.routes(desk),
        members.routes(desk),
        sales.routes(desk),
        close.routes(desk),
    ):
        router.include_router(part)
    return router
