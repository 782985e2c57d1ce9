"""Sign-in at another OpenID Connect provider, for a browser at the portal.

1. The portal gives the browser a verifier as a cookie, and asks for an address: `POST /sessions/provider/begin`.
2. The browser goes to the provider with a state, and comes back to the portal's own page.
3. The portal brings what came, and the verifier of the cookie: `POST /sessions/provider/finish`. Only the browser
   that went out has it, so that nobody is signed in by a callback of somebody else.
4. Identity exchanges the code, checks the ID token, and answers with the session.
"""

import hmac
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.identity.api.provider_accounts import SignInFailed
from services.identity.api.provider_sessions import ProviderAnswer, ProviderSessions
from services.identity.api.requests import BeginSignIn, FinishSignIn, described, invalid
from services.identity.api.tokens import NOT_KEPT, TokenPage
from services.identity.store.provider_sign_ins import ClientRequest, ProviderSignIns, challenge_of
from shared.access.provider_sign_in import PORTAL_CALLBACK, SENTENCES, SignInError
from shared.errors import BadSettings
from shared.http.commands import parse_command
from shared.http.problems import TITLE, problem
from shared.loopback import is_private_line
from shared.settings import Settings
from shared.wording import Message

# A portal on the machine itself needs no setting: the provider knows its address or refuses it.
LOCAL = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost):[1-9][0-9]{0,4}")
NOT_THE_PORTAL = Message(
    "This is no page of the portal. KARYA_PORTAL_ORIGINS names the addresses under which people open the portal."
)
NO_ORIGIN = Message("KARYA_PORTAL_ORIGINS: an address is https://HOST or https://HOST:PORT, without a path.")
FAILED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Nobody is signed in; `reason` says why"},
    404: {"description": "No other provider is set up here"},
}


class AuthorizationPage(BaseModel):
    """The address at the provider, to which the browser goes."""

    address: str


def routes(settings: Settings, sessions: ProviderSessions, sign_ins: ProviderSignIns) -> APIRouter:
    """The router of the portal's sign-in. Raises BadSettings."""
    router = APIRouter(tags=["sessions"])
    origins = portal_origins(settings)

    @router.post(
        "/sessions/provider/begin",
        summary="Begin a sign-in at the provider for a browser at the portal",
        response_model=AuthorizationPage,
        **described("/sessions/provider/begin", BeginSignIn, FAILED),
    )
    async def begin(request: Request, response: Response) -> AuthorizationPage | Response:
        body = await parse_command(request, BeginSignIn)
        _ = sessions.provider
        origin = body.redirect_uri.removesuffix(PORTAL_CALLBACK)
        if origin == body.redirect_uri or not (origin in origins or LOCAL.fullmatch(origin)):
            raise invalid("redirect_uri", NOT_THE_PORTAL)
        try:
            address = await sessions.begin(ClientRequest("", "", body.code_challenge), body.redirect_uri)
        except SignInFailed as failed:
            return _refusal(failed.error)
        response.headers.update(NOT_KEPT)
        return AuthorizationPage(address=address)

    @router.post(
        "/sessions/provider/finish",
        summary="The session of a browser that came back from the provider to the portal",
        response_model=TokenPage,
        **described("/sessions/provider/finish", FinishSignIn, FAILED),
    )
    async def finish(request: Request, response: Response) -> TokenPage | Response:
        body = await parse_command(request, FinishSignIn)
        _ = sessions.provider
        # The state is used, whatever the verifier.
        taken = await sign_ins.take(body.state.get_secret_value(), datetime.now(UTC))
        challenge = challenge_of(body.code_verifier.get_secret_value())
        if taken is None or not taken[1].callback or not hmac.compare_digest(taken[0].code_challenge, challenge):
            return _refusal(SignInError.UNKNOWN)
        answer = ProviderAnswer(body.code.get_secret_value(), body.iss, body.error)
        try:
            return await sessions.open(await sessions.person(answer, taken[1]), response)
        except SignInFailed as failed:
            return _refusal(failed.error)

    return router


def portal_origins(settings: Settings) -> frozenset[str]:
    """The addresses of the portal for people. Raises BadSettings for one that is none, or not safe."""
    origins = frozenset(filter(None, (origin.strip().rstrip("/") for origin in settings.portal_origins.split(","))))
    if not all(is_private_line(origin) and _is_origin(origin) for origin in origins):
        raise BadSettings(NO_ORIGIN)
    return origins


def _is_origin(address: str) -> bool:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" == address and "@" not in parts.netloc


def _refusal(error: SignInError) -> Response:
    return problem(403, TITLE, SENTENCES[error], NOT_KEPT, reason=error.value)
