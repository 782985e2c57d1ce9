"""Sign-in, access tokens and their keys, and what an account says of itself."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.identity.api.callers import Accounts
from services.identity.api.failures import Failures
from services.identity.api.requests import ChangePassword, Refresh, SignIn, described, new_password
from services.identity.api.tokens import NO_PASSWORDS, TokenPage, may_sign_in, token_page
from services.identity.domain.account import Account
from services.identity.domain.sign_in import login_of
from services.identity.store import Secrets
from services.identity.store.credentials import Credential, new_credential_id
from shared.events.identity import ReplaceCredential
from shared.http.access import CHALLENGE, caller_of
from shared.http.commands import CommandReply, Commands, parse_command
from shared.http.endpoints import ANSWERS
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

NOT_SIGNED_IN = Message("The login or the password is wrong, or the account is closed.")
SESSION_OVER = Message("The session is over. Please sign in again.")
OF_PROVIDER = Message("This account has no password here: its owner signs in at the provider.")
WRONG_OLD = Message("The old password is wrong.")
NO_ACCOUNT = Message("Access control is off here, so nobody is signed in.")
# How long a request waits for the outcome of its command.
WAIT = "wait=10"


class RolePage(BaseModel):
    role: str
    scope: str | None


class MePage(BaseModel):
    """The caller's own account."""

    subject: str
    name: str | None
    roles: list[RolePage]


class MetadataPage(BaseModel):
    """Metadata of an authorization server (RFC 8414). People sign in at `POST /sessions`, not by an OAuth grant.

    `sign_in_methods_supported`: `password` for a login and a password, `provider` for the pages of a provider, whose
    name for people is `sign_in_provider`.
    """

    issuer: str
    jwks_uri: str
    response_types_supported: list[str]
    grant_types_supported: list[str]
    sign_in_methods_supported: list[str]
    sign_in_provider: str | None


class KeySetPage(BaseModel):
    """Public keys as RFC 7517 describes them."""

    keys: list[dict[str, Any]]


