"""The first page of whoever is signed in, by their roles."""

from fastapi import APIRouter, Request, Response

from services.portal.api.operator import OPERATORS
from services.portal.api.organiser import Organiser
from services.portal.api.pages import Pages
from services.portal.api.people import Person, Visited
from services.portal.domain.steps import Waiting, waiting
from shared.events.identity import ANY, Role


def routes(pages: Pages, organiser: Organiser) -> APIRouter:
    """The router of the first page."""
    router = APIRouter()

    @router.get("/")
    async def home(request: Request, person: Visited) -> Response:
        return pages.render(
            request,
            "home.html",
            person=person,
            inbox=await _inbox(person) if person.has(Role.ORGANISER) else None,
            may_announce=person.caller.subject is None or ANY in person.scopes(Role.ORGANISER),
            facilities=person.scopes(Role.FACILITY_STAFF),
            booths=person.scopes(Role.CASHIER),
            pages_for=_pages_for(person),
        )

    def _pages_for(person: Person) -> list[str]:
        pages_for = ["operator"] if person.has(*OPERATORS) else []
        return [*pages_for, "accounts", "audit"] if person.has(Role.AUDITOR, Role.ADMINISTRATOR) else pages_for

    async def _inbox(person: Person) -> list[Waiting]:
        items = [item for progress in await organiser.all_progress(person) for item in waiting(progress)]
        return sorted(items, key=lambda item: not item.is_urgent)

    return router
