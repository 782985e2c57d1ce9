"""Codes that people pass on: for an account with a role, or for a device."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.portal.api.people import Person
from services.portal.clients import GivenCommand, Services, answers
from services.portal.domain.answers import CodeRow
from shared import typed
from shared.errors import WrongEntry
from shared.wording import Message, as_message

IDENTITY = "identity"
INVITATION, DEVICE = "invitation", "device"


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A new code with the role and the place that it is for. `kind`: an invitation or that of a device."""

    kind: str
    role: str
    scope: str
    row: CodeRow


async def give_code(services: Services, person: Person, sent: Mapping[str, str]) -> GivenCode | Message:
    """A code as a form asks for it, or why there is none."""
    kind, role, scope = (sent.get(name, "") for name in ("kind", "role", "scope"))
    place, body = ("invitations",) if kind == INVITATION else ("device-codes",), {"role": role, "scope": scope}
    try:
        hours = {"hours": typed.whole(text)} if (text := sent.get("hours", "").strip()) else {}
    except WrongEntry as wrong:
        return as_message(wrong.message)
    answer = await services.ask(person.token, IDENTITY, *place, body=body | hours)
    if isinstance(answer, GivenCommand):
        return answer.refusal or Message("This code can't be given.")
    return GivenCode(INVITATION if kind == INVITATION else DEVICE, role, scope, answers.CODE.validate_python(answer))
