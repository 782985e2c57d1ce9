"""Accounts for those who keep them: lists, roles, closing and resets, and what became of a command."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from services.identity.api.callers import Accounts, right_to_grant
from services.identity.api.invitations import NOT_OPEN, RESET_LIFETIME, CodePage
from services.identity.api.requests import NoFields, described
from services.identity.api.sessions import OF_PROVIDER, RolePage
from services.identity.api.tokens import NO_PASSWORDS
from services.identity.domain.account import Account, AccountRejection, HeldRole
from services.identity.handlers import CLOSE, GRANT, WITHDRAW
from services.identity.store import ACCOUNT_COMMANDS, ACCOUNTS, Secrets
from services.identity.store.credentials import Credential
from shared.access.rights import Action
from shared.events.identity import GrantRole, WithdrawRole
from shared.events.language import Body
from shared.http.access import caller_of
from shared.http.commands import Commands, parse_command
from shared.http.endpoints import add_commands
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message


class AccountPage(BaseModel):
    """An account. `name` and `login` are shown only to those who keep accounts.

    `waits_for_reset`: its login and password were lost, so that it needs a reset before anybody can sign in.
    """

    subject: str
    roles: list[RolePage]
    opened_at: datetime
    closed_at: datetime | None
    waits_for_reset: bool
    login: str | None = None
    name: str | None = None

    @classmethod
    def of(cls, account: Account, credential: Credential | None, *, named: bool) -> "AccountPage":
        shown = credential if named else None
        return cls(
            subject=account.id,
            roles=[RolePage(role=held.role.value, scope=held.scope) for held in account.roles],
            opened_at=account.opened_at,
            closed_at=account.closed_at,
            waits_for_reset=credential is None and account.closed_at is None,
            login=shown.login if shown is not None else None,
            name=shown.name if shown is not None else None,
        )


class AccountRejectionPage(BaseModel):
    field: str
    reason: str
    message: str
    template: str
    values: dict[str, str | int]

    @classmethod
    def of(cls, rejection: AccountRejection) -> "AccountRejectionPage":
        message = rejection.message
        return cls(
            field=rejection.field,
            reason=rejection.reason.value,
            message=message.english,
            template=message.template,
            values=message.plain_values,
        )


class AccountCommandPage(BaseModel):
    """A command about an account and its outcome: `done` or `refused`. `actor`: who gave it."""

    command: str
    subject: str
    name: str
    actor: str | None
    given_at: datetime
    status: str
    wrong: AccountRejectionPage | None


def routes(service: Service, secrets: Secrets, accounts: Accounts, commands: Commands) -> APIRouter:
    """The router of accounts."""
    router = APIRouter(tags=["accounts"])
    command_documents = service.database[ACCOUNT_COMMANDS.name]

    async def permit(request: Request, body: Body) -> None:
        if isinstance(body, WithdrawRole) and body.subject == (await accounts.caller(request)).subject:
            return  # a role was granted without asking: its owner may lay it down
        if isinstance(body, GrantRole | WithdrawRole):
            await accounts.require(request, *right_to_grant(HeldRole(body.role, body.scope)))
        else:
            await accounts.require(request, Action.KEEP_ACCOUNTS, {})

    add_commands(router, commands, (CLOSE, GRANT, WITHDRAW), permit=permit)

    @router.post(
        "/accounts/{subject}/reset",
        summary="Make a code by which the account gets a new password",
        **described(
            "/accounts/{subject}/reset",
            NoFields,
            {
                404: {"description": "There is no such open account"},
                409: {"description": "The account has no password here"},
            },
        ),
    )
    async def reset(subject: str, request: Request) -> CodePage:
        await parse_command(request, NoFields)
        caller = await accounts.require(request, Action.KEEP_ACCOUNTS, {})
        if not service.settings.passwords:
            raise PageRefused(409, NO_PASSWORDS)
        account = await accounts.find(subject)
        if account is None or account.closed_at is not None:
            raise PageRefused(404, Message(NOT_OPEN.template, subject=subject))
        credential = await secrets.credentials.get(account.credential)
        if credential is not None and credential.password is None:
            raise PageRefused(409, OF_PROVIDER)
        expires_at = datetime.now(UTC) + RESET_LIFETIME
        code = await secrets.resets.add_reset(subject, caller.subject, expires_at)
        return CodePage(code=code, expires_at=expires_at)

    @router.get("/accounts", summary="All accounts, a page at a time as they were opened")
    async def many(request: Request, listing: Annotated[Listing, Depends()]) -> list[AccountPage]:
        page = await listing.page(service.database, ACCOUNTS, {})
        credentials = await secrets.credentials.many([account.credential for account in page])
        named = caller_of(request).may(Action.KEEP_ACCOUNTS, {})
        return [AccountPage.of(account, credentials.get(account.credential), named=named) for account in page]

    @router.get("/accounts/{subject}", summary="One account")
    async def one(subject: str, request: Request) -> AccountPage:
        account = await accounts.find(subject)
        if account is None:
            raise PageRefused(404, Message("There is no account {subject} (yet).", subject=subject))
        named = caller_of(request).may(Action.KEEP_ACCOUNTS, {})
        return AccountPage.of(account, await secrets.credentials.get(account.credential), named=named)

    @router.get("/commands/{command:path}", summary="What became of a command")
    async def command_page(command: str) -> AccountCommandPage:
        document = await command_documents.find_one({"command": command})
        if document is None:
            raise PageRefused(
                404,
                Message("No command {command} was worked (yet). If it was just given, ask again.", command=command),
            )
        outcome = ACCOUNT_COMMANDS.from_document(document)
        wrong = outcome.rejection
        return AccountCommandPage(
            command=outcome.command,
            subject=outcome.subject,
            name=outcome.name,
            actor=outcome.actor,
            given_at=outcome.given_at,
            status=outcome.status.value,
            wrong=AccountRejectionPage.of(wrong) if wrong is not None else None,
        )

    return router
