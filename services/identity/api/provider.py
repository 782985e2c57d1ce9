"""Sign-in at another OpenID Connect provider. Identity is its client, and gives the session and tokens of Karya.

1. The client, which listens on a loopback address, opens `GET /sessions/provider` in a browser.
2. The browser goes to the provider with a state, and comes back to `GET /sessions/provider/callback`.
3. Identity exchanges the code, checks the ID token, opens or finds the account, and adjusts its roles.
4. The browser goes to the loopback address with a code, and the client gets its session: `POST /sessions/provider`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.identity.api.callers import Accounts
from services.identity.api.provider_client import Provider, ProviderAway, ProviderRefused
from services.identity.api.requests import RedeemCode, described
from services.identity.api.sessions import SESSION_OVER, WAIT
from services.identity.api.tokens import NOT_KEPT, TokenPage, token_page
from services.identity.domain.account import Account, HeldRole
from services.identity.domain.provider import role_changes
from services.identity.store import Secrets
from services.identity.store.credentials import Credential, new_credential_id, new_subject, provider_login
from services.identity.store.provider_sign_ins import ClientRequest, SignedIn, SignInSecrets
from shared.access.rights import Grant
from shared.events.identity import GrantRole, OpenAccount, WithdrawRole
from shared.events.language import Body
from shared.http.access import CHALLENGE
from shared.http.commands import Commands, parse_command
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

log = structlog.get_logger()

# No other machine can be meant: a code goes to the client on this one.
LOOPBACK = r"^http://(127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}/[A-Za-z0-9/_-]{0,100}$"
CLIENT_STATE = r"^[A-Za-z0-9_-]{16,200}$"
CODE_CHALLENGE = r"^[A-Za-z0-9_-]{43}$"
NO_PROVIDER = Message("No other provider is set up here. Sign in with your login and password.")
UNKNOWN_STATE = Message("This sign-in is not known, was used, or is too old. Please begin again.")
UNKNOWN_CODE = Message("This code is not known, was used, or is too old. Please sign in again.")
LONGEST_NAME = 80


class SignInError(StrEnum):
    """Why a sign-in at the provider gives no code. The client is told by `error`, as in OAuth."""

    ACCESS_DENIED = "access_denied"
    PROVIDER_AWAY = "provider_away"
    PROVIDER_REFUSED = "provider_refused"
    NO_ROLE = "no_role"
    ACCOUNT_CLOSED = "account_closed"
    TRY_AGAIN = "temporarily_unavailable"


class _Failed(Exception):
    def __init__(self, error: SignInError) -> None:
        super().__init__(error.value)
        self.error = error


def routes(
    service: Service, provider: Provider | None, secrets: Secrets, accounts: Accounts, commands: Commands
) -> APIRouter:
    """The router of sign-in at the provider. Without one its pages answer 404."""
    router = APIRouter(tags=["sessions"])
    settings = service.settings
    longest = timedelta(hours=settings.oidc_session_hours)
    sign_ins = secrets.provider_sign_ins

    def known_provider() -> Provider:
        if provider is None:
            raise PageRefused(404, NO_PROVIDER)
        return provider

    async def signed_in(client: Provider, claims: Mapping[str, Any]) -> SignedIn:
        """The account of a person with these claims, opened if there is none, with the roles of the claims.

        Raises _Failed.
        """
        wanted = client.roles.of(claims)
        login = provider_login(client.issuer, claims["sub"])
        subject = await secrets.credentials.subject_of(login)
        account = await accounts.find(subject) if subject is not None else None
        if account is None:
            if client.roles.claim and not wanted:
                raise _Failed(SignInError.NO_ROLE)
            account = await opened(login, name_of(claims))
        if account.closed_at is not None:
            raise _Failed(SignInError.ACCOUNT_CLOSED)
        credential = await secrets.credentials.get(account.credential)
        if credential is None or credential.login != login:
            raise _Failed(SignInError.ACCOUNT_CLOSED)
        given_before = [_held(role) for role in credential.given_roles]
        changes = role_changes(account.roles, given_before, wanted, client.roles)
        # What the provider gave stays noted until it is withdrawn: a failure on the way is mended at the next time.
        noted = sorted({*credential.given_roles, *map(_text, wanted)})
        await secrets.credentials.note_provider(credential.id, name_of(claims), noted)
        for held in changes.withdrawn:
            await done(WithdrawRole(subject=account.id, role=held.role, scope=held.scope), None)
        for held in changes.granted:
            await done(GrantRole(subject=account.id, role=held.role, scope=held.scope), None)
        await secrets.credentials.note_provider(credential.id, name_of(claims), sorted(map(_text, wanted)))
        return SignedIn(account.id, credential.id)

    async def opened(login: str, name: str) -> Account:
        """A new account. Repeated and simultaneous sign-ins give the same one. Raises _Failed."""
        now = datetime.now(UTC)
        fresh = Credential(new_credential_id(), new_subject(), login, name, None, now)
        if await secrets.credentials.add(fresh):
            credential = fresh
        else:
            # Its event is on the way, or was never published. Noted before it is given (again), it is not collected.
            former = await secrets.credentials.first_of(login)
            if former is None:
                raise _Failed(SignInError.ACCOUNT_CLOSED)
            credential = former
            await secrets.credentials.refer(credential.id)
        body = OpenAccount(subject=credential.subject, credential=credential.id)
        await done(body, f"{credential.id}.open")
        await secrets.credentials.refer(credential.id)
        account = await accounts.find(credential.subject)
        assert account is not None, "its command is done"
        return account

    async def done(body: Body, id: str | None) -> None:
        """Give a command and wait until it is done. Raises _Failed."""
        answer = await commands.append(body, WAIT, id, None)
        if answer.status_code != 200:
            log.warning("provider_command_failed", command=type(body).__name__, status=answer.status_code)
            raise _Failed(SignInError.TRY_AGAIN)

    async def claims_of(client: Provider, code: str, issuer: str | None, bound: SignInSecrets) -> Mapping[str, Any]:
        try:
            return await client.claims(code, issuer, bound)
        except ProviderRefused as refused:
            log.warning("provider_sign_in_refused", reason=str(refused)[:300])
            raise _Failed(SignInError.PROVIDER_REFUSED) from None
        except ProviderAway as away:
            log.warning("provider_away", reason=str(away)[:300])
            raise _Failed(SignInError.PROVIDER_AWAY) from None

    @router.get(
        "/sessions/provider",
        summary="Sign in at another provider, in a browser",
        status_code=303,
        response_class=RedirectResponse,
        responses={404: {"description": "No other provider is set up here"}},
    )
    async def begin(
        redirect_uri: Annotated[
            str, Query(pattern=LOOPBACK, description="where the client listens on the person's machine")
        ],
        state: Annotated[str, Query(pattern=CLIENT_STATE, description="comes back to the client as it is")],
        code_challenge: Annotated[
            str, Query(pattern=CODE_CHALLENGE, description="of the client's verifier (PKCE, S256)")
        ],
    ) -> Response:
        client = known_provider()
        waiting = ClientRequest(redirect_uri, state, code_challenge)
        own_state, bound = await sign_ins.begin(waiting, datetime.now(UTC))
        try:
            address = await client.authorization_url(own_state, bound)
        except (ProviderAway, ProviderRefused) as fault:
            log.warning("provider_away", reason=str(fault)[:300])
            address = _to_client(waiting, error=SignInError.PROVIDER_AWAY.value)
        return RedirectResponse(address, 303, NOT_KEPT)

    @router.get(
        "/sessions/provider/callback",
        summary="Where the provider sends the browser back to",
        status_code=303,
        response_class=RedirectResponse,
        responses={
            400: {"description": "The sign-in is not known, was used, or is too old"},
            404: {"description": "No other provider is set up here"},
        },
    )
    async def callback(
        state: Annotated[str, Query(description="the state with which identity sent the browser away")] = "",
        code: Annotated[str, Query(description="the provider's code")] = "",
        iss: Annotated[str | None, Query(description="the provider, if it names itself (RFC 9207)")] = None,
        error: Annotated[str, Query(description="why the provider gives no code")] = "",
    ) -> Response:
        client = known_provider()
        taken = await sign_ins.take(state, datetime.now(UTC))
        if taken is None:
            raise PageRefused(400, UNKNOWN_STATE)
        waiting, bound = taken
        try:
            if error:
                log.info("provider_sign_in_refused", error=error[:100])
                denied = error == SignInError.ACCESS_DENIED
                raise _Failed(SignInError.ACCESS_DENIED if denied else SignInError.PROVIDER_REFUSED)
            person = await signed_in(client, await claims_of(client, code, iss, bound))
            address = _to_client(waiting, code=await sign_ins.give(person, waiting.code_challenge, datetime.now(UTC)))
        except _Failed as failed:
            address = _to_client(waiting, error=failed.error.value)
        return RedirectResponse(address, 303, NOT_KEPT)

    @router.post(
        "/sessions/provider",
        summary="The session of a sign-in at the provider",
        **described(
            "/sessions/provider",
            RedeemCode,
            {
                401: {"description": "The code is not known, was used, is too old, or is another client's"},
                404: {"description": "No other provider is set up here"},
            },
        ),
    )
    async def redeem(request: Request, response: Response) -> TokenPage:
        body = await parse_command(request, RedeemCode)
        known_provider()
        now = datetime.now(UTC)
        person = await sign_ins.redeem(body.code.get_secret_value(), body.code_verifier.get_secret_value(), now)
        if person is None:
            raise PageRefused(401, UNKNOWN_CODE, CHALLENGE)
        account = await accounts.find(person.subject)
        if account is None or account.closed_at is not None or account.credential != person.credential:
            raise PageRefused(401, SESSION_OVER, CHALLENGE)
        refresh_token = await secrets.sessions.begin(account.id, person.credential, now, now + longest)
        return await token_page(secrets, settings.identity_url, response, account, refresh_token)

    return router


def _to_client(waiting: ClientRequest, **answer: str) -> str:
    """The address by which the browser brings the answer to the client."""
    return f"{waiting.redirect_uri}?{urlencode({'state': waiting.state, **answer})}"


def name_of(claims: Mapping[str, Any]) -> str:
    """The name of a person for administrators, as the provider tells it."""
    names = (claims.get(claim) for claim in ("name", "preferred_username"))
    shown = ("".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME] for name in names if isinstance(name, str))
    return next(filter(None, shown), "-")


def _text(role: HeldRole) -> str:
    return str(Grant(role.role, role.scope))


def _held(text: str) -> HeldRole:
    grant = Grant.parse(text)
    assert grant is not None, "it was written here"
    return HeldRole(grant.role, grant.scope)