def routes(
    service: Service, secrets: Secrets, accounts: Accounts, commands: Commands, failures: Failures
) -> APIRouter:
    """The router of sign-in."""
    router = APIRouter(tags=["sessions"])
    settings = service.settings
    issuer = settings.issuer

    async def of_login(login: str) -> tuple[Account, Credential] | None:
        """The open account of a login, and its credential."""
        subject = await secrets.credentials.subject_of(login)
        account = await accounts.find(subject) if subject is not None else None
        if account is None or account.closed_at is not None:
            return None
        credential = await secrets.credentials.get(account.credential)
        # A login that was replaced is kept for an hour.
        return (account, credential) if credential is not None and credential.login == login else None

    @router.post(
        "/sessions",
        summary="Sign in",
        **described(
            "/sessions",
            SignIn,
            {
                401: {"description": "Wrong login or password, or no such open account"},
                403: {"description": "Nobody signs in with a password here"},
                429: {"description": "Too many wrong passwords; `Retry-After` says how long to wait"},
            },
        ),
    )
    async def sign_in(request: Request, response: Response) -> TokenPage:
        body = await parse_command(request, SignIn)
        if not settings.passwords:
            raise PageRefused(403, NO_PASSWORDS)
        login = login_of(body.login)
        failures.check(login)
        found = await of_login(login)
        known = found[1].password if found is not None else None
        is_right = await secrets.passwords.is_right(body.password.get_secret_value(), known)
        failures.check(login)
        if found is None or not is_right:
            failures.add(login)
            raise PageRefused(401, NOT_SIGNED_IN, CHALLENGE)
        failures.clear(login)
        account, credential = found
        refresh_token = await secrets.sessions.begin(account.id, credential.id, datetime.now(UTC))
        return await token_page(secrets, issuer, response, account, refresh_token)

    @router.post(
        "/sessions/refresh",
        summary="Next tokens of a session",
        **described("/sessions/refresh", Refresh, {401: {"description": "The session is over"}}),
    )
    async def refresh(request: Request, response: Response) -> TokenPage:
        body = await parse_command(request, Refresh)
        refreshed = await secrets.sessions.refresh(body.refresh_token.get_secret_value(), datetime.now(UTC))
        if refreshed is None:
            raise PageRefused(401, SESSION_OVER, CHALLENGE)
        session, refresh_token = refreshed
        account = await accounts.find(session.subject)
        credential = await secrets.credentials.get(session.credential)
        if (
            account is None
            or account.closed_at is not None
            or account.credential != session.credential
            or credential is None
            or not may_sign_in(settings, credential)
        ):
            await secrets.sessions.end(refresh_token)
            raise PageRefused(401, SESSION_OVER, CHALLENGE)
        return await token_page(secrets, issuer, response, account, refresh_token)

    @router.post(
        "/sessions/end",
        summary="Sign out",
        status_code=204,
        openapi_extra=described("/sessions/end", Refresh, {})["openapi_extra"],
    )
    async def end(request: Request) -> Response:
        body = await parse_command(request, Refresh)
        await secrets.sessions.end(body.refresh_token.get_secret_value())
        return Response(status_code=204)

    @router.get("/jwks", summary="Public keys of access tokens (RFC 7517)")
    async def jwks(response: Response) -> KeySetPage:
        response.headers["Cache-Control"] = "max-age=60"
        return KeySetPage(keys=(await secrets.keys.known()).as_dict(private=False)["keys"])

    @router.get("/.well-known/oauth-authorization-server", summary="Metadata of the issuer (RFC 8414)")
    async def metadata() -> MetadataPage:
        return MetadataPage(
            issuer=issuer,
            jwks_uri=f"{issuer}/jwks",
            response_types_supported=[],
            grant_types_supported=[],
            sign_in_methods_supported=[
                *(["password"] if settings.passwords else []),
                *(["provider"] if settings.oidc_issuer else []),
            ],
            sign_in_provider=settings.oidc_name.strip() or urlsplit(settings.oidc_issuer).hostname,
        )

    @router.get("/me", summary="One's own account", responses={404: {"description": "Access control is off"}})
    async def me(request: Request) -> MePage:
        caller = await accounts.caller(request)
        if caller.subject is None:
            raise PageRefused(404, NO_ACCOUNT)
        account = await accounts.find(caller.subject)
        assert account is not None, "a caller has an account"
        credential = await secrets.credentials.get(account.credential)
        return MePage(
            subject=account.id,
            name=credential.name if credential is not None else None,
            roles=[RolePage(role=held.role.value, scope=held.scope) for held in account.roles],
        )

    @router.post(
        "/password",
        summary="Change one's own password; all sessions end",
        response_model=CommandReply,
        **described(
            "/password",
            ChangePassword,
            ANSWERS
            | {
                403: {"description": "Nobody signs in with a password here"},
                404: {"description": "Access control is off"},
                429: {"description": "Too many wrong passwords; `Retry-After` says how long to wait"},
            },
        ),
    )
    async def change_password(request: Request) -> Response:
        body = await parse_command(request, ChangePassword)
        if not settings.passwords:
            raise PageRefused(403, NO_PASSWORDS)
        subject = caller_of(request).subject
        account = await accounts.find(subject) if subject is not None else None
        credential = await secrets.credentials.get(account.credential) if account is not None else None
        if account is None or account.closed_at is not None or credential is None:
            raise PageRefused(404, NO_ACCOUNT if subject is None else NOT_SIGNED_IN)
        if credential.password is None:
            raise PageRefused(409, OF_PROVIDER)
        failures.check(credential.login)
        is_right = await secrets.passwords.is_right(body.old.get_secret_value(), credential.password)
        failures.check(credential.login)
        if not is_right:
            failures.add(credential.login)
            raise PageRefused(409, WRONG_OLD)
        failures.clear(credential.login)
        new = Credential(
            id=new_credential_id(),
            subject=account.id,
            login=credential.login,
            name=credential.name,
            password=await secrets.passwords.hash(new_password(credential.login, body.new, "new")),
            made_at=datetime.now(UTC),
        )
        await secrets.credentials.add(new)
        return await replace_credential(commands, secrets, new, account.id)

    return router


async def replace_credential(
    commands: Commands, secrets: Secrets, credential: Credential, actor: str | None
) -> Response:
    """Tell the account's lane of a credential that was written before. The account's sessions end by it."""
    body = ReplaceCredential(subject=credential.subject, credential=credential.id)
    answer = await commands.append(body, WAIT, f"{credential.id}.replace", actor)
    if answer.status_code != 503:
        await secrets.credentials.refer(credential.id)
    return answer
