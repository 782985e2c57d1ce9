"""Codes that people pass on: an invitation opens an account or grants a role, and a reset makes a new password."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.identity.api.callers import Accounts, right_to_grant
from services.identity.api.failures import Failures
from services.identity.api.requests import (
    Invite,
    NewAccount,
    NoFields,
    ResetPassword,
    described,
    invalid,
    new_login,
    new_password,
)
from services.identity.api.sessions import NO_ACCOUNT, OF_PROVIDER, WAIT, replace_credential
from services.identity.api.tokens import NO_PASSWORDS
from services.identity.domain.account import HeldRole
from services.identity.domain.rules import wrong_scope
from services.identity.store import Secrets
from services.identity.store.codes import Code
from services.identity.store.credentials import Credential, new_credential_id, new_subject
from shared.events.identity import GrantRole, OpenAccount
from shared.events.language import Body
from shared.http.commands import CommandReply, Commands, parse_command
from shared.http.endpoints import ANSWERS
from shared.http.problems import PageRefused
from shared.wording import Message

RESET_LIFETIME = timedelta(hours=24)
UNKNOWN_CODE = Message("This code is not known, was used, or is too old. Please ask for a new one.")
INVITER_GONE = Message("The account that gave this code may not grant the role any more. Please ask for a new code.")
LOGIN_TAKEN = Message("Somebody else has this login. Please choose another one.")
NOT_OPEN = Message("There is no open account {subject}.")
AGAIN = Message("Kafka did not answer. Please send the same request again; it counts only once.")
_CODE_ANSWERS: dict[int | str, dict[str, Any]] = {
    403: {"description": "Nobody signs in with a password here"},
    404: {"description": "The code is unknown, used or too old"},
    409: {"description": "Refused: the login is taken, or a sentence says why"},
    429: {"description": "Too many wrong passwords for a used code; `Retry-After` says how long to wait"},
}


class CodePage(BaseModel):
    """A code to pass on. It is shown this once."""

    code: str
    expires_at: datetime


def routes(
    secrets: Secrets, accounts: Accounts, commands: Commands, failures: Failures, *, passwords: bool = True
) -> APIRouter:
    """The router of invitations and resets. `passwords`: whether people sign in with one."""
    router = APIRouter(tags=["invitations"])

    def need_passwords() -> None:
        if not passwords:
            raise PageRefused(403, NO_PASSWORDS)

    async def give(code: Code, *bodies: Body, actor: str | None) -> JSONResponse:
        """The commands of a code in order; the answer to the last one. Repeated requests give the same commands."""
        for body in bodies[:-1]:
            await taken(await commands.append(body, None, _command_id(code, body), actor))
        return await taken(await commands.append(bodies[-1], WAIT, _command_id(code, bodies[-1]), actor))

    async def taken(answer: JSONResponse) -> JSONResponse:
        if answer.status_code == 503:
            raise PageRefused(503, AGAIN, {"Retry-After": "5"})
        return answer

    async def usable(code: str) -> Code:
        """The invitation of a code. Raises PageRefused unless whoever gave it may grant its role still."""
        invitation = await secrets.invitations.find(code, datetime.now(UTC))
        if invitation is None or invitation.role is None:
            raise PageRefused(404, UNKNOWN_CODE)
        if not await accounts.still_may(invitation.by, *right_to_grant(HeldRole(invitation.role, invitation.scope))):
            raise PageRefused(409, INVITER_GONE)
        return invitation

    async def claimed(code: Code, password: str) -> Credential:
        """The credential by which the code was used before, if this is a repetition of that request."""
        assert code.claimed_by is not None
        credential = await secrets.credentials.get(code.claimed_by)
        if credential is None:
            raise PageRefused(404, UNKNOWN_CODE)
        # Whoever gave the code knows it too, and must not try passwords here that sign-in would not let them try.
        failures.check(credential.login)
        is_right = await secrets.passwords.is_right(password, credential.password)
        failures.check(credential.login)
        if not is_right:
            failures.add(credential.login)
            raise PageRefused(404, UNKNOWN_CODE)
        return credential

    @router.post(
        "/invitations",
        summary="Make a code by which somebody gets a role",
        **described("/invitations", Invite, {}),
    )
    async def invite(request: Request) -> CodePage:
        body = await parse_command(request, Invite)
        if (message := wrong_scope(body.role, body.scope)) is not None:
            raise invalid("scope", message)
        caller = await accounts.require(request, *right_to_grant(HeldRole(body.role, body.scope)))
        expires_at = datetime.now(UTC) + timedelta(hours=body.hours)
        code = await secrets.invitations.add_invitation(body.role, body.scope, caller.subject, expires_at)
        return CodePage(code=code, expires_at=expires_at)

    @router.post(
        "/invitations/{code}/account",
        summary="Open an account with an invitation",
        response_model=CommandReply,
        **described("/invitations/{code}/account", NewAccount, ANSWERS | _CODE_ANSWERS),
    )
    async def open_account(code: str, request: Request) -> Response:
        body = await parse_command(request, NewAccount)
        need_passwords()
        login = new_login(body.login)
        password = new_password(login, body.password)
        invitation = await usable(code)
        assert invitation.role is not None
        if invitation.claimed_by is not None:
            credential = await claimed(invitation, password)
        else:
            credential = Credential(
                id=new_credential_id(),
                subject=new_subject(),
                login=login,
                name=body.name,
                password=await secrets.passwords.hash(password),
                made_at=datetime.now(UTC),
            )
            await _claim(secrets, credential, invited=code)
        answer = await give(
            invitation,
            OpenAccount(subject=credential.subject, credential=credential.id),
            GrantRole(subject=credential.subject, role=invitation.role, scope=invitation.scope),
            actor=invitation.by,
        )
        await secrets.credentials.refer(credential.id)
        return answer

    @router.post(
        "/invitations/{code}/accept",
        summary="Take the role of an invitation with one's own account",
        response_model=CommandReply,
        **described("/invitations/{code}/accept", NoFields, ANSWERS | _CODE_ANSWERS),
    )
    async def accept(code: str, request: Request) -> Response:
        await parse_command(request, NoFields)
        caller = await accounts.caller(request)
        if caller.subject is None:
            raise PageRefused(404, NO_ACCOUNT)
        invitation = await usable(code)
        assert invitation.role is not None
        if not await secrets.invitations.claim(code, caller.subject):
            raise PageRefused(404, UNKNOWN_CODE)
        body = GrantRole(subject=caller.subject, role=invitation.role, scope=invitation.scope)
        return await give(invitation, body, actor=invitation.by or caller.subject)

    @router.post(
        "/resets/{code}/password",
        summary="Choose a new password with a code",
        response_model=CommandReply,
        **described("/resets/{code}/password", ResetPassword, ANSWERS | _CODE_ANSWERS),
    )
    async def reset_password(code: str, request: Request) -> Response:
        body = await parse_command(request, ResetPassword)
        need_passwords()
        reset = await secrets.resets.find(code, datetime.now(UTC))
        if reset is None or reset.subject is None:
            raise PageRefused(404, UNKNOWN_CODE)
        account = await accounts.find(reset.subject)
        if account is None or account.closed_at is not None:
            raise PageRefused(409, Message(NOT_OPEN.template, subject=reset.subject))
        if reset.claimed_by is not None:
            credential = await claimed(reset, body.password.get_secret_value())
        else:
            former = await secrets.credentials.get(account.credential)
            if former is not None and former.password is None:
                raise PageRefused(409, OF_PROVIDER)
            typed = body.login or (former.login if former is not None else None)
            if typed is None:
                raise invalid("login", Message("The login of this account was lost. Please choose one."))
            login = new_login(typed)
            credential = Credential(
                id=new_credential_id(),
                subject=account.id,
                login=login,
                name=body.name or (former.name if former is not None else login),
                password=await secrets.passwords.hash(new_password(login, body.password)),
                made_at=datetime.now(UTC),
            )
            await _claim(secrets, credential, reset=code)
        failures.clear(credential.login)
        return await replace_credential(commands, secrets, credential, reset.by)

    return router


async def _claim(secrets: Secrets, credential: Credential, *, invited: str = "", reset: str = "") -> None:
    """Keep the credential and use the code for it. Raises PageRefused for a taken login or a used code."""
    if not await secrets.credentials.add(credential):
        raise PageRefused(409, LOGIN_TAKEN)
    codes, code = (secrets.invitations, invited) if invited else (secrets.resets, reset)
    if not await codes.claim(code, credential.id):
        await secrets.credentials.remove(credential, datetime.now(UTC))
        raise PageRefused(404, UNKNOWN_CODE)


def _command_id(code: Code, body: Body) -> str:
    return f"{code.command}.{type(body).__name__}"
