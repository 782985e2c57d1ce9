"""The operator's pages: whether everything works, and for administrators the accounts."""

from collections.abc import Iterable
from dataclasses import asdict
from types import SimpleNamespace

from fastapi import APIRouter, Request, Response

from services.portal.api.files import table_of
from services.portal.api.filters import FILES
from services.portal.api.forms import Sent
from services.portal.api.pages import Pages
from services.portal.api.people import Person, Visited
from services.portal.clients import GivenCommand, Services, answers
from services.portal.domain.answers import AccountRow, CodeRow, RoleRow
from services.portal.domain.lag import lag_of
from services.portal.store import PublicStream
from shared.access.rights import Action
from shared.events.identity import Role
from shared.http.access import NO_RIGHT
from shared.http.problems import PageRefused
from shared.translation import word
from shared.wording import Message

IDENTITY = "identity"
WORKS = "works"
ACCOUNT_COLUMNS = ["subject", "login", "name", "roles", "opened_at", "status"]
# Whom the causes of a trouble are for: they name addresses and topics.
OPERATORS = (Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)


def routes(pages: Pages, services: Services, stream: PublicStream) -> APIRouter:
    """The router of the operator's pages."""
    router = APIRouter(dependencies=[FILES])

    async def accounts_page(
        request: Request,
        person: Person,
        status: int = 200,
        given: CodeRow | None = None,
        owner: str = "",
        problem: Message | None = None,
    ) -> Response:
        rows = answers.ACCOUNTS.validate_python(await services.rows(person.token, IDENTITY, "accounts"))
        accounts = sorted(rows, key=lambda account: (account.login or "", account.subject))
        return pages.render(
            request,
            "accounts.html",
            status=status,
            person=person,
            accounts=accounts,
            may_keep=person.has(Role.ADMINISTRATOR),
            given=given,
            zone=_zone(person, [role for account in rows if account.subject == owner for role in account.roles]),
            problem=problem,
            files={"accounts": table_of("accounts", ACCOUNT_COLUMNS, map(_cells, accounts))},
        )

    def _zone(person: Person, owned: Iterable[RoleRow]) -> str:
        """The time zone of the reader's place; of a reader without one that of the code's owner, and else UTC."""
        scopes = [*(grant.scope for grant in person.grants), *(role.scope for role in owned)]
        return next((zone for scope in scopes if scope and (zone := stream.zone_of(scope))), "UTC")

    @router.get("/operator")
    async def health(request: Request, person: Visited) -> Response:
        if not person.has(*OPERATORS):
            raise PageRefused(403, NO_RIGHT)
        # Administrators see the health alone.
        may_read_backlog = person.caller.may(Action.READ_BACKLOG, {})
        health = await services.health()
        answered = await services.backlogs(person.token) if may_read_backlog else []
        backlogs = answers.BACKLOGS.validate_python(answered)
        waiting, quiet = lag_of(backlogs)
        return pages.render(
            request,
            "operator.html",
            person=person,
            rows=health,
            failing=[row for row in health if row.health != WORKS],
            may_read_backlog=may_read_backlog,
            backlogs=backlogs,
            waiting=waiting,
            quiet=quiet,
            may_read_held=person.caller.may(Action.READ_HELD, {}),
            may_read_letters=person.caller.may(Action.READ_LETTERS, {}),
            may_read_checks=person.caller.may(Action.READ_CHECKS, {}),
            may_read_audit=person.caller.may(Action.READ_AUDIT, {}),
        )

    @router.get("/accounts")
    async def accounts(request: Request, person: Visited) -> Response:
        return await accounts_page(request, person)

    @router.post("/accounts")
    async def reset(request: Request, person: Visited, sent: Sent) -> Response:
        subject = sent.get("subject", "")
        place = ("accounts", subject, "reset")
        answer = await services.ask(person.token, IDENTITY, *place, body={})
        if isinstance(answer, GivenCommand):
            return await accounts_page(request, person, 409, problem=answer.refusal)
        return await accounts_page(request, person, given=answers.CODE.validate_python(answer), owner=subject)

    return router


def _cells(account: AccountRow) -> SimpleNamespace:
    """The account as a row of the file."""
    roles = " ".join(f"{role.role}:{role.scope}" if role.scope else role.role for role in account.roles)
    return SimpleNamespace(**asdict(account) | {"roles": roles, "status": word(account.status)})
