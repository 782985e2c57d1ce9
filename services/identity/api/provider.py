"""Sign-in at another OpenID Connect provider. Identity is its client, and gives the session and tokens of Karya.

1. The client, which listens on a loopback address, opens `GET /sessions/provider` in a browser.
2. The browser goes to the provider with a state, and comes back to `GET /sessions/provider/callback`.
3. Identity exchanges the code, checks the ID token, opens or finds the account, and adjusts its roles.
4. The browser goes to the loopback address with a code, and the client gets its session: `POST /sessions/provider`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.identity.api.callers import Accounts
from services.identity.api.provider_accounts import ProviderAccounts, SignInError, SignInFailed
from services.identity.api.provider_client import Provider, ProviderAway, ProviderRefused
from services.identity.api.requests import RedeemCode, described
from services.identity.api.sessions import SESSION_OVER
from services.identity.api.tokens import NOT_KEPT, TokenPage, token_page
from services.identity.store import Secrets
from services.identity.store.provider_sign_ins import ClientRequest, SignInSecrets
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


def routes(
    service: Service, provider: Provider | None, secrets: Secrets, accounts: Accounts, commands: Commands
) -> APIRouter:
    """The router of sign-in at the provider. Without one its pages answer 404."""
    router = APIRouter(tags=["sessions"])
    settings = service.settings
    longest = timedelta(hours=settings.oidc_session_hours)
    sign_ins = secrets.provider_sign_ins
    people = ProviderAccounts(secrets, accounts, commands)

    def known_provider() -> Provider:
        if provider is None:
            raise PageRefused(404, NO_PROVIDER)
        return provider

    async def claims_of(client: Provider, code: str, issuer: str | None, bound: SignInSecrets) -> Mapping[str, Any]:
        """What the provider says of the person. Raises SignInFailed."""
        try:
            return await client.claims(code, issuer, bound)
        except ProviderRefused as refused:
            log.warning("provider_sign_in_refused", reason=str(refused)[:300])
            raise SignInFailed(SignInError.PROVIDER_REFUSED) from None
        except ProviderAway as away:
            log.warning("provider_away", reason=str(away)[:300])
            raise SignInFailed(SignInError.PROVIDER_AWAY) from None

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
                raise SignInFailed(SignInError.ACCESS_DENIED if denied else SignInError.PROVIDER_REFUSED)
            person = await people.signed_in(client, await claims_of(client, code, iss, bound))
            address = _to_client(waiting, code=await sign_ins.give(person, waiting.code_challenge, datetime.now(UTC)))
        except SignInFailed as failed:
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
        return await token_page(secrets, settings.issuer, response, account, refresh_token)

    return router


def _to_client(waiting: ClientRequest, **answer: str) -> str:
    """The address by which the browser brings the answer to the client."""
    return f"{waiting.redirect_uri}?{urlencode({'state': waiting.state, **answer})}"
