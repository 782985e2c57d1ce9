"""What an organiser's pages show of festivals, read from the festival service."""

import asyncio
from collections.abc import Sequence

from services.portal.api.people import Person
from services.portal.clients import Services, answers
from services.portal.domain.answers import FestivalRow
from services.portal.domain.steps import CANCELLED, CLOSED, Progress
from shared.events.identity import Role

FESTIVAL = "festival"
# So many festivals are asked for at once.
_AT_ONCE = 4


class Organiser:
    """The festivals, as the person may read them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def festivals(self, person: Person) -> list[FestivalRow]:
        """All festivals, the latest first."""
        rows = await self._services.rows(person.token, FESTIVAL, "festivals")
        return sorted(
            answers.FESTIVALS.validate_python(rows), key=lambda row: (row.first_day, row.festival), reverse=True
        )

    async def festival(self, person: Person, festival: str) -> FestivalRow:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival)
        return answers.FESTIVAL.validate_python(page)

    async def progress(self, person: Person, festival: FestivalRow) -> Progress:
        """The festival with its booths, requests, parcels and open steps."""
        place = ("festivals", festival.festival)
        booths, requests, shipments, missing = await asyncio.gather(
            self._services.rows(person.token, FESTIVAL, *place, "booths"),
            self._services.rows(person.token, FESTIVAL, *place, "requests"),
            self._services.rows(person.token, FESTIVAL, *place, "shipments"),
            self._services.page(person.token, FESTIVAL, *place, "missing"),
        )
        return Progress(
            festival,
            answers.BOOTHS.validate_python(booths),
            answers.REQUESTS.validate_python(requests),
            answers.SHIPMENTS.validate_python(shipments),
            answers.OPEN_STEPS.validate_python(missing).missing,
        )

    async def all_progress(self, person: Person) -> list[Progress]:
        """The person's festivals that are not over."""
        scopes = None if person.caller.subject is None else set(person.scopes(Role.ORGANISER))
        rows = await self.festivals(person)
        lasting = [row for row in rows if row.status not in (CLOSED, CANCELLED)]
        own = [row for row in lasting if scopes is None or row.festival in scopes]
        progress: list[Progress] = []
        for start in range(0, len(own), _AT_ONCE):
            progress += await self._several(person, own[start : start + _AT_ONCE])
        return progress

    async def _several(self, person: Person, festivals: Sequence[FestivalRow]) -> list[Progress]:
        return list(await asyncio.gather(*(self.progress(person, festival) for festival in festivals)))
