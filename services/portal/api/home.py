"""The first page of whoever is signed in, by their roles."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.portal.api.operator import OPERATORS
from services.portal.api.organiser import Organiser
from services.portal.api.pages import Pages
from services.portal.api.people import Person, Visited
from services.portal.domain.steps import Waiting, waiting
from services.portal.store import PublicStream
from shared.access.rights import Action
from shared.events.identity import ANY, Role
from shared.wording import Message


def routes(pages: Pages, organiser: Organiser, stream: PublicStream) -> APIRouter:
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
            facility_name=stream.names.facility,
            festival_name=stream.festival_name,
        )

    def _pages_for(person: Person) -> list[str]:
        may_open = {
            "operator": person.has(*OPERATORS),
            "audit": person.caller.may(Action.READ_AUDIT, {}),
            "accounts": person.caller.may(Action.READ_ACCOUNTS, {}),
        }
        return [page for page, may in may_open.items() if may]

    async def _inbox(person: Person) -> list[Waiting]:
        now = datetime.now(UTC)
        items = [
            item
            for progress in await organiser.all_progress(person)
            for item in waiting(progress, now.astimezone(ZoneInfo(progress.festival.zone)).date())
        ]
        return sorted([*items, *await _strays(person)], key=lambda item: not item.is_urgent)

    async def _strays(person: Person) -> list[Waiting]:
        """Sales of booths that nobody has opened, which count nowhere. Shown at the latest festival that is open."""
        unmoved = [stray for stray in await organiser.strays(person) if stray.unmoved and not stray.moved_to]
        own = await organiser.own_festivals(person) if unmoved else []
        text = Message("Tills sell for {count:booth|booths} that nobody has opened.", count=len(unmoved))
        return [Waiting(own[0], text, "strays", is_urgent=True)] if own else []

    return router
