"""Sign-in at the provider that identity names, in the browser of a person.

1. `GET /sign-in/provider` gives the browser a verifier as a cookie of minutes, and sends it to the provider. It is a
   link, since a browser holds the policy of a form against the addresses to which its answer redirects.
2. The provider sends the browser back to `GET /sign-in/provider/callback`. It brings a code, which identity takes
   with the verifier of the cookie alone: what another browser has begun signs nobody in here.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection

from services.portal.api.pages import local_path, redirect
from services.portal.api.people import People, address_of, is_https, may_sign_in
from services.portal.api.sign_in import CAME_FROM_ELSEWHERE, IDENTITY_AWAY, NOT_SET_UP
from services.portal.clients import Identity, IdentityAway, ProviderSignInFailed
from shared.access.provider_sign_in import PORTAL_CALLBACK, SignInError
from shared.http.admission import TRUSTED_SITES
from shared.settings import AccessControl, Settings

BEGIN = "/sign-in/provider"
# Identity waits as long for the provider's answer.
COOKIE_SECONDS = 600
SECURE_COOKIE = "__Host-karya-sign-in"
MOST_NEXT = 1000
# The parameters of an answer that count. Others are the provider's own business.
CAME_BACK = ("state", "code", "iss", "error")


def routes(people: People, identity: Identity, settings: Settings) -> APIRouter:
    """The router of sign-in at the provider."""
    router = APIRouter()

    @router.get(BEGIN)
    async def begin(request: Request, next: str = "/") -> Response:
        next = local_path(next)
        if settings.access is AccessControl.OPEN:
            return redirect(next)
        if not may_sign_in(request):
            return to_sign_in(next)
        # A page of another site could give a signed-in person another session, if the provider asks nothing.
        if request.headers.get("sec-fetch-site", "none") not in TRUSTED_SITES:
            return to_sign_in(next)
        verifier = secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        callback = f"{str(request.base_url).rstrip('/')}{PORTAL_CALLBACK}"
        try:
            address = await identity.begin_at_provider(callback, challenge, address_of(request))
        except IdentityAway:
            return to_sign_in(next, IDENTITY_AWAY)
        except ProviderSignInFailed as failed:
            return to_sign_in(next, failed.error or NOT_SET_UP)
        answer = redirect(address)
        answer.set_cookie(
            _cookie_name(request),
            f"{verifier}.{urlsafe_b64encode(next[:MOST_NEXT].encode()).decode()}",
            COOKIE_SECONDS,
            path="/",
            secure=is_https(request),
            httponly=True,
            # It comes with the redirect from the provider, and with no request that another site's page makes.
            samesite="lax",
        )
        return answer

    @router.get(PORTAL_CALLBACK)
    async def callback(request: Request) -> Response:
        verifier, next = _kept(request)
        came_back = {name: value for name in CAME_BACK if (value := request.query_params.get(name)) is not None}
        answer = await _signed_in(request, came_back, verifier, next)
        answer.delete_cookie(_cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="lax")
        return answer

    async def _signed_in(request: Request, came_back: dict[str, str], verifier: str, next: str) -> Response:
        if not verifier or not came_back.get("state"):
            return to_sign_in(next, CAME_FROM_ELSEWHERE)
        try:
            signed_in = await identity.finish_at_provider(came_back, verifier, address_of(request))
        except IdentityAway:
            return to_sign_in(next, IDENTITY_AWAY)
        except ProviderSignInFailed as failed:
            return to_sign_in(next, failed.error or SignInError.TRY_AGAIN)
        answer = redirect(next)
        await people.begin(request, answer, signed_in)
        return answer

    return router


def to_sign_in(next: str, problem: str = "") -> Response:
    """Lead the browser to the page of sign-in, whose address has no code."""
    query = urlencode({name: value for name, value in (("problem", problem), ("next", next)) if value})
    return redirect(f"/sign-in?{query}")


def _kept(request: Request) -> tuple[str, str]:
    """The verifier of the browser's cookie, and the page that the person wanted."""
    verifier, _, encoded = request.cookies.get(_cookie_name(request), "").partition(".")
    try:
        return verifier, local_path(urlsafe_b64decode(encoded).decode())
    except ValueError:
        return verifier, "/"


def _cookie_name(request: HTTPConnection) -> str:
    return SECURE_COOKIE if is_https(request) else f"karya-sign-in-{request.url.port or 80}"
