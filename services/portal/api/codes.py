"""Codes that people pass on: for an account with a role, or for a device."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.portal.api.people import Person
from services.portal.clients import GivenCommand, Services, answers
from services.portal.domain.answers import CodeRow
from shared.wording import Message

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
    place = ("invitations",) if kind == INVITATION else ("device-codes",)
    answer = await services.ask(person.token, IDENTITY, *place, body={"role": role, "scope": scope})
    if isinstance(answer, GivenCommand):
        return answer.refusal or Message("This code can't be given.")
    return GivenCode(INVITATION if kind == INVITATION else DEVICE, role, scope, answers.CODE.validate_python(answer))
