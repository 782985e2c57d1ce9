"""Sign-in at another OpenID Connect provider, for a client on the person's machine such as `karya login`.

1. The client, which listens on a loopback address, opens `GET /sessions/provider` in a browser.
2. The browser goes to the provider with a state, and comes back to `GET /sessions/provider/callback`.
3. Identity exchanges the code, checks the ID token, opens or finds the account, and adjusts its roles.
4. The browser goes to the loopback address with a code, and the client gets its session: `POST /sessions/provider`.
"""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.identity.api.provider_accounts import SignInFailed
from services.identity.api.provider_sessions import ProviderAnswer, ProviderSessions
from services.identity.api.requests import CODE_CHALLENGE, RedeemCode, described
from services.identity.api.tokens import NOT_KEPT, TokenPage
from services.identity.store.provider_sign_ins import ClientRequest, ProviderSignIns
from shared.access.provider_sign_in import SENTENCES, SignInError
from shared.http.access import CHALLENGE
from shared.http.commands import parse_command
from shared.http.problems import PageRefused
from shared.wording import Message

# No other machine can be meant: a code goes to the client on this one.
LOOPBACK = r"^http://(127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}/[A-Za-z0-9/_-]{0,100}$"
CLIENT_STATE = r"^[A-Za-z0-9_-]{16,200}$"
UNKNOWN_CODE = Message("This code is not known, was used, or is too old. Please sign in again.")


def routes(sessions: ProviderSessions, sign_ins: ProviderSignIns) -> APIRouter:
    """The router of sign-in at the provider. Without one its pages answer 404."""
    router = APIRouter(tags=["sessions"])

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
        waiting = ClientRequest(redirect_uri, state, code_challenge)
        try:
            address = await sessions.begin(waiting)
        except SignInFailed as failed:
            address = _to_client(waiting, error=failed.error.value)
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
        _ = sessions.provider
        taken = await sign_ins.take(state, datetime.now(UTC))
        # One that the portal has begun comes back to the portal.
        if taken is None or taken[1].callback:
            raise PageRefused(400, SENTENCES[SignInError.UNKNOWN])
        waiting, bound = taken
        try:
            person = await sessions.person(ProviderAnswer(code, iss, error), bound)
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
        _ = sessions.provider
        now = datetime.now(UTC)
        person = await sign_ins.redeem(body.code.get_secret_value(), body.code_verifier.get_secret_value(), now)
        if person is None:
            raise PageRefused(401, UNKNOWN_CODE, CHALLENGE)
        return await sessions.open(person, response)

    return router


def _to_client(waiting: ClientRequest, **answer: str) -> str:
    """The address by which the browser brings the answer to the client."""
    return f"{waiting.redirect_uri}?{urlencode({'state': waiting.state, **answer})}"
