"""Shared by the pages of one festival: reading, and commands that are given by forms."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

from fastapi import Request, Response

from services.portal.api.forms import SEEN
from services.portal.api.organiser import FESTIVAL, Organiser
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person
from services.portal.clients import GivenCommand, Services
from services.portal.domain.answers import FestivalRow
from services.portal.store import PublicNames
from shared.errors import WrongEntry
from shared.wording import Message, as_message

REFUSED = 409
INVALID = 422
# A page that shows itself again, with what was wrong.
Again = Callable[[int, Message], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages of festivals need."""

    pages: Pages
    organiser: Organiser
    services: Services
    names: PublicNames

    async def show(
        self, request: Request, template: str, person: Person, festival: str, status: int = 200, **values: Any
    ) -> Response:
        """A page of a festival."""
        row = await self.organiser.festival(person, festival)
        return self.pages.render(
            request,
            template,
            status=status,
            person=person,
            festival=row,
            base=f"/festivals/{festival}",
            product_name=self.names.product,
            facility_name=self.names.facility,
            **values,
        )

    async def give(
        self,
        person: Person,
        form: Mapping[str, str],
        *place: str,
        body: Mapping[str, Any],
        then: str,
        again: Again,
    ) -> Response:
        """Give a command, and lead to the page `then`. A refusal is shown on the form's own page.

        The form has the command's id, so that a form that is sent twice counts once.
        """
        given = await self.command(person, form, *place, body=body)
        if given.refusal is not None:
            return await again(REFUSED, given.refusal)
        return redirect(then)

    async def give_all(
        self,
        person: Person,
        form: Mapping[str, str],
        commands: Iterable[tuple[tuple[str, ...], Mapping[str, Any]]],
        then: str,
        again: Again,
    ) -> Response:
        """Give the commands of one form, a place and a body each, up to the first that is refused.

        Each has an id that follows from the form's, so that a form that is sent twice counts once.
        """
        for place, body in commands:
            each = {"command": str(uuid5(_form_id(form), "/".join([*place, *map(str, body.values())])))}
            given = await self.command(person, each, *place, body=body)
            if given.refusal is not None:
                return await again(REFUSED, given.refusal)
        return redirect(then)

    async def command(
        self, person: Person, form: Mapping[str, str], *place: str, body: Mapping[str, Any]
    ) -> GivenCommand:
        """What became of a command to the festival service."""
        id = form.get("command") or str(uuid4())
        return await self.services.command(person.token, FESTIVAL, *place, body=body, id=id)

    async def row(self, person: Person, festival: str) -> FestivalRow:
        return await self.organiser.festival(person, festival)


def _form_id(form: Mapping[str, str]) -> UUID:
    try:
        return UUID(form.get("command", ""))
    except ValueError:
        return uuid4()


def seen(form: Mapping[str, str]) -> frozenset[str]:
    """The marks of what the form's page showed. They have no spaces."""
    return frozenset(form.get(SEEN, "").split())


async def refused_entry(again: Again, wrong: WrongEntry) -> Response:
    """The page again, for an entry that is not as it must be written."""
    return await again(INVALID, as_message(wrong.message))
